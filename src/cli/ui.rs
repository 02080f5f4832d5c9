//! Prints: results to standard output, everything else to standard error. No other module prints.

#![expect(clippy::disallowed_methods, clippy::disallowed_types, reason = "this module prints")]

use std::fmt::Display;
use std::io::{self, IsTerminal as _, Write as _};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anstream::ColorChoice;
use anstyle::{AnsiColor, Style};
use indicatif::{ProgressBar, ProgressStyle};

use super::byte_count::ByteCount;
use super::progress::{BarState, FileProgress};
use pinfast_base::error::{Error, ErrorKind};
use pinfast_base::event::{Event, Watcher, counted};
use pinfast_base::sync::unpoisoned;

const RED: Style = AnsiColor::Red.on_default().bold();
const YELLOW: Style = AnsiColor::Yellow.on_default().bold();
const CYAN: Style = AnsiColor::Cyan.on_default().bold();
const BOLD: Style = Style::new().bold();

/// How much is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verbosity {
    /// Errors only.
    Quiet,
    /// Errors, warnings and a summary.
    Normal,
    /// Everything.
    Verbose,
}

/// Standard output and standard error, with a progress line on a terminal.
pub(crate) struct Ui {
    verbosity: Verbosity,
    line: Mutex<Option<ProgressLine>>,
    counts: Mutex<ProgressCounts>,
}

/// The progress line, and what it shows.
struct ProgressLine {
    bar: ProgressBar,
    state: BarState,
}

/// The counters of the progress line.
#[derive(Default)]
struct ProgressCounts {
    /// The choice that a long search is making, as text.
    deciding: Option<String>,
    met: usize,
    decided: usize,
    in_flight: usize,
    requests: usize,
    bytes: u64,
    files: FileProgress,
    /// How long requests were in flight, until the last moment without one.
    waited: Duration,
    /// When the current period with requests in flight began.
    waiting_since: Option<Instant>,
}

impl Ui {
    /// Sets the colours of the whole process: `color`, then `NO_COLOR` and `CLICOLOR_FORCE`, then the terminal.
    pub(crate) fn new(verbosity: Verbosity, color: ColorChoice) -> Arc<Self> {
        color.write_global();
        Arc::new(Self { verbosity, line: Mutex::default(), counts: Mutex::default() })
    }

    pub(crate) fn verbosity(&self) -> Verbosity {
        self.verbosity
    }

    /// The width of the terminal on standard error, else `COLUMNS`, else 100.
    pub(crate) fn width(&self) -> usize {
        let terminal = terminal_size::terminal_size_of(io::stderr()).map(|(width, _)| usize::from(width.0));
        let columns = || std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
        terminal.or_else(columns).filter(|width| *width >= 20).unwrap_or(100)
    }

    /// Prints a result.
    ///
    /// # Errors
    /// `NoAnswer` if standard output cannot be written. A closed pipe is not an error.
    pub(crate) fn print_result(&self, text: &str) -> pinfast_base::error::Result<()> {
        let mut out = anstream::stdout().lock();
        match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(Error::no_answer("cannot write to standard output").because(error))
            }
            _ => Ok(()),
        }
    }

    /// Prints a result as a JSON document.
    ///
    /// # Errors
    /// As for [`Ui::print_result`].
    pub(crate) fn print_json(&self, document: &impl serde::Serialize) -> pinfast_base::error::Result<()> {
        let text = serde_json::to_string_pretty(document)
            .map_err(|error| Error::no_answer("the result cannot be written as JSON").because(error))?;
        self.print_result(&(text + "\n"))
    }

    /// Prints a line, unless `--quiet`.
    pub(crate) fn note(&self, text: impl Display) {
        if self.verbosity >= Verbosity::Normal {
            self.print_line(text);
        }
    }

    /// Prints a line under `--verbose`.
    pub(crate) fn detail(&self, text: impl Display) {
        if self.verbosity >= Verbosity::Verbose {
            self.print_line(text);
        }
    }

    /// Prints a warning, unless `--quiet`.
    pub(crate) fn warn(&self, text: impl Display) {
        if self.verbosity >= Verbosity::Normal {
            self.print_line(format_args!("{YELLOW}warning{YELLOW:#}: {text}"));
        }
    }

    /// Prints an error with its details, causes and hints.
    pub(crate) fn error(&self, error: &Error) {
        self.print_line(format_args!("{RED}error{RED:#}: {BOLD}{error}{BOLD:#}"));
        for detail in &error.details {
            self.print_line(detail);
        }
        let mut cause = std::error::Error::source(error);
        while let Some(source) = cause {
            self.print_line(format_args!("  {BOLD}caused by{BOLD:#}: {source}"));
            cause = source.source();
        }
        for hint in &error.hints {
            self.print_line(format_args!("{CYAN}hint{CYAN:#}: {hint}"));
        }
        if error.kind == ErrorKind::No && error.details.is_empty() && error.hints.is_empty() {
            self.detail("(exit 1: the answer is no)");
        }
    }

    /// Shows a progress line until [`Ui::finish`], on a terminal only.
    pub(crate) fn begin(&self, what: &'static str) {
        let fancy = io::stderr().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb");
        if self.verbosity != Verbosity::Normal || !fancy {
            return;
        }
        let state = BarState::message(String::new());
        let bar = ProgressBar::new_spinner().with_style(style(&state)).with_prefix(what);
        bar.enable_steady_tick(Duration::from_millis(80));
        *unpoisoned(self.line.lock()) = Some(ProgressLine { bar, state });
    }

    /// Removes the progress line.
    pub(crate) fn finish(&self) {
        if let Some(line) = unpoisoned(self.line.lock()).take() {
            line.bar.finish_and_clear();
        }
        unpoisoned(self.counts.lock()).deciding = None;
    }

    /// Failures to write to standard error are ignored: they must not change the result.
    fn print_line(&self, text: impl Display) {
        let write = || {
            let _ = writeln!(anstream::stderr().lock(), "{text}");
        };
        match &*unpoisoned(self.line.lock()) {
            Some(line) => line.bar.suspend(write),
            None => write(),
        }
    }

    /// Shows the current step: on the progress line, or under `--verbose` on its own line.
    fn show_step(&self, text: &str) {
        match &mut *unpoisoned(self.line.lock()) {
            Some(line) => line.show(BarState::message(text.to_owned())),
            None if self.verbosity >= Verbosity::Verbose && !text.is_empty() => {
                drop(writeln!(anstream::stderr().lock(), "{text}"))
            }
            None => {}
        }
    }

    fn count(&self, event: &Event) {
        let mut counts = unpoisoned(self.counts.lock());
        match event {
            Event::RequestSent => {
                counts.waiting_since.get_or_insert_with(Instant::now);
                counts.in_flight += 1;
                counts.requests += 1;
            }
            Event::RequestDone => {
                counts.in_flight = counts.in_flight.saturating_sub(1);
                if counts.in_flight == 0 {
                    let since = counts.waiting_since.take();
                    counts.waited += since.map(|since| since.elapsed()).unwrap_or_default();
                }
            }
            Event::BytesReceived(bytes) => counts.bytes += bytes,
            Event::FilesWanted { .. }
            | Event::FileBegun { .. }
            | Event::FileDone
            | Event::FileBytesReceived(_) => {
                counts.files.count(event);
            }
            Event::Solving { met, decided } => (counts.met, counts.decided) = (*met, *decided),
            _ => return,
        }
        let state = counts.state();
        drop(counts);
        if let Some(line) = &mut *unpoisoned(self.line.lock()) {
            line.show(state);
        }
    }

    /// How long requests were in flight so far.
    pub(crate) fn waited(&self) -> Duration {
        let counts = unpoisoned(self.counts.lock());
        counts.waited + counts.waiting_since.map(|since| since.elapsed()).unwrap_or_default()
    }

    /// The number of requests, and of bytes received.
    pub(crate) fn traffic(&self) -> (usize, u64) {
        let counts = unpoisoned(self.counts.lock());
        (counts.requests, counts.bytes)
    }
}

impl Watcher for Ui {
    fn on(&self, event: Event) {
        match &event {
            Event::Warning(text) => self.warn(text),
            Event::Detail(text) => self.detail(text),
            Event::Step(text) => self.show_step(text),
            Event::Deciding { tried, against, tries } => {
                let text = format!("{tried} against {against}, {tries} tries");
                self.show_step(&text);
                unpoisoned(self.counts.lock()).deciding = Some(text);
            }
            Event::Stage { name, what } => {
                self.show_step("");
                self.note(format_args!("  {BOLD}{name:<9}{BOLD:#} {what}"));
            }
            _ => self.count(&event),
        }
    }
}

impl ProgressLine {
    fn show(&mut self, state: BarState) {
        if state.has_bar() && !self.state.has_bar() {
            // The rate is that of the files: the time before them does not count.
            self.bar.reset_eta();
        }
        self.bar.set_length(state.length);
        self.bar.set_position(state.position);
        if state.template != self.state.template {
            self.bar.set_style(style(&state));
        }
        self.bar.set_message(state.message.clone());
        self.state = state;
    }
}

fn style(state: &BarState) -> ProgressStyle {
    let style = ProgressStyle::with_template(state.template);
    style.unwrap_or_else(|_| ProgressStyle::default_spinner()).progress_chars("━╌")
}

impl ProgressCounts {
    /// The files, else the packages and the requests.
    fn state(&self) -> BarState {
        if let Some(bar) = self.files.bar() {
            return bar;
        }
        let packages = (self.met > 0).then(|| format!("{} of {} packages", self.decided, self.met));
        let packages = self.deciding.clone().or(packages);
        let traffic = format!("{} in flight, {}", counted(self.in_flight, "request"), ByteCount(self.bytes));
        let traffic = (self.requests > 0).then_some(traffic);
        BarState::message(packages.into_iter().chain(traffic).collect::<Vec<_>>().join(", "))
    }
}

//! A requirements file of pinfast, pip-compile or uv -> a lock.
//!
//! One reader, two levels: it takes whatever pins it finds (their versions are preferred when a project
//! comes over), and keeps a list of the problems that bar the text from being installed from.

use std::sync::Arc;

use crate::{FORMAT, Lock, Pin, Via, is_pylock, pylock};
use pinfast_base::error::{Error, Result};
use pinfast_packaging::{
    Location, Requirement, RequirementError, RequirementSource, Sha256, Sha256Error, Version,
};

use super::digest::{Integrity, integrity};
use super::problem::{self, LockProblem, LockProblems};
use super::scan::{Comment, Line, Logical, Scanner, Spot, ends_early_for_pip, options_start, words};
use super::twins::find_twins;
use super::{builds, header, via, write};

/// The largest text that is read.
const LARGEST: usize = 64 << 20;

const RELOCK: &str = "make the lock anew with `pinfast lock`";
const HASH_IT: &str = "`pinfast lock` writes the hashes; so do `pip-compile --generate-hashes` and \
                       `uv pip compile --generate-hashes`";
const PIN_IT: &str = "a lock holds exact pins, `name==version`: put the requirement into the input, and \
                      run `pinfast lock`";
const NO_CONTROL: &str = "remove the character: pip would end the line there";

/// What git leaves at the start of a line.
const MERGE_MARKS: [&str; 4] = ["<<<<<<<", "|||||||", "=======", ">>>>>>>"];

/// The options that a lock may hold, and their long names: they say where files come from, or are
/// what a lock means anyway.
const OPTIONS: &[(&[&str], &str)] = &[
    (&["-i", "--index-url", "--pypi-url"], "index-url"),
    (&["--extra-index-url"], "extra-index-url"),
    (&["-f", "--find-links"], "find-links"),
    (&["--no-index"], "no-index"),
    (&["--trusted-host"], "trusted-host"),
    (&["--no-binary"], "no-binary"),
    (&["--only-binary"], "only-binary"),
    (&["--prefer-binary"], "prefer-binary"),
    (&["--pre"], "pre"),
    (&["--require-hashes"], "require-hashes"),
];

/// What was read from a text.
#[derive(Clone, Debug)]
pub struct ParsedLock {
    /// The lock; a line that is no pin is not in it.
    pub lock: Lock,
    /// Whether the text is as pinfast wrote it.
    pub integrity: Integrity,
    /// The options inside the text, such as `--index-url`, in order.
    pub options: Vec<LockOption>,
    /// What bars the text from being installed from, in order.
    pub problems: Vec<LockProblem>,
    /// The file's name as given.
    pub file: Arc<str>,
}

/// An option that stands in a lock of another tool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockOption {
    /// Its long name without dashes, such as `index-url`.
    pub name: &'static str,
    /// Its value, empty for a flag; it may hold credentials.
    pub value: String,
    /// Where it stands.
    pub at: Location,
}

impl Lock {
    /// Reads whatever pins `text` holds: for preferences, `why`, `tree` and `diff`.
    ///
    /// # Errors
    /// When `text` is too large.
    pub fn parse(text: &str, file: &str) -> Result<Self> {
        Ok(ParsedLock::read(text, file)?.lock)
    }

    /// Reads a `text` that is to be installed from: every line an exact pin with a SHA-256, every name
    /// once in each environment.
    ///
    /// # Errors
    /// Of kind `Usage`, with file, line, column, caret and what to do.
    pub fn parse_strict(text: &str, file: &str) -> Result<Self> {
        ParsedLock::read(text, file)?.strict()
    }
}

impl ParsedLock {
    /// Reads `text`, which was in `file`: a `pylock.toml` by its name, else a requirements file.
    ///
    /// # Errors
    /// When `text` is too large, or is a `pylock.toml` that cannot be read at all.
    pub fn read(text: &str, file: &str) -> Result<Self> {
        if text.len() > LARGEST {
            return Err(Error::usage(format!("{file} is larger than {} MB: no lock file", LARGEST >> 20)));
        }
        if is_pylock(file) {
            return pylock::read(text, file);
        }
        let (lock, reader) = read(text, file);
        let Reader { file, options, problems, .. } = reader;
        Ok(Self { lock, integrity: integrity(text), options, problems: problems.sorted(), file })
    }

    /// The lock, if it can be installed from.
    ///
    /// # Errors
    /// Of kind `Usage`: all that bars it.
    pub fn strict(self) -> Result<Lock> {
        if let Integrity::NewerFormat(format) = self.integrity {
            return Err(Error::usage(format!(
                "{} has the lock format {format}, but this pinfast knows {FORMAT} at most",
                self.file
            ))
            .hint("take the pinfast that wrote it, or a newer one"));
        }
        problem::error(&self.problems).map_or(Ok(self.lock), Err)
    }
}

/// The pins alone, whatever is wrong with the rest.
pub(super) fn lock_of(text: &str) -> Lock {
    read(text, "").0
}

fn read<'a>(text: &'a str, file: &str) -> (Lock, Reader<'a>) {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = Reader::new(file);
    let mut lines = Scanner::new(text, 1);
    let mut sections: Option<Comment<'_>> = None;
    while let Some(line) = lines.next() {
        match line {
            Line::Comment(comment) => {
                if comment.from.starts_with(builds::BUILD) {
                    sections.get_or_insert(comment);
                }
                reader.comment(comment.text);
            }
            Line::Logical(line) => reader.logical(&line),
        }
    }
    reader.close();
    find_twins(&reader.pins, &mut reader.problems);
    let pins = std::mem::take(&mut reader.pins).into_iter().map(|(pin, _)| pin).collect();
    let header = header::read(text);
    // Nobody else's comments permit anything.
    let builds = match sections.filter(|_| header.is_some()) {
        Some(first) => builds::read(first.from, first.number, file, &mut reader.problems),
        None => Vec::new(),
    };
    let mut lock = Lock { header, pins, builds };
    lock.sort();
    (lock, reader)
}

/// The pins of `text`, which is a part of `file` without comments from its line `first` on, and what is wrong with
/// them.
pub(super) fn pins<'a>(text: &'a str, first: u32, file: &str) -> (Vec<(Pin, Spot<'a>)>, LockProblems) {
    let mut reader = Reader::new(file);
    let mut lines = Scanner::new(text, first);
    while let Some(line) = lines.next() {
        if let Line::Logical(line) = line {
            reader.logical(&line);
        }
    }
    reader.close();
    (reader.pins, reader.problems)
}

struct Reader<'a> {
    file: Arc<str>,
    pins: Vec<(Pin, Spot<'a>)>,
    options: Vec<LockOption>,
    problems: LockProblems,
    draft: Option<Draft<'a>>,
    comments: Comments,
}

/// A pin whose comments may still follow.
struct Draft<'a> {
    requirement: Requirement,
    version: Option<Version>,
    hashes: Vec<Sha256>,
    via: Vec<Via>,
    spot: Spot<'a>,
}

/// What an indented comment belongs to.
#[derive(Clone, Copy, PartialEq)]
enum Comments {
    Nothing,
    Via,
}

impl<'a> Reader<'a> {
    fn new(file: &str) -> Self {
        Self {
            file: file.into(),
            pins: Vec::new(),
            options: Vec::new(),
            problems: LockProblems::default(),
            draft: None,
            comments: Comments::Nothing,
        }
    }

    fn problem(&mut self, spot: Spot<'_>, message: impl Into<String>, hint: &'static str) {
        self.problems.push(spot, message, hint);
    }

    fn comment(&mut self, comment: &str) {
        let Some(draft) = &mut self.draft else { return };
        if let Some(version) = comment.strip_prefix(" version ") {
            draft.version = draft.version.take().or_else(|| version.trim().parse().ok());
        } else if let Some(entries) = via::opened(comment) {
            draft.via.extend(via::entries(entries));
            self.comments = Comments::Via;
        } else if self.comments == Comments::Via && comment.starts_with("  ") {
            draft.via.extend(via::entry(comment));
        } else {
            self.comments = Comments::Nothing;
        }
    }

    /// Ends the pin that is open.
    fn close(&mut self) {
        self.comments = Comments::Nothing;
        let Some(Draft { requirement, version, hashes, via, spot }) = self.draft.take() else { return };
        let Requirement { name, extras, source, marker } = requirement;
        let Some(version) = version else {
            return self.problem(
                spot,
                format!("the version of `{name}` cannot be told from its URL"),
                RELOCK,
            );
        };
        let url = match source {
            RequirementSource::Url(url) => Some(url),
            RequirementSource::Index(_) => None,
        };
        let at = Some(spot.at.clone());
        let files = Vec::new();
        let pin = Pin { name, version, extras, marker, url, hashes, files, via, at };
        self.pins.push((pin, spot));
    }

    fn logical(&mut self, line: &Logical<'_, 'a>) {
        self.close();
        let start = line.start();
        if ends_early_for_pip(line.text) {
            self.problem(line.whole(&self.file), "a control character or a foreign line end", NO_CONTROL);
        } else if MERGE_MARKS.iter().any(|mark| line.text.starts_with(mark)) {
            self.problem(line.whole(&self.file), "an unfinished merge left its mark", RELOCK);
        } else if line.text[start..].starts_with('-') {
            self.option(line);
        } else {
            self.requirement(line);
        }
    }

    fn option(&mut self, line: &Logical<'_, 'a>) {
        let spot = line.whole(&self.file);
        let text = line.text.trim();
        let (name, value) = text.split_once(['=', ' ']).unwrap_or((text, ""));
        if let Some((_, name)) = OPTIONS.iter().find(|(names, _)| names.contains(&name)) {
            self.options.push(LockOption { name, value: value.trim().to_owned(), at: spot.at });
            return;
        }
        match name {
            "-e" | "--editable" => self.problem(spot, "an editable requirement cannot be locked", PIN_IT),
            "-r" | "--requirement" | "-c" | "--constraint" => {
                self.problem(
                    spot,
                    format!("`{name}` names another file, but a lock holds all its pins"),
                    RELOCK,
                );
            }
            _ => self.problem(spot, format!("`{name}` is no option that a lock may hold"), RELOCK),
        }
    }

    fn requirement(&mut self, line: &Logical<'_, 'a>) {
        let start = line.start();
        let end = start + options_start(&line.text[start..]);
        let text = line.text[start..end].trim_end();
        let requirement: Requirement = match text.parse() {
            Ok(requirement) => requirement,
            Err(error) => return self.unreadable(line, text, &error),
        };
        let spot = line.spot(start..start + text.len(), &self.file);
        let version = match &requirement.source {
            RequirementSource::Url(url) => {
                write::url_dist(&url.url, &requirement.name).map(|dist| dist.version().clone())
            }
            RequirementSource::Index(specifiers) => {
                if !specifiers.is_exact() {
                    self.problem(spot.clone(), format!("`{text}` is no exact pin"), PIN_IT);
                }
                let Some(version) = specifiers.pinned() else { return };
                Some(version.clone())
            }
        };
        let known_problems = self.problems.len();
        let mut hashes = self.hashes(line, end);
        if let RequirementSource::Url(url) = &requirement.source {
            hashes.extend(url.sha256);
        }
        if hashes.is_empty() && self.problems.len() == known_problems {
            self.problem(spot.clone(), format!("`{}` has no SHA-256 hash", requirement.name), HASH_IT);
        }
        self.draft = Some(Draft { requirement, version, hashes, via: Vec::new(), spot });
        self.comment(line.comment.unwrap_or_default());
    }

    fn unreadable(&mut self, line: &Logical<'_, 'a>, text: &str, error: &RequirementError) {
        let byte = |chars: usize| text.char_indices().nth(chars).map_or(text.len(), |(at, _)| at);
        let (from, to) = (byte(error.start), byte(error.start.saturating_add(error.len)));
        let spot = line.spot(line.start() + from..line.start() + to, &self.file);
        self.problem(spot, error.message.clone(), PIN_IT);
    }

    /// The hashes of a requirement line, whose options begin at `from`.
    fn hashes(&mut self, line: &Logical<'_, 'a>, from: usize) -> Vec<Sha256> {
        let mut hashes = Vec::new();
        let mut words = words(line.text, from);
        while let Some((at, word)) = words.next() {
            let file = Arc::clone(&self.file);
            let spot = || line.spot(at..at + word.len(), &file);
            let (option, value) = word.split_once('=').unwrap_or((word, ""));
            if option != "--hash" {
                self.problem(spot(), format!("`{option}` is no option that a pin may have"), RELOCK);
                continue;
            }
            let value = if word.contains('=') { value } else { words.next().map_or("", |(_, word)| word) };
            match value.split_once(':') {
                Some(("sha256", digits)) => match digits.parse() {
                    Ok(hash) => hashes.push(hash),
                    Err(error) => self.problem(spot(), Sha256Error::to_string(&error), RELOCK),
                },
                // pip takes these too; what they alone vouch for is not installed.
                Some(("sha384" | "sha512", _)) => {}
                _ => self.problem(spot(), "a hash looks so: `--hash=sha256:…`", RELOCK),
            }
        }
        hashes
    }
}

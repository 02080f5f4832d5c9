//! The lines of a requirements file -> pins, and what keeps them from being installed.
//!
//! Lenient: it takes whatever pins it finds, since their versions are preferred when a project comes over from
//! pip-compile or uv, and collects problems beside them.

use std::sync::Arc;

use crate::problem::LockFileProblems;
use crate::{LockOption, Pin, Via, url_filename, via};
use pinfast_packaging::{
    LineEnds, LogicalLine, LogicalLines, Requirement, RequirementError, RequirementSource, ScannedLine,
    Sha256, Sha256Error, SourceSpan, Version,
};

const RELOCK: &str = "run `pinfast lock` to write it again";
const HASH_IT: &str = "`pinfast lock` writes the hashes; so do `pip-compile --generate-hashes` and \
                       `uv pip compile --generate-hashes`";
const PIN_IT: &str = "a lock holds exact pins, `name==version`: put the requirement into the input, and \
                      run `pinfast lock`";
const NO_CONTROL: &str = "remove the character: pip would end the line there";

/// How the conflict markers of git begin, which stand at the start of a line.
const CONFLICT_MARKERS: [&str; 4] = ["<<<<<<<", "|||||||", "=======", ">>>>>>>"];

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

/// The pins of `text`, which holds no comments and begins with line `first` of `file`, and their problems.
pub(super) fn read<'a>(
    text: &'a str,
    first: u32,
    file: &str,
) -> (Vec<(Pin, SourceSpan<'a>)>, LockFileProblems) {
    let mut reader = PinReader::new(file);
    let mut lines = LogicalLines::new(text, first, LineEnds::Newline);
    while let Some(line) = lines.next() {
        if let ScannedLine::Logical(line) = line {
            reader.logical(&line);
        }
    }
    let read = reader.finish();
    (read.pins, read.problems)
}

/// Collects pins from scanned lines.
pub(super) struct PinReader<'a> {
    file: Arc<str>,
    read: ReadPins<'a>,
    /// The pin read last: its comments may still follow.
    open: Option<OpenPin<'a>>,
    comments: CommentBlock,
}

/// What the lines held, in their order.
#[derive(Default)]
pub(super) struct ReadPins<'a> {
    pub(super) pins: Vec<(Pin, SourceSpan<'a>)>,
    pub(super) options: Vec<LockOption>,
    pub(super) problems: LockFileProblems,
}

/// A pin whose comments may still follow.
struct OpenPin<'a> {
    requirement: Requirement,
    version: Option<Version>,
    hashes: Vec<Sha256>,
    via: Vec<Via>,
    span: SourceSpan<'a>,
}

/// What an indented comment belongs to.
#[derive(Clone, Copy, PartialEq)]
enum CommentBlock {
    Nothing,
    Via,
}

impl<'a> PinReader<'a> {
    pub(super) fn new(file: &str) -> Self {
        Self { file: file.into(), read: ReadPins::default(), open: None, comments: CommentBlock::Nothing }
    }

    /// What was read, with the pin that is open.
    pub(super) fn finish(mut self) -> ReadPins<'a> {
        self.close();
        self.read
    }

    fn problem(&mut self, span: &SourceSpan<'_>, message: impl Into<String>, hint: &'static str) {
        self.read.problems.push(span, message, hint);
    }

    /// Reads a comment: the `via` and `version` lines below a pin; others are passed over.
    pub(super) fn comment(&mut self, comment: &str) {
        let Some(open) = &mut self.open else { return };
        if let Some(version) = comment.strip_prefix(" version ") {
            open.version = open.version.take().or_else(|| version.trim().parse().ok());
        } else if let Some(entries) = via::opened(comment) {
            open.via.extend(via::entries(entries));
            self.comments = CommentBlock::Via;
        } else if self.comments == CommentBlock::Via && comment.starts_with("  ") {
            open.via.extend(via::entry(comment));
        } else {
            self.comments = CommentBlock::Nothing;
        }
    }

    /// Ends the open pin, at the next logical line or the end of the text.
    fn close(&mut self) {
        self.comments = CommentBlock::Nothing;
        let Some(OpenPin { requirement, version, hashes, via, span }) = self.open.take() else { return };
        let Requirement { name, extras, source, marker } = requirement;
        let Some(version) = version else {
            return self.problem(&span, format!("the URL of `{name}` does not name a version"), RELOCK);
        };
        let url = match source {
            RequirementSource::Url(url) => Some(url),
            RequirementSource::Index(_) => None,
        };
        let at = Some(span.at.clone());
        let files = Vec::new();
        let pin = Pin { name, version, extras, marker, url, hashes, files, via, at };
        self.read.pins.push((pin, span));
    }

    /// Reads a requirement or an option.
    pub(super) fn logical(&mut self, line: &LogicalLine<'_, 'a>) {
        self.close();
        let start = line.start();
        if ends_early_for_pip(line.text) {
            self.problem(&line.whole(&self.file), "a control character or a foreign line end", NO_CONTROL);
        } else if CONFLICT_MARKERS.iter().any(|mark| line.text.starts_with(mark)) {
            self.problem(&line.whole(&self.file), "this is a conflict marker of an unfinished merge", RELOCK);
        } else if line.text[start..].starts_with('-') {
            self.option(line);
        } else {
            self.requirement(line);
        }
    }

    fn option(&mut self, line: &LogicalLine<'_, 'a>) {
        let span = line.whole(&self.file);
        let text = line.text.trim();
        let (name, value) = text.split_once(['=', ' ']).unwrap_or((text, ""));
        if let Some((_, name)) = OPTIONS.iter().find(|(names, _)| names.contains(&name)) {
            self.read.options.push(LockOption { name, value: value.trim().to_owned(), at: span.at });
            return;
        }
        match name {
            "-e" | "--editable" => self.problem(&span, "an editable requirement cannot be locked", PIN_IT),
            "-r" | "--requirement" | "-c" | "--constraint" => {
                self.problem(
                    &span,
                    format!("`{name}` names another file, but a lock holds all its pins"),
                    RELOCK,
                );
            }
            _ => self.problem(&span, format!("a lock cannot hold the option `{name}`"), RELOCK),
        }
    }

    fn requirement(&mut self, line: &LogicalLine<'_, 'a>) {
        let start = line.start();
        let end = start + options_start(&line.text[start..]);
        let text = line.text[start..end].trim_end();
        let requirement: Requirement = match text.parse() {
            Ok(requirement) => requirement,
            Err(error) => return self.unreadable(line, text, &error),
        };
        let span = line.span(start..start + text.len(), &self.file);
        let version = match &requirement.source {
            RequirementSource::Url(url) => {
                url_filename(&url.url, &requirement.name).map(|dist| dist.version().clone())
            }
            RequirementSource::Index(specifiers) => {
                if !specifiers.is_exact() {
                    self.problem(&span, format!("`{text}` is not an exact pin"), PIN_IT);
                }
                let Some(version) = specifiers.pinned() else { return };
                Some(version.clone())
            }
        };
        let known_problems = self.read.problems.len();
        let mut hashes = self.hashes(line, end);
        if let RequirementSource::Url(url) = &requirement.source {
            hashes.extend(url.sha256);
        }
        if hashes.is_empty() && self.read.problems.len() == known_problems {
            self.problem(&span, format!("`{}` has no SHA-256 hash", requirement.name), HASH_IT);
        }
        self.open = Some(OpenPin { requirement, version, hashes, via: Vec::new(), span });
        self.comment(line.comment.unwrap_or_default());
    }

    fn unreadable(&mut self, line: &LogicalLine<'_, 'a>, text: &str, error: &RequirementError) {
        let byte = |chars: usize| text.char_indices().nth(chars).map_or(text.len(), |(at, _)| at);
        let (from, to) = (byte(error.start), byte(error.start.saturating_add(error.len)));
        let span = line.span(line.start() + from..line.start() + to, &self.file);
        self.problem(&span, error.message.clone(), PIN_IT);
    }

    /// The hashes of a requirement line, whose options begin at `from`.
    fn hashes(&mut self, line: &LogicalLine<'_, 'a>, from: usize) -> Vec<Sha256> {
        let mut hashes = Vec::new();
        let mut words = words(line.text, from);
        while let Some((at, word)) = words.next() {
            let file = Arc::clone(&self.file);
            let span = || line.span(at..at + word.len(), &file);
            let (option, value) = word.split_once('=').unwrap_or((word, ""));
            if option != "--hash" {
                self.problem(&span(), format!("a pin cannot have the option `{option}`"), RELOCK);
                continue;
            }
            let value = if word.contains('=') { value } else { words.next().map_or("", |(_, word)| word) };
            match value.split_once(':') {
                Some(("sha256", digits)) => match digits.parse() {
                    Ok(hash) => hashes.push(hash),
                    Err(error) => self.problem(&span(), Sha256Error::to_string(&error), RELOCK),
                },
                // pip takes these too. pinfast checks SHA-256 alone, so a pin with only these counts as unhashed.
                Some(("sha384" | "sha512", _)) => {}
                _ => self.problem(&span(), "expected a hash such as `--hash=sha256:…`", RELOCK),
            }
        }
        hashes
    }
}

/// Whether pip sees the end of a line inside `text`.
fn ends_early_for_pip(text: &str) -> bool {
    let plain = |byte: u8| byte == b'\t' || matches!(byte, b' '..=b'~');
    // Nearly all text is plain. Without an early exit the compiler compares many bytes at once.
    !text.bytes().fold(true, |all, byte| all & plain(byte)) && text.contains(ends_a_line_for_pip)
}

/// Python's `splitlines`, hence pip, ends a line at these.
fn ends_a_line_for_pip(c: char) -> bool {
    (c.is_control() && c != '\t') || matches!(c, '\u{2028}' | '\u{2029}')
}

/// Where in a requirement line its options begin: at the first word with a dash in front that is not in
/// quotes. (The inputs split as pip does, without regard to quotes; a lock may hold such a marker.)
fn options_start(text: &str) -> usize {
    let mut quote = None;
    let mut before = ' ';
    for (at, c) in text.char_indices() {
        match quote {
            Some(open) if open == c => quote = None,
            Some(_) => {}
            None if c == '-' && before.is_whitespace() => return at,
            None if matches!(c, '\'' | '"') => quote = Some(c),
            None => {}
        }
        before = c;
    }
    text.len()
}

/// The words of `text` after `from`, each with its offset in `text`.
fn words(text: &str, from: usize) -> impl Iterator<Item = (usize, &str)> {
    let mut end = from;
    std::iter::from_fn(move || {
        let start = text.len() - text[end..].trim_start().len();
        end = start + word_length(&text[start..]);
        (start < end).then(|| (start, &text[start..end]))
    })
}

/// How many bytes of `text` stand before its first space.
fn word_length(text: &str) -> usize {
    // Most words are hashes, and bytes compare faster than characters.
    let graphic = text.bytes().position(|byte| !byte.is_ascii_graphic()).unwrap_or(text.len());
    graphic + text[graphic..].find(char::is_whitespace).unwrap_or(text.len() - graphic)
}

//! What is wrong with the inputs, up to ten problems in one error, each with its line and a caret.

use std::ops::Range;

use super::source::{InputText, SourceChar, span};
use pinfast_base::credentials;
use pinfast_base::error::Error;
use pinfast_base::excerpt::{excerpt, visible};

/// How many problems one error shows.
const MAX_SHOWN: usize = 10;

/// What is wrong in a piece of text, not yet placed in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Diagnostic {
    /// What is wrong, as a sentence without a full stop.
    pub(super) message: String,
    /// The first character, from 0.
    pub(super) start: usize,
    /// How many characters.
    pub(super) len: usize,
    /// What to do, each a sentence without a full stop.
    pub(super) hints: Vec<String>,
}

impl Diagnostic {
    pub(super) fn new(start: usize, len: usize, message: impl Into<String>) -> Self {
        Self { message: message.into(), start, len, hints: Vec::new() }
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// The same about the file that `chars`, in which it was found, come from.
    pub(super) fn in_file(self, chars: &[SourceChar]) -> FileDiagnostic {
        let span = span(chars, self.start, self.len);
        FileDiagnostic { span: Some(span), message: self.message, hints: self.hints }
    }
}

/// What is wrong in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FileDiagnostic {
    /// The bytes of the file; `None` where no line shows it.
    pub(super) span: Option<Range<usize>>,
    /// What is wrong, as a sentence without a full stop.
    pub(super) message: String,
    /// What to do, each a sentence without a full stop.
    pub(super) hints: Vec<String>,
}

/// The diagnostics of all files, each with its excerpt.
#[derive(Default)]
pub(super) struct Diagnostics {
    shown: Vec<ShownDiagnostic>,
    /// How many more there are than are shown.
    more: usize,
}

struct ShownDiagnostic {
    message: String,
    excerpt: Vec<String>,
    hints: Vec<String>,
}

impl Diagnostics {
    /// Adds what is wrong in `source`.
    pub(super) fn add(&mut self, source: &InputText, diagnostic: &FileDiagnostic) {
        let FileDiagnostic { span: Some(span), message, hints } = diagnostic else {
            return self.add_without_line(&diagnostic.message, &diagnostic.hints);
        };
        self.push(|| {
            let at = source.location(span.start);
            let line = source.line(source.line_at(span.start));
            let inside = span.start.saturating_sub(line.start)..span.end.saturating_sub(line.start);
            ShownDiagnostic {
                message: printable(&format!("{at}:{}: {message}", at.column)),
                excerpt: excerpt(at.line as usize, &source.text[line], inside).into(),
                hints: hints.iter().map(|hint| printable(hint)).collect(),
            }
        });
    }

    /// Adds what is wrong with no line to show.
    pub(super) fn add_without_line(&mut self, message: &str, hints: &[String]) {
        self.push(|| ShownDiagnostic {
            message: printable(message),
            excerpt: Vec::new(),
            hints: hints.iter().map(|hint| printable(hint)).collect(),
        });
    }

    /// Adds what `make` makes, unless enough are shown.
    fn push(&mut self, make: impl FnOnce() -> ShownDiagnostic) {
        if self.shown.len() == MAX_SHOWN {
            self.more += 1;
        } else {
            self.shown.push(make());
        }
    }

    /// One error with all of them, if there is any: the first is its message. Several have their hints below each.
    pub(super) fn into_error(self) -> Option<Error> {
        let alone = self.shown.len() == 1;
        let mut shown = self.shown.into_iter();
        let first = shown.next()?;
        let mut error = Error::usage(first.message);
        error.details = first.excerpt;
        if alone {
            error.hints = first.hints;
            return Some(error);
        }
        error.details.extend(first.hints.iter().map(|hint| hint_line(hint)));
        for diagnostic in shown {
            error.details.push(String::new());
            error.details.push(diagnostic.message);
            error.details.extend(diagnostic.excerpt);
            error.details.extend(diagnostic.hints.iter().map(|hint| hint_line(hint)));
        }
        if self.more > 0 {
            error.details.push(String::new());
            error.details.push(format!("and {} more", self.more));
        }
        Some(error)
    }
}

/// A hint below its excerpt.
fn hint_line(hint: &str) -> String {
    format!("  = {hint}")
}

/// `text` without credentials and control characters.
pub(super) fn printable(text: &str) -> String {
    credentials::mask(text).chars().map(visible).collect()
}

//! The text of one requirement -> a requirement, or what is wrong and what was meant.

use super::diagnostic::Diagnostic;
use super::mistakes;
use super::source::{SourceChar, text_of};
use super::unlockable;
use pinfast_base::credentials;
use pinfast_packaging::Requirement;

/// Whether a message may quote a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Quoting {
    /// The text is as the file has it.
    Allowed,
    /// Variables were filled in, which may be secrets.
    Forbidden,
}

/// Parses a requirement.
///
/// # Errors
/// What is wrong, in characters of `text`; it quotes no part of `text` unless `quoting` allows that.
pub(super) fn parse(text: &str, quoting: Quoting) -> Result<Requirement, Diagnostic> {
    if let Some((unlockable, start)) = unlockable::unlockable(text) {
        let len = text.chars().count() - start;
        let quoted = (quoting == Quoting::Allowed).then_some(text);
        return Err(unlockable.diagnostic(start, len, quoted));
    }
    if let Some(requirement) = without_last_comma(text) {
        return Ok(requirement);
    }
    text.parse::<Requirement>().map_err(|error| match quoting {
        Quoting::Forbidden => {
            Diagnostic::new(error.start, error.len, "with its variables filled in, this is no requirement")
        }
        Quoting::Allowed => mistakes::diagnose(text)
            .unwrap_or_else(|| Diagnostic::new(error.start, error.len, first_line(&error.message))),
    })
}

/// `name>=1,` and `name>=1, ; marker`: a comma with nothing behind it is passed over, as in PyPA's `packaging`.
fn without_last_comma(text: &str) -> Option<Requirement> {
    let (specifiers, marker) = text.split_once(';').unwrap_or((text, ""));
    let specifiers = specifiers.trim_end().strip_suffix(',')?;
    let marker = if marker.is_empty() { String::new() } else { format!(" ;{marker}") };
    format!("{specifiers}{marker}").parse().ok()
}

/// The text of a requirement as people may see it: on one line and without credentials.
pub(super) fn shown(chars: &[SourceChar]) -> String {
    credentials::mask(&text_of(chars)).replace(['\r', '\n'], " ")
}

/// The first line of a message of several.
pub(super) fn first_line(message: &str) -> &str {
    message.lines().next().unwrap_or_default()
}

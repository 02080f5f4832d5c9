//! One requirement's text: refused, read, or told what was meant.

use super::credentials;
use super::near;
use super::problem::Finding;
use super::refuse;
use super::source::{Placed, text_of};
use pinfast_packaging::Requirement;

/// Whether a text may be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Showing {
    /// It is as the file has it.
    Open,
    /// Variables were filled in.
    Secret,
}

/// Reads a requirement.
///
/// # Errors
/// What is wrong, in characters of `text`; no part of `text` is in it if that is secret.
pub(super) fn parse(text: &str, showing: Showing) -> Result<Requirement, Finding> {
    if let Some((refusal, start)) = refuse::refusal(text) {
        let len = text.chars().count() - start;
        let shown = (showing == Showing::Open).then_some(text);
        return Err(refusal.finding(start, len, shown));
    }
    if let Some(requirement) = without_last_comma(text) {
        return Ok(requirement);
    }
    text.parse::<Requirement>().map_err(|error| match showing {
        Showing::Secret => {
            Finding::new(error.start, error.len, "with its variables filled in, this is no requirement")
        }
        Showing::Open => near::miss(text)
            .unwrap_or_else(|| Finding::new(error.start, error.len, first_line(&error.message))),
    })
}

/// `name>=1,` and `name>=1, ; marker`: a comma with nothing behind it is read over, as
/// PyPA `packaging` does.
fn without_last_comma(text: &str) -> Option<Requirement> {
    let (specifiers, marker) = text.split_once(';').unwrap_or((text, ""));
    let specifiers = specifiers.trim_end().strip_suffix(',')?;
    let marker = if marker.is_empty() { String::new() } else { format!(" ;{marker}") };
    format!("{specifiers}{marker}").parse().ok()
}

/// The text of a requirement as it may be shown: on one line and without credentials.
pub(super) fn shown(chars: &[Placed]) -> String {
    credentials::masked(&text_of(chars)).replace(['\r', '\n'], " ")
}

/// The first line of a message of several.
pub(super) fn first_line(message: &str) -> &str {
    message.lines().next().unwrap_or_default()
}

//! The text of an input -> the same text with one requirement replaced or removed, byte for byte otherwise.

use std::fmt;
use std::ops::Range;

use toml_edit::{Item, TableLike, Value};

use super::logical_lines::logical_lines;
use super::options;
use super::requirement::shown;
use super::source::{InputText, SourceChar, trimmed};
use super::{paths, toml_text};
use pinfast_packaging::Location;

/// Why a requirement was not edited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EditError {
    /// No requirement is at this place: the file has changed since it was read.
    NotThere(Location),
    /// Another requirement is at this place.
    Differs {
        /// The place.
        at: Location,
        /// The requirement there.
        found: String,
    },
    /// The new text holds a line end or another control character.
    BadText,
}

/// `text` with the requirement `old_text` at `at` replaced by `new_text`. Comments, hashes, order, line
/// ends, the byte order mark and TOML quoting stay as they are, byte for byte.
///
/// `old_text` is [`InputLine::text`](super::InputLine::text).
///
/// # Errors
/// When another text is at the place, or `new_text` is not one line.
pub fn replace_requirement(
    text: &str,
    at: &Location,
    old_text: &str,
    new_text: &str,
) -> Result<String, EditError> {
    if new_text.chars().any(char::is_control) {
        return Err(EditError::BadText);
    }
    let found = locate(text, at, old_text)?;
    let new = match &found.literal {
        None => new_text.to_owned(),
        Some(literal) => return Ok(with_literal(text, &found, literal.clone(), new_text)),
    };
    Ok(spliced(text, found.requirement, &new))
}

/// `text` without the requirement `old_text` at `at`: without its lines, or its entry of a TOML list.
///
/// # Errors
/// When another text is at the place.
pub fn remove_requirement(text: &str, at: &Location, old_text: &str) -> Result<String, EditError> {
    let found = locate(text, at, old_text)?;
    let gone = match found.literal {
        None => found.lines,
        Some(literal) => entry(text, literal),
    };
    Ok(spliced(text, gone, ""))
}

/// A requirement in a text, in bytes.
struct LocatedRequirement {
    /// The requirement itself.
    requirement: Range<usize>,
    /// The lines on which it stands, whole.
    lines: Range<usize>,
    /// Its TOML literal, quotes and all.
    literal: Option<Range<usize>>,
}

fn locate(text: &str, at: &Location, old_text: &str) -> Result<LocatedRequirement, EditError> {
    let source = InputText::new(std::sync::Arc::clone(&at.file), text.to_owned());
    let start = source.offset(at).ok_or_else(|| EditError::NotThere(at.clone()))?;
    let toml = paths::file_name(&at.file) == "pyproject.toml";
    let found = if toml { in_toml(&source, start) } else { in_lines(&source, start) };
    let (chars, located) = found.ok_or_else(|| EditError::NotThere(at.clone()))?;
    let found = shown(&chars);
    if found == old_text { Ok(located) } else { Err(EditError::Differs { at: at.clone(), found }) }
}

fn in_lines(source: &InputText, start: usize) -> Option<(Vec<SourceChar>, LocatedRequirement)> {
    let line =
        logical_lines(source).find(|line| line.chars.first().is_some_and(|first| first.start == start))?;
    let part = trimmed(&line.chars[..options::start(&line.chars)]);
    let requirement = part.first()?.start..part.last()?.end;
    let first = source.line_with_end(line.lines.start).start;
    let last = source.line_with_end(line.lines.end - 1).end;
    Some((part.to_vec(), LocatedRequirement { requirement, lines: first..last, literal: None }))
}

fn in_toml(source: &InputText, start: usize) -> Option<(Vec<SourceChar>, LocatedRequirement)> {
    let parsed = toml_text::parse(source).ok()?;
    let base = source.body().1;
    let mut literals = Vec::new();
    lists(parsed.as_table(), &mut |value| {
        if let (Some(text), Some(span)) = (value.as_str(), value.span()) {
            literals.push((text.to_owned(), base + span.start..base + span.end));
        }
    });
    let (text, literal) = literals.into_iter().find(|(_, literal)| literal.contains(&start))?;
    let chars = toml_text::string_chars(source, literal.clone(), &text);
    let part = trimmed(&chars);
    let requirement = part.first()?.start..part.last()?.end;
    let located = LocatedRequirement { requirement, lines: 0..0, literal: Some(literal) };
    (part[0].start == start).then(|| (part.to_vec(), located))
}

/// Calls `each` with the entries of the lists that hold requirements.
fn lists(root: &dyn TableLike, each: &mut dyn FnMut(&Value)) {
    let of = |item: &Item, each: &mut dyn FnMut(&Value)| item.as_array().into_iter().flatten().for_each(each);
    if let Some(item) = toml_text::find(root, &["project", "dependencies"]) {
        of(item, each);
    }
    for path in [&["project", "optional-dependencies"][..], &["dependency-groups"]] {
        let table = toml_text::find(root, path).and_then(Item::as_table_like);
        for (_, item) in table.into_iter().flat_map(|table| table.iter()) {
            of(item, each);
        }
    }
}

/// With a new requirement inside a TOML literal; a literal that cannot hold it becomes a basic string.
fn with_literal(text: &str, found: &LocatedRequirement, literal: Range<usize>, new_text: &str) -> String {
    let source = InputText::new("", text.to_owned());
    let chars: Vec<_> = source.chars(literal.clone()).collect();
    let escaped = new_text.replace('\\', "\\\\").replace('"', "\\\"");
    match toml_text::quoting(&chars) {
        ('\'', 1) if new_text.contains('\'') => spliced(text, literal, &format!("\"{escaped}\"")),
        ('\'', _) if new_text.contains("'''") || new_text.ends_with('\'') => {
            spliced(text, literal, &format!("\"{escaped}\""))
        }
        ('\'', _) => spliced(text, found.requirement.clone(), new_text),
        _ => spliced(text, found.requirement.clone(), &escaped),
    }
}

/// The bytes to take out so that the list loses the entry at `literal`: its whole line where it is alone
/// on one; else the entry and one comma.
fn entry(text: &str, literal: Range<usize>) -> Range<usize> {
    let blank = |c: char| c == ' ' || c == '\t';
    let before = text[..literal.start].trim_end_matches(blank).len();
    let comma = behind_comma(text, literal.end);
    let end = comma.unwrap_or(literal.end);
    let rest = text[end..].trim_start_matches(blank);
    let line_end = rest.find('\n').map_or(text.len(), |at| text.len() - rest.len() + at + 1);
    let alone = text[..before].ends_with('\n') && (rest.starts_with(['\r', '\n', '#']) || rest.is_empty());
    if alone {
        return before..line_end;
    }
    match comma {
        Some(end) => literal.start..text.len() - text[end..].trim_start_matches(blank).len(),
        None => text[..before].strip_suffix(',').map_or(literal.start, str::len)..literal.end,
    }
}

/// Where the comma behind an entry ends, if there is one.
fn behind_comma(text: &str, end: usize) -> Option<usize> {
    let mut rest = text[end..].trim_start();
    while let Some(comment) = rest.strip_prefix('#') {
        rest = comment.split_once('\n').map_or("", |(_, below)| below).trim_start();
    }
    rest.starts_with(',').then(|| text.len() - rest.len() + 1)
}

fn spliced(text: &str, gone: Range<usize>, new: &str) -> String {
    format!("{}{new}{}", &text[..gone.start], &text[gone.end..])
}

impl fmt::Display for EditError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotThere(at) => write!(f, "{at}: there is no requirement any more"),
            Self::Differs { at, found } => write!(f, "{at}: `{found}` stands there now"),
            Self::BadText => f.write_str("the new requirement is not one line"),
        }
    }
}

impl std::error::Error for EditError {}

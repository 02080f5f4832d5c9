//! A table of a TOML file whose values know their place, so that every complaint shows its line.
//!
//! Each accessor notes the key that it was asked for; [`Section::finish`] calls every other key
//! unknown. So the list of keys stands nowhere but in the code that reads them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::Range;
use std::str::FromStr;
use std::sync::Arc;

use toml::de::{DeTable, DeValue};

use pinfast_base::error::{Error, Result};
use pinfast_base::suggest::closest;
use pinfast_packaging::Location;

/// A file's name, as people see it, and its text.
#[derive(Debug, PartialEq, Eq)]
struct Source {
    file: Arc<str>,
    text: String,
}

/// A stretch of a file.
#[derive(Clone, PartialEq, Eq)]
pub struct Place {
    source: Arc<Source>,
    span: Range<usize>,
}

/// A value and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub place: Place,
}

/// A table whose keys are read one by one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    place: Place,
    entries: BTreeMap<String, Entry>,
    asked: BTreeSet<&'static str>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    key: Place,
    value: Placed<Value>,
}

/// A value of any type.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Value {
    Text(String),
    Flag(bool),
    /// A number as written, without underscores.
    Number(String),
    List(Vec<Placed<Value>>),
    Table(Section),
    Other,
}

impl Place {
    /// The file, the line and the column.
    #[must_use]
    pub fn location(&self) -> Location {
        let before = &self.source.text[..self.span.start];
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        let column = before[start..].chars().count() + 1;
        let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Location::new(Arc::clone(&self.source.file), number(line), number(column))
    }

    /// A usage error about this place, with its line and a caret under it. Credentials in a URL of
    /// that line are starred out.
    #[must_use]
    pub fn error(&self, message: impl fmt::Display) -> Error {
        let at = self.location();
        let line = self.source.text.lines().nth(at.line as usize - 1).unwrap_or_default();
        let indent: String = line
            .chars()
            .take(at.column as usize - 1)
            .map(|char| if char == '\t' { '\t' } else { ' ' })
            .collect();
        let rest = line.chars().count().saturating_sub(indent.chars().count());
        let width = self.source.text.get(self.span.clone()).map_or(1, |text| text.chars().count());
        let carets = "^".repeat(width.min(rest).max(1));
        Error::usage(format!("{at}:{}: {message}", at.column))
            .detail(starred(line))
            .detail(format!("{indent}{carets}"))
    }

    fn part(&self, span: Range<usize>) -> Self {
        // A span that does not fit its text would be the parser's fault; it must not become a panic.
        let fits = self.source.text.get(span.clone()).is_some();
        Self { source: Arc::clone(&self.source), span: if fits { span } else { 0..0 } }
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = self.location();
        write!(f, "{at}:{}", at.column)
    }
}

impl<T> Placed<T> {
    /// The same place with another value.
    pub(super) fn with<U>(self, value: U) -> Placed<U> {
        Placed { value, place: self.place }
    }
}

impl Placed<String> {
    /// The value that the text spells.
    ///
    /// # Errors
    /// Usage, at this place.
    pub fn parse<T: FromStr<Err: fmt::Display>>(&self) -> Result<Placed<T>> {
        let value = self.value.parse().map_err(|error: T::Err| self.place.error(error))?;
        Ok(Placed { value, place: self.place.clone() })
    }
}

impl Section {
    /// Reads a whole document; `file` is its name as people see it.
    ///
    /// # Errors
    /// Usage: it is not TOML.
    pub fn read(file: &str, text: String) -> Result<Self> {
        let place = Place { source: Arc::new(Source { file: file.into(), text }), span: 0..0 };
        let source = Arc::clone(&place.source);
        match DeTable::parse(&source.text) {
            Ok(table) => Ok(Self::of(table.get_ref(), &place)),
            Err(error) => Err(place.part(error.span().unwrap_or(0..0)).error(error.message())),
        }
    }

    fn of(table: &DeTable<'_>, place: &Place) -> Self {
        let entries = table
            .iter()
            .map(|(key, value)| {
                let value = Placed {
                    value: Value::of(value.get_ref(), &place.part(value.span())),
                    place: place.part(value.span()),
                };
                (key.get_ref().to_string(), Entry { key: place.part(key.span()), value })
            })
            .collect();
        Self { place: place.clone(), entries, asked: BTreeSet::new() }
    }

    /// Where the table stands.
    #[must_use]
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// The keys, sorted, each with its place: for a table whose keys are data.
    pub fn keys(&self) -> impl Iterator<Item = (&str, &Place)> {
        self.entries.iter().map(|(key, entry)| (key.as_str(), &entry.key))
    }

    fn take(&mut self, key: &'static str) -> Option<Placed<Value>> {
        self.asked.insert(key);
        self.entries.get(key).map(|entry| entry.value.clone())
    }

    /// A string.
    ///
    /// # Errors
    /// Usage: something else.
    pub fn text(&mut self, key: &'static str) -> Result<Option<Placed<String>>> {
        self.take(key).map(|value| value.text(key)).transpose()
    }

    /// A list of strings; a single string is a list of one.
    ///
    /// # Errors
    /// Usage: something else.
    pub fn texts(&mut self, key: &'static str) -> Result<Vec<Placed<String>>> {
        self.list(key)?.into_iter().map(|item| item.text(key)).collect()
    }

    /// `true` or `false`.
    ///
    /// # Errors
    /// Usage: something else.
    pub fn flag(&mut self, key: &'static str) -> Result<Option<Placed<bool>>> {
        let Some(value) = self.take(key) else {
            return Ok(None);
        };
        match value.value {
            Value::Flag(flag) => Ok(Some(value.with(flag))),
            _ => Err(value.wrong(key, "`true` or `false`")),
        }
    }

    /// A number that is not negative.
    ///
    /// # Errors
    /// Usage: something else.
    pub fn number(&mut self, key: &'static str) -> Result<Option<Placed<u64>>> {
        let Some(value) = self.take(key) else {
            return Ok(None);
        };
        let number = if let Value::Number(text) = &value.value { text.parse().ok() } else { None };
        match number {
            Some(number) => Ok(Some(value.with(number))),
            None => Err(value.wrong(key, "a whole number that is not negative")),
        }
    }

    /// A table.
    ///
    /// # Errors
    /// Usage: something else.
    pub fn table(&mut self, key: &'static str) -> Result<Option<Self>> {
        match self.take(key) {
            None => Ok(None),
            Some(Placed { value: Value::Table(table), .. }) => Ok(Some(table)),
            Some(value) => Err(value.wrong(key, "a table")),
        }
    }

    /// A table of strings, under keys that are data.
    ///
    /// # Errors
    /// Usage: something else.
    pub fn text_table(&mut self, key: &'static str) -> Result<BTreeMap<String, (Place, Placed<String>)>> {
        let Some(table) = self.table(key)? else {
            return Ok(BTreeMap::new());
        };
        let texts = table.entries.into_iter().map(|(name, entry)| {
            let text = entry.value.text(&format!("{key}.{name}"))?;
            Ok((name, (entry.key, text)))
        });
        texts.collect()
    }

    /// A string, or a table of strings under keys that are data.
    ///
    /// # Errors
    /// Usage: something else.
    pub(super) fn text_or_table(&mut self, key: &'static str) -> Result<TextOrTable> {
        match self.take(key) {
            None => Ok((None, BTreeMap::new())),
            Some(Placed { value: Value::Table(_), .. }) => Ok((None, self.text_table(key)?)),
            Some(value) => Ok((Some(value.text(key)?), BTreeMap::new())),
        }
    }

    /// A string, or a table whose keys are to be read.
    ///
    /// # Errors
    /// Usage: something else.
    pub(super) fn text_or_section(
        &mut self,
        key: &'static str,
    ) -> Result<(Option<Placed<String>>, Option<Self>)> {
        match self.take(key) {
            None => Ok((None, None)),
            Some(Placed { value: Value::Table(table), .. }) => Ok((None, Some(table))),
            Some(value) => Ok((Some(value.text(key)?), None)),
        }
    }

    /// A list of strings or tables, as they are.
    ///
    /// # Errors
    /// Usage: something else.
    pub(super) fn items(&mut self, key: &'static str) -> Result<Vec<Item>> {
        let item = |item: Placed<Value>| match item.value {
            Value::Table(table) => Ok(Item::Table(table)),
            _ => item.text(key).map(Item::Text),
        };
        self.list(key)?.into_iter().map(item).collect()
    }

    fn list(&mut self, key: &'static str) -> Result<Vec<Placed<Value>>> {
        match self.take(key) {
            None => Ok(Vec::new()),
            Some(Placed { value: Value::List(items), .. }) => Ok(items),
            Some(text @ Placed { value: Value::Text(_), .. }) => Ok(vec![text]),
            Some(value) => Err(value.wrong(key, "a string or a list of strings")),
        }
    }

    /// Ends the reading: what was not asked for is not known.
    ///
    /// # Errors
    /// Usage: an unknown key, with the nearest known one.
    pub fn finish(self) -> Result<()> {
        let unknown = self.entries.iter().find(|(key, _)| !self.asked.contains(key.as_str()));
        let Some((key, entry)) = unknown else {
            return Ok(());
        };
        let error = entry.key.error(format_args!("unknown key `{key}`"));
        Err(match closest(key, self.asked.iter().copied()) {
            Some(known) => error.hint(format!("did you mean `{known}`?")),
            None => {
                let known: Vec<_> = self.asked.iter().copied().collect();
                error.hint(format!("the keys are {}", known.join(", ")))
            }
        })
    }
}

/// A string, or a table of strings with the places of their keys.
pub(super) type TextOrTable = (Option<Placed<String>>, BTreeMap<String, (Place, Placed<String>)>);

/// An item of a list.
pub(super) enum Item {
    Text(Placed<String>),
    Table(Section),
}

impl Value {
    fn of(value: &DeValue<'_>, place: &Place) -> Self {
        match value {
            DeValue::String(text) => Self::Text(text.to_string()),
            DeValue::Boolean(flag) => Self::Flag(*flag),
            DeValue::Integer(number) if number.radix() == 10 => Self::Number(number.as_str().to_owned()),
            DeValue::Array(items) => Self::List(
                items
                    .iter()
                    .map(|item| {
                        let place = place.part(item.span());
                        Placed { value: Self::of(item.get_ref(), &place), place }
                    })
                    .collect(),
            ),
            DeValue::Table(table) => Self::Table(Section::of(table, place)),
            _ => Self::Other,
        }
    }
}

impl Placed<Value> {
    fn text(self, key: &str) -> Result<Placed<String>> {
        match self.value {
            Value::Text(text) => Ok(Placed { value: text, place: self.place }),
            _ => Err(self.wrong(key, "a string")),
        }
    }

    fn wrong(&self, key: &str, expected: &str) -> Error {
        self.place.error(format_args!("`{key}` must be {expected}"))
    }
}

/// The line with a star for each character between a `://` and the `@` behind it.
fn starred(line: &str) -> String {
    let mut shown = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        shown.push_str(before);
        let end = after.find(['/', ' ', '"', '\'']).unwrap_or(after.len());
        let secret = after[..end].rfind('@').unwrap_or(0);
        shown.extend(after[..secret].chars().map(|_| '*'));
        rest = &after[secret..];
    }
    shown + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section(text: &str) -> Section {
        Section::read("pinfast.toml", text.to_owned()).unwrap()
    }

    fn shown(error: &Error) -> Vec<&str> {
        let all = [&error.message].into_iter().chain(&error.details).chain(&error.hints);
        all.map(String::as_str).collect()
    }

    #[test]
    fn a_complaint_shows_its_line() {
        let mut wrong = section("\n\tresolution =  [\"ä\", 3]\n");
        let error = wrong.texts("resolution").unwrap_err();
        assert_eq!(
            shown(&error),
            [
                "pinfast.toml:2:22: `resolution` must be a string",
                "\tresolution =  [\"ä\", 3]",
                "\t                    ^"
            ]
        );
        let error = Section::read("a.toml", "x = [1\ny = 2".to_owned()).unwrap_err();
        assert!(error.message.starts_with("a.toml:"), "{}", error.message);
        assert_eq!(error.kind, pinfast_base::error::ErrorKind::Usage);
    }

    #[test]
    fn what_nobody_asked_for_is_unknown() {
        for (text, hints) in [
            ("index_url = 'x'", "did you mean `index-url`?"),
            ("indx-url = 'x'", "did you mean `index-url`?"),
            ("color = 'x'", "the keys are index-url, no-index"),
        ] {
            let mut section = section(text);
            section.text("index-url").unwrap();
            section.flag("no-index").unwrap();
            let error = section.finish().unwrap_err();
            assert!(error.message.starts_with("pinfast.toml:1:1: unknown key"), "{}", error.message);
            assert_eq!(error.hints, [hints]);
        }
    }

    #[test]
    fn each_type_is_checked() {
        let mut all = section("t = 'a'\nl = ['a', 'b']\nf = true\nn = 1_000\nm = -1\n[s]\nx = 'y'\n");
        assert_eq!(all.text("t").unwrap().unwrap().value, "a");
        assert_eq!(all.texts("t").unwrap().len(), 1);
        assert_eq!(all.texts("l").unwrap()[1].value, "b");
        assert!(all.flag("f").unwrap().unwrap().value);
        assert_eq!(all.number("n").unwrap().unwrap().value, 1000);
        assert_eq!(all.text_table("s").unwrap()["x"].1.value, "y");
        assert_eq!(all.text("none").unwrap(), None);
        for key in ["f", "n", "m", "l", "s"] {
            assert!(all.text(key).is_err(), "{key}");
        }
        assert!(all.number("m").is_err() && all.flag("t").is_err() && all.table("t").is_err());
        all.finish().unwrap();
    }

    #[test]
    fn a_complaint_shows_no_credentials() {
        let line = "urls = [3, 'https://me:s3cr@t@index.example/x@y', 'http://a.example']";
        let error = section(line).texts("urls").unwrap_err();
        let starred = "urls = [3, 'https://*********@index.example/x@y', 'http://a.example']";
        assert_eq!(error.details, [starred, "        ^"]);
    }
}

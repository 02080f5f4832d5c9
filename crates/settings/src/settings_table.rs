//! A TOML table whose values know their place, so that an error can show the line.
//!
//! Each accessor records its key; [`SettingsTable::finish`] rejects every other key as unknown. So no list of
//! keys exists besides the code that reads them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::Range;
use std::str::FromStr;
use std::sync::Arc;

use toml::de::{DeTable, DeValue};

use super::origin::{Origin, Sourced};
use pinfast_base::error::{Error, Result};
use pinfast_base::excerpt::excerpt;
use pinfast_base::suggest::closest;
use pinfast_packaging::Location;

/// A file's text, and its name for messages.
#[derive(Debug, PartialEq, Eq)]
struct SettingsText {
    file: Arc<str>,
    text: String,
}

/// A range of a settings file's text.
#[derive(Clone, PartialEq, Eq)]
pub struct TomlSpan {
    source: Arc<SettingsText>,
    span: Range<usize>,
}

/// A value and its place in the settings file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting<T> {
    /// The value.
    pub value: T,
    /// The place.
    pub place: TomlSpan,
}

/// A table whose keys are read one by one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingsTable {
    place: TomlSpan,
    entries: BTreeMap<String, TableEntry>,
    read_keys: BTreeSet<&'static str>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct TableEntry {
    key: TomlSpan,
    value: Setting<TomlValue>,
}

/// A TOML value of any type.
#[derive(Clone, Debug, PartialEq, Eq)]
enum TomlValue {
    Text(String),
    Flag(bool),
    /// A number as written, without underscores.
    Number(String),
    List(Vec<Setting<TomlValue>>),
    Table(SettingsTable),
    Other,
}

impl TomlSpan {
    /// The file, the line and the column.
    #[must_use]
    pub fn location(&self) -> Location {
        let before = &self.source.text[..self.span.start];
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        let column = before[self.line_start()..].chars().count() + 1;
        let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Location::new(Arc::clone(&self.source.file), number(line), number(column))
    }

    /// A usage error that shows the line with carets under this place. Credentials in its URLs are masked.
    #[must_use]
    pub fn error(&self, message: impl fmt::Display) -> Error {
        let at = self.location();
        let start = self.line_start();
        let line = self.source.text[start..].lines().next().unwrap_or_default();
        let [source, carets] =
            excerpt(at.line as usize, line, self.span.start - start..self.span.end - start);
        Error::usage(format!("{at}:{}: {message}", at.column)).detail(source).detail(carets)
    }

    /// The byte at which the line begins.
    fn line_start(&self) -> usize {
        self.source.text[..self.span.start].rfind('\n').map_or(0, |newline| newline + 1)
    }

    fn part(&self, span: Range<usize>) -> Self {
        // A wrong span would be a bug of the TOML parser; an error without a place is better than a panic.
        let fits = self.source.text.get(span.clone()).is_some();
        Self { source: Arc::clone(&self.source), span: if fits { span } else { 0..0 } }
    }
}

impl fmt::Debug for TomlSpan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = self.location();
        write!(f, "{at}:{}", at.column)
    }
}

impl<T> Setting<T> {
    /// The setting's line, as the source of its value.
    #[must_use]
    pub fn origin(&self) -> Origin {
        Origin::SettingsFile(self.place.location())
    }

    /// The value with its line as its source.
    #[must_use]
    pub fn sourced(self) -> Sourced<T> {
        let origin = self.origin();
        Sourced::new(self.value, origin)
    }

    /// Replaces the value and keeps the place.
    pub(super) fn with<U>(self, value: U) -> Setting<U> {
        Setting { value, place: self.place }
    }
}

impl Setting<String> {
    /// Parses the text.
    ///
    /// # Errors
    /// `Usage` at this place, with the parser's message.
    pub fn parse<T: FromStr<Err: fmt::Display>>(&self) -> Result<Setting<T>> {
        let value = self.value.parse().map_err(|error: T::Err| self.place.error(error))?;
        Ok(Setting { value, place: self.place.clone() })
    }
}

impl SettingsTable {
    /// Parses a whole document; messages call it `file`.
    ///
    /// # Errors
    /// `Usage` if it is not TOML.
    pub fn read(file: &str, text: String) -> Result<Self> {
        let place = TomlSpan { source: Arc::new(SettingsText { file: file.into(), text }), span: 0..0 };
        let source = Arc::clone(&place.source);
        match DeTable::parse(&source.text) {
            Ok(table) => Ok(Self::of(table.get_ref(), &place)),
            Err(error) => Err(place.part(error.span().unwrap_or(0..0)).error(error.message())),
        }
    }

    fn of(table: &DeTable<'_>, place: &TomlSpan) -> Self {
        let entries = table
            .iter()
            .map(|(key, value)| {
                let value = Setting {
                    value: TomlValue::of(value.get_ref(), &place.part(value.span())),
                    place: place.part(value.span()),
                };
                (key.get_ref().to_string(), TableEntry { key: place.part(key.span()), value })
            })
            .collect();
        Self { place: place.clone(), entries, read_keys: BTreeSet::new() }
    }

    /// The table's own place.
    #[must_use]
    pub fn place(&self) -> &TomlSpan {
        &self.place
    }

    /// The keys, sorted, each with its place. For tables whose keys are data, such as package names.
    pub fn keys(&self) -> impl Iterator<Item = (&str, &TomlSpan)> {
        self.entries.iter().map(|(key, entry)| (key.as_str(), &entry.key))
    }

    fn take(&mut self, key: &'static str) -> Option<Setting<TomlValue>> {
        self.read_keys.insert(key);
        self.entries.get(key).map(|entry| entry.value.clone())
    }

    /// Reads a string.
    ///
    /// # Errors
    /// `Usage` if the value has another type.
    pub fn text(&mut self, key: &'static str) -> Result<Option<Setting<String>>> {
        self.take(key).map(|value| value.text(key)).transpose()
    }

    /// Reads a list of strings; a single string is a list of one.
    ///
    /// # Errors
    /// `Usage` if the value has another type.
    pub fn texts(&mut self, key: &'static str) -> Result<Vec<Setting<String>>> {
        self.list(key)?.into_iter().map(|item| item.text(key)).collect()
    }

    /// Reads a boolean.
    ///
    /// # Errors
    /// `Usage` if the value has another type.
    pub fn flag(&mut self, key: &'static str) -> Result<Option<Setting<bool>>> {
        let Some(value) = self.take(key) else {
            return Ok(None);
        };
        match value.value {
            TomlValue::Flag(flag) => Ok(Some(value.with(flag))),
            _ => Err(value.wrong(key, "`true` or `false`")),
        }
    }

    /// Reads a number that is not negative.
    ///
    /// # Errors
    /// `Usage` if the value has another type.
    pub fn number(&mut self, key: &'static str) -> Result<Option<Setting<u64>>> {
        let Some(value) = self.take(key) else {
            return Ok(None);
        };
        let number = if let TomlValue::Number(text) = &value.value { text.parse().ok() } else { None };
        match number {
            Some(number) => Ok(Some(value.with(number))),
            None => Err(value.wrong(key, "a whole number that is not negative")),
        }
    }

    /// Reads a table.
    ///
    /// # Errors
    /// `Usage` if the value has another type.
    pub fn table(&mut self, key: &'static str) -> Result<Option<Self>> {
        match self.take(key) {
            None => Ok(None),
            Some(Setting { value: TomlValue::Table(table), .. }) => Ok(Some(table)),
            Some(value) => Err(value.wrong(key, "a table")),
        }
    }

    /// Reads a table of strings whose keys are data.
    ///
    /// # Errors
    /// `Usage` if the value has another type.
    pub fn text_table(&mut self, key: &'static str) -> Result<BTreeMap<String, (TomlSpan, Setting<String>)>> {
        let Some(table) = self.table(key)? else {
            return Ok(BTreeMap::new());
        };
        let texts = table.entries.into_iter().map(|(name, entry)| {
            let text = entry.value.text(&format!("{key}.{name}"))?;
            Ok((name, (entry.key, text)))
        });
        texts.collect()
    }

    /// Reads a string, or a table of strings whose keys are data.
    ///
    /// # Errors
    /// `Usage` if the value has another type.
    pub(super) fn text_or_table(&mut self, key: &'static str) -> Result<TextOrTable> {
        match self.take(key) {
            None => Ok((None, BTreeMap::new())),
            Some(Setting { value: TomlValue::Table(_), .. }) => Ok((None, self.text_table(key)?)),
            Some(value) => Ok((Some(value.text(key)?), BTreeMap::new())),
        }
    }

    /// Reads a string, or a table for further reading.
    ///
    /// # Errors
    /// `Usage` if the value has another type.
    pub(super) fn text_or_section(
        &mut self,
        key: &'static str,
    ) -> Result<(Option<Setting<String>>, Option<Self>)> {
        match self.take(key) {
            None => Ok((None, None)),
            Some(Setting { value: TomlValue::Table(table), .. }) => Ok((None, Some(table))),
            Some(value) => Ok((Some(value.text(key)?), None)),
        }
    }

    /// Reads a list of strings or tables.
    ///
    /// # Errors
    /// `Usage` if the value has another type.
    pub(super) fn items(&mut self, key: &'static str) -> Result<Vec<ListItem>> {
        let item = |item: Setting<TomlValue>| match item.value {
            TomlValue::Table(table) => Ok(ListItem::Table(table)),
            _ => item.text(key).map(ListItem::Text),
        };
        self.list(key)?.into_iter().map(item).collect()
    }

    fn list(&mut self, key: &'static str) -> Result<Vec<Setting<TomlValue>>> {
        match self.take(key) {
            None => Ok(Vec::new()),
            Some(Setting { value: TomlValue::List(items), .. }) => Ok(items),
            Some(text @ Setting { value: TomlValue::Text(_), .. }) => Ok(vec![text]),
            Some(value) => Err(value.wrong(key, "a string or a list of strings")),
        }
    }

    /// Ends the reading and rejects the keys that no accessor read.
    ///
    /// # Errors
    /// `Usage` for an unknown key; the hint is the nearest known one.
    pub fn finish(self) -> Result<()> {
        let unknown = self.entries.iter().find(|(key, _)| !self.read_keys.contains(key.as_str()));
        let Some((key, entry)) = unknown else {
            return Ok(());
        };
        let error = entry.key.error(format_args!("unknown key `{key}`"));
        Err(match closest(key, self.read_keys.iter().copied()) {
            Some(known) => error.hint(format!("did you mean `{known}`?")),
            None => {
                let known: Vec<_> = self.read_keys.iter().copied().collect();
                error.hint(format!("the keys are {}", known.join(", ")))
            }
        })
    }
}

/// A string, or a table of strings whose keys know their places.
pub(super) type TextOrTable = (Option<Setting<String>>, BTreeMap<String, (TomlSpan, Setting<String>)>);

/// An item of a list.
pub(super) enum ListItem {
    Text(Setting<String>),
    Table(SettingsTable),
}

impl TomlValue {
    fn of(value: &DeValue<'_>, place: &TomlSpan) -> Self {
        match value {
            DeValue::String(text) => Self::Text(text.to_string()),
            DeValue::Boolean(flag) => Self::Flag(*flag),
            DeValue::Integer(number) if number.radix() == 10 => Self::Number(number.as_str().to_owned()),
            DeValue::Array(items) => Self::List(
                items
                    .iter()
                    .map(|item| {
                        let place = place.part(item.span());
                        Setting { value: Self::of(item.get_ref(), &place), place }
                    })
                    .collect(),
            ),
            DeValue::Table(table) => Self::Table(SettingsTable::of(table, place)),
            _ => Self::Other,
        }
    }
}

impl Setting<TomlValue> {
    fn text(self, key: &str) -> Result<Setting<String>> {
        match self.value {
            TomlValue::Text(text) => Ok(Setting { value: text, place: self.place }),
            _ => Err(self.wrong(key, "a string")),
        }
    }

    fn wrong(&self, key: &str, expected: &str) -> Error {
        self.place.error(format_args!("`{key}` must be {expected}"))
    }
}

#[cfg(test)]
mod tests;

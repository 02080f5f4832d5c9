//! What the JSON API and the Simple API's JSON share.

use std::fmt;

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::page::{RawFile, announced_metadata};
use crate::text::{BorrowedText, quoted};
use pinfast_packaging::{MetadataHint, PackageName};

/// A table of hashes; only SHA-256 is used.
#[derive(Default, Deserialize)]
pub(super) struct HashTable<'a> {
    #[serde(borrow, default)]
    pub(super) sha256: Option<BorrowedText<'a>>,
}

/// `true`, or a reason (PEP 592).
#[derive(Default)]
pub(super) struct YankedField<'a>(pub(super) Option<BorrowedText<'a>>);

/// `true`, or the hashes of the metadata file (PEP 714).
#[derive(Default)]
pub(super) struct CoreMetadataField<'a>(Option<HashTable<'a>>);

/// Parses entries one by one, to skip only the bad ones: those that parse, and a warning for each other.
pub(super) fn parse_each<'a, F: Deserialize<'a> + Into<RawFile<'a>>>(
    entries: &[&'a RawValue],
) -> (Vec<RawFile<'a>>, Vec<String>) {
    let (mut files, mut warnings) = (Vec::with_capacity(entries.len()), Vec::new());
    for entry in entries {
        match serde_json::from_str::<F>(entry.get()) {
            Ok(file) => files.push(file.into()),
            Err(error) => {
                warnings.push(format!("{} is skipped: its entry is unreadable: {error}", filename_of(entry)));
            }
        }
    }
    (files, warnings)
}

/// The file name of an unreadable entry, for its warning.
fn filename_of(entry: &RawValue) -> String {
    #[derive(Deserialize)]
    struct Named {
        filename: String,
    }
    serde_json::from_str::<Named>(entry.get())
        .map_or_else(|_| "a file".to_owned(), |named| quoted(&named.filename))
}

pub(super) fn unreadable(error: serde_json::Error) -> String {
    format!("the page is unreadable: {error}")
}

/// Fails where the page is about another project than `name`.
pub(super) fn check_name(listed: Option<&BorrowedText<'_>>, name: &PackageName) -> Result<(), String> {
    match listed {
        Some(listed) if PackageName::new(listed).as_ref() != Ok(name) => {
            Err(format!("the page is about {}, not `{name}`", quoted(listed)))
        }
        _ => Ok(()),
    }
}

/// Fails on another major version of the Simple API (PEP 629): its fields may mean anything.
pub(super) fn check_version(version: &str) -> Result<(), String> {
    match version.split('.').next().map(str::parse::<u32>) {
        Some(Ok(1)) => Ok(()),
        _ => Err(format!("the page has version {} of the Simple API, only 1 is supported", quoted(version))),
    }
}

/// An ISO 8601 time in microseconds since 1970.
pub(super) fn microseconds(text: Option<&str>) -> Option<i64> {
    text?.parse::<Timestamp>().ok().map(Timestamp::as_microsecond)
}

impl CoreMetadataField<'_> {
    pub(super) fn hint(&self) -> MetadataHint {
        let announced = |hashes: &HashTable<'_>| announced_metadata(hashes.sha256.as_deref());
        self.0.as_ref().map_or(MetadataHint::Unknown, announced)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for YankedField<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(YankedVisitor).map(Self)
    }
}

struct YankedVisitor;

impl<'de> Visitor<'de> for YankedVisitor {
    type Value = Option<BorrowedText<'de>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a boolean or a reason")
    }

    fn visit_bool<E>(self, yanked: bool) -> Result<Self::Value, E> {
        // `true` gives no reason.
        Ok(yanked.then(|| String::new().into()))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_borrowed_str<E>(self, why: &'de str) -> Result<Self::Value, E> {
        Ok(Some(why.into()))
    }

    fn visit_str<E>(self, why: &str) -> Result<Self::Value, E> {
        Ok(Some(why.to_owned().into()))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for CoreMetadataField<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(CoreMetadataVisitor).map(Self)
    }
}

struct CoreMetadataVisitor;

impl<'de> Visitor<'de> for CoreMetadataVisitor {
    type Value = Option<HashTable<'de>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a boolean or a table of hashes")
    }

    fn visit_bool<E>(self, present: bool) -> Result<Self::Value, E> {
        Ok(present.then(HashTable::default))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        HashTable::deserialize(serde::de::value::MapAccessDeserializer::new(map)).map(Some)
    }
}

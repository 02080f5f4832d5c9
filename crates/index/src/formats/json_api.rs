//! PyPI's JSON API: `/pypi/NAME/json` for a project, `/pypi/NAME/VERSION/json` for one release.
//!
//! `info.description` is most of a page; it is skipped, like all that is not needed.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::json::{
    CoreMetadataField, HashTable, YankedField, check_name, microseconds, parse_each, unreadable,
};
use super::page::{RawFile, RawHash, RawInfo, RawPage};
use crate::text::BorrowedText;
use pinfast_packaging::PackageName;

#[derive(Deserialize)]
#[serde(bound = "F: Deserialize<'de>")]
struct ApiProject<'a, F> {
    #[serde(borrow, default)]
    info: Option<RawInfo<'a>>,
    releases: AllReleases<F>,
}

#[derive(Deserialize)]
struct ApiRelease<'a> {
    #[serde(borrow)]
    info: RawInfo<'a>,
    #[serde(borrow)]
    urls: Vec<ApiFile<'a>>,
}

/// The values of the table `releases` in one list. Its keys are skipped: a file's name has the version too.
struct AllReleases<F>(Vec<F>);

#[derive(Deserialize)]
struct ApiFile<'a> {
    #[serde(borrow)]
    filename: BorrowedText<'a>,
    #[serde(borrow)]
    url: BorrowedText<'a>,
    #[serde(borrow, default)]
    digests: HashTable<'a>,
    #[serde(borrow, default)]
    requires_python: Option<BorrowedText<'a>>,
    #[serde(borrow, default)]
    yanked: YankedField<'a>,
    #[serde(borrow, default)]
    yanked_reason: Option<BorrowedText<'a>>,
    #[serde(borrow, default)]
    upload_time_iso_8601: Option<BorrowedText<'a>>,
    /// Signed, so that a negative size spoils neither the entry nor the page.
    #[serde(default)]
    size: Option<i64>,
    #[serde(borrow, default, rename = "core-metadata", alias = "core_metadata")]
    core_metadata: CoreMetadataField<'a>,
}

/// Parses a project's page.
///
/// # Errors
/// Why it is unreadable as a whole.
pub(super) fn parse_project<'a>(body: &'a [u8], name: &PackageName) -> Result<RawPage<'a>, String> {
    let (info, files, warnings) = match serde_json::from_slice::<ApiProject<'a, ApiFile<'a>>>(body) {
        Ok(page) => (page.info, page.releases.0.into_iter().map(RawFile::from).collect(), Vec::new()),
        // Some entry is malformed: parse again, entry by entry.
        Err(_) => {
            let page: ApiProject<'a, &'a RawValue> = serde_json::from_slice(body).map_err(unreadable)?;
            let (files, warnings) = parse_each::<ApiFile<'a>>(&page.releases.0);
            (page.info, files, warnings)
        }
    };
    check_name(info.as_ref().map(|info| &info.name), name)?;
    Ok(RawPage { info, files, warnings })
}

/// Parses the page of one release.
///
/// # Errors
/// Why it is unreadable. One malformed entry is enough: the project's page is then parsed entry by entry instead.
pub(super) fn parse_release<'a>(body: &'a [u8], name: &PackageName) -> Result<RawPage<'a>, String> {
    let page: ApiRelease<'a> = serde_json::from_slice(body).map_err(unreadable)?;
    check_name(Some(&page.info.name), name)?;
    let files = page.urls.into_iter().map(RawFile::from).collect();
    Ok(RawPage { info: Some(page.info), files, warnings: Vec::new() })
}

/// The `info` at the beginning of a project's page; `None` while it is incomplete, or where something else comes
/// first.
pub(crate) fn leading_info(body: &[u8]) -> Option<RawInfo<'_>> {
    let mut info = None;
    // The page goes on after `info`, so this always fails; `info` is set by then.
    let _ = LeadingInfo(&mut info).deserialize(&mut serde_json::Deserializer::from_slice(body));
    info
}

struct LeadingInfo<'i, 'a>(&'i mut Option<RawInfo<'a>>);

impl<'a> DeserializeSeed<'a> for LeadingInfo<'_, 'a> {
    type Value = ();

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'a> Visitor<'a> for LeadingInfo<'_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a page")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<(), A::Error> {
        if map.next_key::<BorrowedText<'a>>()?.is_some_and(|key| *key == *"info") {
            *self.0 = map.next_value()?;
        }
        Ok(())
    }
}

impl<'a> From<ApiFile<'a>> for RawFile<'a> {
    fn from(file: ApiFile<'a>) -> Self {
        Self {
            filename: file.filename,
            url: file.url,
            sha256: RawHash::parse(file.digests.sha256.as_deref()),
            requires_python: file.requires_python,
            // `yanked` is only `true` here; the reason is in a field of its own.
            yanked: file.yanked.0.map(|reason| file.yanked_reason.unwrap_or(reason)),
            uploaded: microseconds(file.upload_time_iso_8601.as_deref()),
            size: file.size.and_then(|size| size.try_into().ok()),
            metadata: file.core_metadata.hint(),
        }
    }
}

impl<'de, F: Deserialize<'de>> Deserialize<'de> for AllReleases<F> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FlattenVisitor(PhantomData))
    }
}

struct FlattenVisitor<F>(PhantomData<F>);

impl<'de, F: Deserialize<'de>> Visitor<'de> for FlattenVisitor<F> {
    type Value = AllReleases<F>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table of releases")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut files = Vec::new();
        while let Some(IgnoredAny) = map.next_key()? {
            map.next_value_seed(AppendSeed(&mut files))?;
        }
        Ok(AllReleases(files))
    }
}

/// Appends a list of files, without a list of its own.
struct AppendSeed<'v, F>(&'v mut Vec<F>);

impl<'de, F: Deserialize<'de>> DeserializeSeed<'de> for AppendSeed<'_, F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, F: Deserialize<'de>> Visitor<'de> for AppendSeed<'_, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of files")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut files: A) -> Result<(), A::Error> {
        while let Some(file) = files.next_element()? {
            self.0.push(file);
        }
        Ok(())
    }
}

//! The JSON API (`/pypi/NAME/json`, `/pypi/NAME/VERSION/json`) and the Simple API's JSON (PEP 691, PEP 700).
//!
//! A page is read in one go, borrowing its strings and skipping what is not wanted (`info.description` is
//! most of it). Only where that fails is it read again entry by entry, to bar the bad ones alone.

use std::fmt;
use std::marker::PhantomData;

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::text::{Text, quoted};
use super::{Digest, Entry, Hint, Info, Page};
use pinfast_packaging::PackageName;

#[derive(Deserialize)]
#[serde(bound = "F: Deserialize<'de>")]
struct Api<'a, F> {
    #[serde(borrow, default)]
    info: Option<Info<'a>>,
    releases: Releases<F>,
}

/// A page of one release.
#[derive(Deserialize)]
struct Release<'a> {
    #[serde(borrow)]
    info: Info<'a>,
    #[serde(borrow)]
    urls: Vec<ApiFile<'a>>,
}

/// The values of `releases`, in one list: what release a file is of, its name says.
struct Releases<F>(Vec<F>);

#[derive(Deserialize)]
#[serde(bound = "F: Deserialize<'de>")]
struct Simple<'a, F> {
    #[serde(borrow)]
    meta: Meta<'a>,
    #[serde(borrow)]
    name: Option<Text<'a>>,
    files: Vec<F>,
}

#[derive(Deserialize)]
struct Meta<'a> {
    #[serde(borrow, rename = "api-version")]
    api_version: Text<'a>,
}

#[derive(Deserialize)]
struct ApiFile<'a> {
    #[serde(borrow)]
    filename: Text<'a>,
    #[serde(borrow)]
    url: Text<'a>,
    #[serde(borrow, default)]
    digests: Hashes<'a>,
    #[serde(borrow, default)]
    requires_python: Option<Text<'a>>,
    #[serde(borrow, default)]
    yanked: Yanked<'a>,
    #[serde(borrow, default)]
    yanked_reason: Option<Text<'a>>,
    #[serde(borrow, default)]
    upload_time_iso_8601: Option<Text<'a>>,
    #[serde(default)]
    size: Option<i64>,
    #[serde(borrow, default, rename = "core-metadata", alias = "core_metadata")]
    core_metadata: CoreMetadata<'a>,
}

#[derive(Deserialize)]
struct SimpleFile<'a> {
    #[serde(borrow)]
    filename: Text<'a>,
    #[serde(borrow)]
    url: Text<'a>,
    #[serde(borrow, default)]
    hashes: Hashes<'a>,
    #[serde(borrow, default, rename = "requires-python")]
    requires_python: Option<Text<'a>>,
    #[serde(borrow, default)]
    yanked: Yanked<'a>,
    #[serde(borrow, default, rename = "upload-time")]
    upload_time: Option<Text<'a>>,
    #[serde(default)]
    size: Option<i64>,
    #[serde(borrow, default, rename = "core-metadata")]
    core_metadata: CoreMetadata<'a>,
    /// The name that PEP 658 first gave it.
    #[serde(borrow, default, rename = "dist-info-metadata")]
    dist_info_metadata: CoreMetadata<'a>,
}

/// A table of hashes, of which one counts.
#[derive(Default, Deserialize)]
struct Hashes<'a> {
    #[serde(borrow, default)]
    sha256: Option<Text<'a>>,
}

/// `true`, or why.
#[derive(Default)]
struct Yanked<'a>(Option<Text<'a>>);

/// `true`, or its hashes.
#[derive(Default)]
struct CoreMetadata<'a>(Option<Hashes<'a>>);

/// Reads a page of the JSON API.
///
/// # Errors
/// Why it is unreadable as a whole.
pub(super) fn api<'a>(body: &'a [u8], name: &PackageName) -> Result<Page<'a>, String> {
    let (info, entries, warnings) = match serde_json::from_slice::<Api<'a, ApiFile<'a>>>(body) {
        Ok(page) => (page.info, page.releases.0.into_iter().map(Entry::from).collect(), Vec::new()),
        Err(_) => {
            let page: Api<'a, &'a RawValue> = serde_json::from_slice(body).map_err(unreadable)?;
            let (entries, warnings) = one_by_one::<ApiFile<'a>>(&page.releases.0);
            (page.info, entries, warnings)
        }
    };
    check_name(info.as_ref().map(|info| &info.name), name)?;
    Ok(Page { info, entries, warnings })
}

/// Reads a page of one release (`/pypi/NAME/VERSION/json`).
///
/// # Errors
/// Why it is unreadable; one entry that is makes it so, since the project's page says it better.
pub(super) fn release<'a>(body: &'a [u8], name: &PackageName) -> Result<Page<'a>, String> {
    let page: Release<'a> = serde_json::from_slice(body).map_err(unreadable)?;
    check_name(Some(&page.info.name), name)?;
    let entries = page.urls.into_iter().map(Entry::from).collect();
    Ok(Page { info: Some(page.info), entries, warnings: Vec::new() })
}

/// The `info` that a page of the JSON API begins with, where so much of it is there.
pub(super) fn beginning(body: &[u8]) -> Option<Info<'_>> {
    let mut info = None;
    // It goes on after that, so this fails in any case.
    let _ = First(&mut info).deserialize(&mut serde_json::Deserializer::from_slice(body));
    info
}

/// Reads the `info` of a page that begins with it.
struct First<'i, 'a>(&'i mut Option<Info<'a>>);

impl<'a> DeserializeSeed<'a> for First<'_, 'a> {
    type Value = ();

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'a> Visitor<'a> for First<'_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a page")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<(), A::Error> {
        if map.next_key::<Text<'a>>()?.is_some_and(|key| *key == *"info") {
            *self.0 = map.next_value()?;
        }
        Ok(())
    }
}

/// Reads a page of PEP 691.
///
/// # Errors
/// Why it is unreadable as a whole.
pub(super) fn simple<'a>(body: &'a [u8], name: &PackageName) -> Result<Page<'a>, String> {
    let (meta, said, entries, warnings) = match serde_json::from_slice::<Simple<'a, SimpleFile<'a>>>(body) {
        Ok(page) => (page.meta, page.name, page.files.into_iter().map(Entry::from).collect(), Vec::new()),
        Err(_) => {
            let page: Simple<'a, &'a RawValue> = serde_json::from_slice(body).map_err(unreadable)?;
            let (entries, warnings) = one_by_one::<SimpleFile<'a>>(&page.files);
            (page.meta, page.name, entries, warnings)
        }
    };
    check_version(&meta.api_version)?;
    check_name(said.as_ref(), name)?;
    Ok(Page { info: None, entries, warnings })
}

fn one_by_one<'a, F: Deserialize<'a> + Into<Entry<'a>>>(
    files: &[&'a RawValue],
) -> (Vec<Entry<'a>>, Vec<String>) {
    let (mut entries, mut warnings) = (Vec::with_capacity(files.len()), Vec::new());
    for file in files {
        match serde_json::from_str::<F>(file.get()) {
            Ok(file) => entries.push(file.into()),
            Err(error) => {
                warnings.push(format!("{} is barred: its entry is unreadable: {error}", named(file)))
            }
        }
    }
    (entries, warnings)
}

/// How to name an entry that cannot be read.
fn named(file: &RawValue) -> String {
    #[derive(Deserialize)]
    struct Named {
        filename: String,
    }
    serde_json::from_str::<Named>(file.get())
        .map_or_else(|_| "a file".to_owned(), |file| quoted(&file.filename))
}

fn unreadable(error: serde_json::Error) -> String {
    format!("the page is unreadable: {error}")
}

fn check_name(said: Option<&Text<'_>>, name: &PackageName) -> Result<(), String> {
    match said {
        Some(said) if PackageName::new(said).as_ref() != Ok(name) => {
            Err(format!("the page is about {}, not `{name}`", quoted(said)))
        }
        _ => Ok(()),
    }
}

/// PEP 629: another major version may mean anything.
pub(super) fn check_version(version: &str) -> Result<(), String> {
    match version.split('.').next().map(str::parse::<u32>) {
        Some(Ok(1)) => Ok(()),
        _ => Err(format!("the page speaks version {} of the Simple API; 1 is known", quoted(version))),
    }
}

impl<'a> From<ApiFile<'a>> for Entry<'a> {
    fn from(file: ApiFile<'a>) -> Self {
        Self {
            filename: file.filename,
            url: file.url,
            sha256: Digest::read(file.digests.sha256.as_deref()),
            requires_python: file.requires_python,
            yanked: file.yanked.0.map(|word| file.yanked_reason.unwrap_or(word)),
            uploaded: microseconds(file.upload_time_iso_8601.as_deref()),
            size: file.size.and_then(|size| size.try_into().ok()),
            metadata: file.core_metadata.hint(),
        }
    }
}

impl<'a> From<SimpleFile<'a>> for Entry<'a> {
    fn from(file: SimpleFile<'a>) -> Self {
        let metadata = match file.core_metadata.hint() {
            Hint::Unknown => file.dist_info_metadata.hint(),
            hint => hint,
        };
        Self {
            filename: file.filename,
            url: file.url,
            sha256: Digest::read(file.hashes.sha256.as_deref()),
            requires_python: file.requires_python,
            yanked: file.yanked.0,
            uploaded: microseconds(file.upload_time.as_deref()),
            size: file.size.and_then(|size| size.try_into().ok()),
            metadata,
        }
    }
}

fn microseconds(text: Option<&str>) -> Option<i64> {
    text?.parse::<Timestamp>().ok().map(Timestamp::as_microsecond)
}

impl CoreMetadata<'_> {
    fn hint(&self) -> Hint {
        self.0.as_ref().map_or(Hint::Unknown, |hashes| Hint::read(hashes.sha256.as_deref()))
    }
}

impl<'de, F: Deserialize<'de>> Deserialize<'de> for Releases<F> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FlatVisitor(PhantomData))
    }
}

struct FlatVisitor<F>(PhantomData<F>);

impl<'de, F: Deserialize<'de>> Visitor<'de> for FlatVisitor<F> {
    type Value = Releases<F>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table of releases")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut files = Vec::new();
        while let Some(IgnoredAny) = map.next_key()? {
            map.next_value_seed(Append(&mut files))?;
        }
        Ok(Releases(files))
    }
}

/// Appends a list of files to what is there.
struct Append<'v, F>(&'v mut Vec<F>);

impl<'de, F: Deserialize<'de>> DeserializeSeed<'de> for Append<'_, F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, F: Deserialize<'de>> Visitor<'de> for Append<'_, F> {
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

impl<'de: 'a, 'a> Deserialize<'de> for Yanked<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(YankedVisitor).map(Self)
    }
}

struct YankedVisitor;

impl<'de> Visitor<'de> for YankedVisitor {
    type Value = Option<Text<'de>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a boolean or a reason")
    }

    fn visit_bool<E>(self, yanked: bool) -> Result<Self::Value, E> {
        Ok(yanked.then(|| String::new().into()))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_borrowed_str<E>(self, why: &'de str) -> Result<Self::Value, E> {
        Ok(Some(Text(why.into())))
    }

    fn visit_str<E>(self, why: &str) -> Result<Self::Value, E> {
        Ok(Some(why.to_owned().into()))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for CoreMetadata<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(CoreMetadataVisitor).map(Self)
    }
}

struct CoreMetadataVisitor;

impl<'de> Visitor<'de> for CoreMetadataVisitor {
    type Value = Option<Hashes<'de>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a boolean or a table of hashes")
    }

    fn visit_bool<E>(self, present: bool) -> Result<Self::Value, E> {
        Ok(present.then(Hashes::default))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        Hashes::deserialize(serde::de::value::MapAccessDeserializer::new(map)).map(Some)
    }
}

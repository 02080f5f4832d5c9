//! The Simple API's JSON (PEP 691, PEP 700).

use serde::Deserialize;
use serde_json::value::RawValue;

use super::json::{
    CoreMetadataField, HashTable, YankedField, check_name, check_version, microseconds, parse_each,
    unreadable,
};
use super::page::{RawFile, RawHash, RawPage};
use crate::text::BorrowedText;
use pinfast_packaging::{MetadataHint, PackageName};

#[derive(Deserialize)]
#[serde(bound = "F: Deserialize<'de>")]
struct SimplePage<'a, F> {
    #[serde(borrow)]
    meta: SimpleMeta<'a>,
    #[serde(borrow)]
    name: Option<BorrowedText<'a>>,
    files: Vec<F>,
}

#[derive(Deserialize)]
struct SimpleMeta<'a> {
    #[serde(borrow, rename = "api-version")]
    api_version: BorrowedText<'a>,
}

#[derive(Deserialize)]
struct SimpleFile<'a> {
    #[serde(borrow)]
    filename: BorrowedText<'a>,
    #[serde(borrow)]
    url: BorrowedText<'a>,
    #[serde(borrow, default)]
    hashes: HashTable<'a>,
    #[serde(borrow, default, rename = "requires-python")]
    requires_python: Option<BorrowedText<'a>>,
    #[serde(borrow, default)]
    yanked: YankedField<'a>,
    #[serde(borrow, default, rename = "upload-time")]
    upload_time: Option<BorrowedText<'a>>,
    /// Signed, so that a negative size spoils neither the entry nor the page.
    #[serde(default)]
    size: Option<i64>,
    #[serde(borrow, default, rename = "core-metadata")]
    core_metadata: CoreMetadataField<'a>,
    /// The name of `core-metadata` before PEP 714.
    #[serde(borrow, default, rename = "dist-info-metadata")]
    dist_info_metadata: CoreMetadataField<'a>,
}

/// Parses a project page.
///
/// # Errors
/// Why it is unreadable as a whole.
pub(super) fn parse<'a>(body: &'a [u8], name: &PackageName) -> Result<RawPage<'a>, String> {
    let page = serde_json::from_slice::<SimplePage<'a, SimpleFile<'a>>>(body);
    let (meta, listed, files, warnings) = match page {
        Ok(page) => (page.meta, page.name, page.files.into_iter().map(RawFile::from).collect(), Vec::new()),
        // Some entry is malformed: parse again, entry by entry.
        Err(_) => {
            let page: SimplePage<'a, &'a RawValue> = serde_json::from_slice(body).map_err(unreadable)?;
            let (files, warnings) = parse_each::<SimpleFile<'a>>(&page.files);
            (page.meta, page.name, files, warnings)
        }
    };
    check_version(&meta.api_version)?;
    check_name(listed.as_ref(), name)?;
    Ok(RawPage { info: None, files, warnings })
}

impl<'a> From<SimpleFile<'a>> for RawFile<'a> {
    fn from(file: SimpleFile<'a>) -> Self {
        let metadata = match file.core_metadata.hint() {
            MetadataHint::Unknown => file.dist_info_metadata.hint(),
            hint => hint,
        };
        Self {
            filename: file.filename,
            url: file.url,
            sha256: RawHash::parse(file.hashes.sha256.as_deref()),
            requires_python: file.requires_python,
            yanked: file.yanked.0,
            uploaded: microseconds(file.upload_time.as_deref()),
            size: file.size.and_then(|size| size.try_into().ok()),
            metadata,
        }
    }
}

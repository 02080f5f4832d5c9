//! A [`RawPage`] -> a [`Listing`]: each entry validated, the files grouped by version.
//!
//! An entry with an unreadable name, hash or URL is skipped, with a warning; so are entries that give one file two
//! hashes. An unreadable Requires-Python is ignored, with a warning.

use std::sync::Arc;

use jiff::Timestamp;
use rustc_hash::FxHashMap;
use url::Url;

use super::memo::ParseMemo;
use super::page::{RawFile, RawHash, RawInfo, RawPage, is_distribution};
use crate::text::{BorrowedText, escape_controls, quoted};
use pinfast_packaging::{
    DistFile, DistFilename, DistFilenameError, FileUrl, Listing, PackageName, ReleaseInfo, SpecifierSet,
    Version,
};

/// Where the links of a page may lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LinkScope {
    /// The page came from the network: its files must too.
    Network,
    /// The page is on disk: its files may be on disk or on the network.
    Disk,
}

/// Makes a listing of `page`. Its links are relative to `base`.
pub(crate) fn validate(name: &PackageName, page: RawPage<'_>, base: &Url, scope: LinkScope) -> Listing {
    let (memo, pythons) = (ParseMemo::new(base), FxHashMap::default());
    let mut validator = FileValidator { name, base, scope, memo, pythons, warnings: page.warnings };
    let files = page.files.iter().filter(|file| is_distribution(&file.filename));
    let files = files.filter_map(|file| validator.file(file)).collect();
    let mut warnings = validator.warnings;
    let info = page.info.and_then(release_info);
    Listing::new(name.clone(), group_by_version(files, &mut warnings)).with(info, warnings)
}

/// The files of an index and of find-links in one listing; for a file in both, the index's entry.
pub(crate) fn merge(index: &Listing, flat: &Listing) -> Listing {
    let mut warnings = [&*index.warnings, &*flat.warnings].concat();
    let all = index.all_files().chain(flat.all_files()).cloned().collect();
    let listing = Listing::new(index.name.clone(), group_by_version(all, &mut warnings));
    listing.with(index.info.clone(), warnings)
}

struct FileValidator<'a, 'p> {
    name: &'a PackageName,
    base: &'a Url,
    scope: LinkScope,
    memo: ParseMemo<'p>,
    /// The Requires-Python texts parsed so far: a page repeats a few of them thousands of times.
    pythons: FxHashMap<&'p str, Option<SpecifierSet>>,
    warnings: Vec<String>,
}

impl<'p> FileValidator<'_, 'p> {
    fn file(&mut self, file: &'p RawFile<'_>) -> Option<Arc<DistFile>> {
        let dist = match self.dist(&file.filename) {
            Ok(dist) => dist,
            Err(error) => {
                self.warnings.push(format!("{}; it is skipped", escape_controls(&error.message)));
                return None;
            }
        };
        let validated = self.validate(file, dist);
        validated
            .map_err(|why| self.warnings.push(format!("{} is skipped: {why}", quoted(&file.filename))))
            .ok()
    }

    fn dist(&mut self, filename: &'p str) -> Result<DistFilename, DistFilenameError> {
        if let Some(wheel) = self.memo.wheel(filename, self.name) {
            return Ok(wheel);
        }
        let dist = DistFilename::parse(filename, self.name)?;
        self.memo.add(filename, &dist);
        Ok(dist)
    }

    fn validate(&mut self, file: &'p RawFile<'_>, dist: DistFilename) -> Result<Arc<DistFile>, String> {
        let url = self.url(&file.url)?;
        let sha256 = match file.sha256 {
            RawHash::None => None,
            RawHash::Sha256(hash) => Some(hash),
            RawHash::Unreadable => return Err("its hash is no SHA-256".to_owned()),
        };
        Ok(Arc::new(DistFile {
            filename: (*file.filename).into(),
            dist,
            url,
            sha256,
            requires_python: file
                .requires_python
                .as_deref()
                .and_then(|text| self.requires_python(text, &file.filename)),
            yanked: file.yanked.as_deref().map(Arc::from),
            uploaded: file.uploaded.and_then(|time| Timestamp::from_microsecond(time).ok()),
            size: file.size,
            metadata: file.metadata,
        }))
    }

    fn url(&mut self, text: &str) -> Result<FileUrl, String> {
        if let Some(url) = self.memo.url(text) {
            return Ok(url);
        }
        // Only the first URL and unusual ones come here: parsing tens of thousands would dominate the time.
        let mut url = self.base.join(text).map_err(|error| format!("its URL is unreadable: {error}"))?;
        url.set_fragment(None);
        match (url.scheme(), self.scope) {
            ("http" | "https", _) if url.has_host() => {
                self.memo.add_url(text, &url);
                Ok(url.into())
            }
            // A page from the network must not make us read local files.
            ("file", LinkScope::Disk) => Ok(url.into()),
            _ => Err("its URL leads away from http".to_owned()),
        }
    }

    fn requires_python(&mut self, text: &'p str, filename: &str) -> Option<SpecifierSet> {
        if text.trim().is_empty() {
            return None;
        }
        let warnings = &mut self.warnings;
        let read = || {
            let unreadable = |_| {
                warnings.push(format!(
                    "the Requires-Python {} of {} is unreadable and ignored",
                    quoted(text),
                    quoted(filename)
                ));
            };
            SpecifierSet::parse_lenient(text).map_err(unreadable).ok()
        };
        self.pythons.entry(text).or_insert_with(read).clone()
    }
}

/// Groups files by version. A file that is listed twice counts once; with two hashes it is skipped.
fn group_by_version(
    mut files: Vec<Arc<DistFile>>,
    warnings: &mut Vec<String>,
) -> Vec<(Version, Vec<Arc<DistFile>>)> {
    // Sorting makes duplicates neighbours. It is stable: of a file listed twice, the first entry wins.
    files.sort_by(|a, b| (a.dist.version(), &a.filename).cmp(&(b.dist.version(), &b.filename)));
    let mut releases: Vec<(Version, Vec<Arc<DistFile>>)> = Vec::new();
    for same in files.chunk_by(|a, b| a.filename == b.filename) {
        let file = &same[0];
        let mut hashes = same.iter().filter_map(|file| file.sha256);
        let hash = hashes.next();
        if hashes.any(|other| Some(other) != hash) {
            warnings.push(format!("{} is skipped: it is listed with two hashes", quoted(&file.filename)));
            continue;
        }
        match releases.last_mut() {
            Some((version, files)) if version == file.dist.version() => files.push(file.clone()),
            _ => releases.push((file.dist.version().clone(), vec![file.clone()])),
        }
    }
    releases
}

/// The JSON API's `info`; `None` where its version is unreadable, since each file has its own metadata too.
pub(crate) fn release_info(info: RawInfo<'_>) -> Option<ReleaseInfo> {
    let strings = |texts: Vec<BorrowedText<'_>>| texts.iter().map(|text| text.to_string()).collect();
    Some(ReleaseInfo {
        version: info.version.parse().ok()?,
        requires_dist: info.requires_dist.map(strings),
        requires_python: info.requires_python.map(|text| text.to_string()),
        provides_extra: info.provides_extra.map(strings).unwrap_or_default(),
    })
}

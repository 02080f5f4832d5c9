//! Raw entries -> a [`Listing`], each judged.

use std::sync::Arc;

use jiff::Timestamp;
use rustc_hash::FxHashMap;
use url::Url;

use super::seen::Seen;
use super::text::{quoted, tame};
use super::{Digest, Entry, Hint, Info, Page, is_dist};
use pinfast_packaging::{
    DistFile, DistFilename, DistFilenameError, FileUrl, Listing, MetadataHint, PackageName, ReleaseInfo,
    Sha256, SpecifierSet, Version,
};

/// Where the files of a page may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// An index on the network: its files are too.
    Network,
    /// A folder: its files are in folders or on the network.
    Disk,
}

/// Judges the entries of `page`, whose links are relative to `base`.
pub(crate) fn listing(name: &PackageName, page: Page<'_>, base: &Url, scope: Scope) -> Listing {
    let seen = Seen::new(base);
    let mut judge = Judge { name, base, scope, seen, pythons: FxHashMap::default(), warnings: page.warnings };
    let files = page.entries.iter().filter(|entry| is_dist(&entry.filename));
    let files = files.filter_map(|entry| judge.file(entry)).collect();
    let mut warnings = judge.warnings;
    let info = page.info.and_then(release_info);
    Listing::new(name.clone(), releases(files, &mut warnings)).with(info, warnings)
}

/// The files of both listings; of a file in both, the index's entry.
pub(crate) fn merged(index: &Listing, loose: &Listing) -> Listing {
    let mut warnings = [&*index.warnings, &*loose.warnings].concat();
    let all = index.all_files().chain(loose.all_files()).cloned().collect();
    let listing = Listing::new(index.name.clone(), releases(all, &mut warnings));
    listing.with(index.info.clone(), warnings)
}

struct Judge<'a, 'p> {
    name: &'a PackageName,
    base: &'a Url,
    scope: Scope,
    seen: Seen<'p>,
    /// Requires-Python texts read so far: a page repeats few of them often.
    pythons: FxHashMap<&'p str, Option<SpecifierSet>>,
    warnings: Vec<String>,
}

impl<'p> Judge<'_, 'p> {
    fn file(&mut self, entry: &'p Entry<'_>) -> Option<Arc<DistFile>> {
        let dist = match self.dist(&entry.filename) {
            Ok(dist) => dist,
            Err(error) => {
                self.warnings.push(format!("{}; it is barred", tame(&error.message)));
                return None;
            }
        };
        let judged = self.judge(entry, dist);
        judged.map_err(|why| self.warnings.push(format!("{} is barred: {why}", quoted(&entry.filename)))).ok()
    }

    fn dist(&mut self, filename: &'p str) -> Result<DistFilename, DistFilenameError> {
        if let Some(wheel) = self.seen.wheel(filename, self.name) {
            return Ok(wheel);
        }
        let dist = DistFilename::parse(filename, self.name)?;
        self.seen.add(filename, &dist);
        Ok(dist)
    }

    fn judge(&mut self, entry: &'p Entry<'_>, dist: DistFilename) -> Result<Arc<DistFile>, String> {
        let url = self.url(&entry.url)?;
        let sha256 = match entry.sha256 {
            Digest::None => None,
            Digest::Sha256(bytes) => Some(Sha256(bytes)),
            Digest::Unreadable => return Err("its hash is no SHA-256".to_owned()),
        };
        Ok(Arc::new(DistFile {
            filename: (*entry.filename).into(),
            dist,
            url,
            sha256,
            requires_python: entry
                .requires_python
                .as_deref()
                .and_then(|text| self.python(text, &entry.filename)),
            yanked: entry.yanked.as_deref().map(Arc::from),
            uploaded: entry.uploaded.and_then(|time| Timestamp::from_microsecond(time).ok()),
            size: entry.size,
            metadata: match entry.metadata {
                Hint::Unknown => MetadataHint::Unknown,
                Hint::Present => MetadataHint::Present,
                Hint::Sha256(bytes) => MetadataHint::Hashed(Sha256(bytes)),
            },
        }))
    }

    fn url(&mut self, text: &str) -> Result<FileUrl, String> {
        if let Some(url) = self.seen.url(text) {
            return Ok(url);
        }
        let mut url = self.base.join(text).map_err(|error| format!("its URL is unreadable: {error}"))?;
        url.set_fragment(None);
        match (url.scheme(), self.scope) {
            ("http" | "https", _) if url.has_host() => {
                self.seen.add_url(text, &url);
                Ok(url.into())
            }
            ("file", Scope::Disk) => Ok(url.into()),
            _ => Err("its URL leads away from http".to_owned()),
        }
    }

    /// An unreadable Requires-Python is ignored.
    fn python(&mut self, text: &'p str, filename: &str) -> Option<SpecifierSet> {
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

/// Groups files by version. One name with two hashes is barred; told twice alike it counts once, the
/// first time.
fn releases(mut files: Vec<Arc<DistFile>>, warnings: &mut Vec<String>) -> Vec<(Version, Vec<Arc<DistFile>>)> {
    files.sort_by(|a, b| (a.dist.version(), &a.filename).cmp(&(b.dist.version(), &b.filename)));
    let mut releases: Vec<(Version, Vec<Arc<DistFile>>)> = Vec::new();
    for same in files.chunk_by(|a, b| a.filename == b.filename) {
        let file = &same[0];
        let mut hashes = same.iter().filter_map(|file| file.sha256);
        let hash = hashes.next();
        if hashes.any(|other| Some(other) != hash) {
            warnings.push(format!("{} is barred: it is listed with two hashes", quoted(&file.filename)));
            continue;
        }
        match releases.last_mut() {
            Some((version, files)) if version == file.dist.version() => files.push(file.clone()),
            _ => releases.push((file.dist.version().clone(), vec![file.clone()])),
        }
    }
    releases
}

/// An `info` that cannot be read is none: the files tell the same.
pub(crate) fn release_info(info: Info<'_>) -> Option<ReleaseInfo> {
    let strings = |texts: Vec<super::Text<'_>>| texts.iter().map(|text| text.to_string()).collect();
    Some(ReleaseInfo {
        version: info.version.parse().ok()?,
        requires_dist: info.requires_dist.map(strings),
        requires_python: info.requires_python.map(|text| text.to_string()),
        provides_extra: info.provides_extra.map(strings).unwrap_or_default(),
    })
}

//! A toy package index, written in a few lines of text: for solver tests, scenarios and benches.
//!
//! ```text
//! # A line starts releases: a name, one or more versions. Indented lines describe each of them.
//! google-genai 1.59.0
//!     google-auth>=2.14.1
//! google-genai 1.60.0 1.61.0
//!     google-auth>=2.47.0
//!     tenacity ; extra == "retry"
//!     extra: retry
//!     requires-python: >=3.9
//!     uploaded: 2026-02-01
//! google-auth 2.38.0 2.47.0
//! old 1.0
//!     yanked: broken
//!     wheel: cp311-cp311-win_amd64
//!     sdist
//! ```
//!
//! A release has one `py3-none-any` wheel, unless it has `wheel:` or `sdist` lines. Lines indented deeper, below a
//! `wheel:` or `sdist` line, describe that file alone: its requirements replace the release's, other lines add to them.
//!
//! ```text
//! split 1.0
//!     common
//!     wheel: 1-cp311-cp311-win_amd64
//!         only-there>=2
//!         yanked: broken
//!     sdist
//!     requires-dist: legacy (>=1.0,)     passed on unparsed, even if it is no valid requirement
//!     broken: what is wrong with the metadata of the file
//!     unbuilt: why the build that would produce the metadata is forbidden
//!     requires-python-inside: >=3.12     in the metadata only, not in the listing
//! ```

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use rustc_hash::FxHashMap;

use super::index::{Index, IndexQuery, MetadataFailure, Trust};
use pinfast_base::error::Error;
use pinfast_packaging::{
    DirectUrl, DistFile, DistFilename, Listing, Metadata, MetadataHint, MetadataSource, PackageName,
    Requirement, Sha256, Version,
};

/// The projects of a universe.
#[derive(Debug, Default)]
pub struct Universe {
    listings: BTreeMap<PackageName, Arc<Listing>>,
    metadata: FxHashMap<Arc<str>, Result<Arc<Metadata>, Flaw>>,
}

/// Why a file has no metadata: the kind of failure, and a sentence.
type Flaw = (fn(String) -> MetadataFailure, String);

/// The lines of a release, or of one of its files.
#[derive(Clone, Default)]
struct ReleaseLines {
    requires: Vec<String>,
    extras: Vec<String>,
    requires_python: Option<String>,
    python_inside: Option<String>,
    yanked: Option<Arc<str>>,
    uploaded: Option<Timestamp>,
    flaw: Option<Flaw>,
    /// The files named by `wheel:` and `sdist` lines: the end of each filename, and its own lines.
    files: Vec<(String, Self)>,
}

impl Universe {
    /// Parses the text form.
    ///
    /// # Errors
    /// A sentence that names the line.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut universe = Self::default();
        let mut lines = text.lines().enumerate().filter(|(_, line)| !is_blank(line)).peekable();
        while let Some((number, head)) = lines.next() {
            let mut description = ReleaseLines::default();
            let mut indent = None;
            while let Some((number, line)) = lines.next_if(|(_, line)| line.starts_with(char::is_whitespace))
            {
                let depth = line.len() - line.trim_start().len();
                let read = match description.files.last_mut() {
                    Some((_, file)) if depth > *indent.get_or_insert(depth) => file.read(line.trim()),
                    _ => {
                        indent = Some(depth);
                        description.read(line.trim())
                    }
                };
                read.map_err(|error| format!("line {}: {error}", number + 1))?;
            }
            universe.add(head, &description).map_err(|error| format!("line {}: {error}", number + 1))?;
        }
        Ok(universe)
    }

    fn add(&mut self, head: &str, description: &ReleaseLines) -> Result<(), String> {
        let mut words = head.split_whitespace();
        let name = words.next().unwrap_or_default();
        let name = PackageName::new(name).map_err(|error| error.to_string())?;
        for version in words {
            let version: Version = version.parse().map_err(|_| format!("`{version}` is no version"))?;
            self.add_release(&name, &version, description)?;
        }
        Ok(())
    }

    fn add_release(
        &mut self,
        name: &PackageName,
        version: &Version,
        description: &ReleaseLines,
    ) -> Result<(), String> {
        let mut files = Vec::new();
        for (filename, description) in description.files(name, version) {
            let metadata = description.metadata(name, version);
            let file = description.file(name, &filename, metadata.as_deref().ok())?;
            self.metadata.insert(file.filename.clone(), metadata);
            files.push(Arc::new(file));
        }
        let known = self.listings.get(name).into_iter();
        let known = known.flat_map(|listing| {
            listing
                .versions()
                .cloned()
                .zip(0..)
                .map(|(version, number)| (version, listing.files(number).to_vec()))
        });
        let mut releases: Vec<_> = known.collect();
        let place = releases.partition_point(|(other, _)| other < version);
        releases.insert(place, (version.clone(), files));
        self.listings.insert(name.clone(), Arc::new(Listing::new(name.clone(), releases)));
        Ok(())
    }
}

impl ReleaseLines {
    fn read(&mut self, line: &str) -> Result<(), String> {
        let error_at = |error: &dyn std::fmt::Display| format!("`{line}`: {error}");
        let keyed = line.split_once(": ").or_else(|| Some((line.strip_suffix(':')?, "")));
        match keyed.map(|(key, value)| (key, value.trim())) {
            Some(("extra", value)) => self.extras.push(value.to_owned()),
            Some(("requires-python", value)) => self.requires_python = Some(value.to_owned()),
            Some(("requires-python-inside", value)) => self.python_inside = Some(value.to_owned()),
            Some(("requires-dist", value)) => self.requires.push(value.to_owned()),
            Some(("yanked", value)) => self.yanked = Some(value.into()),
            Some(("broken", value)) => self.flaw = Some((MetadataFailure::Invalid, value.to_owned())),
            Some(("unbuilt", value)) => self.flaw = Some((MetadataFailure::BuildForbidden, value.to_owned())),
            Some(("uploaded", value)) => self.uploaded = Some(instant(value).map_err(|e| error_at(&e))?),
            Some(("wheel", tags)) => self.files.push((format!("-{tags}.whl"), Self::default())),
            _ if line == "sdist" => self.files.push((".tar.gz".to_owned(), Self::default())),
            _ => {
                line.parse::<Requirement>().map_err(|error| error_at(&error))?;
                self.requires.push(line.to_owned());
            }
        }
        Ok(())
    }

    /// The files, sorted by name, each with the lines that apply to it.
    fn files(&self, name: &PackageName, version: &Version) -> Vec<(String, Self)> {
        let stem = format!("{}-{version}", name.as_str().replace('-', "_"));
        let only = [("-py3-none-any.whl".to_owned(), Self::default())];
        let named = if self.files.is_empty() { &only[..] } else { &self.files };
        let mut files: Vec<_> =
            named.iter().map(|(end, file)| (format!("{stem}{end}"), self.with(file))).collect();
        files.sort_by(|a, b| a.0.cmp(&b.0));
        files
    }

    /// The release's lines, with those of one file over them.
    fn with(&self, file: &Self) -> Self {
        let both = [&self.extras[..], &file.extras].concat();
        Self {
            requires: if file.requires.is_empty() { &self.requires } else { &file.requires }.clone(),
            extras: both,
            requires_python: file.requires_python.clone().or_else(|| self.requires_python.clone()),
            python_inside: file.python_inside.clone().or_else(|| self.python_inside.clone()),
            yanked: file.yanked.clone().or_else(|| self.yanked.clone()),
            uploaded: file.uploaded.or(self.uploaded),
            flaw: file.flaw.clone().or_else(|| self.flaw.clone()),
            files: Vec::new(),
        }
    }

    fn file(
        &self,
        name: &PackageName,
        filename: &str,
        metadata: Option<&Metadata>,
    ) -> Result<DistFile, String> {
        Ok(DistFile {
            filename: filename.into(),
            dist: DistFilename::parse(filename, name).map_err(|error| format!("`{filename}`: {error}"))?,
            url: format!("https://files.example/{filename}")
                .parse()
                .map_err(|_| format!("`{filename}`: no URL"))?,
            sha256: Some(Sha256::of(filename.as_bytes())),
            requires_python: match self.python_inside {
                Some(_) => None,
                None => metadata.and_then(|metadata| metadata.requires_python.clone()),
            },
            yanked: self.yanked.clone(),
            uploaded: self.uploaded,
            size: None,
            metadata: MetadataHint::Present,
        })
    }

    /// The file's metadata, or what is wrong with it.
    fn metadata(&self, name: &PackageName, version: &Version) -> Result<Arc<Metadata>, Flaw> {
        if let Some(flaw) = &self.flaw {
            return Err(flaw.clone());
        }
        let python = self.python_inside.as_ref().or(self.requires_python.as_ref()).map(String::as_str);
        let metadata = Metadata::of_release(name, version, &self.requires, python, &self.extras);
        let metadata = metadata.map_err(|error| -> Flaw { (MetadataFailure::Invalid, error.to_string()) })?;
        Ok(Arc::new(Metadata { source: MetadataSource::File, ..metadata }))
    }
}

/// An instant, or a day for its first moment in UTC.
fn instant(text: &str) -> Result<Timestamp, jiff::Error> {
    text.parse().or_else(|_| format!("{}T00:00:00Z", text.parse::<Date>()?).parse())
}

impl Index for Universe {
    fn listing(&self, name: &PackageName) -> Result<Option<Arc<Listing>>, Error> {
        Ok(self.listings.get(name).cloned())
    }

    fn release_listing(&self, name: &PackageName, version: &Version) -> Option<Arc<Listing>> {
        let listing = self.listings.get(name)?;
        // An exact pin permits local versions too, so where there are any, one release is not enough.
        let is_permitted = |other: &Version| other.clone().without_local() == version.clone().without_local();
        let mut permitted = (0..listing.len()).filter(|&number| is_permitted(listing.version(number)));
        let (Some(number), None) = (permitted.next(), permitted.next()) else { return None };
        let release = (listing.version(number).clone(), listing.files(number).to_vec());
        Some(Arc::new(Listing::new(name.clone(), vec![release])))
    }

    fn newest_listing(&self, name: &PackageName) -> Option<Arc<Listing>> {
        let listing = self.listings.get(name)?;
        let may_be_newest = |number: &usize| {
            let yanked = listing.summaries(*number).iter().all(|file| file.is_yanked());
            listing.version(*number).is_stable() && !yanked
        };
        let newest = (0..listing.len()).rev().find(may_be_newest)?;
        self.release_listing(name, listing.version(newest))
    }

    fn metadata(&self, file: &Arc<DistFile>, _: Trust) -> Result<Arc<Metadata>, MetadataFailure> {
        let missing = || MetadataFailure::Invalid("it holds no metadata".to_owned());
        let metadata = self.metadata.get(&file.filename).ok_or_else(missing)?;
        metadata.clone().map_err(|(failure, why)| failure(why))
    }

    fn direct_url_listing(&self, name: &PackageName, url: &DirectUrl) -> Result<Arc<Listing>, Error> {
        let filename = url.url.path().rsplit('/').next().unwrap_or_default();
        let mut files = self.listings.get(name).into_iter().flat_map(|listing| listing.all_files());
        let found = files.find(|file| *file.filename == *filename);
        let file = found.ok_or_else(|| Error::no_answer(format!("no file at {url}")))?;
        if url.sha256.is_some_and(|sha256| file.sha256 != Some(sha256)) {
            return Err(Error::refused(format!("{filename} does not have the hash that its URL names")));
        }
        let release = (file.dist.version().clone(), vec![file.clone()]);
        Ok(Arc::new(Listing::new(name.clone(), vec![release])))
    }

    fn sha256(&self, file: &Arc<DistFile>) -> Result<Sha256, Error> {
        Ok(Sha256::of(file.filename.as_bytes()))
    }

    fn prefetch(&self, _: &[IndexQuery]) {}

    fn project_names(&self) -> Vec<PackageName> {
        self.listings.keys().cloned().collect()
    }
}

fn is_blank(line: &str) -> bool {
    line.trim().is_empty() || line.trim_start().starts_with('#')
}

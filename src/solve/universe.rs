//! An index in memory, written in a few lines of text: what solver tests, scenarios and benches stand on.
//!
//! ```text
//! # A release a line: the name, one or more versions; then, indented, what holds for each of them.
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
//! A release has one `py3-none-any` wheel unless `wheel:` or `sdist` lines say otherwise.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use rustc_hash::FxHashMap;

use super::index::{Index, MetadataFailure, Trust, Want};
use crate::error::Error;
use crate::spec::{
    DirectUrl, DistFile, DistName, ExtraName, Listing, Metadata, MetadataHint, MetadataSource, PackageName,
    Release, Requirement, Sha256, Specifiers, Version,
};

/// The projects of a universe.
#[derive(Debug, Default)]
pub struct Universe {
    listings: BTreeMap<PackageName, Arc<Listing>>,
    metadata: FxHashMap<Arc<str>, Arc<Metadata>>,
}

/// What a release's lines say.
#[derive(Clone, Default)]
struct Description {
    requires: Vec<Requirement>,
    extras: Vec<ExtraName>,
    requires_python: Option<Specifiers>,
    yanked: Option<Arc<str>>,
    uploaded: Option<Timestamp>,
    wheels: Vec<String>,
    sdist: Option<()>,
}

impl Universe {
    /// Reads the text form.
    ///
    /// # Errors
    /// A sentence that names the line.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut universe = Self::default();
        let mut lines = text.lines().enumerate().filter(|(_, line)| !is_blank(line)).peekable();
        while let Some((number, head)) = lines.next() {
            let mut description = Description::default();
            while let Some((number, line)) = lines.next_if(|(_, line)| line.starts_with(char::is_whitespace))
            {
                description.read(line.trim()).map_err(|error| format!("line {}: {error}", number + 1))?;
            }
            universe.add(head, &description).map_err(|error| format!("line {}: {error}", number + 1))?;
        }
        Ok(universe)
    }

    fn add(&mut self, head: &str, description: &Description) -> Result<(), String> {
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
        description: &Description,
    ) -> Result<(), String> {
        let files = description.files(name, version)?;
        let metadata = Arc::new(description.metadata(name, version));
        for file in &files {
            self.metadata.insert(file.filename.clone(), metadata.clone());
        }
        let empty = || {
            Arc::new(Listing { name: name.clone(), releases: Vec::new(), info: None, warnings: Vec::new() })
        };
        let listing = Arc::make_mut(self.listings.entry(name.clone()).or_insert_with(empty));
        let place = listing.releases.partition_point(|release| release.version < *version);
        listing.releases.insert(place, Release { version: version.clone(), files });
        Ok(())
    }
}

impl Description {
    fn read(&mut self, line: &str) -> Result<(), String> {
        let told = |error: &dyn std::fmt::Display| format!("`{line}`: {error}");
        match line.split_once(": ").map(|(key, value)| (key, value.trim())) {
            Some(("extra", value)) => self.extras.push(ExtraName::new(value).map_err(|e| told(&e))?),
            Some(("requires-python", value)) => {
                self.requires_python =
                    Some(value.parse().map_err(|e: crate::spec::SpecifiersError| told(&e))?);
            }
            Some(("yanked", value)) => self.yanked = Some(value.into()),
            Some(("uploaded", value)) => {
                let date: Date = value.parse().map_err(|e: jiff::Error| told(&e))?;
                let midnight = format!("{date}T00:00:00Z");
                self.uploaded = Some(midnight.parse().map_err(|e: jiff::Error| told(&e))?);
            }
            Some(("wheel", value)) => self.wheels.push(value.to_owned()),
            _ if line == "sdist" => self.sdist = Some(()),
            _ => self.requires.push(line.parse().map_err(|e: crate::spec::RequirementError| told(&e))?),
        }
        Ok(())
    }

    fn files(&self, name: &PackageName, version: &Version) -> Result<Vec<Arc<DistFile>>, String> {
        let stem = name.as_str().replace('-', "_");
        let mut names: Vec<String> =
            self.wheels.iter().map(|tags| format!("{stem}-{version}-{tags}.whl")).collect();
        names.extend(self.sdist.map(|()| format!("{stem}-{version}.tar.gz")));
        if names.is_empty() {
            names.push(format!("{stem}-{version}-py3-none-any.whl"));
        }
        names.sort();
        names.iter().map(|filename| self.file(name, filename).map(Arc::new)).collect()
    }

    fn file(&self, name: &PackageName, filename: &str) -> Result<DistFile, String> {
        Ok(DistFile {
            filename: filename.into(),
            dist: DistName::parse(filename, name).map_err(|error| format!("`{filename}`: {error}"))?,
            url: format!("https://files.example/{filename}")
                .parse()
                .map_err(|_| format!("`{filename}`: no URL"))?,
            sha256: Some(Sha256::of(filename.as_bytes())),
            requires_python: self.requires_python.clone(),
            yanked: self.yanked.clone(),
            uploaded: self.uploaded,
            size: None,
            metadata: MetadataHint::Present,
        })
    }

    fn metadata(&self, name: &PackageName, version: &Version) -> Metadata {
        Metadata {
            name: name.clone(),
            version: version.clone(),
            requires: self.requires.clone(),
            requires_python: self.requires_python.clone(),
            extras: self.extras.clone(),
            source: MetadataSource::File,
            warnings: Vec::new(),
        }
    }
}

impl Index for Universe {
    fn listing(&self, name: &PackageName) -> Result<Option<Arc<Listing>>, Error> {
        Ok(self.listings.get(name).cloned())
    }

    fn metadata(&self, file: &Arc<DistFile>, _: Trust) -> Result<Arc<Metadata>, MetadataFailure> {
        let missing = || MetadataFailure::Unusable(format!("{} has no metadata", file.filename));
        self.metadata.get(&file.filename).cloned().ok_or_else(missing)
    }

    fn direct(&self, name: &PackageName, url: &DirectUrl) -> Result<Arc<Listing>, Error> {
        let filename = url.url.path().rsplit('/').next().unwrap_or_default();
        let all = self.listings.get(name).into_iter().flat_map(|listing| &listing.releases);
        let release =
            all.clone().find(|release| release.files.iter().any(|file| *file.filename == *filename));
        let missing = || Error::no_answer(format!("no file at {url}"));
        let release = release.ok_or_else(missing)?.clone();
        Ok(Arc::new(Listing {
            name: name.clone(),
            releases: vec![release],
            info: None,
            warnings: Vec::new(),
        }))
    }

    fn sha256(&self, file: &Arc<DistFile>) -> Result<Sha256, Error> {
        Ok(Sha256::of(file.filename.as_bytes()))
    }

    fn prefetch(&self, _: &[Want]) {}
}

fn is_blank(line: &str) -> bool {
    line.trim().is_empty() || line.trim_start().starts_with('#')
}

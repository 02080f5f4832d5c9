//! What is installed in an environment: a list of its site folders (PyPA "Recording installed projects").

use std::fs;
use std::path::{Path, PathBuf};

use super::disk;
use super::environment::Environment;
use super::record::{self, RecordRow};
use pinfast_base::error::Result;
use pinfast_files::{is_absent, path_error};
use pinfast_packaging::{PackageName, Sha256, Version};

/// One installed distribution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstalledDistribution {
    /// Its normalised name.
    pub name: PackageName,
    /// Its version; `None` if its folder's name has none.
    pub version: Option<Version>,
    /// Its `.dist-info` folder, or its `.egg-info`.
    pub info: PathBuf,
    /// Whether it can be removed.
    pub format: DistributionFormat,
    /// How it came into the environment.
    pub provenance: Provenance,
}

/// In which form a distribution records its files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DistributionFormat {
    /// A `.dist-info` folder, with `RECORD`.
    DistInfo,
    /// An `.egg-info` or `.egg-link`, as setuptools once wrote them: no list of files.
    Egg,
}

/// How a distribution came into the environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provenance {
    /// From the archive with this hash, and its RECORD is unchanged since.
    Archive(Sha256),
    /// By another tool, or its RECORD has changed since.
    Foreign,
    /// By a run that was killed while it installed or removed it.
    Unfinished,
}

/// The entries of the site folders.
#[derive(Clone, Debug, Default)]
pub(super) struct SitePackages {
    /// The distributions, sorted by name and then by folder.
    pub(super) distributions: Vec<InstalledDistribution>,
    /// All other entries, as whole paths.
    pub(super) others: Vec<PathBuf>,
    /// Folders of distributions whose names cannot be parsed.
    pub(super) unreadable: Vec<PathBuf>,
}

/// Lists the site folders; a missing one is empty.
pub(super) fn scan(environment: &Environment) -> Result<SitePackages> {
    let mut site = SitePackages::default();
    for folder in environment.sites() {
        let entries = match fs::read_dir(folder) {
            Err(error) if is_absent(&error) => continue,
            entries => entries.map_err(|error| path_error("list", folder, error))?,
        };
        for entry in entries {
            let path = entry.map_err(|error| path_error("list", folder, error))?.path();
            sort_in(&mut site, path);
        }
    }
    site.distributions.sort_by(|a, b| (&a.name, &a.info).cmp(&(&b.name, &b.info)));
    site.others.sort();
    Ok(site)
}

fn sort_in(site: &mut SitePackages, path: PathBuf) {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let (stem, format) = match name.rsplit_once('.') {
        Some((stem, "dist-info")) => (stem, DistributionFormat::DistInfo),
        Some((stem, "egg-info" | "egg-link")) => (stem, DistributionFormat::Egg),
        _ => return site.others.push(path),
    };
    let mut parts = stem.split('-');
    let name = parts.next().and_then(|name| PackageName::new(name).ok());
    let version = parts.next().and_then(|version| version.replace('_', "-").parse().ok());
    match name {
        Some(name) => site.distributions.push(InstalledDistribution {
            name,
            version,
            info: path,
            format,
            // Until the journal shows something else.
            provenance: Provenance::Foreign,
        }),
        None => site.unreadable.push(path),
    }
}

/// A file that the RECORD of a distribution lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct OwnedFile {
    /// Its absolute path, without `..`.
    pub(super) path: PathBuf,
    /// Its row in RECORD.
    pub(super) row: RecordRow,
}

/// Why there are no rows.
#[derive(Debug)]
pub(super) enum RecordError {
    /// There is no RECORD.
    Missing,
    /// It cannot be read; a clause that goes on after its path.
    Unreadable(String),
}

impl InstalledDistribution {
    /// The folder to which the paths in its RECORD are relative.
    pub(super) fn base(&self) -> &Path {
        self.info.parent().unwrap_or(Path::new("/"))
    }

    /// The rows of its RECORD.
    pub(super) fn record(&self) -> Result<Vec<RecordRow>, RecordError> {
        let path = self.info.join("RECORD");
        let text = disk::read(&path, 256 << 20).map_err(|error| match error {
            error if is_absent(&error) => RecordError::Missing,
            error => RecordError::Unreadable(format!("cannot be read: {error}")),
        })?;
        record::parse(&text).map_err(|what| RecordError::Unreadable(format!("makes no sense: {what}")))
    }

    /// Its files, and the rows that lead outside of all folders of the environment.
    pub(super) fn owned(
        &self,
        environment: &Environment,
    ) -> Result<(Vec<OwnedFile>, Vec<RecordRow>), RecordError> {
        let (mut owned, mut outside) = (Vec::new(), Vec::new());
        for row in self.record()? {
            match disk::normalise(&self.base().join(&row.path)) {
                Some(path) if environment.is_inside(&path) => owned.push(OwnedFile { path, row }),
                _ => outside.push(row),
            }
        }
        Ok((owned, outside))
    }

    /// `NAME VERSION`, or the name alone.
    pub(super) fn label(&self) -> String {
        match &self.version {
            Some(version) => format!("{} {version}", self.name),
            None => self.name.to_string(),
        }
    }
}

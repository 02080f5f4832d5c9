//! Where each file of a wheel goes in an environment, and which files an installation adds.
//!
//! In: an unpacked wheel, an environment. Out: links, writes and the RECORD, without touching the
//! environment (PyPA "Binary distribution format", "Recording installed projects").

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::disk::{self, FileMode};
use super::environment::Environment;
use super::manifest::{CachedFile, FileKind};
use super::record::{self, HashAlgorithm, RecordDigest, RecordRow};
use super::scripts;
use super::wheel::LibraryScheme;
use super::wheel_cache::CachedWheel;
use pinfast_base::error::{Error, Result};
use pinfast_files::relative_path;
use pinfast_lock::Pin;
use pinfast_packaging::Sha256;

/// A wheel laid out in an environment.
#[derive(Clone, Debug)]
pub(super) struct WheelLayout {
    pub(super) wheel: CachedWheel,
    /// Its normalised name.
    pub(super) name: String,
    /// The site folder, which RECORD's paths start from.
    pub(super) site: PathBuf,
    /// Its `.dist-info` folder.
    pub(super) info: PathBuf,
    /// The files that are linked or copied from the cache.
    pub(super) links: Vec<LinkedFile>,
    /// The files that are written: scripts, and what describes the installation.
    pub(super) writes: Vec<WrittenFile>,
    /// The rows of its RECORD.
    pub(super) rows: Vec<RecordRow>,
    /// The text of its RECORD.
    pub(super) record: Vec<u8>,
}

/// A file that an installation puts into an environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlacedFile {
    /// Its path relative to the site folder; outside of it, relative to the environment.
    pub path: PathBuf,
    /// Its size in bytes.
    pub size: u64,
}

/// A file that comes from the cache.
#[derive(Clone, Debug)]
pub(super) struct LinkedFile {
    /// Its position in the manifest's files.
    pub(super) file: usize,
    /// Its path in the environment, without `..`.
    pub(super) to: PathBuf,
}

/// A file with content of its own.
#[derive(Clone, Debug)]
pub(super) struct WrittenFile {
    pub(super) to: PathBuf,
    pub(super) content: Vec<u8>,
    /// The hash of the content, in RECORD's form.
    pub(super) digest: String,
    pub(super) mode: FileMode,
}

/// What an installation records beside the wheel's own files.
#[derive(Clone, Copy, Debug)]
pub(super) struct InstallerMetadata<'a> {
    /// Whether there will be a `REQUESTED`.
    pub(super) requested: Requested,
    /// Its URL, if it has one, goes into `direct_url.json`.
    pub(super) pin: &'a Pin,
}

/// Who requested a distribution (`REQUESTED`, PEP 376).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Requested {
    ByUser,
    ByPackage,
}

/// Why there is no layout.
#[derive(Debug)]
pub(super) enum LayoutError {
    /// A file in the cache is damaged.
    Damaged,
    /// The wheel must not be installed here.
    Refused(Error),
}

/// Lays `wheel` out in `environment`, whose links have been resolved.
pub(super) fn layout(
    wheel: CachedWheel,
    environment: &Environment,
    metadata: InstallerMetadata<'_>,
) -> Result<WheelLayout, LayoutError> {
    let manifest = &wheel.manifest;
    let site = match manifest.root {
        LibraryScheme::Purelib => environment.scheme.purelib.clone(),
        LibraryScheme::Platlib => environment.scheme.platlib.clone(),
    };
    let info = site.join(format!("{}.dist-info", manifest.stem));
    let name = metadata.pin.name.to_string();
    let mut layout = WheelLayout {
        name,
        site,
        info,
        links: Vec::new(),
        writes: Vec::new(),
        rows: Vec::new(),
        record: Vec::new(),
        wheel,
    };
    layout.place_files(environment)?;
    layout.add_scripts(environment);
    layout.add_installer_metadata(metadata);
    // Without a hash, which RECORD cannot have of itself.
    layout.rows.push(RecordRow::bare(layout.record_path(&layout.info.join("RECORD"))));
    layout.write_record();
    layout.check(environment).map_err(LayoutError::Refused)?;
    Ok(layout)
}

impl WheelLayout {
    /// Assigns each file of the wheel its path.
    fn place_files(&mut self, environment: &Environment) -> Result<(), LayoutError> {
        let data = format!("{}.data/", self.wheel.manifest.stem);
        // Cheap, since the manifest is shared; `self` is changed while it is read.
        let wheel = self.wheel.clone();
        self.links.reserve(wheel.manifest.files.len());
        self.rows.reserve(wheel.manifest.files.len() + 8);
        for (at, file) in wheel.manifest.files.iter().enumerate() {
            let Some((scheme, rest)) = file.path.strip_prefix(&data).and_then(|path| path.split_once('/'))
            else {
                self.links.push(LinkedFile { file: at, to: self.site.join(&file.path) });
                self.rows.push(row(file.path.clone(), file));
                continue;
            };
            // Two launchers for one name would be a conflict of the package with itself.
            if scheme == "scripts" && self.is_entry_point(rest) {
                continue;
            }
            let to = match scheme {
                "purelib" => environment.scheme.purelib.join(rest),
                "platlib" => environment.scheme.platlib.join(rest),
                "scripts" => environment.scheme.scripts.join(rest),
                "headers" => environment.headers_of(&self.name).join(rest),
                _ => environment.scheme.data.join(rest),
            };
            match file.kind {
                FileKind::Plain => {
                    self.rows.push(row(self.record_path(&to), file));
                    self.links.push(LinkedFile { file: at, to });
                }
                FileKind::Script => {
                    let text = read_checked(&wheel.files.join(&file.path), file)?;
                    self.write(
                        to,
                        scripts::with_interpreter(&text, &environment.python),
                        FileMode::Executable,
                    );
                }
            }
        }
        Ok(())
    }

    /// Whether an entry point makes this script anyway: old builders put their own launchers into wheels.
    fn is_entry_point(&self, script: &str) -> bool {
        let name = script.strip_suffix("-script.py").unwrap_or(script);
        self.wheel.manifest.scripts.iter().any(|made| made.name == name)
    }

    fn add_scripts(&mut self, environment: &Environment) {
        for script in self.wheel.manifest.scripts.clone() {
            let to = environment.scheme.scripts.join(&script.name);
            self.write(to, scripts::launcher(&script, &environment.python), FileMode::Executable);
        }
    }

    fn add_installer_metadata(&mut self, metadata: InstallerMetadata<'_>) {
        self.write(self.info.join("INSTALLER"), b"pinfast\n".to_vec(), FileMode::Plain);
        if metadata.requested == Requested::ByUser {
            self.write(self.info.join("REQUESTED"), Vec::new(), FileMode::Plain);
        }
        if let Some(url) = &metadata.pin.url {
            let text = direct_url(&url.to_string(), &self.wheel.key.archive);
            self.write(self.info.join("direct_url.json"), text.into_bytes(), FileMode::Plain);
        }
    }

    fn write(&mut self, to: PathBuf, content: Vec<u8>, mode: FileMode) {
        let row = RecordRow::of(self.record_path(&to), &content);
        self.writes.push(WrittenFile { to, content, digest: row.digest.clone(), mode });
        self.rows.push(row);
    }

    /// The path in RECORD's form.
    pub(super) fn record_path(&self, path: &Path) -> String {
        relative_path(path, &self.site)
    }

    /// Writes the rows to the text of RECORD.
    pub(super) fn write_record(&mut self) {
        // Sorted, so that the same installation writes the same bytes, and the journal's hash of them holds.
        self.rows.sort();
        self.record = record::write(&self.rows);
    }

    /// The paths of its files, except for RECORD.
    pub(super) fn targets(&self) -> impl Iterator<Item = &Path> {
        let links = self.links.iter().map(|link| link.to.as_path());
        links.chain(self.writes.iter().map(|write| write.to.as_path()))
    }

    /// The names of its files and folders directly in the site folder.
    pub(super) fn top_level(&self) -> BTreeSet<String> {
        let rows = self.rows.iter().map(|row| row.path.split('/').next().unwrap_or_default());
        let names: BTreeSet<&str> = rows.filter(|name| *name != "..").collect();
        names.into_iter().map(str::to_owned).collect()
    }

    /// Its files, except for RECORD.
    pub(super) fn placed_files(&self, root: &Path) -> impl Iterator<Item = PlacedFile> {
        let from_cache =
            self.links.iter().map(|link| (&link.to, self.wheel.manifest.files[link.file].stamp.size));
        let written = self.writes.iter().map(|write| (&write.to, write.content.len() as u64));
        from_cache.chain(written).map(move |(to, size)| {
            let path = to.strip_prefix(&self.site).or_else(|_| to.strip_prefix(root)).unwrap_or(to);
            PlacedFile { path: path.to_owned(), size }
        })
    }

    /// Refuses a file that would leave the environment, or overwrite what makes it one.
    fn check(&self, environment: &Environment) -> Result<()> {
        // Deeper than the scheme's own folders, all files of one folder get the same answer.
        let mut last = OsStr::new("");
        let bad = self.targets().find(|to| {
            let folder = to.parent().unwrap_or(to);
            let is_checked = folder.as_os_str() == last && !environment.is_base(folder);
            last = folder.as_os_str();
            !is_checked && (environment.is_reserved(to) || !environment.is_inside(to))
        });
        match bad {
            None => Ok(()),
            Some(path) => Err(Error::refused(format!(
                "{} {} wants to write {}, which belongs to the environment itself",
                self.name,
                self.wheel.manifest.version,
                path.display()
            ))
            .hint("nothing was installed; do not trust this package")),
        }
    }
}

fn row(path: String, file: &CachedFile) -> RecordRow {
    if file.digest.is_empty() {
        return RecordRow::bare(path);
    }
    RecordRow { path, digest: file.digest.clone(), size: file.stamp.size.to_string() }
}

/// Reads a file of the cache that cannot be linked, and checks it: its stamp is compared only when linking.
fn read_checked(path: &Path, file: &CachedFile) -> Result<Vec<u8>, LayoutError> {
    let content = disk::read(path, file.stamp.size).map_err(|_| LayoutError::Damaged)?;
    let expected = RecordDigest::parse(&file.digest);
    let algorithm = expected.as_ref().map_or(HashAlgorithm::Sha256, |expected| expected.algorithm);
    let (found, _) = record::hash(content.as_slice(), algorithm).map_err(|_| LayoutError::Damaged)?;
    if expected == Some(found) { Ok(content) } else { Err(LayoutError::Damaged) }
}

/// The text of `direct_url.json` (PyPA "Recording the direct URL origin").
fn direct_url(url: &str, sha256: &Sha256) -> String {
    let url = serde_json::Value::from(url);
    format!(
        "{{\"archive_info\": {{\"hash\": \"sha256={sha256}\", \"hashes\": {{\"sha256\": \"{sha256}\"}}}}, \"url\": {url}}}"
    )
}

//! Uninstalls distributions: exactly the files that their RECORDs list (PyPA "Recording installed projects").
//!
//! Three kinds of listed files stay all the same: those outside the environment, those behind a link, and those
//! that make the environment one.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use rustc_hash::FxHashSet;

use super::disk;
use super::environment::Environment;
use super::installed::{InstalledDistribution, OwnedFile, Provenance, RecordError};
use pinfast_base::error::{Error, Result};
use pinfast_files::{is_absent, path_error};

/// What will be removed of one distribution.
#[derive(Clone, Debug)]
pub(super) struct Removal {
    pub(super) distribution: InstalledDistribution,
    /// Its files, except for RECORD.
    pub(super) files: Vec<OwnedFile>,
    /// Paths in its RECORD that are not its own, in RECORD's form: they stay.
    pub(super) foreign: Vec<String>,
}

/// Plans a removal; changes nothing.
pub(super) fn plan_removal(
    distribution: &InstalledDistribution,
    environment: &Environment,
) -> Result<Removal> {
    let (owned, outside) = match distribution.owned(environment) {
        Ok(found) => found,
        // RECORD is written before every other file and removed after them: without one, there are no files.
        Err(_) if distribution.provenance == Provenance::Unfinished => (Vec::new(), Vec::new()),
        Err(why) => return Err(unremovable(distribution, &why)),
    };
    let (reserved, owned): (Vec<_>, Vec<_>) =
        owned.into_iter().partition(|owned| environment.is_reserved(&owned.path));
    let foreign = outside.into_iter().chain(reserved.into_iter().map(|owned| owned.row)).map(|row| row.path);
    let record = distribution.info.join("RECORD");
    Ok(Removal {
        distribution: distribution.clone(),
        files: owned.into_iter().filter(|owned| owned.path != record).collect(),
        foreign: foreign.collect(),
    })
}

fn unremovable(distribution: &InstalledDistribution, why: &RecordError) -> Error {
    let what = match why {
        RecordError::Missing => "is missing".to_owned(),
        RecordError::Unreadable(what) => what.clone(),
    };
    let record = distribution.info.join("RECORD");
    Error::no(format!("{} cannot be uninstalled: {} {what}", distribution.label(), record.display()))
        .hint("make a new environment: remove its folder and run the command again")
}

/// Removes all files except `shared`, which a distribution that stays owns, too.
pub(super) fn remove(
    removals: &[Removal],
    shared: &FxHashSet<PathBuf>,
    environment: &Environment,
) -> Result<()> {
    removals.par_iter().try_for_each(|removal| remove_one(removal, shared, environment))?;
    // Folders go last, when no parallel removal reads them any more.
    let mut folders: Vec<&Path> = removals.iter().flat_map(Removal::folders).collect();
    folders.sort_unstable();
    folders.dedup();
    // Backwards, so that a folder comes after those in it.
    folders.iter().rev().for_each(|folder| prune(folder, environment));
    Ok(())
}

fn remove_one(removal: &Removal, shared: &FxHashSet<PathBuf>, environment: &Environment) -> Result<()> {
    let mut real = RealFolders::default();
    for owned in removal.files.iter().filter(|owned| !shared.contains(&owned.path)) {
        // Behind a link, the file belongs to whatever the link leads to.
        if real.has_no_link(&owned.path, environment) {
            remove_file(&owned.path)?;
            remove_compiled(&owned.path)?;
        }
    }
    let info = &removal.distribution.info;
    if fs::symlink_metadata(info).is_ok_and(|metadata| metadata.is_dir()) {
        let record = info.join("RECORD");
        // RECORD goes last: a killed run leaves a list of what else there may be.
        remove_all_but(info, &record)?;
        disk::remove_file(&record)?;
        // Fails if it is not empty, and then it stays.
        let _ = fs::remove_dir(info);
    }
    Ok(())
}

/// Removes a file; a folder in its place stays.
fn remove_file(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if is_absent(&error) || error.kind() == io::ErrorKind::IsADirectory => Ok(()),
        Err(error) => Err(path_error("remove", path, error)),
        Ok(()) => Ok(()),
    }
}

/// Removes the byte code of a removed source: RECORD need not list it (PEP 3147).
fn remove_compiled(source: &Path) -> Result<()> {
    let (Some("py"), Some(stem), Some(folder)) = (
        source.extension().and_then(|e| e.to_str()),
        source.file_stem().and_then(|s| s.to_str()),
        source.parent(),
    ) else {
        return Ok(());
    };
    let cache = folder.join("__pycache__");
    let Ok(metadata) = fs::symlink_metadata(&cache) else { return Ok(()) };
    if !metadata.is_dir() {
        return Ok(());
    }
    let entries = fs::read_dir(&cache).map_err(|error| path_error("list", &cache, error))?;
    for entry in entries {
        let entry = entry.map_err(|error| path_error("list", &cache, error))?;
        if is_compiled_from(&entry.file_name().to_string_lossy(), stem) {
            disk::remove_file(&entry.path())?;
        }
    }
    Ok(())
}

/// Whether a file of `__pycache__` was compiled from the module `stem`.
pub(super) fn is_compiled_from(name: &str, stem: &str) -> bool {
    let rest = name.strip_prefix(stem).and_then(|rest| rest.strip_prefix('.')?.strip_suffix(".pyc"));
    // The tag of the interpreter, and how far it optimised.
    rest.is_some_and(|tag| !tag.split_once(".opt-").map_or(tag, |(tag, _)| tag).contains('.'))
}

/// Removes what other tools left in a `.dist-info` folder.
fn remove_all_but(folder: &Path, keep: &Path) -> Result<()> {
    let entries = fs::read_dir(folder).map_err(|error| path_error("list", folder, error))?;
    for entry in entries {
        let path = entry.map_err(|error| path_error("list", folder, error))?.path();
        if path == keep {
            continue;
        }
        let metadata = fs::symlink_metadata(&path).map_err(|error| path_error("look at", &path, error))?;
        if metadata.is_dir() { disk::remove_tree(&path)? } else { disk::remove_file(&path)? }
    }
    Ok(())
}

impl Removal {
    /// The folders of its files.
    fn folders(&self) -> impl Iterator<Item = &Path> {
        self.files.iter().filter_map(|owned| owned.path.parent())
    }
}

/// Removes a folder and those above it while they are empty, up to the folders of the scheme.
fn prune(folder: &Path, environment: &Environment) {
    let mut folder = folder;
    while environment.is_inside(folder) && !environment.bases().contains(&folder) {
        // The byte code in it was removed with its sources.
        let _ = fs::remove_dir(folder.join("__pycache__"));
        if fs::remove_dir(folder).is_err() && folder.exists() {
            return;
        }
        let Some(parent) = folder.parent() else { return };
        folder = parent;
    }
}

/// Folders that are known not to be links, so that each is looked at once.
#[derive(Default)]
struct RealFolders {
    real: FxHashSet<PathBuf>,
}

impl RealFolders {
    /// Whether no folder between the environment and `path` is a link.
    fn has_no_link(&mut self, path: &Path, environment: &Environment) -> bool {
        let Some(folder) = path.parent() else { return false };
        if self.real.contains(folder) || environment.bases().contains(&folder) || folder == environment.root {
            return true;
        }
        let real = environment.is_inside(folder)
            && fs::symlink_metadata(folder).is_ok_and(|metadata| metadata.is_dir())
            && self.has_no_link(folder, environment);
        if real {
            self.real.insert(folder.to_owned());
        }
        real
    }
}

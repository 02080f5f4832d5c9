//! The journal of an environment: a write-ahead log of one entry, and where each distribution came from.
//!
//! ```text
//! VENV/.pinfast/
//! ├── lock           locked while a run changes or reads the environment
//! ├── origins.json   the archive of each distribution, and the RECORD that was written for it
//! └── unfinished     while a run changes something: the `.dist-info` folders that it changes
//! ```
//!
//! `unfinished` is written and synced before the first change, and removed after the last. If a run is killed in
//! between, the next one reinstalls what it lists.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::disk::{self, Durability};
use super::environment::Environment;
use super::installed::{InstalledDistribution, Provenance};
use super::layout::WheelLayout;
use pinfast_base::error::{Error, Result};
use pinfast_base::event::{Event, Watcher};
use pinfast_cache::WriteStamp;
use pinfast_files::{is_absent, path_error};
use pinfast_packaging::Sha256;

/// The journal of one environment.
#[derive(Debug)]
pub(super) struct InstallJournal {
    folder: PathBuf,
    root: PathBuf,
    /// The interpreter that scripts name. In an environment that was moved it is another one, and everything
    /// has to be reinstalled.
    python: String,
    /// Where each distribution came from, by the path of its `.dist-info` folder.
    origins: BTreeMap<String, ProvenanceRecord>,
    /// The `.dist-info` folders that a killed run was changing.
    unfinished: BTreeSet<String>,
}

/// A lock on an environment, released when dropped.
#[derive(Debug)]
pub(super) struct EnvironmentLock {
    _file: Option<File>,
}

/// What an installation records of a distribution that it has installed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct ProvenanceRecord {
    archive: String,
    /// The hash of RECORD, for where its stamp differs: a copied environment has other times.
    record: String,
    #[serde(flatten)]
    stamp: WriteStamp,
    /// The names of its files and folders directly in the site folder.
    #[serde(rename = "tops")]
    top_level: BTreeSet<String>,
}

/// The format of `origins.json`; another format counts as no journal.
const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
struct ProvenanceFile {
    version: u32,
    python: String,
    distributions: BTreeMap<String, ProvenanceRecord>,
}

/// Waits until no other run uses the environment, then locks it for changes.
pub(super) fn lock_exclusive(environment: &Environment, watcher: &dyn Watcher) -> Result<EnvironmentLock> {
    let folder = environment.journal_folder();
    disk::create_dirs(&folder)?;
    let path = folder.join("lock");
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
    let file = file.map_err(|error| path_error("open", &path, error))?;
    // Tried first, so that only a run that really waits says so.
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            watcher.on(Event::Step(format!("waiting for another run in {}", environment.root.display())));
            file.lock().map_err(|error| path_error("lock", &path, error))?;
        }
        Err(TryLockError::Error(error)) => return Err(path_error("lock", &path, error)),
    }
    Ok(EnvironmentLock { _file: Some(file) })
}

/// Waits until no run changes the environment, then locks it for reading. Without a lock file no run has ever
/// changed it, so none is needed.
pub(super) fn lock_shared(environment: &Environment) -> EnvironmentLock {
    let file = File::open(environment.journal_folder().join("lock")).ok();
    // An environment that cannot be locked, on a disk without locks say, can still be read.
    EnvironmentLock { _file: file.filter(|file| file.lock_shared().is_ok()) }
}

impl InstallJournal {
    /// Reads the journal. Without one, or with a damaged one, every distribution is foreign.
    pub(super) fn read(environment: &Environment) -> Result<Self> {
        let folder = environment.journal_folder();
        let origins = match fs::read(folder.join("origins.json")) {
            Ok(text) => serde_json::from_slice::<ProvenanceFile>(&text).ok(),
            Err(error) if is_absent(&error) => None,
            Err(error) => return Err(path_error("read", &folder.join("origins.json"), error)),
        };
        let python = environment.python.to_string_lossy().into_owned();
        let sound =
            |origins: &ProvenanceFile| origins.version == VERSION && is_same(&origins.python, &python);
        let origins = origins.filter(sound);
        let unfinished = match fs::read_to_string(folder.join("unfinished")) {
            Ok(text) => text.lines().map(str::to_owned).collect(),
            Err(error) if is_absent(&error) => BTreeSet::new(),
            Err(error) => return Err(path_error("read", &folder.join("unfinished"), error)),
        };
        let origins = origins.map(|origins| origins.distributions).unwrap_or_default();
        Ok(Self { folder, root: environment.root.clone(), python, origins, unfinished })
    }

    /// Whether a run was killed while it changed the environment.
    pub(super) fn is_unfinished(&self) -> bool {
        self.folder.join("unfinished").exists()
    }

    /// How a distribution came into the environment.
    pub(super) fn provenance(&self, installed: &InstalledDistribution) -> Provenance {
        let key = self.key(&installed.info);
        if self.unfinished.contains(&key) {
            return Provenance::Unfinished;
        }
        let Some(recorded) = self.origins.get(&key) else { return Provenance::Foreign };
        let path = installed.info.join("RECORD");
        let Ok(metadata) = fs::symlink_metadata(&path) else { return Provenance::Foreign };
        // The stamp first: hashing each RECORD would dominate a run that changes nothing.
        let same = WriteStamp::of(&metadata) == recorded.stamp
            || fs::read(&path).is_ok_and(|text| hash(&text) == recorded.record);
        match recorded.archive.parse() {
            Ok(archive) if same => Provenance::Archive(archive),
            _ => Provenance::Foreign,
        }
    }

    /// The names of a distribution's files directly in the site folder; `None` if its RECORD has changed.
    pub(super) fn top_level(&self, installed: &InstalledDistribution) -> Option<&BTreeSet<String>> {
        let recorded = self.origins.get(&self.key(&installed.info))?;
        matches!(installed.provenance, Provenance::Archive(_)).then_some(&recorded.top_level)
    }

    /// Writes, before the first change, which distributions a run is about to change. Until
    /// [`InstallJournal::finish`], each of them counts as unfinished.
    pub(super) fn begin(&mut self, infos: impl IntoIterator<Item = PathBuf>) -> Result<()> {
        let infos: Vec<_> = infos.into_iter().map(|info| self.key(&info)).collect();
        self.unfinished.extend(infos);
        let mut text = self.unfinished.iter().fold(String::new(), |text, info| text + info + "\n");
        // With no folder to name, the file still shows that a run was not finished.
        if text.is_empty() {
            text.push('\n');
        }
        disk::replace(&self.folder.join("unfinished"), text.as_bytes(), Durability::Synced)?;
        // The file itself is synced, but not yet its name in the folder.
        sync_folder(&self.folder)
    }

    /// Writes, after the last change, where each distribution came from; then nothing is unfinished.
    pub(super) fn finish(&mut self, removed: &[PathBuf], added: &[WheelLayout]) -> Result<()> {
        for info in removed {
            self.origins.remove(&self.key(info));
        }
        for layout in added {
            let path = layout.info.join("RECORD");
            let metadata = fs::metadata(&path).map_err(|error| path_error("read", &path, error))?;
            let recorded = ProvenanceRecord {
                archive: layout.wheel.key.archive.to_string(),
                record: hash(&layout.record),
                stamp: WriteStamp::of(&metadata),
                top_level: layout.top_level(),
            };
            self.origins.insert(self.key(&layout.info), recorded);
        }
        let origins = ProvenanceFile {
            version: VERSION,
            python: self.python.clone(),
            distributions: self.origins.clone(),
        };
        let text = serde_json::to_vec(&origins)
            .map_err(|error| Error::no_answer("cannot write down what was installed").because(error))?;
        // If a power failure loses this, everything is foreign or unfinished, and is reinstalled.
        disk::replace(&self.folder.join("origins.json"), &text, Durability::Loose)?;
        disk::remove_file(&self.folder.join("unfinished"))?;
        self.unfinished.clear();
        Ok(())
    }
}

impl InstallJournal {
    /// The name of a distribution in the journal.
    fn key(&self, info: &Path) -> String {
        info.strip_prefix(&self.root).unwrap_or(info).to_string_lossy().into_owned()
    }
}

/// Whether two paths name the same file in the same folder, whatever links lead to the folder.
fn is_same(a: &str, b: &str) -> bool {
    let location = |path: &str| {
        Some((fs::canonicalize(Path::new(path).parent()?).ok()?, Path::new(path).file_name()?.to_owned()))
    };
    a == b || location(a).is_some_and(|a| location(b) == Some(a))
}

fn hash(text: &[u8]) -> String {
    Sha256::of(text).to_string()
}

/// Makes renames in a folder durable.
fn sync_folder(folder: &Path) -> Result<()> {
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(|error| path_error("write", folder, error))
}

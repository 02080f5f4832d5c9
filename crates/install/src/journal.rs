//! The notes that an installation keeps in the environment: a lock against other runs, what came from
//! which archive, and, while it changes anything, what it is changing.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::disk::{self, Durability};
use super::environment::Environment;
use super::installed::{InstalledDistribution, Provenance};
use super::layout::WheelLayout;
use pinfast_base::error::{Error, Result};
use pinfast_base::event::{Event, Watcher};
use pinfast_files::{is_absent, path_error};
use pinfast_packaging::Sha256;

/// The notes of an environment.
#[derive(Debug)]
pub(super) struct InstallJournal {
    folder: PathBuf,
    root: PathBuf,
    /// The interpreter that scripts name: an environment that was moved has to be installed anew.
    python: String,
    /// From which archive each distribution came, by the path of its `.dist-info` folder.
    origins: BTreeMap<String, ProvenanceRecord>,
    /// The `.dist-info` folders that an unfinished run was changing.
    unfinished: BTreeSet<String>,
}

/// A lock on an environment, for as long as it lives.
#[derive(Debug)]
pub(super) struct EnvironmentLock {
    _file: Option<File>,
}

/// What an installation noted of a distribution when it was done with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct ProvenanceRecord {
    archive: String,
    record: String,
    size: u64,
    seconds: i64,
    nanoseconds: i64,
    /// The entries of the site folder that it has files in.
    #[serde(rename = "tops")]
    top_level: BTreeSet<String>,
}

/// The form of the notes; notes of another form are as good as none.
const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
struct ProvenanceFile {
    version: u32,
    python: String,
    distributions: BTreeMap<String, ProvenanceRecord>,
}

/// Waits until no other run changes the environment, then holds it.
pub(super) fn lock_exclusive(environment: &Environment, watcher: &dyn Watcher) -> Result<EnvironmentLock> {
    let folder = environment.notes();
    disk::create_dirs(&folder)?;
    let path = folder.join("lock");
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
    let file = file.map_err(|error| path_error("open", &path, error))?;
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

/// Waits until no run changes the environment, and keeps others from it while reading. An environment
/// that nobody can change needs no lock.
pub(super) fn lock_shared(environment: &Environment) -> EnvironmentLock {
    let file = File::open(environment.notes().join("lock")).ok();
    EnvironmentLock { _file: file.filter(|file| file.lock_shared().is_ok()) }
}

impl InstallJournal {
    /// Reads the notes; where there are none, or they are damaged, everything is foreign.
    pub(super) fn read(environment: &Environment) -> Result<Self> {
        let folder = environment.notes();
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

    /// Whether a run that changed the environment was not finished.
    pub(super) fn is_unfinished(&self) -> bool {
        self.folder.join("unfinished").exists()
    }

    /// How a distribution came here.
    pub(super) fn provenance(&self, installed: &InstalledDistribution) -> Provenance {
        let key = self.key(&installed.info);
        if self.unfinished.contains(&key) {
            return Provenance::Unfinished;
        }
        let Some(noted) = self.origins.get(&key) else { return Provenance::Foreign };
        let path = installed.info.join("RECORD");
        let Ok(metadata) = fs::symlink_metadata(&path) else { return Provenance::Foreign };
        let same_look = (metadata.size(), metadata.mtime(), metadata.mtime_nsec())
            == (noted.size, noted.seconds, noted.nanoseconds);
        let same = same_look || fs::read(&path).is_ok_and(|text| hash(&text) == noted.record);
        match noted.archive.parse() {
            Ok(archive) if same => Provenance::Archive(archive),
            _ => Provenance::Foreign,
        }
    }

    /// The entries of the site folder that a distribution has files in, where its RECORD is as noted.
    pub(super) fn top_level(&self, installed: &InstalledDistribution) -> Option<&BTreeSet<String>> {
        let noted = self.origins.get(&self.key(&installed.info))?;
        matches!(installed.provenance, Provenance::Archive(_)).then_some(&noted.top_level)
    }

    /// Notes, before the first change, which distributions a run is about to change: until
    /// [`InstallJournal::finish`], each of them counts as unfinished.
    pub(super) fn begin(&mut self, infos: impl IntoIterator<Item = PathBuf>) -> Result<()> {
        let infos: Vec<_> = infos.into_iter().map(|info| self.key(&info)).collect();
        self.unfinished.extend(infos);
        let mut text = self.unfinished.iter().fold(String::new(), |text, info| text + info + "\n");
        if text.is_empty() {
            text.push('\n');
        }
        disk::replace(&self.folder.join("unfinished"), text.as_bytes(), Durability::Synced)?;
        sync_folder(&self.folder)
    }

    /// Notes that the run is done: what each distribution came from, and that nothing is unfinished.
    pub(super) fn finish(&mut self, gone: &[PathBuf], come: &[WheelLayout]) -> Result<()> {
        for info in gone {
            self.origins.remove(&self.key(info));
        }
        for layout in come {
            let path = layout.info.join("RECORD");
            let metadata = fs::metadata(&path).map_err(|error| path_error("read", &path, error))?;
            let noted = ProvenanceRecord {
                archive: layout.wheel.key.archive.to_string(),
                record: hash(&layout.record),
                size: metadata.size(),
                seconds: metadata.mtime(),
                nanoseconds: metadata.mtime_nsec(),
                top_level: layout.top_level(),
            };
            self.origins.insert(self.key(&layout.info), noted);
        }
        let origins = ProvenanceFile {
            version: VERSION,
            python: self.python.clone(),
            distributions: self.origins.clone(),
        };
        let text = serde_json::to_vec(&origins)
            .map_err(|error| Error::no_answer("cannot write down what was installed").because(error))?;
        // Losing this to a power failure makes everything foreign, or unfinished: it is installed anew.
        disk::replace(&self.folder.join("origins.json"), &text, Durability::Loose)?;
        disk::remove_file(&self.folder.join("unfinished"))?;
        self.unfinished.clear();
        Ok(())
    }
}

impl InstallJournal {
    /// How the notes call a distribution.
    fn key(&self, info: &Path) -> String {
        info.strip_prefix(&self.root).unwrap_or(info).to_string_lossy().into_owned()
    }
}

/// Whether two paths name one program, however the way there is spelled.
fn is_same(a: &str, b: &str) -> bool {
    let place = |path: &str| {
        Some((fs::canonicalize(Path::new(path).parent()?).ok()?, Path::new(path).file_name()?.to_owned()))
    };
    a == b || place(a).is_some_and(|a| place(b) == Some(a))
}

fn hash(text: &[u8]) -> String {
    Sha256::of(text).to_string()
}

/// Makes the names in a folder last, where the disk can.
fn sync_folder(folder: &Path) -> Result<()> {
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(|error| path_error("write", folder, error))
}

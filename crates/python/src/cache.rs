//! The answers of interpreters on disk: one small JSON file for each interpreter.
//!
//! An answer holds for as long as the interpreter's file (its path, what its links lead to, size and
//! times), the `pyvenv.cfg` of its virtual environment, the operating system and the question itself
//! stay the same. A record that is damaged, or belongs to another state, means asking again. The answer
//! of another program than the one that was started (behind a shim) is never remembered: which one
//! answers depends on more.

use std::fs::{self, File, Metadata};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};

use super::probe::{Probe, SCRIPT};
use pinfast_packaging::Sha256;

/// How long a record may be.
const RECORD_LIMIT: u64 = 1 << 20;

/// Files whose state is that of the operating system: kernel (a marker tells it) and distribution.
const SYSTEM_FILES: [&str; 4] = [
    "/proc/sys/kernel/osrelease",
    "/proc/sys/kernel/version",
    "/etc/os-release",
    "/System/Library/CoreServices/SystemVersion.plist",
];

/// A folder of answers. It may be deleted at any time; trouble with it is as if it were empty.
#[derive(Clone, Debug)]
pub struct ProbeCache {
    folder: PathBuf,
}

/// The state of an interpreter for which an answer holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Key {
    path: PathBuf,
    resolved: PathBuf,
    file: Stamp,
    venv: Option<Stamp>,
    system: Sha256Text,
    question: Sha256Text,
}

/// A digest as 64 hexadecimal digits.
type Sha256Text = String;

/// The state of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Stamp {
    size: u64,
    modified: u128,
    changed: i128,
}

#[derive(Serialize, Deserialize)]
struct Record {
    key: Key,
    probe: Probe,
}

impl ProbeCache {
    /// The answers in `folder`, which is made when there is something to remember.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    pub(super) fn get(&self, key: &Key) -> Option<Probe> {
        let mut text = Vec::new();
        File::open(self.file(key)).ok()?.take(RECORD_LIMIT).read_to_end(&mut text).ok()?;
        let record: Record = serde_json::from_slice(&text).ok()?;
        (record.key == *key).then_some(record.probe)
    }

    /// Remembers the interpreter's own answer; a cache that cannot be written is as good as none.
    pub(super) fn put(&self, key: &Key, probe: &Probe) {
        if !key.is_of(&probe.executable) {
            return;
        }
        let record = Record { key: key.clone(), probe: probe.clone() };
        let _ = serde_json::to_vec(&record)
            .map_err(std::io::Error::from)
            .and_then(|text| self.write(&self.file(key), &text));
    }

    /// One file a path: a new state of the interpreter replaces the old one's answer.
    fn file(&self, key: &Key) -> PathBuf {
        self.folder.join(format!("{}.json", Sha256::of(key.path.as_os_str().as_encoded_bytes())))
    }

    fn write(&self, file: &Path, text: &[u8]) -> std::io::Result<()> {
        fs::create_dir_all(&self.folder)?;
        let mut temporary = tempfile::NamedTempFile::new_in(&self.folder)?;
        temporary.write_all(text)?;
        temporary.persist(file)?;
        Ok(())
    }
}

impl Key {
    /// The state of the interpreter at `path`; `None` where there is none.
    pub(super) fn of(path: &Path) -> Option<Self> {
        let path = std::path::absolute(path).ok()?;
        let resolved = fs::canonicalize(&path).ok()?;
        Some(Self {
            file: Stamp::of(&fs::metadata(&resolved).ok()?),
            venv: venv_config(&path).and_then(|file| fs::metadata(file).ok()).map(|m| Stamp::of(&m)),
            system: system(),
            question: Sha256::of(SCRIPT.as_bytes()).to_string(),
            path,
            resolved,
        })
    }

    /// Whether `executable`, which answered, is the program that was started.
    fn is_of(&self, executable: &Path) -> bool {
        fs::canonicalize(executable).is_ok_and(|resolved| resolved == self.resolved)
    }
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        let modified = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        Self {
            size: metadata.len(),
            modified: modified.map_or(0, |since| since.as_nanos()),
            changed: changed(metadata),
        }
    }
}

/// When the file's inode changed: it tells images apart that set all other times to a constant.
#[cfg(unix)]
fn changed(metadata: &Metadata) -> i128 {
    use std::os::unix::fs::MetadataExt as _;
    i128::from(metadata.ctime()) * 1_000_000_000 + i128::from(metadata.ctime_nsec())
}

#[cfg(not(unix))]
fn changed(_metadata: &Metadata) -> i128 {
    0
}

/// The `pyvenv.cfg` beside the interpreter or one folder up, where Python itself looks for it.
fn venv_config(interpreter: &Path) -> Option<PathBuf> {
    let folder = interpreter.parent()?;
    [Some(folder), folder.parent()]
        .into_iter()
        .flatten()
        .map(|folder| folder.join("pyvenv.cfg"))
        .find(|file| file.is_file())
}

fn system() -> Sha256Text {
    let mut state = Vec::new();
    for file in SYSTEM_FILES {
        let _ = File::open(file).and_then(|file| file.take(1 << 16).read_to_end(&mut state));
        state.push(0);
    }
    Sha256::of(&state).to_string()
}

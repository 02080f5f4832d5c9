//! Interpreters' answers in the cache: one JSON record for each path of an interpreter.
//!
//! An answer holds as long as the interpreter's state is the same: its path and what its links lead to, its
//! file's stamp, the `pyvenv.cfg` of its virtual environment, the operating system, and the probe itself.
//! An answer is remembered only if the program that was started gave it. A shim starts another program, and
//! which one depends on more than this state.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::probe::{Probe, SCRIPT};
use pinfast_cache::{Bucket, Cache, CacheKey, CacheLookup, ProgramStamp};
use pinfast_packaging::Sha256;

/// Files that change with the operating system: kernel (`platform_release` is a marker) and distribution.
const SYSTEM_FILES: [&str; 4] = [
    "/proc/sys/kernel/osrelease",
    "/proc/sys/kernel/version",
    "/etc/os-release",
    "/System/Library/CoreServices/SystemVersion.plist",
];

/// The state of an interpreter for which an answer holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct InterpreterState {
    path: PathBuf,
    resolved: PathBuf,
    file: ProgramStamp,
    venv: Option<ProgramStamp>,
    system: HexDigest,
    question: HexDigest,
}

/// A SHA-256 as 64 hexadecimal digits.
type HexDigest = String;

/// What is remembered. The digest of the probe, `key.question`, is the format counter of the bucket: another
/// probe has other answers.
#[derive(Serialize, Deserialize)]
struct ProbeRecord {
    key: InterpreterState,
    probe: Probe,
}

impl InterpreterState {
    /// The state of the interpreter at `path`; `None` if there is none.
    pub(super) fn of(path: &Path) -> Option<Self> {
        let path = std::path::absolute(path).ok()?;
        let resolved = fs::canonicalize(&path).ok()?;
        let stamp = |file: &Path| Some(ProgramStamp::of(&fs::metadata(file).ok()?));
        Some(Self {
            file: stamp(&resolved)?,
            venv: venv_config(&path).and_then(|file| stamp(&file)),
            system: system_digest(),
            question: Sha256::of(SCRIPT.as_bytes()).to_string(),
            path,
            resolved,
        })
    }

    /// The answer that `cache` has for this state.
    pub(super) fn recall(&self, cache: &Cache) -> Option<Probe> {
        let CacheLookup::Hit(text) = cache.read(Bucket::Interpreters, &self.key()) else { return None };
        let record: ProbeRecord = serde_json::from_slice(&text).ok()?;
        (record.key == *self).then_some(record.probe)
    }

    /// Puts the interpreter's own answer into `cache`.
    pub(super) fn remember(&self, probe: &Probe, cache: &Cache) {
        if !self.is_of(&probe.executable) {
            return;
        }
        let record = ProbeRecord { key: self.clone(), probe: probe.clone() };
        // Without a cache, or with one that cannot be written, the next run asks again.
        let _ = serde_json::to_vec(&record)
            .map_err(std::io::Error::from)
            .and_then(|text| cache.write(Bucket::Interpreters, &self.key(), &text));
    }

    /// One record a path: the answer for a new state replaces the old one's.
    fn key(&self) -> CacheKey {
        Sha256::of(self.path.as_os_str().as_encoded_bytes()).into()
    }

    /// Whether `executable`, which answered, is the program that was started.
    fn is_of(&self, executable: &Path) -> bool {
        fs::canonicalize(executable).is_ok_and(|resolved| resolved == self.resolved)
    }
}

/// The `pyvenv.cfg` beside the interpreter or one folder up, where Python itself looks for it (PEP 405).
fn venv_config(interpreter: &Path) -> Option<PathBuf> {
    let folder = interpreter.parent()?;
    [Some(folder), folder.parent()]
        .into_iter()
        .flatten()
        .map(|folder| folder.join("pyvenv.cfg"))
        .find(|file| file.is_file())
}

fn system_digest() -> HexDigest {
    let mut state = Vec::new();
    for file in SYSTEM_FILES {
        let _ = File::open(file).and_then(|file| file.take(1 << 16).read_to_end(&mut state));
        state.push(0);
    }
    Sha256::of(&state).to_string()
}

//! The advisory lock of a root: `flock` on `.pinfast/lock`.
//!
//! The kernel releases it when the process ends, however it ends, and no child process inherits it. The file
//! names its owner and is never removed.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Seek as _, Write as _};
use std::path::Path;

use jiff::Timestamp;

use super::root::DeployRoot;
use pinfast_base::error::{Error, Result};
use pinfast_base::event::{Event, Watcher};
use pinfast_files::path_error;

/// The lock of a root, released when dropped.
#[derive(Debug)]
pub(super) struct RootLock {
    _file: File,
}

/// What a run does if another one holds the lock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WhenLocked {
    /// It fails, and names the owner.
    #[default]
    Fail,
    /// It waits for the other run to end.
    Wait,
}

impl RootLock {
    /// Locks `root` in the name of the user `by`.
    ///
    /// # Errors
    /// No answer: another run holds the lock and `when_locked` is `Fail`, or the disk refuses.
    pub(super) fn acquire(
        root: &DeployRoot,
        by: &str,
        when_locked: WhenLocked,
        watcher: &dyn Watcher,
    ) -> Result<Self> {
        let path = root.state_folder().join("lock");
        let mut file = OpenOptions::new()
            .create(true)
            // Until this run has the lock, the file names its owner.
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(|error| path_error("open", &path, error))?;
        match (file.try_lock(), when_locked) {
            (Ok(()), _) => {}
            (Err(TryLockError::WouldBlock), WhenLocked::Fail) => {
                return Err(Error::no_answer(format!("another run is at work in {}", root.path().display()))
                    .detail(format!("  {}", owner(&path)))
                    .hint("wait for it: `--wait`"));
            }
            (Err(TryLockError::WouldBlock), WhenLocked::Wait) => {
                watcher.on(Event::Stage { name: "wait", what: format!("for {}", owner(&path)) });
                file.lock().map_err(|error| path_error("lock", &path, error))?;
            }
            (Err(TryLockError::Error(error)), _) => return Err(path_error("lock", &path, error)),
        }
        write_owner(&mut file, by).map_err(|error| path_error("write", &path, error))?;
        Ok(Self { _file: file })
    }
}

fn write_owner(file: &mut File, by: &str) -> io::Result<()> {
    let since = Timestamp::now().strftime("%Y-%m-%d %H:%M:%S UTC");
    file.set_len(0)?;
    file.rewind()?;
    file.write_all(format!("{by}, process {}, since {since}\n", std::process::id()).as_bytes())
}

/// The owner that the lock file names. A run that has just taken the lock may not have written it yet.
fn owner(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap_or_default();
    let text: String = text.trim().chars().filter(|char| !char.is_control()).collect();
    if text.is_empty() { "a run that has just begun".to_owned() } else { text }
}

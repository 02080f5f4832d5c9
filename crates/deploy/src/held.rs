//! The lock on a root: the kernel's, so that it ends with the run that holds it, however that ends. No
//! child inherits it. The file says who holds it, and stays.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Seek as _, Write as _};
use std::path::Path;

use jiff::Timestamp;

use super::root::{Root, failed};
use pinfast_base::error::{Error, Result};
use pinfast_base::event::{Event, Watcher};

/// The lock on a root, for as long as it lives.
#[derive(Debug)]
pub(super) struct Held {
    _file: File,
}

/// What a run does that finds another one at work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Patience {
    /// It says who it is, and ends.
    #[default]
    None,
    /// It waits for its end.
    Wait,
}

/// Takes the lock on `root` in the name of `by`.
///
/// # Errors
/// No answer: another run holds it and none is waited for, or the disk refuses.
pub(super) fn hold(root: &Root, by: &str, patience: Patience, watcher: &dyn Watcher) -> Result<Held> {
    let path = root.notes().join("lock");
    let mut file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(|error| failed("open", &path, error))?;
    match (file.try_lock(), patience) {
        (Ok(()), _) => {}
        (Err(TryLockError::WouldBlock), Patience::None) => {
            return Err(Error::no_answer(format!("another run is at work in {}", root.path().display()))
                .detail(format!("  {}", owner(&path)))
                .hint("wait for it: `--wait`"));
        }
        (Err(TryLockError::WouldBlock), Patience::Wait) => {
            watcher.on(Event::Stage { name: "wait", what: format!("for {}", owner(&path)) });
            file.lock().map_err(|error| failed("lock", &path, error))?;
        }
        (Err(TryLockError::Error(error)), _) => return Err(failed("lock", &path, error)),
    }
    sign(&mut file, by).map_err(|error| failed("write", &path, error))?;
    Ok(Held { _file: file })
}

/// Writes down who holds the lock.
fn sign(file: &mut File, by: &str) -> io::Result<()> {
    let since = Timestamp::now().strftime("%Y-%m-%d %H:%M:%S UTC");
    file.set_len(0)?;
    file.rewind()?;
    file.write_all(format!("{by}, process {}, since {since}\n", std::process::id()).as_bytes())
}

/// Who holds the lock, as far as it has said so yet.
fn owner(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap_or_default();
    let text: String = text.trim().chars().filter(|char| !char.is_control()).collect();
    if text.is_empty() { "a run that has just begun".to_owned() } else { text }
}

//! File operations whose errors name the path.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use pinfast_base::error::{Error, Result};

/// An error about `path`: `cannot VERB PATH`, caused by `error`.
pub(super) fn io_error(verb: &str, path: &Path, error: io::Error) -> Error {
    Error::no_answer(format!("cannot {verb} {}", path.display())).because(error)
}

/// Whether the error means that nothing is at the path.
pub(super) fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// Whether something is at `path`; a link counts, wherever it points.
pub(super) fn lexists(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

/// Creates a folder and its parents.
pub(super) fn create_folder(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).map_err(|error| io_error("create the folder", folder, error))
}

/// Makes the names in a folder survive a power failure.
pub(super) fn sync_folder(folder: &Path) -> Result<()> {
    let synced = File::open(folder).and_then(|open| open.sync_all());
    synced.map_err(|error| io_error("write", folder, error))
}

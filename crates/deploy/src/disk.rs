//! File operations whose errors name the path.

use std::fs::{self, File};
use std::path::Path;

use pinfast_base::error::Result;
use pinfast_files::path_error;

/// Whether something is at `path`; a link counts, wherever it points.
pub(super) fn lexists(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

/// Creates a folder and its parents.
pub(super) fn create_folder(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).map_err(|error| path_error("create the folder", folder, error))
}

/// Makes the names in a folder survive a power failure.
pub(super) fn sync_folder(folder: &Path) -> Result<()> {
    let synced = File::open(folder).and_then(|open| open.sync_all());
    synced.map_err(|error| path_error("write", folder, error))
}

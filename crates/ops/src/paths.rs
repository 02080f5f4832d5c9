//! The paths of files as a lock names them.

use std::path::Path;

use super::session::Session;
use pinfast_files::relative_path;

/// The name of an input file in a lock: relative to the current folder, with `/`.
pub(super) fn file_name(file: &str, session: &Session) -> String {
    let path = Path::new(file);
    if !path.is_absolute() {
        return file.replace('\\', "/");
    }
    relative_path(path, session.env.current_dir())
}

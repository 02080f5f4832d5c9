//! Errors of files and folders: what was tried, where, and why it failed.

use std::io::{self, ErrorKind};
use std::path::Path;

use pinfast_base::error::Error;

/// The error `cannot ACTION PATH`, such as `cannot write /srv/app/lock`, with its cause. A full disk has a hint.
#[must_use]
pub fn path_error(action: &str, path: &Path, cause: io::Error) -> Error {
    let is_full = matches!(cause.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded);
    let error = Error::no_answer(format!("cannot {action} {}", path.display())).because(cause);
    if is_full { error.hint("free some space and run the command again") } else { error }
}

/// Whether the error means that there is nothing at the path.
#[must_use]
pub fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

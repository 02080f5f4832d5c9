//! Removes the folder of a release: never through a link, never outside `releases/`, and never a mounted file
//! system below it.

use std::fs;
use std::path::PathBuf;

use super::id::ReleaseId;
use super::journal::ReleaseJournal;
use super::journal_entry::JournalEvent;
use super::root::DeployRoot;
use pinfast_base::error::{Error, Result};
use pinfast_files::{is_absent, path_error};

/// Removes a release, and records it before and after.
pub(super) fn remove_release(root: &DeployRoot, id: &ReleaseId, journal: &mut ReleaseJournal) -> Result<()> {
    journal.record(JournalEvent::Remove { release: id.clone() })?;
    remove_folder(root, id)?;
    journal.record(JournalEvent::Removed { release: id.clone() })
}

/// Removes the folder of a release and its log, if they exist.
pub(super) fn remove_folder(root: &DeployRoot, id: &ReleaseId) -> Result<()> {
    if fs::symlink_metadata(root.releases()).is_ok_and(|metadata| metadata.is_symlink()) {
        let releases = root.releases();
        return Err(Error::no_answer(format!("{} is a link: nothing is removed", releases.display())));
    }
    let folder = root.release(id);
    // `mountinfo` has real paths; the root may be behind a link.
    let real_path = fs::canonicalize(root.releases()).unwrap_or_else(|_| root.releases()).join(id.as_str());
    if let Some(mount) = mount_points().into_iter().find(|mount| mount.starts_with(&real_path)) {
        return Err(Error::no_answer(format!("something is mounted at {}", mount.display()))
            .hint("unmount it; the next deploy removes the rest"));
    }
    let removed = match fs::symlink_metadata(&folder) {
        Err(error) => Err(error),
        Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(&folder),
        Ok(_) => fs::remove_file(&folder),
    };
    for (path, outcome) in [(&folder, removed), (&root.log(id), fs::remove_file(root.log(id)))] {
        match outcome {
            Err(error) if !is_absent(&error) => return Err(path_error("remove", path, error)),
            _ => {}
        }
    }
    Ok(())
}

/// The mount points of this process, by Linux's `mountinfo`; none on another system.
fn mount_points() -> Vec<PathBuf> {
    let text = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    text.lines()
        // The fifth field is the mount point: see proc(5).
        .filter_map(|line| line.split(' ').nth(4))
        .map(|path| PathBuf::from(unescape_octal(path)))
        .collect()
}

/// Replaces the escapes of `mountinfo`, such as `\040` for a space.
fn unescape_octal(field: &str) -> String {
    ["\\040", "\\011", "\\012", "\\134"]
        .iter()
        .zip([" ", "\t", "\n", "\\"])
        .fold(field.to_owned(), |field, (code, char)| field.replace(code, char))
}

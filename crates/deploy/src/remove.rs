//! Removing the folder of a release: never through a link, never outside of `releases/`, never what is
//! mounted into it.

use std::fs;
use std::path::{Path, PathBuf};

use super::id::ReleaseId;
use super::journal::Journal;
use super::record::What;
use super::root::{Root, failed, is_absent};
use pinfast_base::error::{Error, Result};

/// Removes a release, between two notes in the journal.
pub(super) fn remove(root: &Root, id: &ReleaseId, journal: &mut Journal) -> Result<()> {
    journal.note(What::Remove { release: id.clone() })?;
    remove_folder(root, id)?;
    journal.note(What::Removed { release: id.clone() })
}

/// Removes what stands in the place of a release, and what it printed.
pub(super) fn remove_folder(root: &Root, id: &ReleaseId) -> Result<()> {
    if fs::symlink_metadata(root.releases()).is_ok_and(|metadata| metadata.is_symlink()) {
        return Err(Error::no_answer(format!("{} is a link: nothing is removed", root.releases().display())));
    }
    let folder = root.release(id);
    let place = fs::canonicalize(root.releases()).unwrap_or_else(|_| root.releases()).join(id.as_str());
    if let Some(mount) = mounts().into_iter().find(|mount| mount.starts_with(&place)) {
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
            Err(error) if !is_absent(&error) => return Err(failed("remove", path, error)),
            _ => {}
        }
    }
    Ok(())
}

/// Where something is mounted, as the kernel tells this process; nothing where it does not.
fn mounts() -> Vec<PathBuf> {
    let text = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    text.lines()
        .filter_map(|line| line.split(' ').nth(4))
        .map(|path| PathBuf::from(unescaped(path)))
        .collect()
}

/// The path behind a field in which `\040` is a space, and so on.
fn unescaped(field: &str) -> String {
    ["\\040", "\\011", "\\012", "\\134"]
        .iter()
        .zip([" ", "\t", "\n", "\\"])
        .fold(field.to_owned(), |field, (code, char)| field.replace(code, char))
}

/// Whether `path` is there, and a link counts as itself.
pub(super) fn is_there(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

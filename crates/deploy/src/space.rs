//! Whether the disk has room for a release, and lets it be written.

use std::path::{Path, PathBuf};

use rustix::fs::{Access, access, statvfs};

use super::root::Root;
use pinfast_base::error::Error;

/// What a release takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Need {
    pub(super) bytes: u64,
    pub(super) inodes: u64,
}

/// What a disk gives out at once.
const BLOCK: u64 = 4096;
/// What is left besides: the journal, compiled files, output.
const RESERVE: Need = Need { bytes: 8 << 20, inodes: 200 };

impl Need {
    /// The need of files of these sizes, in their folders.
    pub(super) fn of(sizes: impl IntoIterator<Item = u64>) -> Self {
        sizes.into_iter().fold(Self::default(), |need, size| Self {
            bytes: need.bytes + size.div_ceil(BLOCK).max(1) * BLOCK,
            inodes: need.inodes + 1,
        })
    }
}

/// What the disk under `root` lacks for `need`.
pub(super) fn lacks(root: &Root, need: Need) -> Option<Error> {
    let place = existing(&root.releases());
    let free = match statvfs(&place) {
        Ok(free) => free,
        Err(error) => {
            return Some(
                Error::no_answer(format!("cannot ask for the space under {}", place.display()))
                    .because(std::io::Error::from(error)),
            );
        }
    };
    let bytes = free.f_bavail.saturating_mul(free.f_frsize);
    let (wanted, inodes) = (need.bytes + RESERVE.bytes, need.inodes + RESERVE.inodes);
    if bytes < wanted {
        let said = format!(
            "{} has {} MB free, and the release takes {} MB",
            place.display(),
            bytes >> 20,
            wanted.div_ceil(1 << 20)
        );
        return Some(Error::no_answer(said).hint("free some space, or set a lower `keep`"));
    }
    // A file system without a table of inodes tells none.
    if free.f_files > 0 && free.f_favail < inodes {
        let said =
            format!("{} has {} inodes free, and the release takes {inodes}", place.display(), free.f_favail);
        return Some(Error::no_answer(said).hint("remove some files, or set a lower `keep`"));
    }
    None
}

/// The folders and files of `root` that a deploy writes to, and may not.
pub(super) fn forbidden(root: &Root) -> Vec<Error> {
    let notes = root.notes();
    let mut places = vec![existing(root.path()), root.releases(), root.shared(), notes.clone()];
    places.extend(["lock", "journal", "logs"].map(|name| notes.join(name)));
    places.retain(|place| place.exists());
    places.dedup();
    places.iter().filter_map(|place| unwritable(place)).collect()
}

fn unwritable(place: &Path) -> Option<Error> {
    let wanted = if place.is_dir() { Access::WRITE_OK | Access::EXEC_OK } else { Access::WRITE_OK };
    let error = access(place, wanted).err()?;
    Some(
        Error::no_answer(format!("cannot write to {}", place.display())).because(std::io::Error::from(error)),
    )
}

/// The nearest folder above `path`, or itself, that is there.
fn existing(path: &Path) -> PathBuf {
    path.ancestors().find(|path| path.is_dir()).unwrap_or(Path::new("/")).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_asked_for_where_the_root_will_be() {
        let folder = tempfile::tempdir().unwrap();
        let root = Root::new(folder.path().join("not/yet"));
        assert_eq!(Need::of([0, 1, 4096, 4097]), Need { bytes: 5 * 4096, inodes: 4 });
        assert!(lacks(&root, Need::of([1, 2])).is_none());
        let error = lacks(&root, Need { bytes: u64::MAX / 2, inodes: 0 }).unwrap();
        assert!(error.message.contains("MB free"), "{}", error.message);
        assert_eq!(error.kind, pinfast_base::error::ErrorKind::NoAnswer);
        assert!(forbidden(&root).is_empty());
        assert!(!root.path().exists());
    }
}

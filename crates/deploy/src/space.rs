//! Whether the disk has room for a release, and lets it be written.

use std::path::{Path, PathBuf};

use rustix::fs::{Access, access, statvfs};

use super::root::DeployRoot;
use pinfast_base::error::Error;

/// The disk space that a release takes, by estimate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct SpaceNeed {
    pub(super) bytes: u64,
    pub(super) inodes: u64,
}

/// The size in bytes that most file systems round a file up to.
const BLOCK: u64 = 4096;
/// Room for the journal, compiled files and logs besides.
const RESERVE: SpaceNeed = SpaceNeed { bytes: 8 << 20, inodes: 200 };

impl SpaceNeed {
    /// The space of files with these sizes in bytes, with their folders.
    pub(super) fn of_files(sizes: impl IntoIterator<Item = u64>) -> Self {
        sizes.into_iter().fold(Self::default(), |need, size| Self {
            bytes: need.bytes + size.div_ceil(BLOCK).max(1) * BLOCK,
            inodes: need.inodes + 1,
        })
    }
}

/// A problem if the disk of `root` has less free space than `need`.
pub(super) fn space_problem(root: &DeployRoot, need: SpaceNeed) -> Option<Error> {
    let place = nearest_folder(&root.releases());
    let free = match statvfs(&place) {
        Ok(free) => free,
        Err(error) => {
            return Some(
                Error::no_answer(format!("cannot read the free space of {}", place.display()))
                    .because(std::io::Error::from(error)),
            );
        }
    };
    let bytes = free.f_bavail.saturating_mul(free.f_frsize);
    let (wanted, inodes) = (need.bytes + RESERVE.bytes, need.inodes + RESERVE.inodes);
    if bytes < wanted {
        let message = format!(
            "{} has {} MB free, and the release takes {} MB",
            place.display(),
            bytes >> 20,
            wanted.div_ceil(1 << 20)
        );
        return Some(Error::no_answer(message).hint("free some space, or set a lower `keep`"));
    }
    // A file system without a fixed number of inodes, such as btrfs, reports none at all.
    if free.f_files > 0 && free.f_favail < inodes {
        let message =
            format!("{} has {} inodes free, and the release takes {inodes}", place.display(), free.f_favail);
        return Some(Error::no_answer(message).hint("remove some files, or set a lower `keep`"));
    }
    None
}

/// A problem for each folder and file of `root` that a deploy writes and this user may not.
pub(super) fn permission_problems(root: &DeployRoot) -> Vec<Error> {
    let state = root.state_folder();
    let mut places = vec![nearest_folder(root.path()), root.releases(), root.shared(), state.clone()];
    places.extend(["lock", "journal", "logs"].map(|name| state.join(name)));
    places.retain(|place| place.exists());
    places.dedup();
    places.iter().filter_map(|place| permission_problem(place)).collect()
}

fn permission_problem(place: &Path) -> Option<Error> {
    let wanted = if place.is_dir() { Access::WRITE_OK | Access::EXEC_OK } else { Access::WRITE_OK };
    let error = access(place, wanted).err()?;
    Some(
        Error::no_answer(format!("cannot write to {}", place.display())).because(std::io::Error::from(error)),
    )
}

/// The nearest existing folder at or above `path`: the root may not exist yet.
fn nearest_folder(path: &Path) -> PathBuf {
    path.ancestors().find(|path| path.is_dir()).unwrap_or(Path::new("/")).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn space_is_checked_where_the_root_will_be() {
        let folder = tempfile::tempdir().unwrap();
        let root = DeployRoot::new(folder.path().join("not/yet"));
        assert_eq!(SpaceNeed::of_files([0, 1, 4096, 4097]), SpaceNeed { bytes: 5 * 4096, inodes: 4 });
        assert!(space_problem(&root, SpaceNeed::of_files([1, 2])).is_none());
        let error = space_problem(&root, SpaceNeed { bytes: u64::MAX / 2, inodes: 0 }).unwrap();
        assert!(error.message.contains("MB free"), "{}", error.message);
        assert_eq!(error.kind, pinfast_base::error::ErrorKind::NoAnswer);
        assert!(permission_problems(&root).is_empty());
        assert!(!root.path().exists());
    }
}

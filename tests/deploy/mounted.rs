//! File systems that come and go with a test, where mounting is allowed.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Something that is mounted, until this is dropped.
pub(crate) struct Mounted(PathBuf);

impl Mounted {
    /// Mounts at `place`; `None` where that is not allowed.
    pub(crate) fn new(args: &[&str], place: &Path) -> Option<Self> {
        let place = place.to_owned();
        mount(args, &[&place]).then_some(Self(place))
    }

    /// Mounts a folder onto itself, read-only.
    pub(crate) fn read_only(folder: &Path) -> Option<Self> {
        let folder = folder.to_owned();
        let bound = mount(&["--bind"], &[&folder, &folder]).then_some(Self(folder.clone()))?;
        mount(&["-o", "remount,ro,bind"], &[&folder]).then_some(bound)
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

fn mount(args: &[&str], places: &[&PathBuf]) -> bool {
    Command::new("mount").args(args).args(places).output().is_ok_and(|output| output.status.success())
}

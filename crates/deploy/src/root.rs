//! The folder that is deployed to: where its parts lie, and the link `current` that decides what is live.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, symlink};
use std::path::{Component, Path, PathBuf};

use super::disk::{create_folder, sync_folder};
use super::id::ReleaseId;
use pinfast_base::error::Result;
use pinfast_files::{is_absent, path_error};

/// The folder that is deployed to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeployRoot {
    path: PathBuf,
}

/// What is at `current`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum CurrentLink {
    /// Nothing.
    Absent,
    /// A link with this target, as it is written there.
    Link(PathBuf),
    /// A file or a folder.
    NotALink,
}

impl DeployRoot {
    /// The root at an absolute path.
    #[must_use]
    pub fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// Its absolute path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// `releases/`: a folder for each release.
    pub(super) fn releases(&self) -> PathBuf {
        self.path.join("releases")
    }

    /// The folder of a release.
    pub(super) fn release(&self, id: &ReleaseId) -> PathBuf {
        self.releases().join(id.as_str())
    }

    /// `shared/`: what all releases share.
    pub(super) fn shared(&self) -> PathBuf {
        self.path.join("shared")
    }

    /// `current`: the link to the live release.
    pub(super) fn current(&self) -> PathBuf {
        self.path.join("current")
    }

    /// `.pinfast/`: the journal, the lock and the logs.
    pub(super) fn state_folder(&self) -> PathBuf {
        self.path.join(".pinfast")
    }

    /// The log of a release's commands.
    pub(super) fn log(&self, id: &ReleaseId) -> PathBuf {
        self.state_folder().join("logs").join(format!("{id}.log"))
    }

    pub(super) fn read_current(&self) -> Result<CurrentLink> {
        let link = self.current();
        match fs::symlink_metadata(&link) {
            Err(error) if is_absent(&error) => Ok(CurrentLink::Absent),
            Err(error) => Err(path_error("look at", &link, error)),
            Ok(metadata) if !metadata.is_symlink() => Ok(CurrentLink::NotALink),
            Ok(_) => {
                fs::read_link(&link).map(CurrentLink::Link).map_err(|error| path_error("read", &link, error))
            }
        }
    }

    /// The release that `current` points to. `None` if it points elsewhere, as another tool may have left it.
    pub(super) fn live_release(&self) -> Result<Option<ReleaseId>> {
        match self.read_current()? {
            CurrentLink::Link(target) => Ok(self.release_at(&target)),
            CurrentLink::Absent | CurrentLink::NotALink => Ok(None),
        }
    }

    fn release_at(&self, target: &Path) -> Option<ReleaseId> {
        // `join` keeps an absolute target as it is.
        let place = self.path.join(target);
        let mut rest = place.strip_prefix(self.releases()).ok()?.components();
        match (rest.next()?, rest.next()) {
            (Component::Normal(name), None) => name.to_str()?.parse().ok(),
            _ => None,
        }
    }

    /// The names in `releases/`, sorted.
    pub(super) fn release_names(&self) -> Result<Vec<String>> {
        let folder = self.releases();
        let entries = match fs::read_dir(&folder) {
            Err(error) if is_absent(&error) => return Ok(Vec::new()),
            entries => entries.map_err(|error| path_error("list", &folder, error))?,
        };
        let name = |entry: io::Result<fs::DirEntry>| Ok(entry?.file_name().to_string_lossy().into_owned());
        let mut names = entries.map(name).collect::<io::Result<Vec<_>>>();
        names.iter_mut().for_each(|names| names.sort());
        names.map_err(|error| path_error("list", &folder, error))
    }

    /// Points `current` to `target` by one rename, so that a reader always finds a link.
    ///
    /// # Errors
    /// No answer: the disk refuses, and `current` is unchanged.
    pub(super) fn point_current_to(&self, target: &Path) -> Result<()> {
        let next = self.state_folder().join("next");
        let link = self.current();
        // A run that died may have left one.
        match fs::remove_file(&next) {
            Err(error) if !is_absent(&error) => return Err(path_error("remove", &next, error)),
            _ => {}
        }
        symlink(target, &next).map_err(|error| path_error("make the link", &next, error))?;
        fs::rename(&next, &link).map_err(|error| path_error("replace", &link, error))
    }

    /// Removes `current`, if it exists.
    pub(super) fn remove_current(&self) -> Result<()> {
        let link = self.current();
        match fs::remove_file(&link) {
            Err(error) if !is_absent(&error) => Err(path_error("remove", &link, error)),
            _ => Ok(()),
        }
    }

    /// The target of a link to a release: relative, so that the root can be moved or mounted elsewhere.
    pub(super) fn link_target(id: &ReleaseId) -> PathBuf {
        Path::new("releases").join(id.as_str())
    }

    /// Makes `current` survive a power failure.
    pub(super) fn sync_current(&self) -> Result<()> {
        [self.path.clone(), self.state_folder()].iter().try_for_each(|folder| sync_folder(folder))
    }

    /// Makes everything below the root survive a power failure.
    pub(super) fn sync_all(&self) -> Result<()> {
        let folder = self.releases();
        let open = File::open(&folder).map_err(|error| path_error("open", &folder, error))?;
        #[cfg(target_os = "linux")]
        rustix::fs::syncfs(&open).map_err(|error| path_error("write", &folder, error.into()))?;
        #[cfg(not(target_os = "linux"))]
        {
            drop(open);
            rustix::fs::sync();
        }
        Ok(())
    }

    /// Creates the folders of the root.
    pub(super) fn create(&self) -> Result<()> {
        for folder in [self.releases(), self.shared(), self.state_folder()] {
            create_folder(&folder)?;
        }
        // Only the user who deploys may read the logs: commands may print secrets.
        let logs = self.state_folder().join("logs");
        let created = DirBuilder::new().recursive(true).mode(0o700).create(&logs);
        created.map_err(|error| path_error("create the folder", &logs, error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root() -> (tempfile::TempDir, DeployRoot) {
        let folder = tempfile::tempdir().unwrap();
        let root = DeployRoot::new(folder.path().join("srv"));
        root.create().unwrap();
        (folder, root)
    }

    #[test]
    fn current_is_replaced_and_removed() {
        let (_folder, root) = root();
        let [one, two] = ["one", "two"].map(|id| id.parse::<ReleaseId>().unwrap());
        assert_eq!(root.read_current().unwrap(), CurrentLink::Absent);
        root.point_current_to(&DeployRoot::link_target(&one)).unwrap();
        assert_eq!(root.live_release().unwrap(), Some(one));
        // A run that died may have left the next link.
        symlink("anything", root.state_folder().join("next")).unwrap();
        root.point_current_to(&DeployRoot::link_target(&two)).unwrap();
        root.sync_current().unwrap();
        assert_eq!(root.live_release().unwrap(), Some(two));
        root.remove_current().unwrap();
        root.remove_current().unwrap();
        assert_eq!(root.read_current().unwrap(), CurrentLink::Absent);
    }

    #[test]
    fn a_reader_always_finds_current_during_switches() {
        let (_folder, root) = root();
        let targets = ["one", "two"].map(|id| DeployRoot::link_target(&id.parse().unwrap()));
        root.point_current_to(&targets[0]).unwrap();
        let ended = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            let reader = scope.spawn(|| {
                let mut reads = 0;
                while !ended.load(std::sync::atomic::Ordering::Relaxed) {
                    assert!(targets.contains(&fs::read_link(root.current()).unwrap()));
                    reads += 1;
                }
                reads
            });
            for at in 0..5_000 {
                root.point_current_to(&targets[at % 2]).unwrap();
            }
            ended.store(true, std::sync::atomic::Ordering::Relaxed);
            assert!(reader.join().unwrap() > 100);
        });
    }

    #[test]
    fn only_a_link_to_a_release_folder_makes_it_live() {
        let (_folder, root) = root();
        for (target, live) in [
            ("releases/one", Some("one")),
            ("releases/one/", Some("one")),
            ("./releases/one", Some("one")),
            (&*root.releases().join("one").to_string_lossy(), Some("one")),
            ("releases/one/app", None),
            ("releases", None),
            ("releases/..", None),
            ("/elsewhere/one", None),
        ] {
            root.point_current_to(Path::new(target)).unwrap();
            assert_eq!(root.live_release().unwrap().as_ref().map(ReleaseId::as_str), live, "{target}");
        }
        root.remove_current().unwrap();
        fs::create_dir(root.current()).unwrap();
        assert_eq!(root.read_current().unwrap(), CurrentLink::NotALink);
        assert!(root.point_current_to(Path::new("releases/one")).is_err(), "a folder is not replaced");
    }
}

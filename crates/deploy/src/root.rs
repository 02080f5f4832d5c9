//! The folder that is deployed to: what lies where in it, and the link that says what is live.

use std::fs::{self, DirBuilder, File};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt as _, symlink};
use std::path::{Component, Path, PathBuf};

use super::id::ReleaseId;
use pinfast_base::error::{Error, Result};

/// The folder that is deployed to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Root {
    path: PathBuf,
}

/// What stands at `current`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Current {
    /// Nothing.
    Absent,
    /// A link with this text.
    Link(PathBuf),
    /// Something else.
    Other,
}

impl Root {
    /// The root at the absolute `path`.
    #[must_use]
    pub fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// Its path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The folder of all releases.
    pub(super) fn releases(&self) -> PathBuf {
        self.path.join("releases")
    }

    /// The folder of a release.
    pub(super) fn release(&self, id: &ReleaseId) -> PathBuf {
        self.releases().join(id.as_str())
    }

    /// The folder of what all releases share.
    pub(super) fn shared(&self) -> PathBuf {
        self.path.join("shared")
    }

    /// The link to the live release.
    pub(super) fn link(&self) -> PathBuf {
        self.path.join("current")
    }

    /// The folder of pinfast's own notes.
    pub(super) fn notes(&self) -> PathBuf {
        self.path.join(".pinfast")
    }

    /// The file that keeps what a release's commands print.
    pub(super) fn log(&self, id: &ReleaseId) -> PathBuf {
        self.notes().join("logs").join(format!("{id}.log"))
    }

    /// What stands at `current`.
    pub(super) fn current(&self) -> Result<Current> {
        let link = self.link();
        match fs::symlink_metadata(&link) {
            Err(error) if is_absent(&error) => Ok(Current::Absent),
            Err(error) => Err(failed("look at", &link, error)),
            Ok(metadata) if !metadata.is_symlink() => Ok(Current::Other),
            Ok(_) => fs::read_link(&link).map(Current::Link).map_err(|error| failed("read", &link, error)),
        }
    }

    /// The release that `current` points to, where it points to one.
    pub(super) fn live(&self) -> Result<Option<ReleaseId>> {
        match self.current()? {
            Current::Link(target) => Ok(self.release_at(&target)),
            Current::Absent | Current::Other => Ok(None),
        }
    }

    /// The release whose folder a link at the root with the text `target` leads to.
    fn release_at(&self, target: &Path) -> Option<ReleaseId> {
        let place = self.path.join(target);
        let mut rest = place.strip_prefix(self.releases()).ok()?.components();
        match (rest.next()?, rest.next()) {
            (Component::Normal(name), None) => name.to_str()?.parse().ok(),
            _ => None,
        }
    }

    /// The names in `releases/`.
    pub(super) fn listing(&self) -> Result<Vec<String>> {
        let folder = self.releases();
        let entries = match fs::read_dir(&folder) {
            Err(error) if is_absent(&error) => return Ok(Vec::new()),
            entries => entries.map_err(|error| failed("list", &folder, error))?,
        };
        let name = |entry: io::Result<fs::DirEntry>| Ok(entry?.file_name().to_string_lossy().into_owned());
        let mut names = entries.map(name).collect::<io::Result<Vec<_>>>();
        names.iter_mut().for_each(|names| names.sort());
        names.map_err(|error| failed("list", &folder, error))
    }

    /// Makes `current` a link to `target`, by one rename: there is no moment without a link.
    ///
    /// # Errors
    /// No answer, and `current` is as it was.
    pub(super) fn point_to(&self, target: &Path) -> Result<()> {
        let fresh = self.notes().join("next");
        let link = self.link();
        match fs::remove_file(&fresh) {
            Err(error) if !is_absent(&error) => return Err(failed("remove", &fresh, error)),
            _ => {}
        }
        symlink(target, &fresh).map_err(|error| failed("make the link", &fresh, error))?;
        fs::rename(&fresh, &link).map_err(|error| failed("replace", &link, error))
    }

    /// Takes `current` away.
    pub(super) fn point_nowhere(&self) -> Result<()> {
        let link = self.link();
        match fs::remove_file(&link) {
            Err(error) if !is_absent(&error) => Err(failed("remove", &link, error)),
            _ => Ok(()),
        }
    }

    /// The text of a link to a release: relative, so that the root can be moved or mounted elsewhere.
    pub(super) fn target(id: &ReleaseId) -> PathBuf {
        Path::new("releases").join(id.as_str())
    }

    /// Makes the link last over a power failure.
    pub(super) fn sync_link(&self) -> Result<()> {
        [self.path.clone(), self.notes()].iter().try_for_each(|folder| sync_folder(folder))
    }

    /// Makes all that was written below the root last over a power failure.
    pub(super) fn sync_all(&self) -> Result<()> {
        let folder = self.releases();
        let open = File::open(&folder).map_err(|error| failed("open", &folder, error))?;
        #[cfg(target_os = "linux")]
        rustix::fs::syncfs(&open).map_err(|error| failed("write", &folder, error.into()))?;
        #[cfg(not(target_os = "linux"))]
        {
            drop(open);
            rustix::fs::sync();
        }
        Ok(())
    }

    /// Creates the folders that pinfast needs.
    pub(super) fn create(&self) -> Result<()> {
        for folder in [self.releases(), self.shared(), self.notes()] {
            create_folder(&folder)?;
        }
        // What commands print may hold what is nobody else's business.
        let logs = self.notes().join("logs");
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&logs);
        made.map_err(|error| failed("create the folder", &logs, error))
    }
}

/// Creates a folder and those above it.
pub(super) fn create_folder(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).map_err(|error| failed("create the folder", folder, error))
}

pub(super) fn sync_folder(folder: &Path) -> Result<()> {
    let synced = File::open(folder).and_then(|open| open.sync_all());
    synced.map_err(|error| failed("write", folder, error))
}

/// An error about `path`: `cannot VERB PATH`.
pub(super) fn failed(verb: &str, path: &Path, error: io::Error) -> Error {
    Error::no_answer(format!("cannot {verb} {}", path.display())).because(error)
}

/// Whether the error says that there is nothing at the path.
pub(super) fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root() -> (tempfile::TempDir, Root) {
        let folder = tempfile::tempdir().unwrap();
        let root = Root::new(folder.path().join("srv"));
        root.create().unwrap();
        (folder, root)
    }

    #[test]
    fn a_link_is_replaced_and_taken_away() {
        let (_folder, root) = root();
        let [one, two] = ["one", "two"].map(|id| id.parse::<ReleaseId>().unwrap());
        assert_eq!(root.current().unwrap(), Current::Absent);
        root.point_to(&Root::target(&one)).unwrap();
        assert_eq!(root.live().unwrap(), Some(one));
        // What a run that died left is no obstacle.
        symlink("anything", root.notes().join("next")).unwrap();
        root.point_to(&Root::target(&two)).unwrap();
        root.sync_link().unwrap();
        assert_eq!(root.live().unwrap(), Some(two));
        root.point_nowhere().unwrap();
        root.point_nowhere().unwrap();
        assert_eq!(root.current().unwrap(), Current::Absent);
    }

    #[test]
    fn a_reader_of_the_link_never_finds_it_gone() {
        let (_folder, root) = root();
        let targets = ["one", "two"].map(|id| Root::target(&id.parse().unwrap()));
        root.point_to(&targets[0]).unwrap();
        let ended = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            let reader = scope.spawn(|| {
                let mut reads = 0;
                while !ended.load(std::sync::atomic::Ordering::Relaxed) {
                    assert!(targets.contains(&fs::read_link(root.link()).unwrap()));
                    reads += 1;
                }
                reads
            });
            for at in 0..5_000 {
                root.point_to(&targets[at % 2]).unwrap();
            }
            ended.store(true, std::sync::atomic::Ordering::Relaxed);
            assert!(reader.join().unwrap() > 100);
        });
    }

    #[test]
    fn only_a_link_to_a_release_makes_it_live() {
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
            root.point_to(Path::new(target)).unwrap();
            assert_eq!(root.live().unwrap().as_ref().map(ReleaseId::as_str), live, "{target}");
        }
        root.point_nowhere().unwrap();
        fs::create_dir(root.link()).unwrap();
        assert_eq!(root.current().unwrap(), Current::Other);
        assert!(root.point_to(Path::new("releases/one")).is_err(), "a folder is not replaced");
    }
}

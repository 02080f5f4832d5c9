//! What all releases share: one folder at the root, and links to it in each release.

use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use super::config::Config;
use super::remove::is_there;
use super::root::{Root, create_folder, failed, sync_folder};
use pinfast_base::error::{Error, Result};
use pinfast_settings::{SharedKind, SharedPath};

/// What is wrong with the shared paths at `root`; those that are missing are told together.
pub(super) fn problems(shared: &[SharedPath], root: &Root) -> Vec<Error> {
    let (mut problems, mut missing) = (Vec::new(), Vec::new());
    for shared in shared {
        let place = root.shared().join(&shared.path);
        match fs::metadata(&place) {
            Ok(metadata) => problems.extend(misfit(shared, &place, metadata.is_dir())),
            Err(error) if is_missing(&error) => missing.push(shared.path.clone()),
            Err(error) => problems.push(failed("look at", &place, error)),
        }
    }
    if !missing.is_empty() {
        let said = format!("shared paths are missing in {}", root.shared().display());
        let mut error =
            Error::no(said).hint("put them there; or move them in from the work tree: `--init-shared`");
        error.details = missing;
        problems.insert(0, error);
    }
    problems
}

fn misfit(shared: &SharedPath, place: &Path, is_folder: bool) -> Option<Error> {
    let (shown, path) = (place.display(), &shared.path);
    match (shared.kind, is_folder) {
        (SharedKind::File, true) => Some(
            Error::no(format!("the shared {shown} is a folder, and meant to be a file"))
                .hint(format!("write `{path}/` in `shared` for a folder")),
        ),
        (SharedKind::Folder, false) => Some(
            Error::no(format!("the shared {shown} is not a folder"))
                .hint(format!("write `{path}` in `shared` for a file")),
        ),
        _ => None,
    }
}

fn is_missing(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

/// Whether the path is not there at all, which an initial move may mend.
pub(super) fn is_lacking(shared: &SharedPath, root: &Root) -> bool {
    !is_there(&root.shared().join(&shared.path))
}

/// Links every shared path into the release's `folder`.
pub(super) fn link(shared: &[SharedPath], folder: &Path) -> Result<()> {
    for SharedPath { path, .. } in shared {
        let at = folder.join(path);
        let parent = at.parent().unwrap_or(folder);
        create_folder(parent)?;
        // What the path leads through is the release's own: the preflight saw to that.
        symlink(target(path), &at).map_err(|error| failed("make the link", &at, error))?;
    }
    Ok(())
}

/// The text of the link at `path` in a release, as seen from its folder.
fn target(path: &str) -> PathBuf {
    let up = "../".repeat(Path::new(path).components().count() + 1);
    Path::new(&up).join("shared").join(path)
}

/// What an initial move did.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Moved {
    /// The file or folder was moved in from the working tree.
    In(String),
    /// The folder was created.
    Created(String),
}

/// Moves what is lacking at the root in from the working tree, and creates the folders that are in neither.
/// A file that is in neither stays lacking.
pub(super) fn initialise(config: &Config) -> Result<Vec<Moved>> {
    let mut moved = Vec::new();
    for shared in config.settings.shared.iter().filter(|shared| is_lacking(shared, &config.root)) {
        let (from, to) = (config.source.join(&shared.path), config.root.shared().join(&shared.path));
        if is_there(&from) {
            create_folder(to.parent().unwrap_or(&to))?;
            move_in(&from, &to)?;
            moved.push(Moved::In(shared.path.clone()));
        } else if shared.kind == SharedKind::Folder {
            create_folder(&to)?;
            moved.push(Moved::Created(shared.path.clone()));
        }
    }
    Ok(moved)
}

/// What bars a move: it would take one file of a database and leave another.
pub(super) fn move_problems(config: &Config) -> Vec<Error> {
    let lacking = config.settings.shared.iter().filter(|shared| is_lacking(shared, &config.root));
    lacking.filter_map(|shared| move_problem(&config.source.join(&shared.path))).collect()
}

fn move_problem(from: &Path) -> Option<Error> {
    if from.is_symlink() {
        return Some(
            Error::no(format!("{} is a link: it is not moved", from.display()))
                .hint("move what it leads to by hand"),
        );
    }
    let beside = ["-wal", "-journal"].map(|suffix| {
        let mut name = from.as_os_str().to_owned();
        name.push(suffix);
        PathBuf::from(name)
    });
    let open = beside.into_iter().find(|path| from.is_file() && is_there(path))?;
    Some(
        Error::no(format!("{} is in use: there is {}", from.display(), open.display()))
            .hint("stop the program that writes to it, so that it closes the database"),
    )
}

/// Moves a file or folder by one rename; between file systems by a copy beside its place, which is whole
/// before it gets its name, and only then is the original removed.
fn move_in(from: &Path, to: &Path) -> Result<()> {
    match fs::rename(from, to) {
        Err(error) if error.kind() == ErrorKind::CrossesDevices => {}
        renamed => return renamed.map_err(|error| failed("move in", from, error)),
    }
    let mut name = to.as_os_str().to_owned();
    name.push(".pinfast-new");
    let fresh = PathBuf::from(name);
    let copy = || -> io::Result<()> {
        remove_any(&fresh)?;
        copy(from, &fresh)?;
        fs::rename(&fresh, to)
    };
    copy().map_err(|error| failed("move in", from, error))?;
    sync_folder(to.parent().unwrap_or(to))?;
    remove_any(from).map_err(|error| failed("remove", from, error))
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    let metadata = fs::symlink_metadata(from)?;
    if metadata.is_symlink() {
        return symlink(fs::read_link(from)?, to);
    }
    if metadata.is_dir() {
        fs::create_dir(to)?;
        for entry in fs::read_dir(from)? {
            let entry = entry?;
            copy(&entry.path(), &to.join(entry.file_name()))?;
        }
        fs::set_permissions(to, metadata.permissions())?;
        return fs::File::open(to)?.sync_all();
    }
    fs::copy(from, to)?;
    fs::File::open(to)?.sync_all()
}

fn remove_any(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_lead_to_the_shared_folder() {
        let folder = tempfile::tempdir().unwrap();
        let root = Root::new(folder.path().to_owned());
        root.create().unwrap();
        let shared = [
            (".env", SharedKind::File),
            ("data/deep/app.db", SharedKind::File),
            ("logs", SharedKind::Folder),
        ];
        let shared = shared.map(|(path, kind)| SharedPath { path: path.to_owned(), kind });
        assert_eq!(problems(&shared, &root)[0].details, [".env", "data/deep/app.db", "logs"]);
        create_folder(&root.shared().join("data/deep")).unwrap();
        create_folder(&root.shared().join("logs")).unwrap();
        fs::write(root.shared().join(".env"), "A=1").unwrap();
        fs::write(root.shared().join("data/deep/app.db"), "db").unwrap();
        assert!(problems(&shared, &root).is_empty());
        let release = root.releases().join("one");
        create_folder(&release).unwrap();
        link(&shared, &release).unwrap();
        assert_eq!(fs::read_to_string(release.join(".env")).unwrap(), "A=1");
        fs::write(release.join("data/deep/app.db"), "more").unwrap();
        fs::write(release.join("logs/log"), "line").unwrap();
        assert_eq!(fs::read_to_string(root.shared().join("data/deep/app.db")).unwrap(), "more");
        assert_eq!(fs::read_to_string(root.shared().join("logs/log")).unwrap(), "line");
        let swapped = shared.map(|shared| SharedPath {
            kind: if shared.kind == SharedKind::File { SharedKind::Folder } else { SharedKind::File },
            ..shared
        });
        assert_eq!(problems(&swapped, &root).len(), 3);
    }

    #[test]
    fn a_copy_is_whole_before_the_original_goes() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("from"), folder.path().join("to"));
        create_folder(&from.join("deep")).unwrap();
        fs::write(from.join("deep/file"), "text").unwrap();
        symlink("file", from.join("deep/link")).unwrap();
        copy(&from, &to).unwrap();
        assert_eq!(fs::read_to_string(to.join("deep/link")).unwrap(), "text");
        remove_any(&from).unwrap();
        assert!(!from.exists());
    }

    #[test]
    fn a_database_in_use_stays() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("app.db");
        fs::write(&database, "").unwrap();
        assert!(move_problem(&database).is_none());
        fs::write(folder.path().join("app.db-wal"), "").unwrap();
        assert!(move_problem(&database).unwrap().message.contains("app.db-wal"));
    }
}

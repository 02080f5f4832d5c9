//! What all releases share: files and folders in `shared/` at the root, and a link to each in every release.

use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use super::config::DeployConfig;
use super::disk::{create_folder, lexists, sync_folder};
use super::root::DeployRoot;
use pinfast_base::error::{Error, Result};
use pinfast_files::{is_absent, path_error};
use pinfast_settings::{SharedKind, SharedPath};

/// Problems with the shared paths at `root`. All missing ones are one problem.
pub(super) fn problems(shared: &[SharedPath], root: &DeployRoot) -> Vec<Error> {
    let (mut problems, mut missing) = (Vec::new(), Vec::new());
    for shared in shared {
        let place = root.shared().join(&shared.path);
        match fs::metadata(&place) {
            Ok(metadata) => problems.extend(kind_problem(shared, &place, metadata.is_dir())),
            Err(error) if is_absent(&error) => missing.push(shared.path.clone()),
            Err(error) => problems.push(path_error("look at", &place, error)),
        }
    }
    if !missing.is_empty() {
        let message = format!("shared paths are missing in {}", root.shared().display());
        let mut error =
            Error::no(message).hint("put them there; or move them in from the work tree: `--init-shared`");
        error.details = missing;
        problems.insert(0, error);
    }
    problems
}

fn kind_problem(shared: &SharedPath, place: &Path, is_folder: bool) -> Option<Error> {
    let (place, path) = (place.display(), &shared.path);
    match (shared.kind, is_folder) {
        (SharedKind::File, true) => Some(
            Error::no(format!("the shared {place} is a folder, but the settings expect a file"))
                .hint(format!("write `{path}/` in `shared` for a folder")),
        ),
        (SharedKind::Folder, false) => Some(
            Error::no(format!("the shared {place} is not a folder"))
                .hint(format!("write `{path}` in `shared` for a file")),
        ),
        _ => None,
    }
}

/// Whether nothing is at the shared path; `--init-shared` can fix that.
pub(super) fn is_missing(shared: &SharedPath, root: &DeployRoot) -> bool {
    !lexists(&root.shared().join(&shared.path))
}

/// Makes the link of each shared path in the release's `folder`.
pub(super) fn link(shared: &[SharedPath], folder: &Path) -> Result<()> {
    for SharedPath { path, .. } in shared {
        let at = folder.join(path);
        let parent = at.parent().unwrap_or(folder);
        // No part of the path is a tracked link that leads out of the release: the preflight refuses those.
        create_folder(parent)?;
        symlink(link_target(path), &at).map_err(|error| path_error("make the link", &at, error))?;
    }
    Ok(())
}

/// The target of the link at `path` in a release, relative to the link's folder.
fn link_target(path: &str) -> PathBuf {
    let up = "../".repeat(Path::new(path).components().count() + 1);
    Path::new(&up).join("shared").join(path)
}

/// What `--init-shared` did with a missing path.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum SharedInit {
    /// It moved the file or folder from the work tree.
    MovedIn(String),
    /// It created the folder.
    Created(String),
}

/// Moves missing paths from the work tree to `shared/`, and creates the folders that are in neither. A file
/// that is in neither stays missing.
pub(super) fn init_shared(config: &DeployConfig) -> Result<Vec<SharedInit>> {
    let mut done = Vec::new();
    for shared in config.settings.shared.iter().filter(|shared| is_missing(shared, &config.root)) {
        let (from, to) = (config.source.join(&shared.path), config.root.shared().join(&shared.path));
        if lexists(&from) {
            create_folder(to.parent().unwrap_or(&to))?;
            move_in(&from, &to)?;
            done.push(SharedInit::MovedIn(shared.path.clone()));
        } else if shared.kind == SharedKind::Folder {
            create_folder(&to)?;
            done.push(SharedInit::Created(shared.path.clone()));
        }
    }
    Ok(done)
}

/// Problems that `--init-shared` would meet.
pub(super) fn move_problems(config: &DeployConfig) -> Vec<Error> {
    let missing = config.settings.shared.iter().filter(|shared| is_missing(shared, &config.root));
    missing.filter_map(|shared| move_problem(&config.source.join(&shared.path))).collect()
}

fn move_problem(from: &Path) -> Option<Error> {
    if from.is_symlink() {
        return Some(
            Error::no(format!("{} is a link, which `--init-shared` does not move", from.display()))
                .hint("move its target by hand"),
        );
    }
    // SQLite keeps recent changes in these files while a program has the database open. A move would separate
    // them from the database.
    let beside = ["-wal", "-journal"].map(|suffix| {
        let mut name = from.as_os_str().to_owned();
        name.push(suffix);
        PathBuf::from(name)
    });
    let open = beside.into_iter().find(|path| from.is_file() && lexists(path))?;
    Some(
        Error::no(format!("{} is in use: there is {}", from.display(), open.display()))
            .hint("stop the program that writes to it, so that it closes the database"),
    )
}

/// Moves a file or folder by one rename. Between file systems it copies beside the target, renames the complete
/// copy, and only then removes the original.
fn move_in(from: &Path, to: &Path) -> Result<()> {
    match fs::rename(from, to) {
        Err(error) if error.kind() == ErrorKind::CrossesDevices => {}
        renamed => return renamed.map_err(|error| path_error("move", from, error)),
    }
    let mut name = to.as_os_str().to_owned();
    name.push(".pinfast-new");
    let temporary = PathBuf::from(name);
    let copied = || -> io::Result<()> {
        remove_any(&temporary)?;
        copy(from, &temporary)?;
        fs::rename(&temporary, to)
    };
    copied().map_err(|error| path_error("move", from, error))?;
    // The copy must survive a power failure before the original is removed.
    sync_folder(to.parent().unwrap_or(to))?;
    remove_any(from).map_err(|error| path_error("remove", from, error))
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
        let root = DeployRoot::new(folder.path().to_owned());
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
    fn a_folder_is_copied_with_its_links() {
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
    fn a_database_in_use_is_not_moved() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("app.db");
        fs::write(&database, "").unwrap();
        assert!(move_problem(&database).is_none());
        fs::write(folder.path().join("app.db-wal"), "").unwrap();
        assert!(move_problem(&database).unwrap().message.contains("app.db-wal"));
    }
}

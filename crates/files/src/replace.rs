//! Atomic replacement of a file: a temporary file beside it is written, synced and renamed over it.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use pinfast_base::error::{Error, Result};
use pinfast_process::uninterrupted;

/// Replaces the file at `path` by `text`, or leaves it as it was.
///
/// A symbolic link stays, and the file that it points to is replaced. The new file has the permissions of the
/// old one. A pipe or a device, such as `/dev/null`, is written to: it has no content to lose.
///
/// # Errors
/// `Usage` when `path` is a folder or its folder does not exist; `NoAnswer` when it cannot be written.
pub fn replace(path: &Path, text: &str) -> Result<()> {
    let place = follow_links(path)?;
    if place.is_dir() {
        return Err(Error::usage(format!("{} is a folder, not a file to write", path.display()))
            .hint("name a file with -o, such as `-o requirements.txt`"));
    }
    let folder = place.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !folder.is_dir() {
        return Err(Error::usage(format!("cannot write {}: its folder does not exist", path.display())));
    }
    let _guard = uninterrupted();
    if fs::metadata(&place).is_ok_and(|metadata| !metadata.is_file()) {
        return fs::write(&place, text)
            .map_err(|error| Error::no_answer(format!("cannot write to {}", path.display())).because(error));
    }
    write_beside(&place, folder, text).map_err(|error| {
        Error::no_answer(format!("cannot write {}", path.display()))
            .because(error)
            .hint("the old file, if there was one, is untouched")
    })
}

/// Follows the links at `path`: at most 40, as the kernel does.
fn follow_links(path: &Path) -> Result<PathBuf> {
    let mut place = path.to_path_buf();
    for _ in 0..40 {
        let Ok(next) = fs::read_link(&place) else { return Ok(place) };
        place = place.parent().map_or_else(|| next.clone(), |folder| folder.join(&next));
    }
    Err(Error::usage(format!("{} is a chain of links without end", path.display())))
}

fn write_beside(place: &Path, folder: &Path, text: &str) -> io::Result<()> {
    let mut file = new_file(folder)?;
    file.write_all(text.as_bytes())?;
    if let Ok(old) = fs::metadata(place) {
        file.as_file().set_permissions(old.permissions())?;
    }
    file.as_file().sync_all()?;
    // The folder is not synced: after a loss of power, the old file may be there again, but whole.
    file.persist(place).map(drop).map_err(|error| error.error)
}

/// A temporary file with the permissions of a new file: those of temporary files are private.
fn new_file(folder: &Path) -> io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".pinfast-").suffix(".tmp");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(folder)
}

#[cfg(test)]
mod tests {
    use super::*;
    use pinfast_base::error::ErrorKind;

    #[test]
    fn a_file_is_replaced_as_a_whole_and_a_folder_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("requirements.txt");
        replace(&path, "one\n").unwrap();
        replace(&path, "two\n").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "two\n");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no temporary file is left");
        assert_eq!(replace(folder.path(), "x").unwrap_err().kind, ErrorKind::Usage);
        assert_eq!(replace(&folder.path().join("no/such"), "x").unwrap_err().kind, ErrorKind::Usage);
    }

    #[cfg(unix)]
    #[test]
    fn a_pipe_is_written_to_and_stays_one() {
        use std::os::unix::fs::FileTypeExt as _;
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let reader = std::thread::spawn({
            let pipe = pipe.clone();
            move || fs::read_to_string(pipe).unwrap()
        });
        replace(&pipe, "text").unwrap();
        assert!(fs::metadata(&pipe).unwrap().file_type().is_fifo());
        assert_eq!(reader.join().unwrap(), "text");
    }

    #[cfg(unix)]
    #[test]
    fn a_link_and_the_permissions_of_its_file_stay() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let (real, link) = (folder.path().join("real.txt"), folder.path().join("link.txt"));
        fs::write(&real, "old").unwrap();
        fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink("real.txt", &link).unwrap();
        replace(&link, "new").unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(&real).unwrap(), "new");
        assert_eq!(fs::metadata(&real).unwrap().permissions().mode() & 0o777, 0o640);
    }
}

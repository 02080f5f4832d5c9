//! Files and folders, with errors that name the action and the path.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Component, Path, PathBuf};

use pinfast_base::error::Result;
use pinfast_files::{is_absent, path_error};

/// The permissions of a generated file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FileMode {
    /// `rw-r--r--`
    Plain,
    /// `rwxr-xr-x`
    Executable,
}

/// Reads a whole file of at most `limit` bytes.
pub(super) fn read(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    use std::io::Read as _;
    let mut bytes = Vec::new();
    File::open(path)?.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(io::Error::other(format!("it is larger than {limit} bytes")));
    }
    Ok(bytes)
}

/// Passes all that `reader` yields to `take`, piece by piece.
pub(super) fn pieces(mut reader: impl io::Read, mut take: impl FnMut(&[u8])) -> io::Result<()> {
    let mut buffer = vec![0; 128 << 10];
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => take(&buffer[..count]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Writes a new file. If there is one, it is removed first, never written through: it may be a hard link.
pub(super) fn write(path: &Path, bytes: &[u8], mode: FileMode) -> Result<()> {
    let mut file = create_new(path, mode)?;
    file.write_all(bytes).map_err(|error| path_error("write", path, error))
}

/// Whether a file has to survive a power failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Durability {
    /// It is on the disk before anything else is done.
    Synced,
    /// It may be lost: its reader notices, and repeats the work.
    Loose,
}

/// Replaces a file by one rename, so that it has either its old or its new content.
pub(super) fn replace(path: &Path, bytes: &[u8], durability: Durability) -> Result<()> {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}.tmp", std::process::id()));
    // In the same folder, since a rename cannot cross disks. The process id keeps two runs apart.
    let beside = PathBuf::from(name);
    let write = || -> io::Result<()> {
        let mut file = File::create(&beside)?;
        file.write_all(bytes)?;
        if durability == Durability::Synced {
            file.sync_all()?;
        }
        fs::rename(&beside, path)
    };
    write().map_err(|error| {
        // The error below matters more than a temporary file that stays.
        let _ = fs::remove_file(&beside);
        path_error("write", path, error)
    })
}

fn create_new(path: &Path, mode: FileMode) -> Result<File> {
    let bits = match mode {
        // The umask takes its part of these, as for any file.
        FileMode::Plain => 0o666,
        FileMode::Executable => 0o777,
    };
    let open = || OpenOptions::new().write(true).create_new(true).mode(bits).open(path);
    match open() {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            fs::remove_file(path).and_then(|()| open()).map_err(|error| path_error("replace", path, error))
        }
        opened => opened.map_err(|error| path_error("write", path, error)),
    }
}

/// Creates a folder and those above it.
pub(super) fn create_dirs(path: &Path) -> Result<()> {
    fs::create_dir_all(path).map_err(|error| path_error("create the folder", path, error))
}

/// Removes a file; it may be gone already.
pub(super) fn remove_file(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if !is_absent(&error) => Err(path_error("remove", path, error)),
        _ => Ok(()),
    }
}

/// Removes a folder with all that is in it, following no link; it may be gone already.
pub(super) fn remove_tree(path: &Path) -> Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if !is_absent(&error) => Err(path_error("remove", path, error)),
        _ => Ok(()),
    }
}

/// Sets the permission bits of an open file, unless they are these already: that saves a system call a file.
pub(super) fn set_mode(file: &File, now: u32, bits: u32) -> io::Result<()> {
    if now & 0o7777 == bits { Ok(()) } else { file.set_permissions(fs::Permissions::from_mode(bits)) }
}

/// `path` without `.` and `..`, by its text alone; `None` if `..` leads above its start.
pub(super) fn normalise(path: &Path) -> Option<PathBuf> {
    let mut out = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => match out.components().next_back() {
                Some(Component::Normal(_)) => {
                    out.pop();
                }
                _ => return None,
            },
            other => out.push(other),
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_are_removed_without_looking_at_the_disk() {
        for (path, normal) in [
            ("/a/b/../c", Some("/a/c")),
            ("/a/./b", Some("/a/b")),
            ("/..", None),
            ("/a/../../b", None),
            ("a/..", Some("")),
            ("../a", None),
        ] {
            assert_eq!(normalise(Path::new(path)).as_deref(), normal.map(Path::new), "{path}");
        }
    }
}

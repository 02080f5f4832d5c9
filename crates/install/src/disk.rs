//! The disk, with errors that say what was tried and where.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Component, Path, PathBuf};

use pinfast_base::error::{Error, Result};

/// What a generated file may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// `rw-r--r--`
    Plain,
    /// `rwxr-xr-x`
    Executable,
}

/// An error about `path`: `cannot VERB PATH`.
pub(super) fn failed(verb: &str, path: &Path, error: io::Error) -> Error {
    let full = matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded);
    let said = Error::no_answer(format!("cannot {verb} {}", path.display())).because(error);
    if full {
        said.hint("free some space and run the command again: it goes on where it stopped")
    } else {
        said
    }
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

/// Hands all that `reader` yields to `take`, piece by piece.
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

/// Writes a file that was not there, or replaces one without writing through what stood at the path.
pub(super) fn write(path: &Path, bytes: &[u8], mode: Mode) -> Result<()> {
    let mut file = create_new(path, mode)?;
    file.write_all(bytes).map_err(|error| failed("write", path, error))
}

/// Whether a file has to outlive a power failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Durability {
    /// It lies on the disk before anything else is done.
    Synced,
    /// It may be lost: whoever reads it notices, and only time is lost.
    Loose,
}

/// Replaces a file by one rename, so that it has either its old or its new content.
pub(super) fn replace(path: &Path, bytes: &[u8], durability: Durability) -> Result<()> {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}.tmp", std::process::id()));
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
        // What is left of a failed write is of no use; that it cannot be removed changes nothing.
        let _ = fs::remove_file(&beside);
        failed("write", path, error)
    })
}

fn create_new(path: &Path, mode: Mode) -> Result<File> {
    let bits = match mode {
        Mode::Plain => 0o666,
        Mode::Executable => 0o777,
    };
    let open = || OpenOptions::new().write(true).create_new(true).mode(bits).open(path);
    match open() {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            fs::remove_file(path).and_then(|()| open()).map_err(|error| failed("replace", path, error))
        }
        opened => opened.map_err(|error| failed("write", path, error)),
    }
}

/// Creates a folder and those above it.
pub(super) fn create_dirs(path: &Path) -> Result<()> {
    fs::create_dir_all(path).map_err(|error| failed("create the folder", path, error))
}

/// Removes a file; that it is gone already is no trouble.
pub(super) fn remove_file(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if !is_absent(&error) => Err(failed("remove", path, error)),
        _ => Ok(()),
    }
}

/// Removes a folder with all that is in it, following no link; that it is gone already is no trouble.
pub(super) fn remove_tree(path: &Path) -> Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if !is_absent(&error) => Err(failed("remove", path, error)),
        _ => Ok(()),
    }
}

/// Whether the error says that there is nothing at the path.
pub(super) fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// Sets the permission bits of an open file where they are not so already.
pub(super) fn set_mode(file: &File, now: u32, bits: u32) -> io::Result<()> {
    if now & 0o7777 == bits { Ok(()) } else { file.set_permissions(fs::Permissions::from_mode(bits)) }
}

/// `path` without `.` and `..`, by its text alone; `None` where `..` leads above it.
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

/// `path` as seen from the folder `from`, both absolute, with `/` between components, as RECORD
/// spells it.
pub(super) fn relative(path: &Path, from: &Path) -> String {
    let (path, from): (Vec<_>, Vec<_>) = (path.components().collect(), from.components().collect());
    let common = path.iter().zip(&from).take_while(|(a, b)| a == b).count();
    let up = std::iter::repeat_n("..".into(), from.len() - common);
    let down = path[common..].iter().map(|component| component.as_os_str().to_string_lossy());
    up.chain(down).collect::<Vec<std::borrow::Cow<'_, str>>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_go_by_text() {
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

    #[test]
    fn record_paths_go_up_and_down() {
        for (path, from, relative) in [
            ("/v/lib/a/b.py", "/v/lib", "a/b.py"),
            ("/v/bin/x", "/v/lib/python3.11/site-packages", "../../../bin/x"),
        ] {
            assert_eq!(super::relative(Path::new(path), Path::new(from)), relative);
        }
    }
}

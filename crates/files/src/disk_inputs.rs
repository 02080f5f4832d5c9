//! Input files on the disk: requirement files, `pyproject.toml`, and standard input.

use std::cell::OnceCell;
use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use pinfast_base::error::{Error, Result};
use pinfast_inputs::InputFiles;

/// The largest input, in bytes.
const LIMIT: u64 = 16 << 20;

/// Input files, with standard input as `-`, and the environment's variables.
#[derive(Debug)]
pub struct DiskInputs {
    folder: PathBuf,
    standard_input: OnceCell<std::result::Result<String, String>>,
}

impl DiskInputs {
    /// Input files with paths relative to `folder`.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into(), standard_input: OnceCell::new() }
    }
}

impl InputFiles for DiskInputs {
    fn read(&self, path: &str) -> std::result::Result<String, String> {
        if path == "-" {
            return self.standard_input.get_or_init(|| text(io::stdin().lock(), 0)).clone();
        }
        let path = self.folder.join(path);
        if path.is_dir() {
            return Err("it is a folder".to_owned());
        }
        text_of(fs::File::open(path).map_err(|error| reason(&error))?)
    }

    fn variable(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }
}

/// The text of the file at `path`; `None` if there is no file.
///
/// # Errors
/// `Usage` when it cannot be read, is too large, or is not UTF-8.
pub fn read_optional(path: &Path) -> Result<Option<String>> {
    let unreadable = |reason: String| Error::usage(format!("cannot read {}: {reason}", path.display()));
    match fs::File::open(path) {
        Ok(file) => text_of(file).map(Some).map_err(unreadable),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unreadable(reason(&error))),
    }
}

fn text_of(file: fs::File) -> std::result::Result<String, String> {
    let length = file.metadata().map_or(0, |metadata| metadata.len());
    text(file, length)
}

/// Reads a text of about `length` bytes.
fn text(source: impl io::Read, length: u64) -> std::result::Result<String, String> {
    let mut bytes = Vec::with_capacity(usize::try_from(length.min(LIMIT)).unwrap_or_default());
    source.take(LIMIT + 1).read_to_end(&mut bytes).map_err(|error| reason(&error))?;
    if bytes.len() as u64 > LIMIT {
        return Err(format!("it is larger than {} MB", LIMIT >> 20));
    }
    String::from_utf8(bytes).map_err(|_| "it is not UTF-8 text".to_owned())
}

fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such file".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        io::ErrorKind::IsADirectory => "it is a folder".to_owned(),
        _ => error.to_string(),
    }
}

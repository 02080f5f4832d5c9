//! Whole files: streamed to disk and hashed on the way; believed only when the hash is right.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::Digest as _;
use tempfile::NamedTempFile;
use url::Url;

use super::Shared;
use super::failure::{Cause, Failure, Outcome};
use super::http::{Ask, End, Misread, Most, Packing, Sink};
use super::limits::FILE_VARIABLE;
use super::url::shown;
use pinfast_base::error::Error;
use pinfast_packaging::{DistFile, Sha256};

/// A file that lies on this machine, whole and hashed.
pub(super) struct Download {
    place: Place,
    pub(super) sha256: Sha256,
}

enum Place {
    /// A copy that goes with the run.
    Temporary(NamedTempFile),
    /// The user's own file.
    Own(PathBuf),
}

impl Download {
    pub(super) fn open(&self) -> io::Result<File> {
        match &self.place {
            Place::Temporary(file) => file.reopen(),
            Place::Own(path) => File::open(path),
        }
    }
}

impl Shared {
    /// The whole file at `url`, got once a run; `expected` is what the index or the user says its hash is.
    pub(super) async fn download(
        &self,
        url: &Url,
        expected: Option<Sha256>,
        size: Option<u64>,
    ) -> Outcome<Arc<Download>> {
        let (slot, promise) = self.downloads.claim((url.clone(), expected));
        if let Some(promise) = promise {
            promise.keep(self.really_download(url, expected, size).await.map(Arc::new));
        }
        slot.answer().await
    }

    async fn really_download(
        &self,
        url: &Url,
        expected: Option<Sha256>,
        size: Option<u64>,
    ) -> Outcome<Download> {
        if let Some(path) = local(url)? {
            let sha256 = hash_file(&path)?;
            check(url, expected, sha256)?;
            return Ok(Download { place: Place::Own(path), sha256 });
        }
        let file = NamedTempFile::new().map_err(|error| last(unwritable(error)))?;
        let wanted = Wanted { url: url.clone(), sha256: expected, size };
        let sha256 = self.stream(&wanted, file.as_file()).await?;
        check(url, expected, sha256)?;
        Ok(Download { place: Place::Temporary(file), sha256 })
    }

    /// Writes the bytes of `file` to `to`, which is emptied first. The hash of what came is the caller's to
    /// check.
    pub(super) async fn fetch(&self, file: &DistFile, to: &File) -> Outcome<Sha256> {
        if let Some(path) = local(&file.url)? {
            let mut to = to;
            let mut from = File::open(&path).map_err(|error| unreadable(&path, error))?;
            emptied(to)
                .and_then(|_| io::copy(&mut from, &mut to))
                .map_err(|error| last(unwritable(error)))?;
            return Ok(hash_file(&path)?);
        }
        let wanted = Wanted { url: Url::clone(&file.url), sha256: file.sha256, size: file.size };
        self.stream(&wanted, to).await
    }

    async fn stream(&self, wanted: &Wanted, to: &File) -> Outcome<Sha256> {
        let limits = &self.config.limits;
        let most = Most { bytes: limits.file, what: "a distribution", variable: FILE_VARIABLE };
        let ask = Ask::new(wanted.url.clone(), "*/*", most, limits);
        let ask = Ask { packing: Packing::Identity, time: limits.time_for(wanted.size), ..ask };
        let start = || {
            let file = emptied(to).map_err(unwritable)?;
            Ok(Copy { file, wanted: wanted.clone(), hash: sha2::Sha256::new(), taken: 0 })
        };
        let copy = self.http(&ask.url).await?.stream(&ask, &start).await.map_err(listed)?;
        Ok(Sha256(copy.hash.finalize().into()))
    }
}

/// What is known of a file before it comes.
#[derive(Clone)]
struct Wanted {
    url: Url,
    sha256: Option<Sha256>,
    size: Option<u64>,
}

/// A body on its way to disk.
struct Copy {
    file: File,
    wanted: Wanted,
    hash: sha2::Sha256,
    taken: u64,
}

impl Sink for Copy {
    fn take(&mut self, piece: &[u8]) -> Result<(), Error> {
        self.hash.update(piece);
        self.taken += piece.len() as u64;
        self.file.write_all(piece).map_err(unwritable)
    }

    /// A cut file is trouble in transit, not a forgery.
    fn end(&mut self, end: End) -> Result<(), Misread> {
        let short = self.wanted.size.is_some_and(|size| self.taken < size);
        if end == End::Unknown && (short || self.wanted.sha256.is_none()) {
            return Err(Misread::Malformed(
                "the file may be cut: the server does not say where it ends".into(),
            ));
        }
        Ok(())
    }
}

/// A handle of the same file, empty and at its start.
fn emptied(mut file: &File) -> io::Result<File> {
    file.set_len(0)?;
    file.rewind()?;
    file.try_clone()
}

/// The path of a `file` URL.
pub(super) fn local(url: &Url) -> Result<Option<PathBuf>, Failure> {
    if url.scheme() != "file" {
        return Ok(None);
    }
    let path = url.to_file_path();
    path.map(Some).map_err(|()| last(Error::no_answer(format!("{url} is not a path on this machine"))))
}

/// The hash of a file.
fn hash_file(path: &Path) -> Result<Sha256, Failure> {
    let unreadable = |error| unreadable(path, error);
    let mut file = File::open(path).map_err(unreadable)?;
    let mut hash = sha2::Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer).map_err(unreadable)? {
            0 => return Ok(Sha256(hash.finalize().into())),
            read => hash.update(&buffer[..read]),
        }
    }
}

/// Bytes that differ from the index's hash are refused at once.
pub(super) fn check(url: &Url, expected: Option<Sha256>, found: Sha256) -> Result<(), Failure> {
    match expected {
        Some(expected) if expected != found => Err(last(
            Error::refused(format!("{} does not match its hash", shown(url)))
                .detail(format!("expected sha256 {expected}"))
                .detail(format!("     got sha256 {found}"))
                .hint("somebody has changed the file, or the index is wrong about it: do not use it before you know which"),
        )),
        _ => Ok(()),
    }
}

/// A listed file that is not there is trouble, not an answer.
fn listed(failure: Failure) -> Failure {
    if failure.cause == Cause::Absent { last(failure.to_error()) } else { failure }
}

fn last(error: Error) -> Failure {
    Failure::last(error)
}

fn unreadable(path: &Path, error: io::Error) -> Failure {
    last(Error::no_answer(format!("cannot read {}", path.display())).because(error))
}

fn unwritable(error: io::Error) -> Error {
    Error::no_answer("cannot write a downloaded file").because(error)
}

/// The bytes of `file` in `range`.
pub(super) fn read_range(file: &mut File, range: &std::ops::Range<u64>) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; usize::try_from(range.end - range.start).unwrap_or(usize::MAX)];
    file.seek(io::SeekFrom::Start(range.start))?;
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}

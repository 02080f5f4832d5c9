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
use crate::error::Error;
use crate::spec::{DistFile, Sha256};

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
        let start = || {
            let file = NamedTempFile::new().map_err(|error| unwritable(&std::env::temp_dir(), error))?;
            let path = file.path().to_owned();
            Ok(Copy {
                target: Target::Temporary(file),
                path,
                hash: sha2::Sha256::new(),
                wanted: (url.clone(), expected, size),
                taken: 0,
            })
        };
        let copy = self.stream(url, size, &start).await?;
        let Target::Temporary(file) = copy.target else { return Err(Failure::abandoned().into()) };
        Ok(Download { place: Place::Temporary(file), sha256: Sha256(copy.hash.finalize().into()) })
    }

    /// Writes `file` to `path`, hash-checked; on failure nothing is left there.
    pub(super) async fn fetch(&self, file: &DistFile, path: &Path) -> Outcome<()> {
        let result = self.really_fetch(file, path).await;
        if result.is_err() {
            // It may not have come into being.
            let _ = std::fs::remove_file(path);
        }
        result
    }

    async fn really_fetch(&self, file: &DistFile, path: &Path) -> Outcome<()> {
        if let Some(own) = local(&file.url)? {
            std::fs::copy(&own, path).map_err(|error| last(unwritable(path, error)))?;
            return Ok(check(&file.url, file.sha256, hash_file(path)?)?);
        }
        let start = || {
            let target = File::create(path).map_err(|error| unwritable(path, error))?;
            let wanted = (file.url.clone(), file.sha256, file.size);
            Ok(Copy {
                target: Target::Named(target),
                path: path.to_owned(),
                hash: sha2::Sha256::new(),
                wanted,
                taken: 0,
            })
        };
        self.stream(&file.url, file.size, &start).await.map(|_| ())
    }

    async fn stream(
        &self,
        url: &Url,
        size: Option<u64>,
        start: &(dyn Fn() -> Result<Copy, Error> + Sync),
    ) -> Outcome<Copy> {
        let limits = &self.config.limits;
        let most = Most { bytes: limits.file, what: "a distribution", variable: FILE_VARIABLE };
        let ask = Ask {
            packing: Packing::Identity,
            time: limits.time_for(size),
            ..Ask::new(url.clone(), "*/*", most, limits)
        };
        Ok(self.http(&ask.url).await?.stream(&ask, start).await.map_err(listed)?)
    }
}

/// A body on its way to disk.
struct Copy {
    target: Target,
    path: PathBuf,
    hash: sha2::Sha256,
    wanted: (Url, Option<Sha256>, Option<u64>),
    taken: u64,
}

enum Target {
    Temporary(NamedTempFile),
    Named(File),
}

impl Sink for Copy {
    fn take(&mut self, piece: &[u8]) -> Result<(), Error> {
        self.hash.update(piece);
        self.taken += piece.len() as u64;
        let written = match &mut self.target {
            Target::Temporary(file) => file.write_all(piece),
            Target::Named(file) => file.write_all(piece),
        };
        written.map_err(|error| unwritable(&self.path, error))
    }

    fn end(&mut self, end: End) -> Result<(), Misread> {
        let (url, expected, size) = &self.wanted;
        let short = size.is_some_and(|size| self.taken < size);
        if end == End::Unknown && (short || expected.is_none()) {
            return Err(Misread::Malformed(
                "the file may be cut: the server does not say where it ends".into(),
            ));
        }
        check(url, *expected, Sha256(self.hash.clone().finalize().into())).map_err(Misread::Stop)
    }
}

/// The path of a `file` URL.
pub(super) fn local(url: &Url) -> Result<Option<PathBuf>, Failure> {
    if url.scheme() != "file" {
        return Ok(None);
    }
    let path = url.to_file_path();
    path.map(Some).map_err(|()| last(Error::no_answer(format!("{url} is not a path on this machine"))))
}

/// The hash of a file, and its size.
fn hash_file(path: &Path) -> Result<Sha256, Failure> {
    let unreadable = |error| last(Error::no_answer(format!("cannot read {}", path.display())).because(error));
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

fn unwritable(path: &Path, error: io::Error) -> Error {
    Error::no_answer(format!("cannot write {}", path.display())).because(error)
}

/// The bytes of `file` in `range`.
pub(super) fn read_range(file: &mut File, range: &std::ops::Range<u64>) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; usize::try_from(range.end - range.start).unwrap_or(usize::MAX)];
    file.seek(io::SeekFrom::Start(range.start))?;
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}

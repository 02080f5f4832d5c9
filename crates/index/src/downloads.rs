//! Whole files: streamed to disk, hashed on the way, and used only when the hash is right.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::Digest as _;
use tempfile::NamedTempFile;
use url::Url;

use crate::failure::{FetchFailure, FetchResult};
use crate::limits::FILE_VARIABLE;
use crate::once_map::OnceMap;
use crate::transport::{BodyEncoding, BodyEnd, BodySink, DecodeError, HttpRequest, SizeLimit, Transport};
use crate::url::redacted;
use pinfast_base::error::Error;
use pinfast_packaging::{DistFile, Sha256};

/// The files that a run needs whole, each downloaded once.
pub(crate) struct Downloads {
    transport: Arc<Transport>,
    /// By URL and expected hash: of two callers with different hashes, only one may get the file.
    downloads: OnceMap<(Url, Option<Sha256>), Arc<Download>>,
}

/// A file on this machine, whole and hashed.
pub(crate) struct Download {
    location: DownloadLocation,
    pub(crate) sha256: Sha256,
}

enum DownloadLocation {
    /// A copy that is deleted after the run.
    Temporary(NamedTempFile),
    /// The file of a `file` URL.
    Local(PathBuf),
}

impl Download {
    pub(crate) fn open(&self) -> io::Result<File> {
        match &self.location {
            DownloadLocation::Temporary(file) => file.reopen(),
            DownloadLocation::Local(path) => File::open(path),
        }
    }
}

impl Downloads {
    pub(crate) fn new(transport: Arc<Transport>) -> Self {
        Self { transport, downloads: OnceMap::default() }
    }

    /// The whole file at `url`. `expected` is its hash from the index or the user, `size` is in bytes.
    pub(crate) async fn get(
        &self,
        url: &Url,
        expected: Option<Sha256>,
        size: Option<u64>,
    ) -> FetchResult<Arc<Download>> {
        let (slot, completer) = self.downloads.register((url.clone(), expected));
        if let Some(completer) = completer {
            completer.done(self.download(url, expected, size).await.map(Arc::new));
        }
        slot.wait().await
    }

    /// Whether the file was downloaded already.
    pub(crate) fn has(&self, file: &DistFile) -> bool {
        self.downloads.get(&(Url::clone(&file.url), file.sha256)).is_some()
    }

    /// Makes a download available under the hash that it turned out to have.
    pub(crate) fn set(&self, file: &DistFile, download: Arc<Download>) {
        self.downloads.set((Url::clone(&file.url), file.sha256), download);
    }

    async fn download(
        &self,
        url: &Url,
        expected: Option<Sha256>,
        size: Option<u64>,
    ) -> FetchResult<Download> {
        if let Some(path) = local_path(url)? {
            let sha256 = hash_file(&path)?;
            check_hash(url, expected, sha256)?;
            return Ok(Download { location: DownloadLocation::Local(path), sha256 });
        }
        let file = NamedTempFile::new().map_err(|error| FetchFailure::fatal(unwritable(error)))?;
        let expectation = Expectation { url: url.clone(), sha256: expected, size };
        let sha256 = self.stream(&expectation, file.as_file()).await?;
        // Before anybody can open it.
        check_hash(url, expected, sha256)?;
        Ok(Download { location: DownloadLocation::Temporary(file), sha256 })
    }

    /// Writes the bytes of `file` to `to`, which is emptied first, and returns their hash. The caller checks it.
    pub(crate) async fn copy(&self, file: &DistFile, to: &File) -> FetchResult<Sha256> {
        if let Some(path) = local_path(&file.url)? {
            let mut to = to;
            let mut from = File::open(&path).map_err(|error| unreadable(&path, error))?;
            emptied(to)
                .and_then(|_| io::copy(&mut from, &mut to))
                .map_err(|error| FetchFailure::fatal(unwritable(error)))?;
            return Ok(hash_file(&path)?);
        }
        let expectation = Expectation { url: Url::clone(&file.url), sha256: file.sha256, size: file.size };
        self.stream(&expectation, to).await
    }

    async fn stream(&self, expectation: &Expectation, to: &File) -> FetchResult<Sha256> {
        let limits = self.transport.limits();
        let limit = SizeLimit { bytes: limits.file, what: "a distribution", variable: FILE_VARIABLE };
        let request = HttpRequest::new(expectation.url.clone(), "*/*", limit, limits);
        let time = limits.time_for(expectation.size);
        // The hash is that of the stored bytes. Distributions are compressed, so another encoding would save little.
        let request = HttpRequest { encoding: BodyEncoding::Identity, time, ..request };
        let start = || {
            // A retry starts the file again: it must not append to the bytes of the failed attempt.
            let file = emptied(to).map_err(unwritable)?;
            Ok(FileSink { file, expectation: expectation.clone(), hash: sha2::Sha256::new(), length: 0 })
        };
        let sink = self.transport.stream(&request, &start).await.map_err(FetchFailure::of_named)?;
        Ok(Sha256(sink.hash.finalize().into()))
    }
}

/// What is known about a file before it arrives.
#[derive(Clone)]
struct Expectation {
    url: Url,
    sha256: Option<Sha256>,
    size: Option<u64>,
}

/// Writes and hashes a body.
struct FileSink {
    file: File,
    expectation: Expectation,
    hash: sha2::Sha256,
    /// The bytes so far.
    length: u64,
}

impl BodySink for FileSink {
    fn take(&mut self, piece: &[u8]) -> Result<(), Error> {
        self.hash.update(piece);
        self.length += piece.len() as u64;
        self.file.write_all(piece).map_err(unwritable)
    }

    /// A file that may be cut is downloaded again: its hash would make it look like a forgery.
    fn finish(&mut self, end: BodyEnd) -> Result<(), DecodeError> {
        let is_short = self.expectation.size.is_some_and(|size| self.length < size);
        // With a hash, `check_hash` decides in the end whether the file is whole; a known size shows a cut one earlier.
        if end == BodyEnd::Unframed && (is_short || self.expectation.sha256.is_none()) {
            return Err(DecodeError::Malformed(
                "the file may be cut: the server does not say where it ends".into(),
            ));
        }
        Ok(())
    }
}

/// Empties the file; the result writes to its start.
fn emptied(mut file: &File) -> io::Result<File> {
    file.set_len(0)?;
    file.rewind()?;
    file.try_clone()
}

/// The path of a `file` URL; `None` for others.
pub(crate) fn local_path(url: &Url) -> Result<Option<PathBuf>, FetchFailure> {
    if url.scheme() != "file" {
        return Ok(None);
    }
    let path = url.to_file_path();
    let no_path = |()| FetchFailure::fatal(Error::no_answer(format!("{url} is not a path on this machine")));
    path.map(Some).map_err(no_path)
}

fn hash_file(path: &Path) -> Result<Sha256, FetchFailure> {
    let hash = File::open(path).and_then(Sha256::of_reader);
    hash.map_err(|error| unreadable(path, error))
}

/// Fails where the hash is another than expected: no retry and no fallback may hide a forgery.
pub(crate) fn check_hash(url: &Url, expected: Option<Sha256>, found: Sha256) -> Result<(), FetchFailure> {
    match expected {
        Some(expected) if expected != found => Err(FetchFailure::fatal(
            Error::refused(format!("{} does not match its hash", redacted(url)))
                .detail(format!("expected sha256 {expected}"))
                .detail(format!("     got sha256 {found}"))
                .hint("somebody has changed the file, or the index is wrong about it: do not use it before you know which"),
        )),
        _ => Ok(()),
    }
}

fn unreadable(path: &Path, error: io::Error) -> FetchFailure {
    FetchFailure::fatal(Error::no_answer(format!("cannot read {}", path.display())).because(error))
}

fn unwritable(error: io::Error) -> Error {
    Error::no_answer("cannot write a downloaded file").because(error)
}

/// The bytes of `file` in `range`.
pub(crate) fn read_range(file: &mut File, range: &std::ops::Range<u64>) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; usize::try_from(range.end - range.start).unwrap_or(usize::MAX)];
    file.seek(io::SeekFrom::Start(range.start))?;
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}

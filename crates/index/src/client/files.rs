//! Whole files.

use std::fs::File;
use std::path::Path;
use std::pin::pin;

use super::Client;
use crate::downloads::check_hash;
use crate::url::redacted;
use pinfast_base::error::Error;
use pinfast_packaging::{DirectUrl, DistFile, DistFilename, MetadataHint, PackageName, Sha256};

impl Client {
    /// Downloads `file` to `path`, which is created or overwritten, and checks its hash. After a failure there is
    /// no file at `path`. Blocks; may be called from several threads at once.
    ///
    /// # Errors
    /// When the file cannot be fetched or written (3), or does not match its hash (4).
    pub fn fetch_file(&self, file: &DistFile, path: &Path) -> Result<(), Error> {
        // Created before the request: a path that cannot be written costs no transfer.
        let to = File::create(path)
            .map_err(|error| Error::no_answer(format!("cannot write {}", path.display())).because(error))?;
        let copied = self.transport.block_on(pin!(self.downloads.copy(file, &to)));
        let fetched = copied.and_then(|sha256| Ok(check_hash(&file.url, file.sha256, sha256)?));
        if fetched.is_err() {
            // A file that cannot be removed either is covered by the failure itself.
            let _ = std::fs::remove_file(path);
        }
        fetched.map_err(|failure| failure.to_error())
    }

    /// Downloads `file` once a run, checks its hash, and opens it.
    ///
    /// # Errors
    /// When it cannot be fetched or read (3), or does not match its hash (4).
    pub fn open_file(&self, file: &DistFile) -> Result<(File, Sha256), Error> {
        let work = pin!(self.downloads.get(&file.url, file.sha256, file.size));
        let download = self.transport.block_on(work).map_err(|failure| failure.to_error())?;
        let opened = download
            .open()
            .map_err(|error| Error::no_answer("cannot read a downloaded file").because(error))?;
        Ok((opened, download.sha256))
    }

    /// The file of a `name @ URL` requirement (PEP 508), from its URL alone: not hashed, and without a request.
    ///
    /// # Errors
    /// `Usage` when it is no `http`, `https` or `file` URL, or not that of a distribution of `name`.
    pub fn direct_url_file(name: &PackageName, url: &DirectUrl) -> Result<DistFile, Error> {
        let shown = redacted(&url.url);
        if !matches!(url.url.scheme(), "http" | "https" | "file") {
            return Err(Error::usage(format!("`{name} @ {shown}` is not an http, https or file URL"))
                .hint("only a wheel or an sdist can be locked by its hash: build one, and name its URL"));
        }
        let last = url.url.path_segments().and_then(|mut segments| segments.next_back()).unwrap_or_default();
        let filename = percent_encoding::percent_decode_str(last).decode_utf8_lossy();
        let dist = DistFilename::parse(&filename, name).map_err(|error| {
            Error::usage(format!("`{name} @ {shown}` is not a distribution of {name}: {}", error.message))
        })?;
        Ok(DistFile {
            filename: filename.into(),
            dist,
            url: url.url.clone().into(),
            sha256: url.sha256,
            // No index describes this file: its own metadata has the rest.
            requires_python: None,
            yanked: None,
            uploaded: None,
            size: None,
            metadata: MetadataHint::Unknown,
        })
    }
}

//! Where a file's metadata comes from: the cheapest source that can be believed.
//!
//! The sibling file that the index keeps (PEP 658), else ranged reads of the wheel, else the whole file,
//! hash-checked before a word of it is believed.

use std::sync::Arc;

use url::Url;

use super::Shared;
use super::download::{self, Download};
use super::failure::{Failure, Outcome};
use super::http::{Answer, Ask, Decode, End, Misread, Most};
use super::limits::METADATA_VARIABLE;
use super::origins::Siblings;
use super::zip::{Archive, Step, ZipError};
use super::{sdist, url::shown};
use crate::error::Error;
use crate::spec::{
    DistFile, DistName, Metadata, MetadataHint, PackageName, ReleaseInfo, Sha256, Version, WheelName,
};

impl Shared {
    /// What the index's `info` says, if it is about that very release. `null` requirements may be unknown
    /// ones, and what cannot be read is asked of the file.
    pub(super) fn released(&self, file: &DistFile) -> Option<Arc<Metadata>> {
        let name = file.dist.name();
        let listing = self.listings.peek(name)?.ok()??;
        let info = listing.info.as_ref().filter(|info| info.version == *file.dist.version())?;
        let at = listing.releases.binary_search_by(|release| release.version.cmp(&info.version)).ok()?;
        listing.releases[at].files.iter().find(|listed| listed.url == file.url)?;
        let (slot, promise) = self.released.claim(name.clone());
        if let Some(promise) = promise {
            promise.keep(Ok(of_release(&listing.name, info).map(Arc::new)));
        }
        slot.wait().ok()?
    }

    /// The file's own word.
    pub(super) async fn of_file(&self, file: &DistFile) -> Outcome<Metadata> {
        let metadata = match &file.dist {
            DistName::Wheel(wheel) => self.of_wheel(file, wheel).await?,
            DistName::Sdist { name, version, format } => {
                let download = self.download(&file.url, file.sha256, file.size).await?;
                let (format, name, version) = (*format, name.clone(), version.clone());
                let (opened, most) = (download.open().map_err(unreadable)?, self.config.limits.metadata);
                let read = move || sdist::metadata(opened, format, (&name, &version), most);
                self.on_worker(read).await?.map_err(Failure::unusable)?
            }
        };
        Ok(same(file, metadata)?)
    }

    async fn of_wheel(&self, file: &DistFile, wheel: &WheelName) -> Outcome<Metadata> {
        let known = self.downloads.peek(&(file.url.clone(), file.sha256));
        if known.is_some() || download::local(&file.url)?.is_some() {
            return self.of_whole_wheel(file, wheel).await;
        }
        let believed = |text: &[u8]| Metadata::parse(text).map_err(|error| Failure::unusable(error.message));
        match file.metadata {
            MetadataHint::Hashed(hash) => match self.sibling(file, Some(hash)).await {
                Ok(text) => return Ok(believed(&text)?),
                Err(failure) if !failure.leaves_hope() => return Err(failure),
                Err(_) => {}
            },
            MetadataHint::Present => {
                if let Some(metadata) = self.unhashed_sibling(file).await? {
                    return Ok(metadata);
                }
            }
            MetadataHint::Unknown => {
                if let Some(metadata) = self.perhaps_sibling(file, wheel).await? {
                    return Ok(metadata);
                }
            }
        }
        match self.ranged(file, wheel).await? {
            Some(text) => Ok(believed(&text)?),
            None => self.of_whole_wheel(file, wheel).await,
        }
    }

    /// A sibling that the index does not speak of. Until the first answer of a server it is asked for
    /// beside the wheel, so that neither its presence nor its absence costs time.
    async fn perhaps_sibling(&self, file: &DistFile, wheel: &WheelName) -> Outcome<Option<Metadata>> {
        match self.origins.siblings(&file.url) {
            Siblings::Absent => Ok(None),
            Siblings::Present => self.unhashed_sibling(file).await,
            Siblings::Unknown => {
                let (sibling, ranged) =
                    futures_util::future::join(self.unhashed_sibling(file), self.ranged(file, wheel)).await;
                if let Some(metadata) = sibling? {
                    return Ok(Some(metadata));
                }
                match ranged? {
                    Some(text) => Metadata::parse(&text)
                        .map(Some)
                        .map_err(|error| Failure::unusable(error.message).into()),
                    None => self.of_whole_wheel(file, wheel).await.map(Some),
                }
            }
        }
    }

    /// A sibling without a hash, if it reads as this file's: else the wheel itself is asked.
    async fn unhashed_sibling(&self, file: &DistFile) -> Outcome<Option<Metadata>> {
        match self.sibling(file, None).await {
            Ok(text) => {
                Ok(Metadata::parse(&text).ok().filter(|metadata| same(file, metadata.clone()).is_ok()))
            }
            Err(failure) if failure.leaves_hope() => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    async fn sibling(&self, file: &DistFile, hash: Option<Sha256>) -> Outcome<Vec<u8>> {
        let mut url = file.url.clone();
        url.set_path(&format!("{}.metadata", file.url.path()));
        let ask = self.ask_metadata(url.clone());
        let read: Decode<Vec<u8>> = Arc::new(move |answer: Answer| {
            if answer.end == End::Unknown && hash.is_none() {
                return Err("it may be cut: the server does not say where it ends".to_owned().into());
            }
            download::check(&url, hash, Sha256::of(&answer.body)).map_err(Misread::Stop)?;
            Ok(answer.body)
        });
        let result = self.http(&ask.url).await?.get(&ask, &read).await;
        self.origins.learn_siblings(&file.url, file.metadata, &result);
        Ok(result?)
    }

    pub(super) fn ask_metadata(&self, url: Url) -> Ask {
        let limits = &self.config.limits;
        let most = Most { bytes: limits.metadata, what: "a metadata file", variable: METADATA_VARIABLE };
        Ask::new(url, "*/*", most, limits)
    }

    async fn of_whole_wheel(&self, file: &DistFile, wheel: &WheelName) -> Outcome<Metadata> {
        let download = self.download(&file.url, file.sha256, file.size).await?;
        let (wheel, most, what) = (wheel.clone(), self.config.limits.metadata, shown(&file.url));
        self.on_worker(move || in_wheel(&download, &wheel, most, &what)).await?.map_err(Arc::new)
    }

    pub(super) async fn on_worker<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Outcome<T> {
        self.workers.run(work).await.ok_or_else(|| Failure::abandoned().into())
    }
}

fn of_release(name: &PackageName, info: &ReleaseInfo) -> Option<Metadata> {
    let (requires, python) = (info.requires_dist.as_ref()?, info.requires_python.as_deref());
    Metadata::of_release(name, &info.version, requires, python, &info.provides_extra).ok()
}

/// The metadata of a whole wheel.
fn in_wheel(download: &Download, wheel: &WheelName, most: u64, what: &str) -> Result<Metadata, Failure> {
    let mut opened = download.open().map_err(unreadable)?;
    let len = opened.metadata().map_err(unreadable)?.len();
    let mut archive = Archive::new(len, most);
    loop {
        match archive.read(&|path| is_metadata(path, wheel)).map_err(|error| judged(error, what, most))? {
            Step::Need(range) => {
                let bytes = download::read_range(&mut opened, &range).map_err(unreadable)?;
                archive.give(range.start, bytes);
            }
            Step::Done(None) => return Err(Failure::unusable("it holds no metadata")),
            Step::Done(Some(text)) => {
                return Metadata::parse(&text).map_err(|error| Failure::unusable(error.message));
            }
        }
    }
}

/// Whether `path` is `NAME-VERSION.dist-info/METADATA` of that wheel.
pub(super) fn is_metadata(path: &[u8], wheel: &WheelName) -> bool {
    let Some(folder) =
        std::str::from_utf8(path).ok().and_then(|path| path.strip_suffix(".dist-info/METADATA"))
    else {
        return false;
    };
    let Some((name, version)) = folder.rsplit_once('-') else { return false };
    PackageName::new(name).as_ref() == Ok(&wheel.name)
        && version.replace('_', "-").parse::<Version>().as_ref() == Ok(&wheel.version)
}

/// An archive at fault bars its candidate; a limit ends the run.
pub(super) fn judged(error: ZipError, what: &str, most: u64) -> Failure {
    match error {
        ZipError::Broken(why) => Failure::unusable(format!("its archive is broken: {why}")),
        ZipError::TooBig => Failure::last(
            Error::no_answer(format!("the metadata of {what} has more than {most} bytes"))
                .hint(format!("{METADATA_VARIABLE}=BYTES raises the limit")),
        ),
    }
}

/// Name and version inside must be the file's own.
fn same(file: &DistFile, metadata: Metadata) -> Result<Metadata, Failure> {
    if metadata.name != *file.dist.name() {
        return Err(Failure::unusable(format!("its metadata is about `{}`", metadata.name)));
    }
    if metadata.version != *file.dist.version() {
        return Err(Failure::unusable(format!("its metadata is about version {}", metadata.version)));
    }
    Ok(metadata)
}

fn unreadable(error: std::io::Error) -> Failure {
    Failure::last(Error::no_answer("cannot read a downloaded file").because(error))
}

//! Where a file's metadata comes from: the cheapest source that can be believed.
//!
//! The sibling file that the index keeps (PEP 658), else ranged reads of the wheel, else the whole file,
//! hash-checked before a word of it is believed.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;
use std::sync::Arc;

use url::Url;

use super::config::Freshness;
use super::download::{self, Download};
use super::failure::{Cause, Failure, Outcome};
use super::http::{Answer, Ask, Decode, End, Misread, Most};
use super::kept::Told;
use super::limits::METADATA_VARIABLE;
use super::origins::Siblings;
use super::url::shown;
use super::word::Word;
use super::zip::{Archive, Step, ZipError};
use super::{Shared, sdist};
use pinfast_base::error::Error;
use pinfast_cache::{Bucket, Cache, CacheKey};
use pinfast_packaging::{
    DistFile, DistFilename, Metadata, MetadataHint, PackageName, ReleaseInfo, SdistFormat, Sha256, Version,
    WheelFilename,
};

/// What a file says of itself.
#[derive(Clone)]
pub(super) struct Spoken {
    pub(super) metadata: Arc<Metadata>,
    /// The file's hash, where the index tells one.
    pub(super) sha256: Option<Sha256>,
    /// As it said it; `None` where a snapshot tells that.
    pub(super) word: Option<Arc<Word>>,
}

impl Spoken {
    /// What the `word` of `file` comes to.
    fn new(metadata: Metadata, word: Word, file: &DistFile) -> Self {
        Self { metadata: Arc::new(metadata), sha256: file.sha256, word: Some(Arc::new(word)) }
    }
}

impl Shared {
    /// What the index's `info` says, if it is about that very release. `null` requirements may be unknown
    /// ones, and what cannot be read is asked of the file.
    pub(super) fn released(&self, file: &DistFile) -> Option<Arc<Metadata>> {
        let release = (file.dist.name().clone(), file.dist.version().clone());
        let alone = self.releases.peek(&release).and_then(|told| told.ok()?);
        let Told { listing, .. } = alone.or_else(|| self.listings.peek(&release.0)?.ok()?)?;
        let info = listing.info.as_ref().filter(|info| info.version == *file.dist.version())?;
        let number = listing.position(&info.version)?;
        listing.files(number).iter().find(|listed| listed.url == file.url)?;
        let (slot, promise) = self.released.claim(release);
        if let Some(promise) = promise {
            promise.keep(Ok(of_release(&listing.name, info).map(Arc::new)));
        }
        slot.wait().ok()?
    }

    /// Whether the file's own word is at hand: then the index's is not needed, which would have to be confirmed.
    pub(super) fn has_word_of(&self, file: &DistFile) -> bool {
        let in_cache =
            |cache: &Cache| word_key(file).is_some_and(|key| cache.contains(Bucket::Metadata, &key));
        self.metadata.peek(file.url.as_text()).is_some()
            || self.recalls_word(file)
            || (self.config.freshness != Freshness::Refresh && self.cache.as_ref().is_some_and(in_cache))
    }

    /// The file's own word, from the cache or from where it can be had.
    pub(super) async fn of_file(self: &Arc<Self>, file: &Arc<DistFile>) -> Outcome<Spoken> {
        let key = word_key(file);
        if let Some(word) =
            key.as_ref().and_then(|key| self.kept_word(key)).filter(|w| w.is_as_told(file.metadata))
        {
            return Ok(Spoken::new(word.believe(file)?, word, file));
        }
        let word = match &file.dist {
            DistFilename::Wheel(wheel) => Word::metadata(self.of_wheel(file, wheel).await?),
            DistFilename::Sdist { format, .. } => self.of_sdist(file, *format).await?,
        };
        let (shared, file) = (self.clone(), file.clone());
        let judge = move || {
            let metadata = word.believe(&file);
            if let Some(key) = key
                && (metadata.is_ok() || word.is_of_sdist())
            {
                shared.put(Bucket::Metadata, &key, postcard::to_stdvec(&word), &[]);
            }
            metadata.map(|metadata| Spoken::new(metadata, word, &file))
        };
        Ok(self.on_worker(judge).await??)
    }

    fn kept_word(&self, key: &CacheKey) -> Option<Word> {
        if self.config.freshness == Freshness::Refresh {
            return None;
        }
        postcard::from_bytes(&self.recorded(Bucket::Metadata, key)?).ok()
    }

    async fn of_sdist(&self, file: &DistFile, format: SdistFormat) -> Outcome<Word> {
        let download = self.download(&file.url, file.sha256, file.size).await?;
        let (opened, most) = (download.open().map_err(unreadable)?, self.config.limits.metadata);
        Ok(self.on_worker(move || sdist::word(opened, format, most)).await?.map_err(Failure::unusable)?)
    }

    /// The text of a wheel's METADATA.
    async fn of_wheel(&self, file: &DistFile, wheel: &WheelFilename) -> Outcome<Vec<u8>> {
        let known = self.downloads.peek(&(Url::clone(&file.url), file.sha256));
        if let Some(path) = download::local(&file.url)? {
            return match self.local_sibling(file, &path)? {
                Some(text) => Ok(text),
                None => self.of_whole_wheel(file, wheel).await,
            };
        }
        if known.is_some() {
            return self.of_whole_wheel(file, wheel).await;
        }
        let siblings = self.origins.siblings(&file.url);
        let sibling = match (file.metadata, siblings) {
            (MetadataHint::Hashed(hash), _) => self.sibling(file, Some(hash)).await,
            (MetadataHint::Present, _) | (_, Siblings::Present) => self.sibling(file, None).await,
            (MetadataHint::Unknown, Siblings::Unknown) => return self.sibling_or_wheel(file, wheel).await,
            (MetadataHint::Unknown, Siblings::Absent) => return self.of_wheel_itself(file, wheel).await,
        };
        match sibling {
            Err(failure) if failure.leaves_hope() => self.of_wheel_itself(file, wheel).await,
            text => text,
        }
    }

    /// The file beside a wheel in a folder, where there is one: as its hash says, else as it is.
    fn local_sibling(&self, file: &DistFile, wheel: &Path) -> Outcome<Option<Vec<u8>>> {
        let mut path = wheel.as_os_str().to_owned();
        path.push(".metadata");
        let Some(text) = read_bounded(Path::new(&path), self.config.limits.metadata)? else {
            return Ok(None);
        };
        if let MetadataHint::Hashed(hash) = file.metadata {
            let mut url = Url::clone(&file.url);
            url.set_path(&format!("{}.metadata", file.url.path()));
            download::check(&url, Some(hash), Sha256::of(&text))?;
        }
        Ok(Some(text))
    }

    /// A sibling that the index does not speak of. Until the first answer of a server it is asked for
    /// beside the wheel, so that neither its presence nor its absence costs time.
    async fn sibling_or_wheel(&self, file: &DistFile, wheel: &WheelFilename) -> Outcome<Vec<u8>> {
        let (sibling, ranged) =
            futures_util::future::join(self.sibling(file, None), self.ranged(file, wheel)).await;
        match (sibling, ranged?) {
            (Err(failure), _) if !failure.leaves_hope() => Err(failure),
            (Ok(text), _) | (Err(_), Some(text)) => Ok(text),
            (Err(_), None) => self.of_whole_wheel(file, wheel).await,
        }
    }

    async fn of_wheel_itself(&self, file: &DistFile, wheel: &WheelFilename) -> Outcome<Vec<u8>> {
        match self.ranged(file, wheel).await? {
            Some(text) => Ok(text),
            None => self.of_whole_wheel(file, wheel).await,
        }
    }

    /// The file beside the wheel: as its hash says, else believed where it reads as this file's.
    async fn sibling(&self, file: &DistFile, hash: Option<Sha256>) -> Outcome<Vec<u8>> {
        let mut url = Url::clone(&file.url);
        url.set_path(&format!("{}.metadata", file.url.path()));
        let ask = self.ask_metadata(url.clone());
        let own = file.clone();
        let read: Decode<Vec<u8>> = Arc::new(move |answer: Answer| {
            match hash {
                Some(_) => download::check(&url, hash, Sha256::of(&answer.body)).map_err(Misread::Stop)?,
                None => check_unhashed(&answer, &own)?,
            }
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

    async fn of_whole_wheel(&self, file: &DistFile, wheel: &WheelFilename) -> Outcome<Vec<u8>> {
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

pub(super) fn of_release(name: &PackageName, info: &ReleaseInfo) -> Option<Metadata> {
    let (requires, python) = (info.requires_dist.as_ref()?, info.requires_python.as_deref());
    Metadata::of_release(name, &info.version, requires, python, &info.provides_extra).ok()
}

/// Metadata without a hash must at least be whole and about the file; what is not leads to the wheel.
fn check_unhashed(answer: &Answer, file: &DistFile) -> Result<(), Misread> {
    if answer.end == End::Unknown {
        return Err("it may be cut: the server does not say where it ends".to_owned().into());
    }
    Word::metadata(answer.body.clone()).believe(file).map(|_| ()).map_err(|failure| {
        let why = format!("{}: {}", shown(&answer.url), failure.message());
        Misread::Stop(Failure::new(Cause::Transit, Error::no_answer(why)))
    })
}

/// The bytes of a file of at most `most` bytes; `None` where there is none.
fn read_bounded(path: &Path, most: u64) -> Result<Option<Vec<u8>>, Failure> {
    let failed = |error: io::Error| {
        Failure::last(Error::no_answer(format!("cannot read {}", path.display())).because(error))
    };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    let mut bytes = Vec::new();
    file.take(most + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > most {
        let message = format!("{} is larger than {} MB", path.display(), most >> 20);
        return Err(Failure::last(
            Error::no_answer(message).hint(format!("raise the limit: {METADATA_VARIABLE}")),
        ));
    }
    Ok(Some(bytes))
}

/// What a file's metadata is kept under: the file's hash.
fn word_key(file: &DistFile) -> Option<CacheKey> {
    Some(Bucket::Metadata.key(&[&file.sha256?.to_string()]))
}

/// The text of a whole wheel's METADATA.
fn in_wheel(download: &Download, wheel: &WheelFilename, most: u64, what: &str) -> Result<Vec<u8>, Failure> {
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
            Step::Done(Some(text)) => return Ok(text),
        }
    }
}

/// Whether `path` is `NAME-VERSION.dist-info/METADATA` of that wheel.
pub(super) fn is_metadata(path: &[u8], wheel: &WheelFilename) -> bool {
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

fn unreadable(error: std::io::Error) -> Failure {
    Failure::last(Error::no_answer("cannot read a downloaded file").because(error))
}

//! A listing as the cache keeps it, and as it is read back: what decides between releases at once, the
//! files of a release only when somebody looks at them.
//!
//! Most runs look at a file or two of a project that has thousands. So the record begins with the versions,
//! the texts that many files share, and the summaries; then, release by release, come the files. A listing
//! that just came over the network is read back from its record too: so it takes as little memory, and a run
//! sees the same whether the cache was warm or not.

mod place;

use std::fmt::Write as _;
use std::ops::Range;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::page::Text;
use pinfast_cache::CacheRecord;
use pinfast_packaging::{
    DistFile, DistFilename, DistKind, FileSummary, LazyListing, Listing, MetadataHint, PackageName,
    ReleaseInfo, SdistFormat, Sha256, SpecifierSet, TagSet, Version, WheelFilename,
};
use place::{Place, Roots};

/// What is read at once.
#[derive(Serialize, Deserialize)]
struct Front<'a> {
    #[serde(borrow)]
    info: Option<Info<'a>>,
    #[serde(borrow)]
    warnings: Vec<Text<'a>>,
    /// The versions, a line each.
    #[serde(borrow)]
    versions: Text<'a>,
    /// The tag sets that summaries call by number, a line each.
    #[serde(borrow)]
    tags: Text<'a>,
    /// The Requires-Pythons likewise.
    #[serde(borrow)]
    pythons: Text<'a>,
    /// How the URLs of the files begin.
    #[serde(borrow)]
    roots: Vec<Text<'a>>,
    releases: Vec<Release>,
}

/// What the JSON API tells of its newest release.
#[derive(Serialize, Deserialize)]
struct Info<'a> {
    #[serde(borrow)]
    version: Text<'a>,
    #[serde(borrow)]
    requires_dist: Option<Vec<Text<'a>>>,
    #[serde(borrow)]
    requires_python: Option<Text<'a>>,
    #[serde(borrow)]
    provides_extra: Vec<Text<'a>>,
}

#[derive(Serialize, Deserialize)]
struct Release {
    /// How many files it has.
    files: u32,
    /// How many bytes they take.
    length: u32,
}

/// What an summary does not tell of a file.
#[derive(Serialize, Deserialize)]
struct Detail<'a> {
    #[serde(borrow)]
    filename: Text<'a>,
    #[serde(borrow)]
    place: Place<'a>,
    sha256: Option<[u8; 32]>,
    size: Option<u64>,
    metadata: Hint,
    #[serde(borrow)]
    yanked: Option<Text<'a>>,
    #[serde(borrow)]
    build: Option<(u64, Text<'a>)>,
    /// Its version, where it is spelled otherwise than that of the release.
    #[serde(borrow)]
    version: Option<Text<'a>>,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
enum Hint {
    Unknown,
    Present,
    Sha256([u8; 32]),
}

/// The record of `listing`.
///
/// # Errors
/// When it has more than a record can hold, or a text of it has a line break.
pub(super) fn pack(listing: &Listing) -> postcard::Result<Vec<u8>> {
    let mut roots = Roots::default();
    let mut details = Vec::new();
    let mut releases = Vec::with_capacity(listing.len());
    for (number, version) in listing.versions().enumerate() {
        let before = details.len();
        let files = listing.files(number);
        for file in files {
            details = postcard::to_extend(&Detail::of(file, version, &mut roots), details)?;
        }
        let length = count(details.len() - before)?;
        releases.push(Release { files: count(files.len())?, length });
    }
    let front = Front {
        info: listing.info.as_ref().map(Info::of),
        warnings: listing.warnings.iter().map(|warning| warning.as_str().into()).collect(),
        versions: lines(listing.versions())?,
        tags: lines((0..count(listing.tag_sets())?).map(|tags| listing.tag_set(tags)))?,
        pythons: lines(
            (0..count(listing.requires_pythons())?).map(|python| listing.requires_python(python)),
        )?,
        roots: roots.0.into_iter().map(Text::from).collect(),
        releases,
    };
    let mut record = postcard::to_stdvec(&front)?;
    for number in 0..listing.len() {
        for summary in &*listing.summaries(number) {
            record.extend_from_slice(&summary.to_bytes());
        }
    }
    record.extend_from_slice(&details);
    Ok(record)
}

/// The listing of `name` that takes these bytes of `record`; `None` where it cannot be read.
pub(super) fn open(name: &PackageName, record: Arc<CacheRecord>, bytes: Range<usize>) -> Option<Listing> {
    let end = bytes.end;
    let (front, rest) = postcard::take_from_bytes::<Front<'_>>(record.get(bytes)?).ok()?;
    let files = front.releases.iter().map(|release| release.files as usize).sum::<usize>();
    let (rows, details) = rest.split_at_checked(files.checked_mul(FileSummary::BYTES)?)?;
    let (first_row, mut row) = (end - rest.len(), 0);
    let mut next = end - details.len();
    let mut releases = Vec::with_capacity(front.releases.len());
    for Release { files, length } in &front.releases {
        releases.push(Spot { row, files: *files, details: u32::try_from(next).ok()? });
        (row, next) = (row.checked_add(*files)?, next.checked_add(*length as usize)?);
    }
    let [versions, tags, pythons] =
        [&front.versions, &front.tags, &front.pythons].map(|text| Lines::new(text));
    let words = (tags.len(), pythons.len());
    let are_within =
        rows.as_chunks().0.iter().all(|row| FileSummary::from_bytes(row).is_within(words.0, words.1));
    if next != end || versions.len() != releases.len() || !are_within {
        return None;
    }
    let info = match front.info {
        Some(info) => Some(info.read()?),
        None => None,
    };
    let warnings = front.warnings.iter().map(|warning| warning.to_string()).collect();
    let roots = front.roots.iter().map(|root| root.to_string()).collect();
    let count = releases.len();
    let shelf = Packed { record: Arc::clone(&record), first_row, releases, roots, versions, tags, pythons };
    Some(Listing::lazy(name.clone(), count, words, Arc::new(shelf)).with(info, warnings))
}

/// A record.
struct Packed {
    record: Arc<CacheRecord>,
    /// Where the summaries begin.
    first_row: usize,
    releases: Vec<Spot>,
    roots: Vec<String>,
    versions: Lines,
    tags: Lines,
    pythons: Lines,
}

/// Where a release is in a record.
struct Spot {
    /// The number of its first summary.
    row: u32,
    /// How many files it has.
    files: u32,
    /// Where what is told of its files begins.
    details: u32,
}

impl std::fmt::Debug for Packed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Packed({} bytes)", self.record.len())
    }
}

/// The record was checked as a whole when it was read from the disk, and what stands there was written from the
/// values that are read here: where it cannot be read all the same, that is a fault of pinfast.
impl LazyListing for Packed {
    fn version(&self, number: usize) -> Version {
        self.versions.line(number).parse().unwrap_or_else(|_| Version::new([0]))
    }

    fn summaries(&self, number: usize) -> Vec<FileSummary> {
        let Spot { row, files, .. } = self.releases[number];
        let start = self.first_row + row as usize * FileSummary::BYTES;
        let rows = &self.record[start..start + files as usize * FileSummary::BYTES];
        rows.as_chunks().0.iter().map(FileSummary::from_bytes).collect()
    }

    fn tag_set(&self, tags: usize) -> TagSet {
        TagSet::from_compressed(self.tags.line(tags)).unwrap_or_else(TagSet::incompatible)
    }

    fn requires_python(&self, python: usize) -> SpecifierSet {
        self.pythons.line(python).parse().unwrap_or_default()
    }

    fn files(&self, listing: &Listing, number: usize) -> Box<[Arc<DistFile>]> {
        let mut rest = &self.record[self.releases[number].details as usize..];
        let summaries = self.summaries(number);
        let mut files = Vec::with_capacity(summaries.len());
        for summary in &summaries {
            let Ok((detail, after)) = postcard::take_from_bytes::<Detail<'_>>(rest) else { break };
            rest = after;
            files.extend(self.file(listing, listing.version(number), summary, &detail).map(Arc::new));
        }
        files.into()
    }
}

impl Packed {
    fn file(
        &self,
        listing: &Listing,
        version: &Version,
        summary: &FileSummary,
        detail: &Detail<'_>,
    ) -> Option<DistFile> {
        let name = listing.name.clone();
        let version = match &detail.version {
            Some(own) => own.parse().ok()?,
            None => version.clone(),
        };
        let dist = match summary.kind() {
            DistKind::Sdist => {
                let is_zip = detail.filename.ends_with(".zip");
                let format = if is_zip { SdistFormat::Zip } else { SdistFormat::TarGz };
                DistFilename::Sdist { name, version, format }
            }
            DistKind::Wheel { tags, .. } => DistFilename::Wheel(WheelFilename {
                name,
                version,
                build: detail.build.as_ref().map(|(number, rest)| (*number, (**rest).into())),
                tags: listing.tag_set(tags).clone(),
            }),
        };
        Some(DistFile {
            filename: (*detail.filename).into(),
            dist,
            url: detail.place.read(&self.roots, &detail.filename)?,
            sha256: detail.sha256.map(Sha256),
            requires_python: summary.python().map(|python| listing.requires_python(python).clone()),
            yanked: detail.yanked.as_ref().map(|why| (**why).into()),
            uploaded: summary.uploaded(),
            size: detail.size,
            metadata: match detail.metadata {
                Hint::Unknown => MetadataHint::Unknown,
                Hint::Present => MetadataHint::Present,
                Hint::Sha256(hash) => MetadataHint::Hashed(Sha256(hash)),
            },
        })
    }
}

impl<'a> Detail<'a> {
    fn of(file: &'a DistFile, version: &Version, roots: &mut Roots) -> Self {
        let build = match &file.dist {
            DistFilename::Wheel(wheel) => wheel.build.as_ref(),
            DistFilename::Sdist { .. } => None,
        };
        // Of equal versions, only the zeros at the end of the release tell the spelling apart.
        let own = file.dist.version();
        let is_spelled_alike = own == version && own.release() == version.release();
        Self {
            filename: (*file.filename).into(),
            place: Place::of(file.url.as_text(), &file.filename, roots),
            sha256: file.sha256.map(|hash| hash.0),
            size: file.size,
            metadata: match file.metadata {
                MetadataHint::Unknown => Hint::Unknown,
                MetadataHint::Present => Hint::Present,
                MetadataHint::Hashed(hash) => Hint::Sha256(hash.0),
            },
            yanked: file.yanked.as_deref().map(Text::from),
            build: build.map(|(number, rest)| (*number, (**rest).into())),
            version: (!is_spelled_alike).then(|| own.to_string().into()),
        }
    }
}

impl<'a> Info<'a> {
    fn of(info: &'a ReleaseInfo) -> Self {
        let texts = |texts: &'a [String]| texts.iter().map(|text| text.as_str().into()).collect();
        Self {
            version: info.version.to_string().into(),
            requires_dist: info.requires_dist.as_deref().map(texts),
            requires_python: info.requires_python.as_deref().map(Text::from),
            provides_extra: texts(&info.provides_extra),
        }
    }

    fn read(self) -> Option<ReleaseInfo> {
        let texts = |texts: Vec<Text<'_>>| texts.iter().map(|text| text.to_string()).collect();
        Some(ReleaseInfo {
            version: self.version.parse().ok()?,
            requires_dist: self.requires_dist.map(texts),
            requires_python: self.requires_python.map(|text| text.to_string()),
            provides_extra: texts(self.provides_extra),
        })
    }
}

/// A text of so many lines.
struct Lines {
    text: String,
    /// Where each line ends.
    ends: Vec<u32>,
}

impl Lines {
    /// The lines of `text`, each with its `\n`.
    fn new(text: &str) -> Self {
        let ends = text.bytes().zip(0..).filter(|(byte, _)| *byte == b'\n').map(|(_, at)| at);
        Self { text: text.to_owned(), ends: ends.collect() }
    }

    fn len(&self) -> usize {
        self.ends.len()
    }

    fn line(&self, number: usize) -> &str {
        let start = number.checked_sub(1).map_or(0, |before| self.ends[before] as usize + 1);
        &self.text[start..self.ends[number] as usize]
    }
}

/// A line for each item.
fn lines<T: std::fmt::Display>(items: impl Iterator<Item = T>) -> postcard::Result<Text<'static>> {
    let mut text = String::new();
    for item in items {
        let start = text.len();
        // Writing to a text does not fail.
        let _ = write!(text, "{item}");
        if text[start..].contains('\n') {
            return Err(postcard::Error::SerdeSerCustom);
        }
        text.push('\n');
    }
    Ok(text.into())
}

pub(super) fn count(number: usize) -> postcard::Result<u32> {
    u32::try_from(number).map_err(|_| postcard::Error::SerializeBufferFull)
}

//! A project's releases and their files as an index lists them (PyPA "Simple repository API"; PEP 503, PEP 691, PEP 700).
//!
//! A project has hundreds of releases and thousands of files, and a run needs a few. So a cached listing reads versions, tag
//! sets and files only on demand, from a [`LazyListing`]; a [`FileSummary`] of 21 bytes is enough to choose a file.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;
use std::hash::Hash;
use std::sync::{Arc, OnceLock};

use jiff::Timestamp;
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use super::{DistFilename, FileUrl, PackageName, Sha256, SpecifierSet, TagSet, Version};

/// A project's releases, ascending by version; the same for every API and format of index pages.
#[derive(Clone, Debug)]
pub struct Listing {
    /// The project.
    pub name: PackageName,
    /// The JSON API's `info` about its newest release.
    pub info: Option<ReleaseInfo>,
    /// Entries that were left out, each a sentence that names the file.
    pub warnings: Vec<String>,
    releases: Vec<ListedRelease>,
    shared: SharedValues,
    contents: ListingContents,
}

/// Where the file summaries are.
#[derive(Clone, Debug)]
enum ListingContents {
    /// Here, for each release; versions, files and shared values are in memory, too.
    InMemory(Vec<Box<[FileSummary]>>),
    /// In a record of the cache. A run reads a summary once or twice, so nothing keeps it.
    OnDemand(Arc<dyn LazyListing>),
}

/// One release, as far as it was read.
#[derive(Clone, Debug, Default)]
struct ListedRelease {
    version: OnceLock<Version>,
    files: OnceLock<Box<[Arc<DistFile>]>>,
}

/// The values that many files of a project share, each once.
#[derive(Clone, Debug, Default)]
struct SharedValues {
    /// The tag sets of its wheels.
    tags: Vec<OnceLock<TagSet>>,
    /// The Requires-Python values of its files.
    pythons: Vec<OnceLock<SpecifierSet>>,
}

/// The facts that decide whether a file may be chosen. Small, since a run reads tens of thousands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileSummary {
    /// The number of the tag set; [`NONE`] for an sdist.
    tags: u32,
    build_rank: u32,
    /// The number of the Requires-Python; [`NONE`] if there is none.
    python: u32,
    /// Microseconds since 1970; [`NEVER`] if unknown.
    uploaded: i64,
    yanked: bool,
}

const NONE: u32 = u32::MAX;
const NEVER: i64 = i64::MIN;

/// Whether a file is a wheel or an sdist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DistKind {
    /// A source distribution.
    Sdist,
    /// A wheel.
    Wheel {
        /// The number of its tag set: see [`Listing::tag_set`].
        tags: u32,
        /// Breaks ties between wheels of the release whose tags rank the same; the lowest wins. The highest build tag has the
        /// lowest rank, then the first name.
        build_rank: u32,
    },
}

/// A listing that is read piece by piece, such as a record of the cache.
pub trait LazyListing: fmt::Debug + Send + Sync {
    /// The version of the release `number`.
    fn version(&self, number: usize) -> Version;

    /// The summaries of the files of the release `number`; all numbers in them are valid.
    fn summaries(&self, number: usize) -> Vec<FileSummary>;

    /// The tag set with this number.
    fn tag_set(&self, tags: usize) -> TagSet;

    /// The Requires-Python with this number.
    fn requires_python(&self, python: usize) -> SpecifierSet;

    /// The files of the release `number` of `listing`, one for each of its summaries.
    fn files(&self, listing: &Listing, number: usize) -> Box<[Arc<DistFile>]>;
}

/// One file of a release.
#[derive(Clone, Debug)]
pub struct DistFile {
    /// The file's name.
    pub filename: Arc<str>,
    /// The file's name, parsed.
    pub dist: DistFilename,
    /// Its absolute URL. It may hold credentials: never print it.
    pub url: FileUrl,
    /// Its SHA-256, if the index has one.
    pub sha256: Option<Sha256>,
    /// Its Requires-Python, if the index has a valid one.
    pub requires_python: Option<SpecifierSet>,
    /// Why it was yanked (PEP 592), if it was; the reason may be empty.
    pub yanked: Option<Arc<str>>,
    /// When it was uploaded (PEP 700), if the index has it.
    pub uploaded: Option<Timestamp>,
    /// Its size in bytes (PEP 700), if the index has it.
    pub size: Option<u64>,
    /// Whether the index has its metadata as a file of its own.
    pub metadata: MetadataHint,
}

/// Whether an index has the metadata of a distribution as a file beside it: `core-metadata` (PEP 658, PEP 714).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum MetadataHint {
    /// The index does not say; there may be one all the same.
    Unknown,
    /// It has one, without a hash.
    Present,
    /// It has one with this hash.
    Hashed(Sha256),
}

/// The JSON API's `info`: metadata of one release. Its files may differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReleaseInfo {
    /// The release.
    pub version: Version,
    /// `requires_dist`; `None` is "none" or "unknown".
    pub requires_dist: Option<Vec<String>>,
    /// `requires_python`
    pub requires_python: Option<String>,
    /// `provides_extra`
    pub provides_extra: Vec<String>,
}

impl Listing {
    /// A listing of `releases`, ascending by version, each version once, with its files sorted by name.
    #[must_use]
    pub fn new(name: PackageName, releases: Vec<(Version, Vec<Arc<DistFile>>)>) -> Self {
        let mut interner = ListingInterner::default();
        let summaries = releases.iter().map(|(_, files)| interner.summaries(files)).collect();
        let made = releases.into_iter().map(|(version, files)| ListedRelease {
            version: version.into(),
            files: files.into_boxed_slice().into(),
        });
        let (releases, contents) = (made.collect(), ListingContents::InMemory(summaries));
        Self { name, releases, shared: interner.shared, info: None, warnings: Vec::new(), contents }
    }

    /// A listing that is read from `source` on demand: the numbers of its releases, tag sets and Requires-Python values.
    #[must_use]
    pub fn lazy(
        name: PackageName,
        releases: usize,
        (tags, pythons): (usize, usize),
        source: Arc<dyn LazyListing>,
    ) -> Self {
        let shared =
            SharedValues { tags: vec![OnceLock::new(); tags], pythons: vec![OnceLock::new(); pythons] };
        let releases = vec![ListedRelease::default(); releases];
        Self {
            name,
            releases,
            shared,
            info: None,
            warnings: Vec::new(),
            contents: ListingContents::OnDemand(source),
        }
    }

    /// The same with the JSON API's `info` and with warnings.
    #[must_use]
    pub fn with(self, info: Option<ReleaseInfo>, warnings: Vec<String>) -> Self {
        Self { info, warnings, ..self }
    }

    /// How many releases there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.releases.len()
    }

    /// Whether there is no release.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.releases.is_empty()
    }

    /// The versions of the releases, ascending.
    pub fn versions(&self) -> impl ExactSizeIterator<Item = &Version> {
        (0..self.len()).map(|number| self.version(number))
    }

    /// The number of the release `version`, if there is one.
    #[must_use]
    pub fn position(&self, version: &Version) -> Option<usize> {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low.midpoint(high);
            match self.version(middle).cmp(version) {
                Ordering::Less => low = middle + 1,
                Ordering::Equal => return Some(middle),
                Ordering::Greater => high = middle,
            }
        }
        None
    }

    /// The summaries of the files of the release `number`, sorted by file name.
    ///
    /// # Panics
    /// When there is no such release; so do the other methods that take a number.
    #[must_use]
    pub fn summaries(&self, number: usize) -> Cow<'_, [FileSummary]> {
        match &self.contents {
            ListingContents::InMemory(summaries) => Cow::Borrowed(&summaries[number]),
            ListingContents::OnDemand(lazy) => Cow::Owned(lazy.summaries(number)),
        }
    }

    /// The version of the release `number`.
    #[must_use]
    pub fn version(&self, number: usize) -> &Version {
        self.read(&self.releases[number].version, |lazy| lazy.version(number))
    }

    /// The files of the release `number`, sorted by name.
    #[must_use]
    pub fn files(&self, number: usize) -> &[Arc<DistFile>] {
        self.read::<Box<[Arc<DistFile>]>>(&self.releases[number].files, |lazy| lazy.files(self, number))
    }

    /// All files, release by release.
    pub fn all_files(&self) -> impl Iterator<Item = &Arc<DistFile>> {
        (0..self.len()).flat_map(|number| self.files(number))
    }

    /// How many different tag sets its wheels have.
    #[must_use]
    pub fn tag_sets(&self) -> usize {
        self.shared.tags.len()
    }

    /// The tag set with this number in a [`FileSummary`].
    #[must_use]
    pub fn tag_set(&self, tags: u32) -> &TagSet {
        self.read(&self.shared.tags[tags as usize], |lazy| lazy.tag_set(tags as usize))
    }

    /// How many different Requires-Python values its files have.
    #[must_use]
    pub fn requires_pythons(&self) -> usize {
        self.shared.pythons.len()
    }

    /// The Requires-Python with this number in a [`FileSummary`].
    #[must_use]
    pub fn requires_python(&self, python: u32) -> &SpecifierSet {
        self.read(&self.shared.pythons[python as usize], |lazy| lazy.requires_python(python as usize))
    }

    /// The value of `slot`, read on the first use.
    fn read<'l, T>(&'l self, slot: &'l OnceLock<T>, from: impl FnOnce(&dyn LazyListing) -> T) -> &'l T {
        slot.get_or_init(|| match &self.contents {
            ListingContents::OnDemand(lazy) => from(&**lazy),
            ListingContents::InMemory(_) => unreachable!("`Listing::new` fills every slot"),
        })
    }
}

impl FileSummary {
    /// The size of [`to_bytes`](Self::to_bytes).
    pub const BYTES: usize = 4 + 4 + 4 + 8 + 1;

    /// Whether it is a wheel or an sdist.
    #[must_use]
    pub fn kind(&self) -> DistKind {
        match self.tags {
            NONE => DistKind::Sdist,
            tags => DistKind::Wheel { tags, build_rank: self.build_rank },
        }
    }

    /// Whether its numbers are below these counts of tag sets and Requires-Python values: false for a damaged record.
    #[must_use]
    pub fn is_within(&self, tags: usize, pythons: usize) -> bool {
        let is_of = |place: u32, count: usize| place == NONE || (place as usize) < count;
        is_of(self.tags, tags) && is_of(self.python, pythons)
    }

    /// The number of its Requires-Python, if it has a valid one: see [`Listing::requires_python`].
    #[must_use]
    pub fn python(&self) -> Option<u32> {
        (self.python != NONE).then_some(self.python)
    }

    /// When it was uploaded, if the index has it.
    #[must_use]
    pub fn uploaded(&self) -> Option<Timestamp> {
        // Every stored time came from a `Timestamp`, so it converts back.
        if self.uploaded == NEVER { None } else { Timestamp::from_microsecond(self.uploaded).ok() }
    }

    /// Whether it was yanked (PEP 592).
    #[must_use]
    pub fn is_yanked(&self) -> bool {
        self.yanked
    }

    /// The bytes for a record of the cache.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        bytes[..4].copy_from_slice(&self.tags.to_le_bytes());
        bytes[4..8].copy_from_slice(&self.build_rank.to_le_bytes());
        bytes[8..12].copy_from_slice(&self.python.to_le_bytes());
        bytes[12..20].copy_from_slice(&self.uploaded.to_le_bytes());
        bytes[20] = u8::from(self.yanked);
        bytes
    }

    /// The inverse of [`to_bytes`](Self::to_bytes).
    #[must_use]
    pub fn from_bytes(bytes: &[u8; Self::BYTES]) -> Self {
        let [a, b, c, d, e, f, g, h, i, j, k, l, rest @ ..] = *bytes;
        let [m, n, o, p, q, r, s, t, yanked] = rest;
        Self {
            tags: u32::from_le_bytes([a, b, c, d]),
            build_rank: u32::from_le_bytes([e, f, g, h]),
            python: u32::from_le_bytes([i, j, k, l]),
            uploaded: i64::from_le_bytes([m, n, o, p, q, r, s, t]),
            yanked: yanked != 0,
        }
    }
}

/// Numbers the values that files share.
#[derive(Default)]
struct ListingInterner {
    shared: SharedValues,
    tags: FxHashMap<TagSet, u32>,
    /// By text: equal sets may be spelled differently, and the spelling is kept.
    pythons: FxHashMap<String, u32>,
    /// The last Requires-Python and its number: neighbours usually share one.
    python: Option<(SpecifierSet, u32)>,
}

impl ListingInterner {
    /// The summaries of one release's files, which must be sorted by name.
    fn summaries(&mut self, files: &[Arc<DistFile>]) -> Box<[FileSummary]> {
        let mut wheels: Vec<usize> = (0..files.len()).filter(|&n| build(&files[n]).is_some()).collect();
        wheels.sort_by_key(|&n| std::cmp::Reverse(build(&files[n])));
        let mut build_ranks = vec![0; files.len()];
        wheels.iter().enumerate().for_each(|(build_rank, &n)| build_ranks[n] = ordinal(build_rank));
        files.iter().zip(build_ranks).map(|(file, build_rank)| self.summary(file, build_rank)).collect()
    }

    fn summary(&mut self, file: &DistFile, build_rank: u32) -> FileSummary {
        let python = file.requires_python.as_ref().map_or(NONE, |python| self.intern_python(python));
        let Self { shared, tags, .. } = self;
        let tags = match &file.dist {
            DistFilename::Sdist { .. } => NONE,
            DistFilename::Wheel(wheel) => intern(wheel.tags.clone(), &wheel.tags, tags, &mut shared.tags),
        };
        FileSummary {
            tags,
            build_rank,
            python,
            uploaded: file.uploaded.map_or(NEVER, Timestamp::as_microsecond),
            yanked: file.yanked.is_some(),
        }
    }
}

impl ListingInterner {
    fn intern_python(&mut self, python: &SpecifierSet) -> u32 {
        if let Some((last, place)) = &self.python
            && last.is_shared_with(python)
        {
            return *place;
        }
        let place = intern(python.to_string(), python, &mut self.pythons, &mut self.shared.pythons);
        self.python = Some((python.clone(), place));
        place
    }
}

/// The build tag of a wheel, where none sorts first; `None` for an sdist.
fn build(file: &DistFile) -> Option<&Option<(u64, Arc<str>)>> {
    match &file.dist {
        DistFilename::Wheel(wheel) => Some(&wheel.build),
        DistFilename::Sdist { .. } => None,
    }
}

/// The number of the value with this key, which is added if it is new.
fn intern<K: Eq + Hash, T: Clone>(
    key: K,
    word: &T,
    places: &mut FxHashMap<K, u32>,
    words: &mut Vec<OnceLock<T>>,
) -> u32 {
    *places.entry(key).or_insert_with(|| {
        words.push(word.clone().into());
        ordinal(words.len() - 1)
    })
}

/// A page is too short for more than `u32::MAX` values.
fn ordinal(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}

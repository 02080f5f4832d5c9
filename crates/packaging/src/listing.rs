//! What an index tells of a project: its releases and their files.
//!
//! A project has hundreds of releases and thousands of files, of which a run looks at a few. So a listing
//! holds of each file no more than decides between releases, its [`FileSummary`]; versions, words and the files of a
//! release are read from the listing's [`LazyListing`] when somebody looks at them.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;
use std::hash::Hash;
use std::sync::{Arc, OnceLock};

use jiff::Timestamp;
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use super::{DistFilename, FileUrl, PackageName, Sha256, SpecifierSet, TagSet, Version};

/// A project's releases, ascending by version; the same whichever API told of them.
#[derive(Clone, Debug)]
pub struct Listing {
    /// The project.
    pub name: PackageName,
    /// What the JSON API tells of its newest release.
    pub info: Option<ReleaseInfo>,
    /// Entries that were barred, each a sentence that names the file.
    pub warnings: Vec<String>,
    releases: Vec<Release>,
    words: Words,
    rest: Rest,
}

/// Where the rest is.
#[derive(Clone, Debug)]
enum Rest {
    /// In memory: here are the summaries of each release, and nothing is missing elsewhere.
    Outlines(Vec<Box<[FileSummary]>>),
    /// Where it is read from when somebody looks at it. Outlines are looked at once or twice, so they are not kept.
    LazyListing(Arc<dyn LazyListing>),
}

/// One release, as far as it was looked at.
#[derive(Clone, Debug, Default)]
struct Release {
    version: OnceLock<Version>,
    files: OnceLock<Box<[Arc<DistFile>]>>,
}

/// What many files of a project say alike, each once.
#[derive(Clone, Debug, Default)]
struct Words {
    /// The tag sets of its wheels.
    tags: Vec<OnceLock<TagSet>>,
    /// Their Requires-Pythons.
    pythons: Vec<OnceLock<SpecifierSet>>,
}

/// What decides whether a file may be taken. Small, since there are tens of thousands in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileSummary {
    /// [`NONE`] is an sdist.
    tags: u32,
    build_rank: u32,
    /// [`NONE`] is none.
    python: u32,
    /// Microseconds since 1970; [`NEVER`] is not told.
    uploaded: i64,
    yanked: bool,
}

const NONE: u32 = u32::MAX;
const NEVER: i64 = i64::MIN;

/// What kind of file it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DistKind {
    /// A source distribution.
    Sdist,
    /// A wheel.
    Wheel {
        /// Its tags: see [`Listing::tag_set`].
        tags: u32,
        /// Which wheel of the release goes first among those whose tags rank alike: the one with the
        /// highest build tag, then the one whose name comes first. The lower, the earlier.
        build_rank: u32,
    },
}

/// Where the rest of a listing is read from when somebody looks at it.
pub trait LazyListing: fmt::Debug + Send + Sync {
    /// The version of the release `number`.
    fn version(&self, number: usize) -> Version;

    /// The summaries of the files of the release `number`; what they call by number is there.
    fn summaries(&self, number: usize) -> Vec<FileSummary>;

    /// The tag set that summaries call by this number.
    fn tag_set(&self, tags: usize) -> TagSet;

    /// The Requires-Python that summaries call by this number.
    fn requires_python(&self, python: usize) -> SpecifierSet;

    /// The files of the release `number` of `listing`, one for each of its summaries.
    fn files(&self, listing: &Listing, number: usize) -> Box<[Arc<DistFile>]>;
}

/// One file of a release.
#[derive(Clone, Debug)]
pub struct DistFile {
    /// The file's name.
    pub filename: Arc<str>,
    /// What the name says.
    pub dist: DistFilename,
    /// Where it is; absolute; it may hold credentials, so it is never printed as it is.
    pub url: FileUrl,
    /// Its hash, where the index tells one.
    pub sha256: Option<Sha256>,
    /// Its Requires-Python, where the index tells a readable one.
    pub requires_python: Option<SpecifierSet>,
    /// Why it was yanked (PEP 592), where it was; the reason may be empty.
    pub yanked: Option<Arc<str>>,
    /// When it was uploaded, where the index tells.
    pub uploaded: Option<Timestamp>,
    /// Its size in bytes, where the index tells.
    pub size: Option<u64>,
    /// What the index tells of a metadata file beside it.
    pub metadata: MetadataHint,
}

/// What an index tells of the metadata file beside a distribution (PEP 658, PEP 714).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum MetadataHint {
    /// Nothing: there may be one all the same.
    Unknown,
    /// There is one.
    Present,
    /// There is one with this hash.
    Hashed(Sha256),
}

/// The JSON API's `info`: metadata of one release as the index sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReleaseInfo {
    /// Which release it speaks of.
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
        let mut words = Interner::default();
        let summaries = releases.iter().map(|(_, files)| words.summaries(files)).collect();
        let made = releases.into_iter().map(|(version, files)| Release {
            version: version.into(),
            files: files.into_boxed_slice().into(),
        });
        let (releases, rest) = (made.collect(), Rest::Outlines(summaries));
        Self { name, releases, words: words.words, info: None, warnings: Vec::new(), rest }
    }

    /// A listing of so many `releases` that is on `lazy`, whose summaries name so many `tags` and `pythons`.
    #[must_use]
    pub fn lazy(
        name: PackageName,
        releases: usize,
        (tags, pythons): (usize, usize),
        lazy: Arc<dyn LazyListing>,
    ) -> Self {
        let words = Words { tags: vec![OnceLock::new(); tags], pythons: vec![OnceLock::new(); pythons] };
        let releases = vec![Release::default(); releases];
        Self { name, releases, words, info: None, warnings: Vec::new(), rest: Rest::LazyListing(lazy) }
    }

    /// The same with what the JSON API tells of its newest release, and with entries that were barred.
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

    /// The number of the release `version`, where there is one.
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

    /// What decides about the files of the release `number`, sorted by file name.
    ///
    /// # Panics
    /// When there is no such release; so do the others that take a number.
    #[must_use]
    pub fn summaries(&self, number: usize) -> Cow<'_, [FileSummary]> {
        match &self.rest {
            Rest::Outlines(summaries) => Cow::Borrowed(&summaries[number]),
            Rest::LazyListing(lazy) => Cow::Owned(lazy.summaries(number)),
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

    /// How many tag sets its wheels have.
    #[must_use]
    pub fn tag_sets(&self) -> usize {
        self.words.tags.len()
    }

    /// The tag set that summaries call by this number.
    #[must_use]
    pub fn tag_set(&self, tags: u32) -> &TagSet {
        self.read(&self.words.tags[tags as usize], |lazy| lazy.tag_set(tags as usize))
    }

    /// How many Requires-Pythons its files have.
    #[must_use]
    pub fn requires_pythons(&self) -> usize {
        self.words.pythons.len()
    }

    /// The Requires-Python that summaries call by this number.
    #[must_use]
    pub fn requires_python(&self, python: u32) -> &SpecifierSet {
        self.read(&self.words.pythons[python as usize], |lazy| lazy.requires_python(python as usize))
    }

    /// What is in `slot`; where that is empty, it is read from the lazy first.
    fn read<'l, T>(&'l self, slot: &'l OnceLock<T>, from: impl FnOnce(&dyn LazyListing) -> T) -> &'l T {
        slot.get_or_init(|| match &self.rest {
            Rest::LazyListing(lazy) => from(&**lazy),
            Rest::Outlines(_) => unreachable!("a listing without a lazy is made with everything in it"),
        })
    }
}

impl FileSummary {
    /// How many bytes one takes in a record.
    pub const BYTES: usize = 4 + 4 + 4 + 8 + 1;

    /// A wheel or an sdist.
    #[must_use]
    pub fn kind(&self) -> DistKind {
        match self.tags {
            NONE => DistKind::Sdist,
            tags => DistKind::Wheel { tags, build_rank: self.build_rank },
        }
    }

    /// Whether there are so many tag sets and Requires-Pythons that it calls none that is not there.
    #[must_use]
    pub fn is_within(&self, tags: usize, pythons: usize) -> bool {
        let is_of = |place: u32, count: usize| place == NONE || (place as usize) < count;
        is_of(self.tags, tags) && is_of(self.python, pythons)
    }

    /// Its Requires-Python, where the index tells a readable one: see [`Listing::requires_python`].
    #[must_use]
    pub fn python(&self) -> Option<u32> {
        (self.python != NONE).then_some(self.python)
    }

    /// When it was uploaded, where the index tells.
    #[must_use]
    pub fn uploaded(&self) -> Option<Timestamp> {
        // Every time that was told is one, so it is read back.
        if self.uploaded == NEVER { None } else { Timestamp::from_microsecond(self.uploaded).ok() }
    }

    /// Whether it was yanked (PEP 592).
    #[must_use]
    pub fn is_yanked(&self) -> bool {
        self.yanked
    }

    /// As bytes of a record.
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

    /// The same, read back.
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

/// Gives what files say alike its place.
#[derive(Default)]
struct Interner {
    words: Words,
    tags: FxHashMap<TagSet, u32>,
    /// By their text: equal ones may be spelled differently.
    pythons: FxHashMap<String, u32>,
    /// The Requires-Python that was met last, and its place.
    python: Option<(SpecifierSet, u32)>,
}

impl Interner {
    /// The summaries of one release's files, which are sorted by name.
    fn summaries(&mut self, files: &[Arc<DistFile>]) -> Box<[FileSummary]> {
        let mut wheels: Vec<usize> = (0..files.len()).filter(|&n| build(&files[n]).is_some()).collect();
        wheels.sort_by_key(|&n| std::cmp::Reverse(build(&files[n])));
        let mut build_ranks = vec![0; files.len()];
        wheels.iter().enumerate().for_each(|(build_rank, &n)| build_ranks[n] = ordinal(build_rank));
        files.iter().zip(build_ranks).map(|(file, build_rank)| self.summary(file, build_rank)).collect()
    }

    fn summary(&mut self, file: &DistFile, build_rank: u32) -> FileSummary {
        let python = file.requires_python.as_ref().map_or(NONE, |python| self.place_of_python(python));
        let Self { words, tags, .. } = self;
        let tags = match &file.dist {
            DistFilename::Sdist { .. } => NONE,
            DistFilename::Wheel(wheel) => place_of(wheel.tags.clone(), &wheel.tags, tags, &mut words.tags),
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

impl Interner {
    fn place_of_python(&mut self, python: &SpecifierSet) -> u32 {
        if let Some((last, place)) = &self.python
            && last.is(python)
        {
            return *place;
        }
        let place = place_of(python.to_string(), python, &mut self.pythons, &mut self.words.pythons);
        self.python = Some((python.clone(), place));
        place
    }
}

/// The build tag of a wheel: none sorts first. `None` for an sdist.
fn build(file: &DistFile) -> Option<&Option<(u64, Arc<str>)>> {
    match &file.dist {
        DistFilename::Wheel(wheel) => Some(&wheel.build),
        DistFilename::Sdist { .. } => None,
    }
}

/// The place in `words` of the word with this key, where it is put if it is new.
fn place_of<K: Eq + Hash, T: Clone>(
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

/// A page is too short for more than fits.
fn ordinal(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}

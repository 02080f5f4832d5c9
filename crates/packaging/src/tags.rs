//! Wheel tags (PyPA "Platform compatibility tags"): the compressed set in a wheel's name, the ordered list that an
//! environment supports, and the rank of one in the other.

use std::fmt;
use std::sync::Arc;

use rustc_hash::FxHashMap;

/// A compressed set with more triples than this is refused; real ones have some dozens.
const MAX_TRIPLES: usize = 1024;

/// One triple `PYTHON-ABI-PLATFORM`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag {
    /// Such as `cp311` or `py3`.
    pub python: Arc<str>,
    /// Such as `cp311`, `abi3` or `none`.
    pub abi: Arc<str>,
    /// Such as `manylinux_2_28_x86_64` or `any`.
    pub platform: Arc<str>,
}

/// The compressed tag set of a wheel's name, such as `py2.py3-none-any`: every combination of its three lists.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TagSet {
    text: Arc<str>,
    /// The offsets in `text` of the `-` before the ABIs and of the one before the platforms.
    dashes: (u32, u32),
}

/// Three texts that are no tag set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagSetError {
    /// What is wrong, as a sentence without a full stop.
    pub message: String,
}

/// The tags that an environment supports, the most specific first.
#[derive(Clone, Debug, Default)]
pub struct SupportedTags {
    ordered: Arc<[Tag]>,
    ranks: Arc<Ranks>,
}

/// Python -> ABI -> platform -> rank: nested, so that borrowed texts can be looked up without an allocation.
type Ranks = FxHashMap<Arc<str>, FxHashMap<Arc<str>, FxHashMap<Arc<str>, u32>>>;

impl TagSet {
    /// From the three lists, each with `.` between its members.
    ///
    /// # Errors
    /// When a member is no valid tag, or the set has more than 1024 triples.
    pub fn new(pythons: &str, abis: &str, platforms: &str) -> Result<Self, TagSetError> {
        let mut size = 1_usize;
        for list in [pythons, abis, platforms] {
            if let Some(odd) = list.split('.').find(|member| !is_tag(member)) {
                return Err(TagSetError { message: format!("`{odd}` is not a tag") });
            }
            size = size.saturating_mul(list.split('.').count());
        }
        if size > MAX_TRIPLES {
            return Err(TagSetError {
                message: format!("it stands for {size} tags, more than {MAX_TRIPLES}"),
            });
        }
        let mut text = format!("{pythons}-{abis}-{platforms}");
        text.make_ascii_lowercase();
        let too_long = |_| TagSetError { message: "it is too long".to_owned() };
        let first = u32::try_from(pythons.len()).map_err(too_long)?;
        let second = u32::try_from(pythons.len() + 1 + abis.len()).map_err(too_long)?;
        Ok(Self { text: text.into(), dashes: (first, second) })
    }

    /// From the compressed text, such as `py2.py3-none-any`; `None` without three lists. The members are not checked.
    #[must_use]
    pub fn from_compressed(text: &str) -> Option<Self> {
        let mut dashes = (0_u32..).zip(text.bytes()).filter(|(_, byte)| *byte == b'-').map(|(at, _)| at);
        let (Some(first), Some(second), None) = (dashes.next(), dashes.next(), dashes.next()) else {
            return None;
        };
        Some(Self { text: text.into(), dashes: (first, second) })
    }

    /// A set that no environment supports.
    #[must_use]
    pub fn incompatible() -> Self {
        Self { text: "none-none-none".into(), dashes: (4, 9) }
    }

    /// The members of the first list, such as `py2` and `py3`.
    pub fn pythons(&self) -> impl Iterator<Item = &str> + Clone {
        self.lists().0.split('.')
    }

    /// The members of the second list, such as `abi3`.
    pub fn abis(&self) -> impl Iterator<Item = &str> + Clone {
        self.lists().1.split('.')
    }

    /// The members of the third list, such as `any`.
    pub fn platforms(&self) -> impl Iterator<Item = &str> + Clone {
        self.lists().2.split('.')
    }

    /// Every triple of the set.
    pub fn expanded(&self) -> impl Iterator<Item = Tag> {
        self.pythons().flat_map(move |python| {
            self.abis()
                .flat_map(move |abi| self.platforms().map(move |platform| Tag::new(python, abi, platform)))
        })
    }

    fn lists(&self) -> (&str, &str, &str) {
        let (first, second) = (self.dashes.0 as usize, self.dashes.1 as usize);
        (&self.text[..first], &self.text[first + 1..second], &self.text[second + 1..])
    }
}

/// Whether `text` is a valid member of a tag set.
fn is_tag(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

impl Tag {
    /// A triple of these parts.
    #[must_use]
    pub fn new(python: &str, abi: &str, platform: &str) -> Self {
        Self { python: python.into(), abi: abi.into(), platform: platform.into() }
    }
}

impl SupportedTags {
    /// From the tags in order, the most specific first.
    #[must_use]
    pub fn new(tags: impl IntoIterator<Item = Tag>) -> Self {
        let mut ranks = Ranks::default();
        let mut ordered = Vec::new();
        for tag in tags {
            let platforms = ranks.entry(tag.python.clone()).or_default().entry(tag.abi.clone()).or_default();
            let rank = u32::try_from(ordered.len()).unwrap_or(u32::MAX);
            platforms.entry(tag.platform.clone()).or_insert(rank);
            ordered.push(tag);
        }
        Self { ordered: ordered.into(), ranks: Arc::new(ranks) }
    }

    /// How well a wheel with these tags fits: 0 is the best; `None` if it does not fit.
    #[must_use]
    pub fn rank(&self, tags: &TagSet) -> Option<u32> {
        let abis = tags.pythons().filter_map(|python| self.ranks.get(python));
        let platforms = abis.flat_map(|known| tags.abis().filter_map(|abi| known.get(abi)));
        platforms.flat_map(|known| tags.platforms().filter_map(|platform| known.get(platform))).copied().min()
    }

    /// The tags in order, the most specific first.
    pub fn iter(&self) -> impl Iterator<Item = &Tag> {
        self.ordered.iter()
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{}", self.python, self.abi, self.platform)
    }
}

impl fmt::Display for TagSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for TagSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Display for TagSetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for TagSetError {}

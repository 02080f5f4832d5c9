//! What a run learnt of the releases that it pinned, in one record.
//!
//! The next run that writes the same file, which mostly pins the same, reads that instead of two records a package. It says
//! nothing that the cache's own records do not say: of each release it names the record that told it, and is believed
//! only while that one lies there as it was and is fresh. What files say of themselves never changes.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use super::config::Freshness;
use super::kept::{Age, Backing, Told};
use super::metadata::Spoken;
use super::page::Text;
use super::shelf::{self, count};
use super::word::Word;
use super::{Client, Shared};
use pinfast_cache::{Bucket, CacheKey, CacheRecord};
use pinfast_packaging::{DistFile, Listing, PackageName, Sha256, Version};
use pinfast_solve::IndexQuery;

/// A snapshot is made anew where it lacks one of so many packages.
const MANY: usize = 8;

/// Of so many locks snapshots are kept.
const LOCKS: usize = 64;

/// A record of this kind, as far as it was looked at.
pub(super) struct Snapshot {
    record: Arc<CacheRecord>,
    projects: FxHashMap<Box<str>, Project>,
    /// Where what each file says of itself stands, by the file's hash.
    words: FxHashMap<[u8; 32], Range<usize>>,
}

struct Project {
    age: Age,
    /// The versions of its releases, a line each.
    versions: Box<str>,
    has_newest: bool,
    bytes: Range<usize>,
    recalled: OnceLock<Recalled>,
}

/// What can be believed of a project.
#[derive(Default)]
struct Recalled {
    /// Listings of one release each.
    releases: Vec<Told>,
    newest: Option<Told>,
}

/// How a record begins; the projects follow, then the words.
#[derive(Serialize, Deserialize)]
struct Front<'a> {
    #[serde(borrow)]
    projects: Vec<Entry<'a>>,
    words: Vec<([u8; 32], u32)>,
}

#[derive(Serialize, Deserialize)]
struct Entry<'a> {
    #[serde(borrow)]
    name: Text<'a>,
    /// Of what is stale first.
    age: Age,
    /// The versions of its releases, a line each.
    #[serde(borrow)]
    versions: Text<'a>,
    has_newest: bool,
    length: u32,
}

/// How a project begins; the packed listings follow.
#[derive(Serialize, Deserialize)]
struct Contents {
    releases: Vec<(Backing, u32)>,
    /// Which of them is the project's newest.
    newest: Option<u32>,
}

impl Client {
    /// Takes the word of the last run that wrote this `lock` for what it pinned.
    pub fn recall(&self, lock: &Path) {
        let shared = &self.shared;
        if shared.config.freshness == Freshness::Refresh {
            return;
        }
        let record = shared.snapshot_key(lock).and_then(|key| shared.recorded(Bucket::Snapshots, &key));
        if let Some(snapshot) = record.and_then(|record| Snapshot::open(Arc::new(record))) {
            // Whoever recalled before was first.
            let _ = shared.snapshot.set(snapshot);
        }
    }

    /// Keeps what was learnt of the releases that are pinned, for the next run that writes this `lock`; what the last
    /// one kept stays where it told of most of them.
    pub fn remember<'a>(&self, lock: &Path, pins: impl Iterator<Item = (&'a PackageName, &'a Version)>) {
        let shared = &self.shared;
        let (Some(key), Some(cache)) = (shared.snapshot_key(lock), &shared.cache) else { return };
        let mut releases = Pins::new();
        pins.for_each(|(name, version)| releases.entry(name).or_default().push(version));
        let recalls = |name: &PackageName, versions: &[&Version]| {
            versions.iter().all(|version| shared.recalled_release(name, version).is_some())
        };
        let recalled = releases.iter().filter(|(name, versions)| recalls(name, versions)).count();
        if releases.len() - recalled <= releases.len() / MANY {
            return;
        }
        let record = shared.snapshot_of(&releases);
        let is_same = |old: &Snapshot| record.as_ref().is_ok_and(|record| **old.record == **record);
        if !shared.snapshot.get().is_some_and(is_same) {
            shared.put(Bucket::Snapshots, &key, record, &[]);
            // What cannot be removed is removed another time.
            let _ = cache.keep_newest(Bucket::Snapshots, LOCKS);
        }
    }
}

impl Snapshot {
    /// `None` where the record cannot be read.
    fn open(record: Arc<CacheRecord>) -> Option<Self> {
        let (front, rest) = postcard::take_from_bytes::<Front<'_>>(&record).ok()?;
        let mut next = record.len() - rest.len();
        let mut take = |length: u32| {
            let bytes = next..next.checked_add(length as usize).filter(|end| *end <= record.len())?;
            next = bytes.end;
            Some(bytes)
        };
        let mut projects = FxHashMap::default();
        for Entry { name, age, versions, has_newest, length } in front.projects {
            let (versions, bytes) = ((*versions).into(), take(length)?);
            let project = Project { age, versions, has_newest, bytes, recalled: OnceLock::new() };
            projects.insert((*name).into(), project);
        }
        let words = front.words.into_iter().map(|(sha256, length)| Some((sha256, take(length)?)));
        let words = words.collect::<Option<_>>()?;
        Some(Self { projects, words, record })
    }

    /// What the file with this hash says of itself.
    fn word(&self, sha256: Sha256) -> Option<Word> {
        let bytes = self.words.get(&sha256.0)?.clone();
        postcard::from_bytes(&self.record[bytes]).ok()
    }

    /// The listings in these bytes whose records `is_backed` still knows.
    fn read(
        &self,
        name: &PackageName,
        bytes: Range<usize>,
        is_backed: impl Fn(&Backing) -> bool,
    ) -> Recalled {
        let end = bytes.end;
        let read = postcard::take_from_bytes::<Contents>(&self.record[bytes]);
        let Ok((contents, rest)) = read else { return Recalled::default() };
        let (mut next, mut recalled) = (end - rest.len(), Recalled::default());
        for (number, (backing, length)) in (0..).zip(contents.releases) {
            let bytes = next..next.saturating_add(length as usize).min(end);
            next = bytes.end;
            if !is_backed(&backing) {
                continue;
            }
            let Some(listing) = shelf::open(name, Arc::clone(&self.record), bytes) else { continue };
            let told = Told { listing: Arc::new(listing), backing: Some(backing) };
            if contents.newest == Some(number) {
                recalled.newest = Some(told.clone());
            }
            recalled.releases.push(told);
        }
        recalled
    }
}

impl Shared {
    /// What is told of `name`, as far as it stands.
    fn recalled(&self, name: &PackageName) -> Option<&Recalled> {
        let snapshot = self.snapshot.get()?;
        let project = snapshot.projects.get(name.as_str())?;
        let is_backed = |backing: &Backing| self.is_backed(backing);
        Some(project.recalled.get_or_init(|| snapshot.read(name, project.bytes.clone(), is_backed)))
    }

    pub(super) fn recalled_release(&self, name: &PackageName, version: &Version) -> Option<Told> {
        let is_meant = |told: &&Told| told.listing.versions().eq([version]);
        self.recalled(name)?.releases.iter().find(is_meant).cloned()
    }

    pub(super) fn recalled_newest(&self, name: &PackageName) -> Option<Told> {
        self.recalled(name)?.newest.clone()
    }

    /// What `file` says of itself.
    pub(super) fn recalled_word(&self, file: &DistFile) -> Option<Spoken> {
        let word = self.snapshot.get()?.word(file.sha256?).filter(|word| word.is_as_told(file.metadata))?;
        Some(Spoken { metadata: Arc::new(word.believe(file).ok()?), sha256: file.sha256, word: None })
    }

    pub(super) fn recalls_word(&self, file: &DistFile) -> bool {
        let is_there = |snapshot: &Snapshot| file.sha256.is_some_and(|it| snapshot.words.contains_key(&it.0));
        self.snapshot.get().is_some_and(is_there)
    }

    /// Whether what is wanted is most likely there: to be sure would take as long as to answer.
    pub(super) fn recalls(&self, want: &IndexQuery) -> bool {
        let Some(snapshot) = self.snapshot.get() else { return false };
        let young = |name: &PackageName| {
            snapshot.projects.get(name.as_str()).filter(|project| self.is_young_enough(project.age))
        };
        match want {
            IndexQuery::Listing(_) => false,
            IndexQuery::Newest(name) => young(name).is_some_and(|project| project.has_newest),
            IndexQuery::Release(name, version) => young(name).is_some_and(|project| {
                let version = version.to_string();
                project.versions.lines().any(|line| line == version)
            }),
            IndexQuery::Metadata(file, _) => self.recalls_word(file),
        }
    }

    /// What the snapshot for this `lock` is found by; `None` where projects come from several places: which one
    /// tells of a project is not for a snapshot to say.
    pub(super) fn snapshot_key(&self, lock: &Path) -> Option<CacheKey> {
        let ([site], []) = (&*self.sites, &*self.config.find_links) else { return None };
        if site.folder.is_some() || !self.sources.is_empty() {
            return None;
        }
        let index = self.page_key(site.url.as_url()).to_string();
        Some(Bucket::Snapshots.key(&[&lock.to_string_lossy(), &index]))
    }

    /// The record of what was learnt of these releases.
    fn snapshot_of(&self, pins: &Pins<'_>) -> postcard::Result<Vec<u8>> {
        let (mut front, mut body) = (Front { projects: Vec::new(), words: Vec::new() }, Vec::new());
        for (name, versions) in pins {
            let learnt = self.learnt(name, versions);
            let Some(age) = learnt.releases.iter().map(|(backing, _)| backing.age).min_by_key(Age::end)
            else {
                continue;
            };
            let packed = learnt.packed()?;
            front.projects.push(Entry {
                name: name.as_str().into(),
                age,
                versions: learnt.versions().into(),
                has_newest: learnt.newest.is_some(),
                length: count(packed.len())?,
            });
            body.extend(packed);
        }
        for (sha256, word) in self.words() {
            let packed = postcard::to_stdvec(&*word)?;
            front.words.push((sha256.0, count(packed.len())?));
            body.extend(packed);
        }
        Ok([postcard::to_stdvec(&front)?, body].concat())
    }

    fn learnt(&self, name: &PackageName, versions: &[&Version]) -> Learnt {
        let mut releases: Vec<_> = versions.iter().filter_map(|version| self.alone(name, version)).collect();
        let newest = self.newest_met(name).and_then(|version| {
            let is_it = |(_, listing): &(_, Arc<Listing>)| *listing.version(0) == version;
            let place = releases.iter().position(is_it).or_else(|| {
                releases.push(self.alone(name, &version)?);
                Some(releases.len() - 1)
            })?;
            // The page of a release does not say that it is the newest.
            let own = self.sites.first()?.release_page(name, &version).map(|page| self.page_key(&page));
            (own != Some(releases[place].0.key)).then_some(place)
        });
        Learnt { releases, newest }
    }

    /// A listing of this release alone, where that was met and is in the cache.
    fn alone(&self, name: &PackageName, version: &Version) -> Option<(Backing, Arc<Listing>)> {
        let own = self.releases.peek(&(name.clone(), version.clone())).and_then(|told| told.ok()?);
        let Told { listing, backing } = own.or_else(|| self.listings.peek(name)?.ok()?)?;
        let (number, backing) = (listing.position(version)?, backing?);
        if listing.len() == 1 {
            return Some((backing, listing));
        }
        if has_variants(&listing, number) {
            return None;
        }
        let release = (listing.version(number).clone(), listing.files(number).to_vec());
        let info = listing.info.clone().filter(|info| info.version == *version);
        let alone = Listing::new(name.clone(), vec![release]).with(info, listing.warnings.clone());
        Some((backing, Arc::new(alone)))
    }

    /// The newest stable release of `name`, as far as anybody asked for it.
    fn newest_met(&self, name: &PackageName) -> Option<Version> {
        let named = self.newest.peek(name).and_then(|newest| newest.ok()?);
        if let Some(newest) = named {
            return Some(newest.version.clone());
        }
        let Told { listing, .. } = self.listings.peek(name)?.ok()??;
        let stable = |number: &usize| !listing.version(*number).any_prerelease();
        (0..listing.len()).rev().find(stable).map(|number| listing.version(number).clone())
    }

    /// What the files that were asked say of themselves, chosen or not: who chooses anew asks them again.
    fn words(&self) -> BTreeMap<Sha256, Arc<Word>> {
        let told = |spoken: Spoken| {
            let sha256 = spoken.sha256?;
            let word = spoken.word.or_else(|| self.snapshot.get()?.word(sha256).map(Arc::new));
            Some((sha256, word?))
        };
        self.metadata.answers().into_iter().filter_map(told).collect()
    }
}

/// Whether there are releases with the same public version as that of this number (PEP 440): a pin without a local version
/// means them too.
fn has_variants(listing: &Listing, number: usize) -> bool {
    let public = |number: usize| listing.version(number).clone().without_local();
    let beside = [number.checked_sub(1), Some(number + 1).filter(|next| *next < listing.len())];
    beside.into_iter().flatten().any(|other| public(other) == public(number))
}

/// Packages and releases of them.
type Pins<'a> = BTreeMap<&'a PackageName, Vec<&'a Version>>;

/// What was learnt of a project.
struct Learnt {
    /// Listings of one release each.
    releases: Vec<(Backing, Arc<Listing>)>,
    /// Which of them is its newest.
    newest: Option<usize>,
}

impl Learnt {
    /// A line each.
    fn versions(&self) -> String {
        self.releases.iter().map(|(_, listing)| format!("{}\n", listing.version(0))).collect()
    }

    fn packed(&self) -> postcard::Result<Vec<u8>> {
        let listings = self.releases.iter().map(|(_, listing)| shelf::pack(listing));
        let listings = listings.collect::<postcard::Result<Vec<_>>>()?;
        let releases = self.releases.iter().zip(&listings);
        let releases = releases.map(|((backing, _), listing)| Ok((*backing, count(listing.len())?)));
        let contents = Contents {
            releases: releases.collect::<postcard::Result<_>>()?,
            newest: self.newest.map(count).transpose()?,
        };
        Ok([postcard::to_stdvec(&contents)?, listings.concat()].concat())
    }
}

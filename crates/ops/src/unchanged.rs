//! Whether the existing lock is fresh, so that no index is needed.
//!
//! A lock is fresh if this run would make the same lock from the releases of that time: its digest is right, and
//! inputs, options, targets and form are the same. New releases do not make it stale; `--upgrade`,
//! `--upgrade-package` and `--refresh` look for them.
//!
//! A lock does not name its indexes. So the cache records, for each lock that it saw made, a hash of the index
//! locations. If those differ today, the lock is made again. If the cache does not know the lock, it is made again
//! only if an argument names an index.

use serde::{Deserialize, Serialize};

use super::downgrades::Distance;
use super::held_back::HeldBack;
use super::lock_inputs::LockInputs;
use super::lock_settings::{IndexLocations, IndexSettings};
use super::locked::{LockFileState, Locked};
use super::render::is_rendering;
use super::request::{LockPlace, Upgrade};
use super::scope::{self, LockScope};
use super::session::Session;
use pinfast_base::error::Result;
use pinfast_cache::{Bucket, Cache, CacheKey, CacheLookup};
use pinfast_lock::diff::Diff;
use pinfast_lock::{Annotations, Integrity, Lock, LockFreshness, freshness};

/// A fresh lock, whose indexes are not compared yet.
pub(super) struct FreshLock<'a> {
    lock: &'a Lock,
    text: &'a str,
    /// What the cache has recorded of it.
    record: Option<LockRecord>,
}

/// What the cache records of a lock that it saw made. When the fields change, raise the counter of
/// [`Bucket::Locks`].
#[derive(Serialize, Deserialize)]
struct LockRecord {
    /// The digest of its [`IndexLocations`].
    locations: [u8; 32],
    held_back: Vec<HeldBackRecord>,
    warnings: Vec<String>,
}

/// A [`HeldBack`], as text.
#[derive(Serialize, Deserialize)]
struct HeldBackRecord {
    name: String,
    chosen: String,
    newest: String,
    by: Option<String>,
    /// 0 stands for a major version, another number for years.
    distance: Option<i64>,
}

/// The existing lock, if it is fresh; which indexes it came from is not compared yet.
///
/// # Errors
/// `NoAnswer` if the targets need an interpreter and none is found.
pub(super) fn fresh_lock<'a>(inputs: &'a LockInputs, session: &Session) -> Result<Option<FreshLock<'a>>> {
    let existing = &inputs.existing;
    let (Some(parsed), Some(text), LockPlace::File(_)) = (&existing.parsed, &existing.text, &inputs.place)
    else {
        return Ok(None);
    };
    if inputs.upgrade != Upgrade::None || inputs.indexes.is_refresh() {
        return Ok(None);
    }
    let scope = inputs.scope(session)?;
    let mut fingerprint = inputs.fingerprint(scope, session);
    let header = inputs.header(&fingerprint);
    let lock = &parsed.lock;
    if parsed.integrity != Integrity::Intact
        || lock.header.as_ref() != Some(&header)
        || !has_annotations(lock, inputs.settings.writing.annotations.value)
        || !is_rendering(text, lock, inputs, &fingerprint.environments, session)
    {
        return Ok(None);
    }
    if matches!(scope, LockScope::Universal(_)) {
        fingerprint.environments = scope::usual_environments(&header);
    }
    if freshness(&fingerprint, parsed) != LockFreshness::Fresh {
        return Ok(None);
    }
    Ok(Some(FreshLock { lock, text, record: LockRecord::read(text, session) }))
}

/// Only a resolution can add annotations to a lock without them.
fn has_annotations(lock: &Lock, wanted: Annotations) -> bool {
    wanted == Annotations::Off || lock.pins.iter().all(|pin| !pin.via.is_empty())
}

impl FreshLock<'_> {
    /// The lock, if neither the cache nor an argument names its indexes: then there is nothing to compare.
    pub(super) fn without_locations(&self, indexes: &IndexSettings) -> Option<Locked> {
        (self.record.is_none() && !indexes.has_arguments()).then(|| self.to_locked())
    }

    /// The lock, if it came from `locations`.
    pub(super) fn if_located_at(&self, locations: &IndexLocations) -> Option<Locked> {
        let record = self.record.as_ref()?;
        (record.locations == locations.digest()).then(|| self.to_locked())
    }

    fn to_locked(&self) -> Locked {
        let record = self.record.as_ref();
        Locked {
            lock: self.lock.clone(),
            text: self.text.to_owned(),
            changes: Some(Diff::default()),
            downgrades: Vec::new(),
            state: LockFileState::Fresh,
            held_back: record.map(LockRecord::held_back).unwrap_or_default(),
            warnings: record.map(|record| record.warnings.clone()).unwrap_or_default(),
        }
    }
}

/// Records in the cache, if there is one, that `locked` came from `locations`.
pub(super) fn record_locations(locked: &Locked, locations: &IndexLocations, session: &Session) {
    let record = LockRecord {
        locations: locations.digest(),
        held_back: locked.held_back.iter().map(HeldBackRecord::from).collect(),
        warnings: locked.warnings.clone(),
    };
    let Some(cache) = session.cache.clone().map(Cache::new) else { return };
    let written = postcard::to_stdvec(&record)
        .map_err(std::io::Error::other)
        .and_then(|bytes| cache.write(Bucket::Locks, &key(&locked.text), &bytes));
    if let Err(error) = written {
        session.detail(format!("cannot record in the cache which indexes the lock came from: {error}"));
    }
}

fn key(text: &str) -> CacheKey {
    Bucket::Locks.key(&[text])
}

impl LockRecord {
    fn read(text: &str, session: &Session) -> Option<Self> {
        match Cache::new(session.cache.clone()?).read(Bucket::Locks, &key(text)) {
            CacheLookup::Hit(record) => postcard::from_bytes(&record).ok(),
            // A damaged record is like none: it only saves work.
            _ => None,
        }
    }

    fn held_back(&self) -> Vec<HeldBack> {
        self.held_back.iter().filter_map(HeldBackRecord::read).collect()
    }
}

impl From<&HeldBack> for HeldBackRecord {
    fn from(held: &HeldBack) -> Self {
        let HeldBack { name, chosen, newest, by, distance } = held;
        Self {
            name: name.to_string(),
            chosen: chosen.to_string(),
            newest: newest.to_string(),
            by: by.clone(),
            distance: distance.map(|distance| match distance {
                Distance::Major => 0,
                Distance::Years(years) => years,
            }),
        }
    }
}

impl HeldBackRecord {
    fn read(&self) -> Option<HeldBack> {
        let by = self.by.clone();
        let distance =
            self.distance.map(|years| if years == 0 { Distance::Major } else { Distance::Years(years) });
        let (chosen, newest) = (self.chosen.parse().ok()?, self.newest.parse().ok()?);
        Some(HeldBack { name: self.name.parse().ok()?, chosen, newest, by, distance })
    }
}

//! When the lock that is there is kept, and no index is asked.
//!
//! It is kept when it is just what a run would be asked to make: intact, from the same inputs, options and
//! targets, in the same form, its pins keeping what is asked, and none of them to be upgraded. What indexes
//! have published since is no reason to change it: `--upgrade`, `--upgrade-package` and `--refresh` ask them.
//!
//! A lock does not tell from which indexes it came, so the cache remembers that of the locks that it saw made,
//! with what was told of them. Other indexes than those make a lock anew; so do indexes named by a flag, where
//! the cache does not know the lock.

use serde::{Deserialize, Serialize};

use super::downgrades::Distance;
use super::held_back::HeldBack;
use super::index_locations::IndexLocations;
use super::lock::{LockFileState, LockRequest, Locked, Upgrade};
use super::lock_inputs::LockInputs;
use super::render::{self, is_written};
use super::request::{CacheUse, LockPlace};
use super::scope::{self, LockScope};
use super::session::Session;
use pinfast_base::error::Result;
use pinfast_cache::{Bucket, Cache, CacheKey, CacheLookup};
use pinfast_lock::diff::Diff;
use pinfast_lock::{Annotations, Integrity, Lock, LockFreshness, freshness};

/// A lock that is what its inputs, options and targets ask; where it came from is still to be seen.
pub(super) struct FreshLock<'a> {
    lock: &'a Lock,
    text: &'a str,
    memory: Option<LockRecord>,
}

/// What the cache remembers of a lock that was made. When the fields change, raise the counter of
/// [`Bucket::Locks`].
#[derive(Serialize, Deserialize)]
struct LockRecord {
    /// The digest of the indexes it came from.
    places: [u8; 32],
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
    /// `None` is no distance, 0 one of a major version, more one of so many years.
    distance: Option<i64>,
}

/// The lock that is there, where it is fresh.
///
/// # Errors
/// `NoAnswer` when only an interpreter tells the targets, and there is none.
pub(super) fn fresh<'a>(
    asked: &'a LockInputs,
    request: &LockRequest,
    session: &Session,
) -> Result<Option<FreshLock<'a>>> {
    let before = &asked.before;
    let (Some(parsed), Some(text), LockPlace::File(_)) = (&before.parsed, &before.text, &request.place)
    else {
        return Ok(None);
    };
    if request.upgrade != Upgrade::None || request.indexes.cache_use == CacheUse::Refresh {
        return Ok(None);
    }
    let scope = scope::scope(&request.targets, &asked.inputs, session)?;
    let mut current = asked.current(&scope, session);
    let header = asked.header(&current);
    let lock = &parsed.lock;
    if parsed.integrity != Integrity::Intact
        || lock.header.as_ref() != Some(&header)
        || !is_annotated_as(render::annotations(request, session), lock)
        || !is_written(text, lock, request, &asked.inputs, &current.environments, session)
    {
        return Ok(None);
    }
    if matches!(scope, LockScope::Universal(_)) {
        current.environments = scope::environments(&header);
    }
    if freshness(&current, parsed) != LockFreshness::Fresh {
        return Ok(None);
    }
    let memory = LockRecord::of(text, session);
    Ok(Some(FreshLock { lock, text, memory }))
}

/// A lock without annotations can be written with them only once it was resolved anew.
fn is_annotated_as(wanted: Annotations, lock: &Lock) -> bool {
    wanted == Annotations::Off || lock.pins.iter().all(|pin| !pin.via.is_empty())
}

impl FreshLock<'_> {
    /// The lock, where neither the cache nor a flag speaks of indexes.
    pub(super) fn without_places(&self, request: &LockRequest) -> Option<Locked> {
        (self.memory.is_none() && !request.indexes.names_any()).then(|| self.kept())
    }

    /// The lock, where it came from `places`.
    pub(super) fn of(&self, places: &IndexLocations) -> Option<Locked> {
        let memory = self.memory.as_ref()?;
        (memory.places == places.digest()).then(|| self.kept())
    }

    fn kept(&self) -> Locked {
        let memory = self.memory.as_ref();
        Locked {
            lock: self.lock.clone(),
            text: self.text.to_owned(),
            changes: Some(Diff::default()),
            downgrades: Vec::new(),
            state: LockFileState::Fresh,
            held_back: memory.map(LockRecord::held_back).unwrap_or_default(),
            warnings: memory.map(|memory| memory.warnings.clone()).unwrap_or_default(),
        }
    }
}

/// Remembers that `locked` came from `places`, as far as there is a cache.
pub(super) fn remember(locked: &Locked, places: &IndexLocations, session: &Session) {
    let memory = LockRecord {
        places: places.digest(),
        held_back: locked.held_back.iter().map(HeldBackRecord::from).collect(),
        warnings: locked.warnings.clone(),
    };
    let Some(cache) = session.cache.clone().map(Cache::new) else { return };
    let written = postcard::to_stdvec(&memory)
        .map_err(std::io::Error::other)
        .and_then(|record| cache.write(Bucket::Locks, &key(&locked.text), &record));
    if let Err(error) = written {
        session.detail(format!("where the lock came from is not remembered: {error}"));
    }
}

fn key(text: &str) -> CacheKey {
    Bucket::Locks.key(&[text])
}

impl LockRecord {
    fn of(text: &str, session: &Session) -> Option<Self> {
        match Cache::new(session.cache.clone()?).read(Bucket::Locks, &key(text)) {
            CacheLookup::Hit(record) => postcard::from_bytes(&record).ok(),
            // Nothing, or nothing that can be believed: a lock can be kept without.
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

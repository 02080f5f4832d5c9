//! Gets the wheels of pins into the cache: from it where it has them, else fetched in parallel, hashed
//! in the stream, checked and unpacked.

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use rayon::prelude::*;

use super::archive::Limits;
use super::disk;
use super::source::{self, Choice, Files, Form, Memory, Order, Wish};
use super::store::{CachedWheel, Key, Store};
use pinfast_base::error::{Error, Result};
use pinfast_base::event::{Event, Watcher, counted};
use pinfast_base::sync::unpoisoned;
use pinfast_lock::{Lock, PermittedBuild, Pin};
use pinfast_packaging::{DistFile, DistFilename, Sha256, SpecifierSet, Target};

/// What it takes to get wheels.
#[derive(Clone, Copy)]
pub(super) struct Means<'a> {
    /// Says which source distributions may be built.
    pub(super) lock: &'a Lock,
    pub(super) target: &'a Target,
    pub(super) store: &'a Store,
    pub(super) files: &'a dyn Files,
    pub(super) limits: &'a Limits,
    pub(super) watcher: &'a dyn Watcher,
    /// How many files were fetched so far.
    pub(super) fetched: &'a AtomicU64,
}

impl<'a> Means<'a> {
    fn wish(&self, pin: &'a Pin) -> Wish<'a> {
        Wish { pin, target: self.target, build: self.lock.build_of(pin) }
    }
}

/// How many files are fetched at a time.
const AT_A_TIME: usize = 24;

/// The unpacked wheel of each pin, in their order.
///
/// # Errors
/// The first pin's, in their order, of which no wheel can be had.
pub(super) fn obtain(pins: &[&Pin], means: Means<'_>) -> Result<Vec<CachedWheel>> {
    let mut wheels: Vec<Option<CachedWheel>> = pins.par_iter().map(|pin| recall(pin, means)).collect();
    let missing: Vec<usize> = (0..pins.len()).filter(|at| wheels[*at].is_none()).collect();
    if !missing.is_empty() {
        means.watcher.on(Event::Step(format!("fetching {}", counted(missing.len(), "file"))));
        means.watcher.on(Event::FilesWanted { files: missing.len(), bytes: None });
        means.store.sweep();
        for (at, wheel) in fetch_all(&missing, pins, means)? {
            wheels[at] = Some(wheel);
        }
    }
    let wheels: Vec<CachedWheel> = wheels.into_iter().flatten().collect();
    pins.iter().zip(&wheels).try_for_each(|(pin, wheel)| check_python(pin, wheel, means))?;
    Ok(wheels)
}

/// The wheel of a pin, where the cache has it and knows that no other fits better.
fn recall(pin: &Pin, means: Means<'_>) -> Option<CachedWheel> {
    let wish = means.wish(pin);
    cached(wish, &source::remembered(wish, means.store)?, means)
}

/// Fetches the pins with these indexes.
fn fetch_all(missing: &[usize], pins: &[&Pin], means: Means<'_>) -> Result<Vec<(usize, CachedWheel)>> {
    let wheels = side_by_side(missing, |at| fetch(pins[*at], means))?;
    Ok(missing.iter().copied().zip(wheels).collect())
}

/// Does `job` for each item, some at a time on threads of their own, since it mostly waits. After the
/// first error no new job begins.
///
/// # Errors
/// That of the first item, in their order, whose job failed.
pub(super) fn side_by_side<T: Sync, R: Send>(
    items: &[T],
    job: impl Fn(&T) -> Result<R> + Sync,
) -> Result<Vec<R>> {
    let (next, failed) = (AtomicUsize::new(0), AtomicBool::new(false));
    let done: Mutex<Vec<(usize, Result<R>)>> = Mutex::default();
    std::thread::scope(|scope| {
        for _ in 0..items.len().min(AT_A_TIME) {
            scope.spawn(|| {
                while !failed.load(Ordering::Relaxed)
                    && let at = next.fetch_add(1, Ordering::Relaxed)
                    && let Some(item) = items.get(at)
                {
                    let result = job(item);
                    failed.fetch_or(result.is_err(), Ordering::Relaxed);
                    unpoisoned(done.lock()).push((at, result));
                }
            });
        }
    });
    let mut done = unpoisoned(done.into_inner());
    done.sort_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, result)| result).collect()
}

fn fetch(pin: &Pin, means: Means<'_>) -> Result<CachedWheel> {
    let wish = means.wish(pin);
    let choice = source::choose(wish, means.store, means.files, Memory::Ask)?;
    if let Some(wheel) = cached(wish, &choice, means) {
        return Ok(wheel);
    }
    let choice = match choice.file {
        Some(_) => choice,
        None => source::choose(wish, means.store, means.files, Memory::Distrust)?,
    };
    let Some(file) = choice.file else {
        return Err(Error::no_answer(format!("no source has {}", choice.filename)));
    };
    let path = means.store.scratch()?;
    let sha256 = source::fetch(pin, &file, means.files, &path)?;
    means.fetched.fetch_add(1, Ordering::Relaxed);
    if file.sha256.is_none() {
        source::learn(pin, &file, sha256, means.store);
    }
    let key = key(wish, choice.form, sha256);
    // Who does not tell the hash of a file beforehand may have brought one that is here already.
    if let Some(wheel) = means.store.get(&key, &pin.name, &pin.version) {
        return Ok(wheel);
    }
    match wish.build.filter(|_| choice.form == Form::Sdist) {
        None => unpack(&path, &file.filename, &key, pin, means),
        Some(permitted) => build((&file, &path), permitted, &key, pin, means),
    }
}

fn cached(wish: Wish<'_>, choice: &Choice, means: Means<'_>) -> Option<CachedWheel> {
    means.store.get(&key(wish, choice.form, choice.sha256?), &wish.pin.name, &wish.pin.version)
}

fn key(wish: Wish<'_>, form: Form, archive: Sha256) -> Key {
    match wish.build.filter(|_| form == Form::Sdist) {
        None => Key::wheel(archive),
        Some(build) => Key::built(archive, build, wish.target),
    }
}

fn unpack(path: &Path, filename: &str, key: &Key, pin: &Pin, means: Means<'_>) -> Result<CachedWheel> {
    let archive = std::fs::File::open(path).map_err(|error| disk::failed("read", path, error))?;
    let wheel =
        means.store.add(archive, key, (&pin.name, &pin.version), means.limits, filename, means.watcher)?;
    means.watcher.on(Event::Detail(format!("unpacked {filename}")));
    Ok(wheel)
}

/// Builds a wheel from the checked `archive` of a source distribution. What comes of it is checked like any
/// other wheel.
fn build(
    (file, archive): (&DistFile, &Path),
    build: &PermittedBuild,
    key: &Key,
    pin: &Pin,
    means: Means<'_>,
) -> Result<CachedWheel> {
    let folder = means.store.scratch_folder()?;
    let requires: Vec<Pin> =
        build.pins.iter().filter(|pin| pin.marker.holds(means.target, &[])).cloned().collect();
    let order = Order { file, archive, requires: &requires, folder: folder.path(), store: means.store };
    let path = means.files.build(&order)?;
    let filename = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    match DistFilename::parse(&filename, &pin.name) {
        Ok(DistFilename::Wheel(wheel)) if means.target.tags().rank(&wheel.tags).is_some() => {}
        _ => {
            let target = means.target.label();
            return Err(Error::refused(format!(
                "the build of {} made {filename}, not for {target}",
                file.filename
            )));
        }
    }
    unpack(&path, &filename, key, pin, means)
}

/// Requires-Python as METADATA tells it: lower bounds bar, the rest is told.
fn check_python(pin: &Pin, wheel: &CachedWheel, means: Means<'_>) -> Result<()> {
    let Some(text) = &wheel.manifest.requires_python else { return Ok(()) };
    let Ok(wanted) = text.parse::<SpecifierSet>() else { return Ok(()) };
    let python = means.target.python();
    let pinned = format!("{}=={}{}", pin.name, pin.version, source::at(pin));
    if !wanted.lower_bounds_contain(python) {
        return Err(Error::no(format!("{pinned} requires Python {text}, and this is {python}"))
            .hint("nothing was changed; use an interpreter that fits, or lock for this one"));
    }
    if !wanted.contains(python) {
        means
            .watcher
            .on(Event::Warning(format!("{pinned} says that it is for Python {text}; this is {python}")));
    }
    Ok(())
}

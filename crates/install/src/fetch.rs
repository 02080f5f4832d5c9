//! Gets the wheel of each pin into the cache.
//!
//! In: pins. Out: unpacked wheels, in the order of the pins. What the cache lacks is fetched in parallel,
//! hashed as it arrives, checked and unpacked; a source distribution is built first.

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use rayon::prelude::*;

use super::archive::WheelLimits;
use super::choose::{self, ArchiveKind, ChosenFile, PinCache, WantedPin};
use super::source::{self, FileSource, WheelBuildRequest};
use super::wheel_cache::{CachedWheel, WheelCache, WheelKey};
use pinfast_base::error::{Error, Result};
use pinfast_base::event::{Event, Watcher, counted};
use pinfast_base::sync::unpoisoned;
use pinfast_files::path_error;
use pinfast_lock::{Lock, PermittedBuild, Pin};
use pinfast_packaging::{DistFile, DistFilename, Sha256, SpecifierSet, Target};

/// All that fetching a wheel depends on.
#[derive(Clone, Copy)]
pub(super) struct FetchContext<'a> {
    /// Permits builds.
    pub(super) lock: &'a Lock,
    pub(super) target: &'a Target,
    pub(super) wheels: &'a WheelCache,
    pub(super) files: &'a dyn FileSource,
    pub(super) limits: &'a WheelLimits,
    pub(super) watcher: &'a dyn Watcher,
    /// How many files were fetched so far.
    pub(super) fetched: &'a AtomicU64,
}

impl<'a> FetchContext<'a> {
    fn wanted(&self, pin: &'a Pin) -> WantedPin<'a> {
        WantedPin { pin, target: self.target, build: self.lock.build_of(pin) }
    }
}

/// How many files are fetched at a time. More connections to one index are not faster.
const MAX_FETCHES: usize = 24;

/// The unpacked wheel of each pin, in their order.
///
/// # Errors
/// That of the first pin, in their order, that has no wheel.
pub(super) fn fetch_wheels(pins: &[&Pin], context: FetchContext<'_>) -> Result<Vec<CachedWheel>> {
    let mut wheels: Vec<Option<CachedWheel>> = pins.par_iter().map(|pin| recall(pin, context)).collect();
    let missing: Vec<usize> = (0..pins.len()).filter(|at| wheels[*at].is_none()).collect();
    if !missing.is_empty() {
        context.watcher.on(Event::Step(format!("fetching {}", counted(missing.len(), "file"))));
        context.watcher.on(Event::FilesWanted { files: missing.len(), bytes: None });
        // Only a run that fetches cleans up: others should not wait for it.
        context.wheels.sweep();
        for (at, wheel) in fetch_all(&missing, pins, context)? {
            wheels[at] = Some(wheel);
        }
    }
    let wheels: Vec<CachedWheel> = wheels.into_iter().flatten().collect();
    pins.iter().zip(&wheels).try_for_each(|(pin, wheel)| check_python(pin, wheel, context))?;
    Ok(wheels)
}

/// The wheel of a pin, if the cache has it and knows that no other fits better.
fn recall(pin: &Pin, context: FetchContext<'_>) -> Option<CachedWheel> {
    let wanted = context.wanted(pin);
    cached(wanted, &choose::choose_from_cache(wanted, context.wheels)?, context)
}

/// Fetches the wheels of the pins at these positions.
fn fetch_all(
    missing: &[usize],
    pins: &[&Pin],
    context: FetchContext<'_>,
) -> Result<Vec<(usize, CachedWheel)>> {
    let wheels = map_concurrently(missing, |at| fetch(pins[*at], context))?;
    Ok(missing.iter().copied().zip(wheels).collect())
}

/// Maps items by a function that mostly waits, [`MAX_FETCHES`] at a time, on threads of their own: rayon has
/// one thread a core. After the first error no new item begins.
///
/// # Errors
/// That of the first item, in their order, that failed.
pub(super) fn map_concurrently<T: Sync, R: Send>(
    items: &[T],
    job: impl Fn(&T) -> Result<R> + Sync,
) -> Result<Vec<R>> {
    // Relaxed is enough below: the flag is a hint, and the end of the scope makes the results visible.
    let (next, failed) = (AtomicUsize::new(0), AtomicBool::new(false));
    let done: Mutex<Vec<(usize, Result<R>)>> = Mutex::default();
    std::thread::scope(|scope| {
        for _ in 0..items.len().min(MAX_FETCHES) {
            scope.spawn(|| {
                // Items begin in order, so all before a failed one have begun: the first error is the same in every run.
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

fn fetch(pin: &Pin, context: FetchContext<'_>) -> Result<CachedWheel> {
    let wanted = context.wanted(pin);
    let choice = choose::choose(wanted, context.wheels, context.files, PinCache::Use)?;
    if let Some(wheel) = cached(wanted, &choice, context) {
        return Ok(wheel);
    }
    let choice = match choice.file {
        Some(_) => choice,
        // The cache knows which file it is, but not from where to fetch it.
        None => choose::choose(wanted, context.wheels, context.files, PinCache::Ignore)?,
    };
    let Some(file) = choice.file else {
        return Err(Error::no_answer(format!("no source has {}", choice.filename)));
    };
    let path = context.wheels.scratch_file()?;
    let sha256 = source::fetch(pin, &file, context.files, &path)?;
    context.fetched.fetch_add(1, Ordering::Relaxed);
    if file.sha256.is_none() {
        choose::remember_hash(pin, &file, sha256, context.wheels);
    }
    let key = key(wanted, choice.kind, sha256);
    // Without a hash from the index, only now it shows that the cache has this wheel already.
    if let Some(wheel) = context.wheels.get(&key, &pin.name, &pin.version) {
        return Ok(wheel);
    }
    match wanted.build.filter(|_| choice.kind == ArchiveKind::Sdist) {
        None => unpack(&path, &file.filename, &key, pin, context),
        Some(permitted) => build((&file, &path), permitted, &key, pin, context),
    }
}

fn cached(wanted: WantedPin<'_>, choice: &ChosenFile, context: FetchContext<'_>) -> Option<CachedWheel> {
    context.wheels.get(&key(wanted, choice.kind, choice.sha256?), &wanted.pin.name, &wanted.pin.version)
}

fn key(wanted: WantedPin<'_>, kind: ArchiveKind, archive: Sha256) -> WheelKey {
    match wanted.build.filter(|_| kind == ArchiveKind::Sdist) {
        None => WheelKey::wheel(archive),
        Some(build) => WheelKey::built(archive, build, wanted.target),
    }
}

fn unpack(
    path: &Path,
    filename: &str,
    key: &WheelKey,
    pin: &Pin,
    context: FetchContext<'_>,
) -> Result<CachedWheel> {
    let archive = std::fs::File::open(path).map_err(|error| path_error("read", path, error))?;
    let wheel = context.wheels.add(
        archive,
        key,
        (&pin.name, &pin.version),
        context.limits,
        filename,
        context.watcher,
    )?;
    context.watcher.on(Event::Detail(format!("unpacked {filename}")));
    Ok(wheel)
}

/// Builds a wheel from the checked `archive` of a source distribution. The wheel is checked like any other.
fn build(
    (file, archive): (&DistFile, &Path),
    build: &PermittedBuild,
    key: &WheelKey,
    pin: &Pin,
    context: FetchContext<'_>,
) -> Result<CachedWheel> {
    let folder = context.wheels.scratch_folder()?;
    let requires: Vec<Pin> =
        build.pins.iter().filter(|pin| pin.marker.holds(context.target, &[])).cloned().collect();
    let request = WheelBuildRequest {
        file,
        archive,
        requires: &requires,
        folder: folder.path(),
        wheels: context.wheels,
    };
    let path = context.files.build(&request)?;
    let filename = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    match DistFilename::parse(&filename, &pin.name) {
        Ok(DistFilename::Wheel(wheel)) if context.target.tags().rank(&wheel.tags).is_some() => {}
        _ => {
            let target = context.target.label();
            return Err(Error::refused(format!(
                "the build of {} made {filename}, not for {target}",
                file.filename
            )));
        }
    }
    unpack(&path, &filename, key, pin, context)
}

/// Compares Requires-Python of METADATA with the environment. Only lower bounds exclude: authors guess upper
/// ones, so those are a warning.
fn check_python(pin: &Pin, wheel: &CachedWheel, context: FetchContext<'_>) -> Result<()> {
    let Some(text) = &wheel.manifest.requires_python else { return Ok(()) };
    let Ok(wanted) = text.parse::<SpecifierSet>() else { return Ok(()) };
    let python = context.target.python();
    let pinned = format!("{}=={}{}", pin.name, pin.version, source::lock_location(pin));
    if !wanted.lower_bounds_contain(python) {
        return Err(Error::no(format!("{pinned} requires Python {text}, and this is {python}"))
            .hint("nothing was changed; use an interpreter that fits, or lock for this one"));
    }
    if !wanted.contains(python) {
        context
            .watcher
            .on(Event::Warning(format!("{pinned} says that it is for Python {text}; this is {python}")));
    }
    Ok(())
}

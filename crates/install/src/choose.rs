//! Which file of a pin is the one for an environment.
//!
//! In: a pin, a target, and what an index lists now or listed once (bucket `Pins` of the cache). Out: the wheel
//! with the best tags (PEP 425), among those with a hash of the lock; failing that, a source distribution, if
//! the lock permits its build.

use std::cmp::Reverse;
use std::sync::Arc;

use super::source::{FileSource, expected_hashes, lock_location};
use super::wheel_cache::{PinnedFile, WheelCache};
use pinfast_base::error::{Error, Result};
use pinfast_lock::{PermittedBuild, Pin};
use pinfast_packaging::{DistFile, DistFilename, Sha256, SpecifierSet, SupportedTags, Target};

/// A pin, and what its file has to fit.
#[derive(Clone, Copy, Debug)]
pub(super) struct WantedPin<'a> {
    pub(super) pin: &'a Pin,
    pub(super) target: &'a Target,
    /// Its build, if the lock permits it.
    pub(super) build: Option<&'a PermittedBuild>,
}

/// What has to be done with a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ArchiveKind {
    /// It is unpacked.
    Wheel,
    /// A wheel is built from it.
    Sdist,
}

/// The file to install for a pin.
#[derive(Clone, Debug)]
pub(super) struct ChosenFile {
    pub(super) filename: Arc<str>,
    pub(super) kind: ArchiveKind,
    /// Its hash, if the index lists one; otherwise each of the pin's will do.
    pub(super) sha256: Option<Sha256>,
    /// What to fetch; `None` if the choice was made from the cache, without an index.
    pub(super) file: Option<Arc<DistFile>>,
}

/// Whether the cache may answer in place of an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PinCache {
    Use,
    Ignore,
}

/// A file of the release that may or may not fit.
struct FileCandidate {
    filename: Arc<str>,
    dist: DistFilename,
    sha256: Option<Sha256>,
    requires_python: Option<SpecifierSet>,
    file: Option<Arc<DistFile>>,
}

/// Chooses the file of a pin that fits best.
///
/// # Errors
/// When none fits, or no index answers.
pub(super) fn choose(
    wanted: WantedPin<'_>,
    wheels: &WheelCache,
    files: &dyn FileSource,
    pin_cache: PinCache,
) -> Result<ChosenFile> {
    if pin_cache == PinCache::Use
        && let Some(choice) = choose_from_cache(wanted, wheels)
    {
        return Ok(choice);
    }
    let listed = listed_files(wanted.pin, files)?;
    let choice = best(wanted, listed.iter().map(FileCandidate::listed).collect())?;
    let pinned: Vec<_> = listed.iter().filter_map(|file| pinned_file(file, wanted.pin)).collect();
    // Only after a choice was made: what fits nothing may be incomplete.
    wheels.remember_files(key(wanted.pin), &pinned);
    Ok(choice)
}

/// Remembers the hash of a file that no index lists with one, so that its wheel can be found in the cache.
pub(super) fn remember_hash(pin: &Pin, file: &DistFile, sha256: Sha256, wheels: &WheelCache) {
    let mut pinned = wheels.pinned_files(key(pin)).unwrap_or_default();
    let same = pinned.iter_mut().filter(|pinned| *pinned.filename == *file.filename);
    same.for_each(|pinned| pinned.sha256 = Some(sha256.0));
    wheels.remember_files(key(pin), &pinned);
}

/// The files of a pin: those of the lock, if it has names and URLs, else those that the source lists.
pub(super) fn listed_files(pin: &Pin, files: &dyn FileSource) -> Result<Vec<Arc<DistFile>>> {
    if let Some(url) = &pin.url {
        return Ok(vec![files.direct(&pin.name, url)?]);
    }
    // `None` for a path, which is relative to the lock's folder: only who reads the lock can make it a URL.
    let locked: Option<Vec<_>> =
        pin.files.iter().map(|file| file.to_dist_file(&pin.name).map(Arc::new)).collect();
    match locked {
        Some(locked) if !locked.is_empty() => Ok(locked),
        _ => files.files(&pin.name, &pin.version),
    }
}

/// The file that fits best of those that an index once listed.
pub(super) fn choose_from_cache(wanted: WantedPin<'_>, wheels: &WheelCache) -> Option<ChosenFile> {
    let pinned = wheels.pinned_files(key(wanted.pin))?;
    // All or none: without one of them, the choice might be another than an index would give.
    let candidates = pinned.iter().map(|file| candidate(file, wanted.pin)).collect::<Option<Vec<_>>>()?;
    best(wanted, candidates).ok()
}

impl FileCandidate {
    fn listed(file: &Arc<DistFile>) -> Self {
        Self {
            filename: file.filename.clone(),
            dist: file.dist.clone(),
            sha256: file.sha256,
            requires_python: file.requires_python.clone(),
            file: Some(file.clone()),
        }
    }
}

/// The key of a pin's record in the cache. Its hashes are part of it: another lock, other files.
fn key(pin: &Pin) -> Sha256 {
    let hashes: String = pin.hashes.iter().map(|hash| format!("\n{hash}")).collect();
    Sha256::of(format!("{}\n{}{hashes}", pin.name, pin.version).as_bytes())
}

/// What to remember of a listed file; `None` if its hash is not in the lock.
fn pinned_file(file: &DistFile, pin: &Pin) -> Option<PinnedFile> {
    if file.sha256.is_some_and(|hash| !pin.hashes.contains(&hash)) {
        return None;
    }
    let requires_python = file.requires_python.as_ref().map(ToString::to_string);
    let sha256 = file.sha256.map(|hash| hash.0);
    Some(PinnedFile { filename: file.filename.to_string(), sha256, requires_python })
}

fn candidate(pinned: &PinnedFile, pin: &Pin) -> Option<FileCandidate> {
    Some(FileCandidate {
        filename: pinned.filename.as_str().into(),
        dist: DistFilename::parse(&pinned.filename, &pin.name).ok()?,
        sha256: pinned.sha256.map(Sha256),
        requires_python: pinned.requires_python.as_deref().map(str::parse).transpose().ok()?,
        file: None,
    })
}

/// The candidate that fits best, of those whose hash the lock has.
fn best(wanted: WantedPin<'_>, candidates: Vec<FileCandidate>) -> Result<ChosenFile> {
    let WantedPin { pin, target, build } = wanted;
    let locked = |hash: &Option<Sha256>| hash.is_none_or(|hash| pin.hashes.contains(&hash));
    let (locked, foreign): (Vec<_>, Vec<_>) = candidates.into_iter().partition(|c| locked(&c.sha256));
    let runs = |c: &&FileCandidate| {
        c.requires_python.as_ref().is_none_or(|python| python.lower_bounds_contain(target.python()))
    };
    // Of equal ranks the first name wins, so that every run chooses the same file.
    let ranked = locked.iter().filter(runs).filter_map(|c| Some((rank(&c.dist, target.tags())?, c)));
    let wheel = ranked.min_by(|(a, x), (b, y)| a.cmp(b).then_with(|| x.filename.cmp(&y.filename)));
    let sdists = || locked.iter().filter(runs).filter(|c| matches!(c.dist, DistFilename::Sdist { .. }));
    let sdist = || build.and_then(|_| sdists().min_by(|a, b| a.filename.cmp(&b.filename)));
    match wheel.map(|(_, wheel)| (ArchiveKind::Wheel, wheel)).or_else(|| Some((ArchiveKind::Sdist, sdist()?)))
    {
        Some((kind, best)) => Ok(ChosenFile {
            filename: best.filename.clone(),
            kind,
            sha256: best.sha256,
            file: best.file.clone(),
        }),
        None => Err(nothing_fits(pin, target, &locked, &foreign)),
    }
}

/// The priority of a wheel's tags, then its build tag.
type TagRank = (u32, Reverse<Option<(u64, Arc<str>)>>);

/// How well a wheel fits; the least is the best. Among equal tags, the highest build tag wins (PyPA "Binary
/// distribution format").
fn rank(dist: &DistFilename, tags: &SupportedTags) -> Option<TagRank> {
    match dist {
        DistFilename::Wheel(wheel) => Some((tags.rank(&wheel.tags)?, Reverse(wheel.build.clone()))),
        DistFilename::Sdist { .. } => None,
    }
}

/// Why no file of a pin can be installed.
fn nothing_fits(pin: &Pin, target: &Target, locked: &[FileCandidate], foreign: &[FileCandidate]) -> Error {
    let pinned = format!("{}=={}{}", pin.name, pin.version, lock_location(pin));
    let fits = |c: &&FileCandidate| rank(&c.dist, target.tags()).is_some();
    // From the most to the least specific reason: the first that holds is what the user can act on.
    if let Some(excluded) = locked.iter().find(fits) {
        let python = excluded.requires_python.as_ref().map(ToString::to_string).unwrap_or_default();
        return Error::no(format!("{pinned} requires Python {python}, and this is {}", target.python()))
            .hint("use an interpreter that fits, or lock for this one");
    }
    if let Some(other) = foreign.iter().find(fits) {
        let found = other.sha256.map(|hash| hash.to_string()).unwrap_or_default();
        return Error::refused(format!("{} is not the file that the lock means", other.filename))
            .detail(pinned)
            .detail(format!("the index has   sha256:{found}"))
            .detail(format!("the lock expects {}", expected_hashes(&pin.hashes)))
            .hint("lock again if the new file is meant; if it is not, find out who replaced it");
    }
    if locked.iter().any(|c| matches!(c.dist, DistFilename::Sdist { .. })) {
        return Error::no(format!(
            "{pinned} has no wheel for {}, only a source distribution",
            target.label()
        ))
        .hint(format!("lock a release of {} that has a wheel for this platform", pin.name))
        .hint(format!("or permit its build, which runs its code: `pinfast lock --allow-build {}`", pin.name))
        .hint("or build a wheel once, in a place where its build may run, and give it with `--find-links`");
    }
    if locked.is_empty() && foreign.is_empty() {
        return Error::no_answer(format!("no index has a file of {pinned}"));
    }
    Error::no(format!("{pinned} has no wheel for {}", target.label()))
        .hint("lock for this platform as well: `pinfast lock --platform … --python-version …`")
}

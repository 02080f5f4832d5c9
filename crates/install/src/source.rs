//! Where files come from, and which file of a pin is the one for an environment.

use std::cmp::Reverse;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::disk;
use super::store::{KnownFile, Store};
use pinfast_base::error::{Error, ErrorKind, Result};
use pinfast_index::Client;
use pinfast_lock::{PermittedBuild, Pin};
use pinfast_packaging::{
    DirectUrl, DistFile, DistFilename, PackageName, Sha256, SpecifierSet, SupportedTags, Target, Version,
};
use pinfast_solve::Index;

/// A source of files. Calls block, come from many threads, and give the same answer however often.
pub trait Files: Sync {
    /// Every file of this release that the indexes list; empty where they know none.
    ///
    /// # Errors
    /// When an index gives no answer.
    fn files(&self, name: &PackageName, version: &Version) -> Result<Vec<Arc<DistFile>>>;

    /// The file at the URL of a `name @ URL` pin.
    ///
    /// # Errors
    /// When its name is not that of a distribution of `name`.
    fn direct(&self, name: &PackageName, url: &DirectUrl) -> Result<Arc<DistFile>>;

    /// Writes the file to `path`, which is made or overwritten, and holds its bytes against
    /// `file.sha256`, where that is told, on the way.
    ///
    /// # Errors
    /// When the file cannot be had, or `Refused` when its hash is another.
    fn fetch(&self, file: &DistFile, path: &Path) -> Result<()>;

    /// Builds a wheel of a source distribution, in `order.folder`, and returns its path.
    ///
    /// # Errors
    /// Where nothing builds here, which is so of a mere source of files, or the build fails.
    fn build(&self, order: &Order<'_>) -> Result<PathBuf> {
        Err(Error::no(format!("{} would have to be built, and nothing is built here", order.file.filename)))
    }
}

/// What a wheel is to be built from.
#[derive(Clone, Copy, Debug)]
pub struct Order<'a> {
    /// The source distribution.
    pub file: &'a DistFile,
    /// Where it lies, checked against its hash.
    pub archive: &'a Path,
    /// What its build may install, all of it for the environment at hand.
    pub requires: &'a [Pin],
    /// Where the wheel goes.
    pub folder: &'a Path,
    /// The cache for what the build requires.
    pub store: &'a Store,
}

/// What a file is wanted for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wish<'a> {
    pub(super) pin: &'a Pin,
    pub(super) target: &'a Target,
    /// Its build, where the lock permits it.
    pub(super) build: Option<&'a PermittedBuild>,
}

/// What has to be done with a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// It is unpacked.
    Wheel,
    /// A wheel is built from it.
    Sdist,
}

/// The file to install for a pin.
#[derive(Clone, Debug)]
pub(super) struct Choice {
    pub(super) filename: Arc<str>,
    pub(super) form: Form,
    /// Its hash, where the index tells one; else any of the pin's will do.
    pub(super) sha256: Option<Sha256>,
    /// What fetches it, where an index was asked.
    pub(super) file: Option<Arc<DistFile>>,
}

/// Whether what the cache remembers of indexes may answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Memory {
    Ask,
    Distrust,
}

/// One file that could be it.
struct Candidate {
    filename: Arc<str>,
    dist: DistFilename,
    sha256: Option<Sha256>,
    requires_python: Option<SpecifierSet>,
    file: Option<Arc<DistFile>>,
}

/// Chooses the file of a pin that fits best, from memory if it may, else from the source.
pub(super) fn choose(wish: Wish<'_>, store: &Store, files: &dyn Files, memory: Memory) -> Result<Choice> {
    if memory == Memory::Ask
        && let Some(choice) = remembered(wish, store)
    {
        return Ok(choice);
    }
    let found = listed(wish.pin, files)?;
    let candidates = found.iter().map(Candidate::told).collect();
    let choice = best(wish, candidates)?;
    let known: Vec<_> = found.iter().filter_map(|file| known(file, wish.pin)).collect();
    store.remember_files(&key(wish.pin), &known);
    Ok(choice)
}

/// Remembers the hash of a file that no index told, so that the cache can be asked for it.
pub(super) fn learn(pin: &Pin, file: &DistFile, sha256: Sha256, store: &Store) {
    let mut known = store.known_files(&key(pin)).unwrap_or_default();
    let same = known.iter_mut().filter(|known| *known.filename == *file.filename);
    same.for_each(|known| known.sha256 = Some(sha256.0));
    store.remember_files(&key(pin), &known);
}

/// The files of a pin: as the lock tells them, where it tells names and URLs, else as the source does.
pub(super) fn listed(pin: &Pin, files: &dyn Files) -> Result<Vec<Arc<DistFile>>> {
    if let Some(url) = &pin.url {
        return Ok(vec![files.direct(&pin.name, url)?]);
    }
    // A path is relative to the lock's folder, which is not known here: who reads the lock makes it a URL.
    let told: Option<Vec<_>> =
        pin.files.iter().map(|file| file.to_dist_file(&pin.name).map(Arc::new)).collect();
    match told {
        Some(told) if !told.is_empty() => Ok(told),
        _ => files.files(&pin.name, &pin.version),
    }
}

/// The file that fits best, of those that an index once told of.
pub(super) fn remembered(wish: Wish<'_>, store: &Store) -> Option<Choice> {
    let known = store.known_files(&key(wish.pin))?;
    let candidates = known.iter().map(|file| recall(file, wish.pin)).collect::<Option<Vec<_>>>()?;
    best(wish, candidates).ok()
}

impl Candidate {
    fn told(file: &Arc<DistFile>) -> Self {
        Self {
            filename: file.filename.clone(),
            dist: file.dist.clone(),
            sha256: file.sha256,
            requires_python: file.requires_python.clone(),
            file: Some(file.clone()),
        }
    }
}

/// What identifies a pin: its files, by their hashes, and what they are held to be.
fn key(pin: &Pin) -> Sha256 {
    let hashes: String = pin.hashes.iter().map(|hash| format!("\n{hash}")).collect();
    Sha256::of(format!("{}\n{}{hashes}", pin.name, pin.version).as_bytes())
}

fn known(file: &DistFile, pin: &Pin) -> Option<KnownFile> {
    if file.sha256.is_some_and(|hash| !pin.hashes.contains(&hash)) {
        return None;
    }
    let requires_python = file.requires_python.as_ref().map(ToString::to_string);
    let sha256 = file.sha256.map(|hash| hash.0);
    Some(KnownFile { filename: file.filename.to_string(), sha256, requires_python })
}

fn recall(known: &KnownFile, pin: &Pin) -> Option<Candidate> {
    Some(Candidate {
        filename: known.filename.as_str().into(),
        dist: DistFilename::parse(&known.filename, &pin.name).ok()?,
        sha256: known.sha256.map(Sha256),
        requires_python: known.requires_python.as_deref().map(str::parse).transpose().ok()?,
        file: None,
    })
}

/// The candidate that fits best, of those whose hash the lock has.
fn best(wish: Wish<'_>, candidates: Vec<Candidate>) -> Result<Choice> {
    let Wish { pin, target, build } = wish;
    let locked = |hash: &Option<Sha256>| hash.is_none_or(|hash| pin.hashes.contains(&hash));
    let (locked, foreign): (Vec<_>, Vec<_>) = candidates.into_iter().partition(|c| locked(&c.sha256));
    let runs = |c: &&Candidate| {
        c.requires_python.as_ref().is_none_or(|python| python.lower_bounds_contain(target.python()))
    };
    let ranked = locked.iter().filter(runs).filter_map(|c| Some((rank(&c.dist, target.tags())?, c)));
    let wheel = ranked.min_by(|(a, x), (b, y)| a.cmp(b).then_with(|| x.filename.cmp(&y.filename)));
    let sdists = || locked.iter().filter(runs).filter(|c| matches!(c.dist, DistFilename::Sdist { .. }));
    let sdist = || build.and_then(|_| sdists().min_by(|a, b| a.filename.cmp(&b.filename)));
    match wheel.map(|(_, wheel)| (Form::Wheel, wheel)).or_else(|| Some((Form::Sdist, sdist()?))) {
        Some((form, best)) => {
            Ok(Choice { filename: best.filename.clone(), form, sha256: best.sha256, file: best.file.clone() })
        }
        None => Err(nothing_fits(pin, target, &locked, &foreign)),
    }
}

/// The rank of a wheel's tags, and its build.
type Rank = (u32, Reverse<Option<(u64, Arc<str>)>>);

/// How well a wheel fits, the least is the best: its tags first, then the highest build number.
fn rank(dist: &DistFilename, tags: &SupportedTags) -> Option<Rank> {
    match dist {
        DistFilename::Wheel(wheel) => Some((tags.rank(&wheel.tags)?, Reverse(wheel.build.clone()))),
        DistFilename::Sdist { .. } => None,
    }
}

/// Why no file of a pin can be installed.
fn nothing_fits(pin: &Pin, target: &Target, locked: &[Candidate], foreign: &[Candidate]) -> Error {
    let pinned = format!("{}=={}{}", pin.name, pin.version, at(pin));
    let fits = |c: &&Candidate| rank(&c.dist, target.tags()).is_some();
    if let Some(barred) = locked.iter().find(fits) {
        let python = barred.requires_python.as_ref().map(ToString::to_string).unwrap_or_default();
        return Error::no(format!("{pinned} requires Python {python}, and this is {}", target.python()))
            .hint("use an interpreter that fits, or lock for this one");
    }
    if let Some(other) = foreign.iter().find(fits) {
        let found = other.sha256.map(|hash| hash.to_string()).unwrap_or_default();
        return Error::refused(format!("{} is not the file that the lock means", other.filename))
            .detail(pinned)
            .detail(format!("the index has   sha256:{found}"))
            .detail(format!("the lock expects {}", expected(&pin.hashes)))
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

/// Where the lock says so.
pub(super) fn at(pin: &Pin) -> String {
    pin.at.as_ref().map(|at| format!(" ({at})")).unwrap_or_default()
}

/// The hashes of a pin, for a message.
pub(super) fn expected(hashes: &[Sha256]) -> String {
    let (shown, more) = hashes.split_at(hashes.len().min(8));
    let mut text = shown.iter().map(|hash| format!("sha256:{hash}")).collect::<Vec<_>>().join(" or ");
    if !more.is_empty() {
        text.push_str(&format!(" or one of {} more", more.len()));
    }
    text
}

/// Fetches a file of a pin to `path` and returns its hash, which is one of the pin's.
pub(super) fn fetch(pin: &Pin, file: &DistFile, files: &dyn Files, path: &Path) -> Result<Sha256> {
    let place = || format!("{}=={}{}", pin.name, pin.version, at(pin));
    files.fetch(file, path).map_err(|error| match error.kind {
        ErrorKind::Refused => error.detail(format!("locked as {}", place())),
        _ => error,
    })?;
    if let Some(sha256) = file.sha256 {
        return Ok(sha256);
    }
    // No index told its hash, so nobody has held it against one yet.
    let found = hash_file(path).map_err(|error| disk::failed("read", path, error))?;
    if pin.hashes.contains(&found) {
        return Ok(found);
    }
    Err(Error::refused(format!("{} does not match its hash", file.filename))
        .detail(format!("expected {}", expected(&pin.hashes)))
        .detail(format!("received sha256:{found}"))
        .detail(format!("locked as {}", place()))
        .hint("nothing of it was unpacked or kept"))
}

/// The hash of a file.
pub(super) fn hash_file(path: &Path) -> std::io::Result<Sha256> {
    Sha256::of_reader(File::open(path)?)
}

/// An index as a source of files.
impl Files for Client {
    fn files(&self, name: &PackageName, version: &Version) -> Result<Vec<Arc<DistFile>>> {
        let listing = self.listing(name)?;
        let files = listing.and_then(|listing| Some(listing.files(listing.position(version)?).to_vec()));
        Ok(files.unwrap_or_default())
    }

    fn direct(&self, name: &PackageName, url: &DirectUrl) -> Result<Arc<DistFile>> {
        // Its bytes are held against the lock's hashes when it is fetched: nothing need be asked before.
        Self::file_of(name, url).map(Arc::new)
    }

    fn fetch(&self, file: &DistFile, path: &Path) -> Result<()> {
        self.fetch_file(file, path)
    }
}

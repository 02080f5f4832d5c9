//! What the tests of installation share: files in memory that stand in for an index, and a folder to install in.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use pinfast::error::{Error, Result};
use pinfast::event::{Event, Watcher};
use pinfast::install::{
    Compile, Destination, DryRun, Environment, FileSource, Inspection, InstallJob, InstallReport, LinkMode,
    Prune, WheelCache, WheelLimits, install, venv,
};
use pinfast::lock::{Lock, Pin};
use pinfast::packaging::{
    DirectUrl, DistFile, DistFilename, MetadataHint, PackageName, Platform, Sha256, Target, Version,
};
use pinfast_testkit::wheel::Wheel;

/// Files at hand, and how often they were asked for.
#[derive(Debug, Default)]
pub(crate) struct MemoryFiles {
    files: Vec<(Arc<DistFile>, Vec<u8>)>,
    pub(crate) fetches: AtomicUsize,
    pub(crate) listings: AtomicUsize,
    /// Fetches that fail from this count on.
    pub(crate) fails_after: Option<usize>,
}

impl MemoryFiles {
    pub(crate) fn of(wheels: &[Wheel]) -> Self {
        let mut source = Self::default();
        for wheel in wheels {
            source.add(&wheel.filename(), &PackageName::new(&wheel.name).unwrap(), wheel.build());
        }
        source
    }

    pub(crate) fn add(&mut self, filename: &str, name: &PackageName, bytes: Vec<u8>) {
        let file = DistFile {
            filename: filename.into(),
            dist: DistFilename::parse(filename, name).unwrap(),
            url: format!("https://files.example/{filename}").parse().unwrap(),
            sha256: Some(Sha256::of(&bytes)),
            requires_python: None,
            yanked: None,
            uploaded: None,
            size: Some(bytes.len() as u64),
            metadata: MetadataHint::Unknown,
        };
        self.files.push((Arc::new(file), bytes));
    }

    /// Changes the bytes that a fetch returns, not the listing.
    pub(crate) fn corrupt(&mut self, filename: &str, bytes: Vec<u8>) {
        self.files.iter_mut().find(|(file, _)| &*file.filename == filename).unwrap().1 = bytes;
    }

    /// Changes the listing's entry of a file.
    pub(crate) fn edit(&mut self, filename: &str, change: impl FnOnce(&mut DistFile)) {
        let (file, _) = self.files.iter_mut().find(|(file, _)| &*file.filename == filename).unwrap();
        change(Arc::make_mut(file));
    }

    /// Writes every file into a folder, for pip.
    pub(crate) fn spill(&self, folder: &Path) {
        for (file, bytes) in &self.files {
            fs::write(folder.join(&*file.filename), bytes).unwrap();
        }
    }

    /// A lock of all its files.
    pub(crate) fn lock(&self) -> Lock {
        let mut pins: BTreeMap<(PackageName, Version), Pin> = BTreeMap::new();
        for (file, _) in &self.files {
            let key = (file.dist.name().clone(), file.dist.version().clone());
            let pin = pins.entry(key.clone()).or_insert_with(|| Pin::new(key.0, key.1));
            pin.hashes.extend(file.sha256);
        }
        let mut lock = Lock { pins: pins.into_values().collect(), ..Lock::default() };
        lock.sort();
        lock
    }

    /// How many files were fetched from it.
    pub(crate) fn fetches(&self) -> usize {
        self.fetches.load(Ordering::Relaxed)
    }
}

impl FileSource for MemoryFiles {
    fn files(&self, name: &PackageName, version: &Version) -> Result<Vec<Arc<DistFile>>> {
        self.listings.fetch_add(1, Ordering::Relaxed);
        let files = self.files.iter().map(|(file, _)| file);
        Ok(files.filter(|file| file.dist.name() == name && file.dist.version() == version).cloned().collect())
    }

    fn direct(&self, _name: &PackageName, url: &DirectUrl) -> Result<Arc<DistFile>> {
        let found = self.files.iter().find(|(file, _)| *file.url == url.url);
        found.map(|(file, _)| file.clone()).ok_or_else(|| Error::no_answer("no such file"))
    }

    fn fetch(&self, file: &DistFile, path: &Path) -> Result<()> {
        let count = self.fetches.fetch_add(1, Ordering::Relaxed);
        if self.fails_after.is_some_and(|most| count >= most) {
            return Err(Error::no_answer("the network is gone"));
        }
        let (_, bytes) = self.files.iter().find(|(other, _)| other.filename == file.filename).unwrap();
        let found = Sha256::of(bytes);
        if file.sha256.is_some_and(|expected| expected != found) {
            return Err(Error::refused(format!("{} does not match its hash", file.filename)));
        }
        fs::write(path, bytes).unwrap();
        Ok(())
    }
}

/// A watcher that keeps all events.
#[derive(Debug, Default)]
pub(crate) struct EventLog(pub(crate) Mutex<Vec<Event>>);

impl Watcher for EventLog {
    fn on(&self, event: Event) {
        self.0.lock().unwrap().push(event);
    }
}

impl EventLog {
    pub(crate) fn warnings(&self) -> Vec<String> {
        let events = self.0.lock().unwrap();
        let warnings = events.iter().filter_map(|event| match event {
            Event::Warning(text) => Some(text.clone()),
            _ => None,
        });
        warnings.collect()
    }
}

/// The `python3` at hand: its executable behind shims, and its version.
pub(crate) fn python() -> (PathBuf, Version) {
    static FOUND: OnceLock<(PathBuf, Version)> = OnceLock::new();
    FOUND.get_or_init(ask_python).clone()
}

fn ask_python() -> (PathBuf, Version) {
    let program = "import sys; print(sys.executable); print('%d.%d.%d' % sys.version_info[:3])";
    let output = Command::new("python3").args(["-c", program]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let (executable, version) = text.trim().split_once('\n').unwrap();
    (fs::canonicalize(executable).unwrap(), version.parse().unwrap())
}

pub(crate) fn base() -> venv::BasePython {
    let (executable, version) = python();
    let platform: Platform = "linux".parse().unwrap();
    venv::BasePython {
        executable,
        target: Target::declared(&version, &platform),
        implementation: "cpython".to_owned(),
        threading: pinfast::packaging::Threading::Gil,
    }
}

/// A folder, removed in the end where it is our own.
pub(crate) enum Folder {
    Own(tempfile::TempDir),
    Foreign(PathBuf),
}

impl Folder {
    pub(crate) fn path(&self) -> &Path {
        match self {
            Self::Own(folder) => folder.path(),
            Self::Foreign(folder) => folder,
        }
    }
}

/// A place to install in, with a cache of its own.
pub(crate) struct Fixture {
    pub(crate) folder: Folder,
    pub(crate) wheels: WheelCache,
    pub(crate) base: venv::BasePython,
    pub(crate) events: EventLog,
    pub(crate) prune: Prune,
    pub(crate) inspection: Inspection,
    pub(crate) compile: Compile,
    pub(crate) link: LinkMode,
    pub(crate) dry_run: DryRun,
    pub(crate) limits: WheelLimits,
}

impl Fixture {
    pub(crate) fn new() -> Self {
        Self::within(Folder::Own(tempfile::tempdir().unwrap()))
    }

    /// On a folder of another process, which removes it.
    pub(crate) fn at(folder: PathBuf) -> Self {
        Self::within(Folder::Foreign(folder))
    }

    fn within(folder: Folder) -> Self {
        let events = EventLog::default();
        let wheels = WheelCache::open(&folder.path().join("cache"), &events).unwrap();
        Self {
            folder,
            wheels,
            base: base(),
            events,
            prune: Prune::All,
            inspection: Inspection::Metadata,
            compile: Compile::No,
            link: LinkMode::Auto,
            dry_run: DryRun::No,
            limits: WheelLimits::default(),
        }
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.folder.path().join("venv")
    }

    pub(crate) fn environment(&self) -> Environment {
        venv::planned(&self.root(), &self.base)
    }

    pub(crate) fn site(&self) -> PathBuf {
        self.environment().scheme.purelib
    }

    pub(crate) fn cache(&self) -> PathBuf {
        self.folder.path().join("cache")
    }

    pub(crate) fn install(&self, lock: &Lock, source: &MemoryFiles) -> Result<InstallReport> {
        self.install_to("venv", lock, source)
    }

    pub(crate) fn install_to(&self, name: &str, lock: &Lock, source: &MemoryFiles) -> Result<InstallReport> {
        let destination = Destination::New { folder: self.folder.path().join(name), base: self.base.clone() };
        install(&InstallJob { destination, ..self.request(lock) }, source, &self.events)
    }

    pub(crate) fn request<'a>(&'a self, lock: &'a Lock) -> InstallJob<'a> {
        InstallJob {
            lock,
            destination: Destination::New { folder: self.root(), base: self.base.clone() },
            wheels: &self.wheels,
            prune: self.prune,
            inspection: self.inspection,
            link: self.link,
            compile: self.compile,
            dry_run: self.dry_run,
            limits: self.limits,
        }
    }

    /// Runs the environment's interpreter and returns what it prints.
    pub(crate) fn python(&self, code: &str) -> String {
        run(Command::new(self.root().join("bin/python")).args(["-c", code]))
    }
}

/// Runs a program that has to succeed and returns what it prints.
pub(crate) fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{command:?}\n{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Every path below a folder, with its content (a link's target, a folder's nothing).
pub(crate) fn tree(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
            let metadata = fs::symlink_metadata(&path).unwrap();
            if metadata.is_symlink() {
                found.insert(name, fs::read_link(&path).unwrap().to_str().unwrap().into());
            } else if metadata.is_dir() {
                found.insert(name + "/", Vec::new());
                folders.push(path);
            } else {
                found.insert(name, fs::read(&path).unwrap());
            }
        }
    }
    found
}

//! What the tests of installation share: a zip writer that lies on demand, wheels, and a shelf of files.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
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

/// One entry of an archive; every field may lie.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) name: Vec<u8>,
    /// The name in the local header, where it differs.
    pub(crate) local_name: Option<Vec<u8>>,
    pub(crate) content: Vec<u8>,
    pub(crate) mode: u32,
    pub(crate) flags: u16,
    pub(crate) method: u16,
    /// The size that the headers tell, where it is not the content's.
    pub(crate) told_size: Option<u32>,
    pub(crate) crc: Option<u32>,
}

impl Entry {
    pub(crate) fn new(name: &str, content: impl Into<Vec<u8>>) -> Self {
        let flags = if name.is_ascii() { 0 } else { 1 << 11 };
        Self {
            name: name.into(),
            local_name: None,
            content: content.into(),
            mode: 0o100_644,
            flags,
            method: 8,
            told_size: None,
            crc: None,
        }
    }

    pub(crate) fn mode(mut self, mode: u32) -> Self {
        self.mode = mode;
        self
    }
}

/// Writes an archive.
pub(crate) fn zip(entries: &[Entry]) -> Vec<u8> {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for entry in entries {
        let offset = out.len() as u32;
        let mut crc = flate2::Crc::new();
        crc.update(&entry.content);
        let data = if entry.method == 8 {
            let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
            encoder.write_all(&entry.content).unwrap();
            encoder.finish().unwrap()
        } else {
            entry.content.clone()
        };
        let size = entry.told_size.unwrap_or(entry.content.len() as u32);
        let common = |out: &mut Vec<u8>, name: &[u8]| {
            for word in [20_u16, entry.flags, entry.method, 0, 0x21] {
                out.extend(word.to_le_bytes());
            }
            for word in [entry.crc.unwrap_or(crc.sum()), data.len() as u32, size] {
                out.extend(word.to_le_bytes());
            }
            out.extend((name.len() as u16).to_le_bytes());
            out.extend(0_u16.to_le_bytes());
        };
        let local = entry.local_name.as_ref().unwrap_or(&entry.name);
        out.extend(b"PK\x03\x04");
        common(&mut out, local);
        out.extend(local);
        out.extend(&data);
        directory.extend(b"PK\x01\x02");
        directory.extend((3_u16 << 8 | 20).to_le_bytes());
        common(&mut directory, &entry.name);
        directory.extend([0; 6]);
        directory.extend((entry.mode << 16).to_le_bytes());
        directory.extend(offset.to_le_bytes());
        directory.extend(&entry.name);
    }
    let (start, count) = (out.len() as u32, entries.len() as u16);
    out.extend(&directory);
    out.extend(b"PK\x05\x06\0\0\0\0");
    out.extend(count.to_le_bytes());
    out.extend(count.to_le_bytes());
    out.extend((directory.len() as u32).to_le_bytes());
    out.extend(start.to_le_bytes());
    out.extend([0; 2]);
    out
}

/// A wheel under construction: sound unless told otherwise.
#[derive(Clone, Debug)]
pub(crate) struct Wheel {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) tag: String,
    pub(crate) entries: Vec<Entry>,
    pub(crate) metadata: String,
    pub(crate) wheel: String,
    /// Replaces the RECORD that fits.
    pub(crate) record: Option<Vec<u8>>,
}

impl Wheel {
    pub(crate) fn new(name: &str, version: &str) -> Self {
        Self {
            name: name.to_owned(),
            version: version.to_owned(),
            tag: "py3-none-any".to_owned(),
            entries: Vec::new(),
            metadata: format!("Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"),
            wheel: "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
                .to_owned(),
            record: None,
        }
    }

    pub(crate) fn file(self, name: &str, content: impl Into<Vec<u8>>) -> Self {
        self.entry(Entry::new(name, content))
    }

    pub(crate) fn entry(mut self, entry: Entry) -> Self {
        self.entries.push(entry);
        self
    }

    /// A package with one module of its own name.
    pub(crate) fn module(self) -> Self {
        let (name, version) = (self.name.clone(), self.version.clone());
        self.file(&format!("{name}/__init__.py"), format!("__version__ = '{version}'\n"))
    }

    pub(crate) fn info(self, name: &str, content: impl Into<Vec<u8>>) -> Self {
        let path = format!("{}.dist-info/{name}", self.stem());
        self.file(&path, content)
    }

    pub(crate) fn requires(mut self, line: &str) -> Self {
        self.metadata.push_str(line);
        self.metadata.push('\n');
        self
    }

    pub(crate) fn record(mut self, record: impl Into<Vec<u8>>) -> Self {
        self.record = Some(record.into());
        self
    }

    pub(crate) fn stem(&self) -> String {
        format!("{}-{}", self.name, self.version)
    }

    pub(crate) fn filename(&self) -> String {
        format!("{}-{}.whl", self.stem(), self.tag)
    }

    /// The RECORD that fits.
    pub(crate) fn fitting_record(&self) -> String {
        let entries = self.all().into_iter().filter(|entry| !entry.name.ends_with(b"/"));
        let rows = entries.map(|entry| {
            let digest = URL_SAFE_NO_PAD.encode(Sha256::of(&entry.content).0);
            let name = String::from_utf8_lossy(&entry.name).into_owned();
            let name =
                if name.contains([',', '"']) { format!("\"{}\"", name.replace('"', "\"\"")) } else { name };
            format!("{name},sha256={digest},{}\r\n", entry.content.len())
        });
        rows.collect::<String>() + &format!("{}.dist-info/RECORD,,\r\n", self.stem())
    }

    fn all(&self) -> Vec<Entry> {
        let mut entries = self.entries.clone();
        for (name, content) in [("METADATA", &self.metadata), ("WHEEL", &self.wheel)] {
            if !content.is_empty() {
                entries.push(Entry::new(&format!("{}.dist-info/{name}", self.stem()), content.as_bytes()));
            }
        }
        entries
    }

    pub(crate) fn build(&self) -> Vec<u8> {
        let mut entries = self.all();
        let record = self.record.clone().unwrap_or_else(|| self.fitting_record().into_bytes());
        entries.push(Entry::new(&format!("{}.dist-info/RECORD", self.stem()), record));
        zip(&entries)
    }
}

/// Files at hand, and how often they were asked for.
#[derive(Debug, Default)]
pub(crate) struct Shelf {
    files: Vec<(Arc<DistFile>, Vec<u8>)>,
    pub(crate) fetches: AtomicUsize,
    pub(crate) listings: AtomicUsize,
    /// Fetches that fail from this count on.
    pub(crate) fails_after: Option<usize>,
}

impl Shelf {
    pub(crate) fn of(wheels: &[Wheel]) -> Self {
        let mut shelf = Self::default();
        for wheel in wheels {
            shelf.add(&wheel.filename(), &PackageName::new(&wheel.name).unwrap(), wheel.build());
        }
        shelf
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

    /// Changes what a fetch yields, but not what the listing tells.
    pub(crate) fn corrupt(&mut self, filename: &str, bytes: Vec<u8>) {
        self.files.iter_mut().find(|(file, _)| &*file.filename == filename).unwrap().1 = bytes;
    }

    /// Changes what the listing tells of a file.
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

impl FileSource for Shelf {
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

/// Keeps what it is told.
#[derive(Debug, Default)]
pub(crate) struct Notes(pub(crate) Mutex<Vec<Event>>);

impl Watcher for Notes {
    fn on(&self, event: Event) {
        self.0.lock().unwrap().push(event);
    }
}

impl Notes {
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
pub(crate) struct Bench {
    pub(crate) folder: Folder,
    pub(crate) wheels: WheelCache,
    pub(crate) base: venv::BasePython,
    pub(crate) notes: Notes,
    pub(crate) prune: Prune,
    pub(crate) inspection: Inspection,
    pub(crate) compile: Compile,
    pub(crate) link: LinkMode,
    pub(crate) dry_run: DryRun,
    pub(crate) limits: WheelLimits,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self::within(Folder::Own(tempfile::tempdir().unwrap()))
    }

    /// On a folder of another process, which removes it.
    pub(crate) fn at(folder: PathBuf) -> Self {
        Self::within(Folder::Foreign(folder))
    }

    fn within(folder: Folder) -> Self {
        let notes = Notes::default();
        let wheels = WheelCache::open(&folder.path().join("cache"), &notes).unwrap();
        Self {
            folder,
            wheels,
            base: base(),
            notes,
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

    pub(crate) fn install(&self, lock: &Lock, shelf: &Shelf) -> Result<InstallReport> {
        self.install_to("venv", lock, shelf)
    }

    pub(crate) fn install_to(&self, name: &str, lock: &Lock, shelf: &Shelf) -> Result<InstallReport> {
        let destination = Destination::New { folder: self.folder.path().join(name), base: self.base.clone() };
        install(&InstallJob { destination, ..self.request(lock) }, shelf, &self.notes)
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

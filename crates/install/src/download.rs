//! Puts the lock's files into one folder, which serves as an index for a host without network.
//!
//! `DIR/FILE` for `--find-links DIR`, and `DIR/simple/NAME/index.html` (PEP 503) for
//! `--index-url file://DIR/simple`; both for pinfast and for pip.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::choose::listed_files;
use super::disk::{self, Durability};
use super::fetch::map_concurrently;
use super::job::DryRun;
use super::plan;
use super::source::{self, FileSource};
use pinfast_base::error::{Error, Result};
use pinfast_base::event::{Event, Watcher, counted};
use pinfast_files::path_error;
use pinfast_lock::{Lock, Pin};
use pinfast_packaging::{DistFile, Sha256, Target};

/// What to download, and where to.
#[derive(Clone, Copy, Debug)]
pub struct DownloadJob<'a> {
    /// The lock.
    pub lock: &'a Lock,
    /// The folder; created if it does not exist.
    pub folder: &'a Path,
    /// Which of the lock's files.
    pub scope: DownloadScope<'a>,
    /// Whether nothing is fetched.
    pub dry_run: DryRun,
}

/// Which files of a lock.
#[derive(Clone, Copy, Debug)]
pub enum DownloadScope<'a> {
    /// All, for every environment.
    All,
    /// All of the pins that apply to this environment.
    Target(&'a Target),
}

/// What a download did, or would do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DownloadReport {
    /// The files of the lock in the folder, sorted, whether fetched now or earlier.
    pub files: Vec<String>,
    /// How many of them were fetched, or would be.
    pub fetched: usize,
}

/// Downloads the lock's files, each checked against its hash. Files that are there already and right stay.
///
/// # Errors
/// `Usage` for a lock without hashes, `Refused` for a file with another hash, `NoAnswer` when a file
/// cannot be had or written.
pub fn download(
    job: &DownloadJob<'_>,
    files: &dyn FileSource,
    watcher: &dyn Watcher,
) -> Result<DownloadReport> {
    let pins = match job.scope {
        DownloadScope::Target(target) => plan::applicable(job.lock, target)?,
        DownloadScope::All => {
            plan::check_hashes(job.lock)?;
            let builds = job.lock.builds.iter().flat_map(|build| &build.pins);
            job.lock.pins.iter().chain(builds).collect()
        }
    };
    if job.dry_run == DryRun::No {
        disk::create_dirs(job.folder)?;
    }
    let found = map_concurrently(&pins, |pin| locked(pin, files, watcher))?;
    // By file name: two pins of one release, with different markers, have the same files.
    let jobs: BTreeMap<Arc<str>, (&Pin, Arc<DistFile>)> = pins
        .iter()
        .zip(&found)
        .flat_map(|(pin, found)| found.iter().map(|file| (file.filename.clone(), (*pin, file.clone()))))
        .collect();
    let jobs: Vec<(&Pin, Arc<DistFile>)> = jobs.into_values().collect();
    let names = jobs.iter().map(|(_, file)| file.filename.to_string()).collect();
    if job.dry_run == DryRun::Yes {
        let missing = jobs.iter().filter(|(pin, file)| present_hash(pin, file, job.folder).is_none());
        return Ok(DownloadReport { files: names, fetched: missing.count() });
    }
    watcher.on(Event::Step(format!("downloading {}", counted(jobs.len(), "file"))));
    let bytes = jobs.iter().map(|(_, file)| file.size).sum();
    watcher.on(Event::FilesWanted { files: jobs.len(), bytes });
    let done = map_concurrently(&jobs, |(pin, file)| fetch(pin, file, job.folder, files))?;
    write_pages(job.folder, &jobs, &done)?;
    let fetched = done.iter().filter(|done| done.state == DownloadState::Fetched).count();
    Ok(DownloadReport { files: names, fetched })
}

/// The files of a pin whose hash is in the lock, or is not listed.
fn locked(pin: &Pin, files: &dyn FileSource, watcher: &dyn Watcher) -> Result<Vec<Arc<DistFile>>> {
    let pinned = format!("{}=={}{}", pin.name, pin.version, source::lock_location(pin));
    let mut found = listed_files(pin, files)?;
    found.retain(|file| file.sha256.is_none_or(|hash| pin.hashes.contains(&hash)));
    let listed: BTreeSet<Sha256> = found.iter().filter_map(|file| file.sha256).collect();
    let missing = pin.hashes.iter().filter(|hash| !listed.contains(hash)).count();
    if found.is_empty() {
        return Err(Error::no_answer(format!("no index has a file of {pinned} with a hash of the lock")));
    }
    // A file without a listed hash may be one of the missing ones.
    if missing > 0 && found.iter().all(|file| file.sha256.is_some()) {
        watcher.on(Event::Warning(format!("{} of {pinned} is listed nowhere", counted(missing, "file"))));
    }
    if let Some(unsafe_file) = found.iter().find(|file| !is_plain(&file.filename)) {
        return Err(Error::refused(format!(
            "{pinned} has a file with an unsafe name: `{}`",
            unsafe_file.filename.escape_debug()
        )));
    }
    Ok(found)
}

/// Whether a name is safe as a file name and in HTML.
fn is_plain(name: &str) -> bool {
    !name.starts_with('.') && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.+!".contains(c))
}

/// Whether this run fetched a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum DownloadState {
    Fetched,
    Present,
}

struct Downloaded {
    sha256: Sha256,
    state: DownloadState,
}

/// The hash of the file, if it is there and right.
fn present_hash(pin: &Pin, file: &DistFile, folder: &Path) -> Option<Sha256> {
    source::hash_file(&folder.join(&*file.filename)).ok().filter(|sha256| pin.hashes.contains(sha256))
}

fn fetch(pin: &Pin, file: &DistFile, folder: &Path, files: &dyn FileSource) -> Result<Downloaded> {
    let path = folder.join(&*file.filename);
    if let Some(sha256) = present_hash(pin, file, folder) {
        return Ok(Downloaded { sha256, state: DownloadState::Present });
    }
    let beside = tempfile::Builder::new().prefix(".pinfast-").suffix(".part").tempfile_in(folder);
    let beside = beside.map_err(|error| path_error("create a file in", folder, error))?.into_temp_path();
    let sha256 = source::fetch(pin, file, files, &beside)?;
    // A temporary file is private, but a folder of files is made for others to read.
    let written = fs::set_permissions(&beside, fs::Permissions::from_mode(0o644))
        .and_then(|()| beside.persist(&path).map_err(|error| error.error));
    written.map_err(|error| path_error("write", &path, error))?;
    Ok(Downloaded { sha256, state: DownloadState::Fetched })
}

/// Writes a page for each project, and the list of projects (PEP 503). Files of earlier downloads stay on their
/// pages.
fn write_pages(folder: &Path, jobs: &[(&Pin, Arc<DistFile>)], done: &[Downloaded]) -> Result<()> {
    let simple = folder.join("simple");
    let mut pages: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    for ((pin, file), done) in jobs.iter().zip(done) {
        let page = pages.entry(pin.name.to_string()).or_default();
        page.insert(file.filename.to_string(), anchor(file, done.sha256));
    }
    for (name, anchors) in &mut pages {
        let path = simple.join(name).join("index.html");
        for (file, line) in earlier(&path, folder) {
            anchors.entry(file).or_insert(line);
        }
        disk::create_dirs(&simple.join(name))?;
        disk::replace(&path, page(name, anchors.values()).as_bytes(), Durability::Synced)?;
    }
    let names = projects(&simple)?.into_iter().map(|name| format!("<a href=\"{name}/\">{name}</a><br>"));
    let names: Vec<String> = names.collect();
    disk::replace(&simple.join("index.html"), page("simple", names.iter()).as_bytes(), Durability::Synced)
}

fn anchor(file: &DistFile, sha256: Sha256) -> String {
    let name = &file.filename;
    let python = file.requires_python.as_ref().map(ToString::to_string).unwrap_or_default();
    let python =
        python.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
    let python = if python.is_empty() { python } else { format!(" data-requires-python=\"{python}\"") };
    // Some servers read `+` in a path as a space.
    let href = name.replace('+', "%2B");
    format!("<a href=\"../../{href}#sha256={sha256}\"{python}>{name}</a><br>")
}

fn page<'a>(title: &str, lines: impl Iterator<Item = &'a String>) -> String {
    let head = format!(
        "<!DOCTYPE html>\n<html>\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"pypi:repository-version\" content=\"1.0\">\n<title>{title}</title>\n</head>\n<body>\n"
    );
    let body = lines.fold(head, |text, line| text + line + "\n");
    body + "</body>\n</html>\n"
}

/// The lines of a page that an earlier download wrote, by file name, if the file still exists.
fn earlier(page: &Path, folder: &Path) -> Vec<(String, String)> {
    let text =
        disk::read(page, 16 << 20).ok().and_then(|text| String::from_utf8(text).ok()).unwrap_or_default();
    let lines = text.lines().filter_map(|line| {
        let line = line.strip_suffix("</a><br>").filter(|line| line.starts_with("<a href=\"../../"))?;
        let (_, file) = line.rsplit_once('>')?;
        let there = is_plain(file) && folder.join(file).is_file();
        there.then(|| (file.to_owned(), format!("{line}</a><br>")))
    });
    lines.collect()
}

fn projects(simple: &Path) -> Result<Vec<String>> {
    disk::create_dirs(simple)?;
    let entries = fs::read_dir(simple).map_err(|error| path_error("list", simple, error))?;
    let folders =
        entries.flatten().map(|entry| entry.path()).filter(|path| path.join("index.html").is_file());
    let name = |path: PathBuf| path.file_name().and_then(|name| name.to_str()).map(str::to_owned);
    let mut names: Vec<String> = folders.filter_map(name).filter(|name| is_plain(name)).collect();
    names.sort();
    Ok(names)
}

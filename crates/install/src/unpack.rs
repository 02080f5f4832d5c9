//! Unpacks a wheel's archive into a folder of the cache, on all cores. Each file is hashed as it is written, and
//! compared with RECORD.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use rayon::prelude::*;
use rustc_hash::FxHashSet;

use super::archive::{ArchiveEntry, WheelArchive, WheelError, WheelLimits};
use super::disk;
use super::manifest::{CachedFile, FileKind, Manifest};
use super::record::{HashAlgorithm, RecordDigest, RecordHasher};
use super::wheel::{self, WheelInfo};
use pinfast_cache::FileStamp;
use pinfast_packaging::{PackageName, Version};

/// Unpacks `archive`, which has to be a wheel of `name` and `version`, into the empty folder `into`.
/// Returns its manifest and warnings, each a clause that goes on after the wheel's name.
pub(super) fn unpack(
    archive: File,
    name: &PackageName,
    version: &Version,
    limits: &WheelLimits,
    into: &Path,
) -> Result<(Manifest, Vec<String>), WheelError> {
    let mut archive = WheelArchive::open(archive, limits)?;
    let info = wheel::read_info(&mut archive, name, version)?;
    let jobs = jobs(&archive, &info)?;
    create_folders(into, &jobs)?;
    let mut files = jobs
        .into_par_iter()
        // A clone for each thread: each has its own position and decompressor.
        .map_init(|| archive.clone(), |archive, job| write(archive, &job, into))
        .collect::<Result<Vec<_>, _>>()?;
    // Linking goes folder by folder, so files of one folder have to be neighbours.
    files.sort_by(|a, b| (a.folder(), &a.path).cmp(&(b.folder(), &b.path)));
    let manifest = Manifest {
        name: name.to_string(),
        version: version.to_string(),
        stem: info.stem,
        root: info.root,
        requires_python: info.metadata.requires_python.map(|specifiers| specifiers.to_string()),
        scripts: info.scripts,
        files,
    };
    Ok((manifest, info.warnings))
}

/// A file to unpack.
struct UnpackJob {
    entry: ArchiveEntry,
    expected: Option<RecordDigest>,
    scheme: DataScheme,
}

/// Whether a file is in `.data/scripts`: it becomes executable whatever mode its archive has.
#[derive(Clone, Copy, PartialEq, Eq)]
enum DataScheme {
    Scripts,
    Other,
}

/// The files to unpack, the largest first: otherwise one core would end up alone with a large one.
fn jobs(archive: &WheelArchive, info: &WheelInfo) -> Result<Vec<UnpackJob>, WheelError> {
    let dist_info = format!("{}.dist-info/", info.stem);
    let mut jobs = Vec::with_capacity(archive.entries().len());
    for (entry, expected) in archive.entries().iter().zip(&info.digests) {
        // An installation writes its own of these; a wheel must not bring them.
        let own = entry.path.strip_prefix(&dist_info);
        if own.is_some_and(|name| matches!(name, "RECORD" | "INSTALLER" | "REQUESTED" | "direct_url.json")) {
            continue;
        }
        let scheme = scheme(&entry.path, &info.stem)?;
        jobs.push(UnpackJob { entry: entry.clone(), expected: expected.clone(), scheme });
    }
    jobs.sort_by_key(|job| std::cmp::Reverse(job.entry.size));
    Ok(jobs)
}

fn scheme(path: &str, stem: &str) -> Result<DataScheme, WheelError> {
    let data = path.strip_prefix(stem).and_then(|rest| rest.strip_prefix(".data/"));
    match data.map(|data| data.split_once('/').unwrap_or((data, ""))) {
        None => Ok(DataScheme::Other),
        Some(("scripts", name)) if !name.is_empty() => Ok(DataScheme::Scripts),
        Some(("purelib" | "platlib" | "headers" | "data", rest)) if !rest.is_empty() => Ok(DataScheme::Other),
        Some(_) => Err(WheelError::bad(format!("holds `{path}`, which belongs to no known scheme"))),
    }
}

fn create_folders(into: &Path, jobs: &[UnpackJob]) -> Result<(), WheelError> {
    let folders: FxHashSet<&str> =
        jobs.iter().filter_map(|job| job.entry.path.rsplit_once('/')).map(|(folder, _)| folder).collect();
    for folder in folders {
        std::fs::create_dir_all(into.join(folder))?;
    }
    Ok(())
}

/// Writes one file, hashing as it goes, and takes its stamp.
fn write(archive: &mut WheelArchive, job: &UnpackJob, into: &Path) -> Result<CachedFile, WheelError> {
    let path = into.join(&job.entry.path);
    let executable = job.entry.executable || job.scheme == DataScheme::Scripts;
    // Read-only: an edit in an environment, through a hard link, would reach the cache.
    let mode = if executable { 0o555 } else { 0o444 };
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&path)?;
    let algorithm = job.expected.as_ref().map_or(HashAlgorithm::Sha256, |expected| expected.algorithm);
    let (mut hasher, mut start) = (RecordHasher::new(algorithm), Vec::new());
    archive.stream(&job.entry, |chunk| {
        hasher.update(chunk);
        let missing = SCRIPT_START.len().saturating_sub(start.len()).min(chunk.len());
        start.extend_from_slice(&chunk[..missing]);
        Ok(file.write_all(chunk)?)
    })?;
    let found = hasher.finish();
    if job.expected.as_ref().is_some_and(|expected| *expected != found) {
        return Err(WheelError::bad(format!(
            "holds `{}` with another hash than RECORD says",
            job.entry.path
        )));
    }
    let kind = match job.scheme {
        DataScheme::Scripts if start == SCRIPT_START => FileKind::Script,
        _ => FileKind::Plain,
    };
    // The umask may have taken bits away, and the stamp below includes them.
    disk::set_mode(&file, file.metadata()?.mode(), mode)?;
    Ok(CachedFile {
        path: job.entry.path.clone(),
        digest: job.expected.as_ref().map(ToString::to_string).unwrap_or_default(),
        kind,
        stamp: FileStamp::of(&file.metadata()?),
    })
}

/// The start of a script whose first line the installer rewrites (PyPA "Binary distribution format").
const SCRIPT_START: &[u8] = b"#!python";

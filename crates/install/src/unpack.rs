//! A wheel's archive -> a folder in the cache, on all cores, each file checked as it is written.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use rayon::prelude::*;
use rustc_hash::FxHashSet;

use super::archive::{Archive, Entry, Fault, Limits};
use super::disk;
use super::manifest::{CachedFile, FileKind, Manifest, Stamp};
use super::record::{Algorithm, Digest, Hasher};
use super::wheel::{self, Claims};
use pinfast_packaging::{PackageName, Version};

/// Unpacks `archive`, which has to be a wheel of `name` and `version`, into the empty folder `into`.
/// Returns its manifest, and what is odd but harmless, each a clause that goes on after the wheel's name.
pub(super) fn unpack(
    archive: File,
    name: &PackageName,
    version: &Version,
    limits: &Limits,
    into: &Path,
) -> Result<(Manifest, Vec<String>), Fault> {
    let mut archive = Archive::open(archive, limits)?;
    let claims = wheel::claims(&mut archive, name, version)?;
    let jobs = jobs(&archive, &claims)?;
    create_folders(into, &jobs)?;
    let mut files = jobs
        .into_par_iter()
        .map_init(|| archive.clone(), |archive, job| write(archive, &job, into))
        .collect::<Result<Vec<_>, _>>()?;
    // Folder by folder, which is how they are taken.
    files.sort_by(|a, b| (a.folder(), &a.path).cmp(&(b.folder(), &b.path)));
    let manifest = Manifest {
        name: name.to_string(),
        version: version.to_string(),
        stem: claims.stem,
        root: claims.root,
        requires_python: claims.metadata.requires_python.map(|specifiers| specifiers.to_string()),
        scripts: claims.scripts,
        files,
    };
    Ok((manifest, claims.warnings))
}

/// One file to be unpacked.
struct Job {
    entry: Entry,
    promise: Option<Digest>,
    scheme: Scheme,
}

/// Whether a file is a script of the wheel, which has to be executable whatever its archive says.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scheme {
    Script,
    Other,
}

/// The files to unpack, the largest first so that no core ends up alone with a large one.
fn jobs(archive: &Archive, claims: &Claims) -> Result<Vec<Job>, Fault> {
    let info = format!("{}.dist-info/", claims.stem);
    let mut jobs = Vec::with_capacity(archive.entries().len());
    for (entry, promise) in archive.entries().iter().zip(&claims.promises) {
        // An installation writes its own of these; what a wheel has of them is nobody's word.
        let own = entry.path.strip_prefix(&info);
        if own.is_some_and(|name| matches!(name, "RECORD" | "INSTALLER" | "REQUESTED" | "direct_url.json")) {
            continue;
        }
        let scheme = scheme(&entry.path, &claims.stem)?;
        jobs.push(Job { entry: entry.clone(), promise: promise.clone(), scheme });
    }
    jobs.sort_by_key(|job| std::cmp::Reverse(job.entry.size));
    Ok(jobs)
}

fn scheme(path: &str, stem: &str) -> Result<Scheme, Fault> {
    let data = path.strip_prefix(stem).and_then(|rest| rest.strip_prefix(".data/"));
    match data.map(|data| data.split_once('/').unwrap_or((data, ""))) {
        None => Ok(Scheme::Other),
        Some(("scripts", name)) if !name.is_empty() => Ok(Scheme::Script),
        Some(("purelib" | "platlib" | "headers" | "data", rest)) if !rest.is_empty() => Ok(Scheme::Other),
        Some(_) => Err(Fault::bad(format!("holds `{path}`, which belongs to no known scheme"))),
    }
}

fn create_folders(into: &Path, jobs: &[Job]) -> Result<(), Fault> {
    let folders: FxHashSet<&str> =
        jobs.iter().filter_map(|job| job.entry.path.rsplit_once('/')).map(|(folder, _)| folder).collect();
    for folder in folders {
        std::fs::create_dir_all(into.join(folder))?;
    }
    Ok(())
}

/// Writes one file, hashing in the stream, and takes its stamp.
fn write(archive: &mut Archive, job: &Job, into: &Path) -> Result<CachedFile, Fault> {
    let path = into.join(&job.entry.path);
    let executable = job.entry.executable || job.scheme == Scheme::Script;
    let mode = if executable { 0o555 } else { 0o444 };
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&path)?;
    let algorithm = job.promise.as_ref().map_or(Algorithm::Sha256, |promise| promise.algorithm);
    let (mut hasher, mut start) = (Hasher::new(algorithm), Vec::new());
    archive.stream(&job.entry, |chunk| {
        hasher.update(chunk);
        let lacking = SCRIPT_START.len().saturating_sub(start.len()).min(chunk.len());
        start.extend_from_slice(&chunk[..lacking]);
        Ok(file.write_all(chunk)?)
    })?;
    let found = hasher.finish();
    if job.promise.as_ref().is_some_and(|promise| *promise != found) {
        return Err(Fault::bad(format!("holds `{}` with another hash than RECORD says", job.entry.path)));
    }
    let kind = match job.scheme {
        Scheme::Script if start == SCRIPT_START => FileKind::Script,
        _ => FileKind::Plain,
    };
    disk::set_mode(&file, file.metadata()?.mode(), mode)?;
    Ok(CachedFile {
        path: job.entry.path.clone(),
        digest: job.promise.as_ref().map(ToString::to_string).unwrap_or_default(),
        kind,
        stamp: Stamp::of(&file.metadata()?),
    })
}

/// How a script begins whose first line is to name the interpreter.
const SCRIPT_START: &[u8] = b"#!python";

//! What a backend made: the metadata, in a folder or in a wheel, believed where it is about the file.

use std::fs::File;
use std::io::Read;
use std::path::{Component, Path, PathBuf};

use super::Fault;
use super::environment::Workshop;
use super::run::{Answer, Backend, Want};
use super::system;
use pinfast_packaging::{DistFile, Metadata, Requirement};

/// The most bytes of a METADATA.
const MOST: u64 = 16 << 20;

/// All that a build requires, by the word of the source and by that of its backend.
pub(super) fn requirements(backend: &Backend<'_>, _: &Workshop<'_>) -> Result<Vec<Requirement>, Fault> {
    all_requirements(backend)
}

pub(super) fn all_requirements(backend: &Backend<'_>) -> Result<Vec<Requirement>, Fault> {
    let Answer::Requirements(more) = backend.ask(Want::Requirements)? else { return Err(lied()) };
    let more = system::requirements(more.iter().map(String::as_str))
        .map_err(|why| Fault::candidate(format!("its build backend requires nonsense: {why}")))?;
    Ok([backend.system.requires.clone(), more].concat())
}

/// Asks the backend for a wheel and returns its path.
pub(super) fn wheel(backend: &Backend<'_>) -> Result<PathBuf, Fault> {
    let Answer::Wheel(name) = backend.ask(Want::Wheel)? else { return Err(lied()) };
    check_name(&name, ".whl")?;
    let path = backend.out().join(name);
    if path.symlink_metadata().is_ok_and(|found| found.is_file()) {
        return Ok(path);
    }
    Err(Fault::candidate("its build made no wheel".to_owned()))
}

/// Asks the backend what else it needs, provides that, and asks for the metadata.
pub(super) fn metadata(backend: &Backend<'_>, workshop: &Workshop<'_>) -> Result<Vec<u8>, Fault> {
    let all = all_requirements(backend)?;
    if all.len() > backend.system.requires.len() {
        workshop.provide(&all)?;
    }
    match backend.ask(Want::Metadata)? {
        Answer::Folder(name) => in_folder(&backend.out(), &name),
        Answer::Wheel(name) => in_wheel(&backend.out(), &name),
        Answer::Requirements(_) => Err(lied()),
    }
}

/// The metadata that `text` tells of `file`.
pub(super) fn believe(text: &[u8], file: &DistFile) -> Result<Metadata, Fault> {
    let lie = |what: String| Fault::candidate(format!("its build made metadata {what}"));
    let metadata =
        Metadata::parse(text).map_err(|error| lie(format!("that cannot be read: {}", error.message)))?;
    if metadata.name != *file.dist.name() {
        return Err(lie(format!("about `{}`", metadata.name)));
    }
    if metadata.version != *file.dist.version() {
        return Err(lie(format!("about version {}", metadata.version)));
    }
    Ok(metadata)
}

fn in_folder(out: &Path, name: &str) -> Result<Vec<u8>, Fault> {
    check_name(name, ".dist-info")?;
    let path = out.join(name).join("METADATA");
    if !path.metadata().is_ok_and(|found| found.is_file()) {
        return Err(Fault::candidate("its build made no METADATA".to_owned()));
    }
    File::open(&path).map_err(|error| unreadable(&error)).and_then(bounded)
}

fn in_wheel(out: &Path, name: &str) -> Result<Vec<u8>, Fault> {
    check_name(name, ".whl")?;
    let path = out.join(name);
    if !path.metadata().is_ok_and(|found| found.is_file()) {
        return Err(Fault::candidate("its build made no wheel".to_owned()));
    }
    let file = File::open(&path).map_err(|error| unreadable(&error))?;
    let mut archive =
        zip::ZipArchive::new(std::io::BufReader::new(file)).map_err(|error| unreadable(&error))?;
    let is_metadata = |name: &str| {
        name.strip_suffix("/METADATA")
            .is_some_and(|folder| folder.ends_with(".dist-info") && !folder.contains('/'))
    };
    for index in 0..archive.len() {
        let entry = archive.by_index(index).map_err(|error| unreadable(&error))?;
        if entry.name().is_ok_and(|name| is_metadata(&name)) {
            return bounded(entry);
        }
    }
    Err(Fault::candidate("its build made a wheel without metadata".to_owned()))
}

/// What a backend names has to be one plain name in the folder for results.
fn check_name(name: &str, ending: &str) -> Result<(), Fault> {
    let mut parts = Path::new(name).components();
    let plain = matches!((parts.next(), parts.next()), (Some(Component::Normal(_)), None));
    if plain && name.ends_with(ending) { Ok(()) } else { Err(lied()) }
}

fn bounded(content: impl Read) -> Result<Vec<u8>, Fault> {
    let mut text = Vec::new();
    content.take(MOST + 1).read_to_end(&mut text).map_err(|error| unreadable(&error))?;
    if text.len() as u64 > MOST {
        return Err(Fault::candidate("its build made metadata that is too large".to_owned()));
    }
    Ok(text)
}

fn lied() -> Fault {
    Fault::Backend { what: "gave an answer that makes no sense".to_owned(), printed: Vec::new() }
}

fn unreadable(error: &dyn std::fmt::Display) -> Fault {
    Fault::candidate(format!("what its build made cannot be read: {error}"))
}

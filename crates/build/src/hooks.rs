//! The three hooks of a build backend, and the checks of their results: a backend is foreign code, so its names
//! and metadata are verified before they are used.

use std::fs::File;
use std::io::Read;
use std::path::{Component, Path, PathBuf};

use super::backend::{Backend, Hook, HookResult};
use super::build_system::parse_requirements;
use super::environment::BuildEnvironment;
use super::failure::BuildFailure;
use pinfast_packaging::{DistFile, Metadata, Requirement};

/// The largest `METADATA`, in bytes.
const MAX_METADATA_BYTES: u64 = 16 << 20;

/// All build requirements: those of the build system, and those of `get_requires_for_build_wheel`.
pub(super) fn requirements(backend: &Backend<'_>) -> Result<Vec<Requirement>, BuildFailure> {
    let HookResult::Requirements(more) = backend.call(Hook::Requirements)? else { return Err(senseless()) };
    let more = parse_requirements(more.iter().map(String::as_str))
        .map_err(|why| BuildFailure::candidate(format!("its build backend requires nonsense: {why}")))?;
    Ok([backend.build_system.requires.clone(), more].concat())
}

/// Calls `build_wheel`, and returns the path of the wheel.
pub(super) fn wheel(backend: &Backend<'_>) -> Result<PathBuf, BuildFailure> {
    let HookResult::Wheel(name) = backend.call(Hook::Wheel)? else { return Err(senseless()) };
    check_name(&name, ".whl")?;
    let path = backend.out().join(name);
    if path.symlink_metadata().is_ok_and(|metadata| metadata.is_file()) {
        return Ok(path);
    }
    Err(BuildFailure::candidate("its build made no wheel".to_owned()))
}

/// Installs the backend's further requirements, and returns the text of the `METADATA` that it makes.
pub(super) fn metadata(
    backend: &Backend<'_>,
    environment: &BuildEnvironment<'_>,
) -> Result<Vec<u8>, BuildFailure> {
    let all = requirements(backend)?;
    if all.len() > backend.build_system.requires.len() {
        environment.install(&all)?;
    }
    match backend.call(Hook::Metadata)? {
        HookResult::Folder(name) => metadata_in_folder(&backend.out(), &name),
        HookResult::Wheel(name) => metadata_in_wheel(&backend.out(), &name),
        HookResult::Requirements(_) => Err(senseless()),
    }
}

/// Parses the built metadata of `file`, and checks that it is about `file`.
pub(super) fn parse_metadata(text: &[u8], file: &DistFile) -> Result<Metadata, BuildFailure> {
    let wrong = |what: String| BuildFailure::candidate(format!("its build made metadata {what}"));
    let metadata =
        Metadata::parse(text).map_err(|error| wrong(format!("that cannot be read: {}", error.message)))?;
    if metadata.name != *file.dist.name() {
        return Err(wrong(format!("about `{}`", metadata.name)));
    }
    if metadata.version != *file.dist.version() {
        return Err(wrong(format!("about version {}", metadata.version)));
    }
    Ok(metadata)
}

fn metadata_in_folder(out: &Path, name: &str) -> Result<Vec<u8>, BuildFailure> {
    check_name(name, ".dist-info")?;
    let path = out.join(name).join("METADATA");
    if !path.metadata().is_ok_and(|metadata| metadata.is_file()) {
        return Err(BuildFailure::candidate("its build made no METADATA".to_owned()));
    }
    File::open(&path).map_err(|error| unreadable(&error)).and_then(read_metadata)
}

fn metadata_in_wheel(out: &Path, name: &str) -> Result<Vec<u8>, BuildFailure> {
    check_name(name, ".whl")?;
    let path = out.join(name);
    if !path.metadata().is_ok_and(|metadata| metadata.is_file()) {
        return Err(BuildFailure::candidate("its build made no wheel".to_owned()));
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
            return read_metadata(entry);
        }
    }
    Err(BuildFailure::candidate("its build made a wheel without metadata".to_owned()))
}

/// A result must be one plain name in the folder of results: no path that leads out of it.
fn check_name(name: &str, ending: &str) -> Result<(), BuildFailure> {
    let mut parts = Path::new(name).components();
    let plain = matches!((parts.next(), parts.next()), (Some(Component::Normal(_)), None));
    if plain && name.ends_with(ending) { Ok(()) } else { Err(senseless()) }
}

fn read_metadata(content: impl Read) -> Result<Vec<u8>, BuildFailure> {
    let mut text = Vec::new();
    content.take(MAX_METADATA_BYTES + 1).read_to_end(&mut text).map_err(|error| unreadable(&error))?;
    if text.len() as u64 > MAX_METADATA_BYTES {
        return Err(BuildFailure::candidate("its build made metadata that is too large".to_owned()));
    }
    Ok(text)
}

fn senseless() -> BuildFailure {
    BuildFailure::Backend { what: "gave an answer that makes no sense".to_owned(), output: Vec::new() }
}

fn unreadable(error: &dyn std::fmt::Display) -> BuildFailure {
    BuildFailure::candidate(format!("the result of its build cannot be read: {error}"))
}

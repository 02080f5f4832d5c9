//! What an sdist says without being built: a static `PKG-INFO` (PEP 643), else a static `[project]`
//! (PEP 621).

use std::fs::File;
use std::io::{self, Read};

use super::word::Word;
use pinfast_packaging::{Metadata, MetadataError, PackageName, SdistFormat, Version};

/// The most bytes that an sdist may unpack to while its metadata is looked for.
const MOST_UNPACKED: u64 = 4 << 30;
/// The most members that are looked at.
const MOST_MEMBERS: usize = 1_000_000;

/// The files of an sdist that matter.
#[derive(Default)]
struct Found {
    pkg_info: Option<Vec<u8>>,
    pyproject: Option<Vec<u8>>,
}

/// What an sdist says of its metadata; its files may have `most` bytes.
///
/// # Errors
/// Why the sdist bars its candidate, a sentence without a full stop.
pub(super) fn word(file: File, format: SdistFormat, most: u64) -> Result<Word, String> {
    let found = match format {
        SdistFormat::TarGz => in_tar(file, most),
        SdistFormat::Zip => in_zip(file, most),
    };
    let Found { pkg_info, pyproject } = found.map_err(|error| format!("its archive is broken: {error}"))?;
    Ok(Word::sdist(pkg_info, pyproject))
}

fn in_tar(file: File, most: u64) -> io::Result<Found> {
    let plain = flate2::read::MultiGzDecoder::new(io::BufReader::new(file)).take(MOST_UNPACKED);
    let mut archive = tar::Archive::new(plain);
    let mut found = Found::default();
    for entry in archive.entries()?.take(MOST_MEMBERS) {
        let mut entry = entry?;
        let slot = match entry.header().entry_type() {
            tar::EntryType::Regular => found.slot(&entry.path_bytes()),
            _ => None,
        };
        if let Some(slot) = slot {
            *slot = Some(bounded(&mut entry, most)?);
        }
        if found.pkg_info.is_some() && found.pyproject.is_some() {
            break;
        }
    }
    Ok(found)
}

fn in_zip(file: File, most: u64) -> io::Result<Found> {
    let mut archive = zip::ZipArchive::new(io::BufReader::new(file)).map_err(io::Error::other)?;
    let mut found = Found::default();
    for index in 0..archive.len().min(MOST_MEMBERS) {
        let mut member = archive.by_index(index).map_err(io::Error::other)?;
        let path = member.name().map_err(io::Error::other)?.as_bytes().to_vec();
        if let Some(slot) = found.slot(&path) {
            *slot = Some(bounded(&mut member, most)?);
        }
    }
    Ok(found)
}

fn bounded(reader: &mut impl Read, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(io::Error::other(format!("its metadata has more than {most} bytes")));
    }
    Ok(bytes)
}

impl Found {
    /// Where the file at `path` goes: the two that lie at the top of the archive's one folder count.
    fn slot(&mut self, path: &[u8]) -> Option<&mut Option<Vec<u8>>> {
        let path = path.strip_prefix(b"./").unwrap_or(path);
        let mut parts = path.split(|byte| *byte == b'/');
        let (folder, file, rest) = (parts.next()?, parts.next()?, parts.next());
        match (folder.is_empty(), file, rest) {
            (false, b"PKG-INFO", None) => Some(&mut self.pkg_info),
            (false, b"pyproject.toml", None) => Some(&mut self.pyproject),
            _ => None,
        }
    }
}

/// The `[project]` table, where it says all that a resolver needs to know; `None` where a build would.
pub(super) fn of_project(
    text: &[u8],
    name: &PackageName,
    version: &Version,
) -> Option<Result<Metadata, MetadataError>> {
    let document: toml::Table = std::str::from_utf8(text).ok()?.parse().ok()?;
    let project = document.get("project")?.as_table()?;
    let dynamic = strings(project.get("dynamic"))?;
    let free = |field: &str| !dynamic.iter().any(|name| name == field);
    if !["dependencies", "optional-dependencies", "requires-python"].into_iter().all(free) {
        return None;
    }
    if PackageName::new(project.get("name")?.as_str()?).as_ref() != Ok(name) {
        return None;
    }
    match project.get("version") {
        Some(said) if said.as_str()?.parse::<Version>().as_ref() == Ok(version) => {}
        None if !free("version") => {}
        _ => return None,
    }
    let (requires, extras) = requirements(project)?;
    let python = project.get("requires-python").map(toml::Value::as_str);
    if python == Some(None) {
        return None;
    }
    Some(Metadata::of_release(name, version, &requires, python.flatten(), &extras).map(own_word))
}

/// `dependencies` and `optional-dependencies` as `Requires-Dist` and `Provides-Extra`.
fn requirements(project: &toml::Table) -> Option<(Vec<String>, Vec<String>)> {
    let mut requires = strings(project.get("dependencies"))?;
    let mut extras = Vec::new();
    if let Some(optional) = project.get("optional-dependencies") {
        for (extra, texts) in optional.as_table()? {
            for text in strings(Some(texts))? {
                requires.push(under_extra(&text, extra));
            }
            extras.push(extra.clone());
        }
    }
    Some((requires, extras))
}

/// A requirement that holds under an extra only. What comes after `;` is its marker; a URL ends at a space.
fn under_extra(text: &str, extra: &str) -> String {
    let name =
        pinfast_packaging::ExtraName::new(extra).map_or_else(|_| extra.to_owned(), |name| name.to_string());
    match text.split_once(';') {
        Some((requirement, marker)) => format!("{requirement}; ({marker}) and extra == '{name}'"),
        None => format!("{text} ; extra == '{name}'"),
    }
}

fn strings(value: Option<&toml::Value>) -> Option<Vec<String>> {
    let Some(value) = value else { return Some(Vec::new()) };
    value.as_array()?.iter().map(|text| text.as_str().map(str::to_owned)).collect()
}

fn own_word(metadata: Metadata) -> Metadata {
    Metadata { source: pinfast_packaging::MetadataSource::File, ..metadata }
}

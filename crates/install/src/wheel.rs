//! Checks that an archive is a wheel (PyPA "Binary distribution format"), and the wheel that the lock means.
//!
//! In: an archive with a checked directory. Out: its metadata, its scripts and the digest of each file, all
//! checked against each other before a file is unpacked.

use rustc_hash::FxHashMap;

use super::archive::{ArchiveEntry, WheelArchive, WheelError};
use super::entry_points::{self, EntryPoint};
use super::record::{self, RecordDigest, RecordRow};
use pinfast_packaging::{Metadata, PackageName, Version};

const MB: u64 = 1 << 20;

/// The contents of a wheel's `.dist-info` folder, checked.
#[derive(Debug)]
pub(super) struct WheelInfo {
    /// The stem of its folders: `NAME-VERSION` in the wheel's own spelling.
    pub(super) stem: String,
    /// Where the files outside `.data` go.
    pub(super) root: LibraryScheme,
    /// Its core metadata.
    pub(super) metadata: Metadata,
    /// The scripts to be made.
    pub(super) scripts: Vec<EntryPoint>,
    /// The digest in RECORD of each entry of the archive, in their order; `None` for RECORD itself and its
    /// signatures.
    pub(super) digests: Vec<Option<RecordDigest>>,
    /// Each a clause that goes on after the wheel's name.
    pub(super) warnings: Vec<String>,
}

/// Where the files outside `.data` go (`Root-Is-Purelib`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) enum LibraryScheme {
    /// `Root-Is-Purelib: true`
    Purelib,
    /// `Root-Is-Purelib: false`
    Platlib,
}

/// Reads and checks the `.dist-info` folder of a wheel that has to be of this name and version.
pub(super) fn read_info(
    archive: &mut WheelArchive,
    name: &PackageName,
    version: &Version,
) -> Result<WheelInfo, WheelError> {
    let stem = stem(archive, name, version)?;
    let wheel = read(archive, &format!("{stem}.dist-info/WHEEL"), MB)?;
    let (root, warnings) = read_wheel(&wheel)?;
    let metadata = read(archive, &format!("{stem}.dist-info/METADATA"), 16 * MB)?;
    let metadata = Metadata::parse(&metadata)
        .map_err(|error| WheelError::bad(format!("has unreadable METADATA: {error}")))?;
    if metadata.name != *name || metadata.version != *version {
        let (other, its) = (&metadata.name, &metadata.version);
        return Err(WheelError::bad(format!(
            "says in METADATA that it is {other} {its}, not {name} {version}"
        )));
    }
    let points = format!("{stem}.dist-info/entry_points.txt");
    let scripts = match archive.entry(&points) {
        None => Vec::new(),
        Some(_) => entry_points::scripts(&read(archive, &points, 16 * MB)?)
            .map_err(|what| WheelError::bad(format!("has an unreadable entry_points.txt: {what}")))?,
    };
    let record = read(archive, &format!("{stem}.dist-info/RECORD"), 64 * MB)?;
    let rows = record::parse(&record)
        .map_err(|what| WheelError::bad(format!("has an unreadable RECORD: {what}")))?;
    let digests = digests(archive, &stem, rows)?;
    Ok(WheelInfo { stem, root, metadata, scripts, digests, warnings })
}

fn read(archive: &mut WheelArchive, path: &str, limit: u64) -> Result<Vec<u8>, WheelError> {
    let entry = archive.entry(path).cloned().ok_or_else(|| WheelError::bad(format!("has no `{path}`")))?;
    archive.read(&entry, limit)
}

/// The stem of the one `.dist-info` folder. It has to be the lock's name and version, and a `.data` folder has
/// to have the same stem.
fn stem(archive: &WheelArchive, name: &PackageName, version: &Version) -> Result<String, WheelError> {
    let mut found: Option<&str> = None;
    let tops = || archive.entries().iter().filter_map(|entry| entry.path.split_once('/')).map(|(top, _)| top);
    for stem in tops().filter_map(|top| strip_suffix_ignoring_case(top, ".dist-info")) {
        // With two of them, tools would disagree about which package this is.
        if found.is_some_and(|other| other != stem) {
            return Err(WheelError::bad("has more than one `.dist-info` folder"));
        }
        found = Some(stem);
    }
    let stem = found.ok_or_else(|| WheelError::bad("has no `.dist-info` folder: it is not a wheel"))?;
    let named = stem.split_once('-').and_then(|(name, version)| {
        Some((PackageName::new(name).ok()?, version.replace('_', "-").parse::<Version>().ok()?))
    });
    if named.as_ref().is_none_or(|(its, _)| its != name) || named.is_none_or(|(_, its)| its != *version) {
        return Err(WheelError::bad(format!("is `{stem}` inside, not {name} {version}")));
    }
    let other = tops().find(|top| {
        let data = strip_suffix_ignoring_case(top, ".data");
        data.is_some_and(|data| data != stem || !top.ends_with(".data"))
    });
    if let Some(other) = other {
        return Err(WheelError::bad(format!("has a folder `{other}` beside `{stem}.dist-info`")));
    }
    if tops()
        .any(|top| strip_suffix_ignoring_case(top, ".dist-info").is_some() && !top.ends_with(".dist-info"))
    {
        return Err(WheelError::bad("spells `.dist-info` in capitals"));
    }
    Ok(stem.to_owned())
}

fn strip_suffix_ignoring_case<'a>(text: &'a str, suffix: &str) -> Option<&'a str> {
    let at = text.len().checked_sub(suffix.len())?;
    let (head, tail) = text.split_at_checked(at)?;
    tail.eq_ignore_ascii_case(suffix).then_some(head)
}

/// Parses `WHEEL`: the version has to be 1.x. Returns where the root goes, and warnings.
fn read_wheel(text: &[u8]) -> Result<(LibraryScheme, Vec<String>), WheelError> {
    let text = String::from_utf8_lossy(text);
    let field = |name: &str| {
        let mut lines = text.lines().filter_map(|line| line.split_once(':'));
        lines.find(|(key, _)| key.trim().eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    };
    let version = field("Wheel-Version").ok_or_else(|| WheelError::bad("has no Wheel-Version"))?;
    let parts = version
        .split_once('.')
        .and_then(|(major, minor)| Some((major.parse::<u32>().ok()?, minor.parse::<u32>().ok()?)));
    let mut warnings = Vec::new();
    match parts {
        Some((1, 0)) => {}
        Some((1, _)) => {
            warnings.push(format!("is of Wheel-Version {version}, newer than the 1.0 that is known"))
        }
        _ => {
            return Err(WheelError::bad(format!(
                "is of Wheel-Version `{}`; only 1.x is known",
                version.escape_debug()
            )));
        }
    }
    let root = match field("Root-Is-Purelib").map(str::to_ascii_lowercase).as_deref() {
        Some("true") => LibraryScheme::Purelib,
        Some("false") => LibraryScheme::Platlib,
        _ => return Err(WheelError::bad("does not say whether Root-Is-Purelib")),
    };
    Ok((root, warnings))
}

/// Compares RECORD with the directory: every file once, with a strong hash and the right size, and nothing
/// else. Returns the digest of each entry.
fn digests(
    archive: &WheelArchive,
    stem: &str,
    rows: Vec<RecordRow>,
) -> Result<Vec<Option<RecordDigest>>, WheelError> {
    let record = format!("{stem}.dist-info/RECORD");
    let is_record =
        |path: &str| path.strip_prefix(&record).is_some_and(|rest| matches!(rest, "" | ".jws" | ".p7s"));
    let mut in_record = rows_by_path(rows)?;
    let mut digests = Vec::with_capacity(archive.entries().len());
    for entry in archive.entries().iter() {
        let row = in_record.remove(&entry.path);
        // RECORD cannot know its own hash, nor that of a signature made of it later.
        let without_digest = entry.path == record || row.as_ref().is_none_or(|row| row.digest.is_empty());
        if is_record(&entry.path) && without_digest {
            digests.push(None);
            continue;
        }
        let row = row
            .ok_or_else(|| WheelError::bad(format!("holds `{}`, which RECORD does not list", entry.path)))?;
        digests.push(Some(checked_digest(entry, &row)?));
    }
    // Whatever is left has no entry. Signatures may be listed without being there.
    match in_record.keys().find(|path| !is_record(path)) {
        Some(path) => Err(WheelError::bad(format!("lacks `{}`, which RECORD lists", path.escape_debug()))),
        None => Ok(digests),
    }
}

/// The rows of RECORD, each path once.
fn rows_by_path(rows: Vec<RecordRow>) -> Result<FxHashMap<String, RecordRow>, WheelError> {
    let mut by_path = FxHashMap::default();
    for row in rows {
        // Of two rows, another installer might believe the other one.
        if by_path.contains_key(&row.path) {
            return Err(WheelError::bad(format!("has `{}` twice in RECORD", row.path.escape_debug())));
        }
        by_path.insert(row.path.clone(), row);
    }
    Ok(by_path)
}

/// The digest in the row of an entry; it has to be a strong one, and the size that of the entry.
fn checked_digest(entry: &ArchiveEntry, row: &RecordRow) -> Result<RecordDigest, WheelError> {
    let digest = RecordDigest::parse(&row.digest)
        .ok_or_else(|| WheelError::bad(format!("has no SHA-256 or better in RECORD for `{}`", entry.path)))?;
    if row.size.parse() != Ok(entry.size) {
        return Err(WheelError::bad(format!(
            "holds `{}` with {} bytes, while RECORD says `{}`",
            entry.path,
            entry.size,
            row.size.escape_debug()
        )));
    }
    Ok(digest)
}

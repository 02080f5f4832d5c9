//! Unpacks a source distribution (tar.gz or zip) as if an enemy had made it. No member, and no link, leads out of
//! the folder; their number and size are limited, so that a small archive cannot fill the disk.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::{OpenOptionsExt as _, symlink};
use std::path::{Path, PathBuf};

use super::failure::BuildFailure;
use super::text::excerpt;
use pinfast_base::error::Error;
use pinfast_packaging::SdistFormat;

/// The limits of an archive.
#[derive(Clone, Copy, Debug)]
pub(super) struct SdistLimits {
    /// The number of members.
    pub(super) members: usize,
    /// The size of all members together, unpacked, in bytes.
    pub(super) bytes: u64,
    /// The same as a multiple of the archive's own size …
    pub(super) ratio: u64,
    /// … plus these bytes, so that a small archive of text is accepted.
    pub(super) free: u64,
}

impl Default for SdistLimits {
    fn default() -> Self {
        Self { members: 200_000, bytes: 8 << 30, ratio: 100, free: 64 << 20 }
    }
}

/// The kind of a member.
enum ArchiveMember {
    Folder,
    File {
        executable: bool,
    },
    /// A symbolic link, and its target.
    Symlink(Vec<u8>),
    /// A hard link, and the earlier member that it repeats.
    HardLink(Vec<u8>),
    /// A header of the whole archive.
    Ignored,
}

/// Unpacks `archive` into the empty `folder`, and returns the one folder at its top.
pub(super) fn unpack(
    archive: File,
    format: SdistFormat,
    folder: &Path,
    limits: SdistLimits,
) -> Result<PathBuf, BuildFailure> {
    let size = archive.metadata().map_err(unreadable)?.len();
    let allowed = limits.free.saturating_add(size.saturating_mul(limits.ratio)).min(limits.bytes);
    let mut extraction = Extraction { folder, left: allowed, symlinks: BTreeMap::new() };
    match format {
        SdistFormat::TarGz => untar(archive, limits.members, &mut extraction)?,
        SdistFormat::Zip => unzip(archive, limits.members, &mut extraction)?,
    }
    extraction.make_symlinks()?;
    top_folder(folder)
}

fn untar(archive: File, members: usize, extraction: &mut Extraction<'_>) -> Result<(), BuildFailure> {
    // Headers and padding count too, hence twice the limit. This also bounds long names and extended headers.
    let tar = flate2::read::MultiGzDecoder::new(io::BufReader::new(archive));
    let tar = tar.take(extraction.left.saturating_mul(2).saturating_add(1 << 20));
    let mut archive = tar::Archive::new(tar);
    for (at, entry) in archive.entries().map_err(broken)?.enumerate() {
        let mut entry = entry.map_err(broken)?;
        check_count(at, members)?;
        let path = entry.path_bytes().into_owned();
        let link_target = || entry.link_name_bytes().map(std::borrow::Cow::into_owned).unwrap_or_default();
        let header = entry.header();
        let member = match header.entry_type() {
            tar::EntryType::Directory => ArchiveMember::Folder,
            tar::EntryType::Regular | tar::EntryType::Continuous | tar::EntryType::GNUSparse => {
                ArchiveMember::File { executable: header.mode().is_ok_and(|mode| mode & 0o111 != 0) }
            }
            tar::EntryType::Symlink => ArchiveMember::Symlink(link_target()),
            tar::EntryType::Link => ArchiveMember::HardLink(link_target()),
            tar::EntryType::XGlobalHeader => ArchiveMember::Ignored,
            _ => return Err(bad(&path, "is a special file")),
        };
        extraction.add(&path, member, &mut entry)?;
    }
    Ok(())
}

fn unzip(archive: File, members: usize, extraction: &mut Extraction<'_>) -> Result<(), BuildFailure> {
    let mut archive = zip::ZipArchive::new(io::BufReader::new(archive)).map_err(broken)?;
    check_count(archive.len(), members)?;
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).map_err(broken)?;
        let path = entry.name().map_err(broken)?.as_bytes().to_vec();
        let mode = entry.unix_mode().unwrap_or_default();
        let member = match mode & 0o170_000 {
            0o120_000 => {
                let mut to = Vec::new();
                (&mut entry).take(LONGEST_PATH + 1).read_to_end(&mut to).map_err(broken)?;
                ArchiveMember::Symlink(to)
            }
            // A tool that stores no modes, as on Windows, leaves 0.
            0 | 0o100_000 | 0o040_000 if path.ends_with(b"/") => ArchiveMember::Folder,
            0 | 0o100_000 => ArchiveMember::File { executable: mode & 0o111 != 0 },
            _ => return Err(bad(&path, "is a special file")),
        };
        extraction.add(&path, member, &mut entry)?;
    }
    Ok(())
}

fn check_count(count: usize, limit: usize) -> Result<(), BuildFailure> {
    if count > limit { Err(refused(format!("it has more than {limit} members"))) } else { Ok(()) }
}

/// The longest path, in bytes: Linux's `PATH_MAX`.
const LONGEST_PATH: u64 = 4096;

/// An archive that is being unpacked.
struct Extraction<'a> {
    folder: &'a Path,
    /// The number of bytes that may still be written.
    left: u64,
    /// The symbolic links, by path. They are made last, so that no member is written through one.
    symlinks: BTreeMap<PathBuf, PathBuf>,
}

impl Extraction<'_> {
    fn add(
        &mut self,
        name: &[u8],
        member: ArchiveMember,
        content: &mut impl Read,
    ) -> Result<(), BuildFailure> {
        if matches!(member, ArchiveMember::Ignored) {
            return Ok(());
        }
        let path = relative_path(name)?;
        if path.as_os_str().is_empty() {
            return Ok(());
        }
        // A later member replaces an earlier one.
        self.symlinks.remove(&path);
        if path.ancestors().skip(1).any(|parent| self.symlinks.contains_key(parent)) {
            return Err(bad(name, "is inside of a link"));
        }
        let at = self.folder.join(&path);
        match member {
            ArchiveMember::Folder => fs::create_dir_all(&at).map_err(|error| write_error(name, &error)),
            ArchiveMember::File { executable } => self.write(name, &at, executable, content),
            ArchiveMember::HardLink(to) => {
                let mut from = File::open(self.folder.join(relative_path(&to)?))
                    .map_err(|_| bad(name, "is a hard link to a missing member"))?;
                let metadata = from.metadata().map_err(unreadable)?;
                if !metadata.is_file() || at.exists() {
                    return Err(bad(name, "is a hard link that cannot be made"));
                }
                self.write(name, &at, false, &mut from)
            }
            ArchiveMember::Symlink(to) => {
                let to = PathBuf::from(text(&to)?);
                lexical_target(&path, &to)
                    .ok_or_else(|| bad(name, "is a link that leads out of the archive"))?;
                self.symlinks.insert(path, to);
                Ok(())
            }
            ArchiveMember::Ignored => Ok(()),
        }
    }

    fn write(
        &mut self,
        name: &[u8],
        at: &Path,
        executable: bool,
        content: &mut impl Read,
    ) -> Result<(), BuildFailure> {
        if let Some(parent) = at.parent() {
            fs::create_dir_all(parent).map_err(|error| write_error(name, &error))?;
        }
        // Only the executable bit is kept: no setuid bit, nothing that others may write.
        let mode = if executable { 0o755 } else { 0o644 };
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(mode)
            .open(at)
            .map_err(|error| write_error(name, &error))?;
        let mut chunk = vec![0; 1 << 16];
        loop {
            let read = content.read(&mut chunk).map_err(broken)?;
            if read == 0 {
                return Ok(());
            }
            self.left = self
                .left
                .checked_sub(read as u64)
                .ok_or_else(|| refused("it unpacks to far more than its own size".to_owned()))?;
            io::Write::write_all(&mut file, &chunk[..read]).map_err(unwritable)?;
        }
    }

    /// Makes the symbolic links. One that leads out of the folder through others is refused; a dangling one is
    /// removed.
    fn make_symlinks(&self) -> Result<(), BuildFailure> {
        let root = fs::canonicalize(self.folder).map_err(unreadable)?;
        for (path, to) in &self.symlinks {
            let at = root.join(path);
            let made = at.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| symlink(to, &at));
            made.map_err(|error| write_error(path.as_os_str().as_encoded_bytes(), &error))?;
        }
        for path in self.symlinks.keys() {
            let at = root.join(path);
            match fs::canonicalize(&at) {
                Ok(real) if real.starts_with(&root) => {}
                Ok(_) => {
                    let name = path.as_os_str().as_encoded_bytes();
                    return Err(bad(name, "is a link that leads out of the archive"));
                }
                Err(_) => fs::remove_file(&at).map_err(unwritable)?,
            }
        }
        Ok(())
    }
}

/// The only folder in `folder`.
fn top_folder(folder: &Path) -> Result<PathBuf, BuildFailure> {
    let entries = fs::read_dir(folder).map_err(unreadable)?.collect::<io::Result<Vec<_>>>();
    let folders: Vec<_> = entries
        .map_err(unreadable)?
        .into_iter()
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .map(|entry| entry.path())
        .collect();
    <[_; 1]>::try_from(folders)
        .map(|[top]| top)
        .map_err(|folders| refused(format!("it has {} folders at its top, not one", folders.len())))
}

/// The path of a member, without `.` and empty parts.
fn relative_path(name: &[u8]) -> Result<PathBuf, BuildFailure> {
    if name.len() as u64 > LONGEST_PATH {
        return Err(refused("it holds a path that is too long".to_owned()));
    }
    if name.starts_with(b"/") {
        return Err(bad(name, "is absolute"));
    }
    let parts = text(name)?.split('/').filter(|part| !matches!(*part, "" | "."));
    parts
        .map(|part| if part == ".." { Err(bad(name, "leads out of the archive")) } else { Ok(part) })
        .collect()
}

fn text(name: &[u8]) -> Result<&str, BuildFailure> {
    match std::str::from_utf8(name) {
        Ok(text) if !text.contains('\0') && name.len() as u64 <= LONGEST_PATH => Ok(text),
        _ => Err(bad(name, "has an invalid name")),
    }
}

/// The path that a link at `path` with the target `to` names, or `None` if it is outside the folder.
fn lexical_target(path: &Path, to: &Path) -> Option<PathBuf> {
    let mut at = path.parent()?.to_owned();
    for part in to.components() {
        match part {
            std::path::Component::Normal(part) => at.push(part),
            std::path::Component::CurDir => {}
            std::path::Component::ParentDir => {
                if !at.pop() {
                    return None;
                }
            }
            _ => return None,
        }
    }
    Some(at)
}

fn bad(name: &[u8], what: &str) -> BuildFailure {
    refused(format!("its member `{}` {what}", excerpt(&String::from_utf8_lossy(name))))
}

fn refused(why: String) -> BuildFailure {
    BuildFailure::candidate(format!("its archive is refused: {why}"))
}

fn broken(error: impl std::fmt::Display) -> BuildFailure {
    BuildFailure::candidate(format!("its archive is broken: {error}"))
}

/// An error that other members cause is the archive's fault; the rest is the disk's.
fn write_error(name: &[u8], error: &io::Error) -> BuildFailure {
    use io::ErrorKind;
    match error.kind() {
        ErrorKind::NotADirectory
        | ErrorKind::IsADirectory
        | ErrorKind::AlreadyExists
        | ErrorKind::InvalidFilename => bad(name, "cannot be made beside the others"),
        _ => unwritable(io::Error::new(error.kind(), error.to_string())),
    }
}

fn unreadable(error: io::Error) -> BuildFailure {
    BuildFailure::Fatal(Error::no_answer("cannot read an unpacked source distribution").because(error))
}

fn unwritable(error: io::Error) -> BuildFailure {
    BuildFailure::Fatal(Error::no_answer("cannot unpack a source distribution").because(error))
}

#[cfg(test)]
mod tests;

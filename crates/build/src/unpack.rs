//! Unpacks an sdist as if an enemy had made it: every member stays inside of the folder, links too, and
//! all together are bounded.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::{OpenOptionsExt as _, symlink};
use std::path::{Path, PathBuf};

use super::Fault;
use pinfast_base::error::Error;
use pinfast_packaging::SdistFormat;

/// How much an sdist may hold.
#[derive(Clone, Copy, Debug)]
pub(super) struct Most {
    /// Members.
    pub(super) members: usize,
    /// Bytes of all of them, unpacked.
    pub(super) bytes: u64,
    /// How many times the archive's own size they may be …
    pub(super) ratio: u64,
    /// … beyond this many bytes, which are always free.
    pub(super) free: u64,
}

impl Default for Most {
    fn default() -> Self {
        Self { members: 200_000, bytes: 8 << 30, ratio: 100, free: 64 << 20 }
    }
}

/// What a member is.
enum Member {
    Folder,
    File {
        executable: bool,
    },
    Link(Vec<u8>),
    /// Another name of a file that came before.
    Same(Vec<u8>),
    /// Of no consequence.
    Nothing,
}

/// Unpacks `archive` into `folder`, which is empty, and returns the one folder at its top.
pub(super) fn unpack(
    archive: File,
    format: SdistFormat,
    folder: &Path,
    most: Most,
) -> Result<PathBuf, Fault> {
    let size = archive.metadata().map_err(unreadable)?.len();
    let allowed = most.free.saturating_add(size.saturating_mul(most.ratio)).min(most.bytes);
    let mut target = Target { folder, left: allowed, links: BTreeMap::new() };
    match format {
        SdistFormat::TarGz => untar(archive, most.members, &mut target)?,
        SdistFormat::Zip => unzip(archive, most.members, &mut target)?,
    }
    target.link()?;
    top(folder)
}

fn untar(archive: File, members: usize, target: &mut Target<'_>) -> Result<(), Fault> {
    // Headers and padding count too, hence twice; what tells names and extended headers is bounded so.
    let plain = flate2::read::MultiGzDecoder::new(io::BufReader::new(archive));
    let plain = plain.take(target.left.saturating_mul(2).saturating_add(1 << 20));
    let mut archive = tar::Archive::new(plain);
    for (at, entry) in archive.entries().map_err(broken)?.enumerate() {
        let mut entry = entry.map_err(broken)?;
        check_count(at, members)?;
        let path = entry.path_bytes().into_owned();
        let to = || entry.link_name_bytes().map(std::borrow::Cow::into_owned).unwrap_or_default();
        let header = entry.header();
        let member = match header.entry_type() {
            tar::EntryType::Directory => Member::Folder,
            tar::EntryType::Regular | tar::EntryType::Continuous | tar::EntryType::GNUSparse => {
                Member::File { executable: header.mode().is_ok_and(|mode| mode & 0o111 != 0) }
            }
            tar::EntryType::Symlink => Member::Link(to()),
            tar::EntryType::Link => Member::Same(to()),
            tar::EntryType::XGlobalHeader => Member::Nothing,
            _ => return Err(bad(&path, "is a special file")),
        };
        target.add(&path, member, &mut entry)?;
    }
    Ok(())
}

fn unzip(archive: File, members: usize, target: &mut Target<'_>) -> Result<(), Fault> {
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
                Member::Link(to)
            }
            0 | 0o100_000 | 0o040_000 if path.ends_with(b"/") => Member::Folder,
            0 | 0o100_000 => Member::File { executable: mode & 0o111 != 0 },
            _ => return Err(bad(&path, "is a special file")),
        };
        target.add(&path, member, &mut entry)?;
    }
    Ok(())
}

fn check_count(found: usize, most: usize) -> Result<(), Fault> {
    if found > most { Err(refused(format!("it has more than {most} members"))) } else { Ok(()) }
}

/// The most bytes of a path.
const LONGEST_PATH: u64 = 4096;

/// The folder that an archive is unpacked into.
struct Target<'a> {
    folder: &'a Path,
    /// Bytes that may still come.
    left: u64,
    /// Links are made last, so that nothing is ever written through one: where, and to what.
    links: BTreeMap<PathBuf, PathBuf>,
}

impl Target<'_> {
    fn add(&mut self, name: &[u8], member: Member, content: &mut impl Read) -> Result<(), Fault> {
        if matches!(member, Member::Nothing) {
            return Ok(());
        }
        let path = relative(name)?;
        if path.as_os_str().is_empty() {
            return Ok(());
        }
        // A later member replaces an earlier one.
        self.links.remove(&path);
        if path.ancestors().skip(1).any(|parent| self.links.contains_key(parent)) {
            return Err(bad(name, "is inside of a link"));
        }
        let at = self.folder.join(&path);
        match member {
            Member::Folder => fs::create_dir_all(&at).map_err(|error| odd(name, &error)),
            Member::File { executable } => self.write(name, &at, executable, content),
            Member::Same(to) => {
                let mut from = File::open(self.folder.join(relative(&to)?))
                    .map_err(|_| bad(name, "is a link to what is not there"))?;
                let found = from.metadata().map_err(unreadable)?;
                if !found.is_file() || at.exists() {
                    return Err(bad(name, "is an odd link"));
                }
                self.write(name, &at, false, &mut from)
            }
            Member::Link(to) => {
                let to = PathBuf::from(text(&to)?);
                inside(&path, &to).ok_or_else(|| bad(name, "is a link that leads out of the archive"))?;
                self.links.insert(path, to);
                Ok(())
            }
            Member::Nothing => Ok(()),
        }
    }

    fn write(
        &mut self,
        name: &[u8],
        at: &Path,
        executable: bool,
        content: &mut impl Read,
    ) -> Result<(), Fault> {
        if let Some(parent) = at.parent() {
            fs::create_dir_all(parent).map_err(|error| odd(name, &error))?;
        }
        let mode = if executable { 0o755 } else { 0o644 };
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(mode)
            .open(at)
            .map_err(|error| odd(name, &error))?;
        let mut piece = vec![0; 1 << 16];
        loop {
            let read = content.read(&mut piece).map_err(broken)?;
            if read == 0 {
                return Ok(());
            }
            self.left = self
                .left
                .checked_sub(read as u64)
                .ok_or_else(|| refused("it unpacks to far more than its own size".to_owned()))?;
            io::Write::write_all(&mut file, &piece[..read]).map_err(unwritable)?;
        }
    }

    /// Makes the links. One that leads out of the folder by way of others is refused; one that leads
    /// nowhere is left out.
    fn link(&self) -> Result<(), Fault> {
        let root = fs::canonicalize(self.folder).map_err(unreadable)?;
        for (path, to) in &self.links {
            let at = root.join(path);
            let made = at.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| symlink(to, &at));
            made.map_err(|error| odd(path.as_os_str().as_encoded_bytes(), &error))?;
        }
        for path in self.links.keys() {
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

/// The one folder in `folder`.
fn top(folder: &Path) -> Result<PathBuf, Fault> {
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

/// A member's path in plain form.
fn relative(name: &[u8]) -> Result<PathBuf, Fault> {
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

fn text(name: &[u8]) -> Result<&str, Fault> {
    match std::str::from_utf8(name) {
        Ok(text) if !text.contains('\0') && name.len() as u64 <= LONGEST_PATH => Ok(text),
        _ => Err(bad(name, "has an odd name")),
    }
}

/// Where a link at `path` leads by its text, if that is inside.
fn inside(path: &Path, to: &Path) -> Option<PathBuf> {
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

fn bad(name: &[u8], what: &str) -> Fault {
    refused(format!("its member `{}` {what}", super::excerpt(&String::from_utf8_lossy(name))))
}

fn refused(why: String) -> Fault {
    Fault::candidate(format!("its archive is refused: {why}"))
}

fn broken(error: impl std::fmt::Display) -> Fault {
    Fault::candidate(format!("its archive is broken: {error}"))
}

/// What cannot be made because of other members is the archive's fault; the rest is the disk's.
fn odd(name: &[u8], error: &io::Error) -> Fault {
    use io::ErrorKind;
    match error.kind() {
        ErrorKind::NotADirectory
        | ErrorKind::IsADirectory
        | ErrorKind::AlreadyExists
        | ErrorKind::InvalidFilename => bad(name, "cannot be made beside the others"),
        _ => unwritable(io::Error::new(error.kind(), error.to_string())),
    }
}

fn unreadable(error: io::Error) -> Fault {
    Fault::World(Error::no_answer("cannot read an unpacked source distribution").because(error))
}

fn unwritable(error: io::Error) -> Fault {
    Fault::World(Error::no_answer("cannot unpack a source distribution").because(error))
}

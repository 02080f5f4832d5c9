//! Gets files from the cache into an environment, folder by folder: as hard links if that is safe, as copies
//! with shared blocks (reflinks) if the disk has them, else as plain copies.
//!
//! The cache and one environment at most share an inode: an edit in one environment, even by root, never
//! reaches another one. Each file's stamp is compared with the manifest's, so a file that was edited through
//! its environment is not passed on.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::buffer::spare_capacity;
use rustix::fs::{AtFlags, Mode, OFlags, RawMode};

use super::disk;
use super::layout::LinkedFile;
use super::wheel_cache::CachedWheel;
use pinfast_base::error::Result;
use pinfast_cache::FileStamp;
use pinfast_files::{is_absent, path_error};

/// How files get from the cache into an environment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LinkMode {
    /// As hard links if that is safe, else as copies.
    #[default]
    Auto,
    /// As copies.
    Copy,
}

/// What became of files that were to be linked or copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LinkOutcome {
    Complete,
    /// The cache does not have one of them as it was.
    Damaged,
}

/// What still works for the files of one wheel. The first file that cannot be linked, or cannot share blocks,
/// ends that for all: they lie on the same two disks.
#[derive(Debug)]
pub(super) struct LinkStrategy {
    hard_link: AtomicBool,
    reflink: AtomicBool,
}

impl LinkStrategy {
    pub(super) fn new(mode: LinkMode) -> Self {
        Self { hard_link: AtomicBool::new(mode == LinkMode::Auto), reflink: AtomicBool::new(true) }
    }
}

/// A folder of a wheel in the cache, and the folder of the environment that its files go to. Both stay
/// open: the kernel then resolves names, not paths, and nobody can replace a folder by a link meanwhile.
struct FolderPair<'a> {
    from: OwnedFd,
    to: OwnedFd,
    strategy: &'a LinkStrategy,
}

/// Links or copies files of one wheel from one folder to one folder. Stops at the first damaged one.
pub(super) fn link_files(
    wheel: &CachedWheel,
    links: &[LinkedFile],
    strategy: &LinkStrategy,
) -> Result<LinkOutcome> {
    let Some(first) = links.first() else { return Ok(LinkOutcome::Complete) };
    let from = wheel.files.join(&wheel.manifest.files[first.file].path);
    let (Some(from), Some(to)) = (from.parent(), first.to.parent()) else { return Ok(LinkOutcome::Complete) };
    let folders = match open_folder(from) {
        Ok(from) => {
            let to = open_folder(to).map_err(|error| path_error("open the folder", to, error))?;
            FolderPair { from, to, strategy }
        }
        Err(error) if is_absent(&error) => return Ok(LinkOutcome::Damaged),
        Err(error) => return Err(path_error("open the folder", from, error)),
    };
    for link in links {
        let name = Path::new(link.to.file_name().unwrap_or_default());
        let outcome = folders.link(name, &wheel.manifest.files[link.file].stamp);
        if outcome.map_err(|error| path_error("write", &link.to, error))? == LinkOutcome::Damaged {
            return Ok(LinkOutcome::Damaged);
        }
    }
    Ok(LinkOutcome::Complete)
}

fn open_folder(path: &Path) -> io::Result<OwnedFd> {
    // `NOFOLLOW`: a link in place of the folder would lead out of the environment.
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(rustix::fs::open(path, flags, Mode::empty())?)
}

impl FolderPair<'_> {
    fn link(&self, name: &Path, stamp: &FileStamp) -> io::Result<LinkOutcome> {
        if !self.strategy.hard_link.load(Ordering::Relaxed) {
            return self.copy(name, stamp);
        }
        match self
            .replacing(name, || Ok(rustix::fs::linkat(&self.from, name, &self.to, name, AtFlags::empty())?))
        {
            Ok(()) => self.check_link(name, stamp),
            // The folder of the environment may be what is missing; then it is an error, not damage.
            Err(error) if is_absent(&error) && !self.has(name) => Ok(LinkOutcome::Damaged),
            Err(error) if cannot_link(&error) => {
                self.strategy.hard_link.store(false, Ordering::Relaxed);
                self.copy(name, stamp)
            }
            Err(error) => Err(error),
        }
    }

    /// Compares the stamp only after linking: then nobody can exchange the file in between.
    fn check_link(&self, name: &Path, stamp: &FileStamp) -> io::Result<LinkOutcome> {
        let found = rustix::fs::statat(&self.to, name, AtFlags::SYMLINK_NOFOLLOW)?;
        if stamp_of(&found) != *stamp {
            self.remove(name)?;
            return Ok(LinkOutcome::Damaged);
        }
        // Two names are the cache's and this one.
        if found.st_nlink > 2 {
            // Another environment has this inode, and most likely all inodes of this wheel.
            self.strategy.hard_link.store(false, Ordering::Relaxed);
            self.remove(name)?;
            return self.copy(name, stamp);
        }
        Ok(LinkOutcome::Complete)
    }

    fn copy(&self, name: &Path, stamp: &FileStamp) -> io::Result<LinkOutcome> {
        let read = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let source = match rustix::fs::openat(&self.from, name, read, Mode::empty()) {
            Ok(source) => File::from(source),
            Err(error) if is_absent(&error.into()) => return Ok(LinkOutcome::Damaged),
            Err(error) => return Err(error.into()),
        };
        let mode = stamp.mode & 0o777;
        // `EXCL`: never through a file that somebody puts here meanwhile.
        let create = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let create = || Ok(rustix::fs::openat(&self.to, name, create, Mode::from_raw_mode(mode as RawMode))?);
        let target = File::from(self.replacing(name, create)?);
        let count = self.copy_content(&source, &target, stamp)?;
        disk::set_mode(&target, target.metadata()?.mode(), mode)?;
        // Compared last, so that a write during the copy shows, too.
        if count == stamp.size && FileStamp::of(&source.metadata()?) == *stamp {
            return Ok(LinkOutcome::Complete);
        }
        self.remove(name)?;
        Ok(LinkOutcome::Damaged)
    }

    /// Copies the content; returns how many bytes there were.
    fn copy_content(&self, source: &File, mut target: &File, stamp: &FileStamp) -> io::Result<u64> {
        // A small file takes one read and one write: sharing its blocks would save nothing.
        if stamp.size > PIECE as u64 && self.reflink(source, target) {
            return Ok(stamp.size);
        }
        // One byte more than there should be, so that a small file's end shows at once.
        let room = usize::try_from(stamp.size).unwrap_or(PIECE).clamp(1, PIECE);
        let (mut piece, mut count) = (Vec::with_capacity(room), 0);
        while count < stamp.size {
            piece.clear();
            match rustix::io::read(source, spare_capacity(&mut piece)) {
                Ok(0) => break,
                Ok(read) => count += read as u64,
                Err(rustix::io::Errno::INTR) => continue,
                Err(error) => return Err(error.into()),
            }
            target.write_all(&piece)?;
        }
        Ok(count)
    }

    /// Makes `target` share the blocks of `source`, copy-on-write, if the disk can do that.
    #[cfg(target_os = "linux")]
    fn reflink(&self, source: &File, target: &File) -> bool {
        // Relaxed: a thread that reads the flag late only tries once in vain.
        let worked = self.strategy.reflink.load(Ordering::Relaxed);
        let cloned = worked && rustix::fs::ioctl_ficlone(target, source).is_ok();
        if worked && !cloned {
            self.strategy.reflink.store(false, Ordering::Relaxed);
        }
        cloned
    }

    #[cfg(not(target_os = "linux"))]
    fn reflink(&self, _: &File, _: &File) -> bool {
        false
    }

    /// Makes a file with `make`; if one is in its place, removes that and tries once more.
    fn replacing<T>(&self, name: &Path, make: impl Fn() -> io::Result<T>) -> io::Result<T> {
        match make() {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                self.remove(name)?;
                make()
            }
            made => made,
        }
    }

    fn has(&self, name: &Path) -> bool {
        rustix::fs::statat(&self.from, name, AtFlags::SYMLINK_NOFOLLOW).is_ok()
    }

    fn remove(&self, name: &Path) -> io::Result<()> {
        match rustix::fs::unlinkat(&self.to, name, AtFlags::empty()) {
            Err(error) if !is_absent(&error.into()) => Err(error.into()),
            _ => Ok(()),
        }
    }
}

/// The stamp of a file from `fstatat`, which needs no path.
#[cfg_attr(target_os = "linux", expect(clippy::unnecessary_cast, reason = "elsewhere a mode has fewer bits"))]
fn stamp_of(stat: &rustix::fs::Stat) -> FileStamp {
    FileStamp {
        size: stat.st_size as u64,
        inode: stat.st_ino,
        seconds: stat.st_mtime,
        nanoseconds: stat.st_mtime_nsec as i64,
        mode: stat.st_mode as u32,
    }
}

/// How many bytes are copied at a time: what the second-level cache of a core holds.
const PIECE: usize = 256 << 10;

/// Whether links fail here for good: across disks, on disks without links, or forbidden by the kernel.
fn cannot_link(error: &io::Error) -> bool {
    use io::ErrorKind::{CrossesDevices, PermissionDenied, TooManyLinks, Unsupported};
    matches!(error.kind(), CrossesDevices | PermissionDenied | TooManyLinks | Unsupported)
}

//! Takes files out of the cache, folder by folder: linked where that is safe, else copied.
//!
//! An inode is never shared by more than the cache and one environment, so that an edit in one
//! environment cannot reach another, not even root's; and a file's size, time, inode and mode are held
//! against the manifest, so that one that was edited through its environment is not handed on.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::buffer::spare_capacity;
use rustix::fs::{AtFlags, Mode, OFlags, RawMode};

use super::disk;
use super::layout::Link;
use super::manifest::Stamp;
use super::store::CachedWheel;
use pinfast_base::error::Result;

/// How files come out of the cache.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LinkMode {
    /// Linked where that is safe, else copied.
    #[default]
    Auto,
    /// Copied.
    Copy,
}

/// Whether a file could be taken from the cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    Whole,
    /// The cache has it no longer as it was.
    Damaged,
}

/// The ways that are open for the files of one wheel; each is closed by the first file that cannot go it.
#[derive(Debug)]
pub(super) struct Ways {
    link: AtomicBool,
    share_blocks: AtomicBool,
}

impl Ways {
    /// Those that `mode` leaves.
    pub(super) fn new(mode: LinkMode) -> Self {
        Self { link: AtomicBool::new(mode == LinkMode::Auto), share_blocks: AtomicBool::new(true) }
    }
}

/// A folder of a wheel in the cache, and the folder of the environment that its files go to. Both are
/// held open: paths are then short for the kernel, and neither can be exchanged for a link meanwhile.
struct Folders<'a> {
    from: OwnedFd,
    to: OwnedFd,
    ways: &'a Ways,
}

/// Takes files of one wheel that come from one folder and go to one folder. `Damaged` ends it at once.
pub(super) fn take_all(wheel: &CachedWheel, links: &[Link], ways: &Ways) -> Result<Taken> {
    let Some(first) = links.first() else { return Ok(Taken::Whole) };
    let from = wheel.files.join(&wheel.manifest.files[first.file].path);
    let (Some(from), Some(to)) = (from.parent(), first.to.parent()) else { return Ok(Taken::Whole) };
    let folders = match open_folder(from) {
        Ok(from) => {
            let to = open_folder(to).map_err(|error| disk::failed("open the folder", to, error))?;
            Folders { from, to, ways }
        }
        Err(error) if disk::is_absent(&error) => return Ok(Taken::Damaged),
        Err(error) => return Err(disk::failed("open the folder", from, error)),
    };
    for link in links {
        let name = Path::new(link.to.file_name().unwrap_or_default());
        let taken = folders.take(name, &wheel.manifest.files[link.file].stamp);
        if taken.map_err(|error| disk::failed("write", &link.to, error))? == Taken::Damaged {
            return Ok(Taken::Damaged);
        }
    }
    Ok(Taken::Whole)
}

fn open_folder(path: &Path) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(rustix::fs::open(path, flags, Mode::empty())?)
}

impl Folders<'_> {
    fn take(&self, name: &Path, stamp: &Stamp) -> io::Result<Taken> {
        if !self.ways.link.load(Ordering::Relaxed) {
            return self.copy(name, stamp);
        }
        match self
            .replacing(name, || Ok(rustix::fs::linkat(&self.from, name, &self.to, name, AtFlags::empty())?))
        {
            Ok(()) => self.check_link(name, stamp),
            Err(error) if disk::is_absent(&error) && !self.has(name) => Ok(Taken::Damaged),
            Err(error) if cannot_link(&error) => {
                self.ways.link.store(false, Ordering::Relaxed);
                self.copy(name, stamp)
            }
            Err(error) => Err(error),
        }
    }

    /// The link is there; now the inode is known, whatever happened in between.
    fn check_link(&self, name: &Path, stamp: &Stamp) -> io::Result<Taken> {
        let found = rustix::fs::statat(&self.to, name, AtFlags::SYMLINK_NOFOLLOW)?;
        if Stamp::of_stat(&found) != *stamp {
            self.remove(name)?;
            return Ok(Taken::Damaged);
        }
        if found.st_nlink > 2 {
            // Another environment has this inode, and most likely all of the wheel.
            self.ways.link.store(false, Ordering::Relaxed);
            self.remove(name)?;
            return self.copy(name, stamp);
        }
        Ok(Taken::Whole)
    }

    fn copy(&self, name: &Path, stamp: &Stamp) -> io::Result<Taken> {
        let read = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let source = match rustix::fs::openat(&self.from, name, read, Mode::empty()) {
            Ok(source) => File::from(source),
            Err(error) if disk::is_absent(&error.into()) => return Ok(Taken::Damaged),
            Err(error) => return Err(error.into()),
        };
        let mode = stamp.mode() & 0o777;
        let create = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let create = || Ok(rustix::fs::openat(&self.to, name, create, Mode::from_raw_mode(mode as RawMode))?);
        let target = File::from(self.replacing(name, create)?);
        let count = self.pour(&source, &target, stamp)?;
        disk::set_mode(&target, target.metadata()?.mode(), mode)?;
        // Only now, so that a change on the way is seen as well.
        if count == stamp.size && Stamp::of(&source.metadata()?) == *stamp {
            return Ok(Taken::Whole);
        }
        self.remove(name)?;
        Ok(Taken::Damaged)
    }

    /// Copies the content; returns how many bytes there were.
    fn pour(&self, source: &File, mut target: &File, stamp: &Stamp) -> io::Result<u64> {
        if stamp.size > PIECE as u64 && self.share(source, target) {
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

    /// Makes `target` share the blocks of `source`, where the disk can do that: whoever writes into one
    /// of the two gets blocks of their own.
    #[cfg(target_os = "linux")]
    fn share(&self, source: &File, target: &File) -> bool {
        let open = self.ways.share_blocks.load(Ordering::Relaxed);
        let shared = open && rustix::fs::ioctl_ficlone(target, source).is_ok();
        if open && !shared {
            self.ways.share_blocks.store(false, Ordering::Relaxed);
        }
        shared
    }

    #[cfg(not(target_os = "linux"))]
    fn share(&self, _: &File, _: &File) -> bool {
        false
    }

    /// Does `make`, which makes the file, and once more where one stood at its place.
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
            Err(error) if !disk::is_absent(&error.into()) => Err(error.into()),
            _ => Ok(()),
        }
    }
}

/// How much is copied at a time: what a core's own cache holds.
const PIECE: usize = 256 << 10;

/// Across disks, on disks without links, or by rule of the kernel.
fn cannot_link(error: &io::Error) -> bool {
    use io::ErrorKind::{CrossesDevices, PermissionDenied, TooManyLinks, Unsupported};
    matches!(error.kind(), CrossesDevices | PermissionDenied | TooManyLinks | Unsupported)
}

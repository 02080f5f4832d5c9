//! Puts laid-out wheels into an environment, on all cores.
//!
//! A file is linked, not copied, where the disk lets it: but an inode is never shared by more than the
//! cache and one environment, so that an edit in one environment cannot reach another; and its size,
//! time, inode and mode are held against the manifest, so that one that was edited through its
//! environment is not handed on. The second environment gets copies (which a disk that shares blocks
//! makes for nothing).

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use rayon::prelude::*;
use rustc_hash::FxHashSet;

use super::disk::{self, Mode};
use super::environment::Environment;
use super::layout::Layout;
use super::manifest::Stamp;
use crate::error::{Error, Result};

/// How files come out of the cache.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LinkMode {
    /// Linked where that is safe, else copied.
    #[default]
    Auto,
    /// Copied.
    Copy,
}

/// Writes the RECORDs, then everything else. Returns the indexes of the layouts whose files in the
/// cache are damaged: nothing of the damaged files is left.
pub(super) fn place(layouts: &[Layout], environment: &Environment, mode: LinkMode) -> Result<Vec<usize>> {
    make_folders(layouts, environment)?;
    // A RECORD comes before the files that it names: whatever moment a run is killed at, the next one
    // can tell what to take away.
    layouts
        .par_iter()
        .try_for_each(|layout| disk::write(&layout.info.join("RECORD"), &layout.record, Mode::Plain))?;
    fill(&(0..layouts.len()).collect::<Vec<_>>(), layouts, mode)
}

/// Writes everything but the RECORDs of the layouts with these indexes.
pub(super) fn fill(which: &[usize], layouts: &[Layout], mode: LinkMode) -> Result<Vec<usize>> {
    let copy_only = AtomicBool::new(mode == LinkMode::Copy);
    let mut damaged = which
        .par_iter()
        .flat_map(|at| layouts[*at].links.par_iter().map(move |link| (*at, link)))
        .map(|(at, link)| {
            let wheel = &layouts[at].wheel;
            let file = &wheel.manifest.files[link.file];
            let taken = take(&wheel.files.join(&file.path), &link.to, &file.stamp, &copy_only)?;
            Ok((taken == Taken::Damaged).then_some(at))
        })
        .filter_map(Result::transpose)
        .collect::<Result<Vec<_>>>()?;
    let writes = which.par_iter().flat_map(|at| layouts[*at].writes.par_iter());
    writes.try_for_each(|write| disk::write(&write.to, &write.content, write.mode))?;
    damaged.sort_unstable();
    damaged.dedup();
    Ok(damaged)
}

/// Creates every folder that is needed, each in a folder that is none but a folder.
fn make_folders(layouts: &[Layout], environment: &Environment) -> Result<()> {
    let mut made = FxHashSet::default();
    for layout in layouts {
        make_folder(&layout.info, environment, &mut made)?;
        for path in layout.targets() {
            if let Some(folder) = path.parent() {
                make_folder(folder, environment, &mut made)?;
            }
        }
    }
    Ok(())
}

fn make_folder(folder: &Path, environment: &Environment, made: &mut FxHashSet<PathBuf>) -> Result<()> {
    if made.contains(folder) {
        return Ok(());
    }
    if environment.bases().contains(&folder) || folder == environment.root {
        disk::create_dirs(folder)?;
    } else {
        if let Some(parent) = folder.parent() {
            make_folder(parent, environment, made)?;
        }
        match fs::create_dir(folder) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => check_folder(folder)?,
            made => made.map_err(|error| disk::failed("create the folder", folder, error))?,
        }
    }
    made.insert(folder.to_owned());
    Ok(())
}

fn check_folder(folder: &Path) -> Result<()> {
    match fs::symlink_metadata(folder) {
        Ok(metadata) if metadata.is_dir() => Ok(()),
        Ok(_) => Err(Error::refused(format!("{} is not a folder", folder.display()))),
        Err(error) => Err(disk::failed("look at", folder, error)),
    }
}

/// Whether a file could be taken from the cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Taken {
    Whole,
    /// The cache has it no longer as it was.
    Damaged,
}

/// Takes one file from the cache.
fn take(from: &Path, to: &Path, stamp: &Stamp, copy_only: &AtomicBool) -> Result<Taken> {
    if copy_only.load(Ordering::Relaxed) {
        return copy(from, to, stamp);
    }
    let linked = match fs::hard_link(from, to) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            disk::remove_file(to)?;
            fs::hard_link(from, to)
        }
        linked => linked,
    };
    match linked {
        Ok(()) => check_link(from, to, stamp),
        Err(error) if error.kind() == io::ErrorKind::NotFound && !from.exists() => Ok(Taken::Damaged),
        Err(error) if cannot_link(&error) => {
            copy_only.store(true, Ordering::Relaxed);
            copy(from, to, stamp)
        }
        Err(error) => Err(disk::failed("write", to, error)),
    }
}

/// Across disks, on disks without links, or by rule of the kernel.
fn cannot_link(error: &io::Error) -> bool {
    use io::ErrorKind::{CrossesDevices, PermissionDenied, TooManyLinks, Unsupported};
    matches!(error.kind(), CrossesDevices | PermissionDenied | TooManyLinks | Unsupported)
}

/// The link is there; now the inode is known, whatever happened in between.
fn check_link(from: &Path, to: &Path, stamp: &Stamp) -> Result<Taken> {
    let metadata = fs::symlink_metadata(to).map_err(|error| disk::failed("look at", to, error))?;
    if Stamp::of(&metadata) != *stamp {
        disk::remove_file(to)?;
        return Ok(Taken::Damaged);
    }
    if metadata.nlink() > 2 {
        // Another environment has this inode.
        disk::remove_file(to)?;
        return copy(from, to, stamp);
    }
    Ok(Taken::Whole)
}

fn copy(from: &Path, to: &Path, stamp: &Stamp) -> Result<Taken> {
    let mut source = match File::open(from) {
        Ok(source) => source,
        Err(error) if disk::is_absent(&error) => return Ok(Taken::Damaged),
        Err(error) => return Err(disk::failed("read", from, error)),
    };
    let metadata = source.metadata().map_err(|error| disk::failed("read", from, error))?;
    if Stamp::of(&metadata) != *stamp {
        return Ok(Taken::Damaged);
    }
    let mode = metadata.mode() & 0o777;
    let open = || OpenOptions::new().write(true).create_new(true).mode(mode).open(to);
    let target = match open() {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            disk::remove_file(to)?;
            open()
        }
        opened => opened,
    };
    let written = target.and_then(|mut target| {
        let count = io::copy(&mut source, &mut target)?;
        disk::set_mode(&target, target.metadata()?.mode(), mode)?;
        Ok(count)
    });
    match written {
        Ok(count) if count == stamp.size => Ok(Taken::Whole),
        Ok(_) => {
            disk::remove_file(to)?;
            Ok(Taken::Damaged)
        }
        Err(error) => Err(disk::failed("write", to, error)),
    }
}

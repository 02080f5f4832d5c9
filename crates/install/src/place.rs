//! Writes laid-out wheels into an environment, on all cores: folders, then for each wheel RECORD, links, writes.

use std::fs;
use std::io;
use std::path::Path;

use rayon::prelude::*;
use rustc_hash::FxHashSet;

use super::disk::{self, FileMode};
use super::environment::Environment;
use super::layout::WheelLayout;
use super::link::{LinkMode, LinkOutcome, LinkStrategy, link_files};
use pinfast_base::error::{Error, Result};
use pinfast_files::path_error;

/// Writes all layouts. Returns the positions of those with a file that is damaged in the cache; no damaged file
/// stays in the environment.
pub(super) fn place(
    layouts: &[WheelLayout],
    environment: &Environment,
    mode: LinkMode,
) -> Result<Vec<usize>> {
    make_folders(layouts, environment)?;
    fill(&(0..layouts.len()).collect::<Vec<_>>(), layouts, mode)
}

/// Writes the layouts at these positions into existing folders.
pub(super) fn fill(which: &[usize], layouts: &[WheelLayout], mode: LinkMode) -> Result<Vec<usize>> {
    let outcomes = which.par_iter().map(|at| Ok((*at, fill_one(&layouts[*at], mode)?)));
    let outcomes = outcomes.collect::<Result<Vec<_>>>()?;
    let damaged = outcomes.into_iter().filter(|(_, outcome)| *outcome == LinkOutcome::Damaged);
    Ok(damaged.map(|(at, _)| at).collect())
}

fn fill_one(layout: &WheelLayout, mode: LinkMode) -> Result<LinkOutcome> {
    // RECORD comes before the files that it lists. A run may be killed at any moment, and the next one has to
    // know what to remove.
    disk::write(&layout.info.join("RECORD"), &layout.record, FileMode::Plain)?;
    // One for each wheel: another wheel's inodes may still be unshared.
    let strategy = LinkStrategy::new(mode);
    let files = &layout.wheel.manifest.files;
    let batches = layout.links.par_chunk_by(|a, b| {
        files[a.file].folder() == files[b.file].folder() && a.to.parent() == b.to.parent()
    });
    let outcomes =
        batches.map(|links| link_files(&layout.wheel, links, &strategy)).collect::<Result<Vec<_>>>()?;
    layout.writes.par_iter().try_for_each(|write| disk::write(&write.to, &write.content, write.mode))?;
    Ok(if outcomes.contains(&LinkOutcome::Damaged) { LinkOutcome::Damaged } else { LinkOutcome::Complete })
}

/// Creates every needed folder, each in a real folder, never through a link.
fn make_folders(layouts: &[WheelLayout], environment: &Environment) -> Result<()> {
    let mut folders: Vec<&Path> = needed(layouts, environment).into_iter().collect();
    // Folders of one depth need only folders above them, so each depth is made in parallel.
    folders.sort_by_cached_key(|folder| folder.components().count());
    let depths = folders.chunk_by(|a, b| a.components().count() == b.components().count());
    for folders in depths {
        folders.par_iter().try_for_each(|folder| make_folder(folder, environment))?;
    }
    Ok(())
}

/// The folders of the layouts' files, up to those of the scheme.
fn needed<'a>(layouts: &'a [WheelLayout], environment: &Environment) -> FxHashSet<&'a Path> {
    let mut needed = FxHashSet::default();
    for layout in layouts {
        let mut last = None;
        for folder in layout.targets().map(Path::parent).chain([Some(layout.info.as_path())]) {
            // Files of one folder mostly follow each other, so this saves most of the hashing below.
            if folder.map(Path::as_os_str) == last {
                continue;
            }
            last = folder.map(Path::as_os_str);
            for folder in folder.into_iter().flat_map(Path::ancestors) {
                if !needed.insert(folder) || environment.is_base(folder) {
                    break;
                }
            }
        }
    }
    needed
}

fn make_folder(folder: &Path, environment: &Environment) -> Result<()> {
    if environment.is_base(folder) {
        return disk::create_dirs(folder);
    }
    match fs::create_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => check_folder(folder),
        made => made.map_err(|error| path_error("create the folder", folder, error)),
    }
}

fn check_folder(folder: &Path) -> Result<()> {
    match fs::symlink_metadata(folder) {
        Ok(metadata) if metadata.is_dir() => Ok(()),
        Ok(_) => Err(Error::refused(format!("{} is not a folder", folder.display()))),
        Err(error) => Err(path_error("look at", folder, error)),
    }
}

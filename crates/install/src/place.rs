//! Puts laid-out wheels into an environment, on all cores.

use std::fs;
use std::io;
use std::path::Path;

use rayon::prelude::*;
use rustc_hash::FxHashSet;

use super::disk::{self, Mode};
use super::environment::Environment;
use super::layout::Layout;
use super::take::{LinkMode, Taken, Ways, take_all};
use pinfast_base::error::{Error, Result};

/// Writes everything. Returns the indexes of the layouts whose files in the cache are damaged: nothing of
/// the damaged files is left.
pub(super) fn place(layouts: &[Layout], environment: &Environment, mode: LinkMode) -> Result<Vec<usize>> {
    make_folders(layouts, environment)?;
    fill(&(0..layouts.len()).collect::<Vec<_>>(), layouts, mode)
}

/// Writes the layouts with these indexes into folders that are there.
pub(super) fn fill(which: &[usize], layouts: &[Layout], mode: LinkMode) -> Result<Vec<usize>> {
    let taken = which.par_iter().map(|at| Ok((*at, fill_one(&layouts[*at], mode)?)));
    let taken = taken.collect::<Result<Vec<_>>>()?;
    Ok(taken.into_iter().filter(|(_, taken)| *taken == Taken::Damaged).map(|(at, _)| at).collect())
}

fn fill_one(layout: &Layout, mode: LinkMode) -> Result<Taken> {
    // A RECORD comes before the files that it names: whatever moment a run is killed at, the next one
    // can tell what to take away.
    disk::write(&layout.info.join("RECORD"), &layout.record, Mode::Plain)?;
    let ways = Ways::new(mode);
    let files = &layout.wheel.manifest.files;
    let batches = layout.links.par_chunk_by(|a, b| {
        files[a.file].folder() == files[b.file].folder() && a.to.parent() == b.to.parent()
    });
    let taken = batches.map(|links| take_all(&layout.wheel, links, &ways)).collect::<Result<Vec<_>>>()?;
    layout.writes.par_iter().try_for_each(|write| disk::write(&write.to, &write.content, write.mode))?;
    Ok(if taken.contains(&Taken::Damaged) { Taken::Damaged } else { Taken::Whole })
}

/// Creates every folder that is needed, each in a folder that is none but a folder.
fn make_folders(layouts: &[Layout], environment: &Environment) -> Result<()> {
    let mut folders: Vec<&Path> = needed(layouts, environment).into_iter().collect();
    // Those of one depth need only those above them.
    folders.sort_by_cached_key(|folder| folder.components().count());
    let depths = folders.chunk_by(|a, b| a.components().count() == b.components().count());
    for folders in depths {
        folders.par_iter().try_for_each(|folder| make_folder(folder, environment))?;
    }
    Ok(())
}

/// The folders that the layouts have files in, up to those of the scheme.
fn needed<'a>(layouts: &'a [Layout], environment: &Environment) -> FxHashSet<&'a Path> {
    let mut needed = FxHashSet::default();
    for layout in layouts {
        let mut last = None;
        for folder in layout.targets().map(Path::parent).chain([Some(layout.info.as_path())]) {
            // Files of one folder mostly follow each other.
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
        made => made.map_err(|error| disk::failed("create the folder", folder, error)),
    }
}

fn check_folder(folder: &Path) -> Result<()> {
    match fs::symlink_metadata(folder) {
        Ok(metadata) if metadata.is_dir() => Ok(()),
        Ok(_) => Err(Error::refused(format!("{} is not a folder", folder.display()))),
        Err(error) => Err(disk::failed("look at", folder, error)),
    }
}

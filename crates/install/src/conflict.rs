//! Conflicts between files, found before anything changes: two distributions with the same file, and files in
//! the environment that nobody owns.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use rustc_hash::{FxHashMap, FxHashSet};

use super::environment::Environment;
use super::installed::{InstalledDistribution, OwnedFile};
use super::layout::WheelLayout;
use super::record::{self, HashAlgorithm, RecordDigest};
use pinfast_base::error::{Error, Result};
use pinfast_base::event::{Event, Watcher};
use pinfast_files::{is_absent, path_error};

/// Decides who writes a file that several layouts carry: the last by name, so that every run decides alike.
/// The others keep it in their RECORDs.
pub(super) fn resolve_duplicates(layouts: &mut [WheelLayout], watcher: &dyn Watcher) -> Result<()> {
    // Paths have no `..` and no links, so equal text means the same file.
    let mut owners: FxHashMap<&OsStr, (usize, &str)> = FxHashMap::default();
    owners.reserve(layouts.iter().map(|layout| layout.links.len() + layout.writes.len()).sum());
    let mut losers: Vec<(usize, PathBuf)> = Vec::new();
    for (at, layout) in layouts.iter().enumerate() {
        for (path, digest) in carried(layout) {
            let Some((other, its)) = owners.insert(path.as_os_str(), (at, digest)) else { continue };
            if other == at {
                return Err(Error::refused(format!(
                    "{} holds two files for {}",
                    layout.name,
                    path.display()
                )));
            }
            let both = format!("{} and {} both have {}", layouts[other].name, layout.name, path.display());
            watcher.on(if its == digest {
                Event::Detail(both)
            } else {
                Event::Warning(format!("{both}, with other content; {}'s is installed", layout.name))
            });
            losers.push((other, path.to_owned()));
        }
    }
    check_folders(layouts, &owners)?;
    for (loser, path) in losers {
        layouts[loser].links.retain(|link| link.to != path);
        layouts[loser].writes.retain(|write| write.to != path);
    }
    Ok(())
}

/// Each file of a layout, with its digest.
fn carried(layout: &WheelLayout) -> impl Iterator<Item = (&Path, &str)> {
    let links = layout
        .links
        .iter()
        .map(|link| (link.to.as_path(), layout.wheel.manifest.files[link.file].digest.as_str()));
    links.chain(layout.writes.iter().map(|write| (write.to.as_path(), write.digest.as_str())))
}

/// Refuses a file where another distribution needs a folder.
fn check_folders(layouts: &[WheelLayout], owners: &FxHashMap<&OsStr, (usize, &str)>) -> Result<()> {
    let mut seen = FxHashSet::default();
    for layout in layouts {
        for path in layout.targets() {
            for folder in path.ancestors().skip(1) {
                // The folders above it were looked at together with it.
                if !seen.insert(folder.as_os_str()) {
                    break;
                }
                if let Some((other, _)) = owners.get(folder.as_os_str()) {
                    return Err(Error::refused(format!(
                        "{} has {} as a file, and {} as a folder",
                        layouts[*other].name,
                        folder.display(),
                        layout.name
                    )));
                }
            }
        }
    }
    Ok(())
}

/// What is on disk now, and what of it will be gone when the layouts are written.
pub(super) struct OnDisk<'a> {
    pub(super) environment: &'a Environment,
    /// Files that will be removed.
    pub(super) removed: &'a FxHashSet<PathBuf>,
    /// Distributions that stay.
    pub(super) remaining: &'a [&'a InstalledDistribution],
}

impl OnDisk<'_> {
    /// Looks at every path that will be written. Refuses links in place of folders, and files that nobody
    /// owns; a file of a distribution that stays is shared with it.
    pub(super) fn check(&self, layouts: &mut [WheelLayout], watcher: &dyn Watcher) -> Result<()> {
        let mut folders = FxHashMap::default();
        let mut owners: Option<FxHashMap<PathBuf, String>> = None;
        for layout in layouts.iter_mut() {
            let mut shared = FxHashSet::default();
            // Files of one folder mostly follow each other, so the last answer saves most look-ups.
            let mut last = (OsStr::new(""), false);
            for (path, digest) in carried(layout) {
                let Some(folder) = path.parent() else { continue };
                if folder.as_os_str() != last.0 {
                    last = (folder.as_os_str(), self.is_folder(folder, &mut folders)?);
                }
                if !last.1 || self.removed.contains(path) {
                    continue;
                }
                let Ok(metadata) = fs::symlink_metadata(path) else { continue };
                // Read only now: mostly no path is taken, and reading every RECORD takes long.
                let owners = owners.get_or_insert_with(|| self.owners());
                match owners.get(path) {
                    Some(owner) => {
                        let both = format!("{owner} and {} both have {}", layout.name, path.display());
                        watcher.on(Event::Warning(both));
                        // The last by name has the file, as in `resolve_duplicates`.
                        if owner.as_str() > layout.name.as_str() {
                            shared.insert(path.to_owned());
                        }
                    }
                    // The very same file, left by a killed run for example.
                    None if metadata.is_file() && has_digest(path, digest) => {}
                    None => return Err(in_the_way(path, layout)),
                }
            }
            layout.links.retain(|link| !shared.contains(&link.to));
            layout.writes.retain(|write| !shared.contains(&write.to));
        }
        Ok(())
    }

    /// Whether there is a folder at `path`; an error for anything else, even for a link to a folder.
    fn is_folder(&self, path: &Path, seen: &mut FxHashMap<PathBuf, bool>) -> Result<bool> {
        if let Some(is_folder) = seen.get(path) {
            return Ok(*is_folder);
        }
        let base = self.environment.bases().contains(&path) || path == self.environment.root;
        let there = match path.parent() {
            Some(parent) if !base && !self.is_folder(parent, seen)? => false,
            _ => match fs::symlink_metadata(path) {
                Ok(metadata) if metadata.is_dir() || self.removed.contains(path) => metadata.is_dir(),
                Ok(metadata) => return Err(no_folder(path, &metadata)),
                Err(error) if is_absent(&error) => false,
                Err(error) => return Err(path_error("look at", path, error)),
            },
        };
        seen.insert(path.to_owned(), there);
        Ok(there)
    }

    /// The owner of each file that stays.
    fn owners(&self) -> FxHashMap<PathBuf, String> {
        owned_by(self.remaining, self.environment).map(|(name, owned)| (owned.path, name)).collect()
    }
}

/// The files of these distributions, each with its owner's name. An unreadable RECORD lists no files.
pub(super) fn owned_by<'a>(
    distributions: &'a [&'a InstalledDistribution],
    environment: &'a Environment,
) -> impl Iterator<Item = (String, OwnedFile)> + 'a {
    distributions.iter().flat_map(|distribution| {
        let owned = distribution.owned(environment).map(|(owned, _)| owned).unwrap_or_default();
        owned.into_iter().map(|owned| (distribution.name.to_string(), owned))
    })
}

fn has_digest(path: &Path, digest: &str) -> bool {
    let algorithm = RecordDigest::parse(digest).map_or(HashAlgorithm::Sha256, |digest| digest.algorithm);
    let found = File::open(path).and_then(|file| record::hash(file, algorithm));
    found.is_ok_and(|(found, _)| found.to_string() == digest)
}

fn in_the_way(path: &Path, layout: &WheelLayout) -> Error {
    Error::no_answer(format!(
        "{} is where {} has a file, and no distribution owns it",
        path.display(),
        layout.name
    ))
    .hint("nothing was changed; move the file away, or make a new environment")
}

fn no_folder(path: &Path, found: &fs::Metadata) -> Error {
    let what = match found.is_symlink() {
        true => "is a link; nothing is written through it",
        false => "is where a folder is needed",
    };
    Error::refused(format!("{} {what}", path.display()))
        .hint("nothing was changed; move it away, or make a new environment")
}

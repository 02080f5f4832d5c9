//! Files in the site folders that no distribution owns.

use std::fs;
use std::path::{Path, PathBuf};

use rustc_hash::FxHashSet;

use super::environment::{Environment, NOTES};
use pinfast_base::error::Result;
use pinfast_files::{is_absent, path_error};

/// What tools that make environments put into the site folder, and nobody owns.
const EXPECTED: [&str; 3] = ["_virtualenv.py", "_virtualenv.pth", NOTES];

/// Every file in a site folder that is none of `owned`, nor compiled from one, sorted.
pub(super) fn find<'a>(
    environment: &Environment,
    owned: impl Iterator<Item = &'a Path>,
) -> Result<Vec<PathBuf>> {
    let owned: FxHashSet<&Path> = owned.collect();
    let mut unowned = Vec::new();
    let mut folders: Vec<PathBuf> = environment.sites().into_iter().map(Path::to_owned).collect();
    while let Some(folder) = folders.pop() {
        let entries = match fs::read_dir(&folder) {
            Err(error) if is_absent(&error) => continue,
            entries => entries.map_err(|error| path_error("list", &folder, error))?,
        };
        for entry in entries {
            let entry = entry.map_err(|error| path_error("list", &folder, error))?;
            let kind = entry.file_type().map_err(|error| path_error("look at", &folder, error))?;
            let path = entry.path();
            if is_expected(&path, environment) || owned.contains(path.as_path()) {
                continue;
            }
            if kind.is_dir() {
                folders.push(path);
            } else if !is_compiled_from_owned(&path, &owned) {
                unowned.push(path);
            }
        }
    }
    unowned.sort();
    Ok(unowned)
}

/// Whether a top-level entry is none of a distribution's and all the same no stray.
pub(super) fn is_expected(path: &Path, environment: &Environment) -> bool {
    let top = path.parent().is_some_and(|parent| environment.sites().contains(&parent));
    let name = path.file_name().and_then(|name| name.to_str());
    top && name
        .is_some_and(|name| EXPECTED.contains(&name) || name == "__pycache__" && is_empty_of_sources(path))
}

/// A top-level `__pycache__` is what it is by what is in it; as a name alone it says nothing.
fn is_empty_of_sources(path: &Path) -> bool {
    fs::read_dir(path).is_ok_and(|mut entries| {
        entries.all(|entry| entry.is_ok_and(|entry| entry.path().extension().is_some_and(|e| e == "pyc")))
    })
}

/// Whether this is `FOLDER/__pycache__/STEM.TAG.pyc` for an owned `FOLDER/STEM.py`.
fn is_compiled_from_owned(path: &Path, owned: &FxHashSet<&Path>) -> bool {
    let Some(folder) = path.parent().filter(|parent| parent.ends_with("__pycache__")).and_then(Path::parent)
    else {
        return false;
    };
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let stems = name.match_indices('.').map(|(at, _)| &name[..at]);
    name.ends_with(".pyc")
        && stems.into_iter().any(|stem| owned.contains(folder.join(format!("{stem}.py")).as_path()))
}

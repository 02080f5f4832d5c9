//! Files in the site folders that no distribution owns. pinfast reports them and never removes one.

use std::fs;
use std::path::{Path, PathBuf};

use rustc_hash::FxHashSet;

use super::environment::{Environment, JOURNAL_FOLDER};
use pinfast_base::error::Result;
use pinfast_files::{is_absent, path_error};

/// Files without an owner that virtualenv and pinfast put into the site folder.
const EXPECTED: [&str; 3] = ["_virtualenv.py", "_virtualenv.pth", JOURNAL_FOLDER];

/// Every file in a site folder that is neither in `owned` nor byte code of such a file, sorted.
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

/// Whether an entry of a site folder may be there without an owner.
pub(super) fn is_expected(path: &Path, environment: &Environment) -> bool {
    let top = path.parent().is_some_and(|parent| environment.sites().contains(&parent));
    let name = path.file_name().and_then(|name| name.to_str());
    top && name
        .is_some_and(|name| EXPECTED.contains(&name) || name == "__pycache__" && is_empty_of_sources(path))
}

/// Whether a `__pycache__` holds byte code only: a module could hide in a folder of that name.
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

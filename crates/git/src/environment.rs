//! Whether git leaves the environment folder alone. `git checkout` overwrites a tracked environment, and one
//! that is not ignored gets tracked sooner or later.

use std::path::Path;

use super::work_tree::{PathState, WorkTree};
use pinfast_base::error::Result;

/// The usual names of environment folders.
pub const ENVIRONMENT_FOLDERS: [&str; 2] = [".venv", "venv"];

/// An environment folder that is tracked, or not ignored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvironmentFinding {
    /// Its name, relative to the folder that was checked.
    pub folder: String,
    /// `Tracked` or `Untracked`.
    pub state: PathState,
    /// What is wrong: a sentence without a full stop.
    pub message: String,
    /// The shell command that fixes it, for the folder that was checked.
    pub fix: String,
}

/// Checks the usual environment folders in `folder`: one that is tracked, or that exists and is not ignored,
/// is a finding. There are none outside a work tree or without git.
///
/// # Errors
/// No answer: git fails.
pub fn check_environment_folders(folder: &Path) -> Result<Vec<EnvironmentFinding>> {
    // A tracked folder counts even if it is absent here: the next checkout creates it.
    let matters = |finding: &EnvironmentFinding| {
        finding.state == PathState::Tracked || lexists(&folder.join(&finding.folder))
    };
    Ok(check_environment_names(folder, &ENVIRONMENT_FOLDERS)?.into_iter().filter(matters).collect())
}

/// Checks the folders called `names`, whether or not they exist: a host that installs later must ignore them
/// beforehand.
///
/// # Errors
/// No answer: git fails.
pub fn check_environment_names(folder: &Path, names: &[&str]) -> Result<Vec<EnvironmentFinding>> {
    let Some(tree) = WorkTree::discover(folder) else {
        return Ok(Vec::new());
    };
    let states = tree.path_states(names)?.unwrap_or_default();
    Ok(names.iter().zip(states).filter_map(|(name, state)| finding(folder, name, state)).collect())
}

/// Whether there is something at `path`; a broken link counts.
fn lexists(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

fn finding(folder: &Path, name: &str, state: PathState) -> Option<EnvironmentFinding> {
    let (message, fix) = match state {
        PathState::Tracked => (
            format!("`{name}` is tracked by git, which will overwrite it"),
            format!("git rm -r --cached {name}"),
        ),
        // A rule for folders (`.venv/`) does not cover a link to an environment elsewhere.
        PathState::Untracked if folder.join(name).is_symlink() => {
            (format!("`{name}` is not ignored by git"), format!("echo {name} >> .gitignore"))
        }
        PathState::Untracked => {
            (format!("`{name}` is not ignored by git"), format!("echo {name}/ >> .gitignore"))
        }
        PathState::Ignored => return None,
    };
    Some(EnvironmentFinding { folder: name.to_owned(), state, message, fix })
}

#[cfg(test)]
mod tests;

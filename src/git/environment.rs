//! Whether the environment folder is out of git: a tracked one is overwritten by `git checkout`, and
//! one that is not ignored gets tracked sooner or later.

use std::path::Path;

use super::ask::{PathState, WorkTree};
use crate::error::Result;

/// The names of environment folders.
const FOLDERS: [&str; 2] = [".venv", "venv"];

/// Something to mend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The folder, as seen from the one that was asked about.
    pub folder: &'static str,
    /// What is wrong, as a sentence without a full stop.
    pub message: String,
    /// The command that mends it, to be run in the folder that was asked about.
    pub mend: String,
}

/// What is wrong with the environment folders in `folder`: one is tracked, or it exists and is not
/// ignored. Outside of a work tree, or without git, nothing is.
///
/// # Errors
/// No answer: git fails.
pub fn environment_findings(folder: &Path) -> Result<Vec<Finding>> {
    let Some(tree) = WorkTree::around(folder) else {
        return Ok(Vec::new());
    };
    let states = tree.states(&FOLDERS)?.unwrap_or_default();
    Ok(FOLDERS.into_iter().zip(states).filter_map(|(name, state)| finding(folder, name, state)).collect())
}

fn finding(folder: &Path, name: &'static str, state: PathState) -> Option<Finding> {
    let (message, mend) = match state {
        PathState::Tracked => (
            format!("`{name}` is tracked by git, which will overwrite it"),
            format!("git rm -r --cached {name}"),
        ),
        // A link to an environment elsewhere is one that a rule for folders (`.venv/`) does not cover.
        PathState::Exposed if folder.join(name).is_symlink() => {
            (format!("`{name}` is not ignored by git"), format!("echo {name} >> .gitignore"))
        }
        PathState::Exposed if folder.join(name).exists() => {
            (format!("`{name}` is not ignored by git"), format!("echo {name}/ >> .gitignore"))
        }
        PathState::Exposed | PathState::Ignored => return None,
    };
    Some(Finding { folder: name, message, mend })
}

#[cfg(test)]
mod tests;

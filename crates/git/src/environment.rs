//! Whether the environment folder is out of git: a tracked one is overwritten by `git checkout`, and
//! one that is not ignored gets tracked sooner or later.

use std::path::Path;

use super::ask::{PathState, WorkTree};
use pinfast_base::error::Result;

/// The usual names of environment folders.
pub const ENVIRONMENTS: [&str; 2] = [".venv", "venv"];

/// Something to mend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The folder, as seen from the one that was asked about.
    pub folder: String,
    /// What git says of it.
    pub state: PathState,
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
    let there = |finding: &Finding| finding.state == PathState::Tracked || is_there(folder, &finding.folder);
    Ok(exposed_environments(folder, &ENVIRONMENTS)?.into_iter().filter(there).collect())
}

/// The same of the folders called `names`, whether or not they are there: what would be tracked one day
/// is found today.
///
/// # Errors
/// No answer: git fails.
pub fn exposed_environments(folder: &Path, names: &[&str]) -> Result<Vec<Finding>> {
    let Some(tree) = WorkTree::around(folder) else {
        return Ok(Vec::new());
    };
    let states = tree.states(names)?.unwrap_or_default();
    Ok(names.iter().zip(states).filter_map(|(name, state)| finding(folder, name, state)).collect())
}

fn is_there(folder: &Path, name: &str) -> bool {
    folder.join(name).is_symlink() || folder.join(name).exists()
}

fn finding(folder: &Path, name: &str, state: PathState) -> Option<Finding> {
    let (message, mend) = match state {
        PathState::Tracked => (
            format!("`{name}` is tracked by git, which will overwrite it"),
            format!("git rm -r --cached {name}"),
        ),
        // A link to an environment elsewhere is one that a rule for folders (`.venv/`) does not cover.
        PathState::Exposed if folder.join(name).is_symlink() => {
            (format!("`{name}` is not ignored by git"), format!("echo {name} >> .gitignore"))
        }
        PathState::Exposed => {
            (format!("`{name}` is not ignored by git"), format!("echo {name}/ >> .gitignore"))
        }
        PathState::Ignored => return None,
    };
    Some(Finding { folder: name.to_owned(), state, message, mend })
}

#[cfg(test)]
mod tests;

//! What git knows of a folder: whether it is in a work tree, which paths in it are tracked or ignored, and
//! what a commit holds.
//!
//! The answers come from the `git` program. Without it, or outside a work tree, the checks of environment
//! folders find nothing; everything that needs a commit is an error.

mod environment;
#[cfg(test)]
mod testing;
mod tree;
mod work_tree;

pub use environment::{
    ENVIRONMENT_FOLDERS, EnvironmentFinding, check_environment_folders, check_environment_names,
};
pub use tree::{TreeEntry, TreeEntryKind};
pub use work_tree::{PathState, WorkTree};

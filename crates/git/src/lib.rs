//! What git says of a folder: whether it is in a work tree, whether a path in it is tracked or ignored, and
//! what is committed. Git is asked through its program; without it, or outside of a work tree, the answer
//! about the environment is plainly "not in git".

mod ask;
mod committed;
mod environment;
#[cfg(test)]
mod testing;

pub use ask::{PathState, WorkTree};
pub use committed::{Committed, CommittedKind};
pub use environment::{ENVIRONMENTS, Finding, environment_findings, exposed_environments};

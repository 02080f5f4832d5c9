//! What git says of a folder: whether it is in a work tree, and whether a path in it is tracked or
//! ignored. Git is asked through its program; without it, or outside of a work tree, the answer is
//! plainly "not in git".

mod ask;
mod environment;

pub use ask::{PathState, WorkTree};
pub use environment::{Finding, environment_findings};

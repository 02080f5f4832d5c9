//! A lock as a requirements file with a header of comments.

mod builds;
mod digest;
mod header;
mod problem;
mod read;
mod scan;
mod twins;
mod via;
mod write;

pub use digest::{Integrity, integrity};
pub use problem::LockProblem;
pub use read::{LockOption, ParsedLock};
pub use write::{Annotations, WriteOptions};

pub(super) use digest::{digest_of, normalised, seal};
pub(super) use problem::{LockProblems, error as problem_error};
pub(super) use scan::{Places, Spot};
pub(super) use twins::find_twins;
pub(super) use via::entry as via_entry;
#[cfg(test)]
pub(super) use write::url_dist;

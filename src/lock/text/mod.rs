//! A lock as a requirements file with a header of comments.

mod digest;
mod header;
mod problem;
mod read;
mod scan;
mod via;
mod write;

pub use digest::{Integrity, integrity};
pub use problem::Problem;
pub use read::{LockOption, ParsedLock};
pub use write::{Annotations, WriteOptions};

pub(super) use write::url_dist;

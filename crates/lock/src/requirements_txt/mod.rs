//! A lock as a requirements file with a header of comments; the head of the crate specifies it.
//!
//! - `write`: a lock -> the text; `read`: a text of pinfast, pip-compile or uv -> a lock and its problems
//! - `header`, `pins`, `builds`: the three parts of the text
//! - `integrity`: whether the text is as pinfast wrote it

mod builds;
mod header;
mod integrity;
mod pins;
mod read;
mod write;

pub use integrity::integrity;
pub use write::{Annotations, WriteOptions};

pub(crate) use read::read;

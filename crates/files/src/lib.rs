//! The user's own files: inputs are read, outputs replaced as a whole or not at all.

mod replace;
mod texts;

pub use replace::replace;
pub use texts::{Texts, read_optional};

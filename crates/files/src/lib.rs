//! The user's own files: inputs are read, outputs replaced as a whole or not at all.

mod path_error;
mod replace;
mod texts;

pub use path_error::{is_absent, path_error};
pub use replace::replace;
pub use texts::{Texts, read_optional};

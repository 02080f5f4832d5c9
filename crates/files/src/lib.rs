//! The user's own files: inputs are read, outputs are replaced as a whole or not at all.
//!
//! - [`DiskInputs`], [`read_optional`]: texts of requirement files, from the disk and standard input
//! - [`replace`]: atomic replacement of a file, by a temporary one that is renamed over it
//! - [`relative_path`]: a path as seen from a folder
//! - [`path_error`], [`is_absent`]: errors that name the action and the path

mod disk_inputs;
mod path_error;
mod relative_path;
mod replace;

pub use disk_inputs::{DiskInputs, read_optional};
pub use path_error::{is_absent, path_error};
pub use relative_path::relative_path;
pub use replace::replace;

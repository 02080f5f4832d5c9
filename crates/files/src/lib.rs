//! The user's own files: inputs are read, outputs replaced as a whole or not at all.

mod interrupt;
mod replace;
mod texts;

pub use interrupt::{Deferred, Signal, deferred, exit_on_interrupt, on_interrupt, undisturbed};
pub use replace::replace;
pub use texts::{Texts, read_optional};

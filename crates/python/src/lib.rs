//! The room of the interpreter: find one, ask it once what it is, remember its answer.
//!
//! Starting an interpreter costs some 50 ms, so it is asked one question, whose answer covers the
//! target (marker values, tags), the folders that an installation goes to and the index that its own
//! pip uses; the answer is kept on disk for as long as the interpreter's file stays the same.

mod cache;
mod discover;
mod probe;
mod program;
mod pyenv;
mod run;
mod target;

pub use cache::ProbeCache;
pub use discover::{Found, Interpreter, Request, discover};
pub use probe::{Abi, AbiBuild, Elf, Paths, PlatformFacts, Probe};
pub use run::Prober;

#[cfg(test)]
mod tests;

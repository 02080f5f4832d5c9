//! Finds a Python interpreter and asks it what it is.
//!
//! In: what `--python` names, or nothing; the process's environment. Out: an interpreter and its [`Probe`]:
//! marker values (PEP 508), the facts that decide its wheel tags (PEP 425, 600, 656), the paths of its
//! installation scheme (`sysconfig.get_paths()`), and the index that its own pip uses.
//!
//! One start of an interpreter takes some 50 ms, so one probe (`probe.py`) asks for all of it, and the cache
//! keeps the answer as long as the interpreter stays the same.
//!
//! - `discover`, `pyenv`, `executable`: which interpreter
//! - `query`, `remember`: run the probe, or recall its answer
//! - `probe`, `target`: the answer, and the lock target that it makes

mod discover;
mod executable;
mod probe;
mod pyenv;
mod query;
mod remember;
mod target;

pub use discover::{FoundInterpreter, InterpreterPath, InterpreterRequest, discover};
pub use probe::{AbiBuild, AbiFacts, ElfHeader, PlatformFacts, Probe, SchemePaths};
pub use query::Prober;

#[cfg(test)]
mod tests;

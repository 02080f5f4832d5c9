//! The index client of a run: it makes the owners, and passes each question on to one of them.
//!
//! - `owners`: the owners and what each depends on; `index`: the solver's trait; `files`: whole files; `snapshot`:
//!   what is copied from one run to the next

mod files;
mod index;
mod owners;
mod snapshot;

pub use owners::Client;

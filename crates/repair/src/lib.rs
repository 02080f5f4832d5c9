//! What would help where there is no solution: the lines that a failure needs, and changes to them that were
//! tried and do resolve.
//!
//! `lab.rs` solves again within a budget; `core.rs` takes away every line that a failure does not need, and `web.rs`
//! every fact of its proof (`minimal.rs`); `search.rs` loosens the rest one by one, then two by two, says each change that helps in the
//! user's spelling (`respell.rs`), and tries other options (`options.rs`).

mod core;
mod lab;
mod minimal;
mod options;
mod respell;
mod search;
mod web;

pub use lab::Budget;
pub use options::{Alternative, OptionValue, of_targets};
pub use search::{Edit, Fix, Found};

pub use self::core::{Places, further, lines_of, shrink, slots};
pub use lab::Lab;
pub use search::{Wider, search};
pub use web::{Depth, Edge, Item, State, Web};

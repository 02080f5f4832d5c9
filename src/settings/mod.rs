//! x
mod surroundings;
pub use surroundings::Surroundings;

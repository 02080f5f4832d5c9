//! The solver: `Inputs` + `Target` + an [`Index`] -> a resolution, or the proof that there is none.

mod index;

pub use index::{Index, MetadataFailure, Trust, Want};

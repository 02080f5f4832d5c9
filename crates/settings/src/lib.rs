//! Where options come from besides flags: the project's settings, pip's configuration, the
//! environment; and the one answer to "which index?".

mod cache_folder;
mod deploy;
mod indexes;
mod ini;
mod pip;
mod process_env;
mod project;
mod section;

pub use cache_folder::cache_folder;
pub use deploy::{Deploy, Health, Shared, SharedKind, Smoke, Source, Timed};
pub use indexes::{Chosen, IndexChoice, Layer, Missing, Said, baked_in, choose};
pub use pip::{PipConfig, PipValue};
pub use process_env::ProcessEnv;
pub use project::{DeclaredTarget, Settings};
pub use section::{Place, Placed, Section};

//! The sources of options besides arguments: the settings file, pip's configuration, the environment.
//!
//! `pinfast.toml` -> [`Settings`], whose values know their line. pip's files and variables -> [`PipConfig`].
//! The options of all sources that name indexes -> [`choose_indexes`] -> the indexes to use.

mod cache_folder;
mod deploy_settings;
mod indexes;
mod ini;
mod origin;
mod pip_config;
mod process_env;
mod settings;
mod settings_table;

pub use cache_folder::cache_folder;
pub use deploy_settings::{
    DeploySettings, DeploySource, HealthCheck, SharedKind, SharedPath, SmokeTest, TimedCommand,
};
pub use indexes::{
    IndexChoice, IndexLocation, IndexOptions, IndexReference, MissingFolder, built_in_index, choose_indexes,
};
pub use origin::{Origin, Sourced};
pub use pip_config::{PipConfig, PipValue};
pub use process_env::ProcessEnv;
pub use settings::{DeclaredTarget, Settings};
pub use settings_table::{Setting, SettingsTable, TomlSpan};

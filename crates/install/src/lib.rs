//! The room of installation: a lock and a source of files -> an environment that is exactly the lock.
//!
//! - [`install`]: plans, fetches, checks and unpacks everything, and only then changes the environment
//! - [`verify`]: is an environment what the lock says, down to each file's hash
//! - [`download`]: the lock's files as a folder that serves as an index
//! - [`venv`]: creates a standard virtual environment
//!
//! How the parts hang together, from the archive to the environment: `archive` reads a hostile zip,
//! `wheel` checks that it is the wheel that the lock means, `unpack` writes it into the `store` with a
//! `manifest`; `source` chooses a pin's file; `plan` compares the lock with what is `installed`;
//! `layout` says where each file will go, `conflict` whether that can be; `remove` and `place` do it,
//! between two notes in the `journal`, so that a run that is killed is finished by the next one.

mod archive;
mod compile;
mod conflict;
mod covers;
mod disk;
mod download;
mod entry_points;
mod environment;
mod installed;
mod interpreter;
mod journal;
mod layout;
mod manifest;
mod obtain;
mod place;
mod plan;
mod record;
mod remove;
mod run;
mod scripts;
mod source;
mod store;
mod strays;
mod take;
mod unpack;
pub mod venv;
mod verify;
mod wheel;

pub use archive::Limits;
pub use compile::Compile;
pub use covers::covers;
pub use download::{DownloadOutcome, DownloadRequest, Scope, download};
pub use environment::{Environment, EnvironmentKind, Scheme};
pub use installed::{Form, Installed, Origin};
pub use plan::{Prune, Why, applicable};
pub use run::{Content, Done, Effort, Outcome, Place, Request, Run, contents, install};
pub use source::{Files, Order};
pub use store::Store;
pub use take::LinkMode;
pub use venv::BasePython;
pub use verify::{Finding, Remedy, Strictness, VerifyReport, VerifyRequest, verify};

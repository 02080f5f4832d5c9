//! Makes an environment exactly what a lock says, and verifies one.
//!
//! In: a lock, an environment, a source of files, the cache. Out: the environment with the locked
//! distributions and no others, as PyPA's "Binary distribution format" and "Recording installed projects" have
//! it; or a report; or an error that names the file.
//!
//! - [`install()`]: plans, fetches, checks and unpacks everything, and only then changes the environment
//! - [`verify()`]: compares an environment with a lock, down to each file's hash
//! - [`download()`]: puts the lock's files into a folder that serves as an index (PEP 503)
//! - [`venv`]: creates a standard virtual environment (PEP 405)
//!
//! From an archive to the environment:
//!
//! - `source`, `choose`, `fetch`: which file of a pin, and its download
//! - `archive`, `wheel`, `record`, `entry_points`, `unpack`: a hostile zip -> checked, unpacked files
//! - `manifest`, `wheel_cache`: unpacked wheels in the cache
//! - `environment`, `interpreter`, `installed`, `compatibility`: what is there, and whether the lock is for it
//! - `plan`, `layout`, `scripts`, `conflict`, `unowned`: what will change, known before anything does
//! - `install`, `remove`, `place`, `link`, `compile`: the change itself
//! - `journal`: written before and after, so that the next run finishes what a killed one began

mod archive;
mod choose;
mod compatibility;
mod compile;
mod conflict;
mod disk;
mod download;
mod entry_points;
mod environment;
mod fetch;
mod finding;
mod install;
mod installed;
mod interpreter;
mod job;
mod journal;
mod layout;
mod link;
mod manifest;
mod place;
mod plan;
mod prepare;
mod record;
mod remove;
mod scripts;
mod source;
mod unowned;
mod unpack;
pub mod venv;
mod verify;
mod wheel;
mod wheel_cache;

pub use archive::WheelLimits;
pub use compatibility::check_compatible;
pub use compile::Compile;
pub use download::{DownloadJob, DownloadReport, DownloadScope, download};
pub use environment::{Environment, EnvironmentKind, InstallScheme};
pub use finding::{Remedy, VerifyFinding, VerifyReport};
pub use install::{contents, install};
pub use installed::{DistributionFormat, InstalledDistribution, Provenance};
pub use job::{Destination, DistributionChange, DryRun, Inspection, InstallJob, InstallReport};
pub use layout::PlacedFile;
pub use link::LinkMode;
pub use plan::{InstallReason, Prune, applicable};
pub use source::{FileSource, WheelBuildRequest};
pub use venv::BasePython;
pub use verify::{Strictness, VerifyJob, verify};
pub use wheel_cache::WheelCache;

//! The settings of builds.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;

use pinfast_base::error::Result;
use pinfast_packaging::Target;
use pinfast_python::FoundInterpreter;

/// The environment variable that sets [`BuildConfig::timeout`], in seconds.
pub const TIMEOUT_VARIABLE: &str = "PINFAST_BUILD_TIMEOUT";
/// The default of [`BuildConfig::timeout`].
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(600);

/// The settings of builds that give metadata.
pub struct BuildConfig {
    /// Whether they may run.
    pub permission: BuildPolicy,
    /// Finds the interpreter that runs them.
    pub interpreter: Box<dyn Fn() -> Result<FoundInterpreter> + Send + Sync>,
    /// The folder of the cache.
    pub cache: Option<PathBuf>,
    /// Only files uploaded before this time may be build requirements.
    pub exclude_newer: Option<Timestamp>,
    /// The time limit of one hook.
    pub timeout: Duration,
    /// The `PATH` on which a build finds compilers.
    pub path: OsString,
    /// The targets that the metadata is for; `None` is every environment.
    pub targets: Option<Vec<Target>>,
}

/// Whether builds may run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BuildPolicy {
    /// They may.
    Allowed,
    /// The option or setting of this name forbids them.
    Forbidden(String),
}

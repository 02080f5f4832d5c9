//! Why a build fails, and what follows for the candidate or the run.

use super::text::{display_name, last_lines, without_controls};
use pinfast_base::error::Error;
use pinfast_packaging::DistFile;

/// Why a build failed.
#[derive(Debug)]
pub(super) enum BuildFailure {
    /// The source distribution is at fault: a sentence without a full stop.
    Candidate(String),
    /// Its build backend is: a clause about it, and the end of its output.
    Backend { what: String, output: Vec<u8> },
    /// Neither is, so the run ends: no disk space, no index, a hash that does not match.
    Fatal(Error),
}

impl BuildFailure {
    pub(super) fn candidate(why: String) -> Self {
        Self::Candidate(without_controls(&why))
    }

    /// The error of a run that cannot do without the build of `file`.
    pub(super) fn into_error(self, file: &DistFile) -> Error {
        match self {
            Self::Fatal(error) => error,
            Self::Candidate(why) => Error::no(format!("{} cannot be built: {why}", display_name(file))),
            Self::Backend { what, output } => {
                let mut error = Error::no(format!("the build backend of {} {what}", display_name(file)));
                error.details = last_lines(&output).iter().map(|line| format!("  {line}")).collect();
                error
            }
        }
    }
}

impl From<Error> for BuildFailure {
    fn from(error: Error) -> Self {
        Self::Fatal(error)
    }
}

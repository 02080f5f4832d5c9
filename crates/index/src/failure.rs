//! Why an index gives no answer: kept, since many may ask, and told apart by what may be tried next.

use std::sync::Arc;

use super::page::tame;
use pinfast_base::error::{Error, ErrorKind};

/// What work on a resource comes to.
pub(super) type Outcome<V> = Result<V, Arc<Failure>>;

/// Why there is no answer.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) cause: Cause,
    error: Error,
}

/// What may be tried after a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// Trouble in transit: another source of the same fact may be asked.
    Transit,
    /// 401 or 403.
    Denied,
    /// 404 or 410.
    Absent,
    /// The file itself is at fault: it bars the candidate.
    Unusable,
    /// Only a build of the file can tell.
    NeedsBuild,
    /// The end of it: a limit, a hash that does not match, a wrong setting.
    Final,
}

impl Failure {
    pub(super) fn new(cause: Cause, error: Error) -> Self {
        Self { cause, error }
    }

    /// The file itself is at fault.
    pub(super) fn unusable(message: impl Into<String>) -> Self {
        Self::new(Cause::Unusable, Error::no(tame(&message.into())))
    }

    /// Only a build of the file can tell.
    pub(super) fn needs_build(message: &str) -> Self {
        Self::new(Cause::NeedsBuild, Error::no(message))
    }

    /// There will be no answer from anywhere.
    pub(super) fn last(error: Error) -> Self {
        Self::new(Cause::Final, error)
    }

    pub(super) fn abandoned() -> Self {
        Self::last(Error::no_answer("the work on an index's answer ended early; this is a bug in pinfast"))
    }

    /// Whether another source of the same fact may still give it.
    pub(super) fn leaves_hope(&self) -> bool {
        matches!(self.cause, Cause::Transit | Cause::Denied | Cause::Absent)
    }

    pub(super) fn message(&self) -> &str {
        &self.error.message
    }

    /// The error that a person reads; an unusable file asked for as itself is refused.
    pub(super) fn to_error(&self) -> Error {
        let kind = if self.cause == Cause::Unusable { ErrorKind::Refused } else { self.error.kind };
        Error {
            kind,
            message: self.error.message.clone(),
            details: self.error.details.clone(),
            hints: self.error.hints.clone(),
            source: self.error.source.as_ref().map(|source| source.to_string().into()),
        }
    }
}

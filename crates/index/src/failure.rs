//! Why an index gives no answer.
//!
//! A failure is shared (`Arc`), since many callers may wait for one resource. Its kind decides what the caller may
//! try next.

use std::sync::Arc;

use crate::text::escape_controls;
use pinfast_base::error::{Error, ErrorKind};

/// The result of work on a resource.
pub(crate) type FetchResult<V> = Result<V, Arc<FetchFailure>>;

/// Why there is no result.
#[derive(Debug)]
pub(crate) struct FetchFailure {
    pub(crate) kind: FailureKind,
    error: Error,
}

/// What may be tried after a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FailureKind {
    /// The transfer failed: broken connection, malformed body, unexpected status. Another source may be asked.
    Transfer,
    /// 401, 403 or 407. Another source may be asked.
    Denied,
    /// 404 or 410. Another source may be asked.
    Absent,
    /// The file itself is at fault: the candidate is excluded.
    Invalid,
    /// The sdist has no static metadata: it must be built.
    NeedsBuild,
    /// Nothing may be tried: a limit, a hash that does not match, a wrong setting.
    Fatal,
}

impl FetchFailure {
    pub(crate) fn new(kind: FailureKind, error: Error) -> Self {
        Self { kind, error }
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(FailureKind::Invalid, Error::no(escape_controls(&message.into())))
    }

    pub(crate) fn needs_build(message: &str) -> Self {
        Self::new(FailureKind::NeedsBuild, Error::no(message))
    }

    pub(crate) fn fatal(error: Error) -> Self {
        Self::new(FailureKind::Fatal, error)
    }

    /// The work ended without a result, after a panic for example.
    pub(crate) fn internal() -> Self {
        Self::fatal(Error::no_answer("the work on an index's answer ended early; this is a bug in pinfast"))
    }

    /// Whether another source may still have the fact.
    pub(crate) fn allows_fallback(&self) -> bool {
        matches!(self.kind, FailureKind::Transfer | FailureKind::Denied | FailureKind::Absent)
    }

    /// The failure of a resource that must exist, since the user or an index named it: "absent" becomes fatal.
    pub(crate) fn of_named(self: Arc<Self>) -> Arc<Self> {
        if self.kind == FailureKind::Absent { Arc::new(Self::fatal(self.to_error())) } else { self }
    }

    pub(crate) fn message(&self) -> &str {
        &self.error.message
    }

    /// The error for the user. An invalid file that the user named is refused.
    pub(crate) fn to_error(&self) -> Error {
        let kind = if self.kind == FailureKind::Invalid { ErrorKind::Refused } else { self.error.kind };
        Error {
            kind,
            message: self.error.message.clone(),
            details: self.error.details.clone(),
            hints: self.error.hints.clone(),
            // Errors cannot be cloned, so the cause becomes its text.
            source: self.error.source.as_ref().map(|source| source.to_string().into()),
        }
    }
}

//! Why an attempt failed: worth another attempt, or not.

use std::time::Duration;

use super::response::DecodeError;
use crate::failure::FetchFailure;
use pinfast_base::error::Error;

/// Why one attempt failed.
pub(super) enum AttemptError {
    /// Another attempt may succeed, after `pause` where the server asks for one.
    Retry { why: String, pause: Option<Duration> },
    /// Another attempt cannot succeed.
    Fatal(FetchFailure),
}

impl AttemptError {
    pub(super) fn retry(why: String) -> Self {
        Self::Retry { why, pause: None }
    }

    pub(super) fn fatal(error: Error) -> Self {
        Self::Fatal(FetchFailure::fatal(error))
    }
}

impl From<DecodeError> for AttemptError {
    fn from(error: DecodeError) -> Self {
        match error {
            DecodeError::Malformed(why) => Self::retry(why),
            DecodeError::Fatal(failure) => Self::Fatal(failure),
        }
    }
}

/// The messages of the error and its causes. The URL is left out, since it may hold a secret.
impl From<reqwest::Error> for AttemptError {
    fn from(error: reqwest::Error) -> Self {
        let error = error.without_url();
        let mut messages: Vec<String> = Vec::new();
        let mut next: Option<&dyn std::error::Error> = Some(&error);
        while let Some(error) = next {
            let message = error.to_string();
            // The HTTP library repeats the message of a cause in the error above it.
            if !messages.iter().any(|earlier| earlier.contains(&message)) {
                messages.push(message);
            }
            next = error.source();
        }
        // Always a retry: these are mostly broken connections, and any other costs only a few attempts.
        Self::retry(messages.join(": "))
    }
}

//! What a server may cost: sizes, times and counts, each with the environment variable that raises it.

use std::time::Duration;

use pinfast_base::error::Error;

/// The limits on what servers send, and on how long they take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The largest project page, in bytes, decoded.
    pub page: u64,
    /// The largest metadata file, in bytes, decoded.
    pub metadata: u64,
    /// The largest wheel or sdist, in bytes.
    pub file: u64,
    /// The deadline of one resource, all attempts together. A file gets another second for each megabyte of the
    /// size on its index page.
    pub time: Duration,
    /// How long a connection may carry no byte before the attempt is given up.
    pub silence: Duration,
    /// The most redirects in a row.
    pub redirects: u32,
    /// The most requests in flight over HTTP/1.1, each on a connection.
    pub requests: usize,
    /// The most requests in flight over HTTP/2, where they share a connection.
    pub streams: usize,
    /// Attempts after the first.
    pub retries: u32,
    /// The pause before the first retry; it doubles with each further one.
    pub pause: Duration,
}

/// The variable that sets [`Limits::page`], in bytes.
pub const PAGE_VARIABLE: &str = "PINFAST_MAX_PAGE_SIZE";
/// The variable that sets [`Limits::metadata`], in bytes.
pub const METADATA_VARIABLE: &str = "PINFAST_MAX_METADATA_SIZE";
/// The variable that sets [`Limits::file`], in bytes.
pub const FILE_VARIABLE: &str = "PINFAST_MAX_FILE_SIZE";
/// The variable that sets [`Limits::time`], in seconds.
pub const TIME_VARIABLE: &str = "PINFAST_HTTP_TIMEOUT";
/// The variable that sets [`Limits::redirects`].
pub const REDIRECTS_VARIABLE: &str = "PINFAST_MAX_REDIRECTS";
/// The variable that sets [`Limits::requests`] and [`Limits::streams`].
pub const REQUESTS_VARIABLE: &str = "PINFAST_CONCURRENT_REQUESTS";
/// The variable that sets [`Limits::retries`].
pub const RETRIES_VARIABLE: &str = "PINFAST_HTTP_RETRIES";

impl Default for Limits {
    fn default() -> Self {
        Self {
            // The largest pages have some 30 MB.
            page: 256 << 20,
            metadata: 16 << 20,
            // Wheels with GPU libraries have a few GB.
            file: 16 << 30,
            time: Duration::from_secs(60),
            silence: Duration::from_secs(20),
            redirects: 10,
            requests: 50,
            // Servers should allow no fewer (RFC 9113, section 6.5.2).
            streams: 100,
            retries: 4,
            pause: Duration::from_millis(250),
        }
    }
}

impl Limits {
    /// The defaults, overridden by environment variables, which `variable` looks up.
    ///
    /// # Errors
    /// `Usage` when a variable is set to anything but a whole number in its range.
    pub fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Result<Self, Error> {
        let number = |name: &str, default: u64, least: u64| match variable(name) {
            None => Ok(default),
            Some(text) => match text.trim().parse::<u64>() {
                Ok(value) if value >= least => Ok(value),
                _ => Err(Error::usage(format!("{name} is `{text}`, not a whole number from {least} up"))),
            },
        };
        let small = |name: &str, default: u32, least| {
            number(name, default.into(), least).map(|value| u32::try_from(value).unwrap_or(u32::MAX))
        };
        let default = Self::default();
        let in_flight = |default: usize| {
            let default = u32::try_from(default).unwrap_or(u32::MAX);
            small(REQUESTS_VARIABLE, default, 1).map(|requests| requests.min(1 << 16) as usize)
        };
        Ok(Self {
            page: number(PAGE_VARIABLE, default.page, 1)?,
            metadata: number(METADATA_VARIABLE, default.metadata, 1)?,
            file: number(FILE_VARIABLE, default.file, 1)?,
            // Bounded, so that a deadline computed from it cannot overflow.
            time: Duration::from_secs(number(TIME_VARIABLE, default.time.as_secs(), 1)?.min(1 << 32)),
            redirects: small(REDIRECTS_VARIABLE, default.redirects, 0)?,
            requests: in_flight(default.requests)?,
            streams: in_flight(default.streams)?,
            retries: small(RETRIES_VARIABLE, default.retries, 0)?,
            ..default
        })
    }

    /// The deadline for a file of `size` bytes.
    pub(crate) fn time_for(&self, size: Option<u64>) -> Duration {
        // A forged size must not keep a run waiting for more than an hour.
        self.time + Duration::from_secs((size.unwrap_or(0) >> 20).min(3600))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_the_limits_of_the_contract() {
        let limits = Limits::from_variables(|_| None).unwrap();
        assert_eq!(limits, Limits::default());
        assert_eq!((limits.page, limits.metadata), (256 * 1024 * 1024, 16 * 1024 * 1024));
        assert_eq!((limits.time, limits.redirects), (Duration::from_secs(60), 10));
        assert_eq!((limits.requests, limits.streams), (50, 100));
    }

    #[test]
    fn variables_override_limits_and_other_text_than_a_number_is_refused() {
        let limits = Limits::from_variables(|name| (name == TIME_VARIABLE).then(|| "90".into())).unwrap();
        assert_eq!(limits.time, Duration::from_secs(90));
        let few = Limits::from_variables(|name| (name == REQUESTS_VARIABLE).then(|| "2".into())).unwrap();
        assert_eq!((few.requests, few.streams), (2, 2));
        for text in ["", "-1", "0", "a minute", "1.5"] {
            let error =
                Limits::from_variables(|name| (name == TIME_VARIABLE).then(|| text.into())).unwrap_err();
            assert!(error.message.contains(TIME_VARIABLE), "{text}");
        }
    }
}

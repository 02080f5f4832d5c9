//! `--exclude-newer`: a date, an instant or an age -> an instant.

use jiff::civil::Date;
use jiff::{SignedDuration, Span, SpanRelativeTo, Timestamp, ToSpan as _, Unit};

use pinfast_base::error::{Error, Result};

/// The instant that an upload time must be before.
///
/// `2026-02-01` stands for the end of that day in UTC. An age such as `7 days` or `P1W` counts back from `now`.
pub(super) fn parse(text: &str, now: Timestamp) -> Result<Timestamp> {
    let wrong = || {
        Error::usage(format!("`{text}` is neither a date, an instant nor an age")).hint(
            "write a date such as `2026-02-01`, an instant such as `2026-02-01T12:00:00Z`, or an age such as `7 days`",
        )
    };
    if let Ok(instant) = text.parse::<Timestamp>() {
        return Ok(instant);
    }
    if let Ok(date) = text.parse::<Date>() {
        let next = date.checked_add(1.day()).map_err(|_| wrong())?;
        return format!("{next}T00:00:00Z").parse().map_err(|_| wrong());
    }
    let age: Span = text.parse().map_err(|_| wrong())?;
    // An age has no calendar date, so each day has 24 hours, also when clocks change.
    let seconds = age.total((Unit::Second, SpanRelativeTo::days_are_24_hours())).map_err(|_| wrong())?;
    let back = SignedDuration::try_from_secs_f64(seconds.abs()).map_err(|_| wrong())?;
    now.checked_sub(back).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_instants_and_ages_are_read() {
        let now: Timestamp = "2026-03-10T12:00:00Z".parse().unwrap();
        for (text, expected) in [
            ("2026-02-01", "2026-02-02T00:00:00Z"),
            ("2026-02-01T10:00:00Z", "2026-02-01T10:00:00Z"),
            ("7 days", "2026-03-03T12:00:00Z"),
            ("P1W", "2026-03-03T12:00:00Z"),
            ("12 hours", "2026-03-10T00:00:00Z"),
        ] {
            assert_eq!(parse(text, now).unwrap(), expected.parse().unwrap(), "{text}");
        }
        assert!(parse("yesterday", now).is_err());
        assert!(parse("2026-02-31", now).is_err());
    }
}

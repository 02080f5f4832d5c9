//! From a request, the inputs' options and the settings to a [`Policy`], and to what a lock remembers of it.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::str::FromStr;

use jiff::civil::Date;
use jiff::{SignedDuration, Span, SpanRelativeTo, Timestamp, ToSpan as _, Unit};

use super::request::PolicyRequest;
use super::session::Session;
use pinfast_base::error::{Error, Result};
use pinfast_inputs::{FileOption, FileOptionKind, FormatControl};
use pinfast_lock::CurrentOption;
use pinfast_packaging::PackageName;
use pinfast_settings::Setting;
use pinfast_solve::{PackageSet, Policy, PrereleaseMode};

/// What the request says, else the settings.
pub(super) fn settled(request: &PolicyRequest, session: &Session) -> Result<PolicyRequest> {
    let settings = &session.settings;
    let mut settled = request.clone();
    if settled.resolution.is_none() {
        settled.resolution = parsed(settings.resolution.as_ref())?;
    }
    if settled.prerelease.is_none() {
        settled.prerelease = parsed(settings.prerelease.as_ref())?;
    }
    if settled.exclude_newer.is_none() {
        settled.exclude_newer = settings.exclude_newer.as_ref().map(|instant| instant.value.clone());
    }
    if settings.no_build.as_ref().is_some_and(|no_build| no_build.value) {
        settled.no_build = Some(());
    }
    if settled.allow_build.is_empty() {
        settled.allow_build = names(&settings.allow_build)?;
    }
    if settled.no_binary.is_empty() {
        settled.no_binary.extend(settings.no_binary.iter().map(|control| control.value.clone()));
    }
    if settled.only_binary.is_empty() {
        settled.only_binary.extend(settings.only_binary.iter().map(|control| control.value.clone()));
    }
    Ok(settled)
}

/// The policy of a settled request, with what the inputs' options add.
pub(super) fn policy(settled: &PolicyRequest, options: &[FileOption], session: &Session) -> Result<Policy> {
    let exclude_newer = settled.exclude_newer.as_deref().map(|text| instant(text, Timestamp::now()));
    let mut policy = Policy {
        resolution: settled.resolution.unwrap_or_default(),
        prerelease: settled.prerelease.unwrap_or_default(),
        exclude_newer: exclude_newer.transpose()?,
        ..Policy::default()
    };
    for (name, mode) in &session.settings.prerelease_of {
        policy.prerelease_packages.insert(name.clone(), mode.parse()?.value);
    }
    for (name, text) in &session.settings.exclude_newer_of {
        let limit = instant(&text.value, Timestamp::now()).map_err(|error| text.place.error(error))?;
        policy.exclude_newer_packages.insert(name.clone(), limit);
    }
    for option in options {
        match &option.kind {
            FileOptionKind::NoBinary(control) => add(&mut policy.no_binary, control),
            FileOptionKind::OnlyBinary(control) => add(&mut policy.only_binary, control),
            FileOptionKind::Pre if settled.prerelease.is_none() => policy.prerelease = PrereleaseMode::Allow,
            _ => {}
        }
    }
    settled.no_binary.iter().for_each(|control| add(&mut policy.no_binary, control));
    settled.only_binary.iter().for_each(|control| add(&mut policy.only_binary, control));
    Ok(policy)
}

/// The options of a settled request that shape the result; the default has no value.
pub(super) fn shaping(settled: &PolicyRequest) -> Vec<CurrentOption> {
    let option = |name: &str, values| CurrentOption { name: name.to_owned(), values };
    let controls = |controls: &[FormatControl]| controls.iter().map(ToString::to_string).collect::<Vec<_>>();
    let mut options = Vec::new();
    options.extend(settled.resolution.map(|mode| option("resolution", unless_default(mode))));
    options.extend(settled.prerelease.map(|mode| option("prerelease", unless_default(mode))));
    options.extend(settled.exclude_newer.iter().map(|text| option("exclude-newer", vec![text.clone()])));
    options.push(option("no-binary", controls(&settled.no_binary)));
    options.push(option("only-binary", controls(&settled.only_binary)));
    options.extend(settled.no_build.map(|()| option("no-build", vec![String::new()])));
    options.push(option("allow-build", settled.allow_build.iter().map(ToString::to_string).collect()));
    options.retain(|option| !(ADDING.contains(&option.name.as_str()) && option.values.is_empty()));
    options
}

/// The options that add packages: one that adds none says nothing.
const ADDING: [&str; 3] = ["no-binary", "only-binary", "allow-build"];

fn names(settings: &[Setting<String>]) -> Result<Vec<PackageName>> {
    settings
        .iter()
        .map(|name| PackageName::new(&name.value).map_err(|error| name.place.error(error)))
        .collect()
}

/// What only settings can say of single packages: always compared, since no flag stands in for it.
pub(super) fn of_packages(session: &Session) -> [CurrentOption; 2] {
    let option = |name: &str, of: &BTreeMap<PackageName, Setting<String>>| CurrentOption {
        name: name.to_owned(),
        values: of.iter().map(|(package, placed)| format!("{package} = {}", placed.value)).collect(),
    };
    let settings = &session.settings;
    [option("prerelease-of", &settings.prerelease_of), option("exclude-newer-of", &settings.exclude_newer_of)]
}

fn unless_default<T: Default + PartialEq + Display>(value: T) -> Vec<String> {
    if value == T::default() { Vec::new() } else { vec![value.to_string()] }
}

/// A setting whose text this room or another understands.
pub(super) fn parsed<T: FromStr<Err: Display>>(setting: Option<&Setting<String>>) -> Result<Option<T>> {
    setting.map(|placed| placed.parse().map(|placed| placed.value)).transpose()
}

/// Later words add to earlier ones; `:none:` takes all back, as with pip.
fn add(set: &mut PackageSet, control: &FormatControl) {
    match (control, &mut *set) {
        (FormatControl::None, _) => *set = PackageSet::None,
        (FormatControl::All, _) => *set = PackageSet::All,
        (FormatControl::Packages(_), PackageSet::All) => {}
        (FormatControl::Packages(names), PackageSet::Only(set)) => set.extend(names.iter().cloned()),
        (FormatControl::Packages(names), PackageSet::None) => {
            *set = PackageSet::Only(names.iter().cloned().collect());
        }
    }
}

/// The instant before which files must have been uploaded: `2026-02-01` means to the end of that day in
/// UTC; an instant means itself; an age (`7 days`, `P1W`) is counted back from `now`.
pub(super) fn instant(text: &str, now: Timestamp) -> Result<Timestamp> {
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
    // A day of an age is 24 hours and a week 7 days: no calendar is at hand, and none is needed.
    let seconds = age.total((Unit::Second, SpanRelativeTo::days_are_24_hours())).map_err(|_| wrong())?;
    let back = SignedDuration::try_from_secs_f64(seconds.abs()).map_err(|_| wrong())?;
    now.checked_sub(back).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_a_date_an_instant_or_an_age() {
        let now: Timestamp = "2026-03-10T12:00:00Z".parse().unwrap();
        for (text, expected) in [
            ("2026-02-01", "2026-02-02T00:00:00Z"),
            ("2026-02-01T10:00:00Z", "2026-02-01T10:00:00Z"),
            ("7 days", "2026-03-03T12:00:00Z"),
            ("P1W", "2026-03-03T12:00:00Z"),
            ("12 hours", "2026-03-10T00:00:00Z"),
        ] {
            assert_eq!(instant(text, now).unwrap(), expected.parse().unwrap(), "{text}");
        }
        assert!(instant("yesterday", now).is_err());
        assert!(instant("2026-02-31", now).is_err());
    }
}

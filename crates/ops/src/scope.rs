//! For which environments a request wants a lock: some targets, or all.

use super::request::TargetRequest;
use super::session::Session;
use super::targets;
use pinfast_base::error::{Error, Result};
use pinfast_inputs::Inputs;
use pinfast_lock::{CurrentOption, Header};
use pinfast_packaging::{NEWEST_MINOR, Platform, Target, Version};

/// The environments that are meant.
#[derive(Clone, Debug)]
pub enum LockScope {
    /// These.
    Targets(Vec<Target>),
    /// All with this version of Python or a later one.
    Universal(Version),
}

/// The environments that `request` means; the lowest Python of a universal lock is what it names, else
/// what the inputs require, else the interpreter's.
///
/// # Errors
/// `NoAnswer` when the interpreter is needed and there is none.
pub fn scope(request: &TargetRequest, inputs: &Inputs, session: &Session) -> Result<LockScope> {
    if !is_universal(request, session) {
        return targets::targets(request, session).map(LockScope::Targets);
    }
    if let Some(lowest) = lowest(request, inputs, session) {
        return Ok(LockScope::Universal(lowest));
    }
    let probe = &session.interpreter(request.python.as_deref())?.probe;
    let own: Version = probe
        .markers
        .python_version
        .parse()
        .map_err(|error| Error::no_answer("the interpreter's version cannot be read").because(error))?;
    Ok(LockScope::Universal(own))
}

/// The same, where no interpreter is needed to tell.
pub(super) fn known(request: &TargetRequest, inputs: &Inputs, session: &Session) -> Option<LockScope> {
    if is_universal(request, session) {
        return lowest(request, inputs, session).map(LockScope::Universal);
    }
    targets::declared(request, session).map(LockScope::Targets)
}

/// Flags outdo settings, of which a flag that names a platform or an interpreter takes back this one.
fn is_universal(request: &TargetRequest, session: &Session) -> bool {
    let by_settings = session.settings.universal.as_ref().is_some_and(|universal| universal.value);
    let otherwise = request.python.is_some() || !request.platforms.is_empty();
    request.universal.is_some() || (by_settings && !otherwise)
}

fn lowest(request: &TargetRequest, inputs: &Inputs, session: &Session) -> Option<Version> {
    let required = || inputs.requires_python.as_ref().and_then(|python| python.lower_bound()).cloned();
    targets::versions(request, session).into_iter().min().or_else(required)
}

/// The options that a universal lock remembers: the flag, and its lowest Python.
const OPTIONS: [&str; 2] = ["universal", "python-version"];

impl LockScope {
    /// The targets, where there are some.
    pub(super) fn targets(&self) -> Option<&[Target]> {
        match self {
            Self::Targets(targets) => Some(targets),
            Self::Universal(_) => None,
        }
    }

    /// What a lock remembers of it besides targets.
    pub(super) fn options(&self) -> Vec<CurrentOption> {
        let Self::Universal(lowest) = self else { return Vec::new() };
        let values = [String::new(), lowest.to_string()];
        let options = OPTIONS.into_iter().zip(values);
        options.map(|(name, value)| CurrentOption { name: name.to_owned(), values: vec![value] }).collect()
    }
}

/// The usual environments of a universal lock; none of another one.
pub(super) fn environments(header: &Header) -> Vec<Target> {
    let said = |option: &str| header.options.iter().find(|(name, _)| name == option).map(|(_, value)| value);
    let lowest = said(OPTIONS[0]).and(said(OPTIONS[1])).and_then(|lowest| lowest.parse::<Version>().ok());
    let Some(lowest) = lowest else { return Vec::new() };
    let later = (0..=NEWEST_MINOR).map(|minor| Version::new([3, minor])).filter(|python| *python > lowest);
    let pythons: Vec<_> = std::iter::once(lowest.clone()).chain(later).collect();
    let platforms =
        ["linux", "macos", "windows"].into_iter().filter_map(|name| name.parse::<Platform>().ok());
    platforms
        .flat_map(|platform| {
            pythons.iter().map(move |python| Target::declared(python, &platform)).collect::<Vec<_>>()
        })
        .collect()
}

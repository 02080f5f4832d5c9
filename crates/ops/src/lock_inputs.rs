//! What a request for a lock asks once inputs and settings are read, and the lock that is there already.

use super::lock::{LockRequest, Upgrade};
use super::pins::Hashes;
use super::request::{LockPlace, PolicyRequest};
use super::saved_fixes::EditedInputs;
use super::scope::LockScope;
use super::session::Session;
use super::{fingerprint, policy};
use pinfast_base::error::{Error, Result};
use pinfast_files as files;
use pinfast_inputs::{self as inputs, Extras, InputRequest, Inputs};
use pinfast_lock::{Header, Lock, ParsedLock, ResolutionInputs};
use pinfast_packaging::ExtraName;
use pinfast_settings::Setting;
use pinfast_solve::Preferences;

/// What is asked.
pub(super) struct LockInputs {
    /// The inputs that are meant.
    wanted: InputRequest,
    /// What they say.
    pub(super) inputs: Inputs,
    /// The policy that flags and settings make.
    pub(super) settled: PolicyRequest,
    /// Which hashes are written.
    pub(super) hashes: Hashes,
    /// The lock that was there before.
    pub(super) before: ExistingLock,
}

impl LockInputs {
    /// Reads the inputs and the lock that `request` names.
    ///
    /// # Errors
    /// `Usage` when one of them, or a setting, makes no sense.
    pub(super) fn read(request: &LockRequest, session: &Session) -> Result<Self> {
        let wanted = with_settings(&request.inputs, session)?;
        let inputs = inputs::read(&wanted, &EditedInputs::new(&request.edited, session))?;
        inputs.warnings.iter().for_each(|warning| session.warn(warning.clone()));
        let before = ExistingLock::read(&request.place, session)?;
        let settled = policy::settled(&request.policy, session)?;
        let hashes_by_settings = policy::parsed(session.settings.hashes.as_ref())?;
        let hashes = request.hashes.or(hashes_by_settings).unwrap_or_default();
        Ok(Self { wanted, inputs, settled, hashes, before })
    }

    /// What a lock for `scope` remembers of it, in the form in which it is compared.
    pub(super) fn current(&self, scope: &LockScope, session: &Session) -> ResolutionInputs {
        let mut current =
            fingerprint::current(&self.wanted, &self.inputs, &self.settled, scope.targets(), session);
        current.options.extend(scope.options());
        current
    }

    /// The header of a lock of `current`.
    pub(super) fn header(&self, current: &ResolutionInputs) -> Header {
        let mut header = current.header();
        if self.hashes == Hashes::Targets {
            header.options.push(("hashes".to_owned(), "targets".to_owned()));
            header.options.sort();
        }
        header
    }
}

/// The lock that was there before, if it can be read as one at all.
#[derive(Default)]
pub(super) struct ExistingLock {
    pub(super) text: Option<String>,
    pub(super) parsed: Option<ParsedLock>,
}

impl ExistingLock {
    fn read(place: &LockPlace, session: &Session) -> Result<Self> {
        let LockPlace::File(path) = place else { return Ok(Self::default()) };
        let path = session.env.current_dir().join(path);
        if path.is_dir() {
            return Ok(Self::default());
        }
        let text = files::read_optional(&path)?;
        let parsed = text.as_ref().map(|text| ParsedLock::read(text, &path.to_string_lossy())).transpose()?;
        Ok(Self { text, parsed })
    }

    /// The lock.
    pub(super) fn lock(&self) -> Option<&Lock> {
        self.parsed.as_ref().map(|parsed| &parsed.lock)
    }

    /// Its pins, as far as they are not to be upgraded.
    pub(super) fn preferences(&self, upgrade: &Upgrade) -> Preferences {
        upgrade.preferences(self.lock().iter().flat_map(|lock| &lock.pins))
    }
}

/// The inputs that are meant: where the request names none, the settings', then the usual ones.
pub(super) fn with_settings(request: &InputRequest, session: &Session) -> Result<InputRequest> {
    let settings = &session.settings;
    let mut wanted = request.clone();
    if wanted.inputs.is_empty() {
        let usual = ["requirements.in", "pyproject.toml"];
        let found = usual.iter().find(|name| session.env.current_dir().join(name).is_file());
        let found = found.ok_or_else(|| {
            Error::usage("there is no requirements.in and no pyproject.toml here")
                .hint("name the inputs: `pinfast lock FILE`; or write what the application needs, a line a package, into requirements.in")
        })?;
        wanted.inputs.push((*found).to_owned());
    }
    let paths = |named: &[Setting<String>]| {
        let absolute = |path| settings.path(path, &session.env).to_string_lossy().into_owned();
        named.iter().map(|path| fingerprint::file_name(&absolute(path), session)).collect::<Vec<_>>()
    };
    if wanted.constraints.is_empty() {
        wanted.constraints = paths(&settings.constraints);
    }
    if wanted.overrides.is_empty() {
        wanted.overrides = paths(&settings.overrides);
    }
    if wanted.extras == Extras::default() {
        wanted.extras = match &settings.all_extras {
            Some(all) if all.value => Extras::All,
            _ => Extras::Named(names(&settings.extras)?),
        };
    }
    if wanted.groups.is_empty() {
        wanted.groups = names(&settings.groups)?;
    }
    Ok(wanted)
}

fn names(settings: &[Setting<String>]) -> Result<Vec<ExtraName>> {
    settings.iter().map(|name| ExtraName::new(&name.value).map_err(|error| name.place.error(error))).collect()
}

//! Everything that determines a lock before an index is used: settings, inputs and the existing lock.

use std::cell::OnceCell;
use std::path::PathBuf;

use super::edited_inputs::EditedInputs;
use super::fingerprint;
use super::lock_settings::{IndexSettings, LockSettings};
use super::pins::Hashes;
use super::request::{LockPlace, LockRequest, Upgrade};
use super::scope::LockScope;
use super::session::Session;
use pinfast_base::error::Result;
use pinfast_files as files;
use pinfast_inputs::Inputs;
use pinfast_lock::{Header, Lock, ParsedLock, ResolutionInputs};
use pinfast_solve::Preferences;

/// A lock request with its options merged and its files read.
pub(super) struct LockInputs {
    pub(super) place: LockPlace,
    pub(super) upgrade: Upgrade,
    pub(super) settings: LockSettings,
    pub(super) indexes: IndexSettings,
    pub(super) inputs: Inputs,
    pub(super) existing: ExistingLock,
    scope: OnceCell<LockScope>,
}

impl LockInputs {
    /// Merges the options, and reads the inputs and the existing lock.
    ///
    /// # Errors
    /// `Usage` for a file that cannot be read, or an invalid setting.
    pub(super) fn read(request: &LockRequest, session: &Session) -> Result<Self> {
        let texts = EditedInputs::new(&request.edited, session);
        let (settings, inputs) = LockSettings::read(&request.arguments(), None, &texts, session)?;
        inputs.warnings.iter().for_each(|warning| session.warn(warning.clone()));
        Ok(Self {
            place: request.place.clone(),
            upgrade: request.upgrade.clone(),
            settings,
            indexes: IndexSettings::merge(&request.indexes, &inputs.options, session),
            existing: ExistingLock::read(&request.place, session)?,
            inputs,
            scope: OnceCell::new(),
        })
    }

    /// The environments that the lock is for. Determined once, since it may start an interpreter.
    ///
    /// # Errors
    /// `NoAnswer` if an interpreter is needed and none is found.
    pub(super) fn scope(&self, session: &Session) -> Result<&LockScope> {
        if let Some(scope) = self.scope.get() {
            return Ok(scope);
        }
        let scope = LockScope::determine(&self.settings.targets, &self.inputs, session)?;
        Ok(self.scope.get_or_init(|| scope))
    }

    /// What the lock for `scope` will record, for comparison with an older one.
    pub(super) fn fingerprint(&self, scope: &LockScope, session: &Session) -> ResolutionInputs {
        fingerprint::fingerprint(&self.settings, &self.inputs, Some(scope), session)
    }

    /// The header of the lock with this `fingerprint`.
    pub(super) fn header(&self, fingerprint: &ResolutionInputs) -> Header {
        let mut header = fingerprint.header();
        if self.settings.writing.hashes.value == Hashes::Targets {
            header.options.push(("hashes".to_owned(), "targets".to_owned()));
            header.options.sort();
        }
        header
    }

    /// The pins of the existing lock that are not to be upgraded.
    pub(super) fn preferences(&self) -> Preferences {
        self.upgrade.preferences(self.existing.lock().iter().flat_map(|lock| &lock.pins))
    }

    /// The absolute path of the lock's file.
    pub(super) fn lock_path(&self, session: &Session) -> Option<PathBuf> {
        match &self.place {
            // `components` drops the `.` of `./requirements.txt`, so one file has one path.
            LockPlace::File(path) => Some(session.env.current_dir().join(path).components().collect()),
            LockPlace::StandardOutput => None,
        }
    }
}

/// The lock that a run replaces, if there is one that can be parsed.
#[derive(Default)]
pub(super) struct ExistingLock {
    pub(super) text: Option<String>,
    pub(super) parsed: Option<ParsedLock>,
}

impl ExistingLock {
    fn read(place: &LockPlace, session: &Session) -> Result<Self> {
        let LockPlace::File(path) = place else { return Ok(Self::default()) };
        let path = session.env.current_dir().join(path);
        // Writing to it will fail with a better message.
        if path.is_dir() {
            return Ok(Self::default());
        }
        let text = files::read_optional(&path)?;
        let parsed = text.as_ref().map(|text| ParsedLock::read(text, &path.to_string_lossy())).transpose()?;
        Ok(Self { text, parsed })
    }

    /// The lock as data.
    pub(super) fn lock(&self) -> Option<&Lock> {
        self.parsed.as_ref().map(|parsed| &parsed.lock)
    }
}

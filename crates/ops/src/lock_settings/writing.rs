//! What a lock's file holds besides its pins: which hashes, and whether the dependents of each pin.

use super::{argument, parse_setting};
use crate::pins::Hashes;
use crate::session::Session;
use pinfast_base::error::Result;
use pinfast_lock::Annotations;
use pinfast_settings::{Origin, Sourced};

/// The arguments that decide how a lock is written.
#[derive(Clone, Debug, Default)]
pub struct WritingRequest {
    /// `--hashes`
    pub hashes: Option<Hashes>,
    /// `--no-annotate`
    pub annotations: Option<Annotations>,
}

/// The merged options that decide how a lock is written.
pub(crate) struct WritingSettings {
    pub(crate) hashes: Sourced<Hashes>,
    pub(crate) annotations: Sourced<Annotations>,
}

impl WritingSettings {
    /// Merges the arguments and the settings file.
    ///
    /// # Errors
    /// `Usage` for a setting that is not valid.
    pub(super) fn merge(given: &WritingRequest, session: &Session) -> Result<Self> {
        let settings = &session.settings;
        let annotate = settings.annotate.as_ref().map(|annotate| {
            let value = if annotate.value { Annotations::Via } else { Annotations::Off };
            Sourced::new(value, annotate.origin())
        });
        Ok(Self {
            hashes: match argument("--hashes", given.hashes) {
                Some(hashes) => hashes,
                None => parse_setting(settings.hashes.as_ref())?.unwrap_or_default(),
            },
            annotations: argument("--no-annotate", given.annotations)
                .or(annotate)
                .unwrap_or(Sourced::new(Annotations::Via, Origin::Default)),
        })
    }
}

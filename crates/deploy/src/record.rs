//! The lines of the journal, as data.

use serde::{Deserialize, Serialize};

use super::id::ReleaseId;
use pinfast_settings::SmokeTest;

/// The form of the journal that this pinfast writes, and the newest that it reads.
pub(super) const SCHEMA: u32 = 1;

/// The journal's first line.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Head {
    pub(super) schema: u32,
}

/// A line of the journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    /// When, as the clock of then said: for people, never for order.
    pub(super) at: String,
    /// Who: the user and the process.
    pub(super) by: String,
    #[serde(flatten)]
    pub(super) what: What,
}

/// What happened, or is about to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub(super) enum What {
    /// A release is about to be built.
    Begin(Begin),
    /// A step is about to be taken.
    Step { release: ReleaseId, step: String },
    /// It is built, and passed its smoke tests.
    Ready { release: ReleaseId },
    /// `current` is about to point to it.
    Switch { release: ReleaseId, way: Way },
    /// `current` points to it.
    Live { release: ReleaseId },
    /// It was restarted, and its health is good.
    Passed { release: ReleaseId },
    /// `current` points again to where it pointed before the switch to it.
    Back { release: ReleaseId },
    /// It is not to be used.
    Failed { release: ReleaseId, why: String },
    /// Its folder is about to be removed.
    Remove { release: ReleaseId },
    /// Its folder is gone.
    Removed { release: ReleaseId },
}

/// A release is about to be built: all that must be known of it later, whatever the settings say then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Begin {
    pub(super) release: ReleaseId,
    /// The full name of the commit.
    pub(super) commit: String,
    /// The lock's file in the release.
    pub(super) lock_file: String,
    /// The lock's SHA-256, in hexadecimal.
    pub(super) lock: String,
    /// The environment's folder in the release.
    pub(super) venv: String,
    /// Its smoke tests, in the spelling of the settings.
    pub(super) smoke: Vec<String>,
}

/// Which way a switch goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Way {
    /// To a new release.
    Forth,
    /// To one that was live before.
    Back,
}

impl Begin {
    /// The smoke tests; one that cannot be read was written by a newer pinfast.
    pub(super) fn smoke(&self) -> Result<Vec<SmokeTest>, String> {
        self.smoke.iter().map(|text| text.parse()).collect()
    }
}

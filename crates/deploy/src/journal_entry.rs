//! The lines of the journal: JSON objects, one a line. Their names on the disk never change; a new form would
//! raise [`JOURNAL_SCHEMA`].

use serde::{Deserialize, Serialize};

use super::id::ReleaseId;
use pinfast_settings::SmokeTest;

/// The version of the journal's form that this pinfast writes, and the newest that it reads.
pub(super) const JOURNAL_SCHEMA: u32 = 1;

/// The first line.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct JournalHeader {
    pub(super) schema: u32,
}

/// Each other line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct JournalEntry {
    /// The time by the clock of that moment: for people, never for order.
    pub(super) at: String,
    /// The user who ran the command.
    pub(super) by: String,
    #[serde(flatten)]
    pub(super) event: JournalEvent,
}

/// What happened to a release, or is about to; the table in the crate's head has the details.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub(super) enum JournalEvent {
    /// It is about to be built.
    Begin(ReleaseManifest),
    /// A step is about to start; `step` is for people.
    Step { release: ReleaseId, step: String },
    /// It is built and passed its smoke tests.
    Ready { release: ReleaseId },
    /// `current` is about to point to it.
    Switch {
        release: ReleaseId,
        #[serde(rename = "way")]
        direction: Direction,
    },
    /// `current` points to it.
    Live { release: ReleaseId },
    /// The service was restarted, and its health check passed.
    #[serde(rename = "passed")]
    Healthy { release: ReleaseId },
    /// The switch to it was undone: `current` points where it pointed before.
    #[serde(rename = "back")]
    SwitchedBack { release: ReleaseId },
    /// It must not be used.
    Failed {
        release: ReleaseId,
        #[serde(rename = "why")]
        reason: String,
    },
    /// Its folder is about to be removed.
    Remove { release: ReleaseId },
    /// Its folder is gone.
    Removed { release: ReleaseId },
}

/// What must be known of a release later, whatever the settings are then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ReleaseManifest {
    pub(super) release: ReleaseId,
    /// The full hash of the commit.
    pub(super) commit: String,
    /// The path of the lock in the release.
    pub(super) lock_file: String,
    /// The SHA-256 of the lock, in hexadecimal.
    pub(super) lock: String,
    /// The path of the environment in the release.
    pub(super) venv: String,
    /// Its smoke tests, spelled as in the settings.
    pub(super) smoke: Vec<String>,
}

/// The direction of a switch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Direction {
    /// A deploy: to a new release.
    #[serde(rename = "forth")]
    Forward,
    /// A rollback: to a release that was live before.
    Back,
}

impl ReleaseManifest {
    /// The smoke tests. One that cannot be parsed was written by a newer pinfast.
    pub(super) fn smoke_tests(&self) -> Result<Vec<SmokeTest>, String> {
        self.smoke.iter().map(|text| text.parse()).collect()
    }
}

//! What happens during a run, as plain data. `ui.rs` of the command line turns it into text and progress.

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A request was sent.
    RequestSent,
    /// A request got its response, or failed after all retries.
    RequestDone,
    /// This many bytes of response bodies arrived.
    BytesReceived(u64),
    /// This many of them were of package files.
    FileBytesReceived(u64),
    /// Package files will be fetched.
    FilesWanted {
        /// How many.
        files: usize,
        /// Their total size, if every size is known.
        bytes: Option<u64>,
    },
    /// The fetch of a package file began.
    FileBegun {
        /// Its size in bytes, if known.
        size: Option<u64>,
    },
    /// The fetch of a package file ended, with success or without.
    FileDone,
    /// The progress of the solver.
    Solving {
        /// How many packages it has seen.
        met: usize,
        /// How many have a chosen version.
        decided: usize,
    },
    /// A long search: the choices that exclude each other.
    Deciding {
        /// The release that is being tried, such as `numba 0.60`.
        tried: String,
        /// The choice that conflicts with it.
        against: String,
        /// How many conflicting releases were tried so far.
        tries: usize,
    },
    /// A step of a longer job began.
    Step(String),
    /// A step of a deployment began.
    Stage {
        /// The name: one word.
        name: &'static str,
        /// What it works on.
        what: String,
    },
    /// Something that a person should know; a sentence without a full stop.
    Warning(String),
    /// A detail for `--verbose`.
    Detail(String),
}

/// Receives events, from any thread: it must be quick.
pub trait Watcher: Send + Sync {
    /// Handles `event`.
    fn on(&self, event: Event);

    /// Whether the caller has cancelled: a solve then ends at its next step.
    fn cancelled(&self) -> bool {
        false
    }
}

/// A watcher that ignores everything.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unwatched;

impl Watcher for Unwatched {
    fn on(&self, _event: Event) {}
}

/// `1 file`, `2 files`: for the sentences of events and reports.
#[must_use]
pub fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

//! What happens during a run, as plain data; reporters in the shell turn it into text.

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A request was sent.
    RequestSent,
    /// A request has its answer, or none after all retries.
    RequestDone,
    /// So many bytes of bodies arrived.
    BytesReceived(u64),
    /// So many of them were of files of packages.
    FileBytesReceived(u64),
    /// So many files of packages will be fetched.
    FilesWanted {
        /// How many.
        files: usize,
        /// Their size together, where every one's is known.
        bytes: Option<u64>,
    },
    /// A file of a package is being fetched.
    FileBegun {
        /// Its size in bytes, where known.
        size: Option<u64>,
    },
    /// A file of a package was fetched, or could not be.
    FileDone,
    /// The solver has met so many packages and decided so many.
    Solving {
        /// Packages met.
        met: usize,
        /// Packages with a version chosen.
        decided: usize,
    },
    /// A long search: what it is deciding between.
    Deciding {
        /// The release that is being tried, such as `numba 0.60`.
        tried: String,
        /// The choice that is at odds with it.
        against: String,
        /// How many releases were tried so far that were at odds with another choice.
        tries: usize,
    },
    /// A step of a longer job began.
    Step(String),
    /// A step of a deployment began: its name, and what it does it with.
    Stage {
        /// The name: one word.
        name: &'static str,
        /// With what.
        what: String,
    },
    /// Something that a person should know; a sentence without a full stop.
    Warning(String),
    /// A detail for `--verbose`.
    Detail(String),
}

/// Who is told of events; called from any thread, so it must be quick.
pub trait Watcher: Send + Sync {
    /// Takes note of `event`.
    fn on(&self, event: Event);

    /// Whether the answer is no longer wanted: a solve then ends at its next step.
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

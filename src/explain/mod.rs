//! Why there is no solution, and what to do: a failure of the solver -> a few plain sentences that name the
//! user's own lines, and fixes that were tried and do resolve.
//!
//! The rooms, in the order in which a failure goes through them: `core.rs` takes away every line that the
//! conflict does not need, by solving again (`lab.rs`); `web.rs` looks at the proof's facts as a web of
//! packages, and `cause.rs` picks the few that contradict each other; `tree.rs` and `sentences.rs` say it.

mod cause;
mod core;
mod lab;
mod minimal;
mod sentences;
mod span;
mod tree;
mod web;
mod wrap;

pub use self::core::Role;
pub use tree::Branch;

use std::sync::Arc;

use cause::Cause;
use lab::Lab;

use crate::event::Watcher;
use crate::solve::NoSolution;
use crate::spec::{Location, PackageName};

/// Tells whether there is time left; asked often and from several threads.
pub type Budget = Arc<dyn Fn() -> bool + Send + Sync>;

/// What an explanation may use.
#[derive(Clone)]
pub struct ExplainRequest {
    /// How long lines are left out and fixes are tried.
    pub budget: Budget,
    /// Names of packages that there are, as far as known: where a name may have been misspelt.
    pub names: Vec<PackageName>,
}

/// What kind of dead end it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DeadEnd {
    /// Packages need each other in releases that do not go together.
    Conflict,
    /// No index knows the package.
    UnknownPackage,
    /// No release lies in the range.
    NoRelease,
    /// Only pre-releases do.
    OnlyPrereleases,
    /// Only yanked releases do.
    OnlyYanked,
    /// Those that do need another Python.
    RequiresPython,
    /// Those that do have no wheel for the target, and no sdist.
    NoWheel,
    /// Those that do have only sdists, which are barred.
    OnlySdists,
    /// Those that do have only wheels, which are barred.
    OnlyWheels,
    /// Those that do were uploaded too late, or nobody knows when.
    TooNew,
    /// Those that do have no file with a hash that the inputs name.
    NoAllowedHash,
    /// Those that do have metadata that is of no use.
    BrokenMetadata,
    /// One package is wanted from different URLs, or from a URL and in another version.
    Urls,
    /// Two lines of the inputs ask for different releases of one package.
    Lines,
    /// A constraint is at fault.
    Constraint,
    /// An override is at fault.
    Override,
}

/// A line of the user's inputs that a conflict needs.
#[derive(Clone, Debug)]
pub struct CauseLine {
    /// What it does.
    pub role: Role,
    /// Where it stands.
    pub at: Location,
    /// What it says, verbatim.
    pub text: Arc<str>,
    /// What its package needs of others, as far as it matters.
    pub needs: Vec<Branch>,
}

/// Why there is no solution, and what would help.
pub struct Explanation {
    /// The kind of dead end.
    pub kind: DeadEnd,
    /// What is wrong, as one sentence without a full stop.
    pub headline: String,
    /// The lines at fault, by file and line; without one of them there would be a solution.
    pub cause: Vec<CauseLine>,
    /// More that one should know, each a sentence.
    pub notes: Vec<String>,
}

/// How much is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Detail {
    /// What one needs to mend it.
    #[default]
    Short,
    /// Each step of the proof as well.
    Full,
}

/// Explains `failure`.
#[must_use]
pub fn explain(failure: Box<NoSolution>, request: &ExplainRequest, _watcher: &dyn Watcher) -> Explanation {
    let lab = Lab::new(failure.known.index.clone(), request.budget.clone());
    let failure = core::shrink(failure, &lab);
    let cause = Cause::of(&failure);
    let kind = sentences::kind(&cause);
    Explanation {
        kind,
        headline: sentences::headline(&cause, kind),
        cause: tree::lines(&cause),
        notes: sentences::notes(&cause, &request.names),
    }
}

impl Explanation {
    /// Everything below the error line, wrapped at `width` columns; a line of the user is never broken.
    #[must_use]
    pub fn lines(&self, width: usize, _detail: Detail) -> Vec<String> {
        let mut lines = vec![String::new()];
        lines.extend(tree::drawn(&self.cause, width));
        if !self.notes.is_empty() {
            lines.push(String::new());
        }
        self.notes.iter().for_each(|note| lines.extend(wrap::wrapped(note, "  ", "  ", width)));
        lines
    }
}

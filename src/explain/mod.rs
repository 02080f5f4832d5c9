//! Why there is no solution, and what to do: a failure of the solver -> a few plain sentences that name the
//! user's own lines, and fixes that were tried and do resolve.
//!
//! The rooms, in the order in which a failure goes through them: `core.rs` takes away every line that the
//! conflict does not need, by solving again (`lab.rs`); `web.rs` looks at the proof's facts as a web of
//! packages, and `cause.rs` picks the few that contradict each other; `tree.rs` and `sentences.rs` say it.

mod advice;
mod budget;
mod cause;
mod core;
mod fixes;
mod lab;
mod minimal;
mod respell;
mod sentences;
mod span;
mod tree;
mod web;
mod wrap;

pub use self::core::Role;
pub use budget::Budget;
pub use fixes::{Edit, Fix, Found};
pub use tree::Branch;

use std::sync::Arc;
use std::time::Duration;

use cause::Cause;
use lab::Lab;

use crate::event::{Event, Watcher};
use crate::solve::{NoSolution, Problem};
use crate::spec::{Location, PackageName};

/// What an explanation may use.
#[derive(Clone)]
pub struct ExplainRequest {
    /// How long lines are left out and fixes are tried.
    pub budget: Budget,
    /// Names of packages that there are, as far as known: for a name that was misspelt.
    pub names: Vec<PackageName>,
    /// The same inputs under other options: another Python, platform or pre-release mode; of the values of
    /// one option, the most natural first.
    pub alternatives: Vec<Alternative>,
    /// The same inputs for the other targets: a fix must hold for them as well.
    pub others: Vec<Arc<Problem>>,
}

/// The same inputs under another option.
#[derive(Clone)]
pub struct Alternative {
    /// The option with its value, such as `--python-version 3.12`.
    pub option: String,
    /// The problem that the inputs pose then.
    pub problem: Arc<Problem>,
}

impl ExplainRequest {
    /// A request that knows of no other names, options and targets.
    #[must_use]
    pub fn new(budget: Budget) -> Self {
        Self { budget, names: Vec::new(), alternatives: Vec::new(), others: Vec::new() }
    }
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
    /// What would help, and how much was tried.
    pub found: Found,
    /// How many more conflicts there are that have no line in common with this one, as far as known.
    pub more: usize,
    elapsed: Duration,
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

/// Explains `failure`, and tries what would help.
#[must_use]
pub fn explain(failure: Box<NoSolution>, request: &ExplainRequest, watcher: &dyn Watcher) -> Explanation {
    watcher.on(Event::Step("looking for the lines at fault".to_owned()));
    let index = failure.known.index.clone();
    let problem = failure.known.problem.clone();
    let quick = Lab::new(index.clone(), request.budget.part(3));
    let failure = core::shrink(failure, &quick);
    let cause = Cause::of(&failure);
    let more = core::further(&problem, &failure.known.problem, &quick);
    watcher.on(Event::Step("trying what would help".to_owned()));
    let found = fixes::search(&problem, &cause, request, &Lab::new(index, request.budget.clone()));
    let kind = sentences::kind(&cause);
    Explanation {
        kind,
        headline: sentences::headline(&cause, kind),
        cause: tree::lines(&cause),
        notes: sentences::notes(&cause, &request.names),
        found,
        more,
        elapsed: request.budget.elapsed(),
    }
}

impl Explanation {
    /// Everything below the error line, wrapped at `width` columns; a line of the user is never broken.
    #[must_use]
    pub fn lines(&self, width: usize, _detail: Detail) -> Vec<String> {
        let mut lines = vec![String::new()];
        lines.extend(tree::drawn(&self.cause, width));
        let more = (self.more > 0).then(|| sentences::more(self.more));
        let notes: Vec<&String> = self.notes.iter().chain(&more).collect();
        if !notes.is_empty() {
            lines.push(String::new());
        }
        notes.iter().for_each(|note| lines.extend(wrap::wrapped(note, "  ", "  ", width)));
        lines.push(String::new());
        lines.extend(advice::lines(&self.found, self.elapsed, width));
        lines
    }
}

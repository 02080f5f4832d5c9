//! Why there is no solution, and what to do: a failure of the solver -> a few plain sentences that name the
//! user's own lines, and fixes that were tried and do resolve.
//!
//! The rooms, in the order in which a failure goes through them: `core.rs` takes away every line that the
//! conflict does not need, by solving again (`lab.rs`, `budget.rs`); `web.rs` looks at the proof's facts as a
//! web of packages, and `cause.rs` picks the few that contradict each other (`minimal.rs`, `span.rs`);
//! `fixes.rs` tries what would help, in the user's spelling (`respell.rs`), and `reach.rs` tells how far a
//! need goes beyond the user's range. `kind.rs` names the kind of dead end; `sentences.rs`, `hints.rs`,
//! `tree.rs`, `advice.rs` and `steps.rs` say it, `wrap.rs` breaks lines, `json.rs` is for machines.

mod advice;
mod budget;
mod cause;
mod core;
mod fixes;
mod hints;
mod json;
mod kind;
mod lab;
mod minimal;
mod reach;
mod respell;
mod sentences;
mod span;
mod steps;
mod tree;
mod web;
mod wrap;

pub use self::core::Role;
pub use budget::Budget;
pub use fixes::{Edit, Fix, Found};
pub use kind::DeadEnd;
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

/// How many lines of text, blank ones apart, there are before the fixes.
const MOST_LINES: usize = 12;

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
    failure: Box<NoSolution>,
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
    let mut cause = Cause::of(&failure);
    let more = core::further(&problem, &failure.known.problem, &quick);
    watcher.on(Event::Step("trying what would help".to_owned()));
    let lab = Lab::new(index, request.budget.clone());
    let found = fixes::search(&problem, &cause, request, &lab);
    reach::widen(&mut cause, &found, &lab);
    let kind = DeadEnd::of(&cause);
    Explanation {
        kind,
        headline: sentences::headline(&cause, kind),
        cause: tree::lines(&cause),
        notes: hints::notes(&cause, kind, &request.names),
        found,
        more,
        elapsed: request.budget.elapsed(),
        failure,
    }
}

impl Explanation {
    /// Everything below the error line, wrapped at `width` columns; a line of the user is never broken.
    #[must_use]
    pub fn lines(&self, width: usize, detail: Detail) -> Vec<String> {
        let more = (self.more > 0).then(|| sentences::more(self.more));
        let notes = self.notes.iter().chain(&more).flat_map(|note| wrap::wrapped(note, "  ", "  ", width));
        let notes: Vec<String> = notes.take(MOST_LINES / 3).collect();
        let head = wrap::wrapped(&format!("error: {}", self.headline), "", "", width).len();
        let mut lines = vec![String::new()];
        lines.extend(tree::drawn(&self.cause, width, MOST_LINES.saturating_sub(head + notes.len())));
        if !notes.is_empty() {
            lines.push(String::new());
        }
        lines.extend(notes);
        if detail == Detail::Full {
            lines.push(String::new());
            lines.extend(
                steps::steps(&self.failure)
                    .iter()
                    .flat_map(|step| wrap::wrapped(step, "  ", "      ", width)),
            );
        }
        lines.push(String::new());
        lines.extend(advice::lines(&self.found, self.elapsed, width));
        lines
    }
}

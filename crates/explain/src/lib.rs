//! Why there is no solution, and what to do: a failure of the solver -> a few plain sentences that name the
//! user's own lines, and fixes that were tried and do resolve.
//!
//! [`repair`](pinfast_repair) takes away every line and every fact that the conflict does not need; `cause.rs` sees what
//! collides in the rest, `needs.rs` finds the fewest words for what releases need, and `kind.rs` names the kind of dead end. Then `repair` tries what would
//! help, and `reach.rs` sees how far a need goes beyond the user's range. `sentences.rs`, `hints.rs`, `tree.rs`,
//! `advice.rs` and `steps.rs` say it, `json.rs` is for machines.

mod advice;
mod cause;
mod hints;
mod json;
mod kind;
mod needs;
mod reach;
mod sentences;
mod steps;
mod tree;

pub use kind::DeadEnd;
pub use pinfast_repair::{Alternative, Budget, Edit, Fix, Found, OptionValue, of_targets};
pub use tree::Branch;

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use cause::Cause;

use pinfast_base::event::{Event, Watcher};
use pinfast_base::text::wrap;
use pinfast_packaging::{Location, Role};
use pinfast_repair::{self as repair, Lab, Wider};
use pinfast_solve::{NoSolution, Problem};

/// What an explanation may use.
#[derive(Clone)]
pub struct ExplainRequest {
    /// How long lines are left out and fixes are tried.
    pub budget: Budget,
    /// The same inputs for other targets: another Python or platform; of the values of one option, the most
    /// natural first. See [`of_targets`].
    pub alternatives: Vec<Alternative>,
    /// The same inputs for the other targets: a fix must hold for them as well.
    pub others: Vec<Arc<Problem>>,
}

impl ExplainRequest {
    /// A request that knows of no other options and targets.
    #[must_use]
    pub fn new(budget: Budget) -> Self {
        Self { budget, alternatives: Vec::new(), others: Vec::new() }
    }
}

/// How many lines of text, blank ones apart, there are before the fixes.
const MOST_LINES: usize = 12;

/// A line of the user's inputs that a conflict needs.
#[derive(Clone, Debug, Serialize)]
pub struct CauseLine {
    /// What it does.
    pub role: Role,
    /// Where it stands.
    #[serde(flatten)]
    pub at: Location,
    /// What it says, verbatim.
    pub text: Arc<str>,
    /// What its package needs of others, as far as it matters.
    #[serde(skip)]
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
    let known = failure.index.clone();
    let quick = Lab { index: known.source.clone(), budget: request.budget.part(3) };
    let failure = repair::shrink(failure, &quick);
    let mut cause = Cause::of(&failure);
    let more = repair::further(&known.problem, cause.places(), &quick);
    watcher.on(Event::Step("trying what would help".to_owned()));
    let lab = Lab { budget: request.budget.clone(), ..quick };
    let wider = Wider { alternatives: &request.alternatives, others: &request.others };
    let found = repair::search(&known, &cause.places(), cause.names(), wider, &lab);
    reach::widen(&mut cause, &found, &lab);
    let kind = DeadEnd::of(&cause);
    Explanation {
        kind,
        headline: sentences::headline(&cause, kind),
        cause: tree::lines(&cause),
        notes: hints::notes(&cause, kind, &known),
        found,
        more,
        elapsed: request.budget.elapsed(),
        failure,
    }
}

impl Explanation {
    /// All of it, from the error line on, wrapped at `width` columns; a line of the user is never broken.
    #[must_use]
    pub fn lines(&self, width: usize, detail: Detail) -> Vec<String> {
        let more = match self.more {
            0 => None,
            1 => Some("1 more conflict remains.".to_owned()),
            more => Some(format!("{more} more conflicts remain.")),
        };
        let notes = self.notes.iter().chain(&more).flat_map(|note| wrap(note, "  ", "  ", width));
        let notes: Vec<String> = notes.take(MOST_LINES / 3).collect();
        let mut lines = wrap(&self.headline, "error: ", "  ", width);
        let room = MOST_LINES.saturating_sub(lines.len() + notes.len());
        let mut paragraph = |mut text: Vec<String>| {
            if !text.is_empty() {
                lines.push(String::new());
                lines.append(&mut text);
            }
        };
        paragraph(tree::drawn(&self.cause, width, room));
        paragraph(notes);
        if detail == Detail::Full {
            let steps = steps::steps(&self.failure);
            paragraph(steps.iter().flat_map(|step| wrap(step, "  ", "      ", width)).collect());
        }
        paragraph(advice::lines(&self.found, self.elapsed, width));
        lines
    }
}

#[cfg(test)]
mod tests;

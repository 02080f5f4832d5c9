//! A failed solve -> why there is no solution, in a few plain sentences that quote the user's own lines, and fixes that were
//! tried.
//!
//! 1. [`repair`](pinfast_repair) shrinks the lines and then the facts of the proof to a minimal core.
//! 2. `conflict` finds the package on which the core clashes; `dependencies` groups releases that need the same;
//!    `conflict_kind` names the kind.
//! 3. `repair` searches for fixes; `lower_bound` sees how far below the user's range a dependency reaches.
//! 4. `sentences`, `hints`, `tree`, `fix_text` and `proof_text` write the text, `json` the JSON.

mod conflict;
mod conflict_kind;
mod dependencies;
mod fix_text;
mod hints;
mod json;
mod lower_bound;
mod proof_text;
mod sentences;
mod tree;

pub use conflict_kind::ConflictKind;
pub use pinfast_repair::{Alternative, Budget, Edit, Fix, FixReport, OptionValue, target_alternatives};
pub use tree::Branch;

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use conflict::Conflict;

use pinfast_base::event::{Event, Watcher};
use pinfast_base::text::wrap;
use pinfast_packaging::{Location, Role};
use pinfast_repair::{self as repair, FixContext, TrialSolver};
use pinfast_solve::{NoSolution, Problem};

/// How much time an explanation may take, and what else may be changed to get a solution.
#[derive(Clone)]
pub struct ExplainRequest {
    /// How long the search for the core and for fixes may take.
    pub budget: Budget,
    /// The same inputs for other targets; of several values of one option, the most natural first. See
    /// [`target_alternatives`].
    pub alternatives: Vec<Alternative>,
    /// The same inputs for the other targets of the same lock: a fix must solve these, too.
    pub others: Vec<Arc<Problem>>,
}

impl ExplainRequest {
    /// A request for a lock with one target, without alternatives to it.
    #[must_use]
    pub fn new(budget: Budget) -> Self {
        Self { budget, alternatives: Vec::new(), others: Vec::new() }
    }
}

/// At most this many lines of text, blank ones apart, precede the fixes.
const MAX_LINES: usize = 12;

/// A line of the user's inputs that the conflict needs.
#[derive(Clone, Debug, Serialize)]
pub struct CauseLine {
    /// What the line does.
    pub role: Role,
    /// The place of the line.
    #[serde(flatten)]
    pub at: Location,
    /// The requirement, verbatim.
    pub text: Arc<str>,
    /// The dependencies of its package, as far as the conflict needs them.
    #[serde(skip)]
    pub needs: Vec<Branch>,
}

/// Why there is no solution, and what would help.
pub struct Explanation {
    /// The kind of conflict.
    pub kind: ConflictKind,
    /// The conflict in one sentence without a full stop.
    pub headline: String,
    /// The lines at fault, by file and line: a minimal core. Without any one of them there would be a solution.
    pub cause: Vec<CauseLine>,
    /// Notes and hints, each a sentence.
    pub notes: Vec<String>,
    /// The fixes, and how much was tried.
    pub fix_report: FixReport,
    /// How many more conflicts there are that share no line with this one, as far as the budget lasted.
    pub further_conflicts: usize,
    elapsed: Duration,
    failure: Box<NoSolution>,
}

/// How much of an explanation is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DetailLevel {
    /// The conflict and the fixes.
    #[default]
    Short,
    /// Each step of the proof as well.
    Full,
}

/// Explains `failure`, and searches for fixes.
#[must_use]
pub fn explain(failure: Box<NoSolution>, request: &ExplainRequest, watcher: &dyn Watcher) -> Explanation {
    watcher.on(Event::Step("looking for the lines at fault".to_owned()));
    let index = failure.index.clone();
    // A core that is not minimal still explains the conflict; without time left for fixes there is none.
    let core_solver = TrialSolver { index: index.source.clone(), budget: request.budget.fraction(3) };
    let failure = repair::minimal_unsat_core(failure, &core_solver);
    let mut conflict = Conflict::of(&failure);
    let further_conflicts =
        repair::count_further_conflicts(&index.problem, conflict.line_set(), &core_solver);
    watcher.on(Event::Step("trying what would help".to_owned()));
    let solver = TrialSolver { budget: request.budget.clone(), ..core_solver };
    let context = FixContext { alternatives: &request.alternatives, others: &request.others };
    let fix_report = repair::find_fixes(&index, &conflict.line_set(), conflict.names(), context, &solver);
    lower_bound::extend_lower_bounds(&mut conflict, &fix_report, &solver);
    let kind = ConflictKind::of(&conflict);
    Explanation {
        kind,
        headline: sentences::headline(&conflict, kind),
        cause: tree::cause_lines(&conflict),
        notes: hints::notes(&conflict, kind, &index),
        fix_report,
        further_conflicts,
        elapsed: request.budget.elapsed(),
        failure,
    }
}

impl Explanation {
    /// The explanation as lines of text, wrapped at `width` columns, the first one with `error: `. A line of the user's
    /// inputs is never broken.
    #[must_use]
    pub fn lines(&self, width: usize, detail: DetailLevel) -> Vec<String> {
        let further = match self.further_conflicts {
            0 => None,
            1 => Some("1 more conflict remains.".to_owned()),
            more => Some(format!("{more} more conflicts remain.")),
        };
        let notes = self.notes.iter().chain(&further).flat_map(|note| wrap(note, "  ", "  ", width));
        let notes: Vec<String> = notes.take(MAX_LINES / 3).collect();
        let mut lines = wrap(&self.headline, "error: ", "  ", width);
        let left = MAX_LINES.saturating_sub(lines.len() + notes.len());
        let mut paragraph = |mut text: Vec<String>| {
            if !text.is_empty() {
                lines.push(String::new());
                lines.append(&mut text);
            }
        };
        paragraph(tree::draw(&self.cause, width, left));
        paragraph(notes);
        if detail == DetailLevel::Full {
            let steps = proof_text::proof_lines(&self.failure);
            paragraph(steps.iter().flat_map(|step| wrap(step, "  ", "      ", width)).collect());
        }
        paragraph(fix_text::fix_lines(&self.fix_report, self.elapsed, width));
        lines
    }
}

#[cfg(test)]
mod tests;

//! From a failed solve to fixes that were tried: a failure goes in, changes to the inputs after which there is a solution
//! come out.
//!
//! - `unsat_core`: the input lines of a minimal unsatisfiable subset (MUS): without any one of them there is a solution
//! - `conflict_graph`: the same for the facts of a proof, decided by constraint propagation
//! - `quickxplain`: the algorithm behind both (Junker 2004)
//! - `fix_search`: relaxes one line of the core, then two, and keeps what then resolves; each fix that changes lines is a
//!   minimal correction set (MCS)
//! - `rewrite`: a relaxed line in the user's own spelling
//! - `options`: the same inputs under another Python, platform or policy
//! - `trial_solver`: solves a changed problem within a budget

mod conflict_graph;
mod fix_search;
mod options;
mod quickxplain;
mod rewrite;
mod trial_solver;
mod unsat_core;

pub use conflict_graph::{ConflictEdge, ConflictGraph, Domains, GraphFact, Propagation};
pub use fix_search::{Edit, Fix, FixContext, FixReport, find_fixes};
pub use options::{Alternative, OptionValue, target_alternatives};
pub use trial_solver::{Budget, TrialSolver};
pub use unsat_core::{LineSet, all_lines, count_further_conflicts, lines_of, minimal_unsat_core};

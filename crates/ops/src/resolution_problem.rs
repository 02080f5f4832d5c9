//! What to solve for a lock, and the solution.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::held_back::HeldBack;
use super::pins::Hashes;
use super::skipped_entries::SkippedEntries;
use pinfast_inputs::Inputs;
use pinfast_lock::Pin;
use pinfast_packaging::Target;
use pinfast_solve::{Policy, Preferences, Problem};

/// What to solve, for whatever target.
pub(super) struct ResolutionProblem<'a> {
    pub(super) inputs: &'a Inputs,
    pub(super) policy: Policy,
    pub(super) preferences: Preferences,
    pub(super) hashes: Hashes,
}

/// The pins for all targets, and what to report about them.
#[derive(Default)]
pub(super) struct ResolvedPins {
    pub(super) pins: Vec<Pin>,
    pub(super) warnings: BTreeSet<String>,
    pub(super) skipped_entries: SkippedEntries,
    pub(super) held_back: Vec<HeldBack>,
}

impl ResolutionProblem<'_> {
    /// The solver's problem for one target.
    pub(super) fn for_target(&self, target: &Target, preferences: &Preferences) -> Arc<Problem> {
        Arc::new(Problem::new(self.inputs, target.clone(), self.policy.clone(), preferences.clone()))
    }
}

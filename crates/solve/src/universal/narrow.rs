//! The environments that a conflict is about: where exactly there is no solution.
//!
//! A failed region shrinks around its point to where everything that the solver read says the same: there the failure is
//! certain. The rest is solved in turn, at most [`MAX_SOLVES`] times.

use std::sync::Arc;

use super::{SolvedRegion, UniversalError, UniversalSearch, WheelScope, cut_of, split_at};
use crate::{NoSolution, SolveError, SolverIndex, solve};
use pinfast_packaging::{Cut, Marker, Point, Region};

/// How many further regions are solved to find out where there is no solution.
const MAX_SOLVES: usize = 64;

impl UniversalSearch<'_> {
    /// The failure at `point`, with a marker for the environments that have no solution.
    pub(super) fn localize(
        &mut self,
        region: Region,
        point: &Point,
        failure: Box<NoSolution>,
    ) -> UniversalError {
        let mut left = std::mem::take(&mut self.open);
        let mut failed = vec![self.certain(region, point, &failure.index, &mut left)];
        for _ in 0..MAX_SOLVES {
            let Some(mut region) = left.pop() else { break };
            self.space.widen(&mut region);
            let point = self.space.point(&region);
            let problem = self.problem(&region, &point, WheelScope::Space);
            match solve(problem.clone(), self.index.clone(), self.watcher) {
                Err(SolveError::Fatal(error)) => return UniversalError::Fatal(error),
                Err(SolveError::NoSolution(failure)) => {
                    failed.push(self.certain(region, &point, &failure.index, &mut left));
                }
                Ok(resolution) => {
                    self.shrink(SolvedRegion { region, point, problem, resolution }, &mut left);
                }
            }
        }
        let others = self.solved.iter().map(|solved| solved.problem.clone()).collect();
        UniversalError::NoSolution { failure, regions: self.condition_of(failed, left), others }
    }

    /// Leaves the part of `region` that certainly has no solution out of the lock, and opens the rest.
    pub(super) fn leave_out(&mut self, region: Region, point: &Point, failure: &NoSolution) {
        let mut left = Vec::new();
        let region = self.certain(region, point, &failure.index, &mut left);
        self.open.extend(left);
        self.left_out.push(region);
    }

    /// The part of `region` in which everything that the solver read says the same as at `point`; the rest goes to `left`.
    fn certain(
        &mut self,
        mut region: Region,
        point: &Point,
        solver_index: &Arc<SolverIndex>,
        left: &mut Vec<Region>,
    ) -> Region {
        let metadata = solver_index.all_loaded_metadata();
        for marker in metadata.iter().flat_map(|metadata| metadata.requires.iter().map(|r| &r.marker)) {
            self.space.add_values(marker);
        }
        super::markers_of_inputs(self.problem.inputs).for_each(|marker| self.space.add_values(marker));
        self.space.widen(&mut region);
        while let Some(cut) = self.difference_in_failure(&region, solver_index) {
            let (here, there) = split_at(&region, cut, point);
            region = here;
            left.push(there);
        }
        region
    }

    /// Where something that the solver read is not the same in all of the region.
    fn difference_in_failure(&self, region: &Region, solver_index: &SolverIndex) -> Option<Cut> {
        let mut of_inputs = super::markers_of_inputs(self.problem.inputs);
        let of_inputs = of_inputs.find_map(|marker| cut_of(self.space.truth(marker, region, None)));
        let of_metadata = || {
            solver_index.all_loaded_metadata().iter().find_map(|metadata| {
                let extras = std::iter::once(None).chain(metadata.extras.iter().map(Some));
                let markers = extras.flat_map(|e| metadata.requires.iter().map(move |r| (&r.marker, e)));
                markers
                    .into_iter()
                    .find_map(|(marker, extra)| cut_of(self.space.truth(marker, region, extra)))
            })
        };
        let of_candidates = || {
            let pythons = solver_index.excluding_requires_python();
            pythons.iter().find_map(|python| cut_of(self.space.lower_bounds_truth(python, region)))
        };
        of_inputs.or_else(of_metadata).or_else(of_candidates)
    }

    /// A marker that holds in the `failed` regions alone; those `left` were not solved.
    fn condition_of(&mut self, failed: Vec<Region>, left: Vec<Region>) -> Marker {
        let solved = self.solved.iter().map(|solved| solved.region.clone());
        let mut regions: Vec<Region> = failed.iter().cloned().chain(solved).chain(left).collect();
        regions.iter_mut().for_each(|region| self.space.widen(region));
        self.space.marker(&regions, |region| region < failed.len())
    }
}

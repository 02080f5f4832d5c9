//! Where there is no solution: the environments that a conflict is about.

use std::sync::Arc;

use super::{Run, UniversalError, WheelScope, cut, sides};
use crate::{NoSolution, SolveError, SolverIndex, solve};
use pinfast_packaging::{Cut, Marker, Point, Region};

/// So many regions are looked at to tell where there is no solution.
const TRIES: usize = 64;

impl Run<'_> {
    /// A failure at `point`, with the environments in which there is no solution.
    ///
    /// A failed region shrinks to the environments for which all that was looked at says the same: there
    /// the failure is certain. What it loses is solved in turn, within reason.
    pub(super) fn narrowed(
        &mut self,
        region: Region,
        point: &Point,
        failure: Box<NoSolution>,
    ) -> UniversalError {
        let mut left = std::mem::take(&mut self.open);
        let mut failed = vec![self.certain(region, point, &failure.index, &mut left)];
        for _ in 0..TRIES {
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
                    self.learn(&resolution);
                    let mut part = super::Part { region, point, problem, resolution };
                    self.space.widen(&mut part.region);
                    while let Some(cut) = self.unsettled(&part) {
                        let (here, there) = sides(&part.region, cut, &part.point);
                        part.region = here;
                        left.push(there);
                    }
                    self.parts.push(part);
                }
            }
        }
        let others = self.parts.iter().map(|part| part.problem.clone()).collect();
        UniversalError::NoSolution { failure, regions: self.condition_of(failed, left), others }
    }

    /// Leaves the environments of `region` in which there is certainly no solution out of the lock.
    pub(super) fn leave_out(&mut self, region: Region, point: &Point, failure: &NoSolution) {
        let mut left = Vec::new();
        let region = self.certain(region, point, &failure.index, &mut left);
        self.open.extend(left);
        self.left_out.push(region);
    }

    /// The part of `region` in which everything known so far says what it says at `point`; the rest is put to `left`.
    fn certain(
        &mut self,
        mut region: Region,
        point: &Point,
        known: &Arc<SolverIndex>,
        left: &mut Vec<Region>,
    ) -> Region {
        let metadata = known.all_loaded_metadata();
        for marker in metadata.iter().flat_map(|metadata| metadata.requires.iter().map(|r| &r.marker)) {
            self.space.add_values(marker);
        }
        super::markers_of_inputs(self.problem.inputs).for_each(|marker| self.space.add_values(marker));
        self.space.widen(&mut region);
        while let Some(cut) = self.uncertain(&region, known) {
            let (here, there) = sides(&region, cut, point);
            region = here;
            left.push(there);
        }
        region
    }

    fn uncertain(&self, region: &Region, known: &SolverIndex) -> Option<Cut> {
        let mut of_inputs = super::markers_of_inputs(self.problem.inputs);
        let of_inputs = of_inputs.find_map(|marker| cut(self.space.truth(marker, region, None)));
        let of_metadata = || {
            known.all_loaded_metadata().iter().find_map(|metadata| {
                let extras = std::iter::once(None).chain(metadata.extras.iter().map(Some));
                let markers = extras.flat_map(|e| metadata.requires.iter().map(move |r| (&r.marker, e)));
                markers.into_iter().find_map(|(marker, extra)| cut(self.space.truth(marker, region, extra)))
            })
        };
        let of_candidates = || {
            let pythons = known.excluding_requires_python();
            pythons.iter().find_map(|python| cut(self.space.lower_bounds_truth(python, region)))
        };
        of_inputs.or_else(of_metadata).or_else(of_candidates)
    }

    /// The marker that holds in the `failed` regions alone; the regions that are `left` were not looked at.
    fn condition_of(&mut self, failed: Vec<Region>, left: Vec<Region>) -> Marker {
        let solved = self.parts.iter().map(|part| part.region.clone());
        let mut regions: Vec<Region> = failed.iter().cloned().chain(solved).chain(left).collect();
        regions.iter_mut().for_each(|region| self.space.widen(region));
        self.space.marker(&regions, |place| place < failed.len())
    }
}

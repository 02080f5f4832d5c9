//! One answer for every environment: the space of environments is cut into regions in each of which one
//! resolution is right.
//!
//! A region is solved for one of its environments, the newest Python on the most usual platform. The
//! resolution is right in the whole region if everything that it rests on is the same in all of it: the
//! markers of the inputs' lines, the markers of the requirements of its pins, and the lower bounds of their
//! Requires-Python. Where one is not, the region falls in two: the part with the solved environment keeps
//! its resolution, the other is solved in turn and prefers what was chosen before: where the earlier pins
//! alone make an answer, it is that, without a search. So no marker is looked at that no answer rests on.
//!
//! Which wheels fit: see [`WheelScope`]. A usual region that has no solution with wheels that fit it is solved with the
//! wheels of any environment, and there is a warning: where nothing can be installed, a lock that says
//! what would be is worth more than none. And a region without a usual environment (Emscripten, Cygwin, a
//! machine that nobody makes wheels for) that has no solution at all is left out of the lock, with a
//! warning: it does not keep the others from theirs.

mod narrow;
#[cfg(test)]
mod property;
mod replay;

use std::sync::Arc;

use self::replay::Repertoire;
use super::{Index, NoSolution, Policy, Preferences, Problem, Resolution, ResolvedPin, SolveError, solve};
use pinfast_base::error::Error;
use pinfast_base::event::{Event, Watcher};
use pinfast_inputs::Inputs;
use pinfast_packaging::{
    Cut, DistFilename, ExtraName, Marker, Point, Region, Space, SupportedTags, Truth, Version, WheelScope,
};

/// What is to be solved everywhere.
#[derive(Clone, Debug)]
pub struct UniversalProblem<'a> {
    /// What is wanted.
    pub inputs: &'a Inputs,
    /// What may be chosen, and what first.
    pub policy: &'a Policy,
    /// What is taken first wherever it fits.
    pub preferences: &'a Preferences,
    /// The lowest Python.
    pub python: &'a Version,
}

/// An answer for every environment.
#[derive(Debug)]
pub struct UniversalResolution {
    space: Space,
    regions: Vec<Region>,
    /// A resolution for each region, and the problem that it solves.
    pub answers: Vec<(Arc<Problem>, Resolution)>,
    /// What a person should know of it, each a sentence, sorted.
    pub warnings: Vec<String>,
    /// Where there is no solution, and the lock is for no environment.
    pub left_out: Marker,
}

/// Why there is no answer for some environment.
pub enum UniversalError {
    /// In some environments there is no solution.
    NoSolution {
        /// The proof for one of them.
        failure: Box<NoSolution>,
        /// Where there is none.
        regions: Marker,
        /// What was solved for other environments.
        others: Vec<Arc<Problem>>,
    },
    /// The world is at fault.
    Fatal(Error),
}

impl UniversalResolution {
    /// A marker that holds where the answer is one of those with these places, and nowhere else.
    #[must_use]
    pub fn marker(&self, answers: &[usize]) -> Marker {
        self.space.marker(&self.regions, |place| answers.contains(&place))
    }
}

/// Solves `problem` on what `index` tells, for every environment.
///
/// # Errors
/// See [`UniversalError`].
pub fn solve_universal(
    problem: &UniversalProblem<'_>,
    index: &Arc<dyn Index>,
    watcher: &dyn Watcher,
) -> Result<UniversalResolution, UniversalError> {
    let space = Space::from_python(problem.python);
    let open = vec![space.whole()];
    let preferences = problem.preferences.clone();
    let mut run = Run {
        problem,
        index,
        watcher,
        space,
        open,
        parts: Vec::new(),
        preferences,
        repertoire: Repertoire::default(),
        warnings: Vec::new(),
        left_out: Vec::new(),
    };
    run.finish()?;
    Ok(run.into_universal())
}

/// More regions than this are refused: no real project comes near, and hostile metadata might.
const MOST_REGIONS: usize = 1000;

/// A solve in the making.
struct Run<'a> {
    problem: &'a UniversalProblem<'a>,
    index: &'a Arc<dyn Index>,
    watcher: &'a dyn Watcher,
    space: Space,
    /// The regions still to be solved; the last is next.
    open: Vec<Region>,
    parts: Vec<Part>,
    preferences: Preferences,
    repertoire: Repertoire,
    warnings: Vec<String>,
    /// The regions without a solution that the lock does without.
    left_out: Vec<Region>,
}

/// A region that is solved.
struct Part {
    region: Region,
    /// The environment that it was solved for.
    point: Point,
    problem: Arc<Problem>,
    resolution: Resolution,
}

impl Run<'_> {
    /// Solves all regions until nothing is open and every answer is right in all of its region, with
    /// what was learnt of the space since.
    fn finish(&mut self) -> Result<(), UniversalError> {
        while let Some(region) = self.open.pop() {
            if let Some(part) = self.solved(region)? {
                self.settle(part)?;
            }
            if self.open.is_empty() {
                for part in std::mem::take(&mut self.parts) {
                    self.settle(part)?;
                }
            }
        }
        Ok(())
    }

    fn solved(&mut self, mut region: Region) -> Result<Option<Part>, UniversalError> {
        self.space.widen(&mut region);
        let point = self.space.point(&region);
        self.watcher.on(Event::Detail(format!("solving for {}", self.space.describe(&region))));
        // No wheel is made for an unusual region: only sdists and what runs anywhere fit it.
        let scope = if self.space.is_usual(&region) { WheelScope::Region } else { WheelScope::Space };
        let mut problem = self.problem(&region, &point, scope);
        if let Some(resolution) = self.repertoire.replayed(&problem) {
            return Ok(Some(Part { region, point, problem, resolution }));
        }
        let mut answer = solve(problem.clone(), self.index.clone(), self.watcher);
        if scope == WheelScope::Region && matches!(answer, Err(SolveError::NoSolution(_))) {
            let strict = problem;
            problem = self.problem(&region, &point, WheelScope::Space);
            answer = solve(problem.clone(), self.index.clone(), self.watcher);
            if let Ok(resolution) = &answer {
                self.warn_of_misfits(resolution, strict.target.tags(), strict.target.label());
            }
        }
        match answer {
            Ok(resolution) => {
                self.repertoire.add(&resolution);
                for (name, pin) in &resolution.pins {
                    if !self.preferences.versions(name).contains(&pin.candidate.version) {
                        self.preferences.add(name.clone(), pin.candidate.version.clone());
                    }
                }
                Ok(Some(Part { region, point, problem, resolution }))
            }
            Err(SolveError::Fatal(error)) => Err(UniversalError::Fatal(error)),
            Err(SolveError::NoSolution(failure)) if !self.space.is_usual(&region) => {
                self.leave_out(region, &point, &failure);
                Ok(None)
            }
            Err(SolveError::NoSolution(failure)) => Err(self.narrowed(region, &point, failure)),
        }
    }

    fn problem(&mut self, region: &Region, point: &Point, scope: WheelScope) -> Arc<Problem> {
        let target = self.space.representative(region, point, scope);
        let UniversalProblem { inputs, policy, .. } = self.problem;
        Arc::new(Problem::new(inputs, target, Policy::clone(policy), self.preferences.clone()))
    }

    /// Keeps what `part`'s answer is right for, and opens the rest.
    fn settle(&mut self, mut part: Part) -> Result<(), UniversalError> {
        self.learn(&part.resolution);
        self.space.widen(&mut part.region);
        while let Some(cut) = self.unsettled(&part) {
            let (here, there) = sides(&part.region, cut, &part.point);
            part.region = here;
            self.open.push(there);
        }
        self.parts.push(part);
        if self.parts.len() + self.open.len() > MOST_REGIONS {
            return Err(UniversalError::Fatal(Error::no_answer(format!(
                "the markers of the requirements tell more than {MOST_REGIONS} kinds of environments apart"
            ))));
        }
        Ok(())
    }

    /// Takes in the markers that `resolution` rests on.
    fn learn(&mut self, resolution: &Resolution) {
        markers_of_inputs(self.problem.inputs).for_each(|marker| self.space.add_values(marker));
        for (marker, _) in resolution.pins.values().flat_map(markers_of_pin) {
            self.space.add_values(marker);
        }
    }

    /// Where what the part's answer rests on is not the same in all of its region.
    fn unsettled(&self, part: &Part) -> Option<Cut> {
        let of_inputs = markers_of_inputs(self.problem.inputs).map(|marker| (marker, None));
        let of_pins = part.resolution.pins.values().flat_map(markers_of_pin);
        let markers = of_inputs.chain(of_pins);
        let verdicts = markers.map(|(marker, extra)| self.space.truth(marker, &part.region, extra));
        let bounds = part.resolution.pins.values().filter_map(|pin| {
            let bounds = pin.candidate.file().requires_python.as_ref()?;
            Some(self.space.lower_bounds_truth(bounds, &part.region))
        });
        verdicts.chain(bounds).find_map(cut)
    }

    fn warn_of_misfits(&mut self, resolution: &Resolution, tags: &SupportedTags, label: &str) {
        for (name, pin) in resolution.pins.iter().filter(|(_, pin)| !fits(pin, tags)) {
            let version = &pin.candidate.version;
            self.warnings.push(format!("{name} {version} has no wheel and no sdist for {label}"));
        }
    }

    fn into_universal(mut self) -> UniversalResolution {
        let mut warnings = std::mem::take(&mut self.warnings);
        let left_out = self.without_solution();
        if !left_out.is_never() {
            warnings.push(format!(
                "there is no solution in the environments with `{left_out}`: the lock is not for them"
            ));
        }
        warnings.extend(self.parts.iter().flat_map(|part| part.resolution.warnings.iter().cloned()));
        warnings.sort();
        warnings.dedup();
        let (regions, answers) =
            self.parts.into_iter().map(|part| (part.region, (part.problem, part.resolution))).unzip();
        UniversalResolution { space: self.space, regions, answers, warnings, left_out }
    }

    /// A marker for the regions that are left out.
    fn without_solution(&mut self) -> Marker {
        let solved = self.parts.iter().map(|part| part.region.clone());
        let mut regions: Vec<_> = solved.chain(std::mem::take(&mut self.left_out)).collect();
        regions.iter_mut().for_each(|region| self.space.widen(region));
        self.space.marker(&regions, |place| place >= self.parts.len())
    }
}

/// The part of a region with `point` in it, and the other.
fn sides(region: &Region, cut: Cut, point: &Point) -> (Region, Region) {
    let (a, b) = region.split(cut);
    if a.contains(point) { (a, b) } else { (b, a) }
}

fn cut(truth: Truth) -> Option<Cut> {
    match truth {
        Truth::Depends(cut) => Some(cut),
        Truth::Always | Truth::Never => None,
    }
}

fn fits(pin: &ResolvedPin, tags: &SupportedTags) -> bool {
    pin.candidate.files().any(|file| match &file.dist {
        DistFilename::Wheel(wheel) => tags.rank(&wheel.tags).is_some(),
        DistFilename::Sdist { .. } => true,
    })
}

/// The markers of all lines, without extras.
fn markers_of_inputs(inputs: &Inputs) -> impl Iterator<Item = &Marker> {
    let lines = inputs.requirements.iter().chain(&inputs.constraints).chain(&inputs.overrides);
    lines.map(|line| &line.requirement.marker)
}

/// The markers of what a pin requires: without extras, and with each of the extras that are on.
fn markers_of_pin(pin: &ResolvedPin) -> impl Iterator<Item = (&Marker, Option<&ExtraName>)> {
    let extras = std::iter::once(None).chain(pin.extras.iter().map(Some));
    extras.flat_map(|extra| pin.metadata.requires.iter().map(move |r| (&r.marker, extra)))
}

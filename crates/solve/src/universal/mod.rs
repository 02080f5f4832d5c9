//! Universal resolution: the space of environments is cut into regions, and each region gets one resolution.
//!
//! # The algorithm
//!
//! 1. A region is solved for one of its environments, its *point*: the newest Python on the most usual platform.
//! 2. That resolution is right in the whole region if everything that it rests on is the same throughout: the markers of
//!    the inputs' lines, the markers of its pins' requirements, and the lower bounds of the pins' Requires-Python.
//! 3. Where one of them differs, the region is split. The part with the point keeps the resolution; the other part is
//!    solved in turn, and prefers the versions chosen before. Often those alone make a resolution: see `replay.rs`.
//! 4. Each solved region may bring new markers, so all regions are checked again when none is open.
//!
//! So no marker is examined that no resolution rests on. uv calls the same idea forks; regions need no decision in
//! mid-solve.
//!
//! ```text
//! app; tzdata only where sys_platform == "win32"
//! region 1: everything          solved on Linux: app, no tzdata     differs at sys_platform: split
//! region 2: win32               solved on Windows: app, tzdata      the marker of both pins: app anywhere, tzdata on win32
//! ```
//!
//! # Where wheels are missing
//!
//! See [`WheelScope`]. A usual region without a solution in wheels that fit it is solved with the wheels of any
//! environment, with a warning: a lock that names what would be installed is better than none. A region without a usual
//! environment (Emscripten, Cygwin, rare machines) that has no solution at all is left out of the lock, with a warning:
//! it does not keep the others from theirs.

mod narrow;
#[cfg(test)]
mod property;
mod replay;

use std::sync::Arc;

use self::replay::KnownPins;
use super::{Index, NoSolution, Policy, Preferences, Problem, Resolution, ResolvedPin, SolveError, solve};
use pinfast_base::error::Error;
use pinfast_base::event::{Event, Watcher};
use pinfast_inputs::Inputs;
use pinfast_packaging::{
    Cut, DistFilename, ExtraName, Marker, Point, Region, Space, SupportedTags, Truth, Version, WheelScope,
};

/// Requirements to satisfy in every environment.
#[derive(Clone, Debug)]
pub struct UniversalProblem<'a> {
    /// The inputs, with all of their markers.
    pub inputs: &'a Inputs,
    /// Which candidates may be chosen, and which are tried first.
    pub policy: &'a Policy,
    /// The versions to try before all others.
    pub preferences: &'a Preferences,
    /// The lowest Python version; there is no highest.
    pub python: &'a Version,
}

/// A resolution for every environment.
#[derive(Debug)]
pub struct UniversalResolution {
    space: Space,
    regions: Vec<Region>,
    /// For each region the problem that was solved, and its resolution.
    pub answers: Vec<(Arc<Problem>, Resolution)>,
    /// What a person should know of it, each a sentence, sorted.
    pub warnings: Vec<String>,
    /// Holds where there is no solution: the lock does not cover these environments.
    pub left_out: Marker,
}

/// Why there is no universal resolution.
pub enum UniversalError {
    /// Some environments have no solution.
    NoSolution {
        /// The proof for one of them.
        failure: Box<NoSolution>,
        /// Holds where there is none.
        regions: Marker,
        /// The problems that were solved for other environments.
        others: Vec<Arc<Problem>>,
    },
    /// Index, network or disk failed, or the user called the solve off.
    Fatal(Error),
}

impl UniversalResolution {
    /// A marker that holds in the regions with these indexes in `answers`, and nowhere else.
    #[must_use]
    pub fn marker(&self, answers: &[usize]) -> Marker {
        self.space.marker(&self.regions, |region| answers.contains(&region))
    }
}

/// Solves `problem` for every environment, with the packages of `index`.
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
    let mut search = UniversalSearch {
        problem,
        index,
        watcher,
        space,
        open,
        solved: Vec::new(),
        preferences,
        known_pins: KnownPins::default(),
        warnings: Vec::new(),
        left_out: Vec::new(),
    };
    search.solve_all()?;
    Ok(search.into_resolution())
}

/// More regions than this are an error: no real project comes near, but hostile metadata might.
const MAX_REGIONS: usize = 1000;

/// The state of a universal solve.
struct UniversalSearch<'a> {
    problem: &'a UniversalProblem<'a>,
    index: &'a Arc<dyn Index>,
    watcher: &'a dyn Watcher,
    space: Space,
    /// The regions still to be solved; the last is next.
    open: Vec<Region>,
    solved: Vec<SolvedRegion>,
    preferences: Preferences,
    known_pins: KnownPins,
    warnings: Vec<String>,
    /// The regions without a solution that the lock does not cover.
    left_out: Vec<Region>,
}

/// A region with its resolution.
struct SolvedRegion {
    region: Region,
    /// The environment that it was solved for.
    point: Point,
    problem: Arc<Problem>,
    resolution: Resolution,
}

impl UniversalSearch<'_> {
    /// Solves regions until none is open and each resolution is right in all of its region.
    fn solve_all(&mut self) -> Result<(), UniversalError> {
        while let Some(region) = self.open.pop() {
            if let Some(solved) = self.solve_region(region)? {
                self.split_off_rest(solved)?;
            }
            if self.open.is_empty() {
                // Later resolutions may have brought markers that split an earlier region.
                for solved in std::mem::take(&mut self.solved) {
                    self.split_off_rest(solved)?;
                }
            }
        }
        Ok(())
    }

    /// Solves a region; `None` if it is left out.
    fn solve_region(&mut self, mut region: Region) -> Result<Option<SolvedRegion>, UniversalError> {
        self.space.widen(&mut region);
        let point = self.space.point(&region);
        self.watcher.on(Event::Detail(format!("solving for {}", self.space.describe(&region))));
        // No wheel is made for an unusual region: only sdists and what runs anywhere fit it.
        let scope = if self.space.is_usual(&region) { WheelScope::Region } else { WheelScope::Space };
        let mut problem = self.problem(&region, &point, scope);
        if let Some(resolution) = self.known_pins.replay(&problem) {
            return Ok(Some(SolvedRegion { region, point, problem, resolution }));
        }
        let mut result = solve(problem.clone(), self.index.clone(), self.watcher);
        if scope == WheelScope::Region && matches!(result, Err(SolveError::NoSolution(_))) {
            let strict = problem;
            problem = self.problem(&region, &point, WheelScope::Space);
            result = solve(problem.clone(), self.index.clone(), self.watcher);
            if let Ok(resolution) = &result {
                self.warn_of_missing_wheels(resolution, strict.target.tags(), strict.target.label());
            }
        }
        match result {
            Ok(resolution) => {
                self.known_pins.add(&resolution);
                // Regions should differ in as few versions as possible.
                for (name, pin) in &resolution.pins {
                    if !self.preferences.versions(name).contains(&pin.candidate.version) {
                        self.preferences.add(name.clone(), pin.candidate.version.clone());
                    }
                }
                Ok(Some(SolvedRegion { region, point, problem, resolution }))
            }
            Err(SolveError::Fatal(error)) => Err(UniversalError::Fatal(error)),
            Err(SolveError::NoSolution(failure)) if !self.space.is_usual(&region) => {
                self.leave_out(region, &point, &failure);
                Ok(None)
            }
            Err(SolveError::NoSolution(failure)) => Err(self.localize(region, &point, failure)),
        }
    }

    fn problem(&mut self, region: &Region, point: &Point, scope: WheelScope) -> Arc<Problem> {
        let target = self.space.representative(region, point, scope);
        let UniversalProblem { inputs, policy, .. } = self.problem;
        Arc::new(Problem::new(inputs, target, Policy::clone(policy), self.preferences.clone()))
    }

    /// Shrinks a solved region to where its resolution is right, and opens the rest.
    fn split_off_rest(&mut self, solved: SolvedRegion) -> Result<(), UniversalError> {
        let mut rest = Vec::new();
        self.shrink(solved, &mut rest);
        self.open.extend(rest);
        if self.solved.len() + self.open.len() > MAX_REGIONS {
            return Err(UniversalError::Fatal(Error::no_answer(format!(
                "the markers of the requirements distinguish more than {MAX_REGIONS} kinds of environments"
            ))));
        }
        Ok(())
    }

    /// Keeps the part of a solved region with its point in which its resolution is right; the other parts go to `rest`.
    fn shrink(&mut self, mut solved: SolvedRegion, rest: &mut Vec<Region>) {
        self.add_markers(&solved.resolution);
        self.space.widen(&mut solved.region);
        while let Some(cut) = self.difference(&solved) {
            let (with_point, other) = split_at(&solved.region, cut, &solved.point);
            solved.region = with_point;
            rest.push(other);
        }
        self.solved.push(solved);
    }

    /// Adds the values in the markers that `resolution` rests on to the space.
    fn add_markers(&mut self, resolution: &Resolution) {
        markers_of_inputs(self.problem.inputs).for_each(|marker| self.space.add_values(marker));
        for (marker, _) in resolution.pins.values().flat_map(markers_of_pin) {
            self.space.add_values(marker);
        }
    }

    /// Where something that the resolution rests on is not the same in all of its region.
    fn difference(&self, solved: &SolvedRegion) -> Option<Cut> {
        let of_inputs = markers_of_inputs(self.problem.inputs).map(|marker| (marker, None));
        let of_pins = solved.resolution.pins.values().flat_map(markers_of_pin);
        let markers = of_inputs.chain(of_pins);
        let truths = markers.map(|(marker, extra)| self.space.truth(marker, &solved.region, extra));
        let bounds = solved.resolution.pins.values().filter_map(|pin| {
            let bounds = pin.candidate.file().requires_python.as_ref()?;
            Some(self.space.lower_bounds_truth(bounds, &solved.region))
        });
        truths.chain(bounds).find_map(cut_of)
    }

    fn warn_of_missing_wheels(&mut self, resolution: &Resolution, tags: &SupportedTags, label: &str) {
        for (name, pin) in resolution.pins.iter().filter(|(_, pin)| !has_file_for(pin, tags)) {
            let version = &pin.candidate.version;
            self.warnings.push(format!("{name} {version} has no wheel and no sdist for {label}"));
        }
    }

    fn into_resolution(mut self) -> UniversalResolution {
        let mut warnings = std::mem::take(&mut self.warnings);
        let left_out = self.left_out_marker();
        if !left_out.is_never() {
            warnings.push(format!(
                "no solution exists where `{left_out}`: the lock does not cover those environments"
            ));
        }
        warnings.extend(self.solved.iter().flat_map(|solved| solved.resolution.warnings.iter().cloned()));
        warnings.sort();
        warnings.dedup();
        let (regions, answers) =
            self.solved.into_iter().map(|it| (it.region, (it.problem, it.resolution))).unzip();
        UniversalResolution { space: self.space, regions, answers, warnings, left_out }
    }

    /// A marker that holds in the regions that are left out.
    fn left_out_marker(&mut self) -> Marker {
        let solved = self.solved.iter().map(|solved| solved.region.clone());
        let mut regions: Vec<_> = solved.chain(std::mem::take(&mut self.left_out)).collect();
        regions.iter_mut().for_each(|region| self.space.widen(region));
        self.space.marker(&regions, |region| region >= self.solved.len())
    }
}

/// Splits a region: the part with `point` in it, and the other.
fn split_at(region: &Region, cut: Cut, point: &Point) -> (Region, Region) {
    let (a, b) = region.split(cut);
    if a.contains(point) { (a, b) } else { (b, a) }
}

/// Where a truth changes within its region, if it does.
fn cut_of(truth: Truth) -> Option<Cut> {
    match truth {
        Truth::Depends(cut) => Some(cut),
        Truth::Always | Truth::Never => None,
    }
}

/// Whether an installer finds a file of the pin for these tags.
fn has_file_for(pin: &ResolvedPin, tags: &SupportedTags) -> bool {
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

/// The markers of a pin's requirements: without extras, and with each of its extras.
fn markers_of_pin(pin: &ResolvedPin) -> impl Iterator<Item = (&Marker, Option<&ExtraName>)> {
    let extras = std::iter::once(None).chain(pin.extras.iter().map(Some));
    extras.flat_map(|extra| pin.metadata.requires.iter().map(move |r| (&r.marker, extra)))
}

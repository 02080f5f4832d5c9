//! A proof -> one sentence a step, for `--verbose`. Each derived step names the two from which it follows; the last one is
//! the result.

use pubgrub::Term;

use pinfast_base::text::first_few;
use pinfast_solve::{Candidates, Fact, NoSolution, OrdinalSet, Package, ProofStep, SolverIndex};

/// At most this many ranges of versions are listed.
const MAX_RANGES: usize = 3;

/// The proof of `failure`, a sentence for each step.
pub(super) fn proof_lines(failure: &NoSolution) -> Vec<String> {
    let writer = ProofWriter { index: &failure.index };
    let steps = failure.proof.steps.iter().enumerate();
    steps.map(|(n, step)| format!("[{}] {}", n + 1, writer.step(step))).collect()
}

struct ProofWriter<'a> {
    index: &'a SolverIndex,
}

impl ProofWriter<'_> {
    fn step(&self, step: &ProofStep) -> String {
        match step {
            ProofStep::Fact(fact) => self.fact(fact),
            ProofStep::Derived { first, second, terms } => {
                format!("so, by [{}] and [{}]: {}", first + 1, second + 1, self.incompatibility(terms))
            }
        }
    }

    fn fact(&self, fact: &Fact) -> String {
        match fact {
            Fact::Root => "the inputs are asked for".to_owned(),
            Fact::NoVersions(package, set) => format!("{} cannot be chosen", self.subject(package, set)),
            Fact::Excluded(package, set, reason) => format!("{} {reason}", self.subject(package, set)),
            Fact::Dependency(Package::Root, _, line, set) => {
                format!("{} is asked for", self.subject(line, set))
            }
            Fact::Dependency(line @ Package::Line(_), set, needed, permitted) => {
                format!("{} asks for {}", self.subject(line, set), self.subject(needed, permitted))
            }
            Fact::Dependency(package, set, needed, permitted) => {
                format!("{} needs {}", self.subject(package, set), self.subject(needed, permitted))
            }
        }
    }

    /// An incompatibility: terms that cannot all hold. One with a negative term is shown as a dependency.
    fn incompatibility(&self, terms: &[(Package, Term<OrdinalSet>)]) -> String {
        let (mut with, mut without) = (Vec::new(), Vec::new());
        for (package, holds) in terms {
            match holds {
                Term::Positive(_) if *package == Package::Root => {}
                Term::Positive(set) => with.push(self.subject(package, set)),
                Term::Negative(set) => without.push(self.subject(package, set)),
            }
        }
        match (with.as_slice(), without.as_slice()) {
            ([], []) => "there is no solution".to_owned(),
            ([], without) => format!("{} is needed", without.join(" or ")),
            ([one], []) => format!("{one} is out"),
            (with, []) => format!("{} do not go together", with.join(" and ")),
            (with, without) => format!("{} needs {}", with.join(" with "), without.join(" or ")),
        }
    }

    /// A line of the inputs, or some releases of a package.
    fn subject(&self, package: &Package, set: &OrdinalSet) -> String {
        let problem = &self.index.problem;
        match package {
            Package::Root => "the inputs together".to_owned(),
            Package::Line(line) => match problem.lines.get(*line) {
                Some(line) => format!("{} `{}`", line.at, line.text),
                None => "a line".to_owned(),
            },
            Package::Dist(_) | Package::Extra(..) => match self.index.loaded_candidates_of(package) {
                Some(candidates) => releases(package, &candidates, set),
                None => package.to_string(),
            },
        }
    }
}

fn releases(package: &Package, candidates: &Candidates, set: &OrdinalSet) -> String {
    let version = |n| &candidates.get(n).version;
    let runs = set.runs(candidates.count()).filter(|run| !run.is_empty()).map(|run| match run.len() {
        1 => version(run.start).to_string(),
        _ => format!("{} to {}", version(run.start), version(run.end - 1)),
    });
    match set.len(candidates.count()) {
        0 => format!("no release of {package}"),
        all if all == candidates.usable.len() => format!("any {package}"),
        _ => format!("{package} {}", first_few(runs.collect(), MAX_RANGES).join(" or ")),
    }
}

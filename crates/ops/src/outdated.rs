//! `pinfast outdated`: what newer releases there are of what the lock pins, and what holds each back.

use std::path::PathBuf;
use std::sync::Arc;

use super::request::{IndexRequest, PolicyRequest, TargetRequest};
use super::session::Session;
use super::{check, index_locations, policy, read_lock, targets};
use pinfast_base::error::{Error, Result};
use pinfast_files::DiskInputs;
use pinfast_inputs::{self as inputs, InputRequest, Inputs};
use pinfast_lock::tree::{DependencyGraph, InputRequirement};
use pinfast_packaging::{PackageName, Requirement, RequirementSource, Target, Version};
use pinfast_solve::{Index, IndexQuery, Policy, Preferences, Problem, SolverIndex};

/// What to look up.
#[derive(Clone, Debug)]
pub struct OutdatedRequest {
    /// The lock.
    pub lock: PathBuf,
    /// The target environments.
    pub targets: TargetRequest,
    /// Where packages come from.
    pub indexes: IndexRequest,
    /// What may be chosen.
    pub policy: PolicyRequest,
}

/// A pin with a newer release.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Outdated {
    /// The package.
    pub name: PackageName,
    /// The release that is pinned.
    pub locked: Version,
    /// The newest release that fits the target.
    pub newest: Version,
    /// Who bars the newest: `requirements.in: httpx<1`, or `httpx 0.28.1: httpcore==1.*`; none where a
    /// new lock with `--upgrade` may take it.
    pub by: Vec<String>,
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub struct OutdatedReport {
    /// The pins that have newer releases, by name.
    pub outdated: Vec<Outdated>,
    /// How many pins were looked up.
    pub looked_up: usize,
}

/// Looks up the pins of the lock.
///
/// # Errors
/// `Usage` for a lock or an index that makes no sense, `NoAnswer` when an index gives no answer.
pub fn outdated(request: &OutdatedRequest, session: &Session) -> Result<OutdatedReport> {
    if request.targets.universal.is_some() {
        return Err(Error::usage("what is newest differs from environment to environment").hint(
            "name those that matter with `--python-version` and `--platform` instead of `--universal`",
        ));
    }
    let lock = read_lock::read(&request.lock, session)?.lock;
    let inputs = inputs_of(&lock, session)?;
    let settled = policy::settled(&request.policy, session)?;
    let policy = policy::policy(&settled, &inputs.options, session)?;
    let targets = targets::targets(&request.targets, session)?;
    let python = request.targets.python.as_deref();
    let places = index_locations::places(&request.indexes, &inputs.options, python, session)?;
    let index = index_locations::client(&request.indexes, &places, session)?;
    session.keep(index.clone());
    // A lock without annotations still tells which of its pins are old.
    let graph = DependencyGraph::of(&lock).unwrap_or_default();
    let pins: Vec<_> = lock.pins.iter().filter(|pin| pin.url.is_none()).collect();
    index.prefetch(&pins.iter().map(|pin| IndexQuery::Listing(pin.name.clone())).collect::<Vec<_>>());
    let mut report = OutdatedReport { outdated: Vec::new(), looked_up: pins.len() };
    for pin in pins {
        let applies = |target: &&Target| pin.marker.holds(target, &[]);
        let mut newest = None;
        for target in targets.iter().filter(applies) {
            newest = newest.max(self::newest(&pin.name, target, &policy, &index)?);
        }
        if let Some(newest) = newest.filter(|newest| *newest > pin.version) {
            let by = bars(&graph, &pin.name, &newest);
            report.outdated.push(Outdated {
                name: pin.name.clone(),
                locked: pin.version.clone(),
                newest,
                by,
            });
        }
    }
    report.outdated.sort();
    report.outdated.dedup();
    Ok(report)
}

/// The inputs of the lock, for the options in them; none where they are not at hand.
fn inputs_of(lock: &pinfast_lock::Lock, session: &Session) -> Result<Inputs> {
    let Some(header) = &lock.header else { return Ok(Inputs::default()) };
    let here = |file: &String| session.env.current_dir().join(file).is_file();
    if !header.inputs.iter().all(|input| here(&input.file)) {
        return Ok(Inputs::default());
    }
    let wanted = check::from_header(&InputRequest::default(), Some(header), session)?;
    inputs::read(&wanted, &DiskInputs::new(session.env.current_dir()))
}

fn newest<I: Index + 'static>(
    name: &PackageName,
    target: &Target,
    policy: &Policy,
    index: &Arc<I>,
) -> Result<Option<Version>> {
    let problem = Problem::new(&Inputs::default(), target.clone(), policy.clone(), Preferences::default());
    let found = SolverIndex::new(Arc::new(problem), index.clone()).candidates(name)?;
    Ok(found.newest().cloned())
}

/// Who asks for what `newest` is not.
fn bars(graph: &DependencyGraph, name: &PackageName, newest: &Version) -> Vec<String> {
    let Ok(node) = graph.get(name) else { return Vec::new() };
    let tops = node.direct.iter().chain(&node.constraints).filter(|top| bars_it(requirement(top), newest));
    let lines = tops.map(|top| format!("{}: {}", top.file, requirement(top)));
    let edges = node.needed_by.iter().map(|edge| (&edge.name, format!("{name}{}", edge.wants)));
    let packages = edges.filter(|(_, asks)| bars_it(asks, newest)).map(|(by, asks)| {
        let version = graph.get(by).ok().and_then(|node| node.versions.last());
        format!("{by}{}: {asks}", version.map(|version| format!(" {version}")).unwrap_or_default())
    });
    lines.chain(packages).collect()
}

/// The line without what makes it a constraint.
fn requirement(top: &InputRequirement) -> &str {
    top.line.strip_prefix("-c ").unwrap_or(&top.line)
}

fn bars_it(requirement: &str, newest: &Version) -> bool {
    let Ok(requirement) = requirement.parse::<Requirement>() else { return false };
    match &requirement.source {
        RequirementSource::Url(_) => true,
        RequirementSource::Index(specifiers) => !specifiers.contains(newest),
    }
}

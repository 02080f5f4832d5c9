//! `pinfast outdated`: the pins that have newer releases, and what holds each one back.

use std::path::PathBuf;
use std::sync::Arc;

use super::lock_settings::{
    IndexLocations, IndexRequest, IndexSettings, LockArguments, LockSettings, PolicyRequest, PolicySettings,
    TargetRequest, TargetSettings, WritingRequest,
};
use super::read_lock;
use super::scope::LockScope;
use super::session::Session;
use pinfast_base::error::{Error, Result};
use pinfast_files::DiskInputs;
use pinfast_inputs::{FileOption, InputRequest, Inputs};
use pinfast_lock::Lock;
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
    /// The indexes.
    pub indexes: IndexRequest,
    /// Which releases may be chosen.
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
    /// What excludes the newest release: `requirements.in: httpx<1`, or `httpx 0.28.1: httpcore==1.*`. If it is
    /// empty, `lock --upgrade` may choose that release.
    pub by: Vec<String>,
}

/// The outcome.
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
/// `Usage` for a lock or an index setting that is not valid, `NoAnswer` if an index does not answer.
pub fn outdated(request: &OutdatedRequest, session: &Session) -> Result<OutdatedReport> {
    if request.targets.universal.is_some() {
        return Err(Error::usage("the newest release can differ between environments")
            .hint("name some: `--python-version` and `--platform` instead of `--universal`"));
    }
    let lock = read_lock::read(&request.lock, session)?.lock;
    let (policy, file_options) = policy(&lock, request, session)?;
    let targets = TargetSettings::merge_single(&request.targets, session);
    let scope = LockScope::determine(&targets, &Inputs::default(), session)?;
    let indexes = IndexSettings::merge(&request.indexes, &file_options, session);
    let index = IndexLocations::choose(&indexes, &targets.interpreter.value, session)?.client(session)?;
    session.keep_alive(index.clone());
    // A lock without annotations still shows which of its pins are old.
    let graph = DependencyGraph::of(&lock).unwrap_or_default();
    let pins: Vec<_> = lock.pins.iter().filter(|pin| pin.url.is_none()).collect();
    index.prefetch(&pins.iter().map(|pin| IndexQuery::Listing(pin.name.clone())).collect::<Vec<_>>());
    let mut report = OutdatedReport { outdated: Vec::new(), looked_up: pins.len() };
    for pin in pins {
        let applies = |target: &&Target| pin.marker.holds(target, &[]);
        let mut newest = None;
        for target in scope.targets().unwrap_or_default().iter().filter(applies) {
            newest = newest.max(self::newest(&pin.name, target, &policy, &index)?);
        }
        if let Some(newest) = newest.filter(|newest| *newest > pin.version) {
            let by = find_limits(&graph, &pin.name, &newest);
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

/// The policy, and the options inside the lock's inputs. If the inputs are not here, they set nothing.
fn policy(lock: &Lock, request: &OutdatedRequest, session: &Session) -> Result<(Policy, Vec<FileOption>)> {
    let is_here = |file: &String| session.env.current_dir().join(file).is_file();
    let header = lock
        .header
        .as_ref()
        .filter(|header| !header.inputs.is_empty() && header.inputs.iter().all(|input| is_here(&input.file)));
    if header.is_none() {
        return Ok((PolicySettings::merge(&request.policy, &[], session)?.policy(), Vec::new()));
    }
    let arguments = LockArguments {
        inputs: &InputRequest::default(),
        targets: &request.targets,
        policy: &request.policy,
        writing: &WritingRequest::default(),
    };
    let texts = DiskInputs::new(session.env.current_dir());
    let (settings, inputs) = LockSettings::read(&arguments, header, &texts, session)?;
    Ok((settings.policy.policy(), inputs.options))
}

fn newest<I: Index + 'static>(
    name: &PackageName,
    target: &Target,
    policy: &Policy,
    index: &Arc<I>,
) -> Result<Option<Version>> {
    let problem = Problem::new(&Inputs::default(), target.clone(), policy.clone(), Preferences::default());
    let candidates = SolverIndex::new(Arc::new(problem), index.clone()).candidates(name)?;
    Ok(candidates.newest().cloned())
}

/// The requirements on `name` that exclude `newest`.
fn find_limits(graph: &DependencyGraph, name: &PackageName, newest: &Version) -> Vec<String> {
    let Ok(node) = graph.get(name) else { return Vec::new() };
    let tops = node.direct.iter().chain(&node.constraints).filter(|top| excludes(requirement(top), newest));
    let lines = tops.map(|top| format!("{}: {}", top.file, requirement(top)));
    let edges = node.needed_by.iter().map(|edge| (&edge.name, format!("{name}{}", edge.wants)));
    let packages = edges.filter(|(_, asks)| excludes(asks, newest)).map(|(by, asks)| {
        let version = graph.get(by).ok().and_then(|node| node.versions.last());
        format!("{by}{}: {asks}", version.map(|version| format!(" {version}")).unwrap_or_default())
    });
    lines.chain(packages).collect()
}

/// The line without what makes it a constraint.
fn requirement(top: &InputRequirement) -> &str {
    top.line.strip_prefix("-c ").unwrap_or(&top.line)
}

fn excludes(requirement: &str, newest: &Version) -> bool {
    let Ok(requirement) = requirement.parse::<Requirement>() else { return false };
    match &requirement.source {
        RequirementSource::Url(_) => true,
        RequirementSource::Index(specifiers) => !specifiers.contains(newest),
    }
}

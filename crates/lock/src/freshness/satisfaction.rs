//! Whether the pins satisfy the inputs and one another. It finds what a digest misses if it was adjusted to an edit.

use std::collections::{BTreeMap, BTreeSet};

use pinfast_packaging::{PackageName, Requirement, Role};

use super::{CurrentLine, ResolutionInputs, StaleReason};
use crate::header_line;
use crate::{Lock, Pin, Via};

/// The requirements that `lock` does not satisfy: those of input lines first, then those of dependents.
pub(super) fn unsatisfied(current: &ResolutionInputs, lock: &Lock) -> Vec<StaleReason> {
    let lines: Vec<LineRequirement<'_>> =
        current.inputs.iter().flat_map(|input| &input.lines).filter_map(LineRequirement::of).collect();
    let overridden: BTreeSet<&PackageName> =
        lines.iter().filter(|line| line.role == Role::Override).map(|line| &line.requirement.name).collect();
    let mut reasons = Vec::new();
    for line in &lines {
        if line.role == Role::Override || !overridden.contains(&line.requirement.name) {
            line.check(current, lock, &mut reasons);
        }
    }
    let pins = lock.pins.iter().filter(|pin| !overridden.contains(&pin.name));
    reasons.extend(pins.flat_map(unsatisfied_dependents));
    reasons
}

/// An input line with its requirement.
struct LineRequirement<'a> {
    line: &'a CurrentLine,
    role: Role,
    requirement: Requirement,
}

impl<'a> LineRequirement<'a> {
    fn of(line: &'a CurrentLine) -> Option<Self> {
        let (role, requirement) = header_line::requirement(&line.normalized)?;
        Some(Self { line, role, requirement })
    }

    /// Checks it in each target that is known; without targets, only if it has no marker.
    fn check(&self, current: &ResolutionInputs, lock: &Lock, reasons: &mut Vec<StaleReason>) {
        let pins: Vec<&Pin> = lock.pins_of(&self.requirement.name).collect();
        let mut failing: BTreeSet<usize> = BTreeSet::new();
        let mut missing = false;
        if self.requirement.marker.is_always() && current.environments.is_empty() {
            missing = pins.is_empty();
            failing.extend((0..pins.len()).filter(|i| !satisfies(pins[*i], &self.requirement)));
        }
        for target in current.environments.iter().filter(|target| self.requirement.applies(target, &[])) {
            let installed = || (0..pins.len()).filter(|i| pins[*i].marker.holds(target, &[]));
            missing |= installed().next().is_none();
            failing.extend(installed().filter(|i| !satisfies(pins[*i], &self.requirement)));
        }
        if missing && self.role == Role::Requirement {
            reasons.push(StaleReason::NotPinned { line: self.line.clone() });
        }
        reasons.extend(failing.into_iter().map(|i| StaleReason::Unsatisfied {
            line: self.line.clone(),
            pin: pins[i].requirement(),
            pin_at: pins[i].at.clone(),
        }));
    }
}

fn satisfies(pin: &Pin, requirement: &Requirement) -> bool {
    requirement.specifiers().contains(&pin.version)
}

/// The dependents that `pin` does not satisfy. A dependent with several requirements on it has markers for them, which
/// the lock does not record: one that is satisfied is enough.
fn unsatisfied_dependents(pin: &Pin) -> Vec<StaleReason> {
    let mut dependents: BTreeMap<&PackageName, Vec<(&str, bool)>> = BTreeMap::new();
    for via in &pin.via {
        let Via::Package { name, wants } = via else { continue };
        let specifiers = Via::specifiers(&pin.name, wants);
        let is_satisfied = specifiers.is_none_or(|specifiers| specifiers.contains(&pin.version));
        dependents.entry(name).or_default().push((wants, is_satisfied));
    }
    dependents.retain(|_, edges| edges.iter().all(|(_, is_satisfied)| !is_satisfied));
    let reason = |(by, edges): (&PackageName, Vec<(&str, bool)>)| StaleReason::DependencyUnsatisfied {
        by: by.to_string(),
        wants: format!("{}{}", pin.name, edges[0].0),
        pin: pin.requirement(),
        pin_at: pin.at.clone(),
    };
    dependents.into_iter().map(reason).collect()
}

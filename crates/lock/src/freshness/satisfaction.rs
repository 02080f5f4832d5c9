//! Whether the pins keep what the inputs and the other pins ask: what a digest cannot tell when it was
//! made to fit an edit.

use std::collections::{BTreeMap, BTreeSet};

use pinfast_packaging::{PackageName, Requirement, Role};

use super::{CurrentLine, ResolutionInputs, StaleReason};
use crate::header_line;
use crate::{Lock, Pin, Via};

/// In what `lock` falls short of `current`, input lines first.
pub(super) fn unsatisfied(current: &ResolutionInputs, lock: &Lock) -> Vec<StaleReason> {
    let asks: Vec<Ask<'_>> =
        current.inputs.iter().flat_map(|input| &input.lines).filter_map(Ask::of).collect();
    let overridden: BTreeSet<&PackageName> =
        asks.iter().filter(|ask| ask.role == Role::Override).map(|ask| &ask.requirement.name).collect();
    let mut reasons = Vec::new();
    for ask in &asks {
        if ask.role == Role::Override || !overridden.contains(&ask.requirement.name) {
            ask.judge(current, lock, &mut reasons);
        }
    }
    let pins = lock.pins.iter().filter(|pin| !overridden.contains(&pin.name));
    reasons.extend(pins.flat_map(unkept_edges));
    reasons
}

/// A line that asks something of pins.
struct Ask<'a> {
    line: &'a CurrentLine,
    role: Role,
    requirement: Requirement,
}

impl<'a> Ask<'a> {
    fn of(line: &'a CurrentLine) -> Option<Self> {
        let (role, requirement) = header_line::requirement(&line.normalized)?;
        Some(Self { line, role, requirement })
    }

    /// In each environment that is known, else wherever it asks without a condition.
    fn judge(&self, current: &ResolutionInputs, lock: &Lock, reasons: &mut Vec<StaleReason>) {
        let pins: Vec<&Pin> = lock.pins_of(&self.requirement.name).collect();
        let mut unkept: BTreeSet<usize> = BTreeSet::new();
        let mut missing = false;
        if self.requirement.marker.is_always() && current.environments.is_empty() {
            missing = pins.is_empty();
            unkept.extend((0..pins.len()).filter(|i| !keeps(pins[*i], &self.requirement)));
        }
        for target in current.environments.iter().filter(|target| self.requirement.applies(target, &[])) {
            let here = || (0..pins.len()).filter(|i| pins[*i].marker.holds(target, &[]));
            missing |= here().next().is_none();
            unkept.extend(here().filter(|i| !keeps(pins[*i], &self.requirement)));
        }
        if missing && self.role == Role::Requirement {
            reasons.push(StaleReason::NotPinned { line: self.line.clone() });
        }
        reasons.extend(unkept.into_iter().map(|i| StaleReason::Unsatisfied {
            line: self.line.clone(),
            pin: pins[i].requirement(),
            pin_at: pins[i].at.clone(),
        }));
    }
}

fn keeps(pin: &Pin, requirement: &Requirement) -> bool {
    requirement.specifiers().contains(&pin.version)
}

/// Each other pin that asks something else of `pin`. One that asks several things has conditions for
/// them, which the lock does not tell: one of them kept is enough.
fn unkept_edges(pin: &Pin) -> Vec<StaleReason> {
    let mut by: BTreeMap<&PackageName, Vec<(&str, bool)>> = BTreeMap::new();
    for via in &pin.via {
        let Via::Package { name, wants } = via else { continue };
        let asked = Via::specifiers(&pin.name, wants);
        let kept = asked.is_none_or(|specifiers| specifiers.contains(&pin.version));
        by.entry(name).or_default().push((wants, kept));
    }
    by.retain(|_, asks| asks.iter().all(|(_, kept)| !kept));
    let reason = |(by, asks): (&PackageName, Vec<(&str, bool)>)| StaleReason::DependencyUnsatisfied {
        by: by.to_string(),
        wants: format!("{}{}", pin.name, asks[0].0),
        pin: pin.requirement(),
        pin_at: pin.at.clone(),
    };
    by.into_iter().map(reason).collect()
}

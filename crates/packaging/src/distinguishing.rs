//! Targets, and some of them -> the simplest marker that holds on exactly those: PEP 508, "Environment Markers".
//!
//! The marker is a disjunction of conjunctions of up to three comparisons. A greedy set cover chooses the conjunctions.

use std::collections::BTreeSet;

use super::{Marker, MarkerValues, Target};

/// Reads the value of a marker variable.
type ReadVariable = fn(&MarkerValues) -> &str;

/// Variables that are compared by order.
const VERSIONS: [(&str, ReadVariable); 2] = [
    ("python_version", |values| &values.python_version),
    ("python_full_version", |values| &values.python_full_version),
];

/// Variables that are compared by equality, the most usual first.
const TEXTS: [(&str, ReadVariable); 5] = [
    ("sys_platform", |values| &values.sys_platform),
    ("platform_machine", |values| &values.platform_machine),
    ("platform_python_implementation", |values| &values.platform_python_implementation),
    ("os_name", |values| &values.os_name),
    ("implementation_name", |values| &values.implementation_name),
];

impl Marker {
    /// The marker that holds on exactly those of `targets` for which `wanted` holds; the empty one if that is all of them.
    /// It prefers one comparison to two, and two to three. Where no conjunction is enough, it joins as few as possible by
    /// `or`.
    ///
    /// No marker can distinguish targets whose marker values are all equal: it holds on all of these or on none.
    #[must_use]
    pub fn distinguishing(targets: &[Target], wanted: impl Fn(usize) -> bool) -> Self {
        let wanted: BTreeSet<usize> = (0..targets.len()).filter(|target| wanted(*target)).collect();
        if wanted.len() == targets.len() {
            return Self::default();
        }
        let mut left = wanted.clone();
        let mut marker = Self::default().negate();
        let conditions = conditions(targets, &wanted);
        while !left.is_empty() {
            let gain = |condition: &&Condition| left.intersection(&condition.holds).count();
            // `max_by_key` takes the last of equals, and the conditions are in order of preference: hence `rev`.
            let Some(best) = conditions.iter().rev().max_by_key(gain).filter(|best| gain(best) > 0) else {
                break;
            };
            left = left.difference(&best.holds).copied().collect();
            marker = marker.or(&best.marker);
        }
        marker
    }
}

/// A conjunction, and the targets on which it holds.
#[derive(Clone)]
struct Condition {
    marker: Marker,
    holds: BTreeSet<usize>,
}

/// The conjunctions of up to three comparisons that hold on wanted targets only, the simplest first; one for each set of
/// targets.
fn conditions(targets: &[Target], wanted: &BTreeSet<usize>) -> Vec<Condition> {
    let mut seen: BTreeSet<BTreeSet<usize>> = BTreeSet::new();
    let mut level = single_conditions(targets);
    level.retain(|condition| seen.insert(condition.holds.clone()));
    let singles = level.clone();
    let mut fit = Vec::new();
    for _ in 0..3 {
        fit.extend(level.iter().filter(|condition| condition.holds.is_subset(wanted)).cloned());
        let both = |(a, b): (&Condition, &Condition)| {
            let holds: BTreeSet<usize> = a.holds.intersection(&b.holds).copied().collect();
            let is_new = !holds.is_empty() && seen.insert(holds.clone());
            is_new.then(|| Condition { marker: a.marker.and(&b.marker), holds })
        };
        level = level.iter().flat_map(|a| singles.iter().map(move |b| (a, b))).filter_map(both).collect();
    }
    fit
}

/// Each comparison of a variable with a value of one of the targets.
fn single_conditions(targets: &[Target]) -> Vec<Condition> {
    let condition = |text: String| -> Option<Condition> {
        let marker: Marker = text.parse().ok()?;
        let holds: BTreeSet<usize> = (0..targets.len()).filter(|i| marker.holds(&targets[*i], &[])).collect();
        (!holds.is_empty() && holds.len() < targets.len()).then_some(Condition { marker, holds })
    };
    let compared = |(name, value): (&'static str, ReadVariable), operators: &'static [&'static str]| {
        let values: BTreeSet<&str> = targets.iter().map(|target| value(target.marker_values())).collect();
        let with = |op: &&'static str| {
            values.iter().map(move |value| format!("{name} {op} '{value}'")).collect::<Vec<_>>()
        };
        operators.iter().flat_map(with).collect::<Vec<_>>()
    };
    let versions = VERSIONS.into_iter().flat_map(|key| compared(key, &["<", ">=", "=="]));
    let texts = TEXTS.into_iter().flat_map(|key| compared(key, &["==", "!="]));
    versions.chain(texts).filter_map(condition).collect()
}

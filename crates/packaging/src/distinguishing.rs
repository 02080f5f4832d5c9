//! The simplest marker that holds on some of a list of targets and on no other of them.

use std::collections::BTreeSet;

use super::{Marker, MarkerValues, Target};

/// How a marker's value is read.
type Value = fn(&MarkerValues) -> &str;

/// Compared by order.
const VERSIONS: [(&str, Value); 2] = [
    ("python_version", |values| &values.python_version),
    ("python_full_version", |values| &values.python_full_version),
];

/// Compared by equality; what people reach for first comes first.
const TEXTS: [(&str, Value); 5] = [
    ("sys_platform", |values| &values.sys_platform),
    ("platform_machine", |values| &values.platform_machine),
    ("platform_python_implementation", |values| &values.platform_python_implementation),
    ("os_name", |values| &values.os_name),
    ("implementation_name", |values| &values.implementation_name),
];

impl Marker {
    /// A marker that holds on exactly those of `targets` for which `wanted` holds; the empty one if that
    /// is all of them. Single conditions are preferred to pairs, pairs to triples, and where none does
    /// alone, as few as possible are joined by `or`.
    ///
    /// Targets whose marker values are all equal cannot be told apart: then the marker holds on all of them.
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
            // The first of the greatest gain: conditions are in the order of preference.
            let Some(best) = conditions.iter().rev().max_by_key(gain).filter(|best| gain(best) > 0) else {
                break;
            };
            left = left.difference(&best.holds).copied().collect();
            marker = marker.or(&best.marker);
        }
        marker
    }
}

/// A condition, and the targets on which it holds.
#[derive(Clone)]
struct Condition {
    marker: Marker,
    holds: BTreeSet<usize>,
}

/// Conditions of up to three parts that hold on wanted targets only, the simplest first; of those that hold on the same
/// targets, the first.
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

fn single_conditions(targets: &[Target]) -> Vec<Condition> {
    let condition = |text: String| -> Option<Condition> {
        let marker: Marker = text.parse().ok()?;
        let holds: BTreeSet<usize> = (0..targets.len()).filter(|i| marker.holds(&targets[*i], &[])).collect();
        (!holds.is_empty() && holds.len() < targets.len()).then_some(Condition { marker, holds })
    };
    let compared = |(name, value): (&'static str, Value), operators: &'static [&'static str]| {
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

//! An expression -> whether its decision diagram might become too large to build.

use rustc_hash::FxHashMap;

use super::expression::{Comparison, Expression, MarkerVariable, TextRelation};

/// An expression with at most this many comparisons is never too complex.
const ALWAYS_SIMPLE: usize = 16;
/// The binary logarithm of the largest bound on the size of a diagram.
const MAX_DIAGRAM_BITS: f64 = 22.0;

/// Whether the diagram of `expression` might become too large: a hostile marker of a few dozen comparisons could otherwise use
/// all memory. Two bounds are computed, and the lesser counts: the product of how often each variable is compared, and the
/// product of the lengths of all conjunctions and disjunctions.
pub(super) fn is_too_complex(expression: &Expression) -> bool {
    let mut variables = FxHashMap::default();
    let mut groups = Vec::new();
    count(expression, &mut variables, &mut groups);
    let size = |counts: &mut dyn Iterator<Item = u32>| counts.map(|n| f64::from(n + 1).log2()).sum::<f64>();
    groups.iter().sum::<u32>() as usize > ALWAYS_SIMPLE
        && size(&mut groups.iter().copied()) > MAX_DIAGRAM_BITS
        && size(&mut variables.into_values()) > MAX_DIAGRAM_BITS
}

fn count<'a>(
    expression: &'a Expression,
    variables: &mut FxHashMap<(Option<MarkerVariable>, Option<TextRelation>, &'a str), u32>,
    groups: &mut Vec<u32>,
) {
    match expression {
        Expression::All(parts) | Expression::Any(parts) => {
            let tests = parts.iter().filter(|part| matches!(part, Expression::Comparison(_))).count();
            groups.push(u32::try_from(tests).unwrap_or(u32::MAX));
            parts.iter().for_each(|part| count(part, variables, groups));
        }
        Expression::Comparison(test) => {
            let variable = match test {
                Comparison::Version(MarkerVariable::PythonVersion, _) => {
                    (Some(MarkerVariable::PythonFullVersion), None, "")
                }
                Comparison::Version(key, _) => (Some(*key), None, ""),
                Comparison::Text { key, relation: TextRelation::Equal, .. } => (Some(*key), None, ""),
                Comparison::Text { key, relation, text, .. } => (Some(*key), Some(*relation), &**text),
                Comparison::Extra { name, .. } => (None, None, &**name),
                Comparison::Never => return,
            };
            *variables.entry(variable).or_default() += 1;
        }
    }
}

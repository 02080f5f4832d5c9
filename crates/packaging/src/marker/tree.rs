//! Expressions <-> the decision diagrams of `pep508_rs`: the only caller of that crate.
//!
//! The crate is given no text to parse, since its parser panics, aborts or reads some texts wrong; and
//! of its expressions only those that it handles well: comparisons of final releases with `<`, `<=`,
//! `>`, `>=`, `==` and `!=`, equality and containment of texts, extras. What it has no form for becomes
//! a variable of its own, named by its text, through the crate's "arbitrary" extras.
//!
//! The diagrams speak of final releases of Python only. `python_version` becomes `python_full_version`
//! in them, and where that says the same it becomes `python_version` again.

use std::str::FromStr;

use pep508_rs::pep440_rs::{Operator, VersionSpecifier};
use pep508_rs::{
    ExtraName, ExtraOperator, MarkerExpression, MarkerOperator, MarkerTree, MarkerValueExtra,
    MarkerValueString, MarkerValueVersion,
};
use rustc_hash::FxHashMap;

use super::expression::{Expression, Key, Relation, Test};
use crate::version::Interval;
use crate::{SpecifierSet, Version};

/// The diagram of an expression.
pub(super) fn of(expression: &Expression) -> MarkerTree {
    match expression {
        Expression::All(parts) => fold(parts.iter().map(of), MarkerTree::TRUE, MarkerTree::and),
        Expression::Any(parts) => fold(parts.iter().map(of), MarkerTree::FALSE, MarkerTree::or),
        Expression::Test(test) => of_test(test),
    }
}

fn fold(
    trees: impl Iterator<Item = MarkerTree>,
    mut all: MarkerTree,
    join: fn(&mut MarkerTree, MarkerTree),
) -> MarkerTree {
    trees.for_each(|tree| join(&mut all, tree));
    all
}

fn of_test(test: &Test) -> MarkerTree {
    match test {
        Test::Version(key, specifiers) => {
            fold(specifiers.intervals().map(|i| of_interval(*key, &i)), MarkerTree::TRUE, MarkerTree::and)
        }
        Test::Text { key, relation, text, wanted } => wanted_or_not(of_text(*key, *relation, text), *wanted),
        Test::Extra { name, wanted } => wanted_or_not(of_extra(name), *wanted),
        Test::Never => MarkerTree::FALSE,
    }
}

fn wanted_or_not(tree: MarkerTree, wanted: bool) -> MarkerTree {
    if wanted { tree } else { tree.negate() }
}

fn of_interval(key: Key, interval: &Interval) -> MarkerTree {
    match interval {
        Interval::All => MarkerTree::TRUE,
        Interval::None => MarkerTree::FALSE,
        Interval::Is(version) => is(key, version),
        Interval::IsNot(version) => is(key, version).negate(),
        Interval::Below(version) => from(key, version).negate(),
        Interval::UpTo(version) => above(key, version).negate(),
        Interval::Above(version) => above(key, version),
        Interval::From(version) => from(key, version),
        Interval::Within(first, end) => and(from(key, first), from(key, end).negate()),
        Interval::Outside(first, end) => and(from(key, first), from(key, end).negate()).negate(),
    }
}

fn and(mut a: MarkerTree, b: MarkerTree) -> MarkerTree {
    a.and(b);
    a
}

/// `key >= version`
fn from(key: Key, version: &Version) -> MarkerTree {
    match (key, version.release()) {
        (_, [0]) => MarkerTree::TRUE,
        // Its values have two numbers: one that is not below 3.8.1 is not below 3.9.
        (Key::PythonVersion, [major, minor, _, ..]) => {
            from(Key::PythonFullVersion, &Version::new([*major, minor + 1]))
        }
        _ => comparison(key, Operator::GreaterThanEqual, version),
    }
}

/// `key > version`
fn above(key: Key, version: &Version) -> MarkerTree {
    match (key, version.release()) {
        (Key::PythonVersion, release) => {
            let (major, minor) = (release[0], release.get(1).unwrap_or(&0));
            from(Key::PythonFullVersion, &Version::new([major, minor + 1]))
        }
        _ => comparison(key, Operator::GreaterThan, version),
    }
}

/// `key == version`
fn is(key: Key, version: &Version) -> MarkerTree {
    match (key, version.release()) {
        (Key::PythonVersion, [_, _, _, ..]) => MarkerTree::FALSE,
        (Key::PythonVersion, _) => and(from(key, version), above(key, version).negate()),
        _ => comparison(key, Operator::Equal, version),
    }
}

fn comparison(key: Key, operator: Operator, version: &Version) -> MarkerTree {
    let key = match key {
        Key::PythonVersion | Key::PythonFullVersion => MarkerValueVersion::PythonFullVersion,
        Key::ImplementationVersion => MarkerValueVersion::ImplementationVersion,
        _ => return opaque(format!("{} {operator} '{version}'", key.as_str())),
    };
    match VersionSpecifier::from_version(operator, version.clone()) {
        Ok(specifier) => MarkerTree::expression(MarkerExpression::Version { key, specifier }),
        Err(_) => MarkerTree::FALSE,
    }
}

fn of_text(key: Key, relation: Relation, text: &str) -> MarkerTree {
    let operator = match relation {
        Relation::Equal => MarkerOperator::Equal,
        Relation::In => MarkerOperator::In,
        Relation::Contains => MarkerOperator::Contains,
    };
    match (string_key(key), relation) {
        (Some(key), _) => {
            MarkerTree::expression(MarkerExpression::String { key, operator, value: text.to_owned() })
        }
        (None, Relation::Equal) => is_text(key, text),
        (None, Relation::In) => one_of(key, text).unwrap_or_else(|| opaque_text(key, relation, text)),
        (None, Relation::Contains) => opaque_text(key, relation, text),
    }
}

/// That a version is written like this: it never is, unless in as many numbers as its values have.
fn is_text(key: Key, text: &str) -> MarkerTree {
    let parts = if key == Key::PythonVersion { 2 } else { 3 };
    match text.parse::<Version>() {
        Ok(version) if version.release().len() == parts && version.to_string() == text => format!("=={text}")
            .parse()
            .map_or(MarkerTree::FALSE, |specifiers| of_test(&Test::Version(key, specifiers))),
        _ => MarkerTree::FALSE,
    }
}

/// `python_version in '3.8,3.9'`: that it is one of these.
fn one_of(key: Key, list: &str) -> Option<MarkerTree> {
    let mut any = MarkerTree::FALSE;
    for text in list.split([',', ' ', '|', ';', '/']).filter(|text| !text.is_empty()) {
        let specifiers: SpecifierSet = format!("=={text}").parse().ok()?;
        any.or(of_test(&Test::Version(key, specifiers)));
    }
    Some(any)
}

fn of_extra(name: &str) -> MarkerTree {
    match ExtraName::from_str(name) {
        Ok(name) => MarkerTree::expression(MarkerExpression::Extra {
            operator: ExtraOperator::Equal,
            name: MarkerValueExtra::Extra(name),
        }),
        // No extra has such a name.
        Err(_) => MarkerTree::FALSE,
    }
}

fn opaque_text(key: Key, relation: Relation, text: &str) -> MarkerTree {
    opaque(Test::Text { key, relation, text: text.into(), wanted: true }.to_string())
}

/// A variable that is true where `text`, a test, holds.
fn opaque(text: String) -> MarkerTree {
    MarkerTree::expression(MarkerExpression::Extra {
        operator: ExtraOperator::Equal,
        name: MarkerValueExtra::Arbitrary(text),
    })
}

fn string_key(key: Key) -> Option<MarkerValueString> {
    Some(match key {
        Key::ImplementationName => MarkerValueString::ImplementationName,
        Key::OsName => MarkerValueString::OsName,
        Key::PlatformMachine => MarkerValueString::PlatformMachine,
        Key::PlatformPythonImplementation => MarkerValueString::PlatformPythonImplementation,
        Key::PlatformRelease => MarkerValueString::PlatformRelease,
        Key::PlatformSystem => MarkerValueString::PlatformSystem,
        Key::PlatformVersion => MarkerValueString::PlatformVersion,
        Key::SysPlatform => MarkerValueString::SysPlatform,
        Key::ImplementationVersion | Key::PythonFullVersion | Key::PythonVersion => return None,
    })
}

/// The expression of a diagram: a disjunction of conjunctions, the same for the same diagram.
pub(super) fn to_expression(tree: &MarkerTree) -> Expression {
    if tree.is_false() {
        return Expression::NEVER;
    }
    let clauses = tree.to_dnf().into_iter().map(|clause| {
        let mut tests: Vec<_> = clause.into_iter().map(|test| Expression::Test(to_test(test))).collect();
        if tests.len() == 1 { tests.remove(0) } else { Expression::All(tests) }
    });
    let mut clauses: Vec<_> = clauses.collect();
    if clauses.len() == 1 { clauses.remove(0) } else { Expression::Any(clauses) }
}

fn to_test(expression: MarkerExpression) -> Test {
    match expression {
        MarkerExpression::Version { key, specifier } => to_version_test(&key, &specifier),
        MarkerExpression::String { key, operator, value } => to_text_test(&key, operator, &value),
        MarkerExpression::Extra { operator, name } => {
            let wanted = operator == ExtraOperator::Equal;
            match name {
                MarkerValueExtra::Extra(name) => Test::Extra { name: name.as_ref().into(), wanted },
                MarkerValueExtra::Arbitrary(text) => from_opaque(&text, wanted),
            }
        }
        // Never built here.
        MarkerExpression::VersionIn { .. } => Test::Never,
    }
}

/// `python_full_version` becomes `python_version` where that says the same of final releases.
fn to_version_test(key: &MarkerValueVersion, specifier: &VersionSpecifier) -> Test {
    let (operator, version) = (specifier.operator(), specifier.version());
    let of_minor = version.release().len() <= 2;
    let (key, symbol) = match (key, operator) {
        (MarkerValueVersion::ImplementationVersion, _) => (Key::ImplementationVersion, operator.to_string()),
        (_, Operator::EqualStar) if of_minor => (Key::PythonVersion, "==".to_owned()),
        (_, Operator::NotEqualStar) if of_minor => (Key::PythonVersion, "!=".to_owned()),
        (_, Operator::LessThan | Operator::GreaterThanEqual) if of_minor => {
            (Key::PythonVersion, operator.to_string())
        }
        _ => (Key::PythonFullVersion, operator.to_string()),
    };
    let star = if operator.is_star() && key != Key::PythonVersion { ".*" } else { "" };
    match format!("{symbol}{version}{star}").parse() {
        Ok(specifiers) => Test::Version(key, specifiers),
        Err(_) => Test::Never,
    }
}

fn to_text_test(key: &MarkerValueString, operator: MarkerOperator, text: &str) -> Test {
    let Some(key) = STRING_KEYS.into_iter().find(|known| string_key(*known).as_ref() == Some(key)) else {
        return Test::Never;
    };
    let (relation, wanted) = match operator {
        MarkerOperator::Equal => (Relation::Equal, true),
        MarkerOperator::NotEqual => (Relation::Equal, false),
        MarkerOperator::In => (Relation::In, true),
        MarkerOperator::NotIn => (Relation::In, false),
        MarkerOperator::Contains => (Relation::Contains, true),
        MarkerOperator::NotContains => (Relation::Contains, false),
        // Never built here: texts have no order.
        _ => return Test::Never,
    };
    Test::Text { key, relation, text: text.into(), wanted }
}

const STRING_KEYS: [Key; 8] = [
    Key::ImplementationName,
    Key::OsName,
    Key::PlatformMachine,
    Key::PlatformPythonImplementation,
    Key::PlatformRelease,
    Key::PlatformSystem,
    Key::PlatformVersion,
    Key::SysPlatform,
];

/// The test that an opaque variable stands for.
fn from_opaque(text: &str, wanted: bool) -> Test {
    match super::parse::parse(text) {
        Ok((Expression::Test(test), _)) if wanted => test,
        Ok((Expression::Test(test), _)) => negated(test),
        _ => Test::Never,
    }
}

fn negated(test: Test) -> Test {
    match test {
        Test::Version(key, specifiers) => Test::Version(key, specifiers.negated_comparison()),
        Test::Text { key, relation, text, wanted } => Test::Text { key, relation, text, wanted: !wanted },
        Test::Extra { name, wanted } => Test::Extra { name, wanted: !wanted },
        Test::Never => Test::Never,
    }
}

/// An expression of so many tests at most is never too complex.
const SIMPLE: usize = 16;
/// The binary logarithm of how large a diagram may become at the worst.
const LARGEST_DIAGRAM: f64 = 22.0;

/// Whether the diagram of `expression` might become too large: a hostile marker of a few dozen tests
/// could otherwise take all memory. The bound is the lesser of two: the product over the variables of
/// how often each is tested, and the product over the conjunctions and disjunctions of their lengths.
pub(super) fn is_too_complex(expression: &Expression) -> bool {
    let mut variables = FxHashMap::default();
    let mut groups = Vec::new();
    count(expression, &mut variables, &mut groups);
    let size = |counts: &mut dyn Iterator<Item = u32>| counts.map(|n| f64::from(n + 1).log2()).sum::<f64>();
    groups.iter().sum::<u32>() as usize > SIMPLE
        && size(&mut groups.iter().copied()) > LARGEST_DIAGRAM
        && size(&mut variables.into_values()) > LARGEST_DIAGRAM
}

fn count<'a>(
    expression: &'a Expression,
    variables: &mut FxHashMap<(Option<Key>, Option<Relation>, &'a str), u32>,
    groups: &mut Vec<u32>,
) {
    match expression {
        Expression::All(parts) | Expression::Any(parts) => {
            let tests = parts.iter().filter(|part| matches!(part, Expression::Test(_))).count();
            groups.push(u32::try_from(tests).unwrap_or(u32::MAX));
            parts.iter().for_each(|part| count(part, variables, groups));
        }
        Expression::Test(test) => {
            let variable = match test {
                Test::Version(Key::PythonVersion, _) => (Some(Key::PythonFullVersion), None, ""),
                Test::Version(key, _) => (Some(*key), None, ""),
                Test::Text { key, relation: Relation::Equal, .. } => (Some(*key), None, ""),
                Test::Text { key, relation, text, .. } => (Some(*key), Some(*relation), &**text),
                Test::Extra { name, .. } => (None, None, &**name),
                Test::Never => return,
            };
            *variables.entry(variable).or_default() += 1;
        }
    }
}

//! Expressions <-> the binary decision diagrams of `pep508_rs`; the only caller of that crate.
//!
//! The crate parses no text here, since its parser panics, aborts or misreads on some. It gets only expressions that it
//! handles well: final releases with `<`, `<=`, `>`, `>=`, `==` and `!=`, equality and containment of texts, extras. Any other
//! comparison becomes an opaque boolean variable, named by its text, through the crate's "arbitrary" extras.
//!
//! The diagrams know only final releases of Python. `python_version` becomes `python_full_version` in them, and
//! `python_version` again where that means the same.

use std::str::FromStr;

use pep508_rs::pep440_rs::{Operator, VersionSpecifier};
use pep508_rs::{
    ExtraName, ExtraOperator, MarkerExpression, MarkerOperator, MarkerTree, MarkerValueExtra,
    MarkerValueString, MarkerValueVersion,
};

use super::expression::{Comparison, Expression, MarkerVariable, TextRelation};
use crate::version::Interval;
use crate::{SpecifierSet, Version};

/// The diagram of an expression.
pub(super) fn of(expression: &Expression) -> MarkerTree {
    match expression {
        Expression::All(parts) => fold(parts.iter().map(of), MarkerTree::TRUE, MarkerTree::and),
        Expression::Any(parts) => fold(parts.iter().map(of), MarkerTree::FALSE, MarkerTree::or),
        Expression::Comparison(test) => of_comparison(test),
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

fn of_comparison(test: &Comparison) -> MarkerTree {
    match test {
        Comparison::Version(key, specifiers) => {
            fold(specifiers.intervals().map(|i| of_interval(*key, &i)), MarkerTree::TRUE, MarkerTree::and)
        }
        Comparison::Text { key, relation, text, wanted } => {
            wanted_or_not(of_text(*key, *relation, text), *wanted)
        }
        Comparison::Extra { name, wanted } => wanted_or_not(of_extra(name), *wanted),
        Comparison::Never => MarkerTree::FALSE,
    }
}

fn wanted_or_not(tree: MarkerTree, wanted: bool) -> MarkerTree {
    if wanted { tree } else { tree.negate() }
}

fn of_interval(key: MarkerVariable, interval: &Interval) -> MarkerTree {
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
fn from(key: MarkerVariable, version: &Version) -> MarkerTree {
    match (key, version.release()) {
        (_, [0]) => MarkerTree::TRUE,
        // Its values have two numbers: a value that is at least 3.8.1 is at least 3.9.
        (MarkerVariable::PythonVersion, [major, minor, _, ..]) => {
            from(MarkerVariable::PythonFullVersion, &Version::new([*major, minor + 1]))
        }
        _ => comparison(key, Operator::GreaterThanEqual, version),
    }
}

/// `key > version`
fn above(key: MarkerVariable, version: &Version) -> MarkerTree {
    match (key, version.release()) {
        (MarkerVariable::PythonVersion, release) => {
            let (major, minor) = (release[0], release.get(1).unwrap_or(&0));
            from(MarkerVariable::PythonFullVersion, &Version::new([major, minor + 1]))
        }
        _ => comparison(key, Operator::GreaterThan, version),
    }
}

/// `key == version`
fn is(key: MarkerVariable, version: &Version) -> MarkerTree {
    match (key, version.release()) {
        (MarkerVariable::PythonVersion, [_, _, _, ..]) => MarkerTree::FALSE,
        (MarkerVariable::PythonVersion, _) => and(from(key, version), above(key, version).negate()),
        _ => comparison(key, Operator::Equal, version),
    }
}

fn comparison(key: MarkerVariable, operator: Operator, version: &Version) -> MarkerTree {
    let key = match key {
        MarkerVariable::PythonVersion | MarkerVariable::PythonFullVersion => {
            MarkerValueVersion::PythonFullVersion
        }
        MarkerVariable::ImplementationVersion => MarkerValueVersion::ImplementationVersion,
        _ => return opaque(format!("{} {operator} '{version}'", key.as_str())),
    };
    match VersionSpecifier::from_version(operator, version.clone()) {
        Ok(specifier) => MarkerTree::expression(MarkerExpression::Version { key, specifier }),
        Err(_) => MarkerTree::FALSE,
    }
}

fn of_text(key: MarkerVariable, relation: TextRelation, text: &str) -> MarkerTree {
    let operator = match relation {
        TextRelation::Equal => MarkerOperator::Equal,
        TextRelation::In => MarkerOperator::In,
        TextRelation::Contains => MarkerOperator::Contains,
    };
    match (string_key(key), relation) {
        (Some(key), _) => {
            MarkerTree::expression(MarkerExpression::String { key, operator, value: text.to_owned() })
        }
        (None, TextRelation::Equal) => is_text(key, text),
        (None, TextRelation::In) => one_of(key, text).unwrap_or_else(|| opaque_text(key, relation, text)),
        (None, TextRelation::Contains) => opaque_text(key, relation, text),
    }
}

/// Equality of a version variable with a text: false unless the text has as many numbers as the values have.
fn is_text(key: MarkerVariable, text: &str) -> MarkerTree {
    let parts = if key == MarkerVariable::PythonVersion { 2 } else { 3 };
    match text.parse::<Version>() {
        Ok(version) if version.release().len() == parts && version.to_string() == text => format!("=={text}")
            .parse()
            .map_or(MarkerTree::FALSE, |specifiers| of_comparison(&Comparison::Version(key, specifiers))),
        _ => MarkerTree::FALSE,
    }
}

/// `python_version in '3.8,3.9'`: equality with one of the list.
fn one_of(key: MarkerVariable, list: &str) -> Option<MarkerTree> {
    let mut any = MarkerTree::FALSE;
    for text in list.split([',', ' ', '|', ';', '/']).filter(|text| !text.is_empty()) {
        let specifiers: SpecifierSet = format!("=={text}").parse().ok()?;
        any.or(of_comparison(&Comparison::Version(key, specifiers)));
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

fn opaque_text(key: MarkerVariable, relation: TextRelation, text: &str) -> MarkerTree {
    opaque(Comparison::Text { key, relation, text: text.into(), wanted: true }.to_string())
}

/// A boolean variable for the comparison `text`.
fn opaque(text: String) -> MarkerTree {
    MarkerTree::expression(MarkerExpression::Extra {
        operator: ExtraOperator::Equal,
        name: MarkerValueExtra::Arbitrary(text),
    })
}

fn string_key(key: MarkerVariable) -> Option<MarkerValueString> {
    Some(match key {
        MarkerVariable::ImplementationName => MarkerValueString::ImplementationName,
        MarkerVariable::OsName => MarkerValueString::OsName,
        MarkerVariable::PlatformMachine => MarkerValueString::PlatformMachine,
        MarkerVariable::PlatformPythonImplementation => MarkerValueString::PlatformPythonImplementation,
        MarkerVariable::PlatformRelease => MarkerValueString::PlatformRelease,
        MarkerVariable::PlatformSystem => MarkerValueString::PlatformSystem,
        MarkerVariable::PlatformVersion => MarkerValueString::PlatformVersion,
        MarkerVariable::SysPlatform => MarkerValueString::SysPlatform,
        MarkerVariable::ImplementationVersion
        | MarkerVariable::PythonFullVersion
        | MarkerVariable::PythonVersion => return None,
    })
}

/// The expression of a diagram in disjunctive normal form; equal diagrams give equal expressions.
pub(super) fn to_expression(tree: &MarkerTree) -> Expression {
    if tree.is_false() {
        return Expression::NEVER;
    }
    let clauses = tree.to_dnf().into_iter().map(|clause| {
        let mut tests: Vec<_> =
            clause.into_iter().map(|test| Expression::Comparison(to_comparison(test))).collect();
        if tests.len() == 1 { tests.remove(0) } else { Expression::All(tests) }
    });
    let mut clauses: Vec<_> = clauses.collect();
    if clauses.len() == 1 { clauses.remove(0) } else { Expression::Any(clauses) }
}

fn to_comparison(expression: MarkerExpression) -> Comparison {
    match expression {
        MarkerExpression::Version { key, specifier } => to_version_comparison(&key, &specifier),
        MarkerExpression::String { key, operator, value } => to_text_comparison(&key, operator, &value),
        MarkerExpression::Extra { operator, name } => {
            let wanted = operator == ExtraOperator::Equal;
            match name {
                MarkerValueExtra::Extra(name) => Comparison::Extra { name: name.as_ref().into(), wanted },
                MarkerValueExtra::Arbitrary(text) => from_opaque(&text, wanted),
            }
        }
        // Never built here.
        MarkerExpression::VersionIn { .. } => Comparison::Never,
    }
}

/// `python_full_version` becomes `python_version` where that means the same for final releases.
fn to_version_comparison(key: &MarkerValueVersion, specifier: &VersionSpecifier) -> Comparison {
    let (operator, version) = (specifier.operator(), specifier.version());
    let of_minor = version.release().len() <= 2;
    let (key, symbol) = match (key, operator) {
        (MarkerValueVersion::ImplementationVersion, _) => {
            (MarkerVariable::ImplementationVersion, operator.to_string())
        }
        (_, Operator::EqualStar) if of_minor => (MarkerVariable::PythonVersion, "==".to_owned()),
        (_, Operator::NotEqualStar) if of_minor => (MarkerVariable::PythonVersion, "!=".to_owned()),
        (_, Operator::LessThan | Operator::GreaterThanEqual) if of_minor => {
            (MarkerVariable::PythonVersion, operator.to_string())
        }
        _ => (MarkerVariable::PythonFullVersion, operator.to_string()),
    };
    let star = if operator.is_star() && key != MarkerVariable::PythonVersion { ".*" } else { "" };
    match format!("{symbol}{version}{star}").parse() {
        Ok(specifiers) => Comparison::Version(key, specifiers),
        Err(_) => Comparison::Never,
    }
}

fn to_text_comparison(key: &MarkerValueString, operator: MarkerOperator, text: &str) -> Comparison {
    let Some(key) = STRING_KEYS.into_iter().find(|known| string_key(*known).as_ref() == Some(key)) else {
        return Comparison::Never;
    };
    let (relation, wanted) = match operator {
        MarkerOperator::Equal => (TextRelation::Equal, true),
        MarkerOperator::NotEqual => (TextRelation::Equal, false),
        MarkerOperator::In => (TextRelation::In, true),
        MarkerOperator::NotIn => (TextRelation::In, false),
        MarkerOperator::Contains => (TextRelation::Contains, true),
        MarkerOperator::NotContains => (TextRelation::Contains, false),
        // Never built here: texts have no order.
        _ => return Comparison::Never,
    };
    Comparison::Text { key, relation, text: text.into(), wanted }
}

const STRING_KEYS: [MarkerVariable; 8] = [
    MarkerVariable::ImplementationName,
    MarkerVariable::OsName,
    MarkerVariable::PlatformMachine,
    MarkerVariable::PlatformPythonImplementation,
    MarkerVariable::PlatformRelease,
    MarkerVariable::PlatformSystem,
    MarkerVariable::PlatformVersion,
    MarkerVariable::SysPlatform,
];

/// The comparison of an opaque variable.
fn from_opaque(text: &str, wanted: bool) -> Comparison {
    match super::parse::parse(text) {
        Ok((Expression::Comparison(test), _)) if wanted => test,
        Ok((Expression::Comparison(test), _)) => negated(test),
        _ => Comparison::Never,
    }
}

fn negated(test: Comparison) -> Comparison {
    match test {
        Comparison::Version(key, specifiers) => Comparison::Version(key, specifiers.negated_comparison()),
        Comparison::Text { key, relation, text, wanted } => {
            Comparison::Text { key, relation, text, wanted: !wanted }
        }
        Comparison::Extra { name, wanted } => Comparison::Extra { name, wanted: !wanted },
        Comparison::Never => Comparison::Never,
    }
}

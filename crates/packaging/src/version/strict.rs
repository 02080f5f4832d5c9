//! A specifier set as text -> specifiers, by the grammar of PEP 440; errors name what was expected, and where.

use super::{Operator, Specifier, SpecifierSetError, Version};
use crate::excerpt;

/// The operators, for messages.
const OPERATORS: &str = "`==`, `!=`, `~=`, `<=`, `>=`, `<`, `>` or `===`";

/// Parses a comma-separated list; an empty text is an empty list.
pub(super) fn parse(text: &str) -> Result<Vec<Specifier>, SpecifierSetError> {
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    let mut specifiers = Vec::new();
    let mut at = 0;
    for piece in text.split(',') {
        let trimmed = piece.trim();
        let start = at + (piece.len() - piece.trim_start().len());
        if trimmed.is_empty() {
            let comma = at.saturating_sub(1);
            return Err(error(comma, "a specifier is missing beside the `,`".to_owned()));
        }
        specifiers.push(specifier(trimmed, start)?);
        at += piece.len() + 1;
    }
    Ok(specifiers)
}

/// Parses one specifier, which begins at the byte `start` of the whole text.
fn specifier(text: &str, start: usize) -> Result<Specifier, SpecifierSetError> {
    let rest = text.trim_start_matches(is_operator_char);
    let (operator, version) = (&text[..text.len() - rest.len()], rest.trim_start());
    let at = start + (text.len() - version.len());
    if operator.is_empty() {
        return Err(error(start, format!("expected {OPERATORS} before `{}`", excerpt(text, 40))));
    }
    if version.is_empty() {
        return Err(error(at, format!("expected a version after `{}`", excerpt(operator, 10))));
    }
    if let Some(odd) = version.find(char::is_whitespace) {
        return Err(error(at + odd, format!("expected a `,` after `{}`", excerpt(&version[..odd], 40))));
    }
    let operator = match operator {
        "===" => return arbitrary(version, at),
        "==" => Operator::Equal,
        "!=" => Operator::NotEqual,
        "~=" => Operator::Compatible,
        "<=" => Operator::LessOrEqual,
        ">=" => Operator::GreaterOrEqual,
        "<" => Operator::Less,
        ">" => Operator::Greater,
        odd => return Err(error(start, not_an_operator(odd))),
    };
    compared(operator, version, at)
}

fn arbitrary(text: &str, at: usize) -> Result<Specifier, SpecifierSetError> {
    if let Some(odd) = text.find([';', ')']) {
        return Err(error(at + odd, "`===` takes no `;` and no `)`".to_owned()));
    }
    Ok(Specifier::Arbitrary(text.to_lowercase().into(), text.parse().ok()))
}

fn compared(operator: Operator, text: &str, at: usize) -> Result<Specifier, SpecifierSetError> {
    let (number, wildcard) = match text.strip_suffix(".*") {
        Some(number) => (number, true),
        None => (text, false),
    };
    let version: Version = number
        .parse()
        .map_err(|_| error(at, format!("`{}` is not a version such as `1.2.3`", excerpt(text, 40))))?;
    let operator = match (operator, wildcard) {
        (operator, false) => operator,
        (Operator::Equal, true) => Operator::StartsWith,
        (Operator::NotEqual, true) => Operator::StartsNotWith,
        (other, true) => {
            let message = format!("`.*` goes only with `==` and `!=`, not with `{}`", other.as_str());
            return Err(error(at + number.len(), message));
        }
    };
    check(operator, &version).map_err(|message| error(at, message))?;
    Ok(Specifier::Ordered(operator, version))
}

/// Checks that `version` may follow `operator`.
fn check(operator: Operator, version: &Version) -> Result<(), String> {
    let plain = !version.any_prerelease() && !version.is_post() && !version.is_local();
    match operator {
        Operator::Equal | Operator::NotEqual => Ok(()),
        Operator::StartsWith | Operator::StartsNotWith if plain => Ok(()),
        Operator::StartsWith | Operator::StartsNotWith => {
            Err("`.*` goes only after release numbers, such as `1.2.*`".to_owned())
        }
        _ if version.is_local() => Err(format!(
            "a local version (`+…`) goes only with `==` and `!=`, not with `{}`",
            operator.as_str()
        )),
        Operator::Compatible if version.release().len() < 2 => {
            Err(format!("`~=` needs at least two numbers, such as `~={version}.0`"))
        }
        _ => Ok(()),
    }
}

fn not_an_operator(text: &str) -> String {
    let meant = match text {
        "=" => "==",
        "=<" => "<=",
        "=>" => ">=",
        "=~" | "~" | "^" => "~=",
        "<>" | "!" | "=!" => "!=",
        _ => return format!("`{}` is not an operator: expected {OPERATORS}", excerpt(text, 10)),
    };
    format!("`{text}` is not an operator; did you mean `{meant}`?")
}

pub(super) fn is_operator_char(c: char) -> bool {
    matches!(c, '<' | '>' | '=' | '!' | '~' | '^')
}

fn error(at: usize, message: String) -> SpecifierSetError {
    SpecifierSetError { message, at }
}

//! A marker as a formula of comparisons -> its value in an environment.

use std::fmt;

use crate::{ExtraName, SpecifierSet, Target, Version};

/// A formula; its depth is bounded by the parser.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Expression {
    /// `and`; without parts it holds.
    All(Vec<Expression>),
    /// `or`; without parts it does not hold.
    Any(Vec<Expression>),
    /// A comparison.
    Comparison(Comparison),
}

/// A comparison of a marker variable with a text.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Comparison {
    /// The variable's value as a version.
    Version(MarkerVariable, SpecifierSet),
    /// The variable's value as a text.
    Text {
        key: MarkerVariable,
        relation: TextRelation,
        text: Box<str>,
        /// The value that the relation must have: `false` for `!=` and `not in`.
        wanted: bool,
    },
    /// Whether the extra with this normalised name is active.
    Extra { name: Box<str>, wanted: bool },
    /// A comparison that cannot be evaluated: false.
    Never,
}

/// How the value of a variable and a text are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum TextRelation {
    /// They are the same.
    Equal,
    /// The text contains the value (`python_version in '…'`).
    In,
    /// The value contains the text (`'…' in python_version`).
    Contains,
}

/// A marker variable of PEP 508, without `extra`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum MarkerVariable {
    ImplementationName,
    ImplementationVersion,
    OsName,
    PlatformMachine,
    PlatformPythonImplementation,
    PlatformRelease,
    PlatformSystem,
    PlatformVersion,
    PythonFullVersion,
    PythonVersion,
    SysPlatform,
}

impl Expression {
    /// The formula that never holds.
    pub(super) const NEVER: Self = Self::Any(Vec::new());

    pub(super) fn holds(&self, target: &Target, extra: Option<&ExtraName>) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.holds(target, extra)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(target, extra)),
            Self::Comparison(test) => test.holds(target, extra),
        }
    }

    /// How many comparisons it has.
    pub(super) fn comparisons(&self) -> usize {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().map(Self::comparisons).sum(),
            Self::Comparison(_) => 1,
        }
    }
}

impl Comparison {
    fn holds(&self, target: &Target, extra: Option<&ExtraName>) -> bool {
        match self {
            Self::Version(key, specifiers) => {
                target.marker_version(*key).is_some_and(|version| specifiers.contains(version))
            }
            Self::Text { key, relation, text, wanted } => {
                relation.holds(target.marker_text(*key), text) == *wanted
            }
            Self::Extra { name, wanted } => extra.is_some_and(|extra| extra.as_str() == &**name) == *wanted,
            Self::Never => false,
        }
    }
}

impl TextRelation {
    pub(crate) fn holds(self, value: &str, text: &str) -> bool {
        match self {
            Self::Equal => value == text,
            Self::In => text.contains(value),
            Self::Contains => value.contains(text),
        }
    }
}

impl MarkerVariable {
    /// Whether its value is compared as a version.
    pub(super) fn is_version(self) -> bool {
        matches!(
            self,
            Self::ImplementationVersion
                | Self::PlatformRelease
                | Self::PythonFullVersion
                | Self::PythonVersion
        )
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::ImplementationName => "implementation_name",
            Self::ImplementationVersion => "implementation_version",
            Self::OsName => "os_name",
            Self::PlatformMachine => "platform_machine",
            Self::PlatformPythonImplementation => "platform_python_implementation",
            Self::PlatformRelease => "platform_release",
            Self::PlatformSystem => "platform_system",
            Self::PlatformVersion => "platform_version",
            Self::PythonFullVersion => "python_full_version",
            Self::PythonVersion => "python_version",
            Self::SysPlatform => "sys_platform",
        }
    }
}

/// Parses to the same formula. A disjunction of conjunctions needs no parentheses; deeper formulas get them.
impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any(parts) if parts.is_empty() => write!(f, "{}", Comparison::Never),
            Self::All(parts) => joined(f, parts, " and "),
            Self::Any(parts) => joined(f, parts, " or "),
            Self::Comparison(test) => write!(f, "{test}"),
        }
    }
}

fn joined(f: &mut fmt::Formatter<'_>, parts: &[Expression], word: &str) -> fmt::Result {
    for (i, part) in parts.iter().enumerate() {
        f.write_str(if i == 0 { "" } else { word })?;
        match part {
            Expression::All(inner) | Expression::Any(inner) if inner.len() > 1 && parts.len() > 1 => {
                write!(f, "({part})")?;
            }
            part => write!(f, "{part}")?,
        }
    }
    Ok(())
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version(key, specifiers) => specifiers.write_comparisons(f, key.as_str()),
            Self::Text { key, relation, text, wanted } => {
                // When parsed again, `==` would compare with this text as a version.
                let is_exact = key.is_version() && text.parse::<Version>().is_ok();
                let (key, text) = (key.as_str(), Quoted(text));
                match (relation, wanted) {
                    (TextRelation::Equal, true) if is_exact => write!(f, "{key} === {text}"),
                    (TextRelation::Equal, true) => write!(f, "{key} == {text}"),
                    (TextRelation::Equal, false) => write!(f, "{key} != {text}"),
                    (TextRelation::In, true) => write!(f, "{key} in {text}"),
                    (TextRelation::In, false) => write!(f, "{key} not in {text}"),
                    (TextRelation::Contains, true) => write!(f, "{text} in {key}"),
                    (TextRelation::Contains, false) => write!(f, "{text} not in {key}"),
                }
            }
            Self::Extra { name, wanted } => {
                write!(f, "extra {} {}", if *wanted { "==" } else { "!=" }, Quoted(name))
            }
            Self::Never => f.write_str("python_version < '0'"),
        }
    }
}

/// A text in quotes of the kind that it does not contain. It cannot contain both kinds, since it was parsed from one.
struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quote = if self.0.contains('\'') { '"' } else { '\'' };
        write!(f, "{quote}{}{quote}", self.0)
    }
}

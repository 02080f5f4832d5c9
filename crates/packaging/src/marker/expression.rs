//! A marker as a formula, and its value in an environment.

use std::fmt;

use crate::{ExtraName, SpecifierSet, Target, Version};

/// A formula; its depth is bounded by the parser.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Expression {
    /// `and`; none at all holds.
    All(Vec<Expression>),
    /// `or`; none at all does not hold.
    Any(Vec<Expression>),
    /// A comparison.
    Test(Test),
}

/// A comparison of an environment marker with a text.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Test {
    /// The key's value as a version.
    Version(Key, SpecifierSet),
    /// The key's value as a text.
    Text {
        key: Key,
        relation: Relation,
        text: Box<str>,
        /// What the relation must come to: `false` for `!=` and `not in`.
        wanted: bool,
    },
    /// Whether the extra of this normalised name is on.
    Extra { name: Box<str>, wanted: bool },
    /// What cannot be evaluated.
    Never,
}

/// How a key's value and a text are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Relation {
    /// They are the same.
    Equal,
    /// The value is a part of the text.
    In,
    /// The text is a part of the value.
    Contains,
}

/// An environment marker's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Key {
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
            Self::Test(test) => test.holds(target, extra),
        }
    }

    /// How many tests it holds.
    pub(super) fn tests(&self) -> usize {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().map(Self::tests).sum(),
            Self::Test(_) => 1,
        }
    }
}

impl Test {
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

impl Relation {
    pub(crate) fn holds(self, value: &str, text: &str) -> bool {
        match self {
            Self::Equal => value == text,
            Self::In => text.contains(value),
            Self::Contains => value.contains(text),
        }
    }
}

impl Key {
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

/// As it can be read back: a disjunction of conjunctions needs no parentheses, deeper formulas get them.
impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any(parts) if parts.is_empty() => write!(f, "{}", Test::Never),
            Self::All(parts) => joined(f, parts, " and "),
            Self::Any(parts) => joined(f, parts, " or "),
            Self::Test(test) => write!(f, "{test}"),
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

impl fmt::Display for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version(key, specifiers) => specifiers.write_comparisons(f, key.as_str()),
            Self::Text { key, relation, text, wanted } => {
                // Read back, `==` would compare with this text as a version.
                let is_exact = key.is_version() && text.parse::<Version>().is_ok();
                let (key, text) = (key.as_str(), Quoted(text));
                match (relation, wanted) {
                    (Relation::Equal, true) if is_exact => write!(f, "{key} === {text}"),
                    (Relation::Equal, true) => write!(f, "{key} == {text}"),
                    (Relation::Equal, false) => write!(f, "{key} != {text}"),
                    (Relation::In, true) => write!(f, "{key} in {text}"),
                    (Relation::In, false) => write!(f, "{key} not in {text}"),
                    (Relation::Contains, true) => write!(f, "{text} in {key}"),
                    (Relation::Contains, false) => write!(f, "{text} not in {key}"),
                }
            }
            Self::Extra { name, wanted } => {
                write!(f, "extra {} {}", if *wanted { "==" } else { "!=" }, Quoted(name))
            }
            Self::Never => f.write_str("python_version < '0'"),
        }
    }
}

/// A text between quotes that it does not hold; it cannot hold both kinds, since it was read from one.
struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quote = if self.0.contains('\'') { '"' } else { '\'' };
        write!(f, "{quote}{}{quote}", self.0)
    }
}

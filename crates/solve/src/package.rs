//! What pubgrub calls a package.

use std::fmt;

use pinfast_packaging::{ExtraName, PackageName};

/// A node of the solve.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Package {
    /// The whole question; it depends on each line.
    Root,
    /// A line of the inputs, by its place in the problem: so a proof names lines, not packages. One that is alone in naming
    /// its package comes to light in a proof only.
    Line(usize),
    /// A distribution.
    Dist(PackageName),
    /// An extra of a distribution: at each version it depends on the distribution at exactly that
    /// version, and on what the extra requires.
    Extra(PackageName, ExtraName),
}

impl Package {
    /// The distribution that it stands for.
    pub fn name(&self) -> Option<&PackageName> {
        match self {
            Self::Root | Self::Line(_) => None,
            Self::Dist(name) | Self::Extra(name, _) => Some(name),
        }
    }
}

impl fmt::Display for Package {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => f.write_str("the inputs"),
            Self::Line(line) => write!(f, "line {line}"),
            Self::Dist(name) => write!(f, "{name}"),
            Self::Extra(name, extra) => write!(f, "{name}[{extra}]"),
        }
    }
}

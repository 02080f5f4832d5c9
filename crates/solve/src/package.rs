//! The packages that pubgrub decides: the root, the lines of the inputs, distributions and their extras.

use std::fmt;

use pinfast_packaging::{ExtraName, PackageName};

/// A package in pubgrub's sense: something of which one version is chosen.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Package {
    /// The root: it has one version, which depends on all lines.
    Root,
    /// A line of the inputs, by its index in the problem, so that a proof can name it. pubgrub sees only those lines that
    /// share a package with another line.
    Line(usize),
    /// A distribution.
    Dist(PackageName),
    /// An extra of a distribution. Each version depends on the same version of the distribution, and on what the extra
    /// requires.
    Extra(PackageName, ExtraName),
}

impl Package {
    /// The name of the distribution, if it is one or an extra of one.
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

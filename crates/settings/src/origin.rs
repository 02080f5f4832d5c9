//! Which source set a value: an argument, a line of a file, a variable, or nobody.

use std::fmt;

use pinfast_packaging::Location;

/// The source of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A command-line argument, such as `--index-url`.
    Argument(&'static str),
    /// A line of `pinfast.toml` or `pyproject.toml`.
    SettingsFile(Location),
    /// The header of a lock.
    LockHeader,
    /// An option inside an input file, such as `--pre` in `requirements.in`.
    InputFile(Location),
    /// An environment variable, such as `PIP_INDEX_URL`.
    Variable(String),
    /// A line of one of pip's configuration files.
    PipFile(Location),
    /// The index that `PINFAST_DEFAULT_INDEX` named when pinfast was compiled.
    BuiltIn,
    /// The index that the target interpreter's pip uses.
    InterpreterPip,
    /// No source set the value.
    Default,
}

/// A value and the source that set it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sourced<T> {
    /// The value.
    pub value: T,
    /// The source.
    pub origin: Origin,
}

impl<T> Sourced<T> {
    /// A value and its source.
    #[must_use]
    pub const fn new(value: T, origin: Origin) -> Self {
        Self { value, origin }
    }

    /// Whether a user set the value for the whole run: by an argument, the settings file or the lock that an
    /// earlier run wrote.
    #[must_use]
    pub const fn is_set(&self) -> bool {
        matches!(self.origin, Origin::Argument(_) | Origin::SettingsFile(_) | Origin::LockHeader)
    }
}

impl<T: Default> Default for Sourced<T> {
    fn default() -> Self {
        Self::new(T::default(), Origin::Default)
    }
}

/// As messages name it: `--index-url`, `pinfast.toml:2`, `PIP_INDEX_URL`.
impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Argument(option) => f.write_str(option),
            Self::SettingsFile(at) | Self::InputFile(at) | Self::PipFile(at) => at.fmt(f),
            Self::LockHeader => f.write_str("the lock's header"),
            Self::Variable(name) => f.write_str(name),
            Self::BuiltIn => f.write_str("PINFAST_DEFAULT_INDEX when pinfast was built"),
            Self::InterpreterPip => f.write_str("the interpreter's pip"),
            Self::Default => f.write_str("the default"),
        }
    }
}

//! The findings of a verification, as sentences, and what repairs them.

use std::fmt;
use std::path::PathBuf;

use pinfast_packaging::{PackageName, Version};

/// The result of a verification.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VerifyReport {
    /// The differences from the lock, sorted; none if the environment is exactly the lock.
    pub findings: Vec<VerifyFinding>,
    /// How many distributions are installed.
    pub distributions: usize,
    /// How many files were hashed.
    pub files: usize,
}

/// A difference from the lock. Shown as a sentence without a full stop.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "each field is what its name means, and the sentence has the rest")]
pub enum VerifyFinding {
    /// A run was killed while it changed the environment.
    Unfinished,
    /// A pin is not installed.
    Missing { name: PackageName, version: Version },
    /// Another version is installed.
    WrongVersion { name: PackageName, wanted: Version, found: Option<Version> },
    /// A package is installed more than once.
    Twice { name: PackageName, found: Vec<PathBuf> },
    /// The lock does not name it.
    Extra { name: PackageName, version: Option<Version> },
    /// It came from an archive whose hash the lock does not have.
    OtherArchive { name: PackageName, archive: String },
    /// A dependency, by itself or through an extra, is not installed.
    MissingDependency { name: PackageName, of: PackageName, requirement: String },
    /// Its metadata or RECORD cannot be read or contradict themselves.
    Metadata { name: String, what: String },
    /// A file of it is missing.
    FileMissing { name: PackageName, path: PathBuf },
    /// A file of it has another hash than its RECORD.
    FileAltered { name: PackageName, path: PathBuf },
    /// The interpreter in the first line of a script does not exist.
    Script { name: PackageName, path: PathBuf, interpreter: String },
    /// A file in a site folder that no distribution owns.
    Unowned { path: PathBuf },
}

/// What repairs the findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// An installation.
    Install,
    /// An installation that hashes every file ([`super::Inspection::Hashes`]).
    Repair,
    /// The user: nobody else knows what an unowned file is for.
    ByHand,
}

impl VerifyReport {
    /// What repairs all findings; `None` if there are none.
    #[must_use]
    pub fn remedy(&self) -> Option<Remedy> {
        let needs = |finding: &VerifyFinding| match finding {
            VerifyFinding::FileMissing { .. }
            | VerifyFinding::FileAltered { .. }
            | VerifyFinding::Script { .. }
            | VerifyFinding::Metadata { .. } => Remedy::Repair,
            VerifyFinding::Unowned { .. } => Remedy::ByHand,
            _ => Remedy::Install,
        };
        let needs: Vec<Remedy> = self.findings.iter().map(needs).collect();
        // A repair does all that an installation does, and no run removes unowned files.
        [Remedy::Repair, Remedy::Install, Remedy::ByHand].into_iter().find(|remedy| needs.contains(remedy))
    }
}

impl fmt::Display for VerifyFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let version = |version: &Option<Version>| {
            version.as_ref().map_or_else(|| "an unreadable version".to_owned(), ToString::to_string)
        };
        match self {
            Self::Unfinished => f.write_str("a run that changed the environment was not finished"),
            Self::Missing { name, version } => write!(f, "{name} {version} is missing"),
            Self::WrongVersion { name, wanted, found } => {
                write!(f, "{name} is {}, the lock says {wanted}", version(found))
            }
            Self::Twice { name, found } => {
                let found: Vec<_> = found.iter().map(|path| path.display().to_string()).collect();
                write!(f, "{name} is there more than once: {}", found.join(", "))
            }
            Self::Extra { name, version: found } => {
                write!(f, "{name} {} is not in the lock", version(found))
            }
            Self::OtherArchive { name, archive } => {
                write!(f, "{name} came from a file that the lock does not have: sha256:{archive}")
            }
            Self::MissingDependency { name, of, requirement } => {
                write!(f, "{name} is missing, which {of} requires: {requirement}")
            }
            Self::Metadata { name, what } => write!(f, "{name} {what}"),
            Self::FileMissing { name, path } => write!(f, "{name} lacks {}", path.display()),
            Self::FileAltered { name, path } => {
                write!(f, "{name} has another {} than was installed", path.display())
            }
            Self::Script { name, path, interpreter } => {
                write!(f, "{name} has a script {} for {interpreter}, which is not there", path.display())
            }
            Self::Unowned { path } => write!(f, "{} belongs to no distribution", path.display()),
        }
    }
}

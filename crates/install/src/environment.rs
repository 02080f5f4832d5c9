//! An environment as data: where its parts are and what it accepts.

use std::fs;
use std::path::{Path, PathBuf};

use pinfast_base::error::{Error, Result};
use pinfast_files::{is_absent, path_error};
use pinfast_packaging::{PackageName, Target};

/// An environment that is there, or is to be made.
#[derive(Clone, Debug)]
pub struct Environment {
    /// `sys.prefix`, absolute.
    pub root: PathBuf,
    /// The interpreter, absolute, as scripts are to name it; links are not resolved, since a virtual
    /// environment's interpreter is a link.
    pub python: PathBuf,
    /// Where installed files go.
    pub scheme: InstallScheme,
    /// What it accepts.
    pub target: Target,
    /// Whose it is.
    pub kind: EnvironmentKind,
}

/// The folders of the installation scheme, absolute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstallScheme {
    /// Pure Python packages.
    pub purelib: PathBuf,
    /// Packages with compiled parts; often the same folder.
    pub platlib: PathBuf,
    /// Scripts.
    pub scripts: PathBuf,
    /// Whatever else, mostly the root.
    pub data: PathBuf,
    /// C headers; each distribution has a folder of its own in it.
    pub headers: PathBuf,
}

/// Whose an environment is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EnvironmentKind {
    /// A virtual environment.
    Virtual,
    /// An interpreter's own packages; `stdlib` tells whether a system manages them (PEP 668).
    Interpreter {
        /// The folder of the standard library.
        stdlib: PathBuf,
    },
}

impl Environment {
    /// Where an installation keeps its notes, never part of a distribution.
    #[must_use]
    pub fn notes(&self) -> PathBuf {
        match self.kind {
            EnvironmentKind::Virtual => self.root.join(NOTES),
            EnvironmentKind::Interpreter { .. } => self.scheme.purelib.join(NOTES),
        }
    }

    /// The folders that hold `.dist-info` folders: one, or two where they differ.
    pub(super) fn sites(&self) -> Vec<&Path> {
        let (pure, plat) = (self.scheme.purelib.as_path(), self.scheme.platlib.as_path());
        if pure == plat { vec![pure] } else { vec![pure, plat] }
    }

    /// Every folder that a distribution may have files in.
    pub(super) fn bases(&self) -> [&Path; 5] {
        let InstallScheme { purelib, platlib, scripts, data, headers } = &self.scheme;
        [purelib, platlib, scripts, headers, data]
    }

    /// Whether `folder` is one of these, or the environment's own.
    pub(super) fn is_base(&self, folder: &Path) -> bool {
        let text = folder.as_os_str();
        text == self.root.as_os_str() || self.bases().iter().any(|base| text == base.as_os_str())
    }

    /// The folder for the headers of a distribution.
    pub(super) fn headers_of(&self, name: &str) -> PathBuf {
        self.scheme.headers.join(name)
    }

    /// The same environment with links in its folders resolved, so that what is below each folder can
    /// be held to have none. Folders that are not there yet are resolved as far as they are.
    pub(super) fn resolved(&self) -> Result<Self> {
        let InstallScheme { purelib, platlib, scripts, data, headers } = &self.scheme;
        let scheme = InstallScheme {
            purelib: resolve(purelib)?,
            platlib: resolve(platlib)?,
            scripts: resolve(scripts)?,
            data: resolve(data)?,
            headers: resolve(headers)?,
        };
        Ok(Self { root: resolve(&self.root)?, scheme, ..self.clone() })
    }

    /// Whether a distribution must not own or touch this file: what makes the environment one.
    /// `path` is in plain form, below one of the resolved folders.
    pub(super) fn is_reserved(&self, path: &Path) -> bool {
        let below = |folder: &Path| {
            let rest = path.strip_prefix(folder).ok()?;
            Some(rest.to_str()?.to_lowercase())
        };
        let script = below(&self.scheme.scripts).is_some_and(|name| is_reserved_script(&name));
        let root = below(&self.root).is_some_and(|name| {
            let top = name.split('/').next().unwrap_or_default();
            matches!(top, "pyvenv.cfg" | ".gitignore" | NOTES) || name == "lib64"
        });
        script || root || path.starts_with(self.notes())
    }

    /// Refuses an environment that a system manages.
    ///
    /// # Errors
    /// When it does (PEP 668).
    pub(super) fn check_not_externally_managed(&self) -> Result<()> {
        let EnvironmentKind::Interpreter { stdlib } = &self.kind else { return Ok(()) };
        if !stdlib.join("EXTERNALLY-MANAGED").exists() {
            return Ok(());
        }
        Err(Error::usage(format!("the packages of {} belong to the system", self.python.display()))
            .hint("install into a virtual environment: `--venv .venv`"))
    }

    /// Refuses to install a distribution whose files would need a folder that is none of ours.
    pub(super) fn is_inside(&self, path: &Path) -> bool {
        self.bases().iter().any(|base| path.starts_with(base) && path != *base)
    }
}

/// The name of the folder of notes.
pub(super) const NOTES: &str = ".pinfast";

fn is_reserved_script(name: &str) -> bool {
    let python = name.strip_prefix("python").map(|rest| rest.strip_prefix('w').unwrap_or(rest));
    let pypy = name.strip_prefix("pypy");
    let versioned = |rest: &str| rest.chars().all(|c| c.is_ascii_digit() || c == '.' || c == 't');
    python.or(pypy).is_some_and(versioned)
        || name
            .strip_prefix("activate")
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.') || rest.starts_with("_this"))
}

/// Resolves the links of `path` as far as it exists.
fn resolve(path: &Path) -> Result<PathBuf> {
    let mut missing = Vec::new();
    let mut head = path;
    loop {
        match fs::canonicalize(head) {
            Ok(resolved) => return Ok(missing.iter().rev().fold(resolved, |path, name| path.join(name))),
            Err(error) if is_absent(&error) => {}
            Err(error) => return Err(path_error("find", head, error)),
        }
        let (Some(parent), Some(name)) = (head.parent(), head.file_name()) else {
            return Err(Error::usage(format!("{} is not an absolute path", path.display())));
        };
        missing.push(name);
        head = parent;
    }
}

/// The name under which an installation knows a package that seeds environments.
pub(super) fn is_seed(name: &PackageName) -> bool {
    matches!(name.as_str(), "pip" | "setuptools")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_makes_an_environment_is_reserved() {
        for name in ["python", "python3", "python3.11", "pythonw", "pypy3", "activate", "activate.fish"] {
            assert!(is_reserved_script(name), "{name}");
        }
        for name in ["python-config", "pip", "ipython", "pythonic", "activate-global", "pypyc"] {
            assert!(!is_reserved_script(name), "{name}");
        }
    }
}

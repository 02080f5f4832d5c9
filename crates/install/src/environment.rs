//! An environment as data: its folders, its interpreter, and which wheels fit.

use std::fs;
use std::path::{Path, PathBuf};

use pinfast_base::error::{Error, Result};
use pinfast_files::{is_absent, path_error};
use pinfast_packaging::{PackageName, Target};

/// An environment that exists, or will be created.
#[derive(Clone, Debug)]
pub struct Environment {
    /// `sys.prefix`, absolute.
    pub root: PathBuf,
    /// The interpreter that scripts name, absolute. Its links are not resolved: the interpreter of a virtual
    /// environment is a link.
    pub python: PathBuf,
    /// The folders for installed files.
    pub scheme: InstallScheme,
    /// Its marker values and wheel tags.
    pub target: Target,
    /// Whether it is virtual.
    pub kind: EnvironmentKind,
}

/// The folders of an installation scheme, absolute (sysconfig, "Installation paths").
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstallScheme {
    /// Pure Python packages.
    pub purelib: PathBuf,
    /// Packages with compiled parts; usually the same folder.
    pub platlib: PathBuf,
    /// Scripts.
    pub scripts: PathBuf,
    /// All else; usually the root of the environment.
    pub data: PathBuf,
    /// C headers; each distribution has a folder of its own in it.
    pub headers: PathBuf,
}

/// Whether an environment is virtual.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EnvironmentKind {
    /// A virtual environment (PEP 405).
    Virtual,
    /// An interpreter's own packages, perhaps externally managed (PEP 668).
    Interpreter {
        /// The folder of the standard library, where `EXTERNALLY-MANAGED` would be.
        stdlib: PathBuf,
    },
}

impl Environment {
    /// The folder of the journal; no distribution may have files in it.
    #[must_use]
    pub fn journal_folder(&self) -> PathBuf {
        match self.kind {
            EnvironmentKind::Virtual => self.root.join(JOURNAL_FOLDER),
            EnvironmentKind::Interpreter { .. } => self.scheme.purelib.join(JOURNAL_FOLDER),
        }
    }

    /// The folders that hold `.dist-info` folders: one, or two if purelib and platlib differ.
    pub(super) fn sites(&self) -> Vec<&Path> {
        let (pure, plat) = (self.scheme.purelib.as_path(), self.scheme.platlib.as_path());
        if pure == plat { vec![pure] } else { vec![pure, plat] }
    }

    /// Every folder that a distribution may have files in.
    pub(super) fn bases(&self) -> [&Path; 5] {
        let InstallScheme { purelib, platlib, scripts, data, headers } = &self.scheme;
        [purelib, platlib, scripts, headers, data]
    }

    /// Whether `folder` is one of [`Environment::bases`], or the root.
    pub(super) fn is_base(&self, folder: &Path) -> bool {
        let text = folder.as_os_str();
        text == self.root.as_os_str() || self.bases().iter().any(|base| text == base.as_os_str())
    }

    /// The folder for the headers of a distribution.
    pub(super) fn headers_of(&self, name: &str) -> PathBuf {
        self.scheme.headers.join(name)
    }

    /// The same environment with links in its own folders resolved: a link below one of them is then none of
    /// ours. Folders that do not exist yet are resolved as far as they exist.
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

    /// Whether this file makes the environment one, so that no distribution may own or touch it.
    /// `path` is below one of the resolved folders and has no `..`.
    pub(super) fn is_reserved(&self, path: &Path) -> bool {
        let below = |folder: &Path| {
            let rest = path.strip_prefix(folder).ok()?;
            // Some disks ignore case: there `PyVenv.cfg` is the same file.
            Some(rest.to_str()?.to_lowercase())
        };
        let script = below(&self.scheme.scripts).is_some_and(|name| is_reserved_script(&name));
        let root = below(&self.root).is_some_and(|name| {
            let top = name.split('/').next().unwrap_or_default();
            matches!(top, "pyvenv.cfg" | ".gitignore" | JOURNAL_FOLDER) || name == "lib64"
        });
        script || root || path.starts_with(self.journal_folder())
    }

    /// Refuses an externally managed environment (PEP 668).
    ///
    /// # Errors
    /// `Usage` for such an environment.
    pub(super) fn check_not_externally_managed(&self) -> Result<()> {
        let EnvironmentKind::Interpreter { stdlib } = &self.kind else { return Ok(()) };
        if !stdlib.join("EXTERNALLY-MANAGED").exists() {
            return Ok(());
        }
        Err(Error::usage(format!("the packages of {} belong to the system", self.python.display()))
            .hint("install into a virtual environment: `--venv .venv`"))
    }

    /// Whether `path` is below one of the folders of the scheme.
    pub(super) fn is_inside(&self, path: &Path) -> bool {
        self.bases().iter().any(|base| path.starts_with(base) && path != *base)
    }
}

/// The name of the journal's folder.
pub(super) const JOURNAL_FOLDER: &str = ".pinfast";

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
        // The folders above may be links, so the part that exists has to be resolved.
        missing.push(name);
        head = parent;
    }
}

/// Whether this is one of the packages that tools seed new environments with.
pub(super) fn is_seed(name: &PackageName) -> bool {
    matches!(name.as_str(), "pip" | "setuptools")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interpreters_and_activation_scripts_are_reserved() {
        for name in ["python", "python3", "python3.11", "pythonw", "pypy3", "activate", "activate.fish"] {
            assert!(is_reserved_script(name), "{name}");
        }
        for name in ["python-config", "pip", "ipython", "pythonic", "activate-global", "pypyc"] {
            assert!(!is_reserved_script(name), "{name}");
        }
    }
}

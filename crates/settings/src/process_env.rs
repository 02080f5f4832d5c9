//! The process environment as a value: variables, home folder and current folder.
//!
//! What depends on them takes this value as an argument, so a test can set its own.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

/// The environment variables, the home folder and the current folder of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProcessEnv {
    variables: BTreeMap<OsString, OsString>,
    home: Option<PathBuf>,
    current_dir: PathBuf,
}

impl ProcessEnv {
    /// Reads the environment of this process. A current folder that was removed becomes `.`.
    #[must_use]
    pub fn capture() -> Self {
        Self {
            variables: std::env::vars_os().map(|(name, value)| (in_key_case(&name), value)).collect(),
            home: std::env::home_dir().filter(|home| !home.as_os_str().is_empty()),
            current_dir: std::env::current_dir().unwrap_or_else(|_| PathBuf::from(".")),
        }
    }

    /// No variables and no home folder; the current folder is `dir`.
    #[must_use]
    pub fn empty(dir: impl Into<PathBuf>) -> Self {
        Self { current_dir: dir.into(), ..Self::default() }
    }

    /// The same variables and home folder; the current folder is `dir`.
    #[must_use]
    pub fn in_dir(&self, dir: impl Into<PathBuf>) -> Self {
        Self { current_dir: dir.into(), ..self.clone() }
    }

    /// Sets a variable.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.variables.insert(in_key_case(OsStr::new(name)), value.into());
        self
    }

    /// Sets the home folder.
    #[must_use]
    pub fn with_home(mut self, home: impl Into<PathBuf>) -> Self {
        self.home = Some(home.into());
        self
    }

    /// A variable's value; an empty one counts as unset.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<&OsStr> {
        self.variables
            .get(&in_key_case(OsStr::new(name)))
            .map(OsString::as_os_str)
            .filter(|value| !value.is_empty())
    }

    /// A variable's value as text; one that is not Unicode counts as unset.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.variable(name).and_then(OsStr::to_str)
    }

    /// A variable's value as a path, joined to the current folder.
    #[must_use]
    pub fn path(&self, name: &str) -> Option<PathBuf> {
        self.variable(name).map(|value| self.current_dir.join(value))
    }

    /// All variables whose name and value are Unicode, sorted by name.
    pub fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.variables.iter().filter_map(|(name, value)| Some((name.to_str()?, value.to_str()?)))
    }

    /// The home folder.
    #[must_use]
    pub fn home(&self) -> Option<&Path> {
        self.home.as_deref()
    }

    /// The current folder.
    #[must_use]
    pub fn current_dir(&self) -> &Path {
        &self.current_dir
    }

    /// The current folder and its parents, up to the project's root.
    ///
    /// The root is the nearest folder that holds `.git`, else the root of the file system.
    pub fn project_folders(&self) -> impl Iterator<Item = &Path> {
        let mut inside = true;
        self.current_dir.ancestors().take_while(move |folder| {
            let take = inside;
            inside = inside && !folder.join(".git").exists();
            take
        })
    }

    /// `path` with a leading `~/` replaced by the home folder, joined to `base`.
    #[must_use]
    pub fn expand(&self, path: &str, base: &Path) -> PathBuf {
        match (path.strip_prefix("~/"), &self.home) {
            (Some(rest), Some(home)) => home.join(rest),
            _ => base.join(path),
        }
    }
}

/// On Windows, `Path` and `PATH` name the same variable.
fn in_key_case(name: &OsStr) -> OsString {
    if cfg!(windows) { name.to_ascii_uppercase() } else { name.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_variable_is_unset() {
        let env = ProcessEnv::empty("/w").with("A", "").with("B", "b");
        assert_eq!(env.text("A"), None);
        assert_eq!(env.text("B"), Some("b"));
        assert_eq!(env.path("B"), Some(PathBuf::from("/w/b")));
    }

    #[test]
    fn the_project_ends_at_the_folder_with_git() {
        let root = tempfile::tempdir().unwrap();
        let deep = root.path().join("repo/a/b");
        std::fs::create_dir_all(&deep).unwrap();
        std::fs::create_dir(root.path().join("repo/.git")).unwrap();
        let env = ProcessEnv::empty(&deep);
        let folders: Vec<_> = env.project_folders().collect();
        assert_eq!(folders, [deep.as_path(), &root.path().join("repo/a"), &root.path().join("repo")]);
    }

    #[test]
    fn a_tilde_is_the_home() {
        let env = ProcessEnv::empty("/w").with_home("/h");
        assert_eq!(env.expand("~/x", Path::new("/b")), Path::new("/h/x"));
        assert_eq!(env.expand("x", Path::new("/b")), Path::new("/b/x"));
        assert_eq!(env.expand("/x", Path::new("/b")), Path::new("/x"));
    }
}

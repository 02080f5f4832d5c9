//! What surrounds a run: environment variables, home and current folder. Everything that depends on
//! them takes this value, so a test can stand anywhere it likes.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

/// The environment variables, the home folder and the current folder of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Surroundings {
    variables: BTreeMap<OsString, OsString>,
    home: Option<PathBuf>,
    current: PathBuf,
}

impl Surroundings {
    /// Those of this process. A current folder that is gone is `.`.
    #[must_use]
    pub fn of_process() -> Self {
        Self {
            variables: std::env::vars_os().map(|(name, value)| (in_key_case(&name), value)).collect(),
            home: std::env::home_dir().filter(|home| !home.as_os_str().is_empty()),
            current: std::env::current_dir().unwrap_or_else(|_| PathBuf::from(".")),
        }
    }

    /// No variables, no home, standing in `current`.
    #[must_use]
    pub fn bare(current: impl Into<PathBuf>) -> Self {
        Self { current: current.into(), ..Self::default() }
    }

    /// The same, standing in `current`.
    #[must_use]
    pub fn standing_in(&self, current: impl Into<PathBuf>) -> Self {
        Self { current: current.into(), ..self.clone() }
    }

    /// With a variable.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.variables.insert(in_key_case(OsStr::new(name)), value.into());
        self
    }

    /// With a home folder.
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
        self.variable(name).map(|value| self.current.join(value))
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
    pub fn current(&self) -> &Path {
        &self.current
    }

    /// The current folder and its parents, up to the root of the project: the nearest folder that
    /// holds a `.git`, or the root of the file system.
    pub fn project_folders(&self) -> impl Iterator<Item = &Path> {
        let mut inside = true;
        self.current.ancestors().take_while(move |folder| {
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

/// Windows does not tell apart the case of a variable's name.
fn in_key_case(name: &OsStr) -> OsString {
    if cfg!(windows) { name.to_ascii_uppercase() } else { name.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_variable_is_unset() {
        let around = Surroundings::bare("/w").with("A", "").with("B", "b");
        assert_eq!(around.text("A"), None);
        assert_eq!(around.text("B"), Some("b"));
        assert_eq!(around.path("B"), Some(PathBuf::from("/w/b")));
    }

    #[test]
    fn the_project_ends_at_the_folder_with_git() {
        let root = tempfile::tempdir().unwrap();
        let deep = root.path().join("repo/a/b");
        std::fs::create_dir_all(&deep).unwrap();
        std::fs::create_dir(root.path().join("repo/.git")).unwrap();
        let around = Surroundings::bare(&deep);
        let folders: Vec<_> = around.project_folders().collect();
        assert_eq!(folders, [deep.as_path(), &root.path().join("repo/a"), &root.path().join("repo")]);
    }

    #[test]
    fn a_tilde_is_the_home() {
        let around = Surroundings::bare("/w").with_home("/h");
        assert_eq!(around.expand("~/x", Path::new("/b")), Path::new("/h/x"));
        assert_eq!(around.expand("x", Path::new("/b")), Path::new("/b/x"));
        assert_eq!(around.expand("/x", Path::new("/b")), Path::new("/x"));
    }
}

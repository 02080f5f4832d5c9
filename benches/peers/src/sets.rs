//! The sets of requirements to lock, from `sets.toml`.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;

/// A set of requirements.
#[derive(Clone, Debug)]
pub(crate) struct RequirementSet {
    pub(crate) name: String,
    /// The input's text.
    pub(crate) base: String,
    /// The same with one line changed.
    pub(crate) changed: String,
    /// An input without solution.
    pub(crate) conflict: Option<String>,
    /// The Python to lock for, `X.Y`.
    pub(crate) python: String,
    pub(crate) files: AllowedFiles,
    /// Whether it is locked for several targets too.
    pub(crate) targets: bool,
}

/// Which files a lock may list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AllowedFiles {
    All,
    Wheels,
}

#[derive(Deserialize)]
struct SetsFile {
    set: Vec<SetEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetEntry {
    name: String,
    input: PathBuf,
    change: [String; 2],
    conflict: Option<PathBuf>,
    #[serde(default = "usual_python")]
    python: String,
    #[serde(default)]
    targets: bool,
    #[serde(default)]
    wheels_only: bool,
}

/// The sets in `folder/sets.toml`.
pub(crate) fn read(folder: &Path) -> Result<Vec<RequirementSet>> {
    let told: SetsFile = toml::from_str(&text(&folder.join("sets.toml"))?)?;
    told.set.into_iter().map(|set| set.read(folder)).collect()
}

impl SetEntry {
    fn read(self, folder: &Path) -> Result<RequirementSet> {
        let base = text(&folder.join(&self.input))?;
        let [old, new] = self.change;
        ensure!(base.lines().any(|line| line == old), "{}: no line `{old}` to change", self.name);
        let line = |line| if line == old { new.as_str() } else { line };
        let changed: Vec<_> = base.lines().map(line).collect();
        Ok(RequirementSet {
            name: self.name,
            changed: changed.join("\n") + "\n",
            base,
            conflict: self.conflict.map(|path| text(&folder.join(path))).transpose()?,
            python: self.python,
            files: if self.wheels_only { AllowedFiles::Wheels } else { AllowedFiles::All },
            targets: self.targets,
        })
    }
}

fn usual_python() -> String {
    "3.11".to_owned()
}

fn text(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sets_are_readable_and_change_one_line() {
        let sets = read(Path::new(env!("CARGO_MANIFEST_DIR"))).expect("sets");
        assert!(sets.len() > 1);
        for set in sets {
            let pairs = set.base.lines().zip(set.changed.lines());
            assert_eq!(pairs.filter(|(old, new)| old != new).count(), 1, "{}", set.name);
        }
    }
}

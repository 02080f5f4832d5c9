//! What goes out: the tracked files of one commit.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::config::{Config, View};
use pinfast_base::error::{Error, Result};
use pinfast_git::{Committed, WorkTree};
use pinfast_packaging::Sha256;

/// No input and no lock is larger than this, in bytes.
const LARGEST_INPUT: u64 = 16 << 20;

/// The source at one commit; nothing of it changes any more.
#[derive(Debug)]
pub(super) struct Source {
    tree: WorkTree,
    /// The commit's full name.
    pub(super) commit: String,
    /// What goes out.
    pub(super) files: Vec<Committed>,
    /// Its small files, to be read before anything is written below the root.
    folder: TempDir,
    /// What stands for the project's folder and for the source.
    project: PathBuf,
    source: PathBuf,
}

/// The work tree that the source is in, and the commit that goes out.
pub(super) fn commit(config: &Config) -> Result<(WorkTree, String)> {
    let source = config.source.display();
    if !config.source.is_dir() {
        return Err(Error::no(format!("the source {source} is not a folder")));
    }
    let tree = WorkTree::around(&config.source).ok_or_else(|| {
        Error::no(format!("the source {source} is in no git work tree"))
            .hint("only what is committed goes out: `git init`, and commit it")
    })?;
    let commit = tree.commit(&config.revision)?.ok_or_else(|| {
        Error::no(format!("{source} has no commit `{}`", config.revision)).hint("commit what is to go out")
    })?;
    Ok((tree, commit))
}

impl Source {
    /// Reads the source at `commit`.
    pub(super) fn read(config: &Config, tree: WorkTree, commit: String) -> Result<Self> {
        let files = tree.committed(&commit)?;
        let folder = tempfile::tempdir()
            .map_err(|error| Error::no_answer("cannot create a temporary folder").because(error))?;
        // Inputs of the lock may stand beside the source, in the project.
        let inside = config.source.strip_prefix(&config.project).ok();
        let (project, source) = match inside {
            Some(rest) => (folder.path().to_owned(), folder.path().join(rest)),
            None => (config.project.clone(), folder.path().to_owned()),
        };
        let base = inside.map_or(&config.source, |_| &config.project);
        let around = WorkTree::around(base).unwrap_or_else(|| tree.clone());
        around.export(&commit, folder.path(), LARGEST_INPUT)?;
        Ok(Self { tree, commit, files, folder, project, source })
    }

    /// The source in its folder outside of the root.
    pub(super) fn view(&self) -> View<'_> {
        debug_assert!(self.source.starts_with(self.folder.path()));
        View { project: &self.project, source: &self.source }
    }

    /// The SHA-256 of the lock in the source.
    pub(super) fn lock_hash(&self, lock: &str) -> Result<Sha256> {
        hash(&self.source.join(lock))
    }

    /// Writes all that goes out into a folder, which is there.
    pub(super) fn export(&self, to: &Path) -> Result<()> {
        self.tree.export(&self.commit, to, u64::MAX)
    }
}

/// The SHA-256 of a file.
pub(super) fn hash(path: &Path) -> Result<Sha256> {
    let bytes = fs::read(path)
        .map_err(|error| Error::no(format!("cannot read the lock {}", path.display())).because(error))?;
    Ok(Sha256::of(&bytes))
}

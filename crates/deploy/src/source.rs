//! The source of a release: the tracked files of one commit.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::config::{DeployConfig, SourceView};
use pinfast_base::error::{Error, Result};
use pinfast_git::{TreeEntry, WorkTree};
use pinfast_packaging::Sha256;

/// The largest file that the preflight may read, in bytes: a lock or an input of it.
const MAX_INPUT_BYTES: u64 = 16 << 20;

/// The source at one commit. Later commits and edits do not change it.
#[derive(Debug)]
pub(super) struct ReleaseSource {
    tree: WorkTree,
    /// The full hash of the commit.
    pub(super) commit: String,
    /// The entries that the release will hold.
    pub(super) files: Vec<TreeEntry>,
    /// A copy of the small files: the preflight reads them before anything is written below the root.
    copy: TempDir,
    /// The copies of the project's folder and of the source; the second may be inside the first.
    project: PathBuf,
    source: PathBuf,
}

/// The work tree of the source, and the commit to deploy.
pub(super) fn resolve_commit(config: &DeployConfig) -> Result<(WorkTree, String)> {
    let source = config.source.display();
    if !config.source.is_dir() {
        return Err(Error::no(format!("the source {source} is not a folder")));
    }
    let tree = WorkTree::discover(&config.source).ok_or_else(|| {
        Error::no(format!("the source {source} is in no git work tree"))
            .hint("a release holds committed files only: run `git init`, and commit the source")
    })?;
    let commit = tree.resolve_commit(&config.revision)?.ok_or_else(|| {
        Error::no(format!("{source} has no commit `{}`", config.revision)).hint("commit the source first")
    })?;
    Ok((tree, commit))
}

impl ReleaseSource {
    /// Reads the source at `commit`.
    pub(super) fn read(config: &DeployConfig, tree: WorkTree, commit: String) -> Result<Self> {
        let files = tree.list_tree(&commit)?;
        let copy = tempfile::tempdir()
            .map_err(|error| Error::no_answer("cannot create a temporary folder").because(error))?;
        // If the source is inside the project, the lock's inputs may be beside it: copy the whole project.
        let inside = config.source.strip_prefix(&config.project).ok();
        let (project, source) = match inside {
            Some(rest) => (copy.path().to_owned(), copy.path().join(rest)),
            None => (config.project.clone(), copy.path().to_owned()),
        };
        let base = inside.map_or(&config.source, |_| &config.project);
        let base_tree = WorkTree::discover(base).unwrap_or_else(|| tree.clone());
        base_tree.export(&commit, copy.path(), MAX_INPUT_BYTES)?;
        Ok(Self { tree, commit, files, copy, project, source })
    }

    /// The copy of the small files.
    pub(super) fn view(&self) -> SourceView<'_> {
        debug_assert!(self.source.starts_with(self.copy.path()));
        SourceView { project: &self.project, source: &self.source }
    }

    /// The SHA-256 of the lock in the source.
    pub(super) fn hash_lock(&self, lock: &str) -> Result<Sha256> {
        hash_lock(&self.source.join(lock))
    }

    /// Writes the files of the release into the existing folder `to`.
    pub(super) fn export(&self, to: &Path) -> Result<()> {
        self.tree.export(&self.commit, to, u64::MAX)
    }
}

/// The SHA-256 of the lock at `path`.
pub(super) fn hash_lock(path: &Path) -> Result<Sha256> {
    let bytes = fs::read(path)
        .map_err(|error| Error::no(format!("cannot read the lock {}", path.display())).because(error))?;
    Ok(Sha256::of(&bytes))
}

//! Commits and their trees: resolves a revision, compares the work tree with the index, and reads the files
//! of a commit with `git archive`, without touching the work tree.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tar::{Archive, EntryType};

use super::work_tree::{WorkTree, git_failed, not_started, nul_separated};
use pinfast_base::error::{Error, Result};

/// An entry of a commit's tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeEntry {
    /// Its path, relative to the work tree's folder; a folder's ends with a slash.
    pub path: PathBuf,
    /// Its kind.
    pub kind: TreeEntryKind,
    /// Its size in bytes; 0 for a folder or a link.
    pub size: u64,
}

/// The kind of a tree entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TreeEntryKind {
    /// A regular file.
    File,
    /// A folder. An empty one is a submodule: a commit does not hold the files of its submodules.
    Folder,
    /// A symbolic link.
    Link,
}

impl WorkTree {
    /// The full hash of the commit that `revision` names, as `git rev-parse` finds it; `None` if it names none.
    ///
    /// # Errors
    /// No answer: git cannot be started, or fails.
    pub fn resolve_commit(&self, revision: &str) -> Result<Option<String>> {
        let mut command = self.git();
        command.args(["rev-parse", "--verify", "--quiet", "--end-of-options"]);
        let output = command.arg(format!("{revision}^{{commit}}")).stdin(Stdio::null()).output();
        let output = output.map_err(not_started)?;
        match output.status.code() {
            Some(0) => Ok(Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())),
            Some(1) => Ok(None),
            _ => Err(git_failed(&output)),
        }
    }

    /// The tracked files in the folder that differ from `HEAD`, as paths from the root of the work tree.
    ///
    /// # Errors
    /// No answer: git cannot be started, or fails.
    pub fn changed_files(&self) -> Result<Vec<String>> {
        let mut command = self.git();
        command.args(["status", "--porcelain", "-z", "--no-renames", "--untracked-files=no", "--", "."]);
        let output = command.stdin(Stdio::null()).output().map_err(not_started)?;
        if !output.status.success() {
            return Err(git_failed(&output));
        }
        // Each line of the porcelain format is `XY PATH`.
        Ok(nul_separated(&output.stdout).filter_map(|line| line.get(3..).map(str::to_owned)).collect())
    }

    /// The entries that `commit` has in the folder, without those marked `export-ignore`.
    ///
    /// # Errors
    /// No answer: git cannot be started, or fails.
    pub fn list_tree(&self, commit: &str) -> Result<Vec<TreeEntry>> {
        let mut all = Vec::new();
        self.archive(commit, |entry| {
            let kind = match entry.header().entry_type() {
                EntryType::Directory => TreeEntryKind::Folder,
                EntryType::Symlink => TreeEntryKind::Link,
                _ => TreeEntryKind::File,
            };
            all.push(TreeEntry { path: entry.path()?.into_owned(), kind, size: entry.size() });
            Ok(())
        })?;
        Ok(all)
    }

    /// Writes the same entries into the existing folder `to`, except files larger than `max_bytes`.
    ///
    /// # Errors
    /// No answer: git cannot be started, or fails; or the disk refuses.
    pub fn export(&self, commit: &str, to: &Path, max_bytes: u64) -> Result<()> {
        let to = fs::canonicalize(to)
            .map_err(|error| Error::no_answer(format!("cannot find {}", to.display())).because(error))?;
        self.archive(commit, |entry| {
            if entry.size() <= max_bytes {
                // It skips an entry that would leave the folder; git makes no such entries.
                entry.unpack_in(&to)?;
            }
            Ok(())
        })
    }

    /// Runs `git archive` and gives its entries to `visit`, one by one.
    fn archive(
        &self,
        commit: &str,
        mut visit: impl FnMut(&mut tar::Entry<'_, &mut std::process::ChildStdout>) -> std::io::Result<()>,
    ) -> Result<()> {
        let mut command = self.git();
        command.args(["-c", "tar.umask=user", "archive", "--format=tar", commit]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(not_started)?;
        let mut read = || {
            let Some(output) = &mut child.stdout else { return Ok(()) };
            let mut archive = Archive::new(&mut *output);
            for entry in archive.entries()? {
                let mut entry = entry?;
                // The global header only names the commit.
                if !entry.header().entry_type().is_pax_global_extensions() {
                    visit(&mut entry)?;
                }
            }
            // The archive ends with padding. Unread, git would fail to write it.
            std::io::copy(output, &mut std::io::sink()).map(drop)
        };
        let visited: std::io::Result<()> = read();
        // After an error nobody reads the pipe: closing it ends git at its next write.
        drop(child.stdout.take());
        let output = child.wait_with_output().map_err(not_started)?;
        match visited {
            Err(error) => Err(Error::no_answer(format!("cannot copy the files of {commit}")).because(error)),
            Ok(()) if output.status.success() => Ok(()),
            Ok(()) => Err(git_failed(&output)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{git, repository};
    use super::*;

    fn commit(folder: &Path, message: &str) {
        git(folder, &["add", "-A"]);
        git(folder, &["-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "-qm", message]);
    }

    #[test]
    fn a_commit_is_exported_without_later_changes() {
        let repository = repository();
        let folder = repository.path();
        fs::create_dir_all(folder.join("app/deep")).unwrap();
        fs::write(folder.join("app/bot.py"), "one").unwrap();
        fs::write(folder.join("app/deep/big"), [0; 100]).unwrap();
        fs::write(folder.join("outside.py"), "").unwrap();
        std::os::unix::fs::symlink("bot.py", folder.join("app/link.py")).unwrap();
        commit(folder, "first");
        let tree = WorkTree::discover(&folder.join("app")).unwrap();
        let first = tree.resolve_commit("HEAD").unwrap().unwrap();
        assert_eq!(first.len(), 40);
        assert_eq!(tree.resolve_commit("no-such-branch").unwrap(), None);
        assert!(tree.changed_files().unwrap().is_empty());

        fs::write(folder.join("app/bot.py"), "two").unwrap();
        fs::write(folder.join("outside.py"), "changed").unwrap();
        fs::write(folder.join("app/untracked"), "").unwrap();
        assert_eq!(tree.changed_files().unwrap(), ["app/bot.py"]);

        let to = tempfile::tempdir().unwrap();
        tree.export(&first, to.path(), 50).unwrap();
        assert_eq!(fs::read_to_string(to.path().join("bot.py")).unwrap(), "one");
        assert_eq!(fs::read_link(to.path().join("link.py")).unwrap(), Path::new("bot.py"));
        assert!(!to.path().join("deep/big").exists(), "it is larger than the limit");
        assert!(!to.path().join("untracked").exists());
        let mut all: Vec<_> = tree.list_tree(&first).unwrap();
        all.sort_by(|a, b| a.path.cmp(&b.path));
        let found: Vec<_> = all.iter().map(|it| (it.path.to_str().unwrap(), it.kind, it.size)).collect();
        let (file, folder, link) = (TreeEntryKind::File, TreeEntryKind::Folder, TreeEntryKind::Link);
        assert_eq!(
            found,
            [("bot.py", file, 3), ("deep/", folder, 0), ("deep/big", file, 100), ("link.py", link, 0)]
        );
    }

    #[test]
    fn files_marked_export_ignore_are_left_out() {
        let repository = repository();
        let folder = repository.path();
        fs::create_dir(folder.join("tests")).unwrap();
        fs::write(folder.join("tests/test_bot.py"), "").unwrap();
        fs::write(folder.join(".gitattributes"), "tests export-ignore\n").unwrap();
        commit(folder, "first");
        let tree = WorkTree::discover(folder).unwrap();
        let paths: Vec<_> = tree.list_tree("HEAD").unwrap().into_iter().map(|it| it.path).collect();
        assert_eq!(paths, [Path::new(".gitattributes")]);
    }

    #[test]
    fn a_failure_of_git_is_no_answer() {
        let repository = repository();
        let tree = WorkTree::discover(repository.path()).unwrap();
        assert_eq!(tree.resolve_commit("HEAD").unwrap(), None, "nothing is committed");
        assert_eq!(tree.list_tree("HEAD").unwrap_err().kind, pinfast_base::error::ErrorKind::NoAnswer);
    }
}

//! What is committed: which commit a revision means, whether something changed since, and the files of a
//! commit, read and written elsewhere without touching the work tree.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tar::{Archive, EntryType};

use super::ask::{WorkTree, failed, names};
use pinfast_base::error::{Error, Result};

/// A file, folder or link of a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committed {
    /// Its path from the folder that was asked about.
    pub path: PathBuf,
    /// What it is.
    pub kind: CommittedKind,
    /// Its size in bytes.
    pub size: u64,
}

/// What is committed at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommittedKind {
    /// A file.
    File,
    /// A folder; an empty one is a submodule, whose files are not part of the commit.
    Folder,
    /// A symbolic link.
    Link,
}

impl WorkTree {
    /// The full name of the commit that `revision` means; `None` where it means none.
    ///
    /// # Errors
    /// No answer: git cannot be started, or fails.
    pub fn commit(&self, revision: &str) -> Result<Option<String>> {
        let mut command = self.git();
        command.args(["rev-parse", "--verify", "--quiet", "--end-of-options"]);
        let output = command.arg(format!("{revision}^{{commit}}")).stdin(Stdio::null()).output();
        let output = output.map_err(not_started)?;
        match output.status.code() {
            Some(0) => Ok(Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())),
            Some(1) => Ok(None),
            _ => Err(failed(&output)),
        }
    }

    /// The tracked files in the folder that are not as they are committed, as paths from the root of the
    /// work tree.
    ///
    /// # Errors
    /// No answer: git cannot be started, or fails.
    pub fn changes(&self) -> Result<Vec<String>> {
        let mut command = self.git();
        command.args(["status", "--porcelain", "-z", "--no-renames", "--untracked-files=no", "--", "."]);
        let output = command.stdin(Stdio::null()).output().map_err(not_started)?;
        if !output.status.success() {
            return Err(failed(&output));
        }
        // Each is `XY PATH`.
        Ok(names(&output.stdout).filter_map(|line| line.get(3..).map(str::to_owned)).collect())
    }

    /// What `commit` has in the folder.
    ///
    /// # Errors
    /// No answer: git cannot be started, or fails.
    pub fn committed(&self, commit: &str) -> Result<Vec<Committed>> {
        let mut all = Vec::new();
        self.each(commit, |entry| {
            let kind = match entry.header().entry_type() {
                EntryType::Directory => CommittedKind::Folder,
                EntryType::Symlink => CommittedKind::Link,
                _ => CommittedKind::File,
            };
            all.push(Committed { path: entry.path()?.into_owned(), kind, size: entry.size() });
            Ok(())
        })?;
        Ok(all)
    }

    /// Writes what `commit` has in the folder into the folder `to`, which is there; files larger than
    /// `largest` bytes are left out.
    ///
    /// # Errors
    /// No answer: git cannot be started, or fails; or the disk refuses.
    pub fn export(&self, commit: &str, to: &Path, largest: u64) -> Result<()> {
        let to = fs::canonicalize(to)
            .map_err(|error| Error::no_answer(format!("cannot find {}", to.display())).because(error))?;
        self.each(commit, |entry| {
            if entry.size() <= largest {
                // What would leave the folder is left out, and git has none such.
                entry.unpack_in(&to)?;
            }
            Ok(())
        })
    }

    /// Reads `git archive`, entry by entry.
    fn each(
        &self,
        commit: &str,
        mut take: impl FnMut(&mut tar::Entry<'_, &mut std::process::ChildStdout>) -> std::io::Result<()>,
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
                // It names the commit.
                if !entry.header().entry_type().is_pax_global_extensions() {
                    take(&mut entry)?;
                }
            }
            // The archive is padded at its end: git is to get rid of all of it.
            std::io::copy(output, &mut std::io::sink()).map(drop)
        };
        let outcome: std::io::Result<()> = read();
        // Without a reader git ends at its next write.
        drop(child.stdout.take());
        let output = child.wait_with_output().map_err(not_started)?;
        match outcome {
            Err(error) => Err(Error::no_answer(format!("cannot write what {commit} has")).because(error)),
            Ok(()) if output.status.success() => Ok(()),
            Ok(()) => Err(failed(&output)),
        }
    }
}

fn not_started(error: std::io::Error) -> Error {
    Error::no_answer("git cannot be started").because(error)
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
    fn a_commit_is_exported_as_it_was() {
        let repository = repository();
        let folder = repository.path();
        fs::create_dir_all(folder.join("app/deep")).unwrap();
        fs::write(folder.join("app/bot.py"), "one").unwrap();
        fs::write(folder.join("app/deep/big"), [0; 100]).unwrap();
        fs::write(folder.join("outside.py"), "").unwrap();
        std::os::unix::fs::symlink("bot.py", folder.join("app/link.py")).unwrap();
        commit(folder, "first");
        let tree = WorkTree::around(&folder.join("app")).unwrap();
        let first = tree.commit("HEAD").unwrap().unwrap();
        assert_eq!(first.len(), 40);
        assert_eq!(tree.commit("no-such-branch").unwrap(), None);
        assert!(tree.changes().unwrap().is_empty());

        fs::write(folder.join("app/bot.py"), "two").unwrap();
        fs::write(folder.join("outside.py"), "changed").unwrap();
        fs::write(folder.join("app/untracked"), "").unwrap();
        assert_eq!(tree.changes().unwrap(), ["app/bot.py"]);

        let to = tempfile::tempdir().unwrap();
        tree.export(&first, to.path(), 50).unwrap();
        assert_eq!(fs::read_to_string(to.path().join("bot.py")).unwrap(), "one");
        assert_eq!(fs::read_link(to.path().join("link.py")).unwrap(), Path::new("bot.py"));
        assert!(!to.path().join("deep/big").exists(), "it is larger than asked for");
        assert!(!to.path().join("untracked").exists());
        let mut all: Vec<_> = tree.committed(&first).unwrap();
        all.sort_by(|a, b| a.path.cmp(&b.path));
        let told: Vec<_> = all.iter().map(|it| (it.path.to_str().unwrap(), it.kind, it.size)).collect();
        let (file, folder, link) = (CommittedKind::File, CommittedKind::Folder, CommittedKind::Link);
        assert_eq!(
            told,
            [("bot.py", file, 3), ("deep/", folder, 0), ("deep/big", file, 100), ("link.py", link, 0)]
        );
    }

    /// As in every archive that git makes.
    #[test]
    fn what_is_marked_to_stay_out_stays_out() {
        let repository = repository();
        let folder = repository.path();
        fs::create_dir(folder.join("tests")).unwrap();
        fs::write(folder.join("tests/test_bot.py"), "").unwrap();
        fs::write(folder.join(".gitattributes"), "tests export-ignore\n").unwrap();
        commit(folder, "first");
        let tree = WorkTree::around(folder).unwrap();
        let paths: Vec<_> = tree.committed("HEAD").unwrap().into_iter().map(|it| it.path).collect();
        assert_eq!(paths, [Path::new(".gitattributes")]);
    }

    #[test]
    fn what_git_cannot_do_is_no_answer() {
        let repository = repository();
        let tree = WorkTree::around(repository.path()).unwrap();
        assert_eq!(tree.commit("HEAD").unwrap(), None, "nothing is committed");
        assert_eq!(tree.committed("HEAD").unwrap_err().kind, pinfast_base::error::ErrorKind::NoAnswer);
    }
}

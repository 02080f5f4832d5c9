//! The questions to git.

use std::collections::HashSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use pinfast_base::error::{Error, Result};

/// A folder inside a git work tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkTree {
    folder: PathBuf,
}

/// What git says of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathState {
    /// It, or something in it, is tracked.
    Tracked,
    /// It is not tracked, and ignored.
    Ignored,
    /// Neither: `git add .` would take it.
    Exposed,
}

/// Variables that would make git look at another repository, index or configuration than the
/// folder's own, as a hook or an alias sets them.
const MISLEADING: [&str; 8] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_PREFIX",
    "GIT_COMMON_DIR",
    "GIT_OBJECT_DIRECTORY",
    "GIT_NAMESPACE",
    "GIT_LITERAL_PATHSPECS",
];

impl WorkTree {
    /// The work tree that `folder` is in, if it is in one: it or a parent holds a `.git`. No process
    /// is started.
    #[must_use]
    pub fn around(folder: &Path) -> Option<Self> {
        let folder = std::path::absolute(folder).ok()?;
        let inside = folder.ancestors().any(|parent| parent.join(".git").exists());
        inside.then_some(Self { folder })
    }

    /// What git says of each of `paths`, relative to the folder; `None` where there is no git to ask,
    /// or it does not take this for a repository. At most two processes.
    ///
    /// # Errors
    /// No answer: git fails for another reason, such as a repository that somebody else owns.
    pub fn states(&self, paths: &[&str]) -> Result<Option<Vec<PathState>>> {
        let Some(tracked) = self.tracked(paths)? else {
            return Ok(None);
        };
        let open: Vec<&str> = paths.iter().copied().filter(|path| !tracked.contains(*path)).collect();
        let ignored = if open.is_empty() { HashSet::new() } else { self.ignored(&open)? };
        let state = |path: &&str| match *path {
            path if tracked.contains(path) => PathState::Tracked,
            path if ignored.contains(path) => PathState::Ignored,
            _ => PathState::Exposed,
        };
        Ok(Some(paths.iter().map(state).collect()))
    }

    /// Those of `paths` that are tracked, or have something tracked in them.
    fn tracked(&self, paths: &[&str]) -> Result<Option<HashSet<String>>> {
        let mut command = self.git();
        command.args(["--literal-pathspecs", "ls-files", "-z", "--"]).args(paths);
        let output = match command.stdin(Stdio::null()).output() {
            Ok(output) => output,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::no_answer("git cannot be started").because(error)),
        };
        if !output.status.success() {
            return if is_no_repository(&output) { Ok(None) } else { Err(failed(&output)) };
        }
        let of = |file: &str| {
            let inside = |path: &&&str| {
                file.strip_prefix(**path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            };
            paths.iter().find(inside).map(|path| (*path).to_owned())
        };
        Ok(Some(names(&output.stdout).filter_map(of).collect()))
    }

    /// Those of `paths` that are ignored, whether or not they exist: each is asked for as a folder,
    /// except a link, which is none to git.
    fn ignored(&self, paths: &[&str]) -> Result<HashSet<String>> {
        let mut command = self.git();
        command.args(["check-ignore", "-z", "--stdin"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let gone = |error| Error::no_answer("git cannot be asked what it ignores").because(error);
        let mut child = command.spawn().map_err(gone)?;
        if let Some(mut input) = child.stdin.take() {
            let end = |path: &str| if self.folder.join(path).is_symlink() { "\0" } else { "/\0" };
            let text: String = paths.iter().map(|path| format!("{path}{}", end(path))).collect();
            // Git may have ended already; its status tells why.
            let _ = input.write_all(text.as_bytes());
        }
        let output = child.wait_with_output().map_err(gone)?;
        match output.status.code() {
            Some(0) => Ok(names(&output.stdout).map(|name| name.trim_end_matches('/').to_owned()).collect()),
            // None of them.
            Some(1) => Ok(HashSet::new()),
            _ => Err(failed(&output)),
        }
    }

    pub(super) fn git(&self) -> Command {
        let mut command = Command::new("git");
        for name in MISLEADING {
            command.env_remove(name);
        }
        // No lock is taken, no program of the repository's choice is started, and git speaks English.
        command
            .args(["--no-optional-locks", "-c", "core.fsmonitor=false"])
            .env("LC_ALL", "C")
            .current_dir(&self.folder);
        command
    }
}

pub(super) fn names(output: &[u8]) -> impl Iterator<Item = &str> {
    output
        .split(|byte| *byte == 0)
        .filter_map(|name| std::str::from_utf8(name).ok())
        .filter(|name| !name.is_empty())
}

fn complaint(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).trim().to_owned()
}

fn is_no_repository(output: &Output) -> bool {
    let complaint = complaint(output);
    complaint.contains("not a git repository") || complaint.contains("must be run in a work tree")
}

pub(super) fn failed(output: &Output) -> Error {
    let mut error = Error::no_answer(format!("git failed ({})", output.status));
    error.details = complaint(output).lines().map(clean).collect();
    error
}

fn clean(line: &str) -> String {
    line.chars().map(|char| if char.is_control() { ' ' } else { char }).collect()
}

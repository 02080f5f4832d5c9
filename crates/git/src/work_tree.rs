//! A folder in a git work tree, and the state of its paths: `git ls-files` and `git check-ignore`.

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

/// The state of a path in a work tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathState {
    /// The index holds it, or something below it.
    Tracked,
    /// It is not tracked, and an ignore rule matches it.
    Ignored,
    /// Neither: `git add .` would add it.
    Untracked,
}

/// Variables that point git at another repository, index or configuration than the folder's own; a hook or
/// an alias sets them. Most are what `git rev-parse --local-env-vars` lists.
const REPOSITORY_VARIABLES: [&str; 8] = [
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
    /// The work tree that holds `folder`: it or a parent has a `.git`. Starts no process.
    #[must_use]
    pub fn discover(folder: &Path) -> Option<Self> {
        let folder = std::path::absolute(folder).ok()?;
        let inside = folder.ancestors().any(|parent| parent.join(".git").exists());
        inside.then_some(Self { folder })
    }

    /// The state of each of `paths`, which are relative to the folder. `None` if git is not installed or does
    /// not accept the folder as a work tree. Starts at most two processes.
    ///
    /// # Errors
    /// No answer: git fails for another reason, such as a repository that another user owns.
    pub fn path_states(&self, paths: &[&str]) -> Result<Option<Vec<PathState>>> {
        let Some(tracked) = self.tracked(paths)? else {
            return Ok(None);
        };
        let rest: Vec<&str> = paths.iter().copied().filter(|path| !tracked.contains(*path)).collect();
        let ignored = if rest.is_empty() { HashSet::new() } else { self.ignored(&rest)? };
        let state = |path: &&str| match *path {
            path if tracked.contains(path) => PathState::Tracked,
            path if ignored.contains(path) => PathState::Ignored,
            _ => PathState::Untracked,
        };
        Ok(Some(paths.iter().map(state).collect()))
    }

    /// Those of `paths` that are tracked, or have a tracked file below them.
    fn tracked(&self, paths: &[&str]) -> Result<Option<HashSet<String>>> {
        let mut command = self.git();
        command.args(["--literal-pathspecs", "ls-files", "-z", "--"]).args(paths);
        let output = match command.stdin(Stdio::null()).output() {
            Ok(output) => output,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(not_started(error)),
        };
        if !output.status.success() {
            return if is_no_work_tree(&output) { Ok(None) } else { Err(git_failed(&output)) };
        }
        let asked_path = |file: &str| {
            let holds = |path: &&&str| {
                file.strip_prefix(**path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            };
            paths.iter().find(holds).map(|path| (*path).to_owned())
        };
        Ok(Some(nul_separated(&output.stdout).filter_map(asked_path).collect()))
    }

    /// Those of `paths` that are ignored, whether or not they exist.
    fn ignored(&self, paths: &[&str]) -> Result<HashSet<String>> {
        let mut command = self.git();
        command.args(["check-ignore", "-z", "--stdin"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(not_started)?;
        if let Some(mut input) = child.stdin.take() {
            // The slash makes rules for folders (`.venv/`) match; to git, a link is not a folder.
            let end = |path: &str| if self.folder.join(path).is_symlink() { "\0" } else { "/\0" };
            let text: String = paths.iter().map(|path| format!("{path}{}", end(path))).collect();
            // If git has ended already, its status explains why.
            let _ = input.write_all(text.as_bytes());
        }
        let output = child.wait_with_output().map_err(not_started)?;
        match output.status.code() {
            Some(0) => {
                let name = |name: &str| name.trim_end_matches('/').to_owned();
                Ok(nul_separated(&output.stdout).map(name).collect())
            }
            // Exit code 1: none of them is ignored.
            Some(1) => Ok(HashSet::new()),
            _ => Err(git_failed(&output)),
        }
    }

    /// A `git` command that reads only this folder's repository.
    pub(super) fn git(&self) -> Command {
        let mut command = Command::new("git");
        for name in REPOSITORY_VARIABLES {
            command.env_remove(name);
        }
        // It takes no lock, starts no program that the repository configures, and prints English.
        command
            .args(["--no-optional-locks", "-c", "core.fsmonitor=false"])
            .env("LC_ALL", "C")
            .current_dir(&self.folder);
        command
    }
}

/// The names in an output of `-z`. A name that is not UTF-8 is left out.
pub(super) fn nul_separated(output: &[u8]) -> impl Iterator<Item = &str> {
    output
        .split(|byte| *byte == 0)
        .filter_map(|name| std::str::from_utf8(name).ok())
        .filter(|name| !name.is_empty())
}

pub(super) fn not_started(error: std::io::Error) -> Error {
    Error::no_answer("git cannot be started").because(error)
}

/// An error with what git printed to standard error.
pub(super) fn git_failed(output: &Output) -> Error {
    let mut error = Error::no_answer(format!("git failed ({})", output.status));
    error.details = stderr_text(output).lines().map(without_controls).collect();
    error
}

fn is_no_work_tree(output: &Output) -> bool {
    let text = stderr_text(output);
    text.contains("not a git repository") || text.contains("must be run in a work tree")
}

fn stderr_text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).trim().to_owned()
}

fn without_controls(line: &str) -> String {
    line.chars().map(|char| if char.is_control() { ' ' } else { char }).collect()
}

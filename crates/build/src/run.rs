//! Runs the hooks of a build backend: in a process of their own, with a clean environment, within a limit
//! of time. What they print is kept, as far as it is the end of it.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::system::System;
use super::{Fault, TIME_VARIABLE};
use pinfast_base::error::Error;
use pinfast_base::event::Watcher;
use pinfast_process::{OutputTail, WaitEnd, wait};

/// The program that runs a hook; see its own comments.
const SCRIPT: &str = include_str!("hooks.py");
/// How much of what a backend prints is kept.
const KEPT: usize = 64 << 10;
/// The most bytes of an answer.
const LONGEST_ANSWER: u64 = 1 << 20;
/// How long a process may take to end once it is told to.
const GRACE: Duration = Duration::from_secs(3);
/// How long an output may stay open after that: a process that was left behind may hold it.
const OUTPUT_GRACE: Duration = Duration::from_millis(500);

/// A backend that can be called.
pub(super) struct Backend<'a> {
    /// The interpreter of the environment that holds its requirements.
    pub(super) python: PathBuf,
    /// The unpacked source.
    pub(super) source: &'a Path,
    /// A folder for whatever is needed besides.
    pub(super) scratch: &'a Path,
    /// `PATH`, after the environment's own programs.
    pub(super) path: &'a OsStr,
    pub(super) system: &'a System,
    /// How long one hook may take.
    pub(super) time: Duration,
    pub(super) network: Network,
    pub(super) watcher: &'a dyn Watcher,
}

/// What a backend is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Want {
    /// What it needs besides to build a wheel.
    Requirements,
    /// The metadata, in a folder or else in a wheel.
    Metadata,
    /// A wheel.
    Wheel,
}

/// What a backend may do with the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) enum Network {
    /// What the machine lets it.
    #[serde(rename = "as it is")]
    AsItIs,
    /// Nothing, where the system can take it away.
    #[serde(rename = "none")]
    None,
}

/// What it answers.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Answer {
    /// Requirements.
    Requirements(Vec<String>),
    /// The name of a `.dist-info` folder in the folder for results.
    Folder(String),
    /// The name of a wheel there.
    Wheel(String),
}

/// Why there is no answer.
pub(super) enum Trouble {
    /// The backend failed: a clause about it, and the end of what it printed.
    Failed(String, Vec<u8>),
    /// The world is at fault.
    World(Error),
}

#[derive(Serialize)]
struct Task<'a> {
    want: Want,
    network: Network,
    backend: &'a str,
    backend_path: &'a [PathBuf],
    out: PathBuf,
}

impl From<std::io::Error> for Trouble {
    fn from(error: std::io::Error) -> Self {
        Self::World(Error::no_answer("cannot run a build backend").because(error))
    }
}

impl Backend<'_> {
    /// Where its results go.
    pub(super) fn out(&self) -> PathBuf {
        self.scratch.join("out")
    }

    /// Asks it for something.
    pub(super) fn ask(&self, want: Want) -> Result<Answer, Trouble> {
        let file = |name: &str| self.scratch.join(name);
        let (script, task, answer) = (file("hooks.py"), file("task.json"), file("answer.json"));
        for folder in ["out", "home", "tmp"] {
            fs::create_dir_all(file(folder))?;
        }
        let (backend, backend_path) = (&self.system.backend, &self.system.path);
        let text =
            serde_json::to_vec(&Task { want, network: self.network, backend, backend_path, out: self.out() });
        fs::write(&task, text.map_err(std::io::Error::from)?)?;
        fs::write(&script, SCRIPT)?;
        let mut command = Command::new(&self.python);
        command.args(["-I", "-B"]).args([&script, &task, &answer]).current_dir(self.source);
        self.surround(&mut command);
        let printed = self.run(command)?;
        let lied = |why: &str| Trouble::Failed(format!("gave no answer that makes sense: {why}"), printed);
        let mut text = Vec::new();
        match File::open(&answer).and_then(|file| file.take(LONGEST_ANSWER).read_to_end(&mut text)) {
            Ok(_) => serde_json::from_slice(&text).map_err(|error| lied(&error.to_string())),
            Err(error) => Err(lied(&error.to_string())),
        }
    }

    /// The environment of the process: nothing of ours but where programs are.
    fn surround(&self, command: &mut Command) {
        let programs = self.python.parent().map(Path::to_owned);
        let all = programs.into_iter().chain(std::env::split_paths(self.path));
        command.env_clear();
        if let Ok(path) = std::env::join_paths(all) {
            command.env("PATH", path);
        }
        for (name, folder) in [("HOME", "home"), ("TMPDIR", "tmp")] {
            command.env(name, self.scratch.join(folder));
        }
        // The oldest time that a zip can tell: what is built does not depend on the day.
        let fixed =
            [("LC_ALL", "C.UTF-8"), ("PYTHONIOENCODING", "utf-8"), ("SOURCE_DATE_EPOCH", "315532800")];
        command.envs(fixed);
    }

    /// Runs `command` to its end and returns the end of what it printed.
    fn run(&self, mut command: Command) -> Result<Vec<u8>, Trouble> {
        let (reader, writer) = std::io::pipe()?;
        command.stdin(Stdio::piped()).stdout(writer.try_clone()?).stderr(writer);
        let deadline = Instant::now() + self.time;
        let mut child = command.spawn()?;
        // It holds the other ends of the pipe, which would else never end.
        drop(command);
        let printed = OutputTail::start(reader, KEPT);
        let end = wait(&child, deadline, || self.watcher.cancelled());
        // The script kills the backend, and all that it started, when its input is closed.
        drop(child.stdin.take());
        if end != WaitEnd::Exited {
            if wait(&child, Instant::now() + GRACE, || false) != WaitEnd::Exited {
                child.kill()?;
            }
            child.wait()?;
            let seconds = self.time.as_secs_f32();
            let what = format!("took more than {seconds} s ({TIME_VARIABLE} raises the limit)");
            return Err(Trouble::Failed(what, printed.finish(OUTPUT_GRACE)));
        }
        let status = child.wait()?;
        let printed = printed.finish(OUTPUT_GRACE);
        if status.success() { Ok(printed) } else { Err(Trouble::Failed("failed".to_owned(), printed)) }
    }
}

impl From<Trouble> for Fault {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::World(error) => Self::World(error),
            Trouble::Failed(what, printed) => Self::Backend { what, printed },
        }
    }
}

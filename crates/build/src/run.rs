//! Runs the hooks of a build backend: in a process of their own, with a clean environment, within a limit
//! of time. What they print is kept, as far as it is the end of it.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{PipeReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::system::System;
use super::{Fault, TIME_VARIABLE};
use pinfast_base::error::Error;
use pinfast_base::event::Watcher;

/// The program that runs a hook; see its own comments.
const SCRIPT: &str = include_str!("hooks.py");
/// How much of what a backend prints is kept.
const KEPT: usize = 64 << 10;
/// The most bytes of an answer.
const LONGEST_ANSWER: u64 = 1 << 20;
/// How long a process may take to end once it is told to.
const GRACE: Duration = Duration::from_secs(3);

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
        let deadline = Instant::now() + self.time;
        let (reader, writer) = std::io::pipe()?;
        command.stdin(Stdio::piped()).stdout(writer.try_clone()?).stderr(writer);
        let mut child = command.spawn()?;
        // It holds the other ends of the pipe, which would else never end.
        drop(command);
        let printed = Printed::follow(reader);
        let ended = wait(&mut child, deadline, self.watcher);
        // Its end tells the process to end, and all that it started.
        drop(child.stdin.take());
        let status = match ended? {
            Some(status) => status,
            None => {
                if wait(&mut child, Instant::now() + GRACE, &pinfast_base::event::Unwatched)?.is_none() {
                    child.kill()?;
                    child.wait()?;
                }
                let seconds = self.time.as_secs_f32();
                let what = format!("took more than {seconds} s ({TIME_VARIABLE} raises the limit)");
                return Err(Trouble::Failed(what, printed.end()));
            }
        };
        let printed = printed.end();
        if status.success() { Ok(printed) } else { Err(Trouble::Failed("failed".to_owned(), printed)) }
    }
}

/// The status of a process that ends before the deadline.
fn wait(child: &mut Child, deadline: Instant, watcher: &dyn Watcher) -> std::io::Result<Option<ExitStatus>> {
    let mut pause = Duration::from_millis(1);
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if Instant::now() >= deadline || watcher.cancelled() {
            return Ok(None);
        }
        thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(20));
    }
}

/// The end of what a process prints, read on a thread of its own: something that it left running may
/// hold the pipe open.
struct Printed {
    text: Arc<Mutex<Vec<u8>>>,
    over: Receiver<()>,
}

impl Printed {
    fn follow(mut pipe: PipeReader) -> Self {
        let text = Arc::new(Mutex::new(Vec::new()));
        let (sender, over) = channel::<()>();
        let kept = text.clone();
        thread::spawn(move || {
            let _at_the_end = sender;
            let mut piece = vec![0; 1 << 14];
            while let Ok(read @ 1..) = pipe.read(&mut piece) {
                let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                kept.extend_from_slice(&piece[..read]);
                let more = kept.len().saturating_sub(KEPT);
                kept.drain(..more);
            }
        });
        Self { text, over }
    }

    fn end(self) -> Vec<u8> {
        // Nothing is ever sent: either the sender is gone or the time is up.
        let _ = self.over.recv_timeout(Duration::from_millis(500));
        std::mem::take(&mut *self.text.lock().unwrap_or_else(PoisonError::into_inner))
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

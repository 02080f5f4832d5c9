//! Runs the commands of a release: smoke tests, restarts and health checks.
//!
//! Each one leads a process group, which ends it with everything it started. Its output goes to a log file: it
//! never blocks on a full pipe, and a service that it leaves behind can go on writing.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use pinfast_base::error::{Error, ErrorKind, Result};
use pinfast_files::path_error;
use pinfast_process::{ProcessGroup, Signal, SignalDeferral, WaitEnd, wait};

/// The time between SIGTERM and SIGKILL.
const GRACE: Duration = Duration::from_millis(400);
/// The number of lines of a failed command's output that an error shows.
const SHOWN_LINES: usize = 20;
/// The number of bytes of a log that are searched for them.
const SHOWN_BYTES: u64 = 64 << 10;

/// How a command ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum CommandOutcome {
    /// With exit code 0.
    Success,
    /// Otherwise: a clause that follows the command's name, such as `ended with exit code 1`.
    Failure(String),
    /// pinfast ended it because of this signal.
    Interrupted(Signal),
}

/// What happens to the processes that a command leaves behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Descendants {
    /// They are killed: a test leaves nothing.
    Kill,
    /// They go on: they are the service.
    Leave,
}

/// What SIGINT and SIGTERM do to a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OnSignal {
    /// They end it.
    Stop,
    /// Nothing: it undoes something after a signal.
    Ignore,
}

/// The rules for one command.
#[derive(Clone, Copy, Debug)]
pub(super) struct RunOptions {
    pub(super) within: Duration,
    pub(super) descendants: Descendants,
    pub(super) on_signal: OnSignal,
}

/// The environment of a release's commands.
#[derive(Clone, Debug)]
pub(super) struct CommandEnv {
    /// Their working folder.
    pub(super) folder: PathBuf,
    /// The release's virtual environment.
    pub(super) venv: PathBuf,
    /// The `PATH` of this process.
    pub(super) path: OsString,
    /// `PINFAST_ROOT`
    pub(super) root: PathBuf,
    /// `PINFAST_RELEASE`
    pub(super) release: String,
}

/// The file that commands print to.
pub(super) struct CommandLog {
    path: PathBuf,
    file: File,
    /// Where the output of the last command begins, in bytes.
    start: u64,
}

impl CommandEnv {
    /// A command that runs the release's interpreter.
    pub(super) fn python(&self) -> Command {
        self.command(self.venv.join("bin/python"))
    }

    /// A command that runs `text` by `sh -c`.
    pub(super) fn shell(&self, text: &str) -> Command {
        let mut command = self.command("sh".into());
        command.args(["-c", text]);
        command
    }

    fn command(&self, program: PathBuf) -> Command {
        let mut command = Command::new(program);
        let mut path = self.venv.join("bin").into_os_string();
        if !self.path.is_empty() {
            path.push(":");
            path.push(&self.path);
        }
        command.current_dir(&self.folder).env("PATH", path).env("VIRTUAL_ENV", &self.venv);
        command.env("PINFAST_ROOT", &self.root).env("PINFAST_RELEASE", &self.release);
        // They could make a test pass with modules that the release does not have.
        for name in ["PYTHONHOME", "PYTHONPATH", "PYTHONSAFEPATH", "__PYVENV_LAUNCHER__"] {
            command.env_remove(name);
        }
        command
    }
}

impl CommandLog {
    /// Opens the log at `path` to append to it.
    pub(super) fn open(path: PathBuf) -> Result<Self> {
        let open = || -> io::Result<File> {
            path.parent().map_or(Ok(()), fs::create_dir_all)?;
            OpenOptions::new().create(true).append(true).open(&path)
        };
        let file = open().map_err(|error| path_error("write", &path, error))?;
        Ok(Self { path, file, start: 0 })
    }

    fn write_title(&mut self, title: &str) -> io::Result<()> {
        self.file.write_all(format!("== {title}\n").as_bytes())?;
        // A service that an earlier command left may write, too, so we ask for the length.
        self.start = self.file.metadata()?.len();
        Ok(())
    }

    /// The last lines that the last command printed, without control characters.
    pub(super) fn last_lines(&self) -> Vec<String> {
        let read = || -> io::Result<Vec<u8>> {
            let mut file = File::open(&self.path)?;
            let from = file.metadata()?.len().saturating_sub(SHOWN_BYTES).max(self.start);
            file.seek(SeekFrom::Start(from))?;
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes)?;
            Ok(bytes)
        };
        // The lines only illustrate an error: without them it is reported all the same.
        let bytes = read().unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        let lines: Vec<&str> = text.lines().collect();
        let plain = |line: &&str| line.chars().filter(|c| !c.is_control() || *c == '\t').collect();
        lines[lines.len().saturating_sub(SHOWN_LINES)..].iter().map(plain).collect()
    }

    /// An error that shows the last lines.
    pub(super) fn failure(&self, message: &str) -> Error {
        let mut error = Error::no(message);
        error.details = self.last_lines().into_iter().map(|line| format!("  | {line}")).collect();
        error.hint(format!("the whole output is in {}", self.path.display()))
    }
}

/// The error of a run that a signal ended.
pub(super) fn interrupted(signal: Signal) -> Error {
    match signal {
        Signal::Interrupt => Error::new(ErrorKind::Interrupted, "interrupted"),
        Signal::Terminate => Error::new(ErrorKind::Terminated, "terminated"),
    }
}

/// Runs `command` until it exits, exceeds its limit, or a signal comes. `title` is its name in the log.
///
/// # Errors
/// No answer: the log cannot be written, or the command's status cannot be read.
pub(super) fn run_command(
    mut command: Command,
    title: &str,
    options: RunOptions,
    log: &mut CommandLog,
) -> Result<CommandOutcome> {
    let deferral = SignalDeferral::start();
    log.write_title(title).map_err(|error| path_error("write", &log.path, error))?;
    let output = || log.file.try_clone().map(Stdio::from);
    let mut spawn = || ProcessGroup::spawn(command.stdin(Stdio::null()).stdout(output()?).stderr(output()?));
    let (mut child, group) = match spawn() {
        Ok(spawned) => spawned,
        // A program that is missing fails the test or the check; it is no fault of pinfast.
        Err(error) => return Ok(CommandOutcome::Failure(format!("cannot be started: {error}"))),
    };
    let mut signal = None;
    let end = wait(&child, Instant::now() + options.within, || {
        signal = match options.on_signal {
            OnSignal::Stop => deferral.received(),
            OnSignal::Ignore => None,
        };
        signal.is_some()
    });
    let cut_short = match (end, signal) {
        (WaitEnd::Exited, _) => None,
        (WaitEnd::Stopped, Some(signal)) => Some(CommandOutcome::Interrupted(signal)),
        (WaitEnd::Stopped | WaitEnd::TimedOut, _) => {
            let limit = options.within.as_secs_f64();
            Some(CommandOutcome::Failure(format!("took longer than {limit} s, and was ended")))
        }
    };
    match (&cut_short, options.descendants) {
        (Some(_), _) => group.terminate(&child, GRACE),
        (None, Descendants::Kill) => group.kill(),
        (None, Descendants::Leave) => {}
    }
    let status = child.wait().map_err(|error| path_error("wait for", Path::new(title), error))?;
    Ok(cut_short.unwrap_or_else(|| outcome(status)))
}

fn outcome(status: ExitStatus) -> CommandOutcome {
    match (status.code(), status.signal()) {
        (Some(0), _) => CommandOutcome::Success,
        (Some(code), _) => CommandOutcome::Failure(format!("ended with exit code {code}")),
        (None, signal) => {
            CommandOutcome::Failure(format!("was ended by signal {}", signal.unwrap_or_default()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    use rustix::process::Pid;

    const OPTIONS: RunOptions = RunOptions {
        within: Duration::from_secs(60),
        descendants: Descendants::Kill,
        on_signal: OnSignal::Stop,
    };

    fn command_env(folder: &Path) -> CommandEnv {
        CommandEnv {
            folder: folder.to_owned(),
            venv: folder.join(".venv"),
            path: std::env::var_os("PATH").unwrap(),
            root: "/srv/app".into(),
            release: "one".to_owned(),
        }
    }

    fn shell(text: &str, options: RunOptions) -> (CommandOutcome, Vec<String>) {
        let folder = tempfile::tempdir().unwrap();
        let mut log = CommandLog::open(folder.path().join("logs/log")).unwrap();
        let ending = run_command(command_env(folder.path()).shell(text), text, options, &mut log).unwrap();
        (ending, log.last_lines())
    }

    #[test]
    fn outcome_and_last_lines_are_reported() {
        let bad = |text: &str| CommandOutcome::Failure(text.to_owned());
        for (text, ending, tail) in [
            ("echo a; echo b >&2", CommandOutcome::Success, vec!["a", "b"]),
            ("echo no; exit 7", bad("ended with exit code 7"), vec!["no"]),
            ("kill -9 $$", bad("was ended by signal 9"), vec![]),
            ("printf 'a\\033[1mb\\n'", CommandOutcome::Success, vec!["a[1mb"]),
            (
                "echo $PINFAST_ROOT $PINFAST_RELEASE; read line; echo $line.",
                CommandOutcome::Success,
                vec!["/srv/app one", "."],
            ),
            (
                "bin=${PATH%%:*}; echo ${bin##*/}; echo $PYTHONPATH.",
                CommandOutcome::Success,
                vec!["bin", "."],
            ),
        ] {
            assert_eq!(
                shell(text, OPTIONS),
                (ending, tail.into_iter().map(str::to_owned).collect()),
                "{text}"
            );
        }
        let (_, tail) = shell("seq 1 100", OPTIONS);
        assert_eq!((tail.len(), tail[0].as_str()), (SHOWN_LINES, "81"));
    }

    #[test]
    fn at_the_time_limit_the_whole_group_ends() {
        let options = RunOptions { within: Duration::from_secs(2), ..OPTIONS };
        // The leader and its child ignore SIGTERM and would run for a long time.
        let text = "trap '' TERM; (trap '' TERM; echo $(exec sh -c 'echo $PPID'); sleep 1000; true) & wait; sleep 1000";
        let (ending, tail) = shell(text, options);
        assert_eq!(ending, CommandOutcome::Failure("took longer than 2 s, and was ended".to_owned()));
        let child: i32 = tail[0].parse().unwrap();
        assert!(is_gone(child));
    }

    #[test]
    fn descendants_are_killed_or_left_as_the_options_say() {
        let text = "sleep 1000 & echo $!";
        let (ending, tail) = shell(text, OPTIONS);
        assert_eq!(ending, CommandOutcome::Success);
        assert!(is_gone(tail[0].parse().unwrap()));
        let (ending, tail) = shell(text, RunOptions { descendants: Descendants::Leave, ..OPTIONS });
        assert_eq!(ending, CommandOutcome::Success, "it is not waited for, though it holds the output");
        let service = Pid::from_raw(tail[0].parse().unwrap()).unwrap();
        rustix::process::kill_process(service, rustix::process::Signal::KILL).unwrap();
    }

    /// Whether the process ends within moments: its parent may have to reap it first.
    fn is_gone(process: i32) -> bool {
        let stat = || fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
        let gone = || stat().rsplit(") ").next().is_none_or(|rest| rest.is_empty() || rest.starts_with('Z'));
        (0..500).any(|_| {
            thread::sleep(Duration::from_millis(10));
            gone()
        })
    }

    #[test]
    fn a_program_that_cannot_be_started_is_a_failure() {
        let folder = tempfile::tempdir().unwrap();
        let mut log = CommandLog::open(folder.path().join("log")).unwrap();
        let ending =
            run_command(command_env(folder.path()).python(), "import bot", OPTIONS, &mut log).unwrap();
        assert!(matches!(ending, CommandOutcome::Failure(why) if why.starts_with("cannot be started: ")));
    }
}

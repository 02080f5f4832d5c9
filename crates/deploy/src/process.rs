//! Commands of the settings: each in a process group of its own, so that it can be ended with all that it
//! started; what it prints goes to a file, which nobody has to read for it to go on.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use super::root::failed;
use pinfast_base::error::Result;
use pinfast_process::{ProcessGroup, Signal, SignalDeferral, WaitEnd, wait};

/// How long a group may take to end after it was asked to.
const GRACE: Duration = Duration::from_millis(400);
/// How much of what a failed command printed is shown.
const SHOWN: usize = 20;

/// How a command ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// With success.
    Good,
    /// Otherwise: a clause that goes on after its name.
    Bad(String),
    /// This signal came, so it was ended.
    Interrupted(Signal),
}

/// What happens to processes that a command leaves behind when it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Children {
    /// They are ended: a test leaves nothing.
    End,
    /// They go on: they are the service.
    Leave,
}

/// Whether a signal ends the command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Attention {
    /// It does.
    Signals,
    /// It does not: what runs puts things right after one.
    None,
}

/// How a command is run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Manner {
    pub(super) within: Duration,
    pub(super) children: Children,
    pub(super) attention: Attention,
}

/// Where and as what the commands of a release run.
#[derive(Clone, Debug)]
pub(super) struct Setting {
    /// Their folder.
    pub(super) folder: PathBuf,
    /// The release's environment.
    pub(super) venv: PathBuf,
    /// The `PATH` of this process.
    pub(super) path: OsString,
    /// `PINFAST_ROOT`
    pub(super) root: PathBuf,
    /// `PINFAST_RELEASE`
    pub(super) release: String,
}

/// What the commands of a release print.
pub(super) struct Log {
    path: PathBuf,
    file: File,
    /// Where the output of the last command begins.
    begin: u64,
}

impl Setting {
    /// The release's interpreter.
    pub(super) fn python(&self) -> Command {
        self.command(self.venv.join("bin/python"))
    }

    /// `sh -c`
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
        // They would let something be found that the release does not have.
        for name in ["PYTHONHOME", "PYTHONPATH", "PYTHONSAFEPATH", "__PYVENV_LAUNCHER__"] {
            command.env_remove(name);
        }
        command
    }
}

impl Log {
    /// The log at `path`, to be added to.
    pub(super) fn open(path: PathBuf) -> Result<Self> {
        let open = || -> io::Result<File> {
            path.parent().map_or(Ok(()), fs::create_dir_all)?;
            OpenOptions::new().create(true).append(true).open(&path)
        };
        let file = open().map_err(|error| failed("write", &path, error))?;
        Ok(Self { path, file, begin: 0 })
    }

    fn title(&mut self, title: &str) -> io::Result<()> {
        self.file.write_all(format!("== {title}\n").as_bytes())?;
        self.begin = self.file.metadata()?.len();
        Ok(())
    }

    /// The last lines that the last command printed.
    pub(super) fn tail(&self) -> Vec<String> {
        let read = || -> io::Result<Vec<u8>> {
            let mut file = File::open(&self.path)?;
            let from = file.metadata()?.len().saturating_sub(64 << 10).max(self.begin);
            file.seek(SeekFrom::Start(from))?;
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes)?;
            Ok(bytes)
        };
        // What was printed is shown where it can be read.
        let bytes = read().unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        let lines: Vec<&str> = text.lines().collect();
        let plain = |line: &&str| line.chars().filter(|c| !c.is_control() || *c == '\t').collect();
        lines[lines.len().saturating_sub(SHOWN)..].iter().map(plain).collect()
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

/// Runs `command`, which people know as `title`, to its end or to its limit.
///
/// # Errors
/// No answer: it cannot be started, or its output cannot be kept.
pub(super) fn run(mut command: Command, title: &str, manner: Manner, log: &mut Log) -> Result<Ending> {
    let deferral = SignalDeferral::start();
    log.title(title).map_err(|error| failed("write", &log.path, error))?;
    let output = || log.file.try_clone().map(Stdio::from);
    let mut spawn = || ProcessGroup::spawn(command.stdin(Stdio::null()).stdout(output()?).stderr(output()?));
    let (mut child, group) = match spawn() {
        Ok(spawned) => spawned,
        Err(error) => return Ok(Ending::Bad(format!("cannot be started: {error}"))),
    };
    let caught = || match manner.attention {
        Attention::Signals => deferral.received(),
        Attention::None => None,
    };
    let mut signal = None;
    let end = wait(&child, Instant::now() + manner.within, || {
        signal = caught();
        signal.is_some()
    });
    let early = match (end, signal) {
        (WaitEnd::Exited, _) => None,
        (WaitEnd::Stopped, Some(signal)) => Some(Ending::Interrupted(signal)),
        (WaitEnd::Stopped | WaitEnd::TimedOut, _) => {
            let limit = manner.within.as_secs_f64();
            Some(Ending::Bad(format!("took longer than {limit} s, and was ended")))
        }
    };
    match (&early, manner.children) {
        (Some(_), _) => group.terminate(&child, GRACE),
        (None, Children::End) => group.kill(),
        (None, Children::Leave) => {}
    }
    let status = child.wait().map_err(|error| failed("wait for", Path::new(title), error))?;
    Ok(early.unwrap_or_else(|| ending(status)))
}

fn ending(status: ExitStatus) -> Ending {
    match (status.code(), status.signal()) {
        (Some(0), _) => Ending::Good,
        (Some(code), _) => Ending::Bad(format!("ended with exit code {code}")),
        (None, signal) => Ending::Bad(format!("was ended by signal {}", signal.unwrap_or_default())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    use rustix::process::Pid;

    const MANNER: Manner =
        Manner { within: Duration::from_secs(60), children: Children::End, attention: Attention::Signals };

    fn setting(folder: &Path) -> Setting {
        Setting {
            folder: folder.to_owned(),
            venv: folder.join(".venv"),
            path: std::env::var_os("PATH").unwrap(),
            root: "/srv/app".into(),
            release: "one".to_owned(),
        }
    }

    fn shell(text: &str, manner: Manner) -> (Ending, Vec<String>) {
        let folder = tempfile::tempdir().unwrap();
        let mut log = Log::open(folder.path().join("logs/log")).unwrap();
        let ending = run(setting(folder.path()).shell(text), text, manner, &mut log).unwrap();
        (ending, log.tail())
    }

    #[test]
    fn the_end_and_the_output_are_told() {
        let bad = |text: &str| Ending::Bad(text.to_owned());
        for (text, ending, tail) in [
            ("echo a; echo b >&2", Ending::Good, vec!["a", "b"]),
            ("echo no; exit 7", bad("ended with exit code 7"), vec!["no"]),
            ("kill -9 $$", bad("was ended by signal 9"), vec![]),
            ("printf 'a\\033[1mb\\n'", Ending::Good, vec!["a[1mb"]),
            (
                "echo $PINFAST_ROOT $PINFAST_RELEASE; read line; echo $line.",
                Ending::Good,
                vec!["/srv/app one", "."],
            ),
            ("bin=${PATH%%:*}; echo ${bin##*/}; echo $PYTHONPATH.", Ending::Good, vec!["bin", "."]),
        ] {
            assert_eq!(
                shell(text, MANNER),
                (ending, tail.into_iter().map(str::to_owned).collect()),
                "{text}"
            );
        }
        let (_, tail) = shell("seq 1 100", MANNER);
        assert_eq!((tail.len(), tail[0].as_str()), (SHOWN, "81"));
    }

    #[test]
    fn at_the_limit_the_whole_group_ends() {
        let manner = Manner { within: Duration::from_secs(2), ..MANNER };
        // The leader ignores the question, and so does its child, which would hold on for long.
        let text = "trap '' TERM; (trap '' TERM; echo $(exec sh -c 'echo $PPID'); sleep 1000; true) & wait; sleep 1000";
        let (ending, tail) = shell(text, manner);
        assert_eq!(ending, Ending::Bad("took longer than 2 s, and was ended".to_owned()));
        let child: i32 = tail[0].parse().unwrap();
        assert!(is_gone(child));
    }

    #[test]
    fn a_test_leaves_nothing_and_a_service_goes_on() {
        let text = "sleep 1000 & echo $!";
        let (ending, tail) = shell(text, MANNER);
        assert_eq!(ending, Ending::Good);
        assert!(is_gone(tail[0].parse().unwrap()));
        let (ending, tail) = shell(text, Manner { children: Children::Leave, ..MANNER });
        assert_eq!(ending, Ending::Good, "it is not waited for, though it holds the output");
        let service = Pid::from_raw(tail[0].parse().unwrap()).unwrap();
        rustix::process::kill_process(service, rustix::process::Signal::KILL).unwrap();
    }

    /// Whether the process ends within moments: its parent may have to be told first.
    fn is_gone(process: i32) -> bool {
        let stat = || fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
        let gone = || stat().rsplit(") ").next().is_none_or(|rest| rest.is_empty() || rest.starts_with('Z'));
        (0..500).any(|_| {
            thread::sleep(Duration::from_millis(10));
            gone()
        })
    }

    #[test]
    fn what_cannot_be_started_has_failed() {
        let folder = tempfile::tempdir().unwrap();
        let mut log = Log::open(folder.path().join("log")).unwrap();
        let ending = run(setting(folder.path()).python(), "import bot", MANNER, &mut log).unwrap();
        assert!(matches!(ending, Ending::Bad(why) if why.starts_with("cannot be started: ")));
    }
}

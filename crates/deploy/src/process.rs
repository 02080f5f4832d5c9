//! Commands of the settings: each in a process group of its own, so that it can be ended with all that it
//! started; what it prints goes to a file, which nobody has to read for it to go on.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal as Kill, WaitId, WaitIdOptions, kill_process_group, waitid};

use super::root::failed;
use pinfast_base::error::Result;
use pinfast_files::{self as files, Signal};

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
    let deferred = files::deferred();
    log.title(title).map_err(|error| failed("write", &log.path, error))?;
    let output = || log.file.try_clone().map(Stdio::from);
    let mut spawn = || -> io::Result<Child> {
        command.stdin(Stdio::null()).stdout(output()?).stderr(output()?).process_group(0).spawn()
    };
    let mut child = match spawn() {
        Ok(child) => child,
        Err(error) => return Ok(Ending::Bad(format!("cannot be started: {error}"))),
    };
    let group = Pid::from_child(&child);
    let deadline = Instant::now() + manner.within;
    let caught = || match manner.attention {
        Attention::Signals => deferred.caught(),
        Attention::None => None,
    };
    let mut pause = Duration::from_millis(1);
    let early = loop {
        if has_ended(group) {
            break None;
        }
        if let Some(signal) = caught() {
            break Some(Ending::Interrupted(signal));
        }
        if Instant::now() >= deadline {
            let limit = manner.within.as_secs_f64();
            break Some(Ending::Bad(format!("took longer than {limit} s, and was ended")));
        }
        thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(20));
    };
    match (&early, manner.children) {
        (Some(_), _) => end(group),
        // The group is still named by its leader, which has ended but was not waited for.
        (None, Children::End) => drop(kill_process_group(group, Kill::KILL)),
        (None, Children::Leave) => {}
    }
    let status = child.wait().map_err(|error| failed("wait for", Path::new(title), error))?;
    Ok(early.unwrap_or_else(|| ending(status)))
}

/// Whether the process has ended; it stays to be waited for.
fn has_ended(process: Pid) -> bool {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    // A process that cannot be asked about is none.
    !matches!(waitid(WaitId::Pid(process), options), Ok(None))
}

/// Ends a process group: asks, waits a moment, and ends what is left.
fn end(group: Pid) {
    // A group that has ended already is what is wanted.
    let _ = kill_process_group(group, Kill::TERM);
    let until = Instant::now() + GRACE;
    while !has_ended(group) && Instant::now() < until {
        thread::sleep(Duration::from_millis(5));
    }
    let _ = kill_process_group(group, Kill::KILL);
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
        rustix::process::kill_process(service, Kill::KILL).unwrap();
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

//! Waits for a child process, and ends its process group.

use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

/// The shortest pause between two polls. An interpreter answers a probe in some 20 ms.
const SHORTEST_PAUSE: Duration = Duration::from_micros(200);
/// The longest pause between two polls.
const LONGEST_PAUSE: Duration = Duration::from_millis(20);
/// A pause is this part of the time that the child has run, so a wait overruns its child by little.
const PAUSES_PER_RUN: u32 = 50;

/// Why [`wait`] returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitEnd {
    /// The child has exited.
    Exited,
    /// The caller's `stop` was true.
    Stopped,
    /// The deadline passed.
    TimedOut,
}

/// Polls `child` until it exits, `stop` is true or `deadline` passes.
///
/// A child that has exited stays a zombie; [`Child::wait`] gives its status. Until then the kernel cannot
/// reuse its process id, which also names its group, so a [`ProcessGroup`] can still be ended safely.
pub fn wait(child: &Child, deadline: Instant, mut stop: impl FnMut() -> bool) -> WaitEnd {
    let start = Instant::now();
    loop {
        if has_exited(child) {
            return WaitEnd::Exited;
        }
        if stop() {
            return WaitEnd::Stopped;
        }
        if Instant::now() >= deadline {
            return WaitEnd::TimedOut;
        }
        thread::sleep((start.elapsed() / PAUSES_PER_RUN).clamp(SHORTEST_PAUSE, LONGEST_PAUSE));
    }
}

fn has_exited(child: &Child) -> bool {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    // An error means that there is no such child any more; `Child::wait` then reports it.
    !matches!(waitid(WaitId::Pid(Pid::from_child(child)), options), Ok(None))
}

/// The process group that a child leads: the child and everything it started that did not leave the group.
#[derive(Clone, Copy, Debug)]
pub struct ProcessGroup(Pid);

impl ProcessGroup {
    /// Starts `command` as the leader of a new process group.
    ///
    /// # Errors
    /// The program cannot be started.
    pub fn spawn(command: &mut Command) -> io::Result<(Child, Self)> {
        let child = command.process_group(0).spawn()?;
        let group = Self(Pid::from_child(&child));
        Ok((child, group))
    }

    /// Sends SIGTERM to the group, waits up to `grace` for its `leader` to exit, then sends SIGKILL.
    pub fn terminate(self, leader: &Child, grace: Duration) {
        // An error means that the group is gone, which is what we want.
        let _ = kill_process_group(self.0, Signal::TERM);
        wait(leader, Instant::now() + grace, || false);
        self.kill();
    }

    /// Sends SIGKILL to the group. The leader must not be reaped yet: see [`wait`].
    pub fn kill(self) {
        let _ = kill_process_group(self.0, Signal::KILL);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Stdio;

    fn shell(text: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", text]).stdout(Stdio::null());
        command
    }

    fn in_seconds(seconds: u64) -> Instant {
        Instant::now() + Duration::from_secs(seconds)
    }

    #[test]
    fn an_exited_child_still_has_its_status() {
        let mut child = shell("exit 7").spawn().unwrap();
        assert_eq!(wait(&child, in_seconds(60), || false), WaitEnd::Exited);
        assert_eq!(wait(&child, in_seconds(60), || true), WaitEnd::Exited, "it stays a zombie");
        assert_eq!(child.wait().unwrap().code(), Some(7));
    }

    #[test]
    fn a_hanging_child_is_stopped_or_timed_out() {
        let (mut child, group) = ProcessGroup::spawn(&mut shell("exec sleep 1000")).unwrap();
        assert_eq!(wait(&child, in_seconds(60), || true), WaitEnd::Stopped);
        assert_eq!(wait(&child, in_seconds(0), || false), WaitEnd::TimedOut);
        group.terminate(&child, Duration::from_secs(60));
        assert!(!child.wait().unwrap().success());
    }

    #[test]
    fn a_group_that_ignores_sigterm_is_killed_after_the_grace_period() {
        let (mut child, group) =
            ProcessGroup::spawn(&mut shell("trap '' TERM; while :; do :; done")).unwrap();
        // Give the shell time to set the trap: a SIGTERM before that would end it as well.
        thread::sleep(Duration::from_millis(100));
        group.terminate(&child, Duration::from_millis(50));
        assert!(!child.wait().unwrap().success());
    }
}

//! Runs the probe in an interpreter, within limits of time and output; an answer in the cache spares the
//! start, which costs some 50 ms.

use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use super::probe::{Probe, SCRIPT, excerpt};
use super::remember::InterpreterState;
use pinfast_base::error::{Error, Result};
use pinfast_cache::Cache;

/// How long an interpreter may take to answer.
const TIME_LIMIT: Duration = Duration::from_secs(30);
/// How much it may print, in bytes.
const OUTPUT_LIMIT: u64 = 1 << 20;

/// Asks interpreters what they are.
#[derive(Clone, Debug)]
pub struct Prober {
    cache: Option<Cache>,
    time_limit: Duration,
}

/// What a process that ended left behind.
struct ProcessOutput {
    status: ExitStatus,
    stdout: String,
    stderr: String,
}

/// Why a process left nothing behind.
enum ProcessError {
    /// It is still running.
    Timeout,
    /// It printed more than [`OUTPUT_LIMIT`].
    Overflow,
    /// The system does not report its status.
    Wait(std::io::Error),
}

impl Prober {
    /// A prober that remembers answers in `cache`, if there is one.
    #[must_use]
    pub fn new(cache: Option<Cache>) -> Self {
        Self { cache, time_limit: TIME_LIMIT }
    }

    /// Sets another limit of time than half a minute.
    #[must_use]
    pub fn with_time_limit(mut self, time_limit: Duration) -> Self {
        self.time_limit = time_limit;
        self
    }

    /// Asks the interpreter at `path` what it is.
    ///
    /// # Errors
    /// `NoAnswer`: it cannot be started, fails, is too old, takes or prints too much, or its output is no
    /// answer.
    pub fn probe(&self, path: &Path) -> Result<Probe> {
        let remembered = self.cache.as_ref().and_then(|cache| Some((cache, InterpreterState::of(path)?)));
        if let Some((cache, state)) = &remembered
            && let Some(probe) = state.recall(cache)
        {
            return Ok(probe);
        }
        let probe = self.query(path)?;
        if let Some((cache, state)) = &remembered {
            state.remember(&probe, cache);
        }
        Ok(probe)
    }

    fn query(&self, path: &Path) -> Result<Probe> {
        let unusable = |why: String| Error::no_answer(format!("the interpreter `{}` {why}", path.display()));
        let mut command = Command::new(path);
        // `-I` keeps out environment variables, the user's site-packages and the current folder; `-B` writes
        // no byte code.
        command.args(["-I", "-B", "-c", SCRIPT]).env_remove("__PYVENV_LAUNCHER__");
        let output = run(command, self.time_limit).map_err(unusable)?;
        if output.status.success() {
            return Probe::parse(&output.stdout).map_err(unusable);
        }
        Err(unusable(failure(&output)))
    }
}

/// Why a process failed, as a clause that goes on after its name.
fn failure(output: &ProcessOutput) -> String {
    if output.stderr.contains("Unknown option: -I") {
        return "is Python 2 or older than 3.4; 3.6 is the oldest that works".to_owned();
    }
    let last = output.stderr.trim().lines().next_back().unwrap_or_default();
    format!("failed ({}) and said {}", output.status, excerpt(last))
}

/// Runs `command` to its end. The error is a clause that goes on after its name.
fn run(mut command: Command, time_limit: Duration) -> Result<ProcessOutput, String> {
    let deadline = Instant::now() + time_limit;
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| format!("cannot be started: {error}"))?;
    let stdout = drain(child.stdout.take());
    let stderr = drain(child.stderr.take());
    let collected = collect(&mut child, &stdout, &stderr, deadline);
    if collected.is_err() {
        // It may have ended just now; there is nothing to do about a failure here.
        let _ = child.kill();
        let _ = child.wait();
    }
    collected.map_err(|error| match error {
        ProcessError::Timeout => format!("gave no answer within {} s", time_limit.as_secs_f32()),
        ProcessError::Overflow => format!("printed more than {OUTPUT_LIMIT} bytes"),
        ProcessError::Wait(error) => format!("cannot be waited for: {error}"),
    })
}

fn collect(
    child: &mut Child,
    stdout: &Receiver<Vec<u8>>,
    stderr: &Receiver<Vec<u8>>,
    deadline: Instant,
) -> Result<ProcessOutput, ProcessError> {
    let stdout = receive(stdout, deadline)?;
    let stderr = receive(stderr, deadline)?;
    Ok(ProcessOutput { status: wait(child, deadline)?, stdout, stderr })
}

/// Reads a pipe to its end, or to one byte more than the limit, on a thread of its own: a grandchild
/// may hold the pipe open for ever.
fn drain(pipe: Option<impl Read + Send + 'static>) -> Receiver<Vec<u8>> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(pipe) = pipe {
            // What was read before a failure is all there is.
            let _ = pipe.take(OUTPUT_LIMIT + 1).read_to_end(&mut bytes);
        }
        // The receiver is gone when the deadline passed.
        let _ = sender.send(bytes);
    });
    receiver
}

fn receive(pipe: &Receiver<Vec<u8>>, deadline: Instant) -> Result<String, ProcessError> {
    let left = deadline.saturating_duration_since(Instant::now());
    let bytes = pipe.recv_timeout(left).map_err(|_| ProcessError::Timeout)?;
    if bytes.len() as u64 > OUTPUT_LIMIT {
        return Err(ProcessError::Overflow);
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The status of a process whose pipes are closed. It is about to end, so a short sleep is enough.
fn wait(child: &mut Child, deadline: Instant) -> Result<ExitStatus, ProcessError> {
    loop {
        if let Some(status) = child.try_wait().map_err(ProcessError::Wait)? {
            return Ok(status);
        }
        if Instant::now() >= deadline {
            return Err(ProcessError::Timeout);
        }
        thread::sleep(Duration::from_micros(200));
    }
}

//! Runs the probe in an interpreter, within limits of time and output; an answer in the cache spares the
//! start, which costs some 50 ms.

use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use super::probe::{Probe, SCRIPT, excerpt};
use super::remember::InterpreterState;
use pinfast_base::error::{Error, Result};
use pinfast_cache::Cache;
use pinfast_process::{Capture, CaptureError, WaitEnd, wait};

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
    let collected = collect(&mut child, deadline);
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

impl From<CaptureError> for ProcessError {
    fn from(error: CaptureError) -> Self {
        match error {
            CaptureError::TimedOut => Self::Timeout,
            CaptureError::TooLong => Self::Overflow,
        }
    }
}

fn collect(child: &mut Child, deadline: Instant) -> Result<ProcessOutput, ProcessError> {
    let stdout = child.stdout.take().map(|pipe| Capture::start(pipe, OUTPUT_LIMIT));
    let stderr = child.stderr.take().map(|pipe| Capture::start(pipe, OUTPUT_LIMIT));
    let text = |capture: Option<Capture>| -> Result<String, ProcessError> {
        let bytes = capture.map_or(Ok(Vec::new()), |capture| capture.finish(deadline))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    };
    let (stdout, stderr) = (text(stdout)?, text(stderr)?);
    // Its pipes are closed, so it is about to exit.
    if wait(child, deadline, || false) != WaitEnd::Exited {
        return Err(ProcessError::Timeout);
    }
    Ok(ProcessOutput { status: child.wait().map_err(ProcessError::Wait)?, stdout, stderr })
}

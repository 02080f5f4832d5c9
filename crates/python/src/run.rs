//! Starts an interpreter once, within limits of time and output.

use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use super::cache::ProbeCache;
use super::probe::{Probe, SCRIPT, excerpt};
use pinfast_base::error::{Error, Result};

/// How long an interpreter may take to answer.
const TIME_LIMIT: Duration = Duration::from_secs(30);
/// How much it may print.
const OUTPUT_LIMIT: u64 = 1 << 20;

/// Asks interpreters what they are; an answer in the cache spares the start.
#[derive(Clone, Debug)]
pub struct Prober {
    cache: Option<ProbeCache>,
    time_limit: Duration,
}

/// What a process left behind.
struct Outcome {
    status: ExitStatus,
    output: String,
    complaint: String,
}

impl Prober {
    /// A prober that remembers answers in `cache`, if there is one.
    #[must_use]
    pub fn new(cache: Option<ProbeCache>) -> Self {
        Self { cache, time_limit: TIME_LIMIT }
    }

    /// With another limit of time than half a minute.
    #[must_use]
    pub fn with_time_limit(mut self, time_limit: Duration) -> Self {
        self.time_limit = time_limit;
        self
    }

    /// What the interpreter at `path` says of itself.
    ///
    /// # Errors
    /// No answer: it cannot be started, fails, is too old, takes or prints too much, or prints what is
    /// no answer.
    pub fn probe(&self, path: &Path) -> Result<Probe> {
        let key = self.cache.as_ref().and_then(|_| super::cache::Key::of(path));
        if let (Some(cache), Some(key)) = (&self.cache, &key)
            && let Some(probe) = cache.get(key)
        {
            return Ok(probe);
        }
        let probe = self.ask(path)?;
        if let (Some(cache), Some(key)) = (&self.cache, &key) {
            cache.put(key, &probe);
        }
        Ok(probe)
    }

    fn ask(&self, path: &Path) -> Result<Probe> {
        let failed = |why: String| Error::no_answer(format!("the interpreter `{}` {why}", path.display()));
        let mut command = Command::new(path);
        // Isolated from the variables, the user's site and the current folder; no `.pyc` files.
        command.args(["-I", "-B", "-c", SCRIPT]).env_remove("__PYVENV_LAUNCHER__");
        let outcome = run(command, self.time_limit).map_err(failed)?;
        if outcome.status.success() {
            return Probe::read(&outcome.output).map_err(failed);
        }
        Err(failed(failure(&outcome)))
    }
}

/// Why a process that failed did so.
fn failure(outcome: &Outcome) -> String {
    if outcome.complaint.contains("Unknown option: -I") {
        return "is Python 2 or older than 3.4; 3.6 is the oldest that works".to_owned();
    }
    let last = outcome.complaint.trim().lines().next_back().unwrap_or_default();
    format!("failed ({}) and said {}", outcome.status, excerpt(last))
}

/// Runs `command` to its end; what goes wrong is a clause that goes on after its name.
fn run(mut command: Command, time_limit: Duration) -> Result<Outcome, String> {
    let deadline = Instant::now() + time_limit;
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| format!("cannot be started: {error}"))?;
    let output = drain(child.stdout.take());
    let complaint = drain(child.stderr.take());
    let collected = collect(&mut child, &output, &complaint, deadline);
    if collected.is_err() {
        // It may have ended just now; there is nothing to do about a failure here.
        let _ = child.kill();
        let _ = child.wait();
    }
    collected.map_err(|trouble| match trouble {
        Trouble::Late => format!("gave no answer within {} s", time_limit.as_secs_f32()),
        Trouble::Long => format!("printed more than {OUTPUT_LIMIT} bytes"),
        Trouble::Lost(error) => format!("cannot be waited for: {error}"),
    })
}

/// Why there is no outcome.
enum Trouble {
    Late,
    Long,
    Lost(std::io::Error),
}

fn collect(
    child: &mut Child,
    output: &Receiver<Vec<u8>>,
    complaint: &Receiver<Vec<u8>>,
    deadline: Instant,
) -> Result<Outcome, Trouble> {
    let output = receive(output, deadline)?;
    let complaint = receive(complaint, deadline)?;
    Ok(Outcome { status: wait(child, deadline)?, output, complaint })
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

fn receive(pipe: &Receiver<Vec<u8>>, deadline: Instant) -> Result<String, Trouble> {
    let left = deadline.saturating_duration_since(Instant::now());
    let bytes = pipe.recv_timeout(left).map_err(|_| Trouble::Late)?;
    if bytes.len() as u64 > OUTPUT_LIMIT {
        return Err(Trouble::Long);
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The status of a process whose pipes are closed: it is about to end.
fn wait(child: &mut Child, deadline: Instant) -> Result<ExitStatus, Trouble> {
    loop {
        if let Some(status) = child.try_wait().map_err(Trouble::Lost)? {
            return Ok(status);
        }
        if Instant::now() >= deadline {
            return Err(Trouble::Late);
        }
        thread::sleep(Duration::from_micros(200));
    }
}

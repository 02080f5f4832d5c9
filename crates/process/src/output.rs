//! Reads what a child process prints, each pipe on a thread of its own.
//!
//! The thread is never joined: a process that the child left behind may hold the pipe open for ever.

use std::io::Read;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// A whole output, up to a limit.
#[derive(Debug)]
pub struct Capture {
    limit: u64,
    bytes: Receiver<Vec<u8>>,
}

/// Why there is no whole output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CaptureError {
    /// The pipe was still open at the deadline.
    TimedOut,
    /// The output is longer than the limit.
    TooLong,
}

impl Capture {
    /// Starts to read `pipe` to its end, or to one byte more than `limit`.
    pub fn start(pipe: impl Read + Send + 'static, limit: u64) -> Self {
        let (sender, bytes) = channel();
        thread::spawn(move || {
            let mut read = Vec::new();
            // After a read error we keep what was read before it.
            let _ = pipe.take(limit.saturating_add(1)).read_to_end(&mut read);
            // The receiver is gone if the deadline passed.
            let _ = sender.send(read);
        });
        Self { limit, bytes }
    }

    /// The output, once the pipe is closed.
    ///
    /// # Errors
    /// The pipe is open at `deadline`, or the output exceeds the limit.
    pub fn finish(self, deadline: Instant) -> Result<Vec<u8>, CaptureError> {
        let left = deadline.saturating_duration_since(Instant::now());
        let bytes = self.bytes.recv_timeout(left).map_err(|_| CaptureError::TimedOut)?;
        if bytes.len() as u64 > self.limit { Err(CaptureError::TooLong) } else { Ok(bytes) }
    }
}

/// The last bytes of an output of any length.
#[derive(Debug)]
pub struct OutputTail {
    bytes: Arc<Mutex<Vec<u8>>>,
    closed: Receiver<()>,
}

impl OutputTail {
    /// Starts to read `pipe` and to keep its last `keep` bytes.
    pub fn start(mut pipe: impl Read + Send + 'static, keep: usize) -> Self {
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let (sender, closed) = channel::<()>();
        let shared = bytes.clone();
        thread::spawn(move || {
            // Nothing is ever sent: the receiver wakes up when this end is dropped.
            let _dropped_at_the_end = sender;
            let mut chunk = vec![0; 1 << 14];
            while let Ok(read @ 1..) = pipe.read(&mut chunk) {
                let mut bytes = shared.lock().unwrap_or_else(PoisonError::into_inner);
                bytes.extend_from_slice(&chunk[..read]);
                let excess = bytes.len().saturating_sub(keep);
                bytes.drain(..excess);
            }
        });
        Self { bytes, closed }
    }

    /// What was read so far; waits up to `grace` for the pipe to close.
    #[must_use]
    pub fn finish(self, grace: Duration) -> Vec<u8> {
        let _ = self.closed.recv_timeout(grace);
        std::mem::take(&mut *self.bytes.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_output_longer_than_the_limit_is_an_error() {
        let deadline = Instant::now() + Duration::from_secs(60);
        assert_eq!(Capture::start(&b"abc"[..], 3).finish(deadline).unwrap(), b"abc");
        assert_eq!(Capture::start(&b"abcd"[..], 3).finish(deadline), Err(CaptureError::TooLong));
    }

    #[test]
    fn a_pipe_that_stays_open_times_out_but_has_a_tail() {
        let (reader, _writer) = std::io::pipe().unwrap();
        assert_eq!(Capture::start(reader, 3).finish(Instant::now()), Err(CaptureError::TimedOut));
        let (reader, mut writer) = std::io::pipe().unwrap();
        std::io::Write::write_all(&mut writer, b"abcd").unwrap();
        let tail = OutputTail::start(reader, 3);
        assert_eq!(tail.finish(Duration::from_millis(200)), b"bcd");
    }
}

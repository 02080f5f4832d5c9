//! A connection whose sent bytes are counted, and may be held to a rate.

use std::io::Result;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::counts::Counter;

/// A connection.
pub(crate) struct Wire {
    stream: TcpStream,
    counter: Arc<Counter>,
    /// Bytes a second.
    rate: Option<u64>,
    /// When what was sent so far has passed, at that rate.
    passed: Instant,
    pause: Option<Pin<Box<Sleep>>>,
}

/// Bytes that are sent at once under a rate.
const GULP: usize = 16 << 10;

impl Wire {
    pub(crate) fn new(stream: TcpStream, counter: Arc<Counter>, rate: Option<u64>) -> Self {
        Self { stream, counter, rate, passed: Instant::now(), pause: None }
    }
}

impl AsyncRead for Wire {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, into)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize>> {
        let wire = &mut *self;
        if let Some(pause) = &mut wire.pause {
            std::task::ready!(pause.as_mut().poll(cx));
            wire.pause = None;
        }
        let most = if wire.rate.is_some() { bytes.len().min(GULP) } else { bytes.len() };
        let sent = std::task::ready!(Pin::new(&mut wire.stream).poll_write(cx, &bytes[..most]))?;
        wire.counter.sent(sent);
        if let Some(rate) = wire.rate {
            let time = Duration::from_secs_f64(sent as f64 / rate as f64);
            wire.passed = wire.passed.max(Instant::now()) + time;
            wire.pause = Some(Box::pin(sleep_until(wire.passed)));
        }
        Poll::Ready(Ok(sent))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

//! A connection that counts the bytes sent and may limit their rate.

use std::io::Result;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::counts::RequestCounter;

/// A connection.
pub(crate) struct MeteredStream {
    stream: TcpStream,
    counter: Arc<RequestCounter>,
    /// Bytes a second.
    rate: Option<u64>,
    /// When the bytes sent so far have passed, at that rate.
    passed: Instant,
    pause: Option<Pin<Box<Sleep>>>,
}

/// Bytes that are sent at once under a rate.
const GULP: usize = 16 << 10;

impl MeteredStream {
    pub(crate) fn new(stream: TcpStream, counter: Arc<RequestCounter>, rate: Option<u64>) -> Self {
        Self { stream, counter, rate, passed: Instant::now(), pause: None }
    }
}

impl AsyncRead for MeteredStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, into)
    }
}

impl AsyncWrite for MeteredStream {
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

//! SIGINT and SIGTERM: pinfast ends within a second, but never in the middle of replacing a file. An
//! operation that must undo something first defers signals and polls for them.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use signal_hook::iterator::Signals;

/// Locked during an action that a signal must not cut in two.
static UNINTERRUPTED: Mutex<()> = Mutex::new(());

static DEFERRED: Mutex<DeferredSignals> = Mutex::new(DeferredSignals { deferrals: 0, first: None });

/// While there are deferrals, signals are only recorded.
struct DeferredSignals {
    deferrals: usize,
    first: Option<Signal>,
}

/// A signal that ends pinfast.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// SIGINT: a person pressed Ctrl-C.
    Interrupt,
    /// SIGTERM: a service manager or a person asks the process to end.
    Terminate,
}

/// While it lives, a signal is recorded instead of ending the process. Its owner polls
/// [`received`](Self::received) often and ends the operation in its own way.
#[derive(Debug)]
pub struct SignalDeferral(());

impl SignalDeferral {
    /// Starts to defer signals; not to be called inside [`uninterrupted`].
    #[must_use]
    pub fn start() -> Self {
        deferred().deferrals += 1;
        Self(())
    }

    /// The first signal since any deferral started.
    #[must_use]
    pub fn received(&self) -> Option<Signal> {
        deferred().first
    }

    /// Defers signals until the process ends: the operation's result is settled.
    pub fn make_permanent(self) {
        std::mem::forget(self);
    }
}

impl Drop for SignalDeferral {
    fn drop(&mut self) {
        deferred().deferrals -= 1;
    }
}

fn deferred() -> MutexGuard<'static, DeferredSignals> {
    DEFERRED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Holds signals off until the guard is dropped; keep it for moments only.
pub fn uninterrupted() -> MutexGuard<'static, ()> {
    UNINTERRUPTED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Makes a signal end the process at once, with the exit code that `code` gives it: for a command that changes
/// nothing.
///
/// # Errors
/// The system does not accept the handlers.
pub fn exit_on_signal(code: impl Fn(Signal) -> u8) -> std::io::Result<()> {
    for (number, signal) in [(SIGINT, Signal::Interrupt), (SIGTERM, Signal::Terminate)] {
        let always = Arc::new(AtomicBool::new(true));
        flag::register_conditional_shutdown(number, i32::from(code(signal)), always)?;
    }
    Ok(())
}

/// Calls `end` on a thread of its own when a signal comes that nobody defers; `end` must end the process.
///
/// # Errors
/// The system does not accept the handlers.
pub fn on_signal(end: impl Fn(Signal) + Send + 'static) -> std::io::Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    std::thread::spawn(move || {
        for signal in signals.forever() {
            let signal = if signal == SIGINT { Signal::Interrupt } else { Signal::Terminate };
            // We hold this lock until the process ends, so that no deferral starts in the last moment.
            let mut deferred = deferred();
            if deferred.deferrals > 0 {
                deferred.first.get_or_insert(signal);
                continue;
            }
            let _guard = uninterrupted();
            end(signal);
        }
    });
    Ok(())
}

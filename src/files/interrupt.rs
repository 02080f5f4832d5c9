//! SIGINT and SIGTERM: the run ends within a second, but never in the middle of replacing a file.

use std::sync::{Mutex, MutexGuard, PoisonError};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// Held while something is done that an interrupt must not cut in two.
static UNDISTURBED: Mutex<()> = Mutex::new(());

/// A signal that ends the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// SIGINT: a person pressed Ctrl-C.
    Interrupt,
    /// SIGTERM: the system asks for the end.
    Terminate,
}

/// Holds interrupts off until the guard is dropped; keep it for moments only.
pub fn undisturbed() -> MutexGuard<'static, ()> {
    UNDISTURBED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Calls `end` in a thread of its own when a signal comes; `end` is to end the process.
///
/// # Errors
/// When the system does not let the handlers be set.
pub fn on_interrupt(end: impl Fn(Signal) + Send + 'static) -> std::io::Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    std::thread::spawn(move || {
        for signal in signals.forever() {
            let _held = undisturbed();
            end(if signal == SIGINT { Signal::Interrupt } else { Signal::Terminate });
        }
    });
    Ok(())
}

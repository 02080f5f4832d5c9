//! SIGINT and SIGTERM: the run ends within a second, but never in the middle of replacing a file; a run
//! that has more to put right first defers them, and asks.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use signal_hook::iterator::Signals;

/// Held while something is done that an interrupt must not cut in two.
static UNDISTURBED: Mutex<()> = Mutex::new(());

static DEFERRAL: Mutex<Deferral> = Mutex::new(Deferral { guards: 0, caught: None });

/// Whether signals are only noted, and the first that was.
struct Deferral {
    guards: usize,
    caught: Option<Signal>,
}

/// A signal that ends the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// SIGINT: a person pressed Ctrl-C.
    Interrupt,
    /// SIGTERM: the system asks for the end.
    Terminate,
}

/// While it lives, a signal is noted and the run goes on: whoever holds it looks often, and ends the run
/// in its own way.
#[derive(Debug)]
pub struct Deferred(());

impl Deferred {
    /// The signal that came, if one did.
    #[must_use]
    pub fn caught(&self) -> Option<Signal> {
        deferral().caught
    }

    /// Notes signals only until the process ends: its end is settled.
    pub fn for_good(self) {
        std::mem::forget(self);
    }
}

impl Drop for Deferred {
    fn drop(&mut self) {
        deferral().guards -= 1;
    }
}

/// Defers signals; not to be called while [`undisturbed`].
#[must_use]
pub fn deferred() -> Deferred {
    deferral().guards += 1;
    Deferred(())
}

fn deferral() -> MutexGuard<'static, Deferral> {
    DEFERRAL.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Holds interrupts off until the guard is dropped; keep it for moments only.
pub fn undisturbed() -> MutexGuard<'static, ()> {
    UNDISTURBED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Ends the process with `code` of a signal the moment it comes: for a run that changes nothing.
///
/// # Errors
/// When the system does not let the handlers be set.
pub fn exit_on_interrupt(code: impl Fn(Signal) -> u8) -> std::io::Result<()> {
    for (number, signal) in [(SIGINT, Signal::Interrupt), (SIGTERM, Signal::Terminate)] {
        let always = Arc::new(AtomicBool::new(true));
        flag::register_conditional_shutdown(number, i32::from(code(signal)), always)?;
    }
    Ok(())
}

/// Calls `end` in a thread of its own when a signal comes; `end` is to end the process.
///
/// # Errors
/// When the system does not let the handlers be set.
pub fn on_interrupt(end: impl Fn(Signal) + Send + 'static) -> std::io::Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    std::thread::spawn(move || {
        for signal in signals.forever() {
            let signal = if signal == SIGINT { Signal::Interrupt } else { Signal::Terminate };
            // Kept to the end of the process, so that nobody starts to defer in the last moment.
            let mut deferral = deferral();
            if deferral.guards > 0 {
                deferral.caught.get_or_insert(signal);
                continue;
            }
            let _held = undisturbed();
            end(signal);
        }
    });
    Ok(())
}

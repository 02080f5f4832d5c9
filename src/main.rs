//! The `pinfast` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    take_memory_in_large_steps();
    ExitCode::from(pinfast::cli::run(std::env::args_os()))
}

/// Has glibc's allocator take memory from the system in large steps. Each thread has an arena of its own, which grows by
/// a page a system call otherwise: a tenth of a warm run. Not in larger ones: an arena keeps a step of what was freed.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[expect(unsafe_code, reason = "it is called before there is a second thread or anything allocated by us")]
fn take_memory_in_large_steps() {
    const STEP: libc::c_int = 4 << 20;
    // SAFETY: `mallopt` sets a number; refused, it changes nothing.
    let _ = unsafe { libc::mallopt(libc::M_TOP_PAD, STEP) };
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn take_memory_in_large_steps() {}

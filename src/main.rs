//! The `pinfast` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    grow_heap_in_large_steps();
    ExitCode::from(pinfast::cli::run(std::env::args_os()))
}

/// Makes glibc's allocator request memory in steps of 4 MiB.
///
/// Without it, each thread's arena grows by a page with each system call. The steps save 5 ms of a warm lock of a
/// large set that takes 50 ms. They are not larger because an arena keeps up to one step of freed memory.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[expect(unsafe_code, reason = "mallopt runs before a second thread starts")]
fn grow_heap_in_large_steps() {
    const STEP: libc::c_int = 4 << 20;
    // SAFETY: `mallopt` only sets a number; if it refuses, nothing changes.
    let _ = unsafe { libc::mallopt(libc::M_TOP_PAD, STEP) };
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn grow_heap_in_large_steps() {}

//! The `pinfast` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(pinfast::cli::run(std::env::args_os()))
}

//! The command line. Each command has a file with its arguments and a short `run`; [`ui`] alone prints.

mod byte_count;
mod cache;
mod check;
mod deploy;
mod diff;
mod download;
mod install;
mod lock;
mod locked_report;
mod options;
mod outdated;
mod progress;
mod releases;
mod rollback;
mod tree;
mod ui;
mod verify;
mod why;

use std::ffi::OsString;
use std::process;

use clap::{Parser, Subcommand};

use options::OutputArgs;
use pinfast_base::error::{Error, ErrorKind, Result};
use pinfast_process::{Signal, exit_on_signal, on_signal};
use ui::Ui;

/// Locks, checks and installs the dependencies of Python applications, fast.
///
/// A lock lists every package that an application needs, directly or not, with one version and the hashes of its
/// files. `pinfast lock` makes requirements.txt from requirements.in or pyproject.toml, and `pinfast install` makes
/// .venv match it.
#[derive(Parser, Debug)]
#[command(name = "pinfast", version, about, after_help = EXIT_CODES, max_term_width = 100)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    output: OutputArgs,
}

/// The commands.
#[derive(Subcommand, Debug)]
enum Command {
    Lock(Box<lock::LockArgs>),
    Check(Box<check::CheckArgs>),
    Why(why::WhyArgs),
    Tree(tree::TreeArgs),
    Diff(diff::DiffArgs),
    Outdated(Box<outdated::OutdatedArgs>),
    Install(Box<install::InstallArgs>),
    Verify(verify::VerifyArgs),
    Download(Box<download::DownloadArgs>),
    Deploy(Box<deploy::DeployArgs>),
    Rollback(rollback::RollbackArgs),
    Releases(releases::ReleasesArgs),
    Cache(cache::CacheCommand),
    Completions(CompletionsArgs),
}

/// Print a completion script for a shell
///
/// For example: `source <(pinfast completions bash)`.
#[derive(clap::Args, Debug)]
struct CompletionsArgs {
    /// Shell to complete commands in
    shell: clap_complete::Shell,
}

const EXIT_CODES: &str = "\
Exit codes:
  0  success, or the answer is yes
  1  the answer is no: no solution, stale lock, environment differs,
     smoke test or health check failed
  2  usage error: wrong arguments or settings, an input that cannot be read
  3  no answer: network, index, disk, permission or interpreter failed
  4  refused: a file does not match its hash, or an archive is broken
  5  the release is live, but a later step failed";

/// Runs pinfast with `arguments`, which begin with the program's name. Returns the exit code.
pub fn run(arguments: impl IntoIterator<Item = impl Into<OsString> + Clone>) -> u8 {
    let arguments = match CommandLine::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => return print_clap_message(&error),
    };
    // If a handler cannot be set, a signal still ends the process, with the system's exit status.
    let _ = match &arguments.command {
        Command::Check(_) | Command::Why(_) | Command::Tree(_) | Command::Diff(_) => {
            exit_on_signal(signal_exit_code)
        }
        _ => on_signal(|signal| process::exit(i32::from(signal_exit_code(signal)))),
    };
    let ui = Ui::new(arguments.output.verbosity(), arguments.output.color());
    let outcome = match arguments.command {
        Command::Lock(command) => lock::run(&command, &ui),
        Command::Check(command) => check::run(*command, &ui),
        Command::Why(command) => why::run(&command, &ui),
        Command::Tree(command) => tree::run(&command, &ui),
        Command::Diff(command) => diff::run(&command, &ui),
        Command::Outdated(command) => outdated::run(&command, &ui),
        Command::Cache(command) => cache::run(&command, &ui),
        Command::Install(command) => install::run(&command, &ui),
        Command::Verify(command) => verify::run(&command, &ui),
        Command::Download(command) => download::run(&command, &ui),
        Command::Deploy(command) => deploy::run(&command, &ui),
        Command::Rollback(command) => rollback::run(&command, &ui),
        Command::Releases(command) => releases::run(&command, &ui),
        Command::Completions(command) => print_completions(command.shell, &ui),
    };
    ui.finish();
    match outcome {
        Ok(()) => 0,
        Err(error) => {
            ui.error(&error);
            error.kind.exit_code()
        }
    }
}

/// The exit code after a signal.
fn signal_exit_code(signal: Signal) -> u8 {
    match signal {
        Signal::Interrupt => ErrorKind::Interrupted.exit_code(),
        Signal::Terminate => ErrorKind::Terminated.exit_code(),
    }
}

/// Prints a message of clap: help and version are results, anything else is a usage error.
fn print_clap_message(error: &clap::Error) -> u8 {
    // A message that cannot be printed must not change the exit code.
    let _ = error.print();
    if error.use_stderr() { ErrorKind::Usage.exit_code() } else { 0 }
}

fn print_completions(shell: clap_complete::Shell, ui: &Ui) -> Result<()> {
    let mut command = <CommandLine as clap::CommandFactory>::command();
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, "pinfast", &mut script);
    let script = String::from_utf8(script)
        .map_err(|error| Error::no_answer("the script is not text").because(error))?;
    ui.print_result(&script)
}

//! One process, measured.
//!
//! The system counts the peak memory of a process from that of its parent on, which with a recorded index
//! in memory is more than most of what is measured here. So this program runs itself once more, small,
//! as the parent of what is measured.

use std::ffi::OsString;
use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, Result, bail};
use serde::{Deserialize, Serialize};
use wait4::Wait4 as _;

/// The first argument of the small parent.
pub(crate) const MEASURE: &str = "--measure-process";

/// What a process took.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Taken {
    /// Seconds from its start to its end.
    pub(crate) wall: f64,
    /// Seconds of processor time, its own and the system's for it.
    pub(crate) cpu: f64,
    /// Bytes of memory at its peak.
    pub(crate) peak: u64,
    pub(crate) status: Option<i32>,
}

/// A command line with its surroundings.
#[derive(Clone, Debug)]
pub(crate) struct CommandLine {
    pub(crate) program: OsString,
    pub(crate) arguments: Vec<OsString>,
}

impl CommandLine {
    /// Runs it in `folder` with nothing but `variables` around it; what it says goes to `said`.
    pub(crate) fn measure(
        &self,
        folder: &Path,
        variables: &[(String, OsString)],
        said: &Path,
    ) -> Result<Taken> {
        let output = Command::new(std::env::current_exe()?)
            .arg(MEASURE)
            .arg(said)
            .arg(&self.program)
            .args(&self.arguments)
            .current_dir(folder)
            .env_clear()
            .envs(variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .output()?;
        if !output.status.success() {
            bail!("cannot run {}", self.program.display());
        }
        serde_json::from_slice(&output.stdout).context("the measuring parent says nothing")
    }
}

/// The small parent: `arguments` are where to write what is said, the program, and its arguments.
pub(crate) fn measure(mut arguments: impl Iterator<Item = OsString>) -> Result<()> {
    let (said, program) = arguments.next().zip(arguments.next()).context("too few arguments")?;
    let said = File::create(said)?;
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(said.try_clone()?).stderr(said);
    let begin = Instant::now();
    let used = command.spawn()?.wait4()?;
    let wall = begin.elapsed().as_secs_f64();
    let cpu = (used.rusage.utime + used.rusage.stime).as_secs_f64();
    let taken = Taken { wall, cpu, peak: used.rusage.maxrss, status: used.status.code() };
    println!("{}", serde_json::to_string(&taken)?);
    Ok(())
}

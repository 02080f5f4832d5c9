//! One process, measured.
//!
//! Linux counts the peak memory of a process from its parent's on (it starts as a fork). This program holds the
//! recorded index in memory, which is more than most measured processes need. So it starts itself once more, as a
//! small parent of the measured process.

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

/// The time and memory that a process used.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct ProcessUsage {
    /// Seconds from its start to its end.
    pub(crate) wall: f64,
    /// Seconds of processor time, its own and the system's for it.
    pub(crate) cpu: f64,
    /// Bytes of memory at its peak.
    pub(crate) peak: u64,
    pub(crate) status: Option<i32>,
}

/// A command line to measure.
#[derive(Clone, Debug)]
pub(crate) struct MeasuredCommand {
    pub(crate) program: OsString,
    pub(crate) arguments: Vec<OsString>,
}

impl MeasuredCommand {
    /// Runs it in `folder` with exactly these environment variables; its output goes to the file `said`.
    pub(crate) fn measure(
        &self,
        folder: &Path,
        variables: &[(String, OsString)],
        said: &Path,
    ) -> Result<ProcessUsage> {
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
        serde_json::from_slice(&output.stdout).context("the measuring parent printed nothing")
    }
}

/// The small parent: `arguments` are the file for the output, the program, and its arguments.
pub(crate) fn measure(mut arguments: impl Iterator<Item = OsString>) -> Result<()> {
    let (said, program) = arguments.next().zip(arguments.next()).context("too few arguments")?;
    let said = File::create(said)?;
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(said.try_clone()?).stderr(said);
    let begin = Instant::now();
    let used = command.spawn()?.wait4()?;
    let wall = begin.elapsed().as_secs_f64();
    let cpu = (used.rusage.utime + used.rusage.stime).as_secs_f64();
    let taken = ProcessUsage { wall, cpu, peak: used.rusage.maxrss, status: used.status.code() };
    println!("{}", serde_json::to_string(&taken)?);
    Ok(())
}

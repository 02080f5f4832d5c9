//! Runs the hooks of a build backend (PEP 517), each in a process of its own with a clean environment and a time
//! limit. The end of its output is kept for an error.
//!
//! The process runs `hooks.py`, which reads its call from `call.json` and writes the result to `result.json`.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::build_system::BuildSystem;
use super::config::TIMEOUT_VARIABLE;
use super::failure::BuildFailure;
use pinfast_base::error::Error;
use pinfast_base::event::Watcher;
use pinfast_process::{OutputTail, WaitEnd, wait};

/// The program that runs a hook; its comments say how.
const SCRIPT: &str = include_str!("hooks.py");
/// The number of bytes that are kept of the output's end.
const KEPT_OUTPUT: usize = 64 << 10;
/// The largest result, in bytes.
const MAX_RESULT_BYTES: u64 = 1 << 20;
/// The time that the script has to kill the backend after its input is closed.
const GRACE: Duration = Duration::from_secs(3);
/// The time that the output may stay open after the end: a process that was left behind may hold it.
const OUTPUT_GRACE: Duration = Duration::from_millis(500);

/// A build backend that can be called.
pub(super) struct Backend<'a> {
    /// The interpreter of the build environment.
    pub(super) python: PathBuf,
    /// The root of the source tree.
    pub(super) source: &'a Path,
    /// A folder for the script, the result and temporary files.
    pub(super) scratch: &'a Path,
    /// The `PATH` after the environment's own programs.
    pub(super) path: &'a OsStr,
    pub(super) build_system: &'a BuildSystem,
    /// The time limit of one hook.
    pub(super) timeout: Duration,
    pub(super) network: NetworkAccess,
    pub(super) watcher: &'a dyn Watcher,
}

/// The hooks that pinfast calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Hook {
    /// `get_requires_for_build_wheel`
    Requirements,
    /// `prepare_metadata_for_build_wheel`, or `build_wheel` if the backend does not have it.
    Metadata,
    /// `build_wheel`
    Wheel,
}

/// What a backend may do with the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum NetworkAccess {
    /// The same as pinfast.
    Inherited,
    /// Nothing, if the system permits a process to leave the network.
    Isolated,
}

/// The result of a hook.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum HookResult {
    /// Requirements.
    Requirements(Vec<String>),
    /// The name of a `.dist-info` folder in the folder of results.
    Folder(String),
    /// The name of a wheel in the folder of results.
    Wheel(String),
}

/// What the script reads.
#[derive(Serialize)]
struct HookCall<'a> {
    hook: Hook,
    network: NetworkAccess,
    backend: &'a str,
    backend_path: &'a [PathBuf],
    out: PathBuf,
}

impl Backend<'_> {
    /// The folder of results.
    pub(super) fn out(&self) -> PathBuf {
        self.scratch.join("out")
    }

    /// Calls a hook.
    pub(super) fn call(&self, hook: Hook) -> Result<HookResult, BuildFailure> {
        let file = |name: &str| self.scratch.join(name);
        let (script, call, result) = (file("hooks.py"), file("call.json"), file("result.json"));
        self.write_call(hook, &script, &call).map_err(cannot_run)?;
        let mut command = Command::new(&self.python);
        // Isolated from the user's site-packages and the current folder; writes no byte code into the source tree.
        command.args(["-I", "-B"]).args([&script, &call, &result]).current_dir(self.source);
        self.set_environment(&mut command);
        let output = self.run(command)?;
        let senseless = |why: &str| BuildFailure::Backend {
            what: format!("gave no answer that makes sense: {why}"),
            output,
        };
        let mut text = Vec::new();
        match File::open(&result).and_then(|file| file.take(MAX_RESULT_BYTES).read_to_end(&mut text)) {
            Ok(_) => serde_json::from_slice(&text).map_err(|error| senseless(&error.to_string())),
            Err(error) => Err(senseless(&error.to_string())),
        }
    }

    fn write_call(&self, hook: Hook, script: &Path, call: &Path) -> std::io::Result<()> {
        for folder in ["out", "home", "tmp"] {
            fs::create_dir_all(self.scratch.join(folder))?;
        }
        let text = serde_json::to_vec(&HookCall {
            hook,
            network: self.network,
            backend: &self.build_system.backend,
            backend_path: &self.build_system.backend_path,
            out: self.out(),
        })?;
        fs::write(call, text)?;
        fs::write(script, SCRIPT)
    }

    /// Sets the environment of the process: nothing of pinfast's own but the `PATH`, so no secrets.
    fn set_environment(&self, command: &mut Command) {
        let programs = self.python.parent().map(Path::to_owned);
        let folders = programs.into_iter().chain(std::env::split_paths(self.path));
        command.env_clear();
        if let Ok(path) = std::env::join_paths(folders) {
            command.env("PATH", path);
        }
        for (name, folder) in [("HOME", "home"), ("TMPDIR", "tmp")] {
            command.env(name, self.scratch.join(folder));
        }
        // The oldest time that a zip can hold, so that a build does not depend on the day.
        let fixed =
            [("LC_ALL", "C.UTF-8"), ("PYTHONIOENCODING", "utf-8"), ("SOURCE_DATE_EPOCH", "315532800")];
        command.envs(fixed);
    }

    /// Runs `command` to its end, and returns the end of its output.
    fn run(&self, mut command: Command) -> Result<Vec<u8>, BuildFailure> {
        let (reader, writer) = std::io::pipe().map_err(cannot_run)?;
        // One pipe for both outputs keeps their lines in order.
        command.stdin(Stdio::piped()).stdout(writer.try_clone().map_err(cannot_run)?).stderr(writer);
        let deadline = Instant::now() + self.timeout;
        let mut child = command.spawn().map_err(cannot_run)?;
        // The command holds the write ends of the pipe, which would stay open with it.
        drop(command);
        let output = OutputTail::start(reader, KEPT_OUTPUT);
        let end = wait(&child, deadline, || self.watcher.cancelled());
        // When its input is closed, the script kills the backend with everything it started.
        drop(child.stdin.take());
        if end != WaitEnd::Exited {
            if wait(&child, Instant::now() + GRACE, || false) != WaitEnd::Exited {
                child.kill().map_err(cannot_run)?;
            }
            child.wait().map_err(cannot_run)?;
            let seconds = self.timeout.as_secs_f32();
            let what = format!("took more than {seconds} s ({TIMEOUT_VARIABLE} raises the limit)");
            return Err(BuildFailure::Backend { what, output: output.finish(OUTPUT_GRACE) });
        }
        let status = child.wait().map_err(cannot_run)?;
        let output = output.finish(OUTPUT_GRACE);
        if status.success() {
            Ok(output)
        } else {
            Err(BuildFailure::Backend { what: "failed".to_owned(), output })
        }
    }
}

fn cannot_run(error: std::io::Error) -> BuildFailure {
    BuildFailure::Fatal(Error::no_answer("cannot run a build backend").because(error))
}

//! Which interpreter: the one that `--python` names, else the one that the user's shell would start.
//!
//! Without `--python`, the first of these that answers the probe:
//!
//! 1. the active virtual environment (`VIRTUAL_ENV`)
//! 2. the active conda environment (`CONDA_PREFIX`), unless it is conda's base
//! 3. a `.venv` in the current folder or a parent inside the project
//! 4. `python3`, then `python`, on the `PATH`
//!
//! One that does not answer is passed over; the error names it if none answers.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use super::executable::is_program;
use super::probe::Probe;
use super::pyenv::{self, Shim};
use super::query::Prober;
use pinfast_base::error::{Error, Result};
use pinfast_settings::ProcessEnv;

/// The value of `--python`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum InterpreterRequest {
    /// There is none.
    #[default]
    Any,
    /// A file, or the folder of an environment.
    Path(PathBuf),
    /// The name of a program on the PATH.
    Name(String),
    /// `X`, `X.Y` or `X.Y.Z`: any interpreter of that version.
    Version(Vec<u32>),
}

/// Where an interpreter may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InterpreterPath {
    /// The program to start, not resolved: a link in a virtual environment means that environment.
    pub path: PathBuf,
    /// How it was found, such as `VIRTUAL_ENV`.
    pub origin: String,
}

/// An interpreter that answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundInterpreter {
    /// The interpreter.
    pub interpreter: InterpreterPath,
    /// Its answer.
    pub probe: Probe,
    /// The candidates before it, and why each was passed over: sentences without a full stop.
    pub passed_over: Vec<String>,
}

/// An interpreter to probe, or why a place has none.
type CandidateResult = Result<InterpreterPath, String>;

impl InterpreterRequest {
    /// Parses the value of `--python`. Relative paths start in the current folder.
    #[must_use]
    pub fn parse(text: &str, env: &ProcessEnv) -> Self {
        Self::parse_in(text, env.current_dir(), env)
    }

    /// Like [`InterpreterRequest::parse`], with relative paths that start in `folder`, as in the settings.
    #[must_use]
    pub fn parse_in(text: &str, folder: &Path, env: &ProcessEnv) -> Self {
        if let Some(version) = version(text) {
            return Self::Version(version);
        }
        let path = env.expand(text, folder);
        let is_path = text.contains(['/', '\\']) || text.starts_with('.') || path.exists();
        if is_path { Self::Path(path) } else { Self::Name(text.to_owned()) }
    }
}

/// Finds the interpreter that `request` means, and probes it.
///
/// # Errors
/// `NoAnswer` if none answers; the details list what was tried.
pub fn discover(request: &InterpreterRequest, env: &ProcessEnv, prober: &Prober) -> Result<FoundInterpreter> {
    let mut passed_over = Vec::new();
    for candidate in candidates(request, env)? {
        match candidate.and_then(|interpreter| probe(interpreter, request, prober)) {
            Ok((interpreter, probe)) => return Ok(FoundInterpreter { interpreter, probe, passed_over }),
            Err(why) => passed_over.push(why),
        }
    }
    Err(none_found(request, passed_over))
}

fn probe(
    interpreter: InterpreterPath,
    request: &InterpreterRequest,
    prober: &Prober,
) -> Result<(InterpreterPath, Probe), String> {
    let probe = prober
        .probe(&interpreter.path)
        .map_err(|error| format!("{} (found through {})", error.message, interpreter.origin))?;
    match request {
        InterpreterRequest::Version(wanted) if !is_of_version(&probe, wanted) => Err(format!(
            "`{}` is Python {} (found through {})",
            interpreter.path.display(),
            probe.markers.python_full_version,
            interpreter.origin
        )),
        _ => Ok((interpreter, probe)),
    }
}

fn none_found(request: &InterpreterRequest, tried: Vec<String>) -> Error {
    let wanted = match request {
        InterpreterRequest::Any => "no Python interpreter was found".to_owned(),
        InterpreterRequest::Path(path) => format!("`{}` is not a working Python interpreter", path.display()),
        InterpreterRequest::Name(name) => format!("no working interpreter `{name}` was found"),
        InterpreterRequest::Version(version) => {
            format!("no interpreter for Python {} was found", dotted(version))
        }
    };
    let mut error = Error::no_answer(wanted);
    error.details = tried.into_iter().map(|tried| format!("tried: {tried}")).collect();
    error
        .hint(match request {
            InterpreterRequest::Any => "install Python 3, or name an interpreter with `--python PATH`",
            _ => "name the interpreter's file, or the folder of its environment, with `--python PATH`",
        })
        .hint("to lock without an interpreter, give `--python-version X.Y --platform linux`")
}

fn candidates(request: &InterpreterRequest, env: &ProcessEnv) -> Result<Vec<CandidateResult>> {
    Ok(match request {
        InterpreterRequest::Any => {
            let mut all = environments(env);
            all.extend(["python3", "python"].iter().flat_map(|name| on_path(name, env)));
            all
        }
        InterpreterRequest::Path(path) => vec![Ok(at(path)?)],
        InterpreterRequest::Name(name) => on_path(name, env),
        InterpreterRequest::Version(version) => of_version(version, env),
    })
}

/// The interpreter at a path that the user named.
fn at(path: &Path) -> Result<InterpreterPath> {
    let origin = "--python".to_owned();
    if path.is_dir() {
        return inside(path).map(|path| InterpreterPath { path, origin }).ok_or_else(|| {
            Error::no_answer(format!("the folder `{}` has no Python interpreter", path.display()))
                .hint("name the folder of a virtual environment, or the interpreter itself")
        });
    }
    if path.exists() {
        return Ok(InterpreterPath { path: path.to_owned(), origin });
    }
    Err(Error::no_answer(format!("there is no interpreter at `{}`", path.display()))
        .hint("`--python` takes a file, the folder of an environment, a name on the PATH, or a version"))
}

/// The interpreter of an environment or an installation.
fn inside(folder: &Path) -> Option<PathBuf> {
    let places: &[&str] =
        if cfg!(windows) { &["Scripts/python.exe", "python.exe"] } else { &["bin/python", "bin/python3"] };
    places.iter().map(|place| folder.join(place)).find(|path| path.exists())
}

/// The interpreters of the environments that are active, or lie in the project.
fn environments(env: &ProcessEnv) -> Vec<CandidateResult> {
    let conda_base = env.text("CONDA_DEFAULT_ENV").is_some_and(|name| name == "base" || name == "root");
    let active = |name: &str| env.path(name).map(|folder| (folder, name.to_owned()));
    let own = env
        .project_folders()
        .map(|folder| folder.join(".venv"))
        .find(|folder| folder.is_dir())
        .map(|folder| (folder, "the folder .venv".to_owned()));
    [active("VIRTUAL_ENV"), active("CONDA_PREFIX").filter(|_| !conda_base), own]
        .into_iter()
        .flatten()
        .map(|(folder, origin)| match inside(&folder) {
            Some(_) if !is_whole(&folder) => {
                Err(format!("`{}` is an unfinished environment (found through {origin})", folder.display()))
            }
            Some(path) => Ok(InterpreterPath { path, origin }),
            None => Err(format!("`{}` has no interpreter (found through {origin})", folder.display())),
        })
        .collect()
}

/// Whether the environment in `folder` was made to its end. Without `pyvenv.cfg`, its interpreter runs as if it
/// belonged to no environment.
fn is_whole(folder: &Path) -> bool {
    folder.join("pyvenv.cfg").exists() || folder.join("conda-meta").exists()
}

/// The programs called `name` on the PATH; shims are resolved.
fn on_path(name: &str, env: &ProcessEnv) -> Vec<CandidateResult> {
    let path = env.variable("PATH").unwrap_or(OsStr::new(""));
    env::split_paths(path)
        .filter(|folder| !folder.as_os_str().is_empty())
        .map(|folder| env.current_dir().join(folder).join(with_suffix(name)))
        .filter(|program| is_program(program) && !is_store_shim(program))
        .filter_map(|program| {
            let origin = || "the PATH".to_owned();
            match pyenv::resolve_shim(&program, env) {
                Shim::Direct => Some(Ok(InterpreterPath { path: program, origin: origin() })),
                Shim::Program(path) => Some(Ok(InterpreterPath { path, origin: "a pyenv shim".to_owned() })),
                Shim::System => None,
                Shim::Broken(why) => {
                    Some(Err(format!("`{}` {why} (found through {})", program.display(), origin())))
                }
            }
        })
        .collect()
}

fn with_suffix(name: &str) -> String {
    format!("{}{}", name.strip_suffix(env::consts::EXE_SUFFIX).unwrap_or(name), env::consts::EXE_SUFFIX)
}

/// Whether this is a placeholder of Windows that opens the Microsoft Store.
fn is_store_shim(path: &Path) -> bool {
    cfg!(windows) && path.components().any(|part| part.as_os_str() == "WindowsApps")
}

/// Where an interpreter of a version may be. A name proves nothing, so each is probed.
fn of_version(version: &[u32], env: &ProcessEnv) -> Vec<CandidateResult> {
    let mut names = Vec::new();
    if let [major, minor, ..] = version {
        names.push(format!("python{major}.{minor}"));
    }
    let plain = version.first().map(|major| format!("python{major}")).into_iter();
    let mut all = environments(env);
    all.extend(names.iter().flat_map(|name| on_path(name, env)));
    all.extend(managed(version, env).into_iter().map(Ok));
    all.extend(plain.chain(["python".to_owned()]).flat_map(|name| on_path(&name, env)));
    let mut seen = Vec::new();
    all.retain(|candidate| {
        let new = !seen.contains(candidate);
        seen.push(candidate.clone());
        new
    });
    all
}

/// What version managers installed in folders named after this version, the newest first.
fn managed(version: &[u32], env: &ProcessEnv) -> Vec<InterpreterPath> {
    let home = |rest: &str| env.home().map(|home| home.join(rest));
    // Each manager keeps one folder per version here.
    let managers = [
        ("pyenv", env.path("PYENV_ROOT").or_else(|| home(".pyenv")).map(|root| root.join("versions"))),
        ("asdf", home(".asdf/installs/python")),
        ("mise", home(".local/share/mise/installs/python")),
        ("uv", home(".local/share/uv/python")),
    ];
    let mut found: Vec<_> = managers
        .into_iter()
        .filter_map(|(manager, folder)| Some((manager, fs::read_dir(folder?).ok()?)))
        .flat_map(|(manager, entries)| entries.flatten().map(move |entry| (manager, entry.path())))
        .filter_map(|(manager, folder)| {
            let numbers = folder_version(&folder)?;
            numbers.starts_with(version).then_some(())?;
            Some((numbers, InterpreterPath { path: inside(&folder)?, origin: manager.to_owned() }))
        })
        .collect();
    found.sort_by(|(a, x), (b, y)| b.cmp(a).then_with(|| x.path.cmp(&y.path)));
    found.into_iter().map(|(_, interpreter)| interpreter).collect()
}

/// The version in a folder's name: `3.11.4`, `cpython-3.11.4-linux-x86_64-gnu`.
fn folder_version(folder: &Path) -> Option<Vec<u32>> {
    let name = folder.file_name()?.to_str()?;
    name.split('-').find_map(version).filter(|numbers| numbers.len() > 1)
}

/// One to three numbers with dots between them.
fn version(text: &str) -> Option<Vec<u32>> {
    let numbers: Option<Vec<u32>> = text
        .split('.')
        .map(|part| part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse().ok())?)
        .collect();
    numbers.filter(|numbers| numbers.len() <= 3)
}

fn is_of_version(probe: &Probe, wanted: &[u32]) -> bool {
    let full = &probe.markers.python_full_version;
    let numbers = full.split('.').map(|part| {
        let digits = part.bytes().take_while(u8::is_ascii_digit).count();
        part[..digits].parse::<u32>().ok()
    });
    wanted.iter().map(|number| Some(*number)).eq(numbers.take(wanted.len()))
}

fn dotted(version: &[u32]) -> String {
    version.iter().map(u32::to_string).collect::<Vec<_>>().join(".")
}

//! Which interpreter: the one that `--python` names, else the one that the user is used to.
//!
//! With nothing named, in this order: the active virtual environment (`VIRTUAL_ENV`), the active conda
//! environment (`CONDA_PREFIX`, unless it is conda's base), a `.venv` in the current folder or a parent
//! inside the project, `python3` and then `python` on the `PATH`. The first that answers is taken; one
//! that is broken is passed over and remembered for the error message.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use super::probe::Probe;
use super::program::is_program;
use super::pyenv::{self, Shim};
use super::run::Prober;
use pinfast_base::error::{Error, Result};
use pinfast_settings::ProcessEnv;

/// What `--python` says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Request {
    /// Nothing was named.
    #[default]
    Any,
    /// A file, or the folder of an environment.
    Path(PathBuf),
    /// The name of a program on the PATH.
    Name(String),
    /// `X`, `X.Y` or `X.Y.Z`: any interpreter of that version.
    Version(Vec<u32>),
}

/// An interpreter that may or may not answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interpreter {
    /// The program to start, not resolved: a link in a virtual environment means that environment.
    pub path: PathBuf,
    /// How it was found, such as `VIRTUAL_ENV`.
    pub origin: String,
}

/// An interpreter and its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The interpreter.
    pub interpreter: Interpreter,
    /// What it says of itself.
    pub probe: Probe,
    /// What was passed over before, each a sentence without a full stop.
    pub passed_over: Vec<String>,
}

/// A place to look at: an interpreter, or why there is none.
type Candidate = Result<Interpreter, String>;

impl Request {
    /// Reads the value of `--python`; relative paths stand in the current folder.
    #[must_use]
    pub fn parse(text: &str, env: &ProcessEnv) -> Self {
        Self::parse_in(text, env.current_dir(), env)
    }

    /// The same with relative paths that stand in `folder`, as those of the settings do.
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

/// Finds the interpreter that `request` means, and asks it.
///
/// # Errors
/// No answer: there is none, or none of those that there are answers; the details say what was tried.
pub fn discover(request: &Request, env: &ProcessEnv, prober: &Prober) -> Result<Found> {
    let mut passed_over = Vec::new();
    for candidate in candidates(request, env)? {
        match candidate.and_then(|interpreter| ask(interpreter, request, prober)) {
            Ok((interpreter, probe)) => return Ok(Found { interpreter, probe, passed_over }),
            Err(why) => passed_over.push(why),
        }
    }
    Err(none_found(request, passed_over))
}

fn ask(interpreter: Interpreter, request: &Request, prober: &Prober) -> Result<(Interpreter, Probe), String> {
    let probe = prober
        .probe(&interpreter.path)
        .map_err(|error| format!("{} (found through {})", error.message, interpreter.origin))?;
    match request {
        Request::Version(wanted) if !is_of_version(&probe, wanted) => Err(format!(
            "`{}` is Python {} (found through {})",
            interpreter.path.display(),
            probe.markers.python_full_version,
            interpreter.origin
        )),
        _ => Ok((interpreter, probe)),
    }
}

fn none_found(request: &Request, tried: Vec<String>) -> Error {
    let wanted = match request {
        Request::Any => "no Python interpreter was found".to_owned(),
        Request::Path(path) => format!("`{}` is no Python interpreter that works", path.display()),
        Request::Name(name) => format!("no interpreter `{name}` that works was found"),
        Request::Version(version) => format!("no interpreter of Python {} was found", dotted(version)),
    };
    let mut error = Error::no_answer(wanted);
    error.details = tried.into_iter().map(|tried| format!("tried: {tried}")).collect();
    error
        .hint(match request {
            Request::Any => "install Python 3, or name an interpreter with `--python PATH`",
            _ => "name the interpreter's file, or the folder of its environment, with `--python PATH`",
        })
        .hint("to lock without an interpreter, say `--python-version X.Y --platform linux`")
}

fn candidates(request: &Request, env: &ProcessEnv) -> Result<Vec<Candidate>> {
    Ok(match request {
        Request::Any => {
            let mut all = environments(env);
            all.extend(["python3", "python"].iter().flat_map(|name| on_path(name, env)));
            all
        }
        Request::Path(path) => vec![Ok(at(path)?)],
        Request::Name(name) => on_path(name, env),
        Request::Version(version) => of_version(version, env),
    })
}

/// The interpreter at a path that the user named.
fn at(path: &Path) -> Result<Interpreter> {
    let origin = "--python".to_owned();
    if path.is_dir() {
        return inside(path).map(|path| Interpreter { path, origin }).ok_or_else(|| {
            Error::no_answer(format!("the folder `{}` has no Python interpreter in it", path.display()))
                .hint("name the folder of a virtual environment, or the interpreter itself")
        });
    }
    if path.exists() {
        return Ok(Interpreter { path: path.to_owned(), origin });
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

/// The environments that are active, or lie in the project.
fn environments(env: &ProcessEnv) -> Vec<Candidate> {
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
                Err(format!("`{}` is half an environment (found through {origin})", folder.display()))
            }
            Some(path) => Ok(Interpreter { path, origin }),
            None => Err(format!("`{}` has no interpreter in it (found through {origin})", folder.display())),
        })
        .collect()
}

/// Whether the environment in `folder` was made to its end: without these its interpreter takes itself for one that
/// stands on its own.
fn is_whole(folder: &Path) -> bool {
    folder.join("pyvenv.cfg").exists() || folder.join("conda-meta").exists()
}

/// The programs called `name` on the PATH, shims replaced by what they stand for.
fn on_path(name: &str, env: &ProcessEnv) -> Vec<Candidate> {
    let path = env.variable("PATH").unwrap_or(OsStr::new(""));
    env::split_paths(path)
        .filter(|folder| !folder.as_os_str().is_empty())
        .map(|folder| env.current_dir().join(folder).join(with_suffix(name)))
        .filter(|program| is_program(program) && !is_store_shim(program))
        .filter_map(|program| {
            let origin = || "the PATH".to_owned();
            match pyenv::resolve(&program, env) {
                Shim::None => Some(Ok(Interpreter { path: program, origin: origin() })),
                Shim::For(path) => Some(Ok(Interpreter { path, origin: "a pyenv shim".to_owned() })),
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

/// The placeholders of Windows, which open a shop instead of running Python.
fn is_store_shim(path: &Path) -> bool {
    cfg!(windows) && path.components().any(|part| part.as_os_str() == "WindowsApps")
}

/// The places where an interpreter of a version may be; each is asked for its version.
fn of_version(version: &[u32], env: &ProcessEnv) -> Vec<Candidate> {
    let mut names = Vec::new();
    if let [major, minor, ..] = version {
        names.push(format!("python{major}.{minor}"));
    }
    let plain = version.first().map(|major| format!("python{major}")).into_iter();
    let mut all = environments(env);
    all.extend(names.iter().flat_map(|name| on_path(name, env)));
    all.extend(installed(version, env).into_iter().map(Ok));
    all.extend(plain.chain(["python".to_owned()]).flat_map(|name| on_path(&name, env)));
    let mut seen = Vec::new();
    all.retain(|candidate| {
        let new = !seen.contains(candidate);
        seen.push(candidate.clone());
        new
    });
    all
}

/// What version managers installed whose folder's name is of this version, the newest first.
fn installed(version: &[u32], env: &ProcessEnv) -> Vec<Interpreter> {
    let home = |rest: &str| env.home().map(|home| home.join(rest));
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
            Some((numbers, Interpreter { path: inside(&folder)?, origin: manager.to_owned() }))
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

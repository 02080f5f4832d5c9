//! Creates a standard virtual environment (PEP 405) from an interpreter's probe. Nothing is run, and neither
//! pip nor setuptools is installed.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use super::disk::{self, Durability, FileMode};
use super::environment::{Environment, EnvironmentKind, InstallScheme, JOURNAL_FOLDER};
use pinfast_base::error::{Error, Result};
use pinfast_files::path_error;
use pinfast_packaging::{Target, Threading};

/// The interpreter that a virtual environment is made from.
#[derive(Clone, Debug)]
pub struct BasePython {
    /// The interpreter itself, absolute, behind shims and virtual environments.
    pub executable: PathBuf,
    /// Its marker values and wheel tags.
    pub target: Target,
    /// `sys.implementation.name`: `cpython`, `pypy`.
    pub implementation: String,
    /// Free-threaded builds have `pythonX.Yt` in their paths.
    pub threading: Threading,
}

impl BasePython {
    /// Whether both are the same file, whatever links lead to it.
    #[must_use]
    pub fn is_same_program(&self, other: &Self) -> bool {
        let resolved = |it: &Self| fs::canonicalize(&it.executable).ok();
        self.executable == other.executable || resolved(self).is_some_and(|own| resolved(other) == Some(own))
    }
}

/// What is at the path of a virtual environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VenvState {
    /// Nothing, or an empty folder.
    Absent,
    /// An environment that a killed run began.
    Begun,
    /// A complete environment.
    Ready,
    /// Something else.
    Other,
}

/// What is at `folder`.
///
/// # Errors
/// When it cannot be read.
pub fn state(folder: &Path) -> Result<VenvState> {
    if folder.join("pyvenv.cfg").is_file() {
        return Ok(VenvState::Ready);
    }
    let mut entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(VenvState::Absent),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => return Ok(VenvState::Other),
        Err(error) => return Err(path_error("list", folder, error)),
    };
    if folder.join(JOURNAL_FOLDER).is_dir() {
        return Ok(VenvState::Begun);
    }
    Ok(if entries.next().is_none() { VenvState::Absent } else { VenvState::Other })
}

/// The environment that [`create`] makes in `folder`, which has to be absolute.
#[must_use]
pub fn planned(folder: &Path, base: &BasePython) -> Environment {
    let lib = lib_name(base);
    let site = folder.join("lib").join(&lib).join("site-packages");
    let scheme = InstallScheme {
        purelib: site.clone(),
        platlib: site,
        scripts: folder.join("bin"),
        data: folder.to_owned(),
        headers: folder.join("include").join("site").join(&lib),
    };
    Environment {
        root: folder.to_owned(),
        python: folder.join("bin").join("python"),
        scheme,
        target: base.target.clone(),
        kind: EnvironmentKind::Virtual,
    }
}

/// Such as `python3.11`.
fn lib_name(base: &BasePython) -> String {
    let name = if base.implementation == "pypy" { "pypy" } else { "python" };
    let suffix = match base.threading {
        Threading::Gil => "",
        Threading::Free => "t",
    };
    format!("{name}{}{suffix}", minor(&base.target))
}

/// Such as `3.11`.
fn minor(target: &Target) -> String {
    let release = target.python().release();
    let part = |at: usize| release.get(at).copied().unwrap_or(0);
    format!("{}.{}", part(0), part(1))
}

/// Creates the environment in `folder`, or completes one that a killed run began. `pyvenv.cfg` comes last,
/// because it is what makes a folder an environment.
///
/// # Errors
/// `Usage` when something else is there; `NoAnswer` when the disk refuses.
pub fn create(folder: &Path, base: &BasePython) -> Result<Environment> {
    if folder.to_str().is_none_or(|path| path.contains(['\n', '\r', '\0'])) {
        return Err(Error::usage(format!("an environment cannot be made in {}", folder.display())));
    }
    if base.executable.starts_with(folder) {
        return Err(Error::usage(format!(
            "an environment in {} cannot be made from an interpreter inside of it",
            folder.display()
        ))
        .hint("name another interpreter with `--python`"));
    }
    match state(folder)? {
        VenvState::Ready => return Ok(planned(folder, base)),
        VenvState::Absent | VenvState::Begun => {}
        VenvState::Other => {
            return Err(Error::usage(format!("{} is not an environment", folder.display()))
                .hint("name another folder with `--venv`, or move this one away"));
        }
    }
    let environment = planned(folder, base);
    // First of all: by this folder the next run knows an environment that was only begun.
    disk::create_dirs(&folder.join(JOURNAL_FOLDER))?;
    // An environment is made from the lock again, never committed.
    disk::write(&folder.join(".gitignore"), b"*\n", FileMode::Plain)?;
    for path in [&environment.scheme.purelib, &environment.scheme.scripts] {
        disk::create_dirs(path)?;
    }
    disk::create_dirs(&folder.join("include").join(lib_name(base)))?;
    link_interpreter(&environment, base)?;
    if cfg!(all(target_os = "linux", target_pointer_width = "64")) {
        // As `venv` does: some distributions' Python looks for compiled modules there.
        link(Path::new("lib"), &folder.join("lib64"))?;
    }
    for (name, text) in activation(folder) {
        disk::write(&environment.scheme.scripts.join(name), text.as_bytes(), FileMode::Plain)?;
    }
    disk::replace(&folder.join("pyvenv.cfg"), configuration(base).as_bytes(), Durability::Synced)?;
    Ok(environment)
}

fn link_interpreter(environment: &Environment, base: &BasePython) -> Result<()> {
    let scripts = &environment.scheme.scripts;
    link(&base.executable, &scripts.join("python"))?;
    let major = minor(&base.target).split('.').next().unwrap_or("3").to_owned();
    let mut names = vec![format!("python{major}"), format!("python{}", minor(&base.target))];
    if base.implementation == "pypy" {
        names.extend([format!("pypy{major}"), format!("pypy{}", minor(&base.target))]);
    }
    names.iter().try_for_each(|name| link(Path::new("python"), &scripts.join(name)))
}

/// Makes a link; replaces one that a killed run left.
fn link(to: &Path, at: &Path) -> Result<()> {
    let made = match symlink(to, at) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            fs::remove_file(at).and_then(|()| symlink(to, at))
        }
        made => made,
    };
    made.map_err(|error| path_error("make the link", at, error))
}

fn configuration(base: &BasePython) -> String {
    let home = base.executable.parent().unwrap_or(Path::new("/")).display();
    format!(
        "home = {home}\nimplementation = {}\nversion = {}\ninclude-system-site-packages = false\n\
         executable = {}\npinfast = {}\n",
        base.implementation,
        base.target.python(),
        base.executable.display(),
        env!("CARGO_PKG_VERSION"),
    )
}

/// The scripts that put an environment in front of `PATH`, for the shells of each family.
fn activation(folder: &Path) -> [(&'static str, String); 3] {
    let name = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let path = folder.to_string_lossy();
    let (sh_path, sh_name) = (sh_quoted(&path), sh_quoted(&name));
    let fill = |text: &str, path: &str, name: &str| text.replace("@PATH@", path).replace("@NAME@", name);
    [
        ("activate", fill(include_str!("activate.sh"), &sh_path, &sh_name)),
        ("activate.fish", fill(include_str!("activate.fish"), &fish_quoted(&path), &fish_quoted(&name))),
        ("activate.csh", fill(include_str!("activate.csh"), &csh_quoted(&path), &csh_quoted(&name))),
    ]
}

fn sh_quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

fn fish_quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', r"\\").replace('\'', r"\'"))
}

fn csh_quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''").replace('!', r"\!"))
}

//! pyenv's shims, resolved without running them.
//!
//! A shim is a script that takes 100 ms to find its interpreter, and fails if none of the selected versions
//! has it. In: a program on the `PATH`. Out: the interpreter that pyenv would start.
//!
//! The selection is pyenv's: `PYENV_VERSION`, else the nearest `.python-version`, else the global `version`
//! file. Each lists versions; the first that has the program wins.

use std::fs;
use std::path::{Path, PathBuf};

use super::executable::is_program;
use pinfast_settings::ProcessEnv;

/// What a program on the PATH starts.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Shim {
    /// Itself.
    Direct,
    /// It is a shim for this program.
    Program(PathBuf),
    /// It is a shim for `system`: whatever comes later on the PATH.
    System,
    /// It is a shim that would fail: why, as a clause that goes on after its path.
    Broken(String),
}

/// What the program at `path` starts.
pub(super) fn resolve_shim(path: &Path, env: &ProcessEnv) -> Shim {
    let (Some(folder), Some(program)) = (path.parent(), path.file_name()) else {
        return Shim::Direct;
    };
    let Some(root) = folder.parent().filter(|_| folder.ends_with("shims") && is_pyenv(path)) else {
        return Shim::Direct;
    };
    let names = selection(root, env);
    for name in &names {
        if name == "system" {
            return Shim::System;
        }
        let found = version_folder(root, name).map(|folder| folder.join("bin").join(program));
        if let Some(found) = found.filter(|found| is_program(found)) {
            return Shim::Program(found);
        }
    }
    Shim::Broken(format!(
        "is a pyenv shim, but the selected version ({}) has no `{}`",
        names.join(", "),
        program.display()
    ))
}

fn is_pyenv(shim: &Path) -> bool {
    fs::read_to_string(shim).is_ok_and(|text| text.starts_with("#!") && text.contains("pyenv"))
}

/// The names of the selected versions; `system` if nothing is selected.
fn selection(root: &Path, env: &ProcessEnv) -> Vec<String> {
    if let Some(names) = env.text("PYENV_VERSION") {
        return names.split(':').map(str::to_owned).collect();
    }
    let start = env.path("PYENV_DIR").unwrap_or_else(|| env.current_dir().to_owned());
    let local = start.ancestors().find_map(|folder| read_selection(&folder.join(".python-version")));
    local.or_else(|| read_selection(&root.join("version"))).unwrap_or_else(|| vec!["system".to_owned()])
}

/// The first word of each line; `None` if there are none, or no file.
fn read_selection(file: &Path) -> Option<Vec<String>> {
    let text = fs::read_to_string(file).ok()?;
    let names: Vec<String> = text
        .lines()
        .filter_map(|line| line.split('#').next()?.split_whitespace().next())
        .filter(|name| !name.contains(['/', '\\']) && *name != "..")
        .map(str::to_owned)
        .collect();
    (!names.is_empty()).then_some(names)
}

/// The folder of a version. `3.11` is the newest installed `3.11.X`.
fn version_folder(root: &Path, name: &str) -> Option<PathBuf> {
    let versions = root.join("versions");
    for name in [name, name.strip_prefix("python-").unwrap_or(name)] {
        let exact = versions.join(name);
        if exact.is_dir() {
            return Some(exact);
        }
    }
    let prefix = format!("{name}.");
    fs::read_dir(versions)
        .ok()?
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter_map(|folder| Some((folder.strip_prefix(&prefix)?.parse::<u32>().ok()?, folder)))
        .max()
        .map(|(_, folder)| root.join("versions").join(folder))
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn program(path: &Path, text: &str) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    #[test]
    fn a_shim_resolves_to_the_first_selected_version_that_has_the_program() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("pyenv");
        let shim = root.join("shims/python3");
        program(&shim, "#!/bin/sh\nexec pyenv exec python3\n");
        for version in ["3.9.2", "3.11.2", "3.11.10"] {
            program(&root.join("versions").join(version).join("bin/python3"), "");
        }
        fs::create_dir_all(root.join("versions/2.7.18/bin")).unwrap();
        let project = folder.path().join("project/deep");
        fs::create_dir_all(&project).unwrap();
        let of = |version: &str| Shim::Program(root.join("versions").join(version).join("bin/python3"));
        let env = ProcessEnv::empty(&project);

        assert_eq!(resolve_shim(&shim, &env), Shim::System, "nothing is selected");
        fs::write(root.join("version"), "3.9.2\n").unwrap();
        assert_eq!(resolve_shim(&shim, &env), of("3.9.2"));
        fs::write(folder.path().join("project/.python-version"), "# ours\n2.7.18\n3.11  # newest\n").unwrap();
        assert_eq!(resolve_shim(&shim, &env), of("3.11.10"));
        assert_eq!(resolve_shim(&shim, &env.clone().with("PYENV_VERSION", "python-3.11.2")), of("3.11.2"));
        assert_eq!(resolve_shim(&shim, &env.clone().with("PYENV_VERSION", "system:3.9.2")), Shim::System);
        let broken = resolve_shim(&shim, &env.with("PYENV_VERSION", "2.7.18:4.0"));
        let why = "is a pyenv shim, but the selected version (2.7.18, 4.0) has no `python3`";
        assert_eq!(broken, Shim::Broken(why.to_owned()));
    }

    #[test]
    fn a_program_that_is_no_shim_is_itself() {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in [("bin/python3", "#!/bin/sh\npyenv"), ("shims/python3", "\x7fELF")] {
            program(&folder.path().join(path), text);
            let env = ProcessEnv::empty(folder.path());
            assert_eq!(resolve_shim(&folder.path().join(path), &env), Shim::Direct, "{path}");
        }
    }
}

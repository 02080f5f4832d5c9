//! Whether the modules that the smoke tests import exist: in the source, in the lock's wheels, or in the
//! standard library. If only the import itself can decide, a module counts as there: the smoke test follows.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use pinfast_base::error::{Error, Result};

/// The files of a release, as paths relative to the entry of `sys.path` that they are imported from.
#[derive(Debug, Default)]
pub(super) struct ImportableModules {
    files: BTreeSet<String>,
}

impl ImportableModules {
    pub(super) fn add<'a>(&mut self, paths: impl IntoIterator<Item = &'a Path>) {
        self.files.extend(
            paths.into_iter().filter_map(Path::to_str).map(|path| path.trim_end_matches('/').to_owned()),
        );
    }

    /// Whether `module`, a dotted name, may be imported.
    pub(super) fn has(&self, module: &str) -> bool {
        let mut path = String::new();
        for part in module.split('.') {
            path.push_str(part);
            if self.has_module_file(&path) {
                // The rest of the name may be an attribute that the module defines when it runs.
                return true;
            }
            path.push('/');
            if self.files.contains(&format!("{path}__init__.py")) {
                return true;
            }
            if !self.has_folder(&path) {
                return false;
            }
        }
        // A folder without `__init__.py` is a namespace package (PEP 420).
        true
    }

    /// `path.py`, or an extension module such as `path.cpython-311-x86_64-linux-gnu.so`.
    fn has_module_file(&self, path: &str) -> bool {
        let start = format!("{path}.");
        let rests = self.files.range(start.clone()..).map_while(|file| file.strip_prefix(&start));
        rests.into_iter().any(|rest| rest == "py" || (rest.ends_with("so") && !rest.contains('/')))
    }

    fn has_folder(&self, folder: &str) -> bool {
        self.files.range(folder.to_owned()..).next().is_some_and(|file| file.starts_with(folder))
    }
}

/// Those of `modules` that are not in the standard library of the interpreter `python`.
pub(super) fn outside_standard_library<'a>(modules: &[&'a str], python: &PathBuf) -> Result<Vec<&'a str>> {
    if modules.is_empty() {
        return Ok(Vec::new());
    }
    let top_levels = modules.iter().map(|module| module.split('.').next().unwrap_or(module));
    let mut command = Command::new(python);
    // Isolated, and without the interpreter's own site-packages.
    command.args(["-I", "-S", "-c", FIND_SPEC]).args(top_levels).stdin(Stdio::null());
    let cannot = || Error::no_answer(format!("cannot ask {} for its modules", python.display()));
    let output = command.output().map_err(|error| cannot().because(error))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let answers: Vec<&str> = text.lines().collect();
    if !output.status.success() || answers.len() != modules.len() {
        return Err(cannot().because(String::from_utf8_lossy(&output.stderr).trim().to_owned()));
    }
    Ok(modules.iter().zip(answers).filter(|(_, answer)| *answer != "1").map(|(module, _)| *module).collect())
}

/// Prints 1 or 0 for each module that it is given.
const FIND_SPEC: &str = "import sys, importlib.util
for name in sys.argv[1:]: print(int(importlib.util.find_spec(name) is not None))";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_are_found_where_python_finds_them() {
        let mut importable = ImportableModules::default();
        importable.add(
            [
                "bot.py",
                "app/__init__.py",
                "app/web.py",
                "google/genai/__init__.py",
                "google/auth/__init__.py",
                "fast.cpython-311-x86_64-linux-gnu.so",
                "stable.abi3.so",
                "tools/run.py",
                "notes.txt",
                "README.md",
                "botany.py",
            ]
            .map(Path::new),
        );
        for (module, there) in [
            ("bot", true),
            ("app", true),
            ("app.web", true),
            ("app.made_at_run_time", true),
            ("google", true),
            ("google.genai", true),
            ("google.cloud", false),
            ("fast", true),
            ("stable", true),
            ("tools", true),
            ("tools.run", true),
            ("tools.walk", false),
            ("notes", false),
            ("README", false),
            ("bo", false),
            ("gemini_service", false),
        ] {
            assert_eq!(importable.has(module), there, "{module}");
        }
    }

    #[test]
    fn modules_outside_the_standard_library_are_named() {
        let python = PathBuf::from("python3");
        let modules = ["json", "sys", "time", "xml.dom", "no_such_module", "pip"];
        assert_eq!(outside_standard_library(&modules, &python).unwrap(), ["no_such_module", "pip"]);
        assert!(outside_standard_library(&modules, &PathBuf::from("/no/such/python")).is_err());
    }
}

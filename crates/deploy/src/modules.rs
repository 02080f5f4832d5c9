//! Whether the modules of the smoke tests exist: in the source, in what the lock brings, or in the standard
//! library. Where only running could tell, the answer is yes: the smoke test itself will.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use pinfast_base::error::{Error, Result};

/// The files that modules are looked for among, as paths from where they are imported from.
#[derive(Debug, Default)]
pub(super) struct Importable {
    files: BTreeSet<String>,
}

impl Importable {
    pub(super) fn add<'a>(&mut self, paths: impl IntoIterator<Item = &'a Path>) {
        self.files.extend(
            paths.into_iter().filter_map(Path::to_str).map(|path| path.trim_end_matches('/').to_owned()),
        );
    }

    /// Whether `module` is there, as far as files tell.
    pub(super) fn has(&self, module: &str) -> bool {
        let mut path = String::new();
        for part in module.split('.') {
            path.push_str(part);
            if self.is_module(&path) {
                // What it holds, only it can tell.
                return true;
            }
            path.push('/');
            if self.files.contains(&format!("{path}__init__.py")) {
                return true;
            }
            if !self.has_below(&path) {
                return false;
            }
        }
        // A folder of modules, as a namespace package is.
        true
    }

    /// `path.py`, or a compiled one such as `path.cpython-311-x86_64-linux-gnu.so`.
    fn is_module(&self, path: &str) -> bool {
        let start = format!("{path}.");
        let rests = self.files.range(start.clone()..).map_while(|file| file.strip_prefix(&start));
        rests.into_iter().any(|rest| rest == "py" || (rest.ends_with("so") && !rest.contains('/')))
    }

    fn has_below(&self, folder: &str) -> bool {
        self.files.range(folder.to_owned()..).next().is_some_and(|file| file.starts_with(folder))
    }
}

/// Those of `modules` that the standard library of the interpreter at `python` does not have.
pub(super) fn not_standard<'a>(modules: &[&'a str], python: &PathBuf) -> Result<Vec<&'a str>> {
    if modules.is_empty() {
        return Ok(Vec::new());
    }
    let tops = modules.iter().map(|module| module.split('.').next().unwrap_or(module));
    let mut command = Command::new(python);
    // Isolated, and without its own site-packages.
    command.args(["-I", "-S", "-c", PROGRAM]).args(tops).stdin(Stdio::null());
    let cannot = || Error::no_answer(format!("cannot ask {} for its modules", python.display()));
    let output = command.output().map_err(|error| cannot().because(error))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let answers: Vec<&str> = text.lines().collect();
    if !output.status.success() || answers.len() != modules.len() {
        return Err(cannot().because(String::from_utf8_lossy(&output.stderr).trim().to_owned()));
    }
    Ok(modules.iter().zip(answers).filter(|(_, answer)| *answer != "1").map(|(module, _)| *module).collect())
}

const PROGRAM: &str = "import sys, importlib.util
for name in sys.argv[1:]: print(int(importlib.util.find_spec(name) is not None))";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_are_found_where_python_would() {
        let mut importable = Importable::default();
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
    fn the_standard_library_is_asked() {
        let python = PathBuf::from("python3");
        let modules = ["json", "sys", "time", "xml.dom", "no_such_module", "pip"];
        assert_eq!(not_standard(&modules, &python).unwrap(), ["no_such_module", "pip"]);
        assert!(not_standard(&modules, &PathBuf::from("/no/such/python")).is_err());
    }
}

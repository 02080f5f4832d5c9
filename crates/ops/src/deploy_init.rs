//! `pinfast deploy --init`: a commented `pinfast.toml` to begin with, and the lines of `.gitignore`.

use std::fs;
use std::path::Path;

use super::session::Session;
use pinfast_base::error::{Error, Result};
use pinfast_files::{read_optional, replace};
use pinfast_git::ENVIRONMENT_FOLDERS;
use pinfast_lock::ParsedLock;
use pinfast_settings::{Settings, SettingsTable};

const SETTINGS: &str = "pinfast.toml";

/// Writes the files that the current folder lacks. Returns their names.
///
/// # Errors
/// Usage: there is a `[deploy]` already, or a file cannot be read. `NoAnswer`: one cannot be written.
pub fn init(session: &Session) -> Result<Vec<&'static str>> {
    if let (Some(_), Some(file)) = (&session.settings.deploy, &session.settings.file) {
        return Err(Error::usage(format!("{} has a `[deploy]` already", session.display_path(file)))
            .hint("see what it would do: `pinfast deploy --dry-run`"));
    }
    if let Some(file) = session.settings.file.as_ref().filter(|file| file.ends_with("pyproject.toml")) {
        return Err(Error::usage(format!("the settings are in {}", session.display_path(file)))
            .hint("a pinfast.toml would take their place: write `[tool.pinfast.deploy]` there by hand"));
    }
    let folder = session.env.current_dir();
    let facts = ProjectFacts::in_folder(folder)?;
    let settings = folder.join(SETTINGS);
    let before = read_optional(&settings)?.map(|text| text + "\n").unwrap_or_default();
    let text = before + &template(folder, &facts);
    // What is written can be read.
    Settings::of(SettingsTable::read(SETTINGS, text.clone())?)?;
    replace(&settings, &text)?;
    let mut written = vec![SETTINGS];
    if let Some(text) = ignoring(folder, &facts)? {
        replace(&folder.join(".gitignore"), &text)?;
        written.push(".gitignore");
    }
    Ok(written)
}

/// What the folder shows of how to deploy it.
#[derive(Debug, Default, PartialEq, Eq)]
struct ProjectFacts {
    /// Python modules at its top.
    modules: Vec<String>,
    /// What holds data, as `shared` spells it.
    shared: Vec<String>,
    /// The Python that the lock is for.
    python: Option<String>,
}

/// How many modules are named as smoke tests.
const MODULES: usize = 5;

impl ProjectFacts {
    fn in_folder(folder: &Path) -> Result<Self> {
        let mut facts = Self::default();
        let unreadable = |error| Error::no_answer(format!("cannot list {}", folder.display())).because(error);
        for entry in fs::read_dir(folder).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            if let Ok(name) = entry.file_name().into_string() {
                facts.sort_in(&name, entry.path().is_dir());
            }
        }
        facts.modules.sort();
        facts.modules.truncate(MODULES);
        facts.shared.sort();
        let lock = read_optional(&folder.join("requirements.txt")).ok().flatten();
        let header = lock.and_then(|lock| ParsedLock::read(&lock, "requirements.txt").ok()?.lock.header);
        facts.python = header.and_then(|header| python(header.targets.first()?));
        Ok(facts)
    }

    fn sort_in(&mut self, name: &str, is_folder: bool) {
        let is_module = |stem: &str| {
            let plain = stem.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            plain
                && !stem.starts_with(|c: char| c.is_ascii_digit())
                && !stem.starts_with("test")
                && stem != "setup"
        };
        match (name, is_folder) {
            ("logs" | "log" | "data" | "media" | "uploads", true) => self.shared.push(format!("{name}/")),
            (".env", false) => self.shared.push(name.to_owned()),
            (_, false) if [".db", ".sqlite", ".sqlite3"].iter().any(|end| name.ends_with(end)) => {
                self.shared.push(name.to_owned());
            }
            (_, false) => self
                .modules
                .extend(name.strip_suffix(".py").filter(|stem| is_module(stem)).map(str::to_owned)),
            (_, true) => {}
        }
    }
}

/// `3.11` of a target such as `cpython 3.11.0 manylinux_2_28_x86_64`.
fn python(target: &str) -> Option<String> {
    let mut parts = target.split(' ').nth(1)?.split('.');
    Some(format!("{}.{}", parts.next()?, parts.next()?))
}

fn template(folder: &Path, facts: &ProjectFacts) -> String {
    let name = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let name: String = name.chars().filter(|c| c.is_ascii_alphanumeric() || "-_.".contains(*c)).collect();
    let name = if name.is_empty() { "app".to_owned() } else { name };
    let list =
        |items: Vec<String>| items.iter().map(|item| format!("\"{item}\"")).collect::<Vec<_>>().join(", ");
    let smoke = list(facts.modules.iter().map(|module| format!("import {module}")).collect());
    let python = match &facts.python {
        Some(python) => format!("python = \"{python}\""),
        None => "# python = \"3.11\"".to_owned(),
    };
    include_str!("deploy_init.toml")
        .replace("@NAME@", &name)
        .replace("@PYTHON@", &python)
        .replace("@SMOKE@", &smoke)
        .replace("@SHARED@", &list(facts.shared.clone()))
}

/// The text of `.gitignore` with what it lacks; `None` where it lacks nothing.
fn ignoring(folder: &Path, facts: &ProjectFacts) -> Result<Option<String>> {
    let text = read_optional(&folder.join(".gitignore"))?.unwrap_or_default();
    let wanted = ENVIRONMENT_FOLDERS
        .iter()
        .map(|name| format!("{name}/"))
        .chain(facts.shared.iter().map(|path| format!("/{path}")));
    let has = |line: &str| {
        let bare = |line: &str| line.trim().trim_matches('/').to_owned();
        text.lines().any(|old| bare(old) == bare(line))
    };
    let lacking: Vec<String> = wanted.filter(|line| !has(line)).collect();
    if lacking.is_empty() {
        return Ok(None);
    }
    let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    Ok(Some(format!("{text}{end}{}\n", lacking.join("\n"))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use pinfast_base::event::Unwatched;
    use pinfast_settings::ProcessEnv;
    use std::sync::Arc;

    fn session(folder: &Path) -> Session {
        Session::new(ProcessEnv::empty(folder), None, Arc::new(Unwatched)).unwrap()
    }

    #[test]
    fn what_is_written_fits_the_folder_and_can_be_read() {
        let folder = tempfile::tempdir().unwrap();
        for file in ["bot.py", "gemini_service.py", "test_bot.py", "setup.py", "app.db", ".env", "notes.txt"]
        {
            fs::write(folder.path().join(file), "").unwrap();
        }
        fs::create_dir(folder.path().join("logs")).unwrap();
        fs::write(folder.path().join(".gitignore"), "/venv\n*.pyc").unwrap();
        assert_eq!(init(&session(folder.path())).unwrap(), [SETTINGS, ".gitignore"]);
        let settings = session(folder.path()).settings.deploy.unwrap();
        let smoke: Vec<_> = settings.smoke.iter().map(ToString::to_string).collect();
        assert_eq!(smoke, ["import bot", "import gemini_service"]);
        let shared: Vec<_> = settings.shared.iter().map(|shared| shared.path.as_str()).collect();
        assert_eq!(shared, [".env", "app.db", "logs"]);
        let ignored = fs::read_to_string(folder.path().join(".gitignore")).unwrap();
        assert_eq!(ignored, "/venv\n*.pyc\n.venv/\n/.env\n/app.db\n/logs/\n");
        let again = init(&session(folder.path())).unwrap_err();
        assert_eq!(again.message, "pinfast.toml has a `[deploy]` already");
    }

    #[test]
    fn settings_that_are_there_stay() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(SETTINGS), "offline = true").unwrap();
        init(&session(folder.path())).unwrap();
        let settings = session(folder.path()).settings;
        assert!(settings.offline.unwrap().value && settings.deploy.is_some());
    }

    #[test]
    fn the_python_of_the_lock_is_named() {
        assert_eq!(python("cpython 3.11.0 manylinux_2_28_x86_64").as_deref(), Some("3.11"));
        assert_eq!(python("odd"), None);
    }
}

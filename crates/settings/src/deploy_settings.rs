//! `[deploy]`: the source, the target folder, and the checks before and after the switch.

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Component, Path};
use std::str::FromStr;
use std::time::Duration;

use jiff::SignedDuration;

use super::settings_table::{Setting, SettingsTable, TomlSpan};
use pinfast_base::error::Result;

/// The table `[deploy]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeploySettings {
    /// `root`: the folder of `releases/`, `shared/` and `current`.
    pub root: Setting<String>,
    /// `source`
    pub source: DeploySource,
    /// `python`: a version, a name or a path.
    pub python: Option<Setting<String>>,
    /// `lock`: the path of the lock inside the source.
    pub lock: String,
    /// `venv`: the path of the virtual environment inside the release.
    pub venv: String,
    /// `smoke`
    pub smoke: Vec<SmokeTest>,
    /// `smoke-within`: the time limit of each smoke test.
    pub smoke_within: Duration,
    /// `shared`: the files and folders that all releases share.
    pub shared: Vec<SharedPath>,
    /// `keep`: how many good releases stay on disk.
    pub keep: usize,
    /// `restart`
    pub restart: Option<TimedCommand>,
    /// `health`
    pub health: Option<HealthCheck>,
}

/// The source of a release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeploySource {
    /// `git:REVISION`: the settings' folder at that revision.
    Revision(String),
    /// A folder in a git work tree, at `HEAD`.
    Folder(Setting<String>),
}

/// A test that a release must pass before it goes live.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SmokeTest {
    /// `import MODULE`
    Import(String),
    /// `run: COMMAND`
    Run(String),
}

/// A path that is a symlink into `shared/` in every release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharedPath {
    /// The relative path, with `/` between its parts and none at its end.
    pub path: String,
    /// Whether it is a file or a folder.
    pub kind: SharedKind,
}

/// The kind of a shared path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SharedKind {
    /// A file.
    File,
    /// A folder: the settings end it with `/`.
    Folder,
}

/// A shell command and its time limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimedCommand {
    /// The command for `sh -c`.
    pub command: String,
    /// The time limit.
    pub within: Duration,
}

/// The health check of the live release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HealthCheck {
    /// The URL answers with a status from 200 to 299.
    Url {
        /// The URL.
        url: url::Url,
        /// The time limit for the first good answer.
        within: Duration,
    },
    /// The command exits with 0.
    Command(TimedCommand),
}

const SMOKE_WITHIN: Duration = Duration::from_secs(60);
const RESTART_WITHIN: Duration = Duration::from_secs(90);
const HEALTH_WITHIN: Duration = Duration::from_secs(30);
const KEEP: usize = 5;

impl DeploySettings {
    /// Reads the table.
    ///
    /// # Errors
    /// `Usage` for an unknown key, an invalid value, or a missing `root`.
    pub fn of(mut section: SettingsTable) -> Result<Self> {
        let place = section.place().clone();
        let root = section.text("root")?;
        let deploy = Self {
            root: root.ok_or_else(|| {
                place
                    .error("`[deploy]` has no `root`")
                    .hint("name the folder to deploy to, such as root = \"/srv/app\"")
            })?,
            source: section.text("source")?.map_or_else(|| Ok(DeploySource::head()), source)?,
            python: section.text("python")?,
            lock: inner_path(section.text("lock")?, "requirements.txt")?,
            venv: inner_path(section.text("venv")?, ".venv")?,
            smoke: values(section.texts("smoke")?)?,
            smoke_within: section.text("smoke-within")?.map_or(Ok(SMOKE_WITHIN), |text| limit(&text))?,
            shared: shared(section.texts("shared")?)?,
            keep: section.number("keep")?.map_or(Ok(KEEP), |keep| release_count(&keep))?,
            restart: timed(&mut section, "restart", RESTART_WITHIN)?,
            health: health(&mut section)?,
        };
        section.finish()?;
        deploy.check_overlaps(&place)?;
        Ok(deploy)
    }

    /// A shared path must not contain, or be inside, another one, the environment or the lock.
    fn check_overlaps(&self, place: &TomlSpan) -> Result<()> {
        let own = [&self.venv, &self.lock].map(String::as_str);
        let paths = || self.shared.iter().map(|shared| shared.path.as_str());
        let inside = |a: &str, b: &str| Path::new(a).starts_with(b);
        for path in paths() {
            let other = paths().filter(|other| *other != path).chain(own);
            if let Some(other) = other.into_iter().find(|other| inside(path, other) || inside(other, path)) {
                return Err(place.error(format_args!("the shared `{path}` and `{other}` overlap")));
            }
        }
        Ok(())
    }
}

impl DeploySource {
    fn head() -> Self {
        Self::Revision("HEAD".to_owned())
    }
}

impl FromStr for SmokeTest {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let form = || "a smoke test is `import MODULE` or `run: COMMAND`".to_owned();
        if let Some(command) = text.strip_prefix("run:").map(str::trim) {
            return if command.is_empty() { Err(form()) } else { Ok(Self::Run(command.to_owned())) };
        }
        let module = text.strip_prefix("import ").map(str::trim).ok_or_else(form)?;
        let is_name = |part: &str| {
            part.chars().all(|c| c.is_alphanumeric() || c == '_')
                && !part.starts_with(|c: char| c.is_ascii_digit())
        };
        match module.split('.').all(|part| !part.is_empty() && is_name(part)) {
            true => Ok(Self::Import(module.to_owned())),
            false => Err(format!("`{module}` is not a module name")),
        }
    }
}

impl fmt::Display for SmokeTest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Import(module) => write!(f, "import {module}"),
            Self::Run(command) => write!(f, "run: {command}"),
        }
    }
}

fn source(text: Setting<String>) -> Result<DeploySource> {
    match text.value.strip_prefix("git:").map(str::trim) {
        None => Ok(DeploySource::Folder(text)),
        Some(revision) if revision.is_empty() || revision.starts_with('-') => {
            Err(text.place.error("`git:` is followed by a revision, such as `git:HEAD`"))
        }
        Some(revision) => Ok(DeploySource::Revision(revision.to_owned())),
    }
}

fn values<T: FromStr<Err: fmt::Display>>(texts: Vec<Setting<String>>) -> Result<Vec<T>> {
    texts.iter().map(|text| Ok(text.parse()?.value)).collect()
}

fn release_count(keep: &Setting<u64>) -> Result<usize> {
    match usize::try_from(keep.value) {
        Ok(keep @ 1..) => Ok(keep),
        _ => Err(keep.place.error("`keep` is at least 1: the live release stays")),
    }
}

/// A relative path inside the release, without `.` and `..`.
fn inner_path(text: Option<Setting<String>>, default: &str) -> Result<String> {
    text.map_or_else(|| Ok(default.to_owned()), |text| plain(&text))
}

fn plain(text: &Setting<String>) -> Result<String> {
    let path = text.value.trim_end_matches('/');
    let components: Vec<_> = Path::new(path).components().collect();
    let inside = !components.is_empty() && components.iter().all(|it| matches!(it, Component::Normal(_)));
    match inside && !path.chars().any(char::is_control) {
        true => Ok(Path::new(path).components().as_path().to_string_lossy().into_owned()),
        false => Err(text.place.error("this must be a path inside the release, without `.` and `..`")),
    }
}

fn shared(texts: Vec<Setting<String>>) -> Result<Vec<SharedPath>> {
    let mut seen = BTreeSet::new();
    let one = |text: &Setting<String>| {
        let kind = if text.value.ends_with('/') { SharedKind::Folder } else { SharedKind::File };
        let path = plain(text)?;
        match seen.insert(path.clone()) {
            true => Ok(SharedPath { path, kind }),
            false => Err(text.place.error("this path is shared twice")),
        }
    };
    texts.iter().map(one).collect()
}

/// A time limit such as `60s` or `2 min`: more than zero, at most a day.
fn limit(text: &Setting<String>) -> Result<Duration> {
    let parsed = text.value.parse::<SignedDuration>().ok().and_then(|it| Duration::try_from(it).ok());
    match parsed.filter(|it| !it.is_zero() && *it <= Duration::from_secs(24 * 60 * 60)) {
        Some(limit) => Ok(limit),
        None => Err(text.place.error("this must be a time such as `30s` or `2m`, at most a day")),
    }
}

/// A command, or a table of `command` and `within`.
fn timed(section: &mut SettingsTable, key: &'static str, within: Duration) -> Result<Option<TimedCommand>> {
    match section.text_or_section(key)? {
        (Some(command), None) => Ok(Some(TimedCommand { command: command.value, within })),
        (None, Some(mut table)) => {
            let (command, place) = (table.text("command")?, table.place().clone());
            let within = table.text("within")?.map_or(Ok(within), |text| limit(&text))?;
            table.finish()?;
            let command = command.ok_or_else(|| place.error(format_args!("`{key}` has no `command`")))?;
            Ok(Some(TimedCommand { command: command.value, within }))
        }
        _ => Ok(None),
    }
}

fn health(section: &mut SettingsTable) -> Result<Option<HealthCheck>> {
    let Some(mut table) = section.table("health")? else { return Ok(None) };
    let place = table.place().clone();
    let (url, command) = (table.text("url")?, table.text("command")?);
    let within = table.text("within")?.map_or(Ok(HEALTH_WITHIN), |text| limit(&text))?;
    table.finish()?;
    match (url, command) {
        (Some(url), None) => {
            let parsed: Setting<url::Url> = url.parse()?;
            match parsed.value.scheme() {
                "http" | "https" => Ok(Some(HealthCheck::Url { url: parsed.value, within })),
                _ => Err(url.place.error("a health URL begins with http:// or https://")),
            }
        }
        (None, Some(command)) => {
            Ok(Some(HealthCheck::Command(TimedCommand { command: command.value, within })))
        }
        _ => Err(place.error("`health` has either a `url` or a `command`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Result<DeploySettings> {
        DeploySettings::of(SettingsTable::read("pinfast.toml", text.to_owned())?)
    }

    #[test]
    fn every_key_is_read() {
        let deploy = of(r#"
root = "/srv/marketing"
source = "git:HEAD"
python = "3.11"
venv = ".venv"
lock = "pylock.toml"
smoke = ["import bot", "import app.web", "run: python -m app --selfcheck"]
smoke-within = "90s"
shared = [".env", "data/app.db", "logs/"]
keep = 3
restart = "systemctl --user restart marketing-bot"
health = { url = "http://127.0.0.1:8080/health", within = "10s" }
"#)
        .unwrap();
        assert_eq!(deploy.root.value, "/srv/marketing");
        assert_eq!(deploy.source, DeploySource::Revision("HEAD".to_owned()));
        assert_eq!(deploy.python.unwrap().value, "3.11");
        assert_eq!((deploy.venv.as_str(), deploy.lock.as_str()), (".venv", "pylock.toml"));
        let smoke: Vec<_> = deploy.smoke.iter().map(ToString::to_string).collect();
        assert_eq!(smoke, ["import bot", "import app.web", "run: python -m app --selfcheck"]);
        assert_eq!(deploy.smoke_within, Duration::from_secs(90));
        let shared: Vec<_> = deploy.shared.iter().map(|it| (it.path.as_str(), it.kind)).collect();
        let (file, folder) = (SharedKind::File, SharedKind::Folder);
        assert_eq!(shared, [(".env", file), ("data/app.db", file), ("logs", folder)]);
        assert_eq!(deploy.keep, 3);
        assert_eq!(deploy.restart.unwrap().command, "systemctl --user restart marketing-bot");
        let url = "http://127.0.0.1:8080/health".parse().unwrap();
        assert_eq!(deploy.health, Some(HealthCheck::Url { url, within: Duration::from_secs(10) }));
    }

    #[test]
    fn a_missing_key_has_a_default() {
        let deploy = of("root = '/srv/app'").unwrap();
        assert_eq!(deploy.source, DeploySource::Revision("HEAD".to_owned()));
        assert_eq!((deploy.venv.as_str(), deploy.lock.as_str()), (".venv", "requirements.txt"));
        assert_eq!((deploy.smoke_within, deploy.keep), (SMOKE_WITHIN, KEEP));
        assert_eq!((deploy.restart, deploy.health), (None, None));
        let table =
            of("root = 'r'\nrestart = { command = 'x', within = '5 min' }\nhealth = { command = 'y' }");
        let table = table.unwrap();
        assert_eq!(table.restart.unwrap().within, Duration::from_secs(300));
        let y = TimedCommand { command: "y".to_owned(), within: HEALTH_WITHIN };
        assert_eq!(table.health, Some(HealthCheck::Command(y)));
        let DeploySource::Folder(folder) = of("root = 'r'\nsource = 'app'").unwrap().source else { panic!() };
        assert_eq!(folder.value, "app");
    }

    #[test]
    fn an_invalid_value_is_an_error_with_its_place() {
        for (text, said) in [
            ("keep = 3", "1:1: `[deploy]` has no `root`"),
            ("root = 'r'\nkeeep = 3", "2:1: unknown key `keeep`"),
            ("root = 'r'\nkeep = 0", "2:8: `keep` is at least 1"),
            ("root = 'r'\nkeep = '3'", "2:8: `keep` must be a whole number"),
            ("root = 'r'\nsource = 'git:'", "2:10: `git:` is followed by a revision"),
            ("root = 'r'\nsource = 'git:--all'", "2:10: `git:` is followed by a revision"),
            ("root = 'r'\nsmoke = ['bot']", "2:10: a smoke test is `import MODULE` or `run: COMMAND`"),
            ("root = 'r'\nsmoke = ['run: ']", "2:10: a smoke test is"),
            ("root = 'r'\nsmoke = ['import a; b']", "2:10: `a; b` is not a module name"),
            ("root = 'r'\nsmoke = ['import a..b']", "2:10: `a..b` is not a module name"),
            ("root = 'r'\nsmoke-within = '0s'", "2:16: this must be a time such as"),
            ("root = 'r'\nsmoke-within = 'soon'", "2:16: this must be a time such as"),
            ("root = 'r'\nsmoke-within = '2000 hours'", "2:16: this must be a time such as"),
            ("root = 'r'\nshared = ['../x']", "2:11: this must be a path inside the release"),
            ("root = 'r'\nshared = ['/etc']", "2:11: this must be a path inside the release"),
            ("root = 'r'\nshared = ['.']", "2:11: this must be a path inside the release"),
            ("root = 'r'\nshared = ['a', 'a/']", "2:16: this path is shared twice"),
            ("root = 'r'\nshared = ['a/b', 'a/']", "1:1: the shared `a/b` and `a` overlap"),
            ("root = 'r'\nshared = ['.venv/x']", "1:1: the shared `.venv/x` and `.venv` overlap"),
            ("root = 'r'\nhealth = {}", "2:10: `health` has either a `url` or a `command`"),
            ("root = 'r'\nhealth = { url = 'ftp://x' }", "2:18: a health URL begins with http"),
            ("root = 'r'\nhealth = { url = 'x' }", "2:18: "),
            ("root = 'r'\nhealth = { comand = 'x' }", "2:12: unknown key `comand`"),
            ("root = 'r'\nrestart = {}", "2:11: `restart` has no `command`"),
            ("root = 'r'\nvenv = '/v'", "2:8: this must be a path inside the release"),
        ] {
            let error = of(text).unwrap_err();
            let wanted = format!("pinfast.toml:{said}");
            assert!(error.message.starts_with(&wanted), "{text}\nwanted: {wanted}\nsaid: {}", error.message);
            assert_eq!(error.kind, pinfast_base::error::ErrorKind::Usage);
        }
    }
}

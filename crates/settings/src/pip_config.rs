//! pip's options, as its configuration files and `PIP_*` variables set them.
//!
//! The precedence is pip's own (pip's user guide, "Configuration"), the weakest first: the files of the
//! machine, of the user, of the virtual environment, the one that `PIP_CONFIG_FILE` names, then the variables.
//! Inside the files, `[global]` is weaker than the section of the command.

use std::collections::BTreeMap;
use std::env::split_paths;
use std::fmt;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::indexes::{IndexOptions, IndexReference, MissingFolder};
use super::{Origin, ProcessEnv, ini};
use pinfast_base::error::{Error, Result};
use pinfast_packaging::Location;

/// The options of pip that are set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PipConfig {
    values: BTreeMap<String, PipValue>,
    /// One sentence for each file that exists but cannot be read; pip ignores such files, too.
    pub warnings: Vec<String>,
}

/// The value of one of pip's options and the source that set it.
#[derive(Clone, PartialEq, Eq)]
pub struct PipValue {
    /// The value as written, not empty. It may hold credentials.
    pub text: String,
    /// A variable or a line of a file.
    pub origin: Origin,
}

impl PipConfig {
    /// Reads the files and variables that hold for pip's `command`, such as `install`.
    ///
    /// `prefix` is the folder of the virtual environment; by default `VIRTUAL_ENV` names it.
    ///
    /// # Errors
    /// `Usage` for a file that pip cannot parse either.
    pub fn read(env: &ProcessEnv, command: &str, prefix: Option<&Path>) -> Result<Self> {
        let mut config = Self::default();
        let mut sections: BTreeMap<(String, String), PipValue> = BTreeMap::new();
        for file in files(env, prefix) {
            for (section, key, value) in config.entries(&file)? {
                sections.insert((section, key), value);
            }
        }
        for section in ["global", command] {
            let of_section = sections.iter().filter(|((name, _), _)| name == section);
            config.values.extend(of_section.map(|((_, key), value)| (key.clone(), value.clone())));
        }
        config.values.extend(variables(env));
        Ok(config)
    }

    fn entries(&mut self, file: &Path) -> Result<Vec<(String, String, PipValue)>> {
        let text = match fs::read(file) {
            Ok(bytes) => String::from_utf8(bytes).map_err(|_| broken(file, None, "is not UTF-8"))?,
            Err(error) => {
                if !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) {
                    self.warnings
                        .push(format!("pip's configuration `{}` cannot be read: {error}", file.display()));
                }
                return Ok(Vec::new());
            }
        };
        let entries = ini::parse(&text).map_err(|error| broken(file, Some(error.line), &error.message))?;
        Ok(entries
            .into_iter()
            .filter(|entry| !entry.value.is_empty())
            .map(|entry| {
                let origin = Origin::PipFile(Location::new(file.display().to_string(), entry.line, 1));
                (entry.section, normalise(&entry.key), PipValue { text: entry.value, origin })
            })
            .collect())
    }

    /// The value of an option, by its long name without dashes.
    #[must_use]
    pub fn get(&self, option: &str) -> Option<&PipValue> {
        self.values.get(option)
    }

    /// The values of an option that may be given several times.
    #[must_use]
    pub fn values(&self, option: &str) -> Vec<PipValue> {
        let Some(value) = self.get(option) else {
            return Vec::new();
        };
        let part = |text: &str| PipValue { text: text.to_owned(), origin: value.origin.clone() };
        value.text.split_whitespace().map(part).collect()
    }

    /// Whether an option without a value is on.
    ///
    /// # Errors
    /// `Usage` for a value that is none of `1`, `yes`, `true`, `on`, `0`, `no`, `false`, `off`.
    pub fn flag(&self, option: &str) -> Result<bool> {
        let Some(value) = self.get(option) else {
            return Ok(false);
        };
        match value.text.to_lowercase().as_str() {
            "y" | "yes" | "t" | "true" | "on" | "1" => Ok(true),
            "n" | "no" | "f" | "false" | "off" | "0" => Ok(false),
            _ => Err(wrong(option, value, "1 or 0")),
        }
    }

    /// The bundle of certificates to trust (`cert`).
    #[must_use]
    pub fn cert(&self) -> Option<PathBuf> {
        self.get("cert").map(|value| PathBuf::from(&value.text))
    }

    /// The client's certificate and key in one PEM file (`client-cert`).
    #[must_use]
    pub fn client_cert(&self) -> Option<PathBuf> {
        self.get("client-cert").map(|value| PathBuf::from(&value.text))
    }

    /// The proxy (`proxy`).
    #[must_use]
    pub fn proxy(&self) -> Option<&PipValue> {
        self.get("proxy")
    }

    /// The options that name indexes.
    ///
    /// # Errors
    /// `Usage` if `no-index` is neither yes nor no.
    pub fn index_options(&self, env: &ProcessEnv) -> Result<IndexOptions> {
        let reference = |value: PipValue| IndexReference {
            text: value.text,
            origin: value.origin,
            bases: vec![env.current_dir().to_owned()],
            missing: MissingFolder::Ignored,
        };
        let url = self.get("index-url").or_else(|| self.get("pypi-url"));
        let no_index = self.get("no-index").filter(|_| matches!(self.flag("no-index"), Ok(true)));
        self.flag("no-index")?;
        Ok(IndexOptions {
            index_url: url.cloned().map(reference),
            extra_index_urls: self.values("extra-index-url").into_iter().map(reference).collect(),
            find_links: self.values("find-links").into_iter().map(reference).collect(),
            no_index: no_index.map(|value| value.origin.clone()),
        })
    }
}

/// Without the text, which may hold credentials.
impl fmt::Debug for PipValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PipValue(by {})", self.origin)
    }
}

fn broken(file: &Path, line: Option<u32>, message: &str) -> Error {
    let place = line.map_or_else(|| file.display().to_string(), |line| format!("{}:{line}", file.display()));
    Error::usage(format!("pip's configuration cannot be read: {place} {message}"))
        .hint("fix that file, or set PIP_CONFIG_FILE to another one")
}

fn wrong(option: &str, value: &PipValue, expected: &str) -> Error {
    Error::usage(format!("pip's option `{option}` in {} is not {expected}", value.origin))
}

/// pip reads `Index_URL`, `index-url` and `--index-url` as the same.
fn normalise(key: &str) -> String {
    let key = key.to_lowercase().replace('_', "-");
    key.strip_prefix("--").map_or_else(|| key.clone(), str::to_owned)
}

fn variables(env: &ProcessEnv) -> impl Iterator<Item = (String, PipValue)> {
    env.texts().filter(|(_, value)| !value.is_empty()).filter_map(|(name, value)| {
        let key = normalise(name.strip_prefix("PIP_")?);
        Some((key, PipValue { text: value.to_owned(), origin: Origin::Variable(name.to_owned()) }))
    })
}

/// The configuration files, the weakest first.
fn files(env: &ProcessEnv, prefix: Option<&Path>) -> Vec<PathBuf> {
    let named = env.path("PIP_CONFIG_FILE");
    if named.as_deref().is_some_and(is_null) {
        return Vec::new();
    }
    let mut files = of_machine(env);
    if !named.as_ref().is_some_and(|file| file.exists()) {
        files.extend(of_user(env));
    }
    let prefix = prefix.map(Path::to_owned).or_else(|| env.path("VIRTUAL_ENV"));
    files.extend(prefix.map(|prefix| prefix.join(NAME)));
    files.extend(named);
    files
}

/// The name of pip's configuration files.
const NAME: &str = if cfg!(windows) { "pip.ini" } else { "pip.conf" };

fn is_null(file: &Path) -> bool {
    file.as_os_str() == if cfg!(windows) { "nul" } else { "/dev/null" }
}

fn of_machine(env: &ProcessEnv) -> Vec<PathBuf> {
    if cfg!(windows) {
        let folder = env.path("PROGRAMDATA").unwrap_or_else(|| PathBuf::from("C:\\ProgramData"));
        return vec![folder.join("pip").join(NAME)];
    }
    if cfg!(target_os = "macos") {
        return vec![PathBuf::from("/Library/Application Support/pip").join(NAME)];
    }
    let shared = env.variable("XDG_CONFIG_DIRS").unwrap_or("/etc/xdg".as_ref());
    let mut files: Vec<_> = split_paths(shared).map(|folder| folder.join("pip").join(NAME)).collect();
    files.push(PathBuf::from("/etc").join(NAME));
    files
}

fn of_user(env: &ProcessEnv) -> Vec<PathBuf> {
    let home = env.home();
    let legacy = home.map(|home| home.join(if cfg!(windows) { "pip" } else { ".pip" }));
    legacy.into_iter().chain(user_folder(env)).map(|folder| folder.join(NAME)).collect()
}

fn user_folder(env: &ProcessEnv) -> Option<PathBuf> {
    if cfg!(windows) {
        return env.path("APPDATA").map(|folder| folder.join("pip"));
    }
    let library = env.home().map(|home| home.join("Library/Application Support/pip"));
    if let Some(library) = library.filter(|folder| cfg!(target_os = "macos") && folder.is_dir()) {
        return Some(library);
    }
    let config = env.path("XDG_CONFIG_HOME").or_else(|| Some(env.home()?.join(".config")));
    config.map(|config| config.join("pip"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder with files in it, and an environment in which no file of this machine is seen.
    fn folder_with(files: &[(&str, &str)]) -> (tempfile::TempDir, ProcessEnv) {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let file = folder.path().join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        }
        let env = ProcessEnv::empty(folder.path())
            .with_home(folder.path().join("home"))
            .with("XDG_CONFIG_DIRS", folder.path().join("etc"));
        (folder, env)
    }

    fn index(env: &ProcessEnv, prefix: Option<&Path>) -> Option<String> {
        PipConfig::read(env, "install", prefix).unwrap().get("index-url").map(|value| value.text.clone())
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn each_file_overrides_the_weaker_ones() {
        let conf = |url: &str| format!("[global]\nindex-url = https://{url}.example\n");
        let (folder, env) = folder_with(&[
            ("etc/pip/pip.conf", &conf("machine")),
            ("home/.pip/pip.conf", &conf("legacy")),
            ("home/.config/pip/pip.conf", &conf("user")),
            ("venv/pip.conf", &conf("venv")),
            ("named.conf", &conf("named")),
        ]);
        let named = folder.path().join("named.conf");
        let venv = folder.path().join("venv");
        assert_eq!(index(&env, None).as_deref(), Some("https://user.example"));
        assert_eq!(index(&env, Some(&venv)).as_deref(), Some("https://venv.example"));
        let active = env.clone().with("VIRTUAL_ENV", &venv);
        assert_eq!(index(&active, None).as_deref(), Some("https://venv.example"));
        let active = active.with("PIP_CONFIG_FILE", &named);
        assert_eq!(index(&active, None).as_deref(), Some("https://named.example"));
        let active = active.with("PIP_INDEX_URL", "https://env.example");
        assert_eq!(index(&active, None).as_deref(), Some("https://env.example"));

        fs::remove_file(folder.path().join("home/.config/pip/pip.conf")).unwrap();
        assert_eq!(index(&env, None).as_deref(), Some("https://legacy.example"));
        fs::write(&named, "").unwrap();
        let env = env.with("PIP_CONFIG_FILE", &named);
        assert_eq!(index(&env, None).as_deref(), Some("https://machine.example"), "user's is left out");
        let env = env.with("PIP_CONFIG_FILE", "/dev/null");
        assert_eq!(index(&env, Some(&venv)), None);
    }

    #[test]
    fn the_section_of_the_command_overrides_every_global() {
        let (folder, env) = folder_with(&[
            ("home/.pip/pip.conf", "[install]\ntimeout = 5\n[download]\ntimeout = 6\n"),
            ("venv/pip.conf", "[global]\ntimeout = 7\nretries = 2\n"),
        ]);
        let venv = folder.path().join("venv");
        let value_of = |command, option| {
            let config = PipConfig::read(&env, command, Some(&venv)).unwrap();
            config.get(option).unwrap().text.clone()
        };
        assert_eq!(value_of("install", "timeout"), "5");
        assert_eq!(value_of("download", "timeout"), "6");
        assert_eq!(value_of("list", "timeout"), "7");
        assert_eq!(value_of("list", "retries"), "2");
    }

    #[test]
    fn variables_set_lists_flags_and_paths() {
        let (_folder, env) = folder_with(&[]);
        let env = env
            .with("PIP_CONFIG_FILE", if cfg!(windows) { "nul" } else { "/dev/null" })
            .with("PIP_EXTRA_INDEX_URL", "https://a.example  https://b.example")
            .with("PIP_NO_INDEX", "Yes")
            .with("PIP_PROXY", "http://proxy.example:8080")
            .with("PIP_CLIENT_CERT", "/me.pem")
            .with("PIP_CERT", "/certs.pem")
            .with("PIP_PRE", "maybe")
            .with("PIP_INDEX_URL", "");
        let config = PipConfig::read(&env, "install", None).unwrap();
        let options = config.index_options(&env).unwrap();
        assert_eq!(options.extra_index_urls.len(), 2);
        assert_eq!(options.extra_index_urls[1].text, "https://b.example");
        assert_eq!(options.no_index.map(|origin| origin.to_string()).as_deref(), Some("PIP_NO_INDEX"));
        assert_eq!(options.index_url, None, "an empty variable is none");
        assert_eq!(config.proxy().unwrap().text, "http://proxy.example:8080");
        assert_eq!(config.client_cert(), Some(PathBuf::from("/me.pem")));
        assert_eq!(config.cert(), Some(PathBuf::from("/certs.pem")));
        assert_eq!(config.flag("pre").unwrap_err().message, "pip's option `pre` in PIP_PRE is not 1 or 0");
    }

    #[test]
    fn a_broken_file_is_an_error_with_its_line() {
        let (folder, env) = folder_with(&[("home/.pip/pip.conf", "[global]\noops\n")]);
        let error = PipConfig::read(&env, "install", None).unwrap_err();
        let file = folder.path().join("home").join(".pip/pip.conf");
        let said = format!("pip's configuration cannot be read: {}:2 is no `key = value`", file.display());
        assert_eq!((error.kind, error.message), (pinfast_base::error::ErrorKind::Usage, said));
    }
}

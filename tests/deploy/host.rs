//! A host with a work tree, a root to deploy to, and packages to install.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use pinfast_testkit::server::Server;

/// What the packages do of what the bot asks of them.
const UNIVERSE: &str = "
tenacity 9.0
    helper
helper 1.0
";

/// The settings of most tests: no service, so that every step is quick; `restart` and `health` leave a trace
/// outside of what is shared.
pub(crate) const PLAIN: &str = r#"
[deploy]
root = "../srv"
smoke = ["import bot", "run: python -m app --selfcheck"]
shared = [".env", "data/app.db", "logs/"]
keep = 2
restart = "echo $PINFAST_RELEASE >>$PINFAST_ROOT/../restarts"
health = { command = "test -e version", within = "60s" }
"#;

/// A host. Everything stands in one folder of its own.
pub(crate) struct Host {
    folder: TempDir,
    pub(crate) server: Server,
}

/// The exit code and output of a run.
#[derive(Debug)]
pub(crate) struct RunOutput {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Host {
    /// A host with a committed small application, whose shared files are in place.
    pub(crate) fn new() -> Self {
        let host = Self::bare();
        host.write("bot.py", "import gemini_service\n");
        host.write("gemini_service.py", "import tenacity, helper\n");
        host.write("app/__main__.py", "import bot\nprint('checked')\n");
        host.write("version", "1\n");
        host.write("requirements.in", "tenacity>=9\n");
        host.write(".gitignore", ".venv/\nvenv/\n__pycache__/\n/.env\n/data/\n/logs/\n");
        host.write("pinfast.toml", PLAIN);
        host.lock();
        host.commit("first");
        host.share();
        host
    }

    /// A host with an empty work tree.
    pub(crate) fn bare() -> Self {
        let host = Self { folder: tempfile::tempdir().unwrap(), server: Server::empty() };
        host.server.put_all(crate::universe::pages(UNIVERSE));
        fs::create_dir(host.project()).unwrap();
        host.git(&["init", "-q"]);
        host
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The work tree.
    pub(crate) fn project(&self) -> PathBuf {
        self.folder().join("project")
    }

    /// What is deployed to.
    pub(crate) fn root(&self) -> PathBuf {
        self.folder().join("srv")
    }

    pub(crate) fn shared(&self) -> PathBuf {
        self.root().join("shared")
    }

    pub(crate) fn current(&self) -> PathBuf {
        self.root().join("current")
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.project().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Puts the shared files in place.
    pub(crate) fn share(&self) {
        for (name, text) in [(".env", "TOKEN=1\n"), ("data/app.db", "rows\n"), ("logs/bot.log", "line\n")] {
            let path = self.shared().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
    }

    pub(crate) fn git(&self, args: &[&str]) {
        let mut command = Command::new("git");
        command.current_dir(self.project()).args(["-c", "init.defaultBranch=main"]);
        command.args(["-c", "user.name=t", "-c", "user.email=t@example.org"]).args(args);
        command.env_clear().envs(std::env::vars().filter(|(name, _)| name == "PATH"));
        let output = command.output().unwrap();
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    pub(crate) fn commit(&self, message: &str) {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", message]);
    }

    /// Commits a version, which its file `version` identifies.
    pub(crate) fn commit_version(&self, version: &str) {
        self.write("version", &format!("{version}\n"));
        self.commit(version);
    }

    /// Commits settings under which nobody waits long for a service that is not well; `health` is the command
    /// that tells.
    pub(crate) fn impatient(&self, health: &str) {
        let settings =
            PLAIN.replace("test -e version", health).replace("within = \"60s\"", "within = \"2s\"");
        self.write("pinfast.toml", &settings);
        self.commit("impatient");
    }

    pub(crate) fn lock(&self) {
        let said = self.pinfast("lock");
        assert_eq!(said.code, Some(0), "{said:?}");
    }

    pub(crate) fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pinfast"));
        command
            .current_dir(self.project())
            .args(arguments.split_whitespace())
            .env_clear()
            .envs(std::env::vars().filter(|(name, _)| name == "PATH"))
            .env("HOME", self.folder().join("home"))
            .env("LOGNAME", "tester")
            .env("PINFAST_CACHE_DIR", self.folder().join("cache"))
            .env("PIP_INDEX_URL", self.server.url("/simple/"))
            .stdin(Stdio::null());
        command
    }

    pub(crate) fn pinfast(&self, arguments: &str) -> RunOutput {
        RunOutput::of(self.command(arguments).output().unwrap())
    }

    /// A deploy that has to go well.
    pub(crate) fn deploy(&self) -> RunOutput {
        let said = self.pinfast("deploy");
        assert_eq!(said.code, Some(0), "{said:?}");
        said
    }

    /// Starts a run, and gives it once it has said a line that begins with `step`, with all that it had said
    /// until then.
    pub(crate) fn run_to(&self, arguments: &str, step: &str) -> (Child, Vec<String>) {
        let mut child = self.command(arguments).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut said = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
        let mut lines = Vec::new();
        while !lines.last().is_some_and(|line: &String| line.trim_start().starts_with(step)) {
            lines.push(said.next().unwrap_or_else(|| panic!("there was no {step}: {lines:?}")));
        }
        (child, lines)
    }

    /// What `releases --format json` lists.
    pub(crate) fn releases(&self) -> Vec<Value> {
        let said = self.pinfast("releases --format json");
        assert_eq!(said.code, Some(0), "{said:?}");
        let document: Value = serde_json::from_str(&said.out).unwrap();
        assert_eq!(document["schema"], 1);
        document["releases"].as_array().unwrap().clone()
    }

    /// The states, the newest release first.
    pub(crate) fn states(&self) -> Vec<String> {
        self.releases().iter().map(|release| release["state"].as_str().unwrap().to_owned()).collect()
    }

    /// The name of the live release.
    pub(crate) fn live(&self) -> Option<String> {
        let live: Vec<_> = self.releases().into_iter().filter(|release| release["live"] == true).collect();
        assert!(live.len() <= 1);
        live.first().map(|release| release["id"].as_str().unwrap().to_owned())
    }

    /// The version that is read through `current`.
    pub(crate) fn version(&self) -> Option<String> {
        fs::read_to_string(self.current().join("version")).ok().map(|text| text.trim().to_owned())
    }

    /// Which releases the service was restarted with, in order, as versions of the work tree.
    pub(crate) fn restarts(&self) -> Vec<String> {
        let text = fs::read_to_string(self.folder().join("restarts")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// Every file of what is shared, and its content.
    pub(crate) fn data(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        files(&self.shared())
    }

    /// What is live works: its smoke tests pass, run by hand.
    pub(crate) fn assert_live_works(&self) {
        let folder = fs::canonicalize(self.current()).unwrap();
        let python = folder.join(".venv/bin/python");
        let output = Command::new(&python)
            .args(["-c", "import bot, runpy; runpy.run_module('app', run_name='__main__')"])
            .current_dir(&folder)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(fs::read_to_string(folder.join(".env")).unwrap(), "TOKEN=1\n");
    }
}

impl RunOutput {
    pub(crate) fn of(output: Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Asserts how it ended, and that it said all of `words`.
    #[track_caller]
    pub(crate) fn assert(&self, code: i32, words: &[&str]) {
        assert_eq!(self.code, Some(code), "{}{}", self.out, self.err);
        for word in words {
            assert!(self.err.contains(word), "`{word}` is not in:\n{}", self.err);
        }
    }
}

/// Every file below `folder`, links not followed, and its content.
pub(crate) fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = BTreeMap::new();
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_symlink() {
            all.insert(path.clone(), fs::read_link(&path).unwrap().into_os_string().into_encoded_bytes());
        } else if path.is_dir() {
            all.extend(files(&path));
        } else {
            all.insert(path.clone(), fs::read(&path).unwrap());
        }
    }
    all
}

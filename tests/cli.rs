//! What people see of every command, as snapshots: made-up packages on a server of this machine, a fresh folder and
//! a fresh cache each.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::fs;
use std::path::Path;
use std::process::Command;

use insta::assert_snapshot;
use support::Server;
use tempfile::TempDir;

const UNIVERSE: &str = "
web 1.0
    core>=1
web 2.0
    core>=2
    log[colour]<3; python_version >= '3.6'
core 1.0
core 2.0
core 2.1
log 2.5
log 3.0
tool 0.9
tool 1.0
    core<2
";

/// A project of its own in front of a server of its own.
struct Project {
    folder: TempDir,
    server: Server,
}

impl Project {
    fn new(requirements: &str) -> Self {
        let project = Self { folder: tempfile::tempdir().unwrap(), server: Server::empty() };
        project.server.universe(UNIVERSE);
        project.write("requirements.in", requirements);
        project
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path().join(name), text).unwrap();
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path().join(name)).unwrap()
    }

    /// Everything that `pinfast ARGUMENTS` says, and how it ends. Times, ports and places are made the same.
    fn run(&self, arguments: &str) -> String {
        let output = Command::new(env!("CARGO_BIN_EXE_pinfast"))
            .current_dir(self.path())
            .args(arguments.split_whitespace())
            .env_clear()
            .envs(std::env::vars().filter(|(name, _)| name == "PATH"))
            .env("HOME", self.path().join("home"))
            .env("PINFAST_CACHE_DIR", self.path().join("cache"))
            .env("PIP_INDEX_URL", self.server.url("/simple/"))
            .output()
            .expect("the program runs");
        let code = output.status.code().expect("the program ends by itself");
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        let place = fs::canonicalize(self.path()).unwrap();
        let said = format!("{out}{}{err}exit {code}", if out.is_empty() { "" } else { "---\n" });
        let said =
            said.replace(&*place.to_string_lossy(), "HERE").replace(&*self.path().to_string_lossy(), "HERE");
        timeless(&said.replace(&self.server.url("/"), "https://index.example/"))
    }
}

/// `in 0.12 s (3 requests, 12 kB)` differs from run to run: `in T (…)`.
fn timeless(said: &str) -> String {
    let line = |line: &str| match line.rsplit_once(" in ") {
        Some((head, tail)) if tail.starts_with(|c: char| c.is_ascii_digit()) => {
            format!("{head} in T\n")
        }
        _ => format!("{line}\n"),
    };
    said.lines().map(line).collect()
}

const TARGET: &str = "--python-version 3.11 --platform linux";

#[test]
fn a_lock_tells_what_changes_and_what_is_held_back() {
    let project = Project::new("web\ntool<1\n");
    let lock = format!("lock {TARGET}");
    assert_snapshot!(project.run(&lock), @"");
    assert_snapshot!(project.run(&lock), @"");
    project.write("requirements.in", "web<2\ntool\n");
    assert_snapshot!(project.run(&format!("{lock} --dry-run")), @"");
    assert_snapshot!(project.run(&format!("{lock} --upgrade")), @"");
    assert_snapshot!(project.run("check"), @"");
    project.write("requirements.in", "web<2\ntool\nlog\n");
    assert_snapshot!(project.run("check"), @"");
}

#[test]
fn a_lock_is_a_document() {
    let project = Project::new("tool\n");
    let said = project.run(&format!("lock {TARGET} --format json"));
    assert_snapshot!(said, @"");
    assert_snapshot!(project.run(&format!("lock {TARGET} --format json -o -")), @"");
}

#[test]
fn a_fix_is_taken_by_its_number() {
    let project = Project::new("# ours\ntool==1.0\ncore>=2  # new\n");
    let lock = format!("lock {TARGET}");
    assert_snapshot!(project.run(&format!("{lock} --fix 1")), @"");
    assert_snapshot!(project.run(&lock), @"");
    assert_snapshot!(project.run(&format!("{lock} --fix 7")), @"");
    assert_snapshot!(project.run(&format!("{lock} --fix 1 --dry-run")), @"");
    assert_eq!(project.read("requirements.in"), "# ours\ntool==1.0\ncore>=2  # new\n");
    assert_snapshot!(project.run(&format!("{lock} --fix 1")), @"");
    assert_snapshot!(project.read("requirements.in"), @"");
    assert_snapshot!(project.run("check"), @"");
    assert_snapshot!(project.run(&format!("{lock} --fix 1")), @"");
}

#[test]
fn a_changed_input_takes_the_fixes_back() {
    let project = Project::new("tool==1.0\ncore>=2\n");
    let lock = format!("lock {TARGET}");
    project.run(&lock);
    project.write("requirements.in", "tool==1.0\ncore>=2\nweb\n");
    assert_snapshot!(project.run(&format!("{lock} --fix 1")), @"");
    assert_eq!(project.read("requirements.in"), "tool==1.0\ncore>=2\nweb\n");
    assert!(!project.path().join("requirements.txt").exists());
}

#[test]
fn a_lock_answers_why_and_draws_its_tree() {
    let project = Project::new("web\n");
    project.run(&format!("lock {TARGET}"));
    assert_snapshot!(project.run("why core"), @"");
    assert_snapshot!(project.run("why core --format json"), @"");
    assert_snapshot!(project.run("why tool"), @"");
    assert_snapshot!(project.run("tree"), @"");
    assert_snapshot!(project.run("tree --invert --package log"), @"");
    assert_snapshot!(project.run("tree --depth 1 --format dot"), @"");
    assert_snapshot!(project.run("tree nothing.txt"), @"");
}

#[test]
fn two_locks_differ_by_lines() {
    let project = Project::new("web\ntool<1\n");
    project.run(&format!("lock {TARGET} -o old.txt"));
    project.write("requirements.in", "web<2\n");
    project.run(&format!("lock {TARGET} -o new.txt"));
    assert_snapshot!(project.run("diff old.txt new.txt"), @"");
    assert_snapshot!(project.run("diff old.txt new.txt --format markdown"), @"");
    assert_snapshot!(project.run("diff new.txt new.txt"), @"");
}

#[test]
fn outdated_pins_are_listed_with_what_holds_them() {
    let project = Project::new("web<2\ntool\n");
    project.run(&format!("lock {TARGET}"));
    assert_snapshot!(project.run(&format!("outdated {TARGET}")), @"");
    assert_snapshot!(project.run(&format!("outdated {TARGET} --format json")), @"");
}

#[test]
fn an_environment_becomes_the_lock() {
    let project = Project::new("web\ntool<1\n");
    project.run("lock");
    assert_snapshot!(project.run("verify"), @"");
    assert_snapshot!(project.run("install --dry-run"), @"");
    assert_snapshot!(project.run("install"), @"");
    assert_snapshot!(project.run("install"), @"");
    assert_snapshot!(project.run("verify"), @"");
    project.write("requirements.in", "web<2\n");
    assert_snapshot!(project.run("install"), @"");
    assert_snapshot!(project.run("install --no-check"), @"");
    project.run("lock");
    assert_snapshot!(project.run("install --no-prune"), @"");
    assert_snapshot!(project.run("verify"), @"");
    assert_snapshot!(project.run("install --format json"), @"");
}

#[test]
fn a_folder_of_files_serves_a_host_without_network() {
    let project = Project::new("web\n");
    project.run("lock");
    assert_snapshot!(project.run("download -d wheels"), @"");
    assert_snapshot!(project.run("download -d wheels --format json"), @"");
    assert_snapshot!(project.run("cache clear"), @"");
    let asked = project.server.requests().len();
    assert_snapshot!(project.run("install --no-index --find-links wheels"), @"");
    assert_eq!(project.server.requests().len(), asked);
}

#[test]
fn a_pylock_is_written_checked_and_installed() {
    let project = Project::new("tool\n");
    assert_snapshot!(project.run("lock -o pylock.dev.toml"), @"");
    let text = project.read("pylock.dev.toml");
    assert!(text.starts_with("lock-version = \"1.0\"\nenvironments = [\n"), "{text}");
    assert_snapshot!(project.run("check -o pylock.dev.toml"), @"");
    assert_snapshot!(project.run("install pylock.dev.toml"), @"");
    assert_snapshot!(project.run("verify pylock.dev.toml"), @"");
}

#[test]
fn the_cache_is_tended() {
    let project = Project::new("tool\n");
    assert_snapshot!(project.run("cache dir"), @"");
    assert_snapshot!(project.run("cache size"), @"");
    project.run(&format!("lock {TARGET}"));
    assert_snapshot!(project.run("cache prune"), @"");
    assert!(project.run("cache clear").starts_with("removed "));
    assert_snapshot!(project.run("cache size --format json"), @"");
}

#[test]
fn the_help_names_every_command() {
    let project = Project::new("");
    assert_snapshot!(project.run("--help"), @"");
}

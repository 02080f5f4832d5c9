//! The output of every command, as snapshots. Each test has made-up packages on a server of this machine, a new folder
//! and a new cache.

#[path = "support/universe.rs"]
mod universe;

use std::fs;
use std::path::Path;
use std::process::Command;

use insta::assert_snapshot;
use pinfast_testkit::server::Server;
use tempfile::TempDir;

const UNIVERSE: &str = "
web 1.0
    core>=1
web 2.0
    core>=2
    log[colour]<3; python_version >= '3.6'
core 1.0 2.0 2.1
    uploaded: 2026-01-01
log 2.5
log 3.0
tool 0.9
tool 1.0
    core<2
aged 1.1
    uploaded: 2022-03-01T00:00:00Z
aged 1.2
    uploaded: 2023-12-01T00:00:00Z
aged 1.3
    uploaded: 2025-03-02T00:00:00Z
near 1.0
    aged<1.3
far 1.0
    aged<1.2
";

/// A project of its own in front of a server of its own.
struct Project {
    folder: TempDir,
    server: Server,
}

impl Project {
    fn new(requirements: &str) -> Self {
        let project = Self { folder: tempfile::tempdir().expect("a folder"), server: Server::empty() };
        project.server.put_all(universe::pages(UNIVERSE));
        project.write("requirements.in", requirements);
        project
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path().join(name), text).expect("the file can be written");
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path().join(name)).expect("the file can be read")
    }

    /// The output and exit code of `pinfast ARGUMENTS`, with placeholders for times, ports and folders.
    fn run(&self, arguments: &str) -> String {
        let output = Command::new(env!("CARGO_BIN_EXE_pinfast"))
            .current_dir(self.path())
            .args(arguments.split_whitespace())
            .env_clear()
            .envs(std::env::vars().filter(|(name, _)| name == "PATH"))
            .env("HOME", self.path().join("home"))
            .env("PINFAST_CACHE_DIR", self.path().join("cache"))
            .env("PINFAST_FIX_TIME", "60")
            .env("PIP_INDEX_URL", self.server.url("/simple/"))
            .output()
            .expect("the program runs");
        let code = output.status.code().expect("the program ends by itself");
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        let place = fs::canonicalize(self.path()).expect("the folder is there");
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
fn locking_reports_changes_and_what_is_held_back() {
    let project = Project::new("web\ntool<1\n");
    let lock = format!("lock {TARGET}");
    assert_snapshot!(project.run(&lock), @r"
    warning: log 2.5 has no extra `colour`: it adds nothing
    held back: tool 0.9, not 1.0, by `tool<1` at requirements.in:2
    wrote requirements.txt: 4 packages in T
    exit 0
    ");
    assert_snapshot!(project.run(&lock), @r"
    warning: log 2.5 has no extra `colour`: it adds nothing
    held back: tool 0.9, not 1.0, by `tool<1` at requirements.in:2
    requirements.txt is up to date: 4 packages in T
    exit 0
    ");
    project.write("requirements.in", "web<2\ntool\n");
    assert_snapshot!(project.run(&format!("{lock} --dry-run")), @r"
    - log 2.5
    v web 2.0 -> 1.0
    warning: web is downgraded from 2.0 to 1.0, a major version
    held back: web 1.0, not 2.0, by `web<2` at requirements.in:1
    requirements.txt would change: 3 packages (1 removed, 1 down) in T
    exit 0
    ");
    assert_snapshot!(project.run(&format!("{lock} --upgrade")), @r"
    v core 2.1 -> 1.0
    - log 2.5
    ^ tool 0.9 -> 1.0
    v web 2.0 -> 1.0
    warning: core is downgraded from 2.1 to 1.0, a major version
    warning: web is downgraded from 2.0 to 1.0, a major version
    held back: web 1.0, not 2.0, by `web<2` at requirements.in:1
    wrote requirements.txt: 3 packages (1 removed, 1 up, 2 down) in T
    exit 0
    ");
    assert_snapshot!(project.run("check"), @r"
    requirements.txt is fresh: 3 packages
    exit 0
    ");
    project.write("requirements.in", "web<2\ntool\nlog\n");
    assert_snapshot!(project.run("check"), @r"
    error: requirements.txt is stale
      requirements.in:3: `log` is new
    hint: lock again: `pinfast lock`
    exit 1
    ");
}

#[test]
fn a_misspelled_name_gets_a_suggestion_from_the_index() {
    let project = Project::new("toool\n");
    assert_snapshot!(project.run(&format!("lock {TARGET}")), @r"
    error: there is no package `toool` on the index

      requirements.in:1  toool

      Did you mean `tool`?

    No fix found: tried 0 changes of one line and 0 pairs in T
    exit 1
    ");
}

#[test]
fn a_constraint_that_holds_back_is_named() {
    let project = Project::new("web\ncore\n");
    project.write("bounds.txt", "web<2\n");
    assert_snapshot!(project.run(&format!("lock {TARGET} -c bounds.txt")), @r"
    held back: web 1.0, not 2.0, by the constraint `web<2` at bounds.txt:1
    wrote requirements.txt: 2 packages in T
    exit 0
    ");
    assert_snapshot!(project.run("why web"), @r"
    web 1.0
      requirements.in asks for `web`
      bounds.txt binds it: `web<2`
    ---
    exit 0
    ");
    assert_snapshot!(project.run(&format!("outdated {TARGET}")), @r"
    web  1.0 -> 2.0  bounds.txt: web<2
    ---
    1 of 2 packages have newer releases; `pinfast lock --upgrade` may take 0
    exit 0
    ");
}

#[test]
fn lock_with_format_json_prints_a_document() {
    let project = Project::new("tool\n");
    let said = project.run(&format!("lock {TARGET} --format json"));
    assert_snapshot!(said, @r#"
    {
      "changed": true,
      "changes": null,
      "downgrades": [],
      "file": "requirements.txt",
      "held_back": [],
      "kept": false,
      "pins": [
        {
          "hashes": [
            "sha256:ef628321de14059af4d5c7a676fceef1e8013e5cd7b216fbc7dd8c3a8d1fd5c2"
          ],
          "marker": null,
          "name": "core",
          "url": null,
          "version": "1.0",
          "via": [
            "tool (<2)"
          ]
        },
        {
          "hashes": [
            "sha256:1619d2e150075b76f022368ef36261a66dd0622d3f410a65391de27a95471335"
          ],
          "marker": null,
          "name": "tool",
          "url": null,
          "version": "1.0",
          "via": [
            "-r requirements.in"
          ]
        }
      ],
      "schema": 2,
      "warnings": []
    }
    ---
    wrote requirements.txt: 2 packages in T
    exit 0
    "#);
    assert_snapshot!(project.run(&format!("lock {TARGET} --format json -o -")), @r"
    error: standard output cannot hold both the lock and a JSON document
    hint: name a file for the lock: `-o requirements.txt`
    exit 2
    ");
}

#[test]
fn a_fix_is_applied_by_its_number() {
    let project = Project::new("# ours\ntool==1.0\ncore>=2  # new\n");
    let lock = format!("lock {TARGET}");
    assert_snapshot!(project.run(&format!("{lock} --fix 1")), @r"
    error: no saved fixes for these arguments
    hint: run `pinfast lock` with the same arguments first: it lists the fixes
    exit 2
    ");
    assert_snapshot!(project.run(&lock), @r"
    error: tool needs core<2, but requirements.in:3 asks for `core>=2`

      requirements.in:2  tool==1.0
                         └─ tool 1.0 needs core<2
      requirements.in:3  core>=2

    Fixes (each was tried, and resolves):
      1. requirements.in:2  tool==1.0 -> tool==0.9
         gives core 2.1 and tool 0.9; no other pin moves
      2. requirements.in:3  core>=2 -> core>=1,<2
         gives core 1.0 and tool 1.0; no other pin moves
    exit 1
    ");
    assert_snapshot!(project.run(&format!("{lock} --fix 7")), @r"
    error: there is no fix 7: the last run found 2
    exit 2
    ");
    assert_snapshot!(project.run(&format!("{lock} --fix 1 --dry-run")), @r"
    requirements.in:2  tool==1.0 -> tool==0.9
    held back: tool 0.9, not 1.0, by `tool==0.9` at requirements.in:2
    requirements.txt would change: 2 packages in T
    exit 0
    ");
    assert_eq!(project.read("requirements.in"), "# ours\ntool==1.0\ncore>=2  # new\n");
    assert_snapshot!(project.run(&format!("{lock} --fix 1")), @r"
    requirements.in:2  tool==1.0 -> tool==0.9
    held back: tool 0.9, not 1.0, by `tool==0.9` at requirements.in:2
    wrote requirements.txt: 2 packages in T
    exit 0
    ");
    assert_snapshot!(project.read("requirements.in"), @r"
    # ours
    tool==0.9
    core>=2  # new
    ");
    assert_snapshot!(project.run("check"), @r"
    requirements.txt is fresh: 2 packages
    exit 0
    ");
    assert_snapshot!(project.run(&format!("{lock} --fix 1")), @r"
    error: an input has changed since the fixes were found
    hint: run `pinfast lock` again: it finds the fixes for the changed input
    exit 2
    ");
}

#[test]
fn an_unchosen_downgrade_warns_without_an_old_lock() {
    let project = Project::new("tool==1.0\ncore\n");
    assert_snapshot!(project.run(&format!("lock {TARGET}")), @r"
    warning: held back by a major version: core 1.0, not 2.1, by tool 1.0, which needs core<2
    wrote requirements.txt: 2 packages in T
    exit 0
    ");
    project.write("requirements.in", "tool==1.0\ncore<2\n");
    assert_snapshot!(project.run(&format!("lock {TARGET}")), @r"
    held back: core 1.0, not 2.1, by `core<2` at requirements.in:2
    wrote requirements.txt: 2 packages in T
    exit 0
    ");
}

#[test]
fn a_downgrade_by_years_warns_within_one_major_version() {
    let project = Project::new("aged\n");
    let lock = format!("lock {TARGET}");
    project.run(&lock);
    project.write("requirements.in", "aged\nnear\n");
    assert_snapshot!(project.run(&format!("{lock} --dry-run")), @r"
    v aged 1.3 -> 1.2
    + near 1.0
    held back: aged 1.2, not 1.3, by near 1.0, which needs aged<1.3
    requirements.txt would change: 2 packages (1 added, 1 down) in T
    exit 0
    ");
    project.write("requirements.in", "aged\nfar\n");
    assert_snapshot!(project.run(&lock), @r"
    v aged 1.3 -> 1.1
    + far 1.0
    warning: aged is downgraded from 1.3 to 1.1, which is 3 years older
    warning: held back by 3 years: aged 1.1, not 1.3, by far 1.0, which needs aged<1.2
    wrote requirements.txt: 2 packages (1 added, 1 down) in T
    exit 0
    ");
    project.write("requirements.in", "aged<1.2\nfar\n");
    assert_snapshot!(project.run(&format!("{lock} --dry-run")), @r"
    held back: aged 1.1, not 1.3, by `aged<1.2` at requirements.in:1
    requirements.txt would change: 2 packages in T
    exit 0
    ");
}

#[test]
fn an_option_fix_is_applied_with_a_hint_how_to_keep_it() {
    let project = Project::new("core>=2\n");
    let lock = format!("lock {TARGET} --exclude-newer 2025-01-01");
    assert_snapshot!(project.run(&lock), @r"
    error: requirements.in:1 asks for `core>=2`, but every release of core that fits was uploaded on
      2026-01-01, which --exclude-newer bars

      requirements.in:1  core>=2

      The releases that fit are core 2.0 and 2.1.

    Fixes (each was tried, and resolves):
      1. --exclude-newer 2026-01-01
         gives core 2.1; no other pin moves
    exit 1
    ");
    assert_snapshot!(project.run(&format!("{lock} --fix 1")), @r#"
    locked with `--exclude-newer 2026-01-01`: pass it each time, or write `exclude-newer = "2026-01-01"` into pinfast.toml
    wrote requirements.txt: 1 package in T
    exit 0
    "#);
    assert!(project.read("requirements.txt").contains("exclude-newer 2026-01-01"));
    assert_eq!(project.read("requirements.in"), "core>=2\n");
}

#[test]
fn a_constraint_of_the_settings_is_named_and_fixed_relative_to_the_folder() {
    let project = Project::new("web>=2\n");
    project.write("pinfast.toml", "constraints = [\"bounds.txt\"]\n");
    project.write("bounds.txt", "web<2  # old\n");
    let lock = format!("lock {TARGET}");
    assert_snapshot!(project.run(&lock), @r"
    error: requirements.in:1 asks for `web>=2`, but web 2.0 is ruled out by the constraint `web<2` at
      bounds.txt:1

      bounds.txt:1       web<2  (constraint)
      requirements.in:1  web>=2

    Fixes (each was tried, and resolves):
      1. bounds.txt:1  web<2 -> web<3
         gives web 2.0; no other pin moves
      2. requirements.in:1  web>=2 -> web>=1
         gives web 1.0; no other pin moves
      3. bounds.txt:1  web<2 -> (removed)
         gives web 2.0; no other pin moves
    exit 1
    ");
    project.run(&format!("{lock} --fix 1"));
    assert_snapshot!(project.read("bounds.txt"), @"web<3  # old");
}

#[test]
fn a_fix_of_standard_input_is_refused() {
    let project = Project::new("");
    assert_snapshot!(project.run(&format!("lock {TARGET} - --fix 1")), @r"
    error: a fix cannot be applied to standard input: there is no file to edit
    hint: change the line that the fix names, and lock again
    exit 2
    ");
}

#[test]
fn a_changed_input_discards_saved_fixes() {
    let project = Project::new("tool==1.0\ncore>=2\n");
    let lock = format!("lock {TARGET}");
    project.run(&lock);
    project.write("requirements.in", "tool==1.0\ncore>=2\nweb\n");
    assert_snapshot!(project.run(&format!("{lock} --fix 1")), @r"
    error: an input has changed since the fixes were found
    hint: run `pinfast lock` again: it finds the fixes for the changed input
    exit 2
    ");
    assert_eq!(project.read("requirements.in"), "tool==1.0\ncore>=2\nweb\n");
    assert!(!project.path().join("requirements.txt").exists());
}

#[test]
fn why_and_tree_read_the_lock() {
    let project = Project::new("web\n");
    project.run(&format!("lock {TARGET}"));
    assert_snapshot!(project.run("why core"), @r"
    core 2.1
      requirements.in asks for `web`
        web 2.0 asks for `core>=2`
    ---
    exit 0
    ");
    assert_snapshot!(project.run("why core --format json"), @r#"
    {
      "chains": [
        {
          "input": {
            "file": "requirements.in",
            "line": "web"
          },
          "steps": [
            {
              "asks": "core>=2",
              "name": "web",
              "versions": [
                "2.0"
              ]
            }
          ]
        }
      ],
      "constraints": [],
      "name": "core",
      "schema": 1,
      "versions": [
        "2.1"
      ]
    }
    ---
    exit 0
    "#);
    assert_snapshot!(project.run("why tool"), @r"
    error: `tool` is not in the lock: nothing needs it
    exit 1
    ");
    assert_snapshot!(project.run("tree"), @r"
    requirements.in
    └── web 2.0
        ├── core 2.1 (>=2)
        └── log 2.5 ([colour]<3)
    ---
    exit 0
    ");
    assert_snapshot!(project.run("tree --invert --package log"), @r"
    log 2.5
    └── web 2.0 ([colour]<3)
        └── requirements.in
    ---
    exit 0
    ");
    assert_snapshot!(project.run("tree --depth 1 --format dot"), @r"
    error: the formats `json` and `dot` hold the whole graph
    hint: omit --package, --invert and --depth, or use `--format text` or `--format svg`
    exit 2
    ");
    assert_snapshot!(project.run("tree nothing.txt"), @r"
    error: there is no lock nothing.txt
    hint: create one: `pinfast lock`; or name another file
    exit 2
    ");
}

#[test]
fn diff_prints_one_line_for_each_change() {
    let project = Project::new("web\ntool<1\n");
    project.run(&format!("lock {TARGET} -o old.txt"));
    project.write("requirements.in", "web<2\n");
    project.run(&format!("lock {TARGET} -o new.txt"));
    assert_snapshot!(project.run("diff old.txt new.txt"), @r"
    - log 2.5
    - tool 0.9
    v web 2.0 -> 1.0
    2 removed, 1 down
    ---
    exit 0
    ");
    assert_snapshot!(project.run("diff old.txt new.txt --format markdown"), @r"
    **2 removed, 1 down**

    | package | old | new | change |
    |---|---|---|---|
    | log | `2.5` |  | removed |
    | tool | `0.9` |  | removed |
    | web | `2.0` | `1.0` | down |
    ---
    exit 0
    ");
    assert_snapshot!(project.run("diff new.txt new.txt"), @r"
    no package changed
    ---
    exit 0
    ");
}

#[test]
fn outdated_lists_pins_with_what_holds_them_back() {
    let project = Project::new("web<2\ntool\n");
    project.run(&format!("lock {TARGET}"));
    assert_snapshot!(project.run(&format!("outdated {TARGET}")), @r"
    core  1.0 -> 2.1  tool 1.0: core<2
    web   1.0 -> 2.0  requirements.in: web<2
    ---
    2 of 3 packages have newer releases; `pinfast lock --upgrade` may take 0
    exit 0
    ");
    assert_snapshot!(project.run(&format!("outdated {TARGET} --format json")), @r#"
    {
      "looked_up": 3,
      "outdated": [
        {
          "held_back_by": [
            "tool 1.0: core<2"
          ],
          "locked": "1.0",
          "name": "core",
          "newest": "2.1"
        },
        {
          "held_back_by": [
            "requirements.in: web<2"
          ],
          "locked": "1.0",
          "name": "web",
          "newest": "2.0"
        }
      ],
      "schema": 1
    }
    ---
    2 of 3 packages have newer releases; `pinfast lock --upgrade` may take 0
    exit 0
    "#);
}

#[test]
fn install_makes_the_environment_the_lock() {
    let project = Project::new("web\ntool<1\n");
    project.run("lock");
    assert_snapshot!(project.run("verify"), @r"
    error: there is no environment in .venv
    hint: create it: `pinfast install`; or name another one: `--venv DIR` or `--python PATH`
    exit 1
    ");
    assert_snapshot!(project.run("install --dry-run"), @r"
    .venv would be exactly the lock: 4 installed in T
    exit 0
    ");
    assert_snapshot!(project.run("install"), @r"
    .venv is now exactly the lock: 4 installed in T
    exit 0
    ");
    assert_snapshot!(project.run("install"), @r"
    .venv is exactly the lock: 4 packages in T
    exit 0
    ");
    assert_snapshot!(project.run("verify"), @r"
    the environment is the lock: 4 packages, 22 files hashed
    exit 0
    ");
    project.write("requirements.in", "web<2\n");
    assert_snapshot!(project.run("install"), @r"
    error: requirements.txt is stale
      requirements.in:1: `web<2` was `web`
      requirements.in: `tool<1` is gone
    hint: lock again: `pinfast lock`; or install it although it is stale: `--no-check`
    exit 1
    ");
    assert_snapshot!(project.run("install --no-check"), @r"
    .venv is exactly the lock: 4 packages in T
    exit 0
    ");
    project.run("lock");
    assert_snapshot!(project.run("install --no-prune"), @r"
    v web 2.0 -> 1.0
    not in the lock, and left: log 2.5, tool 0.9
    .venv is now the lock and more: 1 replaced, 1 kept in T
    exit 0
    ");
    assert_snapshot!(project.run("verify"), @r"
    error: the environment is not requirements.txt
      log 2.5 is not in the lock
      tool 0.9 is not in the lock
    hint: fix it: `pinfast install`
    exit 1
    ");
    assert_snapshot!(project.run("install --format json"), @r#"
    {
      "changes": [
        {
          "name": "log",
          "new": null,
          "old": [
            "2.5"
          ],
          "why": null
        },
        {
          "name": "tool",
          "new": null,
          "old": [
            "0.9"
          ],
          "why": null
        }
      ],
      "dry_run": false,
      "environment": "HERE/.venv",
      "fetched": 0,
      "kept": 2,
      "schema": 1,
      "spared": []
    }
    ---
    - log 2.5
    - tool 0.9
    .venv is now exactly the lock: 2 removed, 2 kept in T
    exit 0
    "#);
}

#[test]
fn a_downloaded_folder_serves_a_host_without_network() {
    let project = Project::new("web\n");
    project.run("lock");
    assert_snapshot!(project.run("download -d wheels --dry-run"), @r"
    wheels would hold the lock: 3 files, 3 to fetch
    exit 0
    ");
    assert!(!project.folder.path().join("wheels").exists());
    assert_snapshot!(project.run("download -d wheels"), @r"
    wheels holds the lock: 3 files in T
    exit 0
    ");
    assert_snapshot!(project.run("download -d wheels --format json"), @r#"
    {
      "dry_run": false,
      "fetched": 0,
      "files": [
        "core-2.1-py3-none-any.whl",
        "log-2.5-py3-none-any.whl",
        "web-2.0-py3-none-any.whl"
      ],
      "folder": "wheels",
      "schema": 1
    }
    ---
    wheels holds the lock: 3 files in T
    exit 0
    "#);
    assert_snapshot!(project.run("cache clear"), @r"
    removed 9 records, 5 kB
    ---
    exit 0
    ");
    let asked = project.server.requests().len();
    assert_snapshot!(project.run("install --no-index --find-links wheels"), @r"
    .venv is now exactly the lock: 3 installed in T
    exit 0
    ");
    assert_eq!(project.server.requests().len(), asked);
}

#[test]
fn a_pylock_is_written_checked_and_installed() {
    let project = Project::new("tool\n");
    assert_snapshot!(project.run("lock -o pylock.dev.toml"), @r"
    wrote pylock.dev.toml: 2 packages in T
    exit 0
    ");
    let text = project.read("pylock.dev.toml");
    assert!(text.starts_with("lock-version = \"1.0\"\nenvironments = [\n"), "{text}");
    assert_snapshot!(project.run("check -o pylock.dev.toml"), @r"
    pylock.dev.toml is fresh: 2 packages
    exit 0
    ");
    assert_snapshot!(project.run("install pylock.dev.toml"), @r"
    .venv is now exactly the lock: 2 installed in T
    exit 0
    ");
    assert_snapshot!(project.run("verify pylock.dev.toml"), @r"
    the environment is the lock: 2 packages, 11 files hashed
    exit 0
    ");
}

#[test]
fn cache_reports_prunes_and_clears() {
    let project = Project::new("tool\n");
    assert_snapshot!(project.run("cache dir"), @r"
    HERE/cache
    ---
    exit 0
    ");
    assert_snapshot!(project.run("cache size"), @r"
    0 records, 0 B
    ---
    exit 0
    ");
    project.run(&format!("lock {TARGET}"));
    assert_snapshot!(project.run("cache prune"), @r"
    removed 0 records, 0 B
    ---
    exit 0
    ");
    assert!(project.run("cache clear").starts_with("removed "));
    assert_snapshot!(project.run("cache size --format json"), @r#"
    {
      "left": {
        "bytes": 0,
        "records": 0
      },
      "removed": {
        "bytes": 0,
        "records": 0
      },
      "schema": 1
    }
    ---
    exit 0
    "#);
}

#[test]
fn the_help_names_every_command() {
    let project = Project::new("");
    assert_snapshot!(project.run("--help"), @r"
    Locks, checks and installs the dependencies of Python applications, fast.

    A lock lists every package that an application needs, directly or not, with one version and the
    hashes of its files. `pinfast lock` makes requirements.txt from requirements.in or pyproject.toml,
    and `pinfast install` makes .venv match it.

    Usage: pinfast [OPTIONS] <COMMAND>

    Commands:
      lock         Resolve the inputs and write a lock with hashes
      check        Check that the lock is up to date and was not edited; uses no network
      why          Show what depends on a package, through which chain, and with which version limits
      tree         Show what depends on what, as a tree
      diff         Show what changed between two locks, one line for each package
      outdated     List the packages that have newer releases, and what holds each one back
      install      Make the environment match the lock exactly, with every file checked against its hash
      verify       Check that the environment matches the lock exactly, including the hash of each file
      download     Download every file of the lock, hash-checked, into a folder
      deploy       Build the commit and its lock as a release, test it, and switch to it atomically
      rollback     Go back to the previous good release, or to a named one
      releases     List the releases, newest first, with their states
      cache        Show, prune or clear the cache
      completions  Print a completion script for a shell
      help         Print this message or the help of the given subcommand(s)

    Options:
      -h, --help
              Print help (see a summary with '-h')

      -V, --version
              Print version

    Output:
      -q, --quiet
              Print only errors and results

      -v, --verbose
              Print details, such as which source set the index

          --color <WHEN>
              When to use colours

              Possible values:
              - auto:   On a terminal that supports them
              - always: Always
              - never:  Never
              
              [default: auto]

    Exit codes:
      0  success, or the answer is yes
      1  the answer is no: no solution, stale lock, environment differs,
         smoke test or health check failed
      2  usage error: wrong arguments or settings, an input that cannot be read
      3  no answer: network, index, disk, permission or interpreter failed
      4  refused: a file does not match its hash, or an archive is broken
      5  the release is live, but a later step failed
    ---
    exit 0
    ");
}

#[test]
fn a_fresh_lock_is_kept_without_a_request() {
    let project = Project::new("web\ntool<1\n");
    let asked = || project.server.requests().len();
    let lock = format!("lock {TARGET}");
    let first = project.run(&lock);
    for (arguments, asks) in [("", false), ("--dry-run", false), ("--offline", false), ("--refresh", true)] {
        let before = asked();
        let said = project.run(&format!("{lock} {arguments}"));
        let told = first.replace("wrote requirements.txt", "requirements.txt is up to date");
        assert_eq!(said, told, "`{arguments}`");
        assert_eq!(asked() > before, asks, "`{arguments}`");
    }
    let index = project.server.url("/simple/");
    assert!(project.run(&format!("{lock} --index-url {index} -v")).contains("is up to date"));
    let elsewhere = project.server.url("/elsewhere/simple/");
    let said = project.run(&format!("{lock} --index-url {elsewhere}"));
    assert!(said.contains("exit 1"), "another index is asked, and has nothing:\n{said}");
    let said = project.run(&format!("{lock} --no-annotate"));
    assert!(said.contains("wrote requirements.txt"), "{said}");
    let said = project.run(&lock);
    assert!(said.contains("wrote requirements.txt"), "the annotations come back:\n{said}");
}

#[test]
fn a_fresh_lock_is_kept_on_another_machine() {
    let project = Project::new("web\ntool<1\n");
    let lock = format!("lock {TARGET}");
    project.run(&lock);
    let text = project.read("requirements.txt");
    let forget = || fs::remove_dir_all(project.path().join("cache")).expect("a cache");
    forget();
    let before = project.server.requests().len();
    assert_snapshot!(project.run(&lock), @r"
    requirements.txt is up to date: 4 packages in T
    exit 0
    ");
    assert_eq!(project.server.requests().len(), before);
    project.run(&format!("{lock} --index-url {}", project.server.url("/simple/")));
    assert!(
        project.server.requests().len() > before,
        "whether it came from the index of a flag is not known"
    );
    for change in ["web\n", "web\ntool<1\n"] {
        project.write("requirements.in", change);
        assert!(project.run(&lock).contains("wrote requirements.txt"), "{change:?}");
    }
    project.write("requirements.txt", &text.replace("==0.9", "==0.8"));
    assert!(project.run(&lock).contains("wrote requirements.txt"), "a lock that was edited is made anew");
    assert_eq!(project.read("requirements.txt"), text);
}

/// What changes nothing ends the moment it is told to, with the signal's own exit code.
#[cfg(unix)]
#[test]
fn an_interrupted_check_ends_at_once() {
    let project = Project::new("web\n");
    project.write("requirements.txt", "");
    let pipe = project.path().join("pipe.in");
    assert!(Command::new("mkfifo").arg(&pipe).status().expect("mkfifo runs").success());
    for (signal, code) in [("-INT", 130), ("-TERM", 143)] {
        let mut check = Command::new(env!("CARGO_BIN_EXE_pinfast"))
            .current_dir(project.path())
            .args(["check", "pipe.in"])
            .spawn()
            .expect("pinfast starts");
        // It opens when the other end does: the command waits for its input.
        let held = fs::OpenOptions::new().write(true).open(&pipe).expect("the pipe opens");
        assert!(Command::new("kill").args([signal, &check.id().to_string()]).status().unwrap().success());
        assert_eq!(check.wait().expect("pinfast ends").code(), Some(code), "{signal}");
        drop(held);
    }
}

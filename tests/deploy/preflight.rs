//! Checks before a deploy: pinfast reports all problems at once, and creates nothing at the root.

use std::fs;

use insta::assert_snapshot;

use crate::host::{Host, PLAIN, RunOutput};
use crate::mounted::Mounted;

/// The output of a run, with placeholders for what differs between runs.
fn shown(host: &Host, said: &RunOutput) -> String {
    let place = fs::canonicalize(host.folder()).unwrap();
    let text = format!("{}{}exit {}", said.out, said.err, said.code.unwrap());
    let text =
        text.replace(&*place.to_string_lossy(), "HERE").replace(&*host.folder().to_string_lossy(), "HERE");
    let text = text.replace(&host.server.url("/"), "https://index.example/");
    text.lines().map(|line| timeless(line) + "\n").collect()
}

/// `20260101T000000Z-0123456789` differs from run to run: `TIME-COMMIT`; so does a length of time.
fn timeless(line: &str) -> String {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let mut words = Vec::new();
    for word in line.split_inclusive(|c| !is_word(c)) {
        let (name, rest) = word.split_at(word.trim_end_matches(|c| !is_word(c)).len());
        let is_hex = |text: &str| text.len() >= 10 && text.chars().all(|c| c.is_ascii_hexdigit());
        let time = |text: &str| text == "TIME" || (text.len() == 16 && text.ends_with('Z'));
        words.push(match name.split('-').collect::<Vec<_>>()[..] {
            [moment, commit] if time(moment) && is_hex(commit) => format!("TIME-COMMIT{rest}"),
            [moment, commit, suffix] if time(moment) && is_hex(commit) => {
                format!("TIME-COMMIT-{suffix}{rest}")
            }
            [commit] if is_hex(commit) => format!("COMMIT{rest}"),
            _ => word.to_owned(),
        });
    }
    let line = words.concat();
    match line.rsplit_once(" is live in ") {
        Some((head, _)) => format!("{head} is live in T"),
        None => line,
    }
}

#[test]
fn preflight_reports_all_problems_at_once() {
    let host = Host::new();
    fs::remove_dir_all(host.root()).unwrap();
    fs::create_dir(host.root()).unwrap();
    fs::create_dir(host.current()).unwrap();
    host.write(
        "pinfast.toml",
        &PLAIN.replace("[\"import bot\"", "[\"import bot\", \"import bto\", \"import json\""),
    );
    host.write(".gitignore", "venv/\n");
    host.write("logs/.gitkeep", "");
    host.write(".env", "SECRET=1\n");
    host.git(&["add", "-A", "-f"]);
    host.write(".venv/pyvenv.cfg", "");
    host.commit("all wrong");
    host.write("bot.py", "changed\n");
    host.write("requirements.in", "tenacity>=8\n");
    host.git(&["add", "requirements.in"]);
    host.git(&["commit", "-qm", "stale"]);
    let said = host.pinfast("deploy");
    assert_snapshot!(shown(&host, &said), @r"
      preflight HEAD of HERE/project
    error: nothing was deployed: 8 problems
      - `.env` is tracked by git where the shared `.env` will be
        fix it: `git rm -r --cached .env`, ignore it, and commit
      - `logs/` is tracked by git where the shared `logs` will be
        fix it: `git rm -r --cached logs/`, ignore it, and commit
      - `.venv` is tracked by git, which will overwrite it
        fix it: `git rm -r --cached .venv`, and commit
      - the source has changes that are not committed
        bot.py
        commit them, or put them aside: `git stash`
      - requirements.txt is stale
        requirements.in:1: `tenacity>=8` was `tenacity>=9`
        lock again, and commit: `pinfast lock`
      - HERE/srv/current is not a link
        pinfast makes it a link to the live release: move it away
      - shared paths are missing in HERE/srv/shared
        .env
        data/app.db
        logs
        put them there; or move them in from the work tree: `--init-shared`
      - there is no module `bto` to import
        it is neither committed, nor in the lock, nor in the standard library
    exit 1
    ");
    assert_eq!(fs::read_dir(host.root()).unwrap().count(), 1, "nothing but `current` is there");
}

#[test]
fn a_refused_deploy_creates_nothing() {
    let host = Host::new();
    fs::remove_dir_all(host.root()).unwrap();
    host.pinfast("deploy").assert(1, &["shared paths are missing in", ".env", "--init-shared", "1 problem"]);
    host.pinfast("deploy --dry-run").assert(1, &["1 problem"]);
    host.pinfast("rollback").assert(1, &["no release is live"]);
    host.pinfast("releases").assert(0, &["there is no release yet"]);
    assert!(!host.root().exists());
}

#[test]
fn a_shared_file_is_moved_in_once() {
    let host = Host::new();
    fs::remove_dir_all(host.root()).unwrap();
    host.write(".env", "TOKEN=1\n");
    // What is in neither place is never made up.
    let said = host.pinfast("deploy --init-shared");
    said.assert(1, &["shared paths are missing in", "    data/app.db", "1 problem"]);
    assert!(host.shared().join("logs").is_dir() && !host.project().join(".env").exists());
    host.write("data/app.db", "rows\n");
    host.write("data/app.db-wal", "more");
    host.pinfast("deploy --init-shared").assert(1, &["app.db is in use: there is", "app.db-wal"]);
    assert_eq!(fs::read_to_string(host.project().join("data/app.db")).unwrap(), "rows\n");
    fs::remove_file(host.project().join("data/app.db-wal")).unwrap();
    host.pinfast("deploy --init-shared").assert(0, &["move      data/app.db is now in", "is live"]);
    assert_eq!(fs::read_to_string(host.shared().join("data/app.db")).unwrap(), "rows\n");
    host.assert_live_works();
    // A file of that name that comes up in the working tree later is none of its business.
    host.write(".env", "TOKEN=2\n");
    host.pinfast("deploy --init-shared").assert(0, &[]);
    assert_eq!(fs::read_to_string(host.shared().join(".env")).unwrap(), "TOKEN=1\n");
}

#[test]
fn deploy_prints_its_steps() {
    let host = Host::new();
    let said = host.pinfast("deploy --dry-run");
    assert_snapshot!(shown(&host, &said), @r"
    export    8 files of COMMIT to releases/TIME-COMMIT
    share     .env, data/app.db, logs
    install   .venv from requirements.txt
    verify    .venv against requirements.txt
    smoke     import bot
    smoke     run: python -m app --selfcheck
    switch    current -> releases/TIME-COMMIT
    restart   echo $PINFAST_RELEASE >>$PINFAST_ROOT/../restarts
    health    test -e version
    exit 0
    ");
    assert!(!host.root().join("releases").exists());
    assert_snapshot!(shown(&host, &host.pinfast("deploy")), @r"
      preflight HEAD of HERE/project
      export    8 files of COMMIT to releases/TIME-COMMIT
      share     .env, data/app.db, logs
      install   .venv from requirements.txt
      verify    .venv against requirements.txt
      smoke     import bot
      smoke     run: python -m app --selfcheck
      switch    current -> releases/TIME-COMMIT
      restart   echo $PINFAST_RELEASE >>$PINFAST_ROOT/../restarts
      health    test -e version
    TIME-COMMIT is live in T
    exit 0
    ");
    host.commit_version("2");
    host.deploy();
    assert_snapshot!(shown(&host, &host.pinfast("rollback")), @r"
      preflight back to TIME-COMMIT
      verify    .venv against requirements.txt
      smoke     import bot
      smoke     run: python -m app --selfcheck
      switch    current -> releases/TIME-COMMIT
      restart   echo $PINFAST_RELEASE >>$PINFAST_ROOT/../restarts
      health    test -e version
    TIME-COMMIT is live in T
    exit 0
    ");
    assert_snapshot!(shown(&host, &host.pinfast("releases")), @r"
    TIME-COMMIT  retired   tester  lock COMMIT
    TIME-COMMIT  live      tester  lock COMMIT
    exit 0
    ");
    host.impatient("echo not well; false");
    assert_snapshot!(shown(&host, &host.pinfast("deploy")), @r"
      preflight HEAD of HERE/project
      export    8 files of COMMIT to releases/TIME-COMMIT
      share     .env, data/app.db, logs
      install   .venv from requirements.txt
      verify    .venv against requirements.txt
      smoke     import bot
      smoke     run: python -m app --selfcheck
      switch    current -> releases/TIME-COMMIT
      restart   echo $PINFAST_RELEASE >>$PINFAST_ROOT/../restarts
      health    echo not well; false
      back      current -> releases/TIME-COMMIT
    error: the release is not healthy: `echo not well; false` ended with exit code 1, for 2 s
      | not well
      switched back and restarted
      TIME-COMMIT is live; TIME-COMMIT is kept as failed
    hint: the whole output is in HERE/srv/.pinfast/logs/TIME-COMMIT.log
    exit 1
    ");
    assert_snapshot!(shown(&host, &host.pinfast("releases")), @r"
    TIME-COMMIT  failed    tester  lock COMMIT  the release is not healthy: `echo not well; false` ended with exit code 1, for 2 s
    TIME-COMMIT  retired   tester  lock COMMIT
    TIME-COMMIT  live      tester  lock COMMIT
    exit 0
    ");
    host.write("version", "3\n");
    assert_snapshot!(shown(&host, &host.pinfast("deploy")), @r"
      preflight HEAD of HERE/project
    error: nothing was deployed: 1 problem
      - the source has changes that are not committed
        version
        commit them, or put them aside: `git stash`
    exit 1
    ");
}

#[test]
fn an_unknown_folder_in_releases_is_named_and_kept() {
    let host = Host::new();
    let stranger = host.root().join("releases/by-hand");
    fs::create_dir_all(&stranger).unwrap();
    host.pinfast("deploy").assert(0, &["releases/by-hand was not made by pinfast, and stays"]);
    assert!(stranger.is_dir());
}

/// `current` of another tool is switched from, and back to.
#[test]
fn a_failed_first_deploy_switches_back_to_what_was_live() {
    let host = Host::new();
    let old = host.folder().join("old");
    fs::create_dir(&old).unwrap();
    fs::write(old.join("version"), "0\n").unwrap();
    std::os::unix::fs::symlink(&old, host.current()).unwrap();
    host.impatient("false");
    host.pinfast("deploy").assert(1, &["back", "switched back and restarted"]);
    assert_eq!((host.version().as_deref(), host.live()), (Some("0"), None));
    host.write("pinfast.toml", PLAIN);
    host.commit("healthy");
    host.deploy();
    assert_eq!(host.version().as_deref(), Some("1"));
}

#[test]
fn a_read_only_root_is_exit_3() {
    let host = Host::new();
    host.deploy();
    let live = host.live();
    // Even for a user who may write everywhere.
    let Some(mounted) = Mounted::read_only(&host.root()) else { return };
    host.pinfast("deploy").assert(3, &["cannot write to", "Read-only file system"]);
    host.pinfast("rollback").assert(1, &["there is no good release to go back to"]);
    assert_eq!(host.live(), live, "the list needs no lock, and writes nothing");
    drop(mounted);
    host.deploy();
}

#[test]
fn only_committed_files_are_deployed() {
    let host = Host::new();
    host.write("untracked.py", "");
    host.write("sub/inner.txt", "tracked");
    host.git(&["add", "sub"]);
    host.git(&["commit", "-qm", "sub"]);
    host.deploy();
    let release = fs::canonicalize(host.current()).unwrap();
    assert!(!release.join("untracked.py").exists() && release.join("sub/inner.txt").exists());
    // Another revision than the one that is checked out; changes here are then none to what goes out.
    host.git(&["tag", "stable"]);
    host.commit_version("2");
    host.write("pinfast.toml", &PLAIN.replace("[deploy]", "[deploy]\nsource = \"git:stable\""));
    host.write("version", "3\n");
    host.deploy();
    assert_eq!(host.version().as_deref(), Some("1"));
    host.write("pinfast.toml", &PLAIN.replace("[deploy]", "[deploy]\nsource = \"git:no-such\""));
    host.pinfast("deploy").assert(1, &["has no commit `no-such`"]);
}

#[test]
fn a_subfolder_of_a_work_tree_is_deployed_alone() {
    let host = Host::bare();
    for name in ["bot.py", "app/__main__.py"] {
        host.write(&format!("apps/web/{name}"), "import tenacity\n");
    }
    host.write("apps/web/version", "1\n");
    host.write("apps/web/.gitignore", ".venv/\nvenv/\n");
    host.write("requirements.in", "tenacity\n");
    host.write("outside.txt", "");
    host.write("pinfast.toml", &PLAIN.replace("[deploy]", "[deploy]\nsource = \"apps/web\""));
    let said = host.pinfast("lock -o apps/web/requirements.txt");
    assert_eq!(said.code, Some(0), "{said:?}");
    host.commit("first");
    host.share();
    host.write("outside.txt", "changed, and out of what goes out\n");
    host.deploy();
    let release = fs::canonicalize(host.current()).unwrap();
    assert!(release.join("bot.py").exists() && !release.join("outside.txt").exists());
    assert!(!release.join("apps").exists());
}

#[test]
fn a_damaged_wheel_is_exit_4_before_any_release() {
    let host = Host::new();
    host.server.put("/files/helper/helper-1.0-py3-none-any.whl", "no wheel");
    fs::remove_dir_all(host.folder().join("cache")).unwrap();
    host.pinfast("deploy").assert(4, &["1 problem", "helper"]);
    assert!(!host.root().join("releases").exists());
}

#[test]
fn a_lock_for_another_platform_is_refused() {
    let host = Host::new();
    let said = host.pinfast("lock --python-version 3.12 --platform windows");
    assert_eq!(said.code, Some(0), "{said:?}");
    host.commit("for another host");
    host.pinfast("deploy").assert(1, &["the lock is not for", "win_amd64"]);
}

/// The environment of the work tree decides the Python, as in every command.
#[test]
fn a_release_uses_the_python_of_the_project() {
    let host = Host::new();
    host.pinfast("install").assert(0, &[]);
    host.deploy();
    let python = |folder: std::path::PathBuf| fs::canonicalize(folder.join(".venv/bin/python")).unwrap();
    assert_eq!(python(host.current()), python(host.project()));
    let path = python(host.project());
    host.write(
        "pinfast.toml",
        &PLAIN.replace("[deploy]", &format!("[deploy]\npython = \"{}\"", path.display())),
    );
    host.commit("python");
    host.deploy();
    assert_eq!(python(host.current()), path);
    host.write("pinfast.toml", &PLAIN.replace("[deploy]", "[deploy]\npython = \"2.0\""));
    host.commit("no such python");
    host.pinfast("deploy").assert(3, &["no interpreter for Python 2.0 was found"]);
}

/// A deploy reads the lock several times, and prints its warning once.
#[test]
fn a_preflight_warning_appears_once() {
    let host = Host::new();
    host.write("requirements.txt", &{
        let lock = fs::read_to_string(host.project().join("requirements.txt")).unwrap();
        let pins = lock.lines().filter(|line| !line.starts_with('#')).map(|line| format!("{line}\n"));
        format!("--no-binary helper\n{}", pins.collect::<String>())
    });
    host.commit("a lock of another tool");
    let said = host.deploy();
    assert_eq!(said.err.matches("`--no-binary` is ignored").count(), 1, "{}", said.err);
}

#[test]
fn deploy_without_its_settings_is_exit_2() {
    let host = Host::new();
    host.write("pinfast.toml", "offline = true\n");
    for command in ["deploy", "rollback", "releases"] {
        host.pinfast(command).assert(2, &["pinfast.toml has no `[deploy]`", "pinfast deploy --init"]);
    }
    host.write("pinfast.toml", "[deploy]\nroot = \"x\"\nkeeep = 3\n");
    host.pinfast("releases").assert(2, &["pinfast.toml:3:1: unknown key `keeep`", "did you mean `keep`?"]);
}

/// From nothing to a release, with the commands that a new user types.
#[test]
fn deploy_init_writes_settings_that_deploy() {
    let host = Host::new();
    fs::remove_file(host.project().join("pinfast.toml")).unwrap();
    fs::write(host.project().join(".gitignore"), "__pycache__/\n").unwrap();
    host.pinfast("deploy --init").assert(0, &["wrote pinfast.toml", "wrote .gitignore"]);
    let text = fs::read_to_string(host.project().join("pinfast.toml")).unwrap();
    assert!(text.contains("smoke = [\"import bot\", \"import gemini_service\"]"), "{text}");
    host.write("pinfast.toml", &text.replace("/srv/project", "../srv"));
    host.commit("settings");
    host.deploy();
    assert_eq!(host.version().as_deref(), Some("1"));
}

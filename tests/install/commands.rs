//! The commands as scripts use them: their JSON, and the interpreter by any of its names.

use std::os::unix::fs::symlink;

use serde_json::{Value, json};

use crate::kit::{self, MemoryFiles};
use crate::program::Project;
use pinfast_testkit::wheel::Wheel;

fn project() -> Project {
    let sources = ["1.0", "2.0"]
        .map(|version| MemoryFiles::of(&["a", "b"].map(|name| Wheel::new(name, version).module())));
    let project = Project::new(&sources);
    ["one.txt", "two.txt"].iter().zip(&sources).for_each(|(name, source)| project.lock(name, source));
    project
}

fn document(project: &Project, arguments: &[&str], code: i32) -> Value {
    let ended = project.run(&[arguments, &["--format", "json"]].concat());
    assert_eq!(ended.code, Some(code), "{arguments:?}: {}", ended.err);
    serde_json::from_str(&ended.out).unwrap()
}

/// Every field that `docs/json.md` names, and no other.
#[test]
fn json_documents_have_the_documented_fields() {
    let project = project();
    let root = project.path("").canonicalize().unwrap();
    let change = |name: &str, old: &[&str], new: &str, why: &str| json!({"name": name, "old": old, "new": new, "why": why});
    let installed = |dry: bool, changes: Value, kept: u64, fetched: u64| {
        json!({
            "schema": 1, "environment": root.join(".venv"), "dry_run": dry, "changes": changes, "kept": kept,
            "spared": [], "fetched": fetched,
        })
    };
    let fresh = json!([change("a", &[], "1.0", "missing"), change("b", &[], "1.0", "missing")]);
    assert_eq!(
        document(&project, &["install", "one.txt", "--dry-run"], 0),
        installed(true, fresh.clone(), 0, 2)
    );
    assert!(!project.path(".venv").exists());
    assert_eq!(document(&project, &["install", "one.txt"], 0), installed(false, fresh, 0, 0));
    assert_eq!(document(&project, &["install", "one.txt"], 0), installed(false, json!([]), 2, 0));

    let good = json!({"schema": 1, "good": true, "findings": [], "packages": 2, "files": 0, "mend": null});
    let mut found = document(&project, &["verify", "one.txt"], 0);
    assert!(found["files"].as_u64().unwrap() > 4, "{found}");
    found["files"] = json!(0);
    assert_eq!(found, good);
    let bad = document(&project, &["verify", "two.txt"], 1);
    assert_eq!(bad["good"], false);
    assert_eq!(bad["findings"].as_array().unwrap().len(), 2, "{bad}");
    assert_eq!(bad["mend"], "pinfast install two.txt", "{bad}");

    let replaced =
        json!(
            [change("a", &["1.0"], "2.0", "other-version"), change("b", &["1.0"], "2.0", "other-version"),]
        );
    assert_eq!(document(&project, &["install", "two.txt"], 0), installed(false, replaced, 0, 2));

    let files = ["a-1.0-py3-none-any.whl", "b-1.0-py3-none-any.whl"];
    let downloaded = |dry: bool, fetched: u64| json!({"schema": 1, "folder": "down", "dry_run": dry, "files": files, "fetched": fetched});
    let download = ["download", "one.txt", "-d", "down"];
    let dry = [&download[..], &["--dry-run"]].concat();
    assert_eq!(document(&project, &dry, 0), downloaded(true, 2));
    assert!(!project.path("down").exists());
    assert_eq!(document(&project, &download, 0), downloaded(false, 2));
    assert_eq!(document(&project, &download, 0), downloaded(false, 0));
}

#[test]
fn an_environment_accepts_any_name_of_its_interpreter() {
    let project = project();
    let (python, _) = kit::python();
    symlink(&python, project.path("my-python")).unwrap();
    let python = python.to_str().unwrap().to_owned();
    project.done(&["install", "one.txt", "--venv", "v", "--python", &python]);
    project.done(&["install", "two.txt", "--venv", "v", "--python", "./my-python"]);
    project.done(&["install", "one.txt", "--venv", "w", "--python", "./my-python"]);
    project.done(&["install", "two.txt", "--venv", "w", "--python", &python]);
}

#[test]
fn a_file_without_pins_is_refused_before_any_change() {
    let hash = format!("--hash=sha256:{}", "a".repeat(64));
    for (line, said) in [
        ("a==1.* HASH", "l.txt:1:1: `a==1.*` is not an exact pin"),
        ("a>=1 HASH", "l.txt:1:1: `a>=1` is not an exact pin"),
        ("a", "l.txt:1:1: `a` is not an exact pin"),
        ("a==1.0", "l.txt:1:1: `a` has no SHA-256 hash"),
        ("-e ./a HASH", "l.txt:1:1: an editable requirement cannot be locked"),
        ("-r other.txt", "l.txt:1:1: `-r` names another file, but a lock holds all its pins"),
        ("./a-1.0-py3-none-any.whl HASH", "l.txt:1:1: a URL or a file needs a name before it"),
        ("a==1.0 HASH\na==2.0 HASH", "l.txt:2:1: `a` is pinned on line 1 too"),
    ] {
        let project = project();
        project.write("l.txt", &format!("{}\n", line.replace("HASH", &hash)));
        for command in [&["install", "l.txt"][..], &["download", "l.txt", "-d", "down"], &["verify", "l.txt"]]
        {
            let ended = project.run(command);
            assert_eq!(ended.code, Some(2), "{line}: {}", ended.err);
            assert!(ended.err.contains(said), "{line}: {}", ended.err);
        }
        assert!(!project.path(".venv").exists() && !project.path("down").exists(), "{line}");
    }
}

#[test]
fn keep_seed_keeps_pip() {
    let all = MemoryFiles::of(&["a", "pip"].map(|name| Wheel::new(name, "1.0").module()));
    let project = Project::new([&all]);
    project.lock("all.txt", &all);
    project.lock("a.txt", &MemoryFiles::of(&[Wheel::new("a", "1.0").module()]));
    project.done(&["install", "all.txt"]);
    let kept = document(&project, &["install", "a.txt", "--keep-seed"], 0);
    assert_eq!((&kept["changes"], &kept["spared"]), (&json!([]), &json!(["pip 1.0"])));
    let gone = document(&project, &["install", "a.txt"], 0);
    let change = json!([{"name": "pip", "old": ["1.0"], "new": null, "why": null}]);
    assert_eq!((&gone["changes"], &gone["spared"]), (&change, &json!([])));
}

#[test]
fn offline_sends_no_request() {
    let project = project();
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    silent.set_nonblocking(true).unwrap();
    let index = format!("http://{}/simple", silent.local_addr().unwrap());
    let install = |more: &[&str]| {
        let mut command = project.command(env!("CARGO_BIN_EXE_pinfast"));
        let ended =
            command.args(["install", "one.txt", "--offline", "--index-url", &index]).args(more).output();
        crate::program::ProgramOutput::from(ended.unwrap())
    };
    let lacking = install(&[]);
    assert_eq!(lacking.code, Some(3), "{}", lacking.err);
    assert!(lacking.err.contains("is not in the cache, and --offline forbids to get it"), "{}", lacking.err);
    assert!(!project.path(".venv").exists());
    // What the cache has of both files suffices.
    project.done(&["install", "one.txt", "--dry-run"]);
    let had = install(&["--venv", "offline"]);
    assert_eq!(had.code, Some(0), "{}", had.err);
    project.done(&["verify", "one.txt", "--venv", "offline"]);
    assert_eq!(silent.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock, "somebody was asked");
}

//! The commands as scripts meet them: their documents, and the interpreter by any of its names.

use std::os::unix::fs::symlink;

use serde_json::{Value, json};

use crate::kit::{self, Shelf, Wheel};
use crate::program::Project;

fn project() -> Project {
    let shelves =
        ["1.0", "2.0"].map(|version| Shelf::of(&["a", "b"].map(|name| Wheel::new(name, version).module())));
    let project = Project::new(&shelves);
    ["one.txt", "two.txt"].iter().zip(&shelves).for_each(|(name, shelf)| project.lock(name, shelf));
    project
}

fn document(project: &Project, arguments: &[&str], code: i32) -> Value {
    let ended = project.run(&[arguments, &["--format", "json"]].concat());
    assert_eq!(ended.code, Some(code), "{arguments:?}: {}", ended.err);
    serde_json::from_str(&ended.out).unwrap()
}

/// Every field that `docs/json.md` names, and no other.
#[test]
fn documents_are_as_documented() {
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
fn one_interpreter_goes_by_many_names() {
    let project = project();
    let (python, _) = kit::python();
    symlink(&python, project.path("my-python")).unwrap();
    let python = python.to_str().unwrap().to_owned();
    project.done(&["install", "one.txt", "--venv", "v", "--python", &python]);
    project.done(&["install", "two.txt", "--venv", "v", "--python", "./my-python"]);
    project.done(&["install", "one.txt", "--venv", "w", "--python", "./my-python"]);
    project.done(&["install", "two.txt", "--venv", "w", "--python", &python]);
}

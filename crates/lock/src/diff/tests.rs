use insta::assert_snapshot;
use proptest::prelude::*;

use super::*;
use crate::samples::{any_lock, by, hash, pin};

fn lock(requirements: &[&str]) -> Lock {
    let mut lock = Lock { pins: requirements.iter().map(|text| pin(text, &[])).collect(), ..Lock::default() };
    lock.pins.iter_mut().for_each(|pin| pin.hashes = vec![hash(pin.name.as_str())]);
    lock.sort();
    lock
}

fn sample() -> Diff {
    let old = lock(&[
        "anyio==4.6",
        "certifi==2025.1.1",
        "gone==1.0",
        "idna==3.10",
        "numpy==1.26 ; python_version < '3.12'",
        "numpy==2.1 ; python_version >= '3.12'",
        "same==1.0",
        "tool==3.2",
        "urllib3==2.3",
    ]);
    let mut new = lock(&[
        "anyio==4.6 ; os_name == 'posix'",
        "certifi==2026.1.4",
        "fresh==0.1 ; sys_platform == 'win32'",
        "idna==3.10",
        "numpy==1.26 ; python_version < '3.12'",
        "numpy==2.2 ; python_version >= '3.12'",
        "same==1.0",
        "tool @ https://files.example/tool-3.2-py3-none-any.whl",
        "urllib3==1.26",
    ]);
    new.pins.iter_mut().filter(|pin| pin.name.as_str() == "idna").for_each(|pin| pin.hashes.push(hash("x")));
    new.pins
        .iter_mut()
        .filter(|pin| pin.name.as_str() == "same")
        .for_each(|pin| pin.via = vec![by("tool", "")]);
    diff(&old, &new)
}

#[test]
fn a_diff_is_a_line_a_package() {
    assert_snapshot!(sample().to_text(), @r"
    ~ anyio 4.6 -> 4.6 ; os_name == 'posix'
    ^ certifi 2025.1.1 -> 2026.1.4
    + fresh 0.1 ; sys_platform == 'win32'
    - gone 1.0
    ~ idna 3.10 (hashes: 1 new)
    ^ numpy 2.1 ; python_version >= '3.12' -> 2.2 ; python_version >= '3.12'
    ~ tool 3.2 -> 3.2 @ https://files.example/tool-3.2-py3-none-any.whl
    v urllib3 2.3 -> 1.26
    1 added, 1 removed, 2 up, 1 down, 3 changed
    ");
}

#[test]
fn a_diff_is_a_table() {
    assert_snapshot!(sample().to_markdown(), @r"
    **1 added, 1 removed, 2 up, 1 down, 3 changed**

    | package | old | new | change |
    |---|---|---|---|
    | anyio | `4.6` | `4.6 ; os_name == 'posix'` | marker |
    | certifi | `2025.1.1` | `2026.1.4` | up |
    | fresh |  | `0.1 ; sys_platform == 'win32'` | added |
    | gone | `1.0` |  | removed |
    | idna | `3.10` | `3.10` | hashes: 1 new |
    | numpy | `2.1 ; python_version >= '3.12'` | `2.2 ; python_version >= '3.12'` | up |
    | tool | `3.2` | `3.2 @ https://files.example/tool-3.2-py3-none-any.whl` | source |
    | urllib3 | `2.3` | `1.26` | down |
    ");
}

#[test]
fn a_diff_is_a_document() {
    let old = lock(&["a==1"]);
    let new = lock(&["a==2 ; os_name == 'nt'", "b @ https://files.example/b-3-py3-none-any.whl"]);
    let report = serde_json::to_string_pretty(&diff(&old, &new).report()).unwrap();
    assert_snapshot!(report, @r#"
    {
      "schema": 1,
      "summary": {
        "added": 1,
        "removed": 0,
        "up": 1,
        "down": 0,
        "changed": 0,
        "builds": 0
      },
      "changes": [
        {
          "name": "a",
          "change": "up",
          "old": {
            "version": "1"
          },
          "new": {
            "version": "2",
            "marker": "os_name == 'nt'"
          },
          "hashes_added": 0,
          "hashes_removed": 0
        },
        {
          "name": "b",
          "change": "added",
          "new": {
            "version": "3",
            "url": "https://files.example/b-3-py3-none-any.whl"
          },
          "hashes_added": 1,
          "hashes_removed": 0
        }
      ],
      "builds": []
    }
    "#);
}

/// A permitted build runs code, so a diff shows its changes even where no package changed.
#[test]
fn changed_builds_are_shown_beside_unchanged_packages() {
    let with = |builds: &[(&str, &str, &[&str])]| {
        let build = |(name, version, pins): &(&str, &str, &[&str])| PermittedBuild {
            name: PackageName::new(name).unwrap(),
            version: version.parse().unwrap(),
            pins: lock(pins).pins,
        };
        Lock { builds: builds.iter().map(build).collect(), ..lock(&["docopt==0.6.2"]) }
    };
    let old = with(&[("docopt", "0.6.2", &["setuptools==80.9.0", "wheel==0.45"]), ("gone", "1", &[])]);
    let new = with(&[("docopt", "0.6.2", &["setuptools==80.10.0"]), ("fresh", "1", &["flit-core==3.12"])]);
    let diff = diff(&old, &new);
    assert_snapshot!(diff.to_text(), @r"
    ~ build of docopt
        ^ setuptools 80.9.0 -> 80.10.0
        - wheel 0.45
    + build of fresh
        + flit-core 3.12
    - build of gone
    3 builds changed
    ");
    assert_snapshot!(diff.to_markdown(), @r"
    **3 builds changed**

    | package | old | new | change |
    |---|---|---|---|
    | setuptools (build of docopt) | `80.9.0` | `80.10.0` | up |
    | wheel (build of docopt) | `0.45` |  | removed |
    | build of fresh | | | added |
    | flit-core (build of fresh) |  | `3.12` | added |
    | build of gone | | | removed |
    ");
    let report = serde_json::to_value(diff.report()).unwrap();
    let builds = report["builds"].as_array().unwrap();
    let of = |at: usize, field: &str| builds[at][field].as_str().unwrap().to_owned();
    let kinds: Vec<_> = (0..builds.len()).map(|at| (of(at, "name"), of(at, "change"))).collect();
    let expected = [("docopt", "changed"), ("fresh", "added"), ("gone", "removed")];
    assert_eq!(kinds, expected.map(|(name, change)| (name.to_owned(), change.to_owned())));
    assert_eq!(builds[0]["changes"][0]["new"]["version"], "80.10.0");
    assert_eq!(report["summary"]["builds"], 3);
}

#[test]
fn pins_of_one_name_are_paired() {
    let low = "python_version < '3.12'";
    let high = "python_version >= '3.12'";
    for (old, new, expected) in [
        (vec!["n==1".to_owned()], vec![format!("n==1 ; {low}"), format!("n==2 ; {high}")], "~ + "),
        (vec![format!("n==1 ; {low}"), format!("n==2 ; {high}")], vec!["n==2".to_owned()], "- ~ "),
        (vec![format!("n==1 ; {low}"), format!("n==2 ; {high}")], vec!["n==3".to_owned()], "^ - "),
        (
            vec![format!("n==2 ; {low}"), format!("n==1 ; {high}")],
            vec![format!("n==1 ; {low}"), format!("n==1 ; {high}")],
            "v ",
        ),
    ] {
        let borrowed = |all: &[String]| lock(&all.iter().map(String::as_str).collect::<Vec<_>>());
        let text = diff(&borrowed(&old), &borrowed(&new)).to_text();
        let signs: String =
            text.lines().filter(|line| line.contains(" n ")).map(|line| format!("{} ", &line[..1])).collect();
        assert_eq!(signs, expected, "{text}");
    }
}

#[test]
fn equal_locks_give_one_line() {
    assert_eq!(diff(&lock(&["a==1"]), &lock(&["a==1"])).to_text(), "no package changed\n");
}

proptest! {
    #[test]
    fn a_diff_back_is_the_diff_forth_reversed(old in any_lock(), new in any_lock()) {
        prop_assert!(diff(&old, &old).changes.is_empty());
        let forth = diff(&old, &new).summary();
        let back = diff(&new, &old).summary();
        prop_assert_eq!((forth.added, forth.removed, forth.up, forth.down, forth.changed),
            (back.removed, back.added, back.down, back.up, back.changed));
        prop_assert_eq!(old.pins.len() + forth.added - forth.removed, new.pins.len());
    }
}

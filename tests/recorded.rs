//! The program on the recorded index, served over HTTP.

mod everywhere;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Output};

use pinfast_testkit::server::{Fault, Server};

/// Runs `pinfast lock` on an input of the example, for Python 3.11 on Linux, with a cache of its own.
fn lock(server: &Server, input: &str) -> Output {
    lock_for(server, input, &["--platform", "linux"])
}

fn lock_for(server: &Server, input: &str, targets: &[&str]) -> Output {
    let cache = tempfile::tempdir().expect("a folder for the cache");
    Command::new(env!("CARGO_BIN_EXE_pinfast"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["lock", &format!("examples/marketing-bot/{input}"), "--index-url", &server.url("/simple/")])
        .args(targets)
        .args(["--python-version", "3.11", "-o", "-", "--cache-dir"])
        .arg(cache.path())
        .output()
        .expect("the program runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// `NAME==VERSION` of every pin of a lock.
fn pins(lock: &str) -> BTreeSet<&str> {
    let lines = lock.lines().filter(|line| line.contains("==") && !line.starts_with([' ', '#']));
    lines.filter_map(|line| line.split([' ', ';']).next()).collect()
}

#[test]
fn the_example_gets_the_pins_that_uv_chose() {
    let expected = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/marketing-bot.pins");
    let expected = std::fs::read_to_string(expected).expect("the pins that uv chose");
    let output = lock(&Server::of_recorded(), "requirements.in");
    assert!(output.status.success(), "{}", text(&output.stderr));
    let lock = text(&output.stdout);
    assert_eq!(pins(&lock), expected.lines().collect());
    assert!(lock.matches("--hash=sha256:").count() >= pins(&lock).len());
}

#[test]
fn a_fault_in_transit_does_not_change_the_lock() {
    let server = Server::of_recorded();
    let calm = lock(&server, "requirements.in");
    let faults = [
        ("/pypi/six/json", Fault::Status(503)),
        ("/pypi/pandas/json", Fault::Cut(100)),
        ("/pypi/openai/json", Fault::Drop),
        ("/pypi/redis/json", Fault::GarbageGzip),
    ];
    for (path, fault) in faults.clone() {
        server.once(path, fault);
    }
    let rough = lock(&server, "requirements.in");
    assert!(rough.status.success(), "{}", text(&rough.stderr));
    assert_eq!(text(&rough.stdout), text(&calm.stdout));
    for (path, fault) in faults {
        assert!(server.count(path) > 1, "{path} was not asked for, so {fault:?} did not happen");
    }
    assert!(server.most_in_flight() <= 50, "{}", server.most_in_flight());
}

#[test]
fn a_conflict_names_both_lines() {
    let output = lock(&Server::of_recorded(), "conflict.in");
    let said = text(&output.stderr);
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(1), String::new()), "{said}");
    for word in ["conflict.in:9", "google-auth==2.38.0", "conflict.in:10", "google-genai>=1.60", "2.47.0"] {
        assert!(said.contains(word), "`{word}` is not in:\n{said}");
    }
}

//! Runs that meet, runs that are asked to end, and a clock that goes back.

use std::fs;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use crate::host::{Host, PLAIN};

/// Settings under which the first smoke test waits until the file `go` is there.
fn waiting() -> String {
    PLAIN.replace("\"import bot\"", "\"run: while ! test -e $PINFAST_ROOT/../go; do sleep 0.02; done\"")
}

#[test]
fn a_second_run_names_the_first() {
    let host = Host::new();
    host.write("pinfast.toml", &waiting());
    host.commit_version("1");
    let (mut first, _) = host.run_to("deploy", "smoke");
    for command in ["deploy", "deploy --quiet"] {
        host.pinfast(command)
            .assert(3, &["another run is at work", "tester, process ", ", since 20", "--wait"]);
    }
    host.pinfast("rollback").assert(1, &["no release is live"]);
    assert_eq!(host.states(), ["building"], "the list does not wait");
    let (mut second, lines) = host.run_to("deploy --wait", "wait");
    assert!(lines.last().unwrap().contains(&format!("for tester, process {}", first.id())), "{lines:?}");
    fs::write(host.folder().join("go"), "").unwrap();
    assert!(first.wait().unwrap().success());
    assert!(second.wait().unwrap().success());
    assert_eq!(host.states(), ["live", "retired"]);
}

/// What was good when a run began to wait may not be when its turn comes.
#[test]
fn a_run_that_waited_checks_again() {
    let host = Host::new();
    host.write("pinfast.toml", &waiting());
    host.commit_version("1");
    let (mut first, _) = host.run_to("deploy", "smoke");
    let (second, _) = host.run_to("deploy --wait", "wait");
    host.write("version", "changed, and not committed\n");
    fs::write(host.folder().join("go"), "").unwrap();
    assert!(first.wait().unwrap().success());
    assert_eq!(ended(second), 1);
    assert_eq!(host.states(), ["live"]);
}

/// The lock is the kernel's: it ends with the run, though a child of it goes on.
#[test]
fn no_lock_outlives_its_run() {
    let host = Host::new();
    host.write("pinfast.toml", &waiting());
    host.commit_version("1");
    let (mut first, _) = host.run_to("deploy", "smoke");
    first.kill().unwrap();
    first.wait().unwrap();
    host.write("pinfast.toml", PLAIN);
    host.commit_version("2");
    host.pinfast("deploy").assert(0, &["a run died while it built"]);
    assert_eq!(host.states(), ["live"]);
    fs::write(host.folder().join("go"), "").unwrap();
}

#[test]
fn a_clock_set_back_keeps_the_order_of_releases() {
    let host = Host::new();
    host.deploy();
    let journal = host.root().join(".pinfast/journal");
    // As if the first one had been deployed in the year 2099.
    let old = host.live().unwrap();
    let new = format!("20990101T000000Z-{}", old.split_once('-').unwrap().1);
    let text = fs::read_to_string(&journal)
        .unwrap()
        .replace(&old, &new)
        .replace("\"at\":\"20", "\"at\":\"2099-01-01T00:00:00Z\",\"was\":\"20");
    fs::write(&journal, text).unwrap();
    fs::rename(host.root().join("releases").join(&old), host.root().join("releases").join(&new)).unwrap();
    fs::remove_file(host.current()).unwrap();
    std::os::unix::fs::symlink(format!("releases/{new}"), host.current()).unwrap();
    for version in ["2", "3"] {
        host.commit_version(version);
        host.deploy();
    }
    let ids: Vec<_> =
        host.releases().iter().map(|release| release["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(ids.len(), 2, "keep = 2: the first one went, whatever its name says");
    assert!(ids.iter().all(|id| *id < new), "{ids:?}");
    host.pinfast("rollback").assert(0, &[]);
    assert_eq!(host.version().as_deref(), Some("2"));
}

pub(crate) fn signal(child: &Child, name: &str) {
    assert!(Command::new("kill").args([name, &child.id().to_string()]).status().unwrap().success());
}

/// The exit code, once the run has ended.
pub(crate) fn ended(mut child: Child) -> i32 {
    child.wait().unwrap().code().unwrap()
}

fn is_running(process: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{}/stat", process.trim())).unwrap_or_default();
    stat.rsplit(") ").next().is_some_and(|rest| !rest.is_empty() && !rest.starts_with('Z'))
}

#[test]
fn a_signal_before_the_switch_ends_the_command_and_leaves_the_old_release() {
    for (name, code) in [("-INT", 130), ("-TERM", 143)] {
        let host = Host::new();
        host.deploy();
        let live = host.live();
        let slow = "\"run: echo $$ >$PINFAST_ROOT/../smoke; sleep 600 & wait\"";
        host.write("pinfast.toml", &PLAIN.replace("\"import bot\"", slow));
        host.commit_version("2");
        let (child, _) = host.run_to("deploy", "smoke");
        let process = host.folder().join("smoke");
        while fs::read_to_string(&process).unwrap_or_default().is_empty() {
            std::thread::sleep(Duration::from_millis(5));
        }
        signal(&child, name);
        assert_eq!(ended(child), code);
        assert!(!is_running(&fs::read_to_string(&process).unwrap()), "the command ended with the run");
        assert_eq!((host.live(), host.states()), (live, vec!["failed".to_owned(), "live".to_owned()]));
    }
}

#[test]
fn a_signal_after_the_switch_switches_back() {
    for (name, code) in [("-INT", 130), ("-TERM", 143)] {
        let host = Host::new();
        host.deploy();
        let live = host.live();
        host.write(
            "pinfast.toml",
            &PLAIN.replace("test -e version\", within = \"60s", "false\", within = \"10m"),
        );
        host.commit_version("2");
        let (child, _) = host.run_to("deploy", "health");
        signal(&child, name);
        let begun = Instant::now();
        assert_eq!(ended(child), code);
        assert!(begun.elapsed() < Duration::from_secs(60), "it did not wait for the limit");
        assert_eq!((host.live(), host.version().as_deref()), (live.clone(), Some("1")));
        assert_eq!(host.restarts().last().cloned(), live, "what is live again was restarted");
    }
}

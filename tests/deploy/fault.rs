//! Runs that are killed, at every step that is journalled and at any moment, and a disk that is full: what is
//! live works, what is shared is untouched, and the next deploy goes well.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::host::{Host, PLAIN, RunOutput};
use crate::mounted::Mounted;
use crate::together::{ended, signal};

fn kill(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

/// What must hold at any moment, given what was shared before.
fn assert_sound(host: &Host, data: &BTreeMap<PathBuf, Vec<u8>>, when: &str) {
    let version = host.version();
    assert!(version.is_some(), "{when}: `current` leads to a release");
    host.assert_live_works();
    assert!(host.data() == *data, "{when}: what is shared is as it was");
    assert_eq!(host.states().iter().filter(|state| *state == "live").count(), 1, "{when}");
}

/// The steps of a deploy that the journal of `host` names, in order.
fn steps(said: &RunOutput) -> Vec<String> {
    let step = |line: &str| line.strip_prefix("  ").map(|step| step.split(' ').next().unwrap().to_owned());
    let mut steps: Vec<_> = said.err.lines().filter_map(step).collect();
    steps.dedup();
    steps
}

#[test]
fn a_run_killed_at_any_step_leaves_a_live_release() {
    let host = Host::new();
    for version in ["0", "1", "2"] {
        host.commit_version(version);
        host.deploy();
    }
    let data = host.data();
    host.commit_version("3");
    let steps = steps(&host.deploy());
    assert!(steps.len() >= 10 && steps.contains(&"prune".to_owned()), "{steps:?}");
    for (at, step) in steps.iter().enumerate() {
        host.commit_version(&format!("killed {at}"));
        let before = host.version();
        let (child, lines) = host.run_to("deploy", step);
        kill(child);
        let when = format!("killed at {step}, after {lines:?}");
        assert_sound(&host, &data, &when);
        if !["switch", "restart", "health", "prune"].contains(&step.as_str()) {
            assert_eq!(host.version(), before, "{when}");
        }
        host.deploy();
        assert_eq!(host.version(), Some(format!("killed {at}")));
        assert_sound(&host, &data, &when);
        let left =
            host.states().into_iter().filter(|state| ["building", "ready"].contains(&state.as_str())).count();
        assert_eq!(left, 0, "{when}");
    }
}

/// Killed when it was live, but nobody knew yet whether it was well.
#[test]
fn a_release_of_unknown_health_is_live_but_no_rollback_target() {
    let host = Host::new();
    let hold = host.folder().join("hold");
    let waiting = "while test -e $PINFAST_ROOT/../hold; do sleep 0.02; done";
    host.write(
        "pinfast.toml",
        &PLAIN.replace("test -e version\", within = \"60s", &format!("{waiting}\", within = \"10m")),
    );
    host.commit_version("1");
    host.deploy();
    let first = host.live().unwrap();
    fs::write(&hold, "").unwrap();
    host.commit_version("2");
    let (child, _) = host.run_to("deploy", "health");
    kill(child);
    fs::remove_file(&hold).unwrap();
    let unproven = host.live().unwrap();
    assert_eq!(
        (host.version().as_deref(), host.states()),
        (Some("2"), vec!["live".to_owned(), "retired".to_owned()])
    );
    assert_eq!(host.pinfast("rollback --dry-run").out.trim(), first);
    host.commit_version("3");
    host.pinfast("deploy").assert(0, &[&format!("{unproven} is live, but the run that switched to it died")]);
    assert_eq!(host.pinfast("rollback --dry-run").out.trim(), first);
    host.pinfast(&format!("rollback {unproven}")).assert(1, &["never passed its health check"]);
}

#[test]
fn a_rollback_killed_at_any_step_leaves_a_live_release() {
    let host = Host::new();
    for version in ["1", "2"] {
        host.commit_version(version);
        host.deploy();
    }
    let data = host.data();
    for step in ["preflight", "verify", "smoke", "switch", "restart", "health"] {
        let (child, _) = host.run_to("rollback", step);
        kill(child);
        assert_sound(&host, &data, step);
        // Whichever of the two is live: the next deploy goes well, and leads back to what was good.
        host.commit_version(step);
        host.deploy();
        host.pinfast("rollback --dry-run").assert(0, &[]);
        assert_sound(&host, &data, step);
    }
}

/// How many moments are tried by default; `PINFAST_TEST_KILLS` names another number, such as 100.
const KILLS: u32 = 10;

#[test]
fn a_run_killed_at_any_moment_leaves_a_live_release() {
    let kills =
        std::env::var("PINFAST_TEST_KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(KILLS);
    let host = Host::new();
    host.deploy();
    let data = host.data();
    let mut length = Duration::ZERO;
    for version in ["one", "two"] {
        host.commit_version(version);
        let begun = Instant::now();
        host.deploy();
        length = begun.elapsed();
    }
    let (mut cut_off, mut random) = (0, 0x2545_f491_4f6c_dd1d_u64);
    for at in 0..kills {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let moment = length.mul_f64((random >> 33) as f64 / f64::from(u32::MAX >> 1));
        host.commit_version(&format!("killed {at}"));
        let mut child = host.command("deploy").stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(moment);
        cut_off += u32::from(child.try_wait().unwrap().is_none());
        kill(child);
        let when = format!("killed after {moment:?} of {length:?}");
        assert_sound(&host, &data, &when);
        host.deploy();
        assert_eq!(host.version(), Some(format!("killed {at}")), "{when}");
        assert_sound(&host, &data, &when);
    }
    assert!(cut_off > 0, "no run was cut off");
    let _ = writeln!(std::io::stderr(), "{cut_off} of {kills} runs were cut off in the middle");
}

/// The calls by which a deploy changes the disk, or makes that last.
const CALLS: &str = "mkdir,symlink,rename,unlink,unlinkat,ftruncate,fsync,fdatasync,syncfs";

/// Killed before each single call by which its main thread changes the disk: between any two of them.
#[test]
#[ignore = "takes minutes, and strace"]
fn a_run_killed_between_any_two_calls_leaves_a_live_release() {
    let host = Host::new();
    for version in ["one", "two", "three"] {
        host.commit_version(version);
        host.deploy();
    }
    let data = host.data();
    let mut calls = 0;
    loop {
        calls += 1;
        host.commit_version(&format!("killed {calls}"));
        let deploy = host.command("deploy");
        let mut strace = Command::new("strace");
        strace.args(["-o", "/dev/null", "-e", &format!("trace={CALLS}")]);
        strace.args(["-e", &format!("inject={CALLS}:signal=KILL:when={calls}")]);
        strace.arg(deploy.get_program()).args(deploy.get_args()).current_dir(host.project()).env_clear();
        strace.envs(deploy.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let output = strace.stdin(Stdio::null()).output().unwrap();
        let when = format!("killed at call {calls}: {}", String::from_utf8_lossy(&output.stderr));
        assert_sound(&host, &data, &when);
        if output.status.success() {
            break;
        }
        host.deploy();
        assert_eq!(host.version(), Some(format!("killed {calls}")), "{when}");
        assert_sound(&host, &data, &when);
    }
    assert!(calls > 30, "{calls}");
    let _ = writeln!(std::io::stderr(), "killed at each of {} calls", calls - 1);
}

/// On a disk of its own, of ever other sizes, so that it is full at ever other steps.
#[test]
fn a_full_disk_keeps_the_live_release() {
    let host = Host::new();
    let root = host.root();
    let Some(_disk) = Mounted::new(&["-t", "tmpfs", "-o", "size=24m", "none"], &root) else { return };
    host.share();
    host.deploy();
    let data = host.data();
    let live = host.live();
    host.commit_version("2");
    let filler = root.join("filler");
    let fill = |left: u64| {
        let free = || {
            let free = rustix_free(&root);
            free / 4096 * 4096
        };
        let _ = fs::remove_file(&filler);
        let size = free().saturating_sub(left);
        // Whatever goes on it is enough.
        let _ = fs::write(&filler, vec![7; size as usize]);
    };
    // Told before anything is begun.
    fill(1 << 20);
    host.pinfast("deploy").assert(3, &["MB free, and the release takes", "free some space"]);
    assert_eq!(host.live(), live);
    // Full in the middle: the smoke test of a release eats what is left, and so does what comes after it.
    fs::remove_file(&filler).unwrap();
    for (step, greedy) in [("smoke", "smoke"), ("restart", "restart")] {
        let text = fs::read_to_string(host.project().join("pinfast.toml")).unwrap();
        let eat = "cat /dev/zero >$PINFAST_ROOT/filler 2>/dev/null; true";
        let changed = match greedy {
            "smoke" => text.replace("\"import bot\"", &format!("\"run: {eat}\", \"import bot\"")),
            _ => text.replace("restart = \"", &format!("restart = \"{eat}; ")),
        };
        host.write("pinfast.toml", &changed);
        host.commit_version(step);
        let said = host.pinfast("deploy");
        let is_live = host.version().as_deref() == Some(step);
        assert_eq!(is_live, [Some(0), Some(5)].contains(&said.code), "{said:?}");
        assert_ne!(said.code, Some(0), "not all is well: {said:?}");
        assert_sound(&host, &data, step);
        fs::remove_file(&filler).unwrap();
        host.write("pinfast.toml", &text);
        host.commit_version(&format!("after {step}"));
        host.deploy();
        assert_sound(&host, &data, step);
    }
    // Full from a step on: the run is stopped there while the disk fills up.
    for step in ["export", "share", "install", "verify", "smoke", "switch", "restart", "health"] {
        host.commit_version(&format!("full at {step}"));
        let (child, _) = host.run_to("deploy", step);
        signal(&child, "-STOP");
        fill(0);
        signal(&child, "-CONT");
        let code = ended(child);
        let is_live = host.version() == Some(format!("full at {step}"));
        assert_eq!(is_live, [0, 5].contains(&code), "{step}: {code}");
        assert_sound(&host, &data, step);
        fs::remove_file(&filler).unwrap();
        host.deploy();
        assert_sound(&host, &data, step);
    }
}

#[test]
fn a_disk_without_inodes_fails_before_any_change() {
    let host = Host::new();
    let root = host.root();
    let Some(_disk) = Mounted::new(&["-t", "tmpfs", "-o", "nr_inodes=100", "none"], &root) else { return };
    host.share();
    host.pinfast("deploy").assert(3, &["inodes free, and the release takes"]);
    assert!(!root.join("releases").exists());
}

/// The bytes that are free under `path`.
fn rustix_free(path: &std::path::Path) -> u64 {
    let free = rustix::fs::statvfs(path).unwrap();
    free.f_bavail * free.f_frsize
}

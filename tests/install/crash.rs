//! Runs that are cut off, and runs that meet: the next one finishes, and nobody sees half a package as
//! a whole one.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::process::{Child, Command};
use std::time::Duration;

use pinfast::error::ErrorKind;
use pinfast::install::{Prune, Strictness, VerifyFinding, VerifyJob, verify};
use pinfast::lock::Lock;

use crate::kit::{Fixture, MemoryFiles};
use pinfast_testkit::wheel::Wheel;

fn findings(fixture: &Fixture, lock: &Lock) -> Vec<VerifyFinding> {
    let environment = fixture.environment();
    verify(&VerifyJob { lock, environment: &environment, prune: Prune::All, strictness: Strictness::Strict })
        .unwrap()
        .findings
}

const PACKAGES: usize = 12;

fn many(version: &str) -> MemoryFiles {
    let wheel = |at: usize| {
        let mut wheel = Wheel::new(&format!("pkg{at}"), version).module();
        for file in 0..20 {
            wheel = wheel.file(&format!("pkg{at}/m{file}_{version}.py"), format!("v = '{version}'\n"));
        }
        wheel.info("entry_points.txt", format!("[console_scripts]\npkg{at} = pkg{at}:run\n"))
    };
    let wheels: Vec<Wheel> = (0..PACKAGES).map(wheel).collect();
    MemoryFiles::of(&wheels)
}

const FOLDER: &str = "PINFAST_TEST_CRASH_FOLDER";
const VERSION: &str = "PINFAST_TEST_CRASH_VERSION";

/// Not a test: what the children of the tests below run, on their parent's folder.
#[test]
#[ignore = "run by other tests in a process of its own"]
fn child() {
    let (Ok(folder), Ok(version)) = (std::env::var(FOLDER), std::env::var(VERSION)) else { return };
    let source = many(&version);
    let fixture = Fixture::at(PathBuf::from(folder));
    fixture.install(&source.lock(), &source).unwrap();
}

fn start(fixture: &Fixture, version: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "crash::child", "--ignored", "--test-threads=1"])
        .env(FOLDER, fixture.folder.path())
        .env(VERSION, version)
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap()
}

/// Kills installations at ever other moments while they change the environment, then lets one finish.
#[test]
fn a_killed_install_is_finished_by_the_next() {
    let fixture = Fixture::new();
    let sources = ["1.0", "2.0"].map(many);
    let events = fixture.root().join(".pinfast/unfinished");
    let mut cut_off = 0;
    for round in 0..18 {
        let inode = || fs::metadata(&events).map(|metadata| metadata.ino()).ok();
        let before = inode();
        let mut child = start(&fixture, ["1.0", "2.0"][round % 2]);
        // The work itself takes some milliseconds only: wait for it to begin.
        while inode().is_none_or(|now| Some(now) == before) && child.try_wait().unwrap().is_none() {
            std::thread::yield_now();
        }
        std::thread::sleep(Duration::from_micros(round as u64 * 701 % 6000));
        child.kill().unwrap();
        child.wait().unwrap();
        cut_off += usize::from(events.exists());
        // Now and then a run is cut off more than once.
        if round % 3 == 2 {
            let source = &sources[round % 2];
            fixture.install(&source.lock(), source).unwrap();
            assert_eq!(findings(&fixture, &source.lock()), [], "round {round}");
            assert!(!events.exists());
        }
    }
    assert!(cut_off > 0, "no run was cut off in the middle");
}

#[test]
fn concurrent_installs_take_turns() {
    let fixture = Fixture::new();
    let mut children: Vec<Child> =
        ["1.0", "2.0", "1.0", "2.0"].map(|version| start(&fixture, version)).into();
    for child in &mut children {
        assert!(child.wait().unwrap().success());
    }
    let clean = ["1.0", "2.0"].map(|version| findings(&fixture, &many(version).lock()).is_empty());
    assert!(clean[0] != clean[1], "the environment is one of the two: {clean:?}");
}

#[test]
fn a_failed_fetch_changes_nothing() {
    let fixture = Fixture::new();
    let (old, mut new) = (many("1.0"), many("2.0"));
    fixture.install(&old.lock(), &old).unwrap();
    new.fails_after = Some(8);
    assert_eq!(fixture.install(&new.lock(), &new).unwrap_err().kind, ErrorKind::NoAnswer);
    assert_eq!(findings(&fixture, &old.lock()), []);
    // What was fetched is not fetched again.
    new.fails_after = None;
    let before = new.fetches();
    fixture.install(&new.lock(), &new).unwrap();
    assert!(new.fetches() - before < PACKAGES, "the cache was used");
    assert_eq!(findings(&fixture, &new.lock()), []);
}

/// Damages the cache in every file, one after the other, and installs from it.
#[test]
fn a_damaged_cache_entry_is_fetched_again() {
    let fixture = Fixture::new();
    let source = MemoryFiles::of(&[Wheel::new("a", "1").module().file("a-1.data/scripts/s", "#!python\n")]);
    let lock = source.lock();
    fixture.install_to("first", &lock, &source).unwrap();
    fs::remove_dir_all(fixture.folder.path().join("first")).unwrap();
    let files = |fixture: &Fixture| -> Vec<String> {
        let tree = crate::kit::tree(&fixture.cache());
        tree.into_keys().filter(|path| !path.ends_with('/')).collect()
    };
    let all = files(&fixture);
    assert!(all.len() >= 6, "{all:?}");
    for (at, path) in all.iter().enumerate() {
        let path = fixture.cache().join(path);
        if !path.exists() {
            continue;
        }
        let mut bytes = fs::read(&path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0x20;
        fs::remove_file(&path).unwrap();
        if at % 2 == 0 {
            fs::write(&path, bytes).unwrap();
        }
        fixture.install(&lock, &source).unwrap();
        assert_eq!(findings(&fixture, &lock), [], "{path:?}");
        fs::remove_dir_all(fixture.root()).unwrap();
    }
}

#[test]
fn verify_reports_an_unfinished_environment() {
    let fixture = Fixture::new();
    let source = many("1.0");
    let lock = source.lock();
    fixture.install(&lock, &source).unwrap();
    fs::write(fixture.root().join(".pinfast/unfinished"), "\n").unwrap();
    assert_eq!(findings(&fixture, &lock), [VerifyFinding::Unfinished]);
    assert_eq!(fixture.install(&lock, &source).unwrap().changes.len(), 0);
    assert_eq!(findings(&fixture, &lock), []);
}

#[test]
fn an_unfinished_package_with_a_broken_record_is_replaced() {
    let fixture = Fixture::new();
    let source = many("1.0");
    let lock = source.lock();
    fixture.install(&lock, &source).unwrap();
    let site = fixture.site();
    let info = site.join("pkg3-1.0.dist-info");
    let name = info.canonicalize().unwrap();
    let name = name.strip_prefix(fixture.root().canonicalize().unwrap()).unwrap().to_owned();
    fs::write(fixture.root().join(".pinfast/unfinished"), format!("{}\n", name.display())).unwrap();
    for damage in ["", "\"unclosed", "pkg3/__init__.py"] {
        fs::remove_dir_all(site.join("pkg3")).unwrap();
        fs::write(info.join("RECORD"), damage).unwrap();
        fs::remove_file(fixture.root().join("bin/pkg3")).unwrap();
        let outcome = fixture.install(&lock, &source).unwrap();
        assert_eq!(outcome.changes.len(), 1);
        assert_eq!(findings(&fixture, &lock), []);
        fs::write(fixture.root().join(".pinfast/unfinished"), format!("{}\n", name.display())).unwrap();
    }
}

#[test]
fn a_moved_environment_gets_new_scripts() {
    let fixture = Fixture::new();
    let source = many("1.0");
    let lock = source.lock();
    fixture.install_to("elsewhere", &lock, &source).unwrap();
    fs::rename(fixture.folder.path().join("elsewhere"), fixture.root()).unwrap();
    let nowhere =
        findings(&fixture, &lock).iter().filter(|it| matches!(it, VerifyFinding::Script { .. })).count();
    assert_eq!(nowhere, PACKAGES);
    fixture.install(&lock, &source).unwrap();
    assert_eq!(findings(&fixture, &lock), []);
}

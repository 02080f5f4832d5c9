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

use crate::kit::{Bench, Shelf, Wheel};

fn findings(bench: &Bench, lock: &Lock) -> Vec<VerifyFinding> {
    let environment = bench.environment();
    verify(&VerifyJob { lock, environment: &environment, prune: Prune::All, strictness: Strictness::Strict })
        .unwrap()
        .findings
}

const PACKAGES: usize = 12;

fn many(version: &str) -> Shelf {
    let wheel = |at: usize| {
        let mut wheel = Wheel::new(&format!("pkg{at}"), version).module();
        for file in 0..20 {
            wheel = wheel.file(&format!("pkg{at}/m{file}_{version}.py"), format!("v = '{version}'\n"));
        }
        wheel.info("entry_points.txt", format!("[console_scripts]\npkg{at} = pkg{at}:run\n"))
    };
    let wheels: Vec<Wheel> = (0..PACKAGES).map(wheel).collect();
    Shelf::of(&wheels)
}

const FOLDER: &str = "PINFAST_TEST_CRASH_FOLDER";
const VERSION: &str = "PINFAST_TEST_CRASH_VERSION";

/// Not a test: what the children of the tests below run, on their parent's folder.
#[test]
#[ignore = "run by other tests in a process of its own"]
fn child() {
    let (Ok(folder), Ok(version)) = (std::env::var(FOLDER), std::env::var(VERSION)) else { return };
    let shelf = many(&version);
    let bench = Bench::at(PathBuf::from(folder));
    bench.install(&shelf.lock(), &shelf).unwrap();
}

fn start(bench: &Bench, version: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "crash::child", "--ignored", "--test-threads=1"])
        .env(FOLDER, bench.folder.path())
        .env(VERSION, version)
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap()
}

/// Kills installations at ever other moments while they change the environment, then lets one finish.
#[test]
fn a_killed_run_is_finished_by_the_next() {
    let bench = Bench::new();
    let shelves = ["1.0", "2.0"].map(many);
    let notes = bench.root().join(".pinfast/unfinished");
    let mut cut_off = 0;
    for round in 0..18 {
        let inode = || fs::metadata(&notes).map(|metadata| metadata.ino()).ok();
        let before = inode();
        let mut child = start(&bench, ["1.0", "2.0"][round % 2]);
        // The work itself takes some milliseconds only: wait for it to begin.
        while inode().is_none_or(|now| Some(now) == before) && child.try_wait().unwrap().is_none() {
            std::thread::yield_now();
        }
        std::thread::sleep(Duration::from_micros(round as u64 * 701 % 6000));
        child.kill().unwrap();
        child.wait().unwrap();
        cut_off += usize::from(notes.exists());
        // Now and then a run is cut off more than once.
        if round % 3 == 2 {
            let shelf = &shelves[round % 2];
            bench.install(&shelf.lock(), shelf).unwrap();
            assert_eq!(findings(&bench, &shelf.lock()), [], "round {round}");
            assert!(!notes.exists());
        }
    }
    assert!(cut_off > 0, "no run was cut off in the middle");
}

#[test]
fn runs_that_meet_take_turns() {
    let bench = Bench::new();
    let mut children: Vec<Child> = ["1.0", "2.0", "1.0", "2.0"].map(|version| start(&bench, version)).into();
    for child in &mut children {
        assert!(child.wait().unwrap().success());
    }
    let clean = ["1.0", "2.0"].map(|version| findings(&bench, &many(version).lock()).is_empty());
    assert!(clean[0] != clean[1], "the environment is one of the two: {clean:?}");
}

#[test]
fn a_fetch_that_fails_changes_nothing() {
    let bench = Bench::new();
    let (old, mut new) = (many("1.0"), many("2.0"));
    bench.install(&old.lock(), &old).unwrap();
    new.fails_after = Some(8);
    assert_eq!(bench.install(&new.lock(), &new).unwrap_err().kind, ErrorKind::NoAnswer);
    assert_eq!(findings(&bench, &old.lock()), []);
    // What was fetched is not fetched again.
    new.fails_after = None;
    let before = new.fetches();
    bench.install(&new.lock(), &new).unwrap();
    assert!(new.fetches() - before < PACKAGES, "the cache was used");
    assert_eq!(findings(&bench, &new.lock()), []);
}

/// Damages the cache in every file, one after the other, and installs from it.
#[test]
fn a_damaged_cache_costs_time_only() {
    let bench = Bench::new();
    let shelf = Shelf::of(&[Wheel::new("a", "1").module().file("a-1.data/scripts/s", "#!python\n")]);
    let lock = shelf.lock();
    bench.install_to("first", &lock, &shelf).unwrap();
    fs::remove_dir_all(bench.folder.path().join("first")).unwrap();
    let files = |bench: &Bench| -> Vec<String> {
        let tree = crate::kit::tree(&bench.cache());
        tree.into_keys().filter(|path| !path.ends_with('/')).collect()
    };
    let all = files(&bench);
    assert!(all.len() >= 6, "{all:?}");
    for (at, path) in all.iter().enumerate() {
        let path = bench.cache().join(path);
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
        bench.install(&lock, &shelf).unwrap();
        assert_eq!(findings(&bench, &lock), [], "{path:?}");
        fs::remove_dir_all(bench.root()).unwrap();
    }
}

#[test]
fn an_unfinished_environment_says_so() {
    let bench = Bench::new();
    let shelf = many("1.0");
    let lock = shelf.lock();
    bench.install(&lock, &shelf).unwrap();
    fs::write(bench.root().join(".pinfast/unfinished"), "\n").unwrap();
    assert_eq!(findings(&bench, &lock), [VerifyFinding::Unfinished]);
    assert_eq!(bench.install(&lock, &shelf).unwrap().changes.len(), 0);
    assert_eq!(findings(&bench, &lock), []);
}

#[test]
fn a_broken_record_of_an_unfinished_package_is_no_obstacle() {
    let bench = Bench::new();
    let shelf = many("1.0");
    let lock = shelf.lock();
    bench.install(&lock, &shelf).unwrap();
    let site = bench.site();
    let info = site.join("pkg3-1.0.dist-info");
    let name = info.canonicalize().unwrap();
    let name = name.strip_prefix(bench.root().canonicalize().unwrap()).unwrap().to_owned();
    fs::write(bench.root().join(".pinfast/unfinished"), format!("{}\n", name.display())).unwrap();
    for damage in ["", "\"unclosed", "pkg3/__init__.py"] {
        fs::remove_dir_all(site.join("pkg3")).unwrap();
        fs::write(info.join("RECORD"), damage).unwrap();
        fs::remove_file(bench.root().join("bin/pkg3")).unwrap();
        let outcome = bench.install(&lock, &shelf).unwrap();
        assert_eq!(outcome.changes.len(), 1);
        assert_eq!(findings(&bench, &lock), []);
        fs::write(bench.root().join(".pinfast/unfinished"), format!("{}\n", name.display())).unwrap();
    }
}

#[test]
fn a_moved_environment_gets_its_scripts_mended() {
    let bench = Bench::new();
    let shelf = many("1.0");
    let lock = shelf.lock();
    bench.install_to("elsewhere", &lock, &shelf).unwrap();
    fs::rename(bench.folder.path().join("elsewhere"), bench.root()).unwrap();
    let nowhere =
        findings(&bench, &lock).iter().filter(|it| matches!(it, VerifyFinding::Script { .. })).count();
    assert_eq!(nowhere, PACKAGES);
    bench.install(&lock, &shelf).unwrap();
    assert_eq!(findings(&bench, &lock), []);
}

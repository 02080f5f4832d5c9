//! The program under abuse: killed, twice at once, without room, with a damaged cache. Whatever happens, an
//! environment that it calls finished is the lock.

use std::fs;
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::kit::MemoryFiles;
use crate::program::{Dice, ProgramOutput, Project, files};
use pinfast_testkit::wheel::Wheel;

/// Packages with modules, data, scripts and entry points, in two versions.
fn sources() -> [MemoryFiles; 2] {
    ["1.0", "2.0"].map(|version| {
        let wheel = |at: usize| {
            let mut wheel = Wheel::new(&format!("pkg{at}"), version).module();
            for file in 0..12 {
                wheel = wheel.file(&format!("pkg{at}/m{file}_{version}.py"), format!("v = '{version}'\n"));
            }
            wheel
                .file(&format!("pkg{at}-{version}.data/scripts/script{at}"), "#!python\nprint(1)\n")
                .info("entry_points.txt", format!("[console_scripts]\npkg{at} = pkg{at}:run\n"))
        };
        MemoryFiles::of(&(0..6).map(wheel).collect::<Vec<_>>())
    })
}

const LOCKS: [&str; 2] = ["one.txt", "two.txt"];

fn project() -> Project {
    let sources = sources();
    let project = Project::new(&sources);
    LOCKS.iter().zip(&sources).for_each(|(name, source)| project.lock(name, source));
    project
}

fn start(project: &Project, arguments: &[&str]) -> Child {
    project.pinfast(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// At fifty moments of an installation into an environment that is new, or is another lock's, from a cache that
/// is empty or full.
#[test]
fn an_install_killed_at_any_moment_is_finished_by_the_next() {
    let project = project();
    let started = Instant::now();
    project.done(&["install", LOCKS[0]]);
    let whole = started.elapsed().as_micros() as usize;
    let (mut dice, mut killed) = (Dice::new(6), 0);
    for round in 0..50 {
        let lock = LOCKS[(round + 1) % 2];
        if dice.below(3) == 0 {
            fs::remove_dir_all(project.path(".venv")).unwrap();
        }
        if dice.below(3) == 0 {
            fs::remove_dir_all(project.path("cache")).unwrap();
        }
        let mut child = start(&project, &["install", lock]);
        thread::sleep(Duration::from_micros(dice.below(whole) as u64));
        child.kill().unwrap();
        killed += usize::from(!child.wait().unwrap().success());
        project.done(&["install", lock]);
        let verified = project.run(&["verify", "--strict", lock]);
        assert_eq!(verified.code, Some(0), "round {round}: {}", verified.err);
    }
    assert!(killed > 0, "no run was killed before its end");
}

#[test]
fn two_installs_at_once_both_succeed() {
    let project = project();
    for round in 0..3 {
        // Into one environment, from one empty cache: they take turns.
        let mut runs: Vec<Child> = [0, 1, 0, 1].map(|lock| start(&project, &["install", LOCKS[lock]])).into();
        assert!(runs.iter_mut().all(|run| run.wait().unwrap().success()));
        let clean = LOCKS.map(|lock| project.run(&["verify", "--strict", lock]).code == Some(0));
        assert!(clean[0] != clean[1], "round {round}: it is exactly one of the two: {clean:?}");
        fs::remove_dir_all(project.path("cache")).unwrap();
        // Into environments of their own, from one empty cache.
        let folders = ["a", "b", "c", "d"];
        let arguments = |at: usize| ["install", LOCKS[at % 2], "--venv", folders[at]];
        let mut runs: Vec<Child> = (0..4).map(|at| start(&project, &arguments(at))).collect();
        assert!(runs.iter_mut().all(|run| run.wait().unwrap().success()));
        for (at, folder) in folders.iter().enumerate() {
            project.done(&["verify", "--strict", LOCKS[at % 2], "--venv", folder]);
            fs::remove_dir_all(project.path(folder)).unwrap();
        }
    }
}

/// Bytes are changed, cut off or added anywhere in the cache; the environment is right all the same.
#[test]
fn a_damaged_cache_is_repaired() {
    let project = project();
    project.done(&["install", LOCKS[0]]);
    let mut dice = Dice::new(1);
    for round in 0..30 {
        fs::remove_dir_all(project.path(".venv")).unwrap();
        let all = files(&project.path("cache"));
        for _ in 0..=dice.below(4) {
            let path = &all[dice.below(all.len())];
            let mut bytes = fs::read(path).unwrap();
            let at = dice.below(bytes.len());
            match dice.below(3) {
                0 if !bytes.is_empty() => bytes[at] ^= 1 << dice.below(8),
                1 => bytes.truncate(at),
                _ => bytes.insert(at, 0),
            }
            // Read-only files are for people; root, and who replaces them, goes on.
            fs::remove_file(path).unwrap();
            fs::write(path, bytes).unwrap();
        }
        let ended = project.run(&["install", LOCKS[0]]);
        assert_eq!(ended.code, Some(0), "round {round}: {}", ended.err);
        project.done(&["verify", "--strict", LOCKS[0]]);
    }
}

/// Runs `script` as root of a user namespace, where it may mount; `None` where the system permits no such thing.
fn mounting(project: &Project, script: &str) -> Option<ProgramOutput> {
    let may = project.command("unshare").args(["--map-root-user", "--mount", "true"]).output();
    if !may.is_ok_and(|output| output.status.success()) {
        return None;
    }
    let script = format!("set -u; PINFAST='{}'\n{script}", env!("CARGO_BIN_EXE_pinfast"));
    let mut command = project.command("unshare");
    Some(command.args(["--map-root-user", "--mount", "sh", "-c", &script]).output().unwrap().into())
}

const INSTALL: &str = "$PINFAST install one.txt --no-index --find-links files";

#[test]
fn an_install_stopped_by_a_full_disk_finishes_with_more_room() {
    let project = project();
    for folder in ["cache", ".venv"] {
        let script = format!(
            "mkdir {folder}; mount -t tmpfs -o size=64k,nr_inodes=10000 none {folder}
             {INSTALL}; echo full $?
             mount -o remount,size=64m {folder}
             {INSTALL}; echo roomy $?
             $PINFAST verify --strict one.txt; echo verified $?"
        );
        let Some(ended) = mounting(&project, &script) else { return };
        assert_eq!(ended.out, "full 3\nroomy 0\nverified 0\n", "{folder}: {}", ended.err);
        assert!(ended.err.contains("No space left on device"), "{folder}: {}", ended.err);
        assert!(ended.err.contains("free some space"), "{folder}: {}", ended.err);
        let _ = fs::remove_dir_all(project.path(".venv"));
    }
}

/// What a full disk is like where nothing can be mounted: no file may grow beyond so many blocks.
#[test]
fn a_file_that_grows_too_large_is_exit_3() {
    let project = project();
    let script = format!("trap '' XFSZ; ulimit -f 2; {INSTALL}; echo ended $?");
    let script = script.replace("$PINFAST", env!("CARGO_BIN_EXE_pinfast"));
    let ended: ProgramOutput = project.command("sh").args(["-c", &script]).output().unwrap().into();
    assert_eq!(ended.out, "ended 3\n", "{}", ended.err);
    assert!(ended.err.contains("cannot") && ended.err.contains("File too large"), "{}", ended.err);
    project.done(&["install", LOCKS[0]]);
    project.done(&["verify", "--strict", LOCKS[0]]);
}

#[test]
fn read_only_folders_are_exit_3_where_there_is_something_to_write() {
    let project = project();
    let script = format!(
        "mkdir cache .venv; mount -t tmpfs none cache; mount -o remount,ro cache
         {INSTALL}; echo cache $?
         $PINFAST verify --strict one.txt; echo verified $?
         rm -rf .venv; mkdir .venv; mount -t tmpfs none .venv; mount -o remount,ro .venv
         {INSTALL}; echo environment $?
         mount -o remount,rw .venv; {INSTALL}; mount -o remount,ro .venv
         {INSTALL}; echo nothing to do $?
         $PINFAST install two.txt --no-index --find-links files; echo something to do $?
         $PINFAST verify --strict one.txt; echo verified $?"
    );
    let Some(ended) = mounting(&project, &script) else { return };
    let expected = "cache 0\nverified 0\nenvironment 3\nnothing to do 0\nsomething to do 3\nverified 0\n";
    assert_eq!(ended.out, expected, "{}", ended.err);
    assert!(ended.err.contains("cannot be used: Read-only file system"), "{}", ended.err);
    assert!(ended.err.contains("caused by: Read-only file system"), "{}", ended.err);
}

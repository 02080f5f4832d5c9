//! A lock has the same bytes whatever the cache holds, in whatever order responses come, and whichever API has a
//! project's page.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use pinfast_testkit::server::{Caching, Fault, ProjectPages, ReleasePages, Server};

const ROUNDS: u64 = 10;

/// Numbers that look random, the same for the same seed.
struct Dice(u64);

impl Dice {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below `sides`.
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % sides
    }
}

fn lock(server: &Server, cache: &Path, options: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_pinfast"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["lock", "examples/marketing-bot/requirements.in", "--python-version", "3.11"])
        .args(["--platform", "linux", "-o", "-", "--index-url", &server.url("/simple/"), "--cache-dir"])
        .arg(cache)
        .args(options)
        .output()
        .expect("the program runs")
}

/// Locks the input with one line more than the lock `old` was made from, and gives the new lock.
fn relock(server: &Server, cache: &Path, old: &str) -> String {
    relock_in(tempfile::tempdir().expect("a folder").path(), server, cache, old)
}

/// The same in a `folder`, where the cache may know what was locked before.
fn relock_in(folder: &Path, server: &Server, cache: &Path, old: &str) -> String {
    let input = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/marketing-bot/requirements.in");
    let input = std::fs::read_to_string(input).expect("the example's input") + "six\n";
    std::fs::write(folder.join("requirements.in"), input).expect("the input is written");
    std::fs::write(folder.join("requirements.txt"), old).expect("the old lock is written");
    let output = Command::new(env!("CARGO_BIN_EXE_pinfast"))
        .current_dir(folder)
        .args(["lock", "--python-version", "3.11", "--platform", "linux", "--cache-dir"])
        .arg(cache)
        .args(["--index-url", &server.url("/simple/")])
        .output()
        .expect("the program runs");
    text(&output);
    std::fs::read_to_string(folder.join("requirements.txt")).expect("the new lock")
}

#[track_caller]
fn text(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let mut files: Vec<_> =
        entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect();
    files.sort();
    files
}

/// A server that the dice configure: its caching headers, its pages, its delays.
fn server(dice: &mut Dice) -> Server {
    let server = Server::of_recorded();
    server.caching([Caching::Silent, Caching::Validated, Caching::Fresh(600)][dice.roll(3) as usize]);
    for letter in "abcdefghijklmnopqrstuvwxyz".chars() {
        let delay = Fault::Delay(Duration::from_millis(dice.roll(25)));
        server.always(&format!("/pypi/{letter}*"), delay.clone());
        server.always(&format!("/simple/{letter}*"), delay.clone());
        server.always(&format!("/files/{letter}*"), delay);
        if dice.roll(4) == 0 {
            server.always(&format!("/pypi/{letter}*"), Fault::Status(404));
        }
    }
    if dice.roll(3) == 0 {
        server.always("/pypi/*", Fault::Status(404));
    }
    if dice.roll(3) == 0 {
        server.release_pages(ReleasePages::Absent);
    }
    if dice.roll(2) == 0 {
        server.project_pages(ProjectPages::Long);
    }
    server
}

/// Takes records away or damages them, as the dice tell.
fn upset(cache: &Path, dice: &mut Dice) {
    let share = 2 + dice.roll(6);
    for file in files(cache) {
        match dice.roll(share) {
            0 => std::fs::remove_file(&file).expect("a record is removed"),
            1 if dice.roll(2) == 0 => {
                let mut bytes = std::fs::read(&file).expect("a record is read");
                let at = dice.roll(bytes.len().max(1) as u64) as usize;
                bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 0x55);
                // As a disk that lost its mind would have it: another file in its place.
                std::fs::remove_file(&file).expect("a record is removed");
                std::fs::write(&file, bytes).expect("a record is written");
            }
            _ => {}
        }
    }
}

#[test]
fn a_lock_has_the_same_bytes_whatever_the_cache_and_server_state() {
    let cache = tempfile::tempdir().expect("a folder for the cache");
    let calm = text(&lock(&Server::of_recorded(), cache.path(), &[]));
    let changed = relock(&Server::of_recorded(), cache.path(), &calm);
    // The cache is keyed by the page's URL, so each round has a server and a cache of its own.
    std::thread::scope(|scope| {
        for seed in 0..ROUNDS {
            let (calm, changed) = (&calm, &changed);
            scope.spawn(move || {
                let mut dice = Dice::new(seed);
                let (server, cache) = (server(&mut dice), tempfile::tempdir().expect("a folder"));
                assert_eq!(
                    text(&lock(&server, cache.path(), &[])),
                    *calm,
                    "seed {seed}, nothing in the cache"
                );
                assert_eq!(text(&lock(&server, cache.path(), &["--offline"])), *calm, "seed {seed}, offline");
                upset(cache.path(), &mut dice);
                let options: &[&str] = if dice.roll(4) == 0 { &["--refresh"] } else { &[] };
                assert_eq!(text(&lock(&server, cache.path(), options)), *calm, "seed {seed}, an upset cache");
                upset(cache.path(), &mut dice);
                let folder = tempfile::tempdir().expect("a folder");
                let relock_here = || relock_in(folder.path(), &server, cache.path(), calm);
                assert_eq!(relock_here(), *changed, "seed {seed}, an old lock");
                assert_eq!(relock_here(), *changed, "seed {seed}, what was pinned is known");
                upset(cache.path(), &mut dice);
                assert_eq!(relock_here(), *changed, "seed {seed}, what was pinned is known in part");
                let empty = tempfile::tempdir().expect("a folder");
                assert_eq!(
                    relock(&server, empty.path(), calm),
                    *changed,
                    "seed {seed}, an old lock and nothing in the cache"
                );
            });
        }
    });
}

#[test]
fn a_relock_reads_the_last_pins_from_one_record() {
    let (server, cache) = (Server::of_recorded(), tempfile::tempdir().expect("a folder"));
    server.caching(Caching::Fresh(600));
    let calm = text(&lock(&server, cache.path(), &[]));
    let folder = tempfile::tempdir().expect("a folder");
    let changed = relock_in(folder.path(), &server, cache.path(), &calm);
    let asked = server.requests().len();
    std::fs::remove_dir_all(cache.path().join("metadata-v4")).expect("what files say is removed");
    assert_eq!(relock_in(folder.path(), &server, cache.path(), &calm), changed);
    assert_eq!(server.requests().len(), asked);
    std::fs::remove_dir_all(cache.path().join("snapshots-v1")).expect("what was pinned is removed");
    assert_eq!(relock_in(folder.path(), &server, cache.path(), &calm), changed);
    assert!(server.requests().len() > asked);
}

#[test]
fn a_relock_fetches_no_project_page_of_a_pin_that_has_a_release_page() {
    let asked = |pages| {
        let (server, cache) = (Server::of_recorded(), tempfile::tempdir().expect("a folder"));
        let calm = text(&lock(&Server::of_recorded(), cache.path(), &[]));
        server.release_pages(pages);
        let changed = relock(&server, cache.path(), &calm);
        // The input does not name it.
        let page = server.count("/pypi/yarl/json");
        (page, changed)
    };
    let (served, absent) = (asked(ReleasePages::Served), asked(ReleasePages::Absent));
    assert_eq!((served.0, absent.0), (0, 1));
    assert_eq!(served.1, absent.1);
}

#[test]
fn a_long_page_is_read_no_further_than_its_newest_release() {
    let cache = tempfile::tempdir().expect("a folder");
    let calm = text(&lock(&Server::of_recorded(), cache.path(), &[]));
    let (server, cache) = (Server::of_recorded(), tempfile::tempdir().expect("a folder"));
    server.project_pages(ProjectPages::Long);
    server.caching(Caching::Validated);
    for round in 1..=2 {
        assert_eq!(text(&lock(&server, cache.path(), &[])), calm);
        let asked = |path: &str| server.count(path);
        assert_eq!((asked("/pypi/yarl/json"), asked("/simple/yarl/")), (round, 0));
    }
    assert_eq!(server.count("/pypi/yarl/1*"), 1, "what is unchanged is not asked for again");
    let before = server.requests().len();
    assert_eq!(text(&lock(&server, cache.path(), &["--offline"])), calm);
    assert_eq!(server.requests().len(), before);
}

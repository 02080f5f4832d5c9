//! Which file of a pin is installed, and what is refused before anything changes.

use std::path::Path;

use pinfast::error::ErrorKind;
use pinfast::install::{Inspection, Prune, Strictness, VerifyFinding, VerifyJob, verify};
use pinfast::lock::{Header, Lock, Pin, Via};
use pinfast::packaging::{PackageName, Sha256};

use crate::kit::{Bench, Shelf, Wheel};

fn tagged(tag: &str, text: &str) -> Wheel {
    Wheel { tag: tag.to_owned(), ..Wheel::new("a", "1.0").file("a.py", format!("which = '{text}'\n")) }
}

fn minor(bench: &Bench) -> String {
    let release = bench.base.target.python().release().to_vec();
    format!("{}{}", release[0], release[1])
}

#[test]
fn the_best_wheel_is_taken() {
    let bench = Bench::new();
    let cp = format!("cp{0}-cp{0}-manylinux_2_17_x86_64", minor(&bench));
    let shelf =
        Shelf::of(&[tagged("py3-none-any", "any"), tagged(&cp, "native"), tagged("cp27-cp27m-win32", "old")]);
    bench.install(&shelf.lock(), &shelf).unwrap();
    assert_eq!(bench.python("import a; print(a.which)"), "native");
    // From memory too, although another wheel of the pin is in the cache.
    let again = Bench { inspection: Inspection::Metadata, ..bench };
    again.install_to("two", &shelf.lock(), &Shelf::default()).unwrap();
}

#[test]
fn only_a_locked_file_is_taken() {
    let bench = Bench::new();
    let cp = format!("cp{0}-cp{0}-manylinux_2_17_x86_64", minor(&bench));
    let shelf = Shelf::of(&[tagged("py3-none-any", "any"), tagged(&cp, "native")]);
    let mut lock = shelf.lock();
    lock.pins[0].hashes = vec![Sha256::of(&tagged("py3-none-any", "any").build())];
    bench.install(&lock, &shelf).unwrap();
    assert_eq!(bench.python("import a; print(a.which)"), "any");
}

/// Each case: how the lock or the shelf is changed, the kind, the message.
#[test]
fn refusals_come_before_changes() {
    type Change = fn(&mut Lock, &mut Shelf);
    let cases: [(Change, ErrorKind, &str); 8] = [
        (|lock, _| lock.pins[0].hashes.clear(), ErrorKind::Usage, "a has no hash in the lock"),
        (
            |lock, _| {
                let twice = Pin { version: "2.0".parse().unwrap(), ..lock.pins[0].clone() };
                lock.pins.push(twice);
            },
            ErrorKind::Usage,
            "the lock names a twice for",
        ),
        (
            |lock, _| {
                let targets = vec!["cpython 2.7.0 win_amd64".to_owned()];
                lock.header = Some(Header { targets, ..Header::default() });
            },
            ErrorKind::No,
            "the lock is not for cpython",
        ),
        (
            |_, shelf| {
                shelf.edit("a-1.0-py3-none-any.whl", |file| {
                    file.requires_python = Some(">=99".parse().unwrap())
                })
            },
            ErrorKind::No,
            "a==1.0 requires Python >=99, and this is",
        ),
        (
            |lock, shelf| {
                *shelf = Shelf::of(&[Wheel::new("a", "1.0").requires("Requires-Python: >=99")]);
                *lock = shelf.lock();
            },
            ErrorKind::No,
            "a==1.0 requires Python >=99, and this is",
        ),
        (
            |lock, shelf| {
                *shelf = Shelf::of(&[tagged("cp27-cp27m-win32", "")]);
                *lock = shelf.lock();
            },
            ErrorKind::No,
            "a==1.0 has no wheel for cpython",
        ),
        (
            |lock, shelf| {
                *shelf = Shelf::default();
                shelf.add("a-1.0.tar.gz", &PackageName::new("a").unwrap(), Vec::new());
                *lock = shelf.lock();
            },
            ErrorKind::No,
            "only a source distribution",
        ),
        (|_, shelf| *shelf = Shelf::default(), ErrorKind::NoAnswer, "no index has a file of a==1.0"),
    ];
    for (change, kind, message) in cases {
        let bench = Bench::new();
        let mut shelf = Shelf::of(&[tagged("py3-none-any", "any")]);
        let mut lock = shelf.lock();
        change(&mut lock, &mut shelf);
        let error = bench.install(&lock, &shelf).unwrap_err();
        assert!(error.to_string().contains(message), "expected `{message}`, got `{error}`");
        assert_eq!(error.kind, kind, "{error}");
        assert!(!bench.root().exists(), "{message}");
    }
}

#[test]
fn markers_are_those_of_the_interpreter() {
    let bench = Bench::new();
    let shelf = Shelf::of(&["here", "there"].map(|name| Wheel::new(name, "1").module()));
    let mut lock = shelf.lock();
    lock.pins[0].marker = "sys_platform == 'linux'".parse().unwrap();
    lock.pins[1].marker = "sys_platform == 'win32'".parse().unwrap();
    let mut twice = lock.pins[0].clone();
    (twice.version, twice.marker) = ("2".parse().unwrap(), "sys_platform == 'win32'".parse().unwrap());
    lock.pins.push(twice);
    assert_eq!(bench.install(&lock, &shelf).unwrap().changes.len(), 1);
    assert!(!bench.site().join("there").exists());
}

#[test]
fn what_was_asked_for_is_noted() {
    let bench = Bench::new();
    let shelf = Shelf::of(&["a", "b"].map(|name| Wheel::new(name, "1").module()));
    let mut lock = shelf.lock();
    lock.pins[0].via = vec![Via::Input("requirements.in".into())];
    lock.pins[1].via = vec![Via::package(PackageName::new("a").unwrap())];
    bench.install(&lock, &shelf).unwrap();
    let requested = |name: &str| bench.site().join(format!("{name}-1.dist-info/REQUESTED")).exists();
    assert!(requested("a") && !requested("b"));
}

#[test]
fn a_url_is_noted_without_its_secrets() {
    let bench = Bench::new();
    let wheel = Wheel::new("a", "1").module();
    let shelf = Shelf::of(std::slice::from_ref(&wheel));
    let mut lock = shelf.lock();
    let mut shelf = shelf;
    let url: url::Url = "https://user:secret@files.example/a-1-py3-none-any.whl".parse().unwrap();
    shelf.edit("a-1-py3-none-any.whl", |file| file.url = url.clone().into());
    lock.pins[0].url = Some(pinfast::packaging::DirectUrl { url, sha256: None });
    bench.install(&lock, &shelf).unwrap();
    let text = std::fs::read_to_string(bench.site().join("a-1.dist-info/direct_url.json")).unwrap();
    let hash = lock.pins[0].hashes[0];
    assert_eq!(
        text,
        format!(
            "{{\"archive_info\": {{\"hash\": \"sha256={hash}\", \"hashes\": {{\"sha256\": \"{hash}\"}}}}, \"url\": \"https://files.example/a-1-py3-none-any.whl\"}}"
        )
    );
}

#[test]
fn another_file_of_the_same_version_is_replaced() {
    let bench = Bench::new();
    let (one, two) =
        (Shelf::of(&[tagged("py3-none-any", "one")]), Shelf::of(&[tagged("py3-none-any", "two")]));
    bench.install(&one.lock(), &one).unwrap();
    let lock = two.lock();
    let environment = bench.environment();
    let request = VerifyJob {
        lock: &lock,
        environment: &environment,
        prune: Prune::All,
        strictness: Strictness::Owned,
    };
    let found = verify(&request).unwrap().findings;
    assert!(matches!(found.as_slice(), [VerifyFinding::OtherArchive { .. }]), "{found:?}");
    bench.install(&lock, &two).unwrap();
    assert_eq!(bench.python("import a; print(a.which)"), "two");
}

#[test]
fn two_wheels_with_one_file() {
    let bench = Bench::new();
    let wheel = |name: &str, text: &str| {
        Wheel::new(name, "1").file("both.py", format!("which = '{text}'\n")).module()
    };
    let shelf = Shelf::of(&[wheel("a", "a"), wheel("b", "b")]);
    let lock = shelf.lock();
    let lock_a = Lock { pins: lock.pins[..1].to_vec(), ..Lock::default() };
    let which = |bench: &Bench| bench.python("import both; print(both.which)");
    bench.install(&lock, &shelf).unwrap();
    assert_eq!(which(&bench), "b");
    let warnings = bench.notes.warnings();
    assert!(
        warnings.len() == 1 && warnings[0].ends_with("with other content; b's is installed"),
        "{warnings:?}"
    );
    let environment = bench.environment();
    let clean = |lock: &Lock| {
        let request =
            VerifyJob { lock, environment: &environment, prune: Prune::All, strictness: Strictness::Strict };
        verify(&request).unwrap().findings
    };
    assert_eq!(clean(&lock), []);
    // When the one goes whose file it is, the other's comes back.
    bench.install(&lock_a, &shelf).unwrap();
    assert_eq!(which(&bench), "a");
    assert_eq!(clean(&lock_a), []);
    // Whichever came first, the result is the same.
    bench.install(&lock, &shelf).unwrap();
    assert_eq!(which(&bench), "b");
    assert_eq!(clean(&lock), []);
}

#[test]
fn what_nobody_owns_is_not_overwritten() {
    let bench = Bench::new();
    let empty = Shelf::default();
    bench.install(&empty.lock(), &empty).unwrap();
    let write = |path: &Path, text: &str| std::fs::write(path, text).unwrap();
    write(&bench.site().join("a.py"), "precious");
    let shelf = Shelf::of(&[tagged("py3-none-any", "x")]);
    let error = bench.install(&shelf.lock(), &shelf).unwrap_err();
    assert!(error.to_string().ends_with("is where a has a file, and no distribution owns it"), "{error}");
    assert_eq!(std::fs::read_to_string(bench.site().join("a.py")).unwrap(), "precious");
    write(&bench.site().join("a.py"), "which = 'x'\n");
    bench.install(&shelf.lock(), &shelf).unwrap();
    let environment = bench.environment();
    let request = VerifyJob {
        lock: &shelf.lock(),
        environment: &environment,
        prune: Prune::All,
        strictness: Strictness::Strict,
    };
    assert_eq!(verify(&request).unwrap().findings, []);
}

//! Which file of a pin is installed, and what is refused before anything changes.

use std::path::Path;

use pinfast::error::ErrorKind;
use pinfast::install::{Inspection, Prune, Strictness, VerifyFinding, VerifyJob, verify};
use pinfast::lock::{Header, Lock, Pin, Via};
use pinfast::packaging::{PackageName, Sha256};

use crate::kit::{Fixture, MemoryFiles};
use pinfast_testkit::wheel::Wheel;

fn tagged(tag: &str, text: &str) -> Wheel {
    Wheel { tag: tag.to_owned(), ..Wheel::new("a", "1.0").file("a.py", format!("which = '{text}'\n")) }
}

fn minor(fixture: &Fixture) -> String {
    let release = fixture.base.target.python().release().to_vec();
    format!("{}{}", release[0], release[1])
}

#[test]
fn the_best_matching_wheel_is_installed() {
    let fixture = Fixture::new();
    let cp = format!("cp{0}-cp{0}-manylinux_2_17_x86_64", minor(&fixture));
    let source = MemoryFiles::of(&[
        tagged("py3-none-any", "any"),
        tagged(&cp, "native"),
        tagged("cp27-cp27m-win32", "old"),
    ]);
    fixture.install(&source.lock(), &source).unwrap();
    assert_eq!(fixture.python("import a; print(a.which)"), "native");
    // From memory too, although another wheel of the pin is in the cache.
    let again = Fixture { inspection: Inspection::Metadata, ..fixture };
    again.install_to("two", &source.lock(), &MemoryFiles::default()).unwrap();
}

#[test]
fn a_file_that_the_lock_does_not_hold_is_not_installed() {
    let fixture = Fixture::new();
    let cp = format!("cp{0}-cp{0}-manylinux_2_17_x86_64", minor(&fixture));
    let source = MemoryFiles::of(&[tagged("py3-none-any", "any"), tagged(&cp, "native")]);
    let mut lock = source.lock();
    lock.pins[0].hashes = vec![Sha256::of(&tagged("py3-none-any", "any").build())];
    fixture.install(&lock, &source).unwrap();
    assert_eq!(fixture.python("import a; print(a.which)"), "any");
}

/// Each case: how the lock or the source is changed, the kind, the message.
#[test]
fn a_lock_that_does_not_fit_changes_nothing() {
    type Change = fn(&mut Lock, &mut MemoryFiles);
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
            |_, source| {
                source.edit("a-1.0-py3-none-any.whl", |file| {
                    file.requires_python = Some(">=99".parse().unwrap())
                })
            },
            ErrorKind::No,
            "a==1.0 requires Python >=99, and this is",
        ),
        (
            |lock, source| {
                *source = MemoryFiles::of(&[Wheel::new("a", "1.0").metadata_lines("Requires-Python: >=99")]);
                *lock = source.lock();
            },
            ErrorKind::No,
            "a==1.0 requires Python >=99, and this is",
        ),
        (
            |lock, source| {
                *source = MemoryFiles::of(&[tagged("cp27-cp27m-win32", "")]);
                *lock = source.lock();
            },
            ErrorKind::No,
            "a==1.0 has no wheel for cpython",
        ),
        (
            |lock, source| {
                *source = MemoryFiles::default();
                source.add("a-1.0.tar.gz", &PackageName::new("a").unwrap(), Vec::new());
                *lock = source.lock();
            },
            ErrorKind::No,
            "only a source distribution",
        ),
        (|_, source| *source = MemoryFiles::default(), ErrorKind::NoAnswer, "no index has a file of a==1.0"),
    ];
    for (change, kind, message) in cases {
        let fixture = Fixture::new();
        let mut source = MemoryFiles::of(&[tagged("py3-none-any", "any")]);
        let mut lock = source.lock();
        change(&mut lock, &mut source);
        let error = fixture.install(&lock, &source).unwrap_err();
        assert!(error.to_string().contains(message), "expected `{message}`, got `{error}`");
        assert_eq!(error.kind, kind, "{error}");
        assert!(!fixture.root().exists(), "{message}");
    }
}

#[test]
fn markers_are_evaluated_for_the_interpreter() {
    let fixture = Fixture::new();
    let source = MemoryFiles::of(&["here", "there"].map(|name| Wheel::new(name, "1").module()));
    let mut lock = source.lock();
    lock.pins[0].marker = "sys_platform == 'linux'".parse().unwrap();
    lock.pins[1].marker = "sys_platform == 'win32'".parse().unwrap();
    let mut twice = lock.pins[0].clone();
    (twice.version, twice.marker) = ("2".parse().unwrap(), "sys_platform == 'win32'".parse().unwrap());
    lock.pins.push(twice);
    assert_eq!(fixture.install(&lock, &source).unwrap().changes.len(), 1);
    assert!(!fixture.site().join("there").exists());
}

#[test]
fn a_direct_requirement_gets_a_requested_file() {
    let fixture = Fixture::new();
    let source = MemoryFiles::of(&["a", "b"].map(|name| Wheel::new(name, "1").module()));
    let mut lock = source.lock();
    lock.pins[0].via = vec![Via::Input("requirements.in".into())];
    lock.pins[1].via = vec![Via::package(PackageName::new("a").unwrap())];
    fixture.install(&lock, &source).unwrap();
    let requested = |name: &str| fixture.site().join(format!("{name}-1.dist-info/REQUESTED")).exists();
    assert!(requested("a") && !requested("b"));
}

#[test]
fn direct_url_json_has_no_credentials() {
    let fixture = Fixture::new();
    let wheel = Wheel::new("a", "1").module();
    let source = MemoryFiles::of(std::slice::from_ref(&wheel));
    let mut lock = source.lock();
    let mut source = source;
    let url: url::Url = "https://user:secret@files.example/a-1-py3-none-any.whl".parse().unwrap();
    source.edit("a-1-py3-none-any.whl", |file| file.url = url.clone().into());
    lock.pins[0].url = Some(pinfast::packaging::DirectUrl { url, sha256: None });
    fixture.install(&lock, &source).unwrap();
    let text = std::fs::read_to_string(fixture.site().join("a-1.dist-info/direct_url.json")).unwrap();
    let hash = lock.pins[0].hashes[0];
    assert_eq!(
        text,
        format!(
            "{{\"archive_info\": {{\"hash\": \"sha256={hash}\", \"hashes\": {{\"sha256\": \"{hash}\"}}}}, \"url\": \"https://files.example/a-1-py3-none-any.whl\"}}"
        )
    );
}

#[test]
fn a_different_wheel_of_the_same_version_is_replaced() {
    let fixture = Fixture::new();
    let (one, two) = (
        MemoryFiles::of(&[tagged("py3-none-any", "one")]),
        MemoryFiles::of(&[tagged("py3-none-any", "two")]),
    );
    fixture.install(&one.lock(), &one).unwrap();
    let lock = two.lock();
    let environment = fixture.environment();
    let request = VerifyJob {
        lock: &lock,
        environment: &environment,
        prune: Prune::All,
        strictness: Strictness::Owned,
    };
    let found = verify(&request).unwrap().findings;
    assert!(matches!(found.as_slice(), [VerifyFinding::OtherArchive { .. }]), "{found:?}");
    fixture.install(&lock, &two).unwrap();
    assert_eq!(fixture.python("import a; print(a.which)"), "two");
}

#[test]
fn the_last_of_two_wheels_with_one_file_wins_with_a_warning() {
    let fixture = Fixture::new();
    let wheel = |name: &str, text: &str| {
        Wheel::new(name, "1").file("both.py", format!("which = '{text}'\n")).module()
    };
    let source = MemoryFiles::of(&[wheel("a", "a"), wheel("b", "b")]);
    let lock = source.lock();
    let lock_a = Lock { pins: lock.pins[..1].to_vec(), ..Lock::default() };
    let which = |fixture: &Fixture| fixture.python("import both; print(both.which)");
    fixture.install(&lock, &source).unwrap();
    assert_eq!(which(&fixture), "b");
    let warnings = fixture.events.warnings();
    assert!(
        warnings.len() == 1 && warnings[0].ends_with("with other content; b's is installed"),
        "{warnings:?}"
    );
    let environment = fixture.environment();
    let clean = |lock: &Lock| {
        let request =
            VerifyJob { lock, environment: &environment, prune: Prune::All, strictness: Strictness::Strict };
        verify(&request).unwrap().findings
    };
    assert_eq!(clean(&lock), []);
    // When the one goes whose file it is, the other's comes back.
    fixture.install(&lock_a, &source).unwrap();
    assert_eq!(which(&fixture), "a");
    assert_eq!(clean(&lock_a), []);
    // Whichever came first, the result is the same.
    fixture.install(&lock, &source).unwrap();
    assert_eq!(which(&fixture), "b");
    assert_eq!(clean(&lock), []);
}

#[test]
fn an_unowned_file_is_not_overwritten() {
    let fixture = Fixture::new();
    let empty = MemoryFiles::default();
    fixture.install(&empty.lock(), &empty).unwrap();
    let write = |path: &Path, text: &str| std::fs::write(path, text).unwrap();
    write(&fixture.site().join("a.py"), "precious");
    let source = MemoryFiles::of(&[tagged("py3-none-any", "x")]);
    let error = fixture.install(&source.lock(), &source).unwrap_err();
    assert!(error.to_string().ends_with("is where a has a file, and no distribution owns it"), "{error}");
    assert_eq!(std::fs::read_to_string(fixture.site().join("a.py")).unwrap(), "precious");
    write(&fixture.site().join("a.py"), "which = 'x'\n");
    fixture.install(&source.lock(), &source).unwrap();
    let environment = fixture.environment();
    let request = VerifyJob {
        lock: &source.lock(),
        environment: &environment,
        prune: Prune::All,
        strictness: Strictness::Strict,
    };
    assert_eq!(verify(&request).unwrap().findings, []);
}

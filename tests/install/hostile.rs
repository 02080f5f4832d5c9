//! Archives that attack: each is refused, and nothing of it is left.

use std::fs;
use std::os::unix::fs::symlink;

use pinfast::error::ErrorKind;
use pinfast::install::WheelLimits;
use pinfast::packaging::PackageName;

use crate::kit::{Bench, Entry, Shelf, Wheel, tree, zip};

fn evil() -> Wheel {
    Wheel::new("evil", "1.0").module()
}

/// Installs one archive into a new environment and returns the refusal.
fn refusal(archive: Vec<u8>) -> String {
    refusal_on(&Bench::new(), archive)
}

fn refusal_on(bench: &Bench, archive: Vec<u8>) -> String {
    let mut shelf = Shelf::default();
    shelf.add("evil-1.0-py3-none-any.whl", &PackageName::new("evil").unwrap(), archive);
    let before = tree(bench.folder.path());
    let error = bench.install(&shelf.lock(), &shelf).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Refused, "{error}");
    let mut after = tree(bench.folder.path());
    after.retain(|path, _| path == "cache/pins/" || !path.starts_with("cache/pins/"));
    assert_eq!(after, before, "something is left: {error}");
    error.to_string()
}

fn said(archive: Vec<u8>, expected: &str) {
    let said = refusal(archive);
    assert!(said.contains(expected), "expected `{expected}`\n     got `{said}`");
}

#[test]
fn paths_that_leave_or_mislead() {
    for (path, expected) in [
        ("/etc/evil", "is absolute"),
        ("//etc/evil", "is absolute"),
        ("C:/evil", "is absolute"),
        ("c:evil", "is absolute"),
        ("../evil", "leads out"),
        ("evil/../../x", "leads out"),
        ("evil/..", "leads out"),
        ("./evil/x", "not in its plain form"),
        ("evil//x", "not in its plain form"),
        ("evil/./x", "not in its plain form"),
        ("evil\\x", "backslash"),
        ("..\\evil", "backslash"),
        ("evil/a\0b", "control character"),
        ("evil/a\nb", "control character"),
        ("evil/\u{1b}[2J", "control character"),
        (&"x/".repeat(600), "too long"),
        (&format!("evil/{}", "x".repeat(256)), "too long"),
    ] {
        let wheel = evil().file(path, "");
        said(zip(&[Entry::new(path, ""), Entry::new("x", "")]), expected);
        said(wheel.build(), expected);
    }
}

#[test]
fn entries_that_are_no_files() {
    for (mode, expected) in [
        (0o120_777, "holds a link"),
        (0o020_644, "holds a special file"),
        (0o060_644, "holds a special file"),
        (0o010_644, "holds a special file"),
        (0o140_644, "holds a special file"),
        (0o040_755, "a file that is a folder"),
    ] {
        said(evil().entry(Entry::new("evil/x", "/etc/passwd").mode(mode)).build(), expected);
    }
    said(evil().entry(Entry::new("evil/x/", "data").mode(0o040_755)).build(), "data in the folder");
    said(evil().entry(Entry::new("evil/x/", "").mode(0o100_755)).build(), "a file that is a folder");
    said(evil().entry(Entry::new("evil/x/", "target").mode(0o120_777)).build(), "holds a link");
}

#[test]
fn names_that_clash() {
    for (a, b, expected) in [
        ("evil/x", "evil/x", "twice"),
        ("evil/x", "evil/X", "differ by case only"),
        ("evil/ä", "evil/Ä", "differ by case only"),
        ("evil/x", "evil/x/y", "as a file and as a folder"),
        ("evil/X", "evil/x/y", "as a file and as a folder"),
    ] {
        said(evil().file(a, "").file(b, "").build(), expected);
    }
}

#[test]
fn names_that_readers_read_differently() {
    let mut hidden = Entry::new("evil/good.py", "x");
    hidden.local_name = Some(b"evil/evil.py".to_vec());
    said(evil().entry(hidden).build(), "is broken");
    let latin = Entry { name: b"evil/\xe4".to_vec(), ..Entry::new("evil/a", "x") };
    said(evil().entry(latin).build(), "not UTF-8");
    let unflagged = Entry { flags: 0, ..Entry::new("evil/ä", "x") };
    said(evil().entry(unflagged).build(), "not UTF-8");
    let encrypted = Entry { flags: 1, ..Entry::new("evil/a", "x") };
    said(evil().entry(encrypted).build(), "encrypted");
    let method = Entry { method: 12, ..Entry::new("evil/a", "x") };
    refusal(evil().entry(method).build());
}

#[test]
fn archives_that_lie_about_content() {
    let crc = Entry { crc: Some(1), ..Entry::new("evil/a", "x") };
    said(evil().entry(crc).build(), "is broken");
    let short = Entry { told_size: Some(1), ..Entry::new("evil/a", "xyz") };
    refusal(evil().entry(short).build());
    let long = Entry { told_size: Some(1000), ..Entry::new("evil/a", "xyz") };
    refusal(evil().entry(long).build());
    let bytes = evil().build();
    for end in [0, 1, 21, bytes.len() / 2, bytes.len() - 1] {
        refusal(bytes[..end].to_vec());
    }
    said([b"#!/bin/sh\n".to_vec(), bytes.clone()].concat(), "other data before");
    refusal(vec![0; 4096]);
}

#[test]
fn bombs() {
    let limits = WheelLimits { free: 1 << 20, ratio: 20, entries: 100, ..WheelLimits::default() };
    let bench = || Bench { limits, ..Bench::new() };
    let zeros = evil().file("evil/zeros", vec![0; 8 << 20]).build();
    assert!(refusal_on(&bench(), zeros).contains("would unpack to"));
    let many = (0..200).fold(evil(), |wheel, at| wheel.file(&format!("evil/{at}"), "")).build();
    assert!(refusal_on(&bench(), many).contains("entries, more than 100"));
    // One that hides its size: the headers say little, the stream goes on.
    let mut hidden = Entry::new("evil/zeros", vec![0; 8 << 20]);
    hidden.told_size = Some(10);
    refusal_on(&bench(), evil().entry(hidden).build());
}

#[test]
fn records_that_disagree() {
    let wheel = || evil().file("evil/x.py", "x = 1\n");
    let good = wheel().fitting_record();
    let line = |name: &str| good.lines().find(|line| line.starts_with(name)).unwrap().to_owned() + "\r\n";
    let x = line("evil/x.py");
    for (record, expected) in [
        (good.replace(&x, ""), "which RECORD does not list"),
        (good.clone() + &x, "twice in RECORD"),
        (
            good.clone() + "evil/ghost.py,sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,0\r\n",
            "which RECORD lists",
        ),
        (good.replace(&x, &x.replace(",6", ",7")), "while RECORD says"),
        (good.replace(&x, &x.replace(",6", ",")), "while RECORD says"),
        (good.replace(&x, "evil/x.py,,\r\n"), "no SHA-256 or better"),
        (good.replace(&x, "evil/x.py,md5=1B2M2Y8AsgTpgAmY7PhCfg,6\r\n"), "no SHA-256 or better"),
        (
            good.replace(&x, "evil/x.py,sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,6\r\n"),
            "another hash than RECORD",
        ),
        (good.clone() + "a,b,c,d\r\n", "unreadable RECORD"),
        (good.clone() + "\"a", "unreadable RECORD"),
        ("\u{feff}".to_owned() + &good, "RECORD"),
    ] {
        said(wheel().record(record).build(), expected);
    }
    let sha512 = good.replace(&x, "evil/x.py,sha512=IdNnKsvhFTmd-2H7XaNxpkdSIMxvNe3rYo0yxZfwGG1IYrdeMHdz_cFBy7XvTOMcMDWPTDwM8Z_-UEA3rNq8Vg,6\r\n");
    said(wheel().record(sha512).build(), "another hash than RECORD");
}

#[test]
fn metadata_of_something_else() {
    let mut other = evil();
    other.metadata = other.metadata.replace("evil", "good");
    said(other.build(), "says in METADATA that it is good 1.0");
    let mut other = evil();
    other.metadata = other.metadata.replace("1.0", "1.1");
    said(other.build(), "says in METADATA that it is evil 1.1");
    let mut other = evil();
    other.metadata = "nonsense".to_owned();
    said(other.build(), "METADATA");
    said(Wheel::new("evil", "2.0").module().build(), "is `evil-2.0` inside");
    said(Wheel::new("other", "1.0").module().build(), "is `other-1.0` inside");
    said(evil().file("other-1.0.dist-info/METADATA", "").build(), "more than one `.dist-info`");
    said(evil().file("other-1.0.DIST-INFO/METADATA", "").build(), "more than one `.dist-info`");
    said(evil().file("evil-1.0.DATA/scripts/x", "").build(), "beside");
    said(evil().file("other-1.0.data/scripts/x", "").build(), "beside");
    said(zip(&[Entry::new("evil/x", "")]), "it is not a wheel");
    for (wheel, expected) in [
        ("Wheel-Version: 2.0\nRoot-Is-Purelib: true\n", "only 1.x"),
        ("Wheel-Version: x\nRoot-Is-Purelib: true\n", "only 1.x"),
        ("Root-Is-Purelib: true\n", "no Wheel-Version"),
        ("Wheel-Version: 1.0\n", "Root-Is-Purelib"),
        ("", "has no `evil-1.0.dist-info/WHEEL`"),
    ] {
        let mut other = evil();
        other.wheel = wheel.to_owned();
        said(other.build(), expected);
    }
}

#[test]
fn what_would_overwrite_the_environment() {
    for path in [
        "evil-1.0.data/scripts/python",
        "evil-1.0.data/scripts/python3",
        "evil-1.0.data/scripts/Python3.11",
        "evil-1.0.data/scripts/activate",
        "evil-1.0.data/data/pyvenv.cfg",
        "evil-1.0.data/data/PyVenv.cfg",
        "evil-1.0.data/data/bin/python",
        "evil-1.0.data/data/.pinfast/lock",
        "evil-1.0.data/data/.gitignore",
        "evil-1.0.data/data/lib64",
    ] {
        let said = refusal_without_cache(path);
        assert!(said.contains("belongs to the environment itself"), "{path}: {said}");
    }
    for path in ["evil-1.0.data/x", "evil-1.0.data/nowhere/x", "evil-1.0.data/scripts/"] {
        refusal(evil().file(path, "").build());
    }
    let points = "[console_scripts]\npython = evil:run\n";
    let mut shelf = Shelf::of(&[evil().info("entry_points.txt", points)]);
    let bench = Bench::new();
    assert_eq!(bench.install(&shelf.lock(), &shelf).unwrap_err().kind, ErrorKind::Refused);
    assert!(!bench.root().exists());
    shelf = Shelf::of(&[evil().info("entry_points.txt", "[console_scripts]\n../x = evil:run\n")]);
    assert_eq!(bench.install(&shelf.lock(), &shelf).unwrap_err().kind, ErrorKind::Refused);
    shelf = Shelf::of(&[evil()
        .info("entry_points.txt", "[console_scripts]\nx = evil:run\n")
        .file("evil-1.0.data/data/bin/x", "")]);
    assert_eq!(bench.install(&shelf.lock(), &shelf).unwrap_err().kind, ErrorKind::Refused);
}

/// A sound archive may be cached; it is the environment that must not be begun.
fn refusal_without_cache(path: &str) -> String {
    let bench = Bench::new();
    let shelf = Shelf::of(&[evil().file(path, "x")]);
    let error = bench.install(&shelf.lock(), &shelf).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Refused, "{path}: {error}");
    assert!(!bench.root().exists(), "{path}");
    error.to_string()
}

#[test]
fn nothing_is_written_through_a_link() {
    let bench = Bench::new();
    let empty = Shelf::default();
    bench.install(&empty.lock(), &empty).unwrap();
    let outside = bench.folder.path().join("outside");
    fs::create_dir(&outside).unwrap();
    symlink(&outside, bench.site().join("evil")).unwrap();
    let shelf = Shelf::of(&[evil()]);
    let error = bench.install(&shelf.lock(), &shelf).unwrap_err();
    assert!(error.to_string().ends_with("is a link; nothing is written through it"), "{error}");
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 0);
    let through = Shelf::of(&[Wheel::new("a", "1.0").file("a-1.0.data/data/lib64/x", "")]);
    let error = bench.install(&through.lock(), &through).unwrap_err();
    assert!(error.to_string().ends_with("is a link; nothing is written through it"), "{error}");
}

#[test]
fn a_removal_stays_inside() {
    let bench = Bench::new();
    let shelf = Shelf::of(&[evil().file("evil/sub/x.py", "")]);
    bench.install(&shelf.lock(), &shelf).unwrap();
    let outside = bench.folder.path().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("x.py"), "precious").unwrap();
    fs::write(outside.join("y.py"), "precious").unwrap();
    let site = bench.site();
    // What an attacker with a RECORD of his own could have listed, and a folder turned into a link.
    let record = site.join("evil-1.0.dist-info/RECORD");
    let text = fs::read_to_string(&record).unwrap();
    let more = format!(
        "../../../../outside/y.py,,\r\n{}/y.py,,\r\n../../../pyvenv.cfg,,\r\n../../../bin/python,,\r\n",
        outside.display()
    );
    fs::write(&record, text + &more).unwrap();
    fs::remove_dir_all(site.join("evil/sub")).unwrap();
    symlink(&outside, site.join("evil/sub")).unwrap();
    let empty = Shelf::default();
    bench.install(&empty.lock(), &empty).unwrap();
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 2);
    assert!(bench.root().join("pyvenv.cfg").exists());
    assert!(bench.root().join("bin/python").exists());
    assert!(!record.exists());
    assert!(!site.join("evil/__init__.py").exists());
    assert_eq!(bench.notes.warnings().iter().filter(|said| said.contains("none of its own")).count(), 4);
}

#[test]
fn bytes_that_are_not_the_locks() {
    let bench = Bench::new();
    let mut shelf = Shelf::of(&[evil(), Wheel::new("good", "1.0").module()]);
    let lock = shelf.lock();
    shelf.corrupt("evil-1.0-py3-none-any.whl", Wheel::new("evil", "1.0").file("evil/other.py", "").build());
    let error = bench.install(&lock, &shelf).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Refused);
    assert_eq!(error.to_string(), "evil-1.0-py3-none-any.whl does not match its hash");
    assert_eq!(error.details, ["locked as evil==1.0"]);
    assert!(!bench.root().exists());
    // Nor when the index told no hash.
    shelf.edit("evil-1.0-py3-none-any.whl", |file| file.sha256 = None);
    let error = bench.install(&lock, &shelf).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Refused);
    assert_eq!(error.to_string(), "evil-1.0-py3-none-any.whl does not match its hash");
    assert!(
        error.details[0].starts_with("expected sha256:") && error.details[1].starts_with("received sha256:")
    );
    assert!(!bench.root().exists());
    // A listing that tells another hash is believed no more than the bytes.
    let shelf =
        Shelf::of(&[Wheel::new("evil", "1.0").file("evil/other.py", ""), Wheel::new("good", "1.0").module()]);
    let error = bench.install(&lock, &shelf).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Refused);
    assert_eq!(error.to_string(), "evil-1.0-py3-none-any.whl is not the file that the lock means");
    assert!(!bench.root().exists());
}

//! Hostile archives: each is refused, and leaves no file behind.

use std::fs;
use std::os::unix::fs::symlink;

use pinfast::error::ErrorKind;
use pinfast::install::WheelLimits;
use pinfast::packaging::PackageName;

use crate::kit::{Fixture, MemoryFiles, tree};
use pinfast_testkit::wheel::Wheel;
use pinfast_testkit::zip::{ZipEntry, zip};

fn evil() -> Wheel {
    Wheel::new("evil", "1.0").module()
}

/// Installs one archive into a new environment and returns the refusal.
fn refusal(archive: Vec<u8>) -> String {
    refusal_on(&Fixture::new(), archive)
}

fn refusal_on(fixture: &Fixture, archive: Vec<u8>) -> String {
    let mut source = MemoryFiles::default();
    source.add("evil-1.0-py3-none-any.whl", &PackageName::new("evil").unwrap(), archive);
    let before = tree(fixture.folder.path());
    let error = fixture.install(&source.lock(), &source).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Refused, "{error}");
    let mut after = tree(fixture.folder.path());
    after.retain(|path, _| path == "cache/pins/" || !path.starts_with("cache/pins/"));
    assert_eq!(after, before, "something is left: {error}");
    error.to_string()
}

fn said(archive: Vec<u8>, expected: &str) {
    let said = refusal(archive);
    assert!(said.contains(expected), "expected `{expected}`\n     got `{said}`");
}

#[test]
fn paths_that_leave_the_folder_are_refused() {
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
        said(zip(&[ZipEntry::new(path, ""), ZipEntry::new("x", "")]), expected);
        said(wheel.build(), expected);
    }
}

#[test]
fn links_and_special_files_are_refused() {
    for (mode, expected) in [
        (0o120_777, "holds a link"),
        (0o020_644, "holds a special file"),
        (0o060_644, "holds a special file"),
        (0o010_644, "holds a special file"),
        (0o140_644, "holds a special file"),
        (0o040_755, "a file that is a folder"),
    ] {
        said(evil().entry(ZipEntry::new("evil/x", "/etc/passwd").mode(mode)).build(), expected);
    }
    said(evil().entry(ZipEntry::new("evil/x/", "data").mode(0o040_755)).build(), "data in the folder");
    said(evil().entry(ZipEntry::new("evil/x/", "").mode(0o100_755)).build(), "a file that is a folder");
    said(evil().entry(ZipEntry::new("evil/x/", "target").mode(0o120_777)).build(), "holds a link");
}

#[test]
fn clashing_names_are_refused() {
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
fn names_that_readers_decode_differently_are_refused() {
    let mut hidden = ZipEntry::new("evil/good.py", "x");
    hidden.local_name = Some(b"evil/evil.py".to_vec());
    said(evil().entry(hidden).build(), "is broken");
    let latin = ZipEntry { name: b"evil/\xe4".to_vec(), ..ZipEntry::new("evil/a", "x") };
    said(evil().entry(latin).build(), "not UTF-8");
    let unflagged = ZipEntry { flags: 0, ..ZipEntry::new("evil/ä", "x") };
    said(evil().entry(unflagged).build(), "not UTF-8");
    let encrypted = ZipEntry { flags: 1, ..ZipEntry::new("evil/a", "x") };
    said(evil().entry(encrypted).build(), "encrypted");
    let method = ZipEntry { method: 12, ..ZipEntry::new("evil/a", "x") };
    refusal(evil().entry(method).build());
}

#[test]
fn archives_with_false_sizes_or_checksums_are_refused() {
    let crc = ZipEntry { crc: Some(1), ..ZipEntry::new("evil/a", "x") };
    said(evil().entry(crc).build(), "is broken");
    let short = ZipEntry { declared_size: Some(1), ..ZipEntry::new("evil/a", "xyz") };
    refusal(evil().entry(short).build());
    let long = ZipEntry { declared_size: Some(1000), ..ZipEntry::new("evil/a", "xyz") };
    refusal(evil().entry(long).build());
    let bytes = evil().build();
    for end in [0, 1, 21, bytes.len() / 2, bytes.len() - 1] {
        refusal(bytes[..end].to_vec());
    }
    said([b"#!/bin/sh\n".to_vec(), bytes.clone()].concat(), "other data before");
    refusal(vec![0; 4096]);
}

#[test]
fn decompression_bombs_are_refused() {
    let limits = WheelLimits { free: 1 << 20, ratio: 20, entries: 100, ..WheelLimits::default() };
    let fixture = || Fixture { limits, ..Fixture::new() };
    let zeros = evil().file("evil/zeros", vec![0; 8 << 20]).build();
    assert!(refusal_on(&fixture(), zeros).contains("would unpack to"));
    let many = (0..200).fold(evil(), |wheel, at| wheel.file(&format!("evil/{at}"), "")).build();
    assert!(refusal_on(&fixture(), many).contains("entries, more than 100"));
    // One that hides its size: the headers say little, the stream goes on.
    let mut hidden = ZipEntry::new("evil/zeros", vec![0; 8 << 20]);
    hidden.declared_size = Some(10);
    refusal_on(&fixture(), evil().entry(hidden).build());
}

#[test]
fn a_record_that_disagrees_with_the_archive_is_refused() {
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
fn metadata_of_another_release_is_refused() {
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
    said(zip(&[ZipEntry::new("evil/x", "")]), "it is not a wheel");
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
fn files_that_would_overwrite_the_environment_are_refused() {
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
    let mut source = MemoryFiles::of(&[evil().info("entry_points.txt", points)]);
    let fixture = Fixture::new();
    assert_eq!(fixture.install(&source.lock(), &source).unwrap_err().kind, ErrorKind::Refused);
    assert!(!fixture.root().exists());
    source = MemoryFiles::of(&[evil().info("entry_points.txt", "[console_scripts]\n../x = evil:run\n")]);
    assert_eq!(fixture.install(&source.lock(), &source).unwrap_err().kind, ErrorKind::Refused);
    source = MemoryFiles::of(&[evil()
        .info("entry_points.txt", "[console_scripts]\nx = evil:run\n")
        .file("evil-1.0.data/data/bin/x", "")]);
    assert_eq!(fixture.install(&source.lock(), &source).unwrap_err().kind, ErrorKind::Refused);
}

/// A sound archive may be cached; it is the environment that must not be begun.
fn refusal_without_cache(path: &str) -> String {
    let fixture = Fixture::new();
    let source = MemoryFiles::of(&[evil().file(path, "x")]);
    let error = fixture.install(&source.lock(), &source).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Refused, "{path}: {error}");
    assert!(!fixture.root().exists(), "{path}");
    error.to_string()
}

#[test]
fn nothing_is_written_through_a_link() {
    let fixture = Fixture::new();
    let empty = MemoryFiles::default();
    fixture.install(&empty.lock(), &empty).unwrap();
    let outside = fixture.folder.path().join("outside");
    fs::create_dir(&outside).unwrap();
    symlink(&outside, fixture.site().join("evil")).unwrap();
    let source = MemoryFiles::of(&[evil()]);
    let error = fixture.install(&source.lock(), &source).unwrap_err();
    assert!(error.to_string().ends_with("is a link; nothing is written through it"), "{error}");
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 0);
    let through = MemoryFiles::of(&[Wheel::new("a", "1.0").file("a-1.0.data/data/lib64/x", "")]);
    let error = fixture.install(&through.lock(), &through).unwrap_err();
    assert!(error.to_string().ends_with("is a link; nothing is written through it"), "{error}");
}

#[test]
fn a_removal_stays_inside_the_environment() {
    let fixture = Fixture::new();
    let source = MemoryFiles::of(&[evil().file("evil/sub/x.py", "")]);
    fixture.install(&source.lock(), &source).unwrap();
    let outside = fixture.folder.path().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("x.py"), "precious").unwrap();
    fs::write(outside.join("y.py"), "precious").unwrap();
    let site = fixture.site();
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
    let empty = MemoryFiles::default();
    fixture.install(&empty.lock(), &empty).unwrap();
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 2);
    assert!(fixture.root().join("pyvenv.cfg").exists());
    assert!(fixture.root().join("bin/python").exists());
    assert!(!record.exists());
    assert!(!site.join("evil/__init__.py").exists());
    assert_eq!(fixture.events.warnings().iter().filter(|said| said.contains("none of its own")).count(), 4);
}

#[test]
fn a_file_with_another_hash_is_refused() {
    let fixture = Fixture::new();
    let mut source = MemoryFiles::of(&[evil(), Wheel::new("good", "1.0").module()]);
    let lock = source.lock();
    source.corrupt("evil-1.0-py3-none-any.whl", Wheel::new("evil", "1.0").file("evil/other.py", "").build());
    let error = fixture.install(&lock, &source).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Refused);
    assert_eq!(error.to_string(), "evil-1.0-py3-none-any.whl does not match its hash");
    assert_eq!(error.details, ["locked as evil==1.0"]);
    assert!(!fixture.root().exists());
    // Nor when the index has no hash.
    source.edit("evil-1.0-py3-none-any.whl", |file| file.sha256 = None);
    let error = fixture.install(&lock, &source).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Refused);
    assert_eq!(error.to_string(), "evil-1.0-py3-none-any.whl does not match its hash");
    assert!(
        error.details[0].starts_with("expected sha256:") && error.details[1].starts_with("received sha256:")
    );
    assert!(!fixture.root().exists());
    // The hash of the lock decides, not that of the listing.
    let source = MemoryFiles::of(&[
        Wheel::new("evil", "1.0").file("evil/other.py", ""),
        Wheel::new("good", "1.0").module(),
    ]);
    let error = fixture.install(&lock, &source).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Refused);
    assert_eq!(error.to_string(), "evil-1.0-py3-none-any.whl is not the file that the lock means");
    assert!(!fixture.root().exists());
}

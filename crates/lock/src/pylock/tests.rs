use insta::assert_snapshot;
use proptest::prelude::*;

use crate::samples::{any_lock, hash, lock};
use crate::*;
use pinfast_base::error::ErrorKind;

/// `lock` with its files named: a wheel and an sdist for each hash.
fn with_files(mut lock: Lock) -> Lock {
    let builds = lock.builds.iter_mut().flat_map(|build| &mut build.pins);
    for pin in lock.pins.iter_mut().chain(builds) {
        if pin.hashes.is_empty() {
            pin.hashes.push(hash("x"));
        }
        let stem = format!("{}-{}", pin.name.as_str().replace('-', "_"), pin.version);
        pin.files = pin.hashes.iter().enumerate().map(|(i, sha256)| file(&stem, i, *sha256)).collect();
        if let Some(url) = &pin.url {
            let name = url.url.path().trim_start_matches('/').into();
            pin.files = vec![LockedFile {
                name,
                sha256: pin.hashes[0],
                location: Some(FileLocation::Url(url.url.clone().into())),
                size: None,
            }];
        }
    }
    lock.sort();
    lock
}

fn file(stem: &str, i: usize, sha256: pinfast_packaging::Sha256) -> LockedFile {
    let name = match i {
        0 => format!("{stem}.tar.gz"),
        i => format!("{stem}-{i}-py3-none-any.whl"),
    };
    let url = format!("https://user:secret@files.example/{}/{name}", &sha256.to_string()[..4]);
    LockedFile {
        name: name.into(),
        sha256,
        location: Some(FileLocation::Url(url.parse().unwrap())),
        size: Some(1000),
    }
}

/// `lock` as it is read: nowhere a credential, no places.
fn as_read(mut lock: Lock) -> Lock {
    let builds = lock.builds.iter_mut().flat_map(|build| &mut build.pins);
    for pin in lock.pins.iter_mut().chain(builds) {
        pin.at = None;
        for file in &mut pin.files {
            if let Some(FileLocation::Url(url)) = &mut file.location {
                let mut plain = url::Url::clone(url);
                plain.set_username("").unwrap();
                plain.set_password(None).unwrap();
                *url = plain.into();
            }
        }
    }
    lock
}

fn write(lock: &Lock) -> String {
    lock.write_pylock(&PylockCompatibility::default(), Annotations::Via).unwrap()
}

#[test]
fn a_lock_is_a_pylock() {
    let mut made = with_files(lock());
    made.pins.retain(|pin| ["colorama", "google-auth", "house"].contains(&pin.name.as_str()));
    made.pins[1].hashes.push(hash("y"));
    made = with_files(made);
    let facts = PylockCompatibility {
        requires_python: Some(">=3.11".parse().unwrap()),
        environments: vec!["sys_platform == 'linux'".parse().unwrap()],
    };
    let text = made.write_pylock(&facts, Annotations::Via).unwrap();
    assert_snapshot!(text, @r#"
    lock-version = "1.0"
    environments = [
        "sys_platform == 'linux'",
    ]
    requires-python = ">=3.11"
    created-by = "pinfast"

    [tool.pinfast]
    format = 1
    digest = "sha256:4d0bf9a5e075962711a65dfa48d0279d150d60c351709b0535a3e4e2f5dfaf0b"
    targets = [
        "cpython 3.11.0 manylinux_2_28_x86_64",
        "cpython 3.11.0 win_amd64",
    ]

    [[tool.pinfast.inputs]]
    file = "requirements.in"
    lines = [
        "-c httpx<1",
        "certifi",
        "google-genai>=1.50",
    ]

    [[tool.pinfast.inputs]]
    file = "dev.in"
    lines = [
        "house @ sha256:0123456789ab",
    ]

    [[tool.pinfast.options]]
    name = "exclude-newer"
    value = "2026-01-01"

    [[tool.pinfast.options]]
    name = "pre"
    value = ""

    [[packages]]
    name = "colorama"
    version = "0.4.6"
    marker = "sys_platform == 'win32'"
    sdist = { name = "colorama-0.4.6.tar.gz", url = "https://files.example/06db/colorama-0.4.6.tar.gz", size = 1000, hashes = { sha256 = "06dbb08e684d2eb526480e5ed3ef1ba6f3d8e89e390d76f5ed2a15ede21164a6" } }

    [packages.tool.pinfast]
    via = [
        "httpx",
    ]

    [[packages]]
    name = "google-auth"
    version = "2.47.0"
    sdist = { name = "google_auth-2.47.0.tar.gz", url = "https://files.example/b9b0/google_auth-2.47.0.tar.gz", size = 1000, hashes = { sha256 = "b9b062f5ffb2cf05376f9f233a49e33d6d62109003d7f40e826c0f9315991e3e" } }
    wheels = [
        { name = "google_auth-2.47.0-1-py3-none-any.whl", url = "https://files.example/a1fc/google_auth-2.47.0-1-py3-none-any.whl", size = 1000, hashes = { sha256 = "a1fce4363854ff888cff4b8e7875d600c2682390412a8cf79b37d0b11148b0fa" } },
    ]

    [packages.tool.pinfast]
    via = [
        "google-genai (>=2.47.0,<3)",
    ]

    [[packages]]
    name = "house"
    version = "1.0"
    archive = { url = "https://files.example/house-1.0-py3-none-any.whl", hashes = { sha256 = "d8679babdcb043c45985d9c5beaaf7700abd83ea862d37947f1cd1ba8fc2d1de" } }

    [packages.tool.pinfast]
    via = [
        "-r dev.in",
    ]
    "#);
}

#[test]
fn a_file_beside_the_lock_is_a_path() {
    let mut made = with_files(lock());
    made.pins[0].files[0].location = Some(FileLocation::Path("wheels/certifi.tar.gz".into()));
    let text = write(&made);
    assert!(text.contains("path = \"wheels/certifi.tar.gz\""), "{text}");
    let read = ParsedLock::read(&text, "pylock.toml").unwrap().strict().unwrap();
    assert_eq!(as_read(read), as_read(made));
}

#[test]
fn a_file_that_several_targets_share_stands_once() {
    let mut made = with_files(lock());
    let twice = made.pins[0].files.clone();
    made.pins[0].files.extend(twice);
    made.sort();
    assert_eq!(write(&made), write(&with_files(lock())));
}

#[test]
fn a_lock_without_places_is_no_pylock() {
    let error = lock().write_pylock(&PylockCompatibility::default(), Annotations::Via).unwrap_err();
    assert_eq!(error.message, "a pylock.toml must say where each file is, and that is not known of certifi");
}

proptest! {
    #[test]
    fn what_is_written_is_read(lock in any_lock()) {
        let lock = with_files(lock);
        let text = write(&lock);
        let parsed = ParsedLock::read(&text, "pylock.prod.toml").unwrap();
        let whole = if lock.header.is_some() { Integrity::Intact } else { Integrity::Foreign };
        prop_assert_eq!(&parsed.integrity, &whole);
        prop_assert!(!text.contains("secret"));
        prop_assert_eq!(as_read(parsed.strict().unwrap()), as_read(lock));
        let crlf = text.replace('\n', "\r\n");
        prop_assert_eq!(ParsedLock::read(&crlf, "pylock.toml").unwrap().integrity, whole);
    }

    #[test]
    fn no_cut_makes_the_reader_panic(from in 0usize..4000, to in 0usize..4000) {
        let text = write(&with_files(lock()));
        if let Some(cut) = text.get(from.min(to)..from.max(to).min(text.len())) {
            let _ = ParsedLock::read(cut, "pylock.toml");
        }
    }
}

#[test]
fn an_edit_is_noticed() {
    let text = write(&with_files(lock()));
    let read = |text: &str| ParsedLock::read(text, "pylock.toml").unwrap().integrity;
    assert_eq!(read(&text), Integrity::Intact);
    assert_eq!(
        read(&text.replace("google_auth-2.47.0", "google_auth-2.38.0")),
        Integrity::Edited { line: None }
    );
    assert_eq!(read(&text.replace("format = 1", "format = 9")), Integrity::NewerFormat(9));
    assert_eq!(read(&text.replace("tool.pinfast", "tool.other")), Integrity::Foreign);
}

/// As other tools write it: no `[tool.pinfast]`, names of files in the URL alone.
#[test]
fn what_other_tools_write_is_read() {
    let (a, b) = ("a".repeat(64), "b".repeat(64));
    let text = format!(
        r#"lock-version = "1.0"
created-by = "other"
requires-python = ">=3.11"
extras = []

[[packages]]
name = "anyio"
version = "4.6.0"
marker = "python_full_version >= '3.11'"
index = "https://index.example/simple"
sdist = {{ url = "https://files.example/anyio-4.6.0.tar.gz", upload-time = 2024-09-21T10:33:28Z, size = 7, hashes = {{ sha256 = "{a}" }} }}
wheels = [{{ url = "https://files.example/anyio%2D4.6.0-py3-none-any.whl", hashes = {{ sha256 = "{b}", md5 = "1" }} }}]

[[packages]]
name = "tool"
archive = {{ url = "https://files.example/tool-3.2.tar.gz", hashes = {{ sha256 = "{a}" }} }}
"#
    );
    let parsed = ParsedLock::read(&text, "pylock.toml").unwrap();
    assert_eq!(parsed.integrity, Integrity::Foreign);
    let lock = parsed.strict().unwrap();
    assert_eq!(lock.pins[0].requirement(), "anyio==4.6.0 ; python_version >= '3.11'");
    let names: Vec<_> = lock.pins[0].files.iter().map(|file| &*file.name).collect();
    assert_eq!(names, ["anyio-4.6.0-py3-none-any.whl", "anyio-4.6.0.tar.gz"]);
    assert_eq!(lock.pins[1].requirement(), "tool @ https://files.example/tool-3.2.tar.gz");
    assert_eq!(lock.pins[1].version.to_string(), "3.2");
    assert_eq!(lock.pins[1].at.as_ref().unwrap().line, 15);
}

#[test]
fn strict_reading_bars_what_is_no_lock() {
    let head = "lock-version = \"1.0\"\ncreated-by = \"x\"\n";
    let package = |rest: &str| format!("{head}[[packages]]\nname = \"a\"\nversion = \"1\"\n{rest}");
    let wheel = "wheels = [{ name = \"a-1-py3-none-any.whl\", url = \"https://h.example/x\", hashes = { sha256 = \"12\" } }]";
    for (text, message) in [
        (package(""), "pylock.toml:4:8: `a` has no SHA-256 hash"),
        (package(wheel), "pylock.toml:4:8: a-1-py3-none-any.whl: a SHA-256 digest has 64 hexadecimal digits"),
        (package("vcs = {}"), "pylock.toml:4:8: `a` is a source tree, which has no hash"),
        (package("directory = {}"), "pylock.toml:4:8: `a` is a source tree, which has no hash"),
        (package("marker = \"what\""), "pylock.toml:6:10: "),
        (head.replace("1.0", "2.0") + "packages = []", "pylock.toml:1:16: the lock-version 2.0 is not known"),
        (head.to_owned(), "pylock.toml:1:1: missing field `packages`"),
        ("a = [".to_owned(), "pylock.toml:1:"),
    ] {
        let error = ParsedLock::read(&text, "pylock.toml").and_then(ParsedLock::strict).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Usage);
        assert!(error.message.starts_with(message), "{}", error.message);
        assert!(!error.hints.is_empty());
    }
}

#[test]
fn the_name_tells_a_pylock() {
    for (name, expected) in [
        ("pylock.toml", true),
        ("locks/pylock.prod.toml", true),
        (r"locks\pylock.prod.toml", true),
        ("pylock..toml", false),
        ("pylock.a.b.toml", false),
        ("my-pylock.toml", false),
        ("pylock.txt", false),
        ("pylocktoml", false),
    ] {
        assert_eq!(is_pylock(name), expected, "{name}");
    }
}

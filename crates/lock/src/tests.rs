use insta::assert_snapshot;
use proptest::prelude::*;

use super::samples::{any_lock, hash, header, lock, name, pin, pip_compile, uv};
use super::*;
use pinfast_base::error::ErrorKind;

fn unplaced(mut lock: Lock) -> Lock {
    let builds = lock.builds.iter_mut().flat_map(|build| &mut build.pins);
    lock.pins.iter_mut().chain(builds).for_each(|pin| pin.at = None);
    lock
}

/// Hashes shortened, for snapshots.
fn short(text: &str) -> String {
    let cut = |line: &str| match line.split_once("sha256:") {
        Some((before, rest)) => format!("{before}sha256:…{}", rest.get(64..).unwrap_or("")),
        None => line.to_owned(),
    };
    text.lines().map(cut).collect::<Vec<_>>().join("\n")
}

/// pip and uv see comments only; pinfast sees what each build requires.
#[test]
fn builds_are_comments_and_read_back_with_their_places() {
    let needs = vec![pin("setuptools==80.9.0", &[]), pin("wheel==0.45 ; python_version < '3.12'", &[])];
    let build = PermittedBuild { name: name("docopt"), version: Version::new([0, 6, 2]), pins: needs };
    let mut lock = Lock { pins: vec![pin("docopt==0.6.2", &[])], builds: vec![build], ..lock() };
    lock.sort();
    let text = lock.write(&WriteOptions::default());
    assert_snapshot!(short(text.split_once("\n\n").unwrap().1), @r"
    docopt==0.6.2 \
        --hash=sha256:…

    # build: docopt==0.6.2
    #     setuptools==80.9.0
    #         --hash=sha256:…
    #     wheel==0.45 ; python_version < '3.12'
    #         --hash=sha256:…
    ");
    assert_eq!(integrity(&text), Integrity::Intact);
    assert_eq!(unplaced(Lock::parse_strict(&text, "l.txt").unwrap()), lock);
    let at = |text: &str| Lock::parse(text, "l.txt").unwrap().builds[0].pins[0].at.clone().unwrap();
    let line = text.lines().position(|line| line.contains("setuptools")).unwrap() + 1;
    assert_eq!((at(&text).line as usize, at(&text).column), (line, 7));
    // A problem in a build keeps the lock from being installed from, with its place.
    let broken = text.replace("#     setuptools==80.9.0", "#     setuptools>=80");
    let message = Lock::parse_strict(&broken, "l.txt").unwrap_err().message;
    assert_eq!(message, format!("l.txt:{line}:7: `setuptools>=80` is not an exact pin"));
    // Another tool's comments permit nothing.
    let foreign = text.split_once("\n\n").unwrap().1;
    assert_eq!(Lock::parse(foreign, "l.txt").unwrap().builds, []);
}

#[test]
fn a_lock_is_a_requirements_file() {
    assert_snapshot!(short(&lock().write(&WriteOptions::default())), @r"
    # pinfast lock, format 1. Change the inputs, not this file, then run:
    #     pinfast lock requirements.in dev.in --exclude-newer 2026-01-01 --pre
    #
    # input: requirements.in
    #     -c httpx<1
    #     certifi
    #     google-genai>=1.50
    # input: dev.in
    #     house @ sha256:…
    # target: cpython 3.11.0 manylinux_2_28_x86_64
    # target: cpython 3.11.0 win_amd64
    # option: exclude-newer 2026-01-01
    # option: pre
    # digest: sha256:…

    certifi==2026.1.4 \
        --hash=sha256:…
        # via
        #   -r requirements.in
        #   google-auth
        #   httpx
    colorama==0.4.6 ; sys_platform == 'win32' \
        --hash=sha256:…
        # via httpx
    google-auth==2.47.0 \
        --hash=sha256:…
        # via google-genai (>=2.47.0,<3)
    google-genai==1.60.0 \
        --hash=sha256:…
        # via -r requirements.in
    house @ https://files.example/house-1.0-py3-none-any.whl \
        --hash=sha256:…
        # via -r dev.in
    httpx==0.28.1 \
        --hash=sha256:…
        # via
        #   -c c.txt
        #   google-genai ([socks]>=0.28)
    ");
}

#[test]
fn annotations_can_be_left_out() {
    let options = WriteOptions { annotations: Annotations::Off, output: "locks/prod.txt".into() };
    let text = lock().write(&options);
    assert!(!text.contains("# via"));
    assert!(text.contains(
        "\n#     pinfast lock requirements.in dev.in --exclude-newer 2026-01-01 --pre -o locks/prod.txt\n"
    ));
    assert_eq!(integrity(&text), Integrity::Intact);
}

#[test]
fn a_url_without_version_gets_a_version_comment() {
    let mut made = lock();
    let pin = made.pins.iter_mut().find(|pin| pin.url.is_some()).unwrap();
    pin.url.as_mut().unwrap().url = "https://user:secret@files.example/main.zip".parse().unwrap();
    let text = made.write(&WriteOptions::default());
    assert!(text.contains("house @ https://files.example/main.zip \\\n"), "{text}");
    assert!(text.contains("    # version 1.0\n    # via -r dev.in\n"), "{text}");
    let read = Lock::parse_strict(&text, "requirements.txt").unwrap();
    assert_eq!(read.pins_of(&name("house")).next().unwrap().version.to_string(), "1.0");
}

#[test]
fn one_changed_requirement_changes_few_lines() {
    let mut other = lock();
    other.header.as_mut().unwrap().inputs[0].lines[2] = "google-genai>=1.55".into();
    let (old, new) = (lock().write(&WriteOptions::default()), other.write(&WriteOptions::default()));
    let changed = old.lines().zip(new.lines()).filter(|(old, new)| old != new).count();
    assert_eq!(changed, 2, "the requirement and the digest");
}

proptest! {
    #[test]
    fn a_written_lock_reads_back(lock in any_lock()) {
        let text = lock.write(&WriteOptions::default());
        let parsed = ParsedLock::read(&text, "requirements.txt").unwrap();
        let whole = if lock.header.is_some() { Integrity::Intact } else { Integrity::Foreign };
        prop_assert_eq!(&parsed.integrity, &whole);
        let pins = lock.pins.iter().chain(lock.builds.iter().flat_map(|build| &build.pins));
        let unhashed = pins.filter(|pin| pin.hashes.is_empty()).count();
        prop_assert_eq!(parsed.problems.len(), unhashed, "{:?}", &parsed.problems);
        prop_assert_eq!(unplaced(parsed.lock), lock.clone());
        // And a checkout with CRLF is no edit.
        let crlf = text.replace('\n', "\r\n");
        prop_assert_eq!(integrity(&crlf), whole);
        prop_assert_eq!(unplaced(Lock::parse(&crlf, "-").unwrap()), lock);
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in r"([a-z=@;#\\\n -]|--hash=sha256:|# via|\(|\)|>=1|==1|# pinfast lock, format 1|\[|'|ä|\u2028|# version ){0,60}") {
        let _ = ParsedLock::read(&text, "f").unwrap().strict();
    }

    #[test]
    fn no_cut_makes_the_reader_panic(from in 0usize..2000, to in 0usize..2000) {
        let text = lock().write(&WriteOptions::default());
        if let Some(cut) = text.get(from.min(to)..from.max(to).min(text.len())) {
            let _ = ParsedLock::read(cut, "f").unwrap().strict();
        }
    }

    #[test]
    fn any_changed_byte_is_noticed(at in 0usize..4000, byte in b' '..b'~') {
        let text = lock().write(&WriteOptions::default());
        let mut bytes = text.clone().into_bytes();
        let at = at % bytes.len();
        prop_assume!(bytes[at] != byte && bytes[at].is_ascii());
        bytes[at] = byte;
        let edited = String::from_utf8(bytes).unwrap();
        prop_assert_ne!(integrity(&edited), Integrity::Intact);
    }
}

#[test]
fn what_pip_compile_writes_is_read() {
    let parsed = ParsedLock::read(&pip_compile(), "requirements.txt").unwrap();
    assert_eq!(parsed.integrity, Integrity::Foreign);
    let options: Vec<_> = parsed.options.iter().map(|o| (o.name, o.value.as_str(), o.at.line)).collect();
    assert_eq!(
        options,
        [("index-url", "https://index.example/simple", 7), ("trusted-host", "index.example", 8)]
    );
    assert_snapshot!(show(&parsed.strict().unwrap()), @r#"
    anyio==4.6.0 | [] | 2 hashes | httpx & starlette
    colorama==0.4.6 ; sys_platform == 'win32' | [] | 1 hashes | -r requirements.in
    setuptools==75.1.0 | [] | 1 hashes | anyio
    uvicorn==0.31.0 | ["standard"] | 1 hashes | -r pyproject.toml
    "#);
}

#[test]
fn what_uv_writes_is_read() {
    let parsed = ParsedLock::read(uv(), "requirements.txt").unwrap();
    assert_eq!(parsed.problems.len(), 3, "no hashes: {:?}", parsed.problems);
    assert_snapshot!(show(&parsed.lock), @r"
    numpy==1.26.4 ; python_version < '3.12' | [] | 0 hashes | -r requirements.in & -c limits.txt
    numpy==2.1.1 ; python_version >= '3.12' | [] | 0 hashes | -r requirements.in & -c limits.txt
    tool @ https://files.example/tool-3.2-py3-none-any.whl | [] | 0 hashes | -r requirements.in
    ");
}

fn show(lock: &Lock) -> String {
    let line = |pin: &Pin| {
        let extras: Vec<_> = pin.extras.iter().map(ToString::to_string).collect();
        let via: Vec<_> = pin.via.iter().map(ToString::to_string).collect();
        format!("{} | {extras:?} | {} hashes | {}", pin.requirement(), pin.hashes.len(), via.join(" & "))
    };
    lock.pins.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn an_edit_is_noticed_and_placed_where_it_shows() {
    let text = lock().write(&WriteOptions::default());
    let edited = |old: &str, new: &str| {
        assert!(text.contains(old), "{old}");
        integrity(&text.replacen(old, new, 1))
    };
    assert_eq!(integrity(&text), Integrity::Intact);
    assert_eq!(integrity(&format!("\u{feff}{text}")), Integrity::Intact);
    assert_eq!(edited("google-auth==2.47.0", "google-auth==2.38.0"), Integrity::Edited { line: None });
    assert_eq!(edited("google-auth==2.47.0", "google-auth==2.47.0 "), Integrity::Edited { line: Some(25) });
    assert_eq!(edited("\n#     certifi\n", "\n"), Integrity::Edited { line: None });
    assert_eq!(edited("# digest: ", "# digest; "), Integrity::Edited { line: Some(14) });
    assert_eq!(edited("lock, format 1", "lock, format 2"), Integrity::NewerFormat(2));
    assert_eq!(edited("# pinfast lock", "# other lock"), Integrity::Foreign);
    assert_eq!(
        integrity(&format!("{text}\n# digest: sha256:{}\n", hash("x"))),
        Integrity::Edited { line: Some(39) }
    );
    assert_eq!(integrity(""), Integrity::Foreign);
}

#[test]
fn strict_reading_bars_what_is_no_lock() {
    let h = format!("--hash=sha256:{}", hash("x"));
    for (text, (line, column), message) in [
        ("a==1\n", (1, 1), "`a` has no SHA-256 hash"),
        (&*format!("\n  a>=1 {h}"), (2, 3), "`a>=1` is not an exact pin"),
        (&*format!("a==1.* {h}"), (1, 1), "`a==1.*` is not an exact pin"),
        (&*format!("a==1,>0 {h}"), (1, 1), "`a==1,>0` is not an exact pin"),
        (&*format!("a {h}"), (1, 1), "`a` is not an exact pin"),
        (&*format!("a==1 {h}\nA==2 {h}"), (2, 1), "`a` is pinned on line 1 too, for the same environments"),
        (
            &*format!("a==1;os_name=='nt' {h}\na==2;sys_platform=='win32' {h}"),
            (2, 1),
            "`a` is pinned on line 1 too, for the same environments",
        ),
        ("-e .\n", (1, 1), "an editable requirement cannot be locked"),
        ("-r b.txt\n", (1, 1), "`-r` names another file, but a lock holds all its pins"),
        ("--frob x\n", (1, 1), "a lock cannot hold the option `--frob`"),
        (
            &*format!("a==1 {h} \\\n  --config-settings x"),
            (2, 3),
            "a pin cannot have the option `--config-settings`",
        ),
        ("a==1 \\\n    --hash=sha256:12", (2, 5), "a SHA-256 digest has 64 hexadecimal digits"),
        ("a==1 --hash=md5:12", (1, 6), "expected a hash such as `--hash=sha256:…`"),
        ("a==1 --hash=sha512:12", (1, 1), "`a` has no SHA-256 hash"),
        (&*format!("<<<<<<< HEAD\na==1 {h}"), (1, 1), "this is a conflict marker of an unfinished merge"),
        (&*format!("a==1\u{b}b==2 {h}"), (1, 1), "a control character or a foreign line end"),
        (&*format!("a @ git+https://h.example/a {h}"), (1, 1), "the URL of `a` does not name a version"),
    ] {
        let error = Lock::parse_strict(text, "r.txt").unwrap_err();
        assert_eq!(error.kind, ErrorKind::Usage);
        assert_eq!(error.message, format!("r.txt:{line}:{column}: {message}"), "{text:?}");
        assert!(error.details.len() >= 2 && !error.hints.is_empty(), "{error:?}");
    }
    for text in [
        format!("a==1;os_name=='nt' {h}\na==2;os_name!='nt' {h}"),
        format!("a==1 --hash sha256:{} {h}", hash("y")),
        format!("a===1 {h}"),
        format!("a @ https://files.example/a-1.0.tar.gz#sha256={}", hash("x")),
        format!("--pre\n--no-binary=:all:\na==1 ; platform_version == ' -x' {h} # via b"),
        String::new(),
    ] {
        let read = Lock::parse_strict(&text, "r.txt");
        assert!(read.is_ok(), "{text}: {read:?}");
    }
}

#[test]
fn the_error_shows_the_place() {
    let text = "ok==1 \\\n    --hash=sha256:zz\nfoo<9\n";
    let error = Lock::parse_strict(text, "r.txt").unwrap_err();
    assert_snapshot!(format!("{error}\n{}\n= {}", error.details.join("\n"), error.hints.join("\n= ")), @r"
    r.txt:2:5: a SHA-256 digest has 64 hexadecimal digits
    2 |     --hash=sha256:zz
      |     ^^^^^^^^^^^^^^^^
    r.txt:3:1: `foo<9` is not an exact pin
    3 | foo<9
      | ^^^^^
    = run `pinfast lock` to write it again
    = a lock holds exact pins, `name==version`: put the requirement into the input, and run `pinfast lock`
    ");
}

#[test]
fn a_newer_format_is_not_installed_from() {
    let text = lock().write(&WriteOptions::default()).replace("format 1", "format 7");
    let error = Lock::parse_strict(&text, "r.txt").unwrap_err();
    assert_eq!(error.message, "r.txt has the lock format 7, but this pinfast knows 1 at most");
    assert_eq!(Lock::parse(&text, "r.txt").unwrap().pins.len(), 6, "its pins can still be preferred");
}

#[test]
fn each_pin_reads_back_with_its_line() {
    let text = lock().write(&WriteOptions::default());
    for pin in Lock::parse(&text, "r.txt").unwrap().pins {
        let at = pin.at.clone().unwrap();
        let line = text.lines().nth(at.line as usize - 1).unwrap();
        assert!(line.starts_with(pin.name.as_str()), "{at}: {line}");
    }
    assert_eq!(Lock::parse(&text, "r.txt").unwrap().header, Some(header()));
}

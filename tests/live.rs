//! The program on the real index: hard cases end in a bounded number of metadata fetches, and a dozen requirement
//! sets are compared with what uv makes of them. Left out of the default run; see `docs/testing.md`.

#![expect(clippy::print_stdout, reason = "what is measured and compared is for a person to read")]

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Instant;

/// Requirements that take a naive search long.
struct Hard {
    lines: &'static str,
    python: &'static str,
    /// How many files' metadata may be looked at.
    most: u32,
}

/// From the trackers of other resolvers.
const HARD: [Hard; 5] = [
    Hard { lines: "pandas[aws]\nboto3>=1", python: "3.11", most: 200 },
    // Five providers and two trains of releases go back years together, one release at a time.
    Hard { lines: "apache-airflow==2.7.3\ngoogle-cloud-logging==3.10.0", python: "3.11", most: 500 },
    Hard { lines: "docker==3\nmolecule-docker", python: "3.11", most: 120 },
    Hard { lines: "starlette<=0.36.0\nfastapi<=0.115.2", python: "3.11", most: 80 },
    Hard {
        lines: "click>=7.0\nclick-loglevel~=0.2\ndandi>=0.24.0\npsutil~=5.9\npyyaml\nselenium",
        python: "3.9",
        most: 200,
    },
];

/// What real applications ask for: a Python, then the lines.
const SETS: [(&str, &str); 13] = [
    ("3.12", "flask\nsqlalchemy\nalembic\npsycopg2-binary\ngunicorn"),
    ("3.12", "django\ndjangorestframework\ncelery[redis]\ndjango-filter"),
    ("3.11", "pandas\nmatplotlib\nscikit-learn\njupyterlab"),
    ("3.12", "fastapi[standard]\nsqlmodel\nhttpx[http2]"),
    ("3.11", "boto3\ns3fs"),
    ("3.11", "google-cloud-storage\ngoogle-cloud-bigquery\ngoogle-genai"),
    ("3.11", "aiogram\nredis[hiredis]\nopenai\ngoogle-genai\npydantic-settings"),
    ("3.10", "pytest\npytest-cov\npytest-asyncio\nhypothesis\ntox\nblack\nmypy"),
    ("3.12", "scrapy\nselenium\nplaywright"),
    ("3.11", "sphinx\nfuro\nmkdocs-material"),
    ("3.9", "django<4\ncelery<5.3\nrequests<2.28\nkombu"),
    ("3.11", "notebook<7\nipywidgets\nnbconvert"),
    ("3.11", "docker==3\nmolecule-docker"),
];

/// Runs `program` in a folder that holds the lines as `requirements.in`.
fn run(folder: &Path, program: &str, arguments: &[&str]) -> Output {
    Command::new(program)
        .current_dir(folder)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("{program} does not run: {error}"))
}

fn folder(lines: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut file = std::fs::File::create(folder.path().join("requirements.in")).expect("a file");
    writeln!(file, "{lines}").expect("a disk with room");
    folder
}

fn pinfast(folder: &Path, python: &str, more: &[&str]) -> Output {
    let always = ["lock", "-v", "--platform", "linux", "--python-version", python, "-o", "-"];
    run(folder, env!("CARGO_BIN_EXE_pinfast"), &[&always, more].concat())
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// How many files' metadata the solver looked at, as its last word on that says: those before are of builds.
fn looked_at(log: &str) -> u32 {
    let line = log.lines().rev().find_map(|line| line.split("looked at the metadata of ").nth(1));
    let number = line.and_then(|line| line.split(' ').next()?.parse().ok());
    number.unwrap_or_else(|| panic!("the log does not tell what was looked at:\n{log}"))
}

#[test]
#[ignore = "asks the real index"]
fn hard_cases_end_in_time() {
    for case in HARD {
        let folder = folder(case.lines);
        let begun = Instant::now();
        let cache = folder.path().join("cache");
        let output = pinfast(folder.path(), case.python, &["--cache-dir", &cache.to_string_lossy()]);
        let log = text(&output.stderr);
        let code = output.status.code();
        let looked_at = looked_at(&log);
        println!("{:?}: {looked_at} files, {:.1?}, exit {code:?}", case.lines, begun.elapsed());
        assert!(code == Some(0) || (code == Some(1) && log.contains("requirements.in:")), "{log}");
        assert!(looked_at <= case.most, "{}: {looked_at} files", case.lines);
    }
}

/// The pins of a lock: name and version.
fn pins(lock: &str) -> BTreeMap<String, String> {
    let lines = lock.lines().filter(|line| !line.starts_with([' ', '#']));
    let pins = lines.filter_map(|line| line.split([' ', ';', '\\']).next()?.split_once("=="));
    pins.map(|(name, version)| (name.to_owned(), version.to_owned())).collect()
}

/// Why pinfast does not take `name` at uv's `version`: its explanation when an input pins that.
fn why(folder: &Path, python: &str, name: &str, version: Option<&String>) -> String {
    let Some(version) = version else { return "uv does not need it".to_owned() };
    std::fs::write(folder.join("uv.txt"), format!("{name}=={version}\n")).expect("a disk with room");
    let output = pinfast(folder, python, &["-c", "uv.txt"]);
    if output.status.success() {
        let ours = pins(&text(&output.stdout));
        return format!("it could; then it takes {} packages", ours.len());
    }
    let log = text(&output.stderr);
    let line = log.lines().find(|line| line.starts_with("error: ")).unwrap_or("no word");
    line.trim_start_matches("error: ").to_owned()
}

#[test]
#[ignore = "asks the real index, and needs uv"]
fn a_set_that_uv_resolves_is_resolved() {
    let uv = std::env::var("UV").unwrap_or_else(|_| "uv".to_owned());
    for (python, lines) in SETS {
        let folder = folder(lines);
        let ours = pinfast(folder.path(), python, &[]);
        let platform = ["--python-platform", "x86_64-manylinux_2_28", "--python-version", python];
        let compile = ["pip", "compile", "requirements.in", "-q", "--no-annotate", "--no-header"];
        let theirs = run(folder.path(), &uv, &[&compile[..], &platform].concat());
        let (we, they) = (ours.status.success(), theirs.status.success());
        let (ours_text, theirs_text) = (text(&ours.stdout), text(&theirs.stdout));
        let (ours_pins, theirs_pins) = (pins(&ours_text), pins(&theirs_text));
        println!("{python} {lines:?}: pinfast {} packages, uv {}", ours_pins.len(), theirs_pins.len());
        assert!(we || !they, "uv resolves {lines:?}:\n{}", text(&ours.stderr));
        if we && !they {
            println!("    uv has no answer: {}", text(&theirs.stderr).lines().take(3).collect::<String>());
            continue;
        }
        for name in ours_pins.keys().chain(theirs_pins.keys().filter(|name| !ours_pins.contains_key(*name))) {
            let (our, their) = (ours_pins.get(name), theirs_pins.get(name));
            if our != their {
                let why = why(folder.path(), python, name, their);
                println!("    {name}: pinfast {our:?}, uv {their:?}; why not uv's: {why}");
            }
        }
    }
}

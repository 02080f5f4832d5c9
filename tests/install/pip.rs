//! pip installs the same wheels to the same tree, but for the documented differences.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use pinfast::install::{DownloadJob, DownloadScope, DryRun, download};

use crate::good::rich;
use crate::kit::{Fixture, MemoryFiles, python, run, tree};
use pinfast_testkit::wheel::Wheel;
use pinfast_testkit::zip::ZipEntry;

fn awkward() -> Vec<Wheel> {
    let mut platform =
        Wheel::new("plat", "1.0+local.1").module().file("plat/_x.abi3.so", b"\x7fELF".to_vec());
    platform.wheel = platform.wheel.replace("true", "false");
    vec![
        rich(),
        platform,
        Wheel::new("ns_one", "1").file("ns/one/__init__.py", ""),
        Wheel::new("ns_two", "1").file("ns/two/__init__.py", ""),
        Wheel::new("single", "0.1.dev0").file("single.py", "x = 1\n").file("single.pth", "/nowhere\n"),
        Wheel::new("shared_a", "1").file("shared/__init__.py", "").file("shared/a.py", ""),
        Wheel::new("shared_b", "1").file("shared/__init__.py", "").file("shared/b.py", ""),
        Wheel::new("signed", "1").module().info("RECORD.jws", "{}"),
        Wheel::new("folders", "1").entry(ZipEntry::new("folders/empty/", "").mode(0o040_755)).module(),
        Wheel::new("script", "1").file("script-1.data/scripts/a tool.py", "#!python -u\nprint(1)\n"),
    ]
}

/// Installs with pip into an environment made by the standard library.
fn by_pip(fixture: &Fixture, source: &MemoryFiles) -> std::path::PathBuf {
    let (wheels, root) = (fixture.folder.path().join("wheels"), fixture.folder.path().join("by-pip"));
    fs::create_dir(&wheels).unwrap();
    source.spill(&wheels);
    run(Command::new(python().0).args(["-m", "venv", "--without-pip"]).arg(&root));
    let requirements = fixture.folder.path().join("requirements.txt");
    let pins = source.lock().pins;
    let line =
        |pin: &pinfast::lock::Pin| format!("{}=={} --hash=sha256:{}\n", pin.name, pin.version, pin.hashes[0]);
    fs::write(&requirements, pins.iter().map(line).collect::<String>()).unwrap();
    run(Command::new(python().0)
        .args(["-m", "pip", "--isolated", "--disable-pip-version-check", "--python"])
        .arg(root.join("bin/python"))
        .args([
            "install",
            "--quiet",
            "--no-index",
            "--no-deps",
            "--no-compile",
            "--require-hashes",
            "--find-links",
        ])
        .arg(&wheels)
        .arg("-r")
        .arg(&requirements));
    root
}

#[test]
fn the_installed_tree_equals_that_of_pip() {
    let fixture = Fixture::new();
    let source = MemoryFiles::of(&awkward());
    let theirs = by_pip(&fixture, &source);
    fixture.install(&source.lock(), &source).unwrap();
    let (theirs, ours) = (comparable(&theirs), comparable(&fixture.root()));
    let names = |tree: &BTreeMap<String, String>| tree.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&ours), names(&theirs));
    for (path, content) in &ours {
        assert_eq!(content, &theirs[path], "{path}");
    }
}

/// A tree without what is documented to differ: our events, what makes the environment, who installed,
/// and the text of generated scripts.
fn comparable(root: &Path) -> BTreeMap<String, String> {
    let made = |path: &str| {
        path.starts_with(".pinfast")
            || matches!(path, "pyvenv.cfg" | ".gitignore" | "lib64" | "lib/" | "bin/" | "include/")
            // Empty, and not of every version of the standard library's `venv`.
            || path.starts_with("include/python")
            || path.starts_with("bin/python")
            || path.to_lowercase().starts_with("bin/activate")
    };
    let generated = |path: &str| matches!(path, "bin/call-me" | "bin/win") || path.ends_with("/INSTALLER");
    let files = tree(root).into_iter().filter(|(path, _)| !made(path)).map(|(path, content)| {
        let content = String::from_utf8_lossy(&content).replace(root.to_str().unwrap(), "ROOT");
        let content = match path.rsplit('/').next() {
            _ if generated(&path) => String::new(),
            Some("RECORD") => without_hashes(&content),
            _ => content,
        };
        (path, content)
    });
    files.collect()
}

/// A RECORD without the hashes of what is documented to differ.
fn without_hashes(record: &str) -> String {
    let differs = |line: &str| {
        ["INSTALLER,", "bin/call-me,", "bin/win,", "bin/hello,", "bin/a tool.py,"]
            .iter()
            .any(|name| line.contains(name))
    };
    let lines = record.split_inclusive('\n');
    lines
        .map(
            |line| {
                if differs(line) {
                    line.split(',').next().unwrap().to_owned() + "\n"
                } else {
                    line.to_owned()
                }
            },
        )
        .collect()
}

#[test]
fn pip_lists_and_uninstalls_what_was_installed() {
    let fixture = Fixture::new();
    let source = MemoryFiles::of(&[rich()]);
    fixture.install(&source.lock(), &source).unwrap();
    let pip = |args: &[&str]| {
        let mut command = Command::new(python().0);
        command.args(["-m", "pip", "--isolated", "--disable-pip-version-check", "--python"]);
        run(command.arg(fixture.root().join("bin/python")).args(args))
    };
    assert_eq!(pip(&["list", "--format=freeze"]), "rich.demo==1.0.0");
    assert_eq!(pip(&["check"]), "No broken requirements found.");
    pip(&["uninstall", "--yes", "rich.demo"]);
    for path in ["bin/hello", "share/demo/data.txt", "bin/call-me"] {
        assert!(!fixture.root().join(path).exists(), "{path}");
    }
    assert_eq!(fs::read_dir(fixture.site()).map_or(0, Iterator::count), 0);
}

#[test]
fn pip_installs_from_a_download_by_index_and_by_links() {
    let fixture = Fixture::new();
    let source = MemoryFiles::of(&[rich(), Wheel::new("plat", "1.0+local.1").module()]);
    let folder = fixture.folder.path().join("files");
    let lock = source.lock();
    let request =
        DownloadJob { lock: &lock, folder: &folder, scope: DownloadScope::All, dry_run: DryRun::No };
    let outcome = download(&request, &source, &fixture.events).unwrap();
    assert_eq!((outcome.files.len(), outcome.fetched), (2, 2));
    let again = download(&request, &source, &fixture.events).unwrap();
    assert_eq!((again.files, again.fetched), (outcome.files, 0));
    let other = MemoryFiles::of(&[Wheel::new("Rich_Demo", "2.0").module()]);
    let other_lock = other.lock();
    let more =
        DownloadJob { lock: &other_lock, folder: &folder, scope: DownloadScope::All, dry_run: DryRun::No };
    download(&more, &other, &fixture.events).unwrap();
    let page = fs::read_to_string(folder.join("simple/rich-demo/index.html")).unwrap();
    assert_eq!(page.matches("<a href").count(), 2);
    let pip = |source: &[&str], into: &str| {
        let mut command = Command::new(python().0);
        command.args([
            "-m",
            "pip",
            "--isolated",
            "--disable-pip-version-check",
            "download",
            "--quiet",
            "--no-deps",
            "--dest",
        ]);
        command.arg(fixture.folder.path().join(into)).args(source);
        run(command.args(["plat==1.0+local.1", "rich.demo==1.0"]))
    };
    pip(&["--no-index", "--find-links", folder.to_str().unwrap()], "links");
    pip(&["--index-url", &format!("file://{}/simple", folder.display())], "index");
    for into in ["links", "index"] {
        assert_eq!(fs::read_dir(fixture.folder.path().join(into)).unwrap().count(), 2, "{into}");
    }
    // A damaged file is fetched again; one that cannot be right leaves nothing.
    fs::write(folder.join("Rich_Demo-1.0-py3-none-any.whl"), "x").unwrap();
    assert_eq!(download(&request, &source, &fixture.events).unwrap().fetched, 1);
    let mut bad = MemoryFiles::of(&[rich(), Wheel::new("plat", "1.0+local.1").module()]);
    bad.corrupt("Rich_Demo-1.0-py3-none-any.whl", b"x".to_vec());
    let elsewhere = fixture.folder.path().join("elsewhere");
    let request = DownloadJob { folder: &elsewhere, ..request };
    download(&request, &bad, &fixture.events).unwrap_err();
    let left: Vec<_> = tree(&elsewhere).into_keys().filter(|name| name.contains("Rich")).collect();
    assert_eq!(left, [""; 0]);
}

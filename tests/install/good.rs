//! Installing sound wheels into real environments.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::process::Command;

use crate::kit::{Fixture, MemoryFiles, run, tree};
use pinfast::install::venv::BasePython;
use pinfast::install::{
    Compile, Destination, DryRun, Environment, EnvironmentKind, Inspection, InstallJob, InstallReason, Prune,
    Strictness, VerifyFinding, VerifyJob, install, verify,
};
use pinfast::lock::Lock;
use pinfast::python::Prober;
use pinfast_testkit::wheel::Wheel;
use pinfast_testkit::zip::ZipEntry;

fn findings(fixture: &Fixture, lock: &Lock) -> Vec<VerifyFinding> {
    let environment = fixture.environment();
    let request =
        VerifyJob { lock, environment: &environment, prune: fixture.prune, strictness: Strictness::Strict };
    verify(&request).unwrap().findings
}

/// A wheel with everything that a wheel may have.
pub(crate) fn rich() -> Wheel {
    let mut wheel = Wheel::new("Rich_Demo", "1.0").module();
    wheel.metadata = "Metadata-Version: 2.1\nName: rich.demo\nVersion: 1.0.0\n".to_owned();
    wheel
        .file("Rich_Demo/sub/mod, with comma.txt", "x")
        .file("Rich_Demo/größe.txt", "x")
        .entry(ZipEntry::new("Rich_Demo/tool", "#!/bin/sh\n").mode(0o100_755))
        .entry(ZipEntry::new("Rich_Demo/typeless", "").mode(0o000_600))
        .file("Rich_Demo-1.0.data/scripts/hello", "#!python\nimport Rich_Demo\nprint('hello', Rich_Demo.__version__)\n")
        .file("Rich_Demo-1.0.data/scripts/binary", b"\x7fELF\0".to_vec())
        .file("Rich_Demo-1.0.data/data/share/demo/data.txt", "data")
        .file("Rich_Demo-1.0.data/headers/demo.h", "#define DEMO\n")
        .file("Rich_Demo-1.0.data/purelib/rich_extra.py", "extra = 1\n")
        .file("Rich_Demo-1.0.data/platlib/rich_plat.py", "plat = 1\n")
        .info("entry_points.txt", "[console_scripts]\ncall-me = Rich_Demo.cli:Main.run [extra]\n\n[gui_scripts]\nwin=Rich_Demo.cli:gui\n")
        .file("Rich_Demo/cli.py", "class Main:\n    @staticmethod\n    def run():\n        print('called')\ndef gui():\n    return 3\n")
}

#[test]
fn an_installed_package_runs() {
    let fixture = Fixture::new();
    let source = MemoryFiles::of(&[rich(), Wheel::new("other", "2.0").module()]);
    let lock = source.lock();
    let outcome = fixture.install(&lock, &source).unwrap();
    assert_eq!(outcome.changes.len(), 2);
    assert_eq!(outcome.fetched, 2);
    assert_eq!(
        fixture.python("import Rich_Demo, other, rich_extra, rich_plat; print(other.__version__)"),
        "2.0"
    );
    let bin = fixture.root().join("bin");
    assert_eq!(run(&mut Command::new(bin.join("hello"))), "hello 1.0");
    assert_eq!(run(&mut Command::new(bin.join("call-me"))), "called");
    assert_eq!(Command::new(bin.join("win")).status().unwrap().code(), Some(3));
    assert_eq!(fixture.python("import sys; print(sys.prefix != sys.base_prefix)"), "True");
    let versions = "from importlib.metadata import version as v; print(v('rich-demo'), v('other'))";
    assert_eq!(fixture.python(versions), "1.0.0 2.0");
    let mode = |path: &str| fs::metadata(fixture.root().join(path)).unwrap().permissions().mode() & 0o111;
    assert_eq!(mode("bin/binary"), 0o111);
    assert_eq!(mode("share/demo/data.txt"), 0);
    assert_eq!(findings(&fixture, &lock), []);
    assert_eq!(fixture.events.warnings(), [""; 0]);
}

#[test]
fn a_second_install_changes_nothing() {
    let fixture = Fixture::new();
    let source = MemoryFiles::of(&[rich(), Wheel::new("other", "2.0").module()]);
    let lock = source.lock();
    fixture.install(&lock, &source).unwrap();
    let before = tree(&fixture.root());
    let outcome = fixture.install(&lock, &source).unwrap();
    assert_eq!((outcome.changes.len(), outcome.kept, outcome.fetched), (0, 2, 0));
    assert_eq!(tree(&fixture.root()), before);
}

#[test]
fn a_warm_cache_installs_without_a_fetch() {
    let fixture = Fixture::new();
    let source = MemoryFiles::of(&[rich()]);
    let lock = source.lock();
    fixture.install(&lock, &source).unwrap();
    let outcome = fixture.install_to("second", &lock, &MemoryFiles::default()).unwrap();
    assert_eq!((outcome.changes.len(), outcome.fetched), (1, 0));
}

#[test]
fn other_versions_are_replaced_and_unlocked_packages_removed() {
    let fixture = Fixture::new();
    let old = MemoryFiles::of(&[
        Wheel::new("a", "1.0").module().file("a/old.py", ""),
        Wheel::new("gone", "1.0").module().file("gone-1.0.data/data/share/gone/x", ""),
        Wheel::new("pip", "1.0").module(),
    ]);
    fixture.install(&old.lock(), &old).unwrap();
    fixture.python("import a, gone");
    let new = MemoryFiles::of(&[Wheel::new("a", "2.0").module()]);
    let lock = new.lock();

    let fixture = Fixture { dry_run: DryRun::Yes, ..fixture };
    let before = tree(&fixture.root());
    let planned = fixture.install(&lock, &new).unwrap();
    assert_eq!(tree(&fixture.root()), before);
    let fixture = Fixture { dry_run: DryRun::No, ..fixture };
    let outcome = fixture.install(&lock, &new).unwrap();
    assert_eq!(planned.changes, outcome.changes);
    let told: Vec<_> = outcome.changes.iter().map(|done| (done.name.as_str(), done.reason)).collect();
    assert_eq!(told, [("a", Some(InstallReason::OtherVersion)), ("gone", None), ("pip", None)]);
    assert_eq!(fixture.python("import a; print(a.__version__)"), "2.0");
    for path in ["a/old.py", "gone", "gone-1.0.dist-info", "a-1.0.dist-info", "../../../share"] {
        assert!(!fixture.site().join(path).exists(), "{path}");
    }
    assert_eq!(findings(&fixture, &lock), []);
}

#[test]
fn unlocked_packages_are_removed_as_the_prune_mode_permits() {
    let source =
        MemoryFiles::of(&["a", "pip", "setuptools", "own"].map(|name| Wheel::new(name, "1.0").module()));
    let only_a = Lock { pins: source.lock().pins[..1].to_vec(), ..Lock::default() };
    for (prune, left) in [
        (Prune::All, vec!["a"]),
        (Prune::KeepSeed, vec!["a", "pip", "setuptools"]),
        (Prune::Nothing, vec!["a", "own", "pip", "setuptools"]),
    ] {
        let fixture = Fixture { prune, ..Fixture::new() };
        fixture.install(&source.lock(), &source).unwrap();
        fixture.install(&only_a, &source).unwrap();
        let names = ["a", "own", "pip", "setuptools"].into_iter();
        let found: Vec<_> = names.filter(|name| fixture.site().join(name).exists()).collect();
        assert_eq!(found, left, "{prune:?}");
        assert_eq!(findings(&fixture, &only_a), [], "{prune:?}");
    }
}

#[test]
fn verify_reports_each_difference() {
    let fixture = Fixture::new();
    let wheels = [
        rich(),
        Wheel::new("a", "1.0")
            .module()
            .file("a/x.py", "")
            .metadata_lines("Requires-Dist: b\nRequires-Dist: lacking; extra == 'more'"),
        Wheel::new("b", "1.0").module().metadata_lines("Requires-Dist: a[more]"),
    ];
    let source = MemoryFiles::of(&wheels);
    let lock = source.lock();
    fixture.install(&lock, &source).unwrap();
    let site = fixture.site();
    let all = findings(&fixture, &lock);
    assert_eq!(all.len(), 1, "{all:?}");
    assert_eq!(all[0].to_string(), "lacking is missing, which a requires: lacking ; extra == 'more'");

    fs::remove_file(site.join("a/x.py")).unwrap();
    replace(&site.join("b/__init__.py"), b"evil = 1\n");
    fs::write(site.join("stray.pth"), "import evil").unwrap();
    fs::create_dir(site.join("a/__pycache__")).unwrap();
    fs::write(site.join("a/__pycache__/y.cpython-311.pyc"), "").unwrap();
    replace(&fixture.root().join("bin/hello"), b"#!/nowhere/python\n");
    let said: Vec<_> = findings(&fixture, &lock).iter().map(ToString::to_string).collect();
    let root = fixture.root().canonicalize().unwrap();
    let said: Vec<_> = said.iter().map(|text| text.replace(root.to_str().unwrap(), "V")).collect();
    let python = root.join("lib").read_dir().unwrap().next().unwrap().unwrap().file_name();
    let lib = format!("V/lib/{}/site-packages", python.to_str().unwrap());
    assert_eq!(
        said,
        [
            "lacking is missing, which a requires: lacking ; extra == 'more'".to_owned(),
            format!("a lacks {lib}/a/x.py"),
            format!("b has another {lib}/b/__init__.py than was installed"),
            "rich-demo has another V/bin/hello than was installed".to_owned(),
            "rich-demo has a script V/bin/hello for /nowhere/python, which is not there".to_owned(),
            format!("{lib}/a/__pycache__/y.cpython-311.pyc belongs to no distribution"),
            format!("{lib}/stray.pth belongs to no distribution"),
        ]
    );
    let fixture = Fixture { inspection: Inspection::Hashes, ..fixture };
    let outcome = fixture.install(&lock, &source).unwrap();
    assert!(outcome.changes.iter().all(|done| done.reason == Some(InstallReason::Altered)));
    assert_eq!(outcome.changes.len(), 3);
    assert!(
        fixture.events.warnings().iter().any(|said| said.ends_with("stray.pth belongs to no distribution"))
    );
    fs::remove_file(site.join("stray.pth")).unwrap();
    assert_eq!(findings(&fixture, &lock).len(), 2);
}

/// Replaces a file as an editor does: a new inode.
fn replace(path: &std::path::Path, content: &[u8]) {
    fs::remove_file(path).unwrap();
    fs::write(path, content).unwrap();
}

#[test]
fn an_edit_in_one_environment_does_not_reach_another() {
    let fixture = Fixture::new();
    let source = MemoryFiles::of(&[Wheel::new("a", "1.0").module()]);
    let lock = source.lock();
    fixture.install_to("one", &lock, &source).unwrap();
    fixture.install_to("two", &lock, &source).unwrap();
    let site = fixture.site();
    let file = |name: &str| {
        fixture
            .folder
            .path()
            .join(name)
            .join(site.strip_prefix(fixture.root()).unwrap())
            .join("a/__init__.py")
    };
    assert_ne!(fs::metadata(file("one")).unwrap().ino(), fs::metadata(file("two")).unwrap().ino());
    for edited in ["one", "two"] {
        fs::set_permissions(file(edited), fs::Permissions::from_mode(0o644)).unwrap();
        fs::write(file(edited), "evil = 'long enough'\n").unwrap();
    }
    let outcome = fixture.install_to("three", &lock, &source).unwrap();
    assert_eq!(fs::read_to_string(file("three")).unwrap(), "__version__ = '1.0'\n");
    assert_eq!(outcome.fetched, 1, "the damaged copy was fetched again");
    assert_eq!(fixture.events.warnings(), ["the cache's copy of a 1.0 was damaged and is fetched again"]);
}

#[test]
fn a_changed_mode_does_not_reach_another_environment() {
    let fixture = Fixture::new();
    let source = MemoryFiles::of(&[Wheel::new("a", "1.0").module()]);
    let lock = source.lock();
    fixture.install_to("one", &lock, &source).unwrap();
    let site = fixture.site();
    let file = |name: &str| {
        fixture
            .folder
            .path()
            .join(name)
            .join(site.strip_prefix(fixture.root()).unwrap())
            .join("a/__init__.py")
    };
    fs::set_permissions(file("one"), fs::Permissions::from_mode(0o600)).unwrap();
    let outcome = fixture.install_to("two", &lock, &source).unwrap();
    assert_eq!(outcome.fetched, 0);
    assert_eq!(fs::metadata(file("two")).unwrap().mode() & 0o777, 0o444);
    assert_eq!(fs::metadata(file("one")).unwrap().mode() & 0o777, 0o600);
}

#[test]
fn compiled_files_are_in_the_record() {
    let fixture = Fixture { compile: Compile::Yes, ..Fixture::new() };
    let source = MemoryFiles::of(&[rich(), Wheel::new("bad", "1.0").file("bad/py2.py", "print 'x'\n")]);
    let lock = source.lock();
    fixture.install(&lock, &source).unwrap();
    let record = fs::read_to_string(fixture.site().join("Rich_Demo-1.0.dist-info/RECORD")).unwrap();
    assert_eq!(record.matches(".pyc,,").count(), 4, "{record}");
    assert_eq!(findings(&fixture, &lock), []);
    let empty = Lock::default();
    fixture.install(&empty, &source).unwrap();
    assert_eq!(fs::read_dir(fixture.site()).unwrap().count(), 0);
}

#[test]
fn a_new_environment_matches_its_interpreter() {
    let fixture = Fixture::new();
    let source = MemoryFiles::of(&[rich()]);
    let lock = source.lock();
    fixture.install(&lock, &source).unwrap();
    let prober = Prober::new(None);
    let probe = prober.probe(&fixture.root().join("bin/python")).unwrap();
    let (told, planned) = (Environment::of(&probe).unwrap(), fixture.environment());
    assert_eq!(told.scheme, planned.scheme);
    assert_eq!((&told.root, &told.python, &told.kind), (&planned.root, &planned.python, &planned.kind));
    let base = BasePython::of(&probe).unwrap();
    assert_eq!(
        fs::canonicalize(base.executable).unwrap(),
        fs::canonicalize(&fixture.base.executable).unwrap()
    );
    // The same environment by way of its interpreter has nothing to do.
    let destination = Destination::Existing(Environment { target: planned.target, ..told });
    let request = InstallJob { destination, ..fixture.request(&lock) };
    assert_eq!(install(&request, &source, &fixture.events).unwrap().changes, []);
}

#[test]
fn scripts_run_from_paths_that_are_long_or_have_spaces() {
    let fixture = Fixture::new();
    let source = MemoryFiles::of(&[rich()]);
    let long = "x".repeat(140);
    for name in [long.as_str(), "with a space", "quo'te \"double\" $HOME `id`"] {
        fixture.install_to(name, &source.lock(), &source).unwrap();
        let bin = fixture.folder.path().join(name).join("bin");
        assert_eq!(run(&mut Command::new(bin.join("call-me"))), "called", "{name}");
        assert_eq!(run(&mut Command::new(bin.join("hello"))), "hello 1.0", "{name}");
        let activate = "set -eu; . \"$1\"; command -v python; deactivate; command -v call-me || echo gone";
        let shown = run(Command::new("sh").args(["-c", activate, "sh"]).arg(bin.join("activate")));
        assert_eq!(shown, format!("{}\ngone", bin.join("python").display()));
    }
}

#[test]
fn an_externally_managed_python_is_refused() {
    let fixture = Fixture::new();
    let stdlib = fixture.folder.path().join("lib");
    fs::create_dir(&stdlib).unwrap();
    fs::write(stdlib.join("EXTERNALLY-MANAGED"), "").unwrap();
    let kind = EnvironmentKind::Interpreter { stdlib };
    let lock = Lock::default();
    let destination = Destination::Existing(Environment { kind, ..fixture.environment() });
    let request = InstallJob { destination, ..fixture.request(&lock) };
    let error = install(&request, &MemoryFiles::default(), &fixture.events).unwrap_err();
    assert!(error.to_string().ends_with("belong to the system"), "{error}");
    assert!(!fixture.root().exists());
}

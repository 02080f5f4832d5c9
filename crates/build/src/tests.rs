//! Builds of generated source distributions with an in-tree backend, by the machine's own interpreter; no network.

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use pinfast_testkit::tar;
use pinfast_testkit::wheel::Wheel;
use tempfile::TempDir;

use super::index::BUILD_FORMAT;
use super::*;
use pinfast_base::event::{Event, Watcher};
use pinfast_cache::{Bucket, Cache, CacheLookup};
use pinfast_index::{Client, IndexUrl};
use pinfast_inputs::{InputLine, Inputs};
use pinfast_install::venv::BasePython;
use pinfast_packaging::{Location, Metadata, PackageName, Sha256, Target};
use pinfast_python::{self as python, Prober};
use pinfast_settings::ProcessEnv;
use pinfast_solve::{self as solve, Index, MetadataFailure, Policy, Preferences, Problem, Trust};

/// A backend that gives its metadata; it appends a line to the file `{runs}` each time.
const SOUND_BACKEND: &str = r#"
def prepare_metadata_for_build_wheel(out, settings=None):
    import os
    with open("{runs}", "a") as file: file.write("run\n")
    print("noise")
    os.mkdir(out + "/a.dist-info")
    with open(out + "/a.dist-info/METADATA", "w") as file:
        file.write("Metadata-Version: 2.1\nName: a\nVersion: {version}\nRequires-Dist: b>1\n")
    return "a.dist-info"
"#;

/// A folder of distributions, a cache, and the events of its builds.
struct Fixture {
    folder: TempDir,
    events: Arc<Events>,
}

#[derive(Default)]
struct Events(Mutex<Vec<Event>>);

impl Watcher for Events {
    fn on(&self, event: Event) {
        self.0.lock().unwrap().push(event);
    }
}

impl Fixture {
    /// With these files.
    fn new(files: &[(&str, Vec<u8>)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("files")).unwrap();
        for (name, bytes) in files {
            fs::write(folder.path().join("files").join(name), bytes).unwrap();
        }
        Self { folder, events: Arc::default() }
    }

    /// With the sdist `a-1.tar.gz` of this backend.
    fn with_backend(backend: &str) -> Self {
        let fixture = Self::new(&[]);
        fixture.add("1", backend);
        fixture
    }

    fn add(&self, version: &str, backend: &str) {
        let backend = backend.replace("{version}", version).replace("{runs}", self.runs().to_str().unwrap());
        let bytes = sdist(version, SYSTEM, &backend);
        fs::write(self.path(&format!("files/a-{version}.tar.gz")), bytes).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn runs(&self) -> PathBuf {
        self.path("runs")
    }

    /// How often the backend ran.
    fn run_count(&self) -> usize {
        fs::read_to_string(self.runs()).unwrap_or_default().lines().count()
    }

    fn config(&self) -> BuildConfig {
        let env = ProcessEnv::capture();
        BuildConfig {
            permission: BuildPolicy::Allowed,
            path: env.variable("PATH").unwrap().to_owned(),
            interpreter: Box::new(move || {
                python::discover(
                    &python::InterpreterRequest::Name("python3".to_owned()),
                    &env,
                    &Prober::new(None),
                )
            }),
            cache: Some(self.path("cache")),
            exclude_newer: None,
            timeout: Duration::from_secs(60),
            targets: Some(Vec::new()),
        }
    }

    fn building_index(&self, config: BuildConfig) -> BuildingIndex {
        let files = url::Url::from_directory_path(self.path("files")).unwrap();
        let index =
            pinfast_index::IndexConfig { find_links: vec![IndexUrl::new(files)], ..Default::default() };
        let client = Arc::new(Client::new(index, self.events.clone()));
        BuildingIndex::new(client, config, self.events.clone())
    }

    fn metadata_by(&self, config: BuildConfig) -> std::result::Result<Arc<Metadata>, MetadataFailure> {
        let building = self.building_index(config);
        let listing = building.listing(&name("a")).unwrap().unwrap();
        building.metadata(&listing.files(0)[0], Trust::File)
    }

    fn metadata(&self) -> std::result::Result<Arc<Metadata>, MetadataFailure> {
        self.metadata_by(self.config())
    }

    /// The names that the metadata requires.
    fn requires(&self) -> Vec<String> {
        let metadata = self.metadata().unwrap_or_else(|failure| panic!("{failure:?} {:?}", self.warnings()));
        metadata.requires.iter().map(|requirement| requirement.name.to_string()).collect()
    }

    /// Why the candidate cannot be used.
    fn rejection(&self) -> String {
        rejection(self.metadata())
    }

    fn warnings(&self) -> Vec<String> {
        let events = self.events.0.lock().unwrap();
        let warning = |event: &Event| match event {
            Event::Warning(text) => Some(text.clone()),
            _ => None,
        };
        events.iter().filter_map(warning).collect()
    }
}

fn rejection(result: std::result::Result<Arc<Metadata>, MetadataFailure>) -> String {
    match result {
        Err(MetadataFailure::Invalid(why)) => why,
        other => panic!("{other:?}"),
    }
}

fn name(text: &str) -> PackageName {
    PackageName::new(text).unwrap()
}

const SYSTEM: &str = "[build-system]\nrequires = []\nbuild-backend = 'backend'\nbackend-path = ['.']\n";

fn sdist(version: &str, system: &str, backend: &str) -> Vec<u8> {
    tar::sdist("a", version, &[("pyproject.toml", system), ("backend.py", backend)])
}

/// A sound wheel of one module.
fn wheel(name: &str, module: &str) -> Vec<u8> {
    Wheel::new(name, "1").file(&format!("{name}.py"), module).build()
}

/// Whether a process runs: a zombie does not.
fn is_alive(pid: &str) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

/// Waits up to five seconds for a process to end.
fn is_gone(pid: &str) -> bool {
    let started = Instant::now();
    while is_alive(pid) && started.elapsed() < Duration::from_secs(5) {
        std::thread::sleep(Duration::from_millis(10));
    }
    !is_alive(pid)
}

#[test]
fn a_backend_runs_once_and_is_reported() {
    let fixture = Fixture::with_backend(SOUND_BACKEND);
    assert_eq!(fixture.requires(), ["b"]);
    let warnings = ["ran the build backend of a 1 (backend) to learn its metadata"];
    assert_eq!(fixture.warnings(), warnings);
    assert_eq!(fixture.requires(), ["b"]);
    assert_eq!(
        (fixture.run_count(), fixture.warnings().len()),
        (1, 1),
        "the second run finds it in the cache"
    );
    fs::remove_dir_all(fixture.path("cache/built-v3")).unwrap();
    assert_eq!((fixture.requires(), fixture.run_count()), (vec!["b".to_owned()], 2));
}

#[test]
fn cached_metadata_is_checked() {
    let fixture = Fixture::with_backend(SOUND_BACKEND);
    assert_eq!(fixture.requires(), ["b"]);
    let label = BasePython::of(&(fixture.config().interpreter)().unwrap().probe).unwrap().target;
    let sha256 = Sha256::of(&fs::read(fixture.path("files/a-1.tar.gz")).unwrap());
    let key = Bucket::Built.key(&[&sha256.to_string(), label.label(), BUILD_FORMAT]);
    let cache = Cache::new(fixture.path("cache"));
    for wrong in ["Name: b\nVersion: 1\n", "nonsense", ""] {
        let runs = fixture.run_count();
        assert!(matches!(cache.read(Bucket::Built, &key), CacheLookup::Hit(_)), "the key is the one in use");
        cache.write(Bucket::Built, &key, wrong.as_bytes()).unwrap();
        assert_eq!((fixture.requires(), fixture.run_count()), (vec!["b".to_owned()], runs + 1), "{wrong:?}");
    }
}

#[test]
fn a_backend_without_metadata_builds_a_wheel() {
    let fixture = Fixture::with_backend(
        r#"
def build_wheel(out, settings=None, metadata=None):
    import zipfile
    with zipfile.ZipFile(out + "/a-1-py3-none-any.whl", "w") as wheel:
        wheel.writestr("a/METADATA", "no")
        wheel.writestr("a-1.dist-info/METADATA", "Metadata-Version: 2.1\nName: A\nVersion: 1.0\nRequires-Dist: c\n")
    return "a-1-py3-none-any.whl"
"#,
    );
    assert_eq!(fixture.requires(), ["c"]);
}

#[test]
fn build_requirements_are_installed_for_a_build() {
    let system = SYSTEM.replace("[]", "['first']");
    let backend = r#"
import first
def get_requires_for_build_wheel(settings=None):
    return ["second==1"]
def prepare_metadata_for_build_wheel(out, settings=None):
    import os, second
    os.mkdir(out + "/a.dist-info")
    with open(out + "/a.dist-info/METADATA", "w") as file:
        file.write("Metadata-Version: 2.1\nName: a\nVersion: 1\nRequires-Dist: " + first.X + second.X + "\n")
    return "a.dist-info"
"#;
    let files = [
        ("a-1.tar.gz", sdist("1", &system, backend)),
        ("first-1-py3-none-any.whl", wheel("first", "X = 'one'\n")),
        ("second-1-py3-none-any.whl", wheel("second", "X = 'two'\n")),
    ];
    assert_eq!(Fixture::new(&files).requires(), ["onetwo"]);
    let fixture = Fixture::new(&files[..2]);
    assert!(
        fixture.rejection().contains("its build requirements cannot be installed from wheels"),
        "{}",
        fixture.rejection()
    );
    assert!(fixture.warnings().iter().any(|text| text.contains("second")), "{:?}", fixture.warnings());
}

#[test]
fn a_build_requirement_is_never_built_itself() {
    let system = SYSTEM.replace("[]", "['a']");
    let fixture = Fixture::new(&[("a-1.tar.gz", sdist("1", &system, SOUND_BACKEND))]);
    assert!(fixture.rejection().contains("cannot be installed from wheels"), "{}", fixture.rejection());
}

#[test]
fn a_backend_that_fails_or_gives_nonsense_rejects_the_candidate() {
    let metadata = |text: &str| SOUND_BACKEND.replace("Name: a\\nVersion: {version}", text);
    for (backend, why) in [
        ("def build_wheel(out, settings=None, metadata=None):\n    print('x')\n    raise ValueError('no luck')\n".to_owned(), "failed: ValueError: no luck"),
        ("import nothing_of_that_name\n".to_owned(), "ModuleNotFoundError"),
        ("raise ValueError('\\x1b[2J')\n".to_owned(), "ValueError: \u{fffd}[2J"),
        ("import os\nos._exit(0)\n".to_owned(), "gave no answer that makes sense"),
        ("def get_requires_for_build_wheel(settings=None):\n    return [1]\n".to_owned(), "gave no answer that makes sense"),
        ("def get_requires_for_build_wheel(settings=None):\n    return ['=']\n".to_owned(), "requires nonsense"),
        ("def prepare_metadata_for_build_wheel(out, settings=None):\n    return '../x.dist-info'\n".to_owned(), "no sense"),
        ("def prepare_metadata_for_build_wheel(out, settings=None):\n    return 'x.dist-info'\n".to_owned(), "made no METADATA"),
        ("def build_wheel(out, settings=None, metadata=None):\n    open(out + '/x.whl', 'w').close()\n    return 'x.whl'\n".to_owned(), "cannot be read"),
        (metadata("Name: b\\nVersion: 1"), "about `b`"),
        (metadata("Name: a\\nVersion: 2"), "about version 2"),
        (metadata("Name: a"), "cannot be read"),
    ] {
        let fixture = Fixture::with_backend(&backend);
        let error = fixture.rejection();
        assert!(error.contains(why), "{backend}: {error}");
        let warnings = fixture.warnings();
        assert!(warnings.iter().any(|text| text.contains("a 1") && text.contains(why)), "{backend}: {warnings:?}");
    }
}

#[test]
fn a_backend_that_hangs_is_killed_with_its_children() {
    let fixture = Fixture::with_backend(
        r#"
import os, subprocess, time
child = subprocess.Popen(["sleep", "1000"])
with open("{runs}", "w") as file: file.write("%d\n%d\n" % (os.getpid(), child.pid))
time.sleep(1000)
"#,
    );
    let error =
        rejection(fixture.metadata_by(BuildConfig { timeout: Duration::from_secs(3), ..fixture.config() }));
    assert!(error.contains("took more than 3 s (PINFAST_BUILD_TIMEOUT raises the limit)"), "{error}");
    let pids = fs::read_to_string(fixture.runs()).unwrap();
    assert_eq!(pids.lines().count(), 2);
    for pid in pids.lines() {
        assert!(is_gone(pid), "{pid} is still there");
    }
}

#[test]
fn a_process_that_a_backend_leaves_is_killed() {
    let leaving = "    import subprocess\n    with open('{runs}', 'w') as file: file.write('%d' % subprocess.Popen(['sleep', '1000']).pid)\n    print(";
    let fixture = Fixture::with_backend(&SOUND_BACKEND.replacen("    print(", leaving, 1));
    assert_eq!(fixture.requires(), ["b"]);
    assert!(is_gone(&fs::read_to_string(fixture.runs()).unwrap()));
}

#[test]
fn a_build_does_not_see_our_environment() {
    let fixture = Fixture::with_backend(
        r#"
import os, sys
lines = ["%s=%s" % pair for pair in sorted(os.environ.items())]
with open("{runs}", "w") as file: file.write("\n".join(lines + ["stdin=" + sys.stdin.read(), os.getcwd()]))
"#,
    );
    fixture.rejection();
    let seen = fs::read_to_string(fixture.runs()).unwrap();
    let names: Vec<_> = seen.lines().filter_map(|line| line.split_once('=')).map(|(name, _)| name).collect();
    let known =
        ["HOME", "LC_ALL", "LC_CTYPE", "PATH", "PYTHONIOENCODING", "SOURCE_DATE_EPOCH", "TMPDIR", "stdin"];
    assert!(names.iter().all(|name| known.contains(name)), "{seen}");
    assert!(seen.contains("stdin=\n") && seen.ends_with("/source/a-1"), "{seen}");
    let home = std::env::var("HOME").unwrap_or_default();
    assert!(!seen.lines().any(|line| line == format!("HOME={home}")), "{seen}");
}

#[test]
fn a_forbidden_or_closed_index_builds_nothing() {
    let fixture = Fixture::with_backend(SOUND_BACKEND);
    let forbidden = || BuildPolicy::Forbidden("`--no-build`".to_owned());
    let Err(MetadataFailure::BuildForbidden(error)) =
        fixture.metadata_by(BuildConfig { permission: forbidden(), ..fixture.config() })
    else {
        panic!("the build is permitted")
    };
    assert!(
        error.contains("its metadata needs a build") && error.ends_with("and `--no-build` forbids it"),
        "{error}"
    );
    assert_eq!((fixture.run_count(), fixture.warnings().len()), (0, 0));
    let building = fixture.building_index(fixture.config());
    building.close();
    let listing = building.listing(&name("a")).unwrap().unwrap();
    let result = building.metadata(&listing.files(0)[0], Trust::File);
    assert!(matches!(result, Err(MetadataFailure::NeedsBuild(_))), "{result:?}");
    assert_eq!(fixture.run_count(), 0);
}

#[test]
fn metadata_for_another_target_is_used_with_a_warning() {
    let fixture = Fixture::with_backend(SOUND_BACKEND);
    let target = Target::declared(&"3.9".parse().unwrap(), &"windows".parse().unwrap());
    fixture.metadata_by(BuildConfig { targets: Some(vec![target.clone()]), ..fixture.config() }).unwrap();
    let warnings = fixture.warnings();
    assert!(warnings[1].contains(&format!("used unchanged for {}", target.label())), "{warnings:?}");
}

#[test]
fn only_the_candidate_that_the_solver_chooses_is_built() {
    let fixture = Fixture::new(&[("b-2-py3-none-any.whl", wheel("b", "").clone())]);
    for version in ["1", "2", "3"] {
        fixture.add(version, &SOUND_BACKEND.replace("Requires-Dist: b>1\\n", ""));
    }
    let line = InputLine {
        requirement: "a<3".parse().unwrap(),
        text: "a<3".into(),
        at: Location::new("in", 1, 1),
        hashes: Vec::new(),
    };
    let inputs = Inputs { requirements: vec![line], ..Inputs::default() };
    let building = Arc::new(fixture.building_index(fixture.config()));
    let target = BasePython::of(&(fixture.config().interpreter)().unwrap().probe).unwrap().target;
    let problem = Problem::new(&inputs, target, Policy::default(), Preferences::default());
    let resolution = solve::solve(Arc::new(problem), building, &*fixture.events).ok().unwrap();
    assert_eq!(resolution.pins[&name("a")].candidate.version.to_string(), "2");
    assert_eq!(fixture.run_count(), 1, "{:?}", fixture.warnings());
}

/// Run by hand: `cargo test -p pinfast-build --lib -- --ignored`.
#[test]
#[ignore = "gets setuptools from the index that the interpreter's own pip uses"]
fn a_source_without_pyproject_is_built_by_setuptools() {
    let setup = "from setuptools import setup\nsetup(name='a', version='1', install_requires=['b>1'])\n";
    let fixture = Fixture::new(&[("a-1.tar.gz", tar::sdist("a", "1", &[("setup.py", setup)]))]);
    let index = (fixture.config().interpreter)().unwrap().probe.default_index.unwrap();
    let index = pinfast_index::IndexConfig {
        indexes: vec![IndexUrl::new(index.parse().unwrap())],
        ..Default::default()
    };
    let client = Arc::new(Client::new(index, fixture.events.clone()));
    let listing = fixture.building_index(fixture.config()).listing(&name("a")).unwrap().unwrap();
    let building = BuildingIndex::new(client, fixture.config(), fixture.events.clone());
    let metadata = building.metadata(&listing.files(0)[0], Trust::File).unwrap();
    assert_eq!(metadata.requires, ["b>1".parse().unwrap()]);
}

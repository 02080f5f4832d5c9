//! Builds of generated source distributions whose backend lies in their own tree, by the machine's own
//! interpreter; no network.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tempfile::TempDir;

use super::*;
use pinfast_index::IndexUrl;
use pinfast_inputs::{InputLine, Inputs};
use pinfast_packaging::{Location, SdistFormat};
use pinfast_python::{self as python, Prober};
use pinfast_settings::ProcessEnv;
use pinfast_solve::{self as solve, Policy, Preferences, Problem};

/// A backend that tells its metadata; `{runs}` is the file that its runs are noted in.
const HONEST: &str = r#"
def prepare_metadata_for_build_wheel(out, settings=None):
    import os
    with open("{runs}", "a") as file: file.write("run\n")
    print("noise")
    os.mkdir(out + "/a.dist-info")
    with open(out + "/a.dist-info/METADATA", "w") as file:
        file.write("Metadata-Version: 2.1\nName: a\nVersion: {version}\nRequires-Dist: b>1\n")
    return "a.dist-info"
"#;

/// A folder of distributions, a cache, and what was told.
struct Bench {
    folder: TempDir,
    told: Arc<Told>,
}

#[derive(Default)]
struct Told(Mutex<Vec<Event>>);

impl Watcher for Told {
    fn on(&self, event: Event) {
        self.0.lock().unwrap().push(event);
    }
}

impl Bench {
    /// With these files.
    fn new(files: &[(&str, Vec<u8>)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("files")).unwrap();
        for (name, bytes) in files {
            fs::write(folder.path().join("files").join(name), bytes).unwrap();
        }
        Self { folder, told: Arc::default() }
    }

    /// With the sdist `a-1.tar.gz` of this backend.
    fn of(backend: &str) -> Self {
        let bench = Self::new(&[]);
        bench.add("1", backend);
        bench
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
    fn count(&self) -> usize {
        fs::read_to_string(self.runs()).unwrap_or_default().lines().count()
    }

    fn config(&self) -> Config {
        let env = ProcessEnv::capture();
        Config {
            permission: Permission::Allowed,
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
            time: Duration::from_secs(60),
            targets: Some(Vec::new()),
        }
    }

    fn building(&self, config: Config) -> Building {
        let files = url::Url::from_directory_path(self.path("files")).unwrap();
        let index =
            pinfast_index::IndexConfig { find_links: vec![IndexUrl::new(files)], ..Default::default() };
        let client = Arc::new(Client::new(index, self.told.clone()));
        Building::new(client, config, self.told.clone())
    }

    fn learn_by(&self, config: Config) -> std::result::Result<Arc<Metadata>, MetadataFailure> {
        let building = self.building(config);
        let listing = building.listing(&name("a")).unwrap().unwrap();
        building.metadata(&listing.files(0)[0], Trust::File)
    }

    fn learn(&self) -> std::result::Result<Arc<Metadata>, MetadataFailure> {
        self.learn_by(self.config())
    }

    /// The names that the metadata requires.
    fn requires(&self) -> Vec<String> {
        let metadata = self.learn().unwrap_or_else(|failure| panic!("{failure:?} {:?}", self.warnings()));
        metadata.requires.iter().map(|requirement| requirement.name.to_string()).collect()
    }

    /// Why the candidate is barred.
    fn barred(&self) -> String {
        barred(self.learn())
    }

    fn warnings(&self) -> Vec<String> {
        let told = self.told.0.lock().unwrap();
        let warning = |event: &Event| match event {
            Event::Warning(text) => Some(text.clone()),
            _ => None,
        };
        told.iter().filter_map(warning).collect()
    }
}

fn barred(told: std::result::Result<Arc<Metadata>, MetadataFailure>) -> String {
    match told {
        Err(MetadataFailure::Invalid(why)) => why,
        other => panic!("{other:?}"),
    }
}

fn name(text: &str) -> PackageName {
    PackageName::new(text).unwrap()
}

const SYSTEM: &str = "[build-system]\nrequires = []\nbuild-backend = 'backend'\nbackend-path = ['.']\n";

fn sdist(version: &str, system: &str, backend: &str) -> Vec<u8> {
    let path = |name: &str| format!("a-{version}/{name}");
    tar(&[(&path("pyproject.toml"), system), (&path("backend.py"), backend)])
}

fn tar(members: &[(&str, &str)]) -> Vec<u8> {
    let packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let mut archive = tar::Builder::new(packed);
    for (path, text) in members {
        archive.append_data(&mut header(text.len()), path, text.as_bytes()).unwrap();
    }
    archive.into_inner().unwrap().finish().unwrap()
}

fn header(size: usize) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_size(size as u64);
    header.set_mode(0o644);
    header
}

/// A sound wheel of one module.
fn wheel(name: &str, module: &str) -> Vec<u8> {
    let info = format!("{name}-1.dist-info");
    let files = [
        (format!("{name}.py"), module.to_owned()),
        (format!("{info}/METADATA"), format!("Metadata-Version: 2.1\nName: {name}\nVersion: 1\n")),
        (
            format!("{info}/WHEEL"),
            "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n".to_owned(),
        ),
    ];
    let mut record = String::new();
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (path, text) in &files {
        let hash = URL_SAFE_NO_PAD.encode(Sha256::of(text.as_bytes()).0);
        record += &format!("{path},sha256={hash},{}\n", text.len());
        writer.start_file(path, zip::write::SimpleFileOptions::default()).unwrap();
        writer.write_all(text.as_bytes()).unwrap();
    }
    record += &format!("{info}/RECORD,,\n");
    writer.start_file(format!("{info}/RECORD"), zip::write::SimpleFileOptions::default()).unwrap();
    writer.write_all(record.as_bytes()).unwrap();
    writer.finish().unwrap().into_inner()
}

/// Whether a process is there and no zombie.
fn is_alive(pid: &str) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

/// Waits a while for a process to be gone.
fn is_gone(pid: &str) -> bool {
    let started = Instant::now();
    while is_alive(pid) && started.elapsed() < Duration::from_secs(5) {
        std::thread::sleep(Duration::from_millis(10));
    }
    !is_alive(pid)
}

#[test]
fn a_backend_is_run_once_and_told_of() {
    let bench = Bench::of(HONEST);
    assert_eq!(bench.requires(), ["b"]);
    let said = ["ran the build backend of a 1 (backend) to learn its metadata"];
    assert_eq!(bench.warnings(), said);
    assert_eq!(bench.requires(), ["b"]);
    assert_eq!((bench.count(), bench.warnings().len()), (1, 1), "the second run finds it in the cache");
    fs::remove_dir_all(bench.path("cache/built-v3")).unwrap();
    assert_eq!((bench.requires(), bench.count()), (vec!["b".to_owned()], 2));
}

#[test]
fn what_the_cache_holds_is_checked() {
    let bench = Bench::of(HONEST);
    assert_eq!(bench.requires(), ["b"]);
    let label = BasePython::of(&(bench.config().interpreter)().unwrap().probe).unwrap().target;
    let sha256 = Sha256::of(&fs::read(bench.path("files/a-1.tar.gz")).unwrap());
    let key = Bucket::Built.key(&[&sha256.to_string(), label.label(), BUILDER]);
    let cache = Cache::new(bench.path("cache"));
    for lie in ["Name: b\nVersion: 1\n", "nonsense", ""] {
        let runs = bench.count();
        assert!(matches!(cache.read(Bucket::Built, &key), CacheLookup::Hit(_)), "the key is the one in use");
        cache.write(Bucket::Built, &key, lie.as_bytes()).unwrap();
        assert_eq!((bench.requires(), bench.count()), (vec!["b".to_owned()], runs + 1), "{lie:?}");
    }
}

#[test]
fn a_backend_without_metadata_builds_a_wheel() {
    let bench = Bench::of(
        r#"
def build_wheel(out, settings=None, metadata=None):
    import zipfile
    with zipfile.ZipFile(out + "/a-1-py3-none-any.whl", "w") as wheel:
        wheel.writestr("a/METADATA", "no")
        wheel.writestr("a-1.dist-info/METADATA", "Metadata-Version: 2.1\nName: A\nVersion: 1.0\nRequires-Dist: c\n")
    return "a-1-py3-none-any.whl"
"#,
    );
    assert_eq!(bench.requires(), ["c"]);
}

#[test]
fn what_a_build_requires_is_installed_for_it() {
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
    assert_eq!(Bench::new(&files).requires(), ["onetwo"]);
    let bench = Bench::new(&files[..2]);
    assert!(bench.barred().contains("what its build requires cannot be had as wheels"), "{}", bench.barred());
    assert!(bench.warnings().iter().any(|text| text.contains("second")), "{:?}", bench.warnings());
}

#[test]
fn a_build_requirement_is_never_built_itself() {
    let system = SYSTEM.replace("[]", "['a']");
    let bench = Bench::new(&[("a-1.tar.gz", sdist("1", &system, HONEST))]);
    assert!(bench.barred().contains("cannot be had as wheels"), "{}", bench.barred());
}

#[test]
fn a_backend_that_fails_or_lies_bars_the_candidate() {
    let metadata = |text: &str| HONEST.replace("Name: a\\nVersion: {version}", text);
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
        let bench = Bench::of(&backend);
        let said = bench.barred();
        assert!(said.contains(why), "{backend}: {said}");
        let warnings = bench.warnings();
        assert!(warnings.iter().any(|text| text.contains("a 1") && text.contains(why)), "{backend}: {warnings:?}");
    }
}

#[test]
fn a_backend_that_hangs_is_ended_with_all_that_it_started() {
    let bench = Bench::of(
        r#"
import os, subprocess, time
child = subprocess.Popen(["sleep", "1000"])
with open("{runs}", "w") as file: file.write("%d\n%d\n" % (os.getpid(), child.pid))
time.sleep(1000)
"#,
    );
    let said = barred(bench.learn_by(Config { time: Duration::from_secs(3), ..bench.config() }));
    assert!(said.contains("took more than 3 s (PINFAST_BUILD_TIMEOUT raises the limit)"), "{said}");
    let pids = fs::read_to_string(bench.runs()).unwrap();
    assert_eq!(pids.lines().count(), 2);
    for pid in pids.lines() {
        assert!(is_gone(pid), "{pid} is still there");
    }
}

#[test]
fn what_a_backend_leaves_running_is_ended() {
    let leaving = "    import subprocess\n    with open('{runs}', 'w') as file: file.write('%d' % subprocess.Popen(['sleep', '1000']).pid)\n    print(";
    let bench = Bench::of(&HONEST.replacen("    print(", leaving, 1));
    assert_eq!(bench.requires(), ["b"]);
    assert!(is_gone(&fs::read_to_string(bench.runs()).unwrap()));
}

#[test]
fn a_build_sees_nothing_of_ours() {
    let bench = Bench::of(
        r#"
import os, sys
lines = ["%s=%s" % pair for pair in sorted(os.environ.items())]
with open("{runs}", "w") as file: file.write("\n".join(lines + ["stdin=" + sys.stdin.read(), os.getcwd()]))
"#,
    );
    bench.barred();
    let seen = fs::read_to_string(bench.runs()).unwrap();
    let names: Vec<_> = seen.lines().filter_map(|line| line.split_once('=')).map(|(name, _)| name).collect();
    let known =
        ["HOME", "LC_ALL", "LC_CTYPE", "PATH", "PYTHONIOENCODING", "SOURCE_DATE_EPOCH", "TMPDIR", "stdin"];
    assert!(names.iter().all(|name| known.contains(name)), "{seen}");
    assert!(seen.contains("stdin=\n") && seen.ends_with("/source/a-1"), "{seen}");
    let home = std::env::var("HOME").unwrap_or_default();
    assert!(!seen.lines().any(|line| line == format!("HOME={home}")), "{seen}");
}

#[test]
fn a_build_that_is_forbidden_runs_nothing() {
    let bench = Bench::of(HONEST);
    let forbidden = || Permission::Forbidden("`--no-build`".to_owned());
    let Err(MetadataFailure::BuildForbidden(said)) =
        bench.learn_by(Config { permission: forbidden(), ..bench.config() })
    else {
        panic!("it is permitted")
    };
    assert!(
        said.contains("its metadata needs a build") && said.ends_with("and `--no-build` forbids it"),
        "{said}"
    );
    assert_eq!((bench.count(), bench.warnings().len()), (0, 0));
    let building = bench.building(bench.config());
    building.close();
    let listing = building.listing(&name("a")).unwrap().unwrap();
    let told = building.metadata(&listing.files(0)[0], Trust::File);
    assert!(matches!(told, Err(MetadataFailure::NeedsBuild(_))), "{told:?}");
    assert_eq!(bench.count(), 0);
}

#[test]
fn metadata_for_another_place_is_taken_with_a_warning() {
    let bench = Bench::of(HONEST);
    let target = Target::declared(&"3.9".parse().unwrap(), &"windows".parse().unwrap());
    bench.learn_by(Config { targets: Some(vec![target.clone()]), ..bench.config() }).unwrap();
    let warnings = bench.warnings();
    assert!(warnings[1].contains(&format!("taken as it is for {}", target.label())), "{warnings:?}");
}

#[test]
fn only_what_the_solver_decides_on_is_built() {
    let bench = Bench::new(&[("b-2-py3-none-any.whl", wheel("b", "").clone())]);
    for version in ["1", "2", "3"] {
        bench.add(version, &HONEST.replace("Requires-Dist: b>1\\n", ""));
    }
    let line = InputLine {
        requirement: "a<3".parse().unwrap(),
        text: "a<3".into(),
        at: Location::new("in", 1, 1),
        hashes: Vec::new(),
    };
    let inputs = Inputs { requirements: vec![line], ..Inputs::default() };
    let building = Arc::new(bench.building(bench.config()));
    let target = BasePython::of(&(bench.config().interpreter)().unwrap().probe).unwrap().target;
    let problem = Problem::new(&inputs, target, Policy::default(), Preferences::default());
    let resolution = solve::solve(Arc::new(problem), building, &*bench.told).ok().unwrap();
    assert_eq!(resolution.pins[&name("a")].candidate.version.to_string(), "2");
    assert_eq!(bench.count(), 1, "{:?}", bench.warnings());
}

/// Unpacks an archive whose bytes are `bytes`, within little.
fn unpacked(bytes: &[u8], format: SdistFormat) -> (TempDir, std::result::Result<PathBuf, Fault>) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("archive"), bytes).unwrap();
    let archive = fs::File::open(folder.path().join("archive")).unwrap();
    let to = folder.path().join("to");
    fs::create_dir(&to).unwrap();
    let most = Most { members: 20, bytes: 1 << 20, ratio: 10, free: 10_000 };
    let top = unpack::unpack(archive, format, &to, most);
    (folder, top)
}

/// One member of a tar archive: its kind, its raw name, where it links to, its text.
type Odd<'a> = (tar::EntryType, &'a str, &'a str, &'a str);

fn odd_tar(members: &[Odd<'_>]) -> Vec<u8> {
    let packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let mut archive = tar::Builder::new(packed);
    for (kind, path, to, text) in members {
        let mut header = header(text.len());
        header.set_entry_type(*kind);
        // By hand: the library itself refuses to write such names.
        let old = header.as_old_mut();
        old.name[..path.len()].copy_from_slice(path.as_bytes());
        old.linkname[..to.len()].copy_from_slice(to.as_bytes());
        header.set_cksum();
        archive.append(&header, text.as_bytes()).unwrap();
    }
    archive.into_inner().unwrap().finish().unwrap()
}

#[test]
fn hostile_archives_are_refused() {
    use tar::EntryType::{Directory, Fifo, Link, Regular, Symlink};
    let long = "x".repeat(20_000);
    let many: Vec<String> = (0..30).map(|number| format!("a/{number}")).collect();
    let many: Vec<Odd<'_>> = many.iter().map(|path| (Regular, path.as_str(), "", "")).collect();
    for (members, why) in [
        (&[(Regular, "/etc/x", "", "")][..], "is absolute"),
        (&[(Regular, "a/../../x", "", "")], "leads out"),
        (&[(Regular, "..", "", "")], "leads out"),
        (&[(Symlink, "a/x", "/etc", "")], "leads out"),
        (&[(Symlink, "a/x", "../../etc", "")], "leads out"),
        (&[(Symlink, "a/x", "y", ""), (Regular, "a/x/z", "", "")], "inside of a link"),
        (&[(Regular, "a/x/z", "", ""), (Symlink, "a/x", "y", "")], "cannot be made"),
        (
            &[
                (Directory, "a/d/e", "", ""),
                (Symlink, "a/d/e/l", "../../..", ""),
                (Symlink, "a/y", "d/e/l/../archive", ""),
            ],
            "leads out",
        ),
        (&[(Link, "a/x", "../archive", "")], "leads out"),
        (&[(Link, "a/x", "/etc/passwd", "")], "is absolute"),
        (&[(Link, "a/x", "a/none", "")], "not there"),
        (&[(Fifo, "a/x", "", "")], "special file"),
        (
            &[(Regular, "a/x", "", long.as_str()), (Regular, "a/y", "", long.as_str())],
            "far more than its own size",
        ),
        (&many, "more than 20 members"),
        (&[(Regular, "a/x", "", ""), (Regular, "b/x", "", "")], "2 folders at its top"),
        (&[(Regular, "x", "", "")], "0 folders at its top"),
        (&[(Regular, "a/x", "", ""), (Regular, "a/x/y", "", "")], "cannot be made"),
        (&[(Directory, "a/x", "", ""), (Regular, "a/x", "", "")], "cannot be made"),
    ] {
        let bytes = odd_tar(members);
        let (folder, top) = unpacked(&bytes, SdistFormat::TarGz);
        let shown: Vec<_> = members.iter().map(|(kind, path, to, _)| (kind, path, to)).collect();
        match top {
            Err(Fault::Candidate(said)) => assert!(said.contains(why), "{shown:?}: {said}"),
            other => panic!("{shown:?}: {other:?}"),
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "{shown:?}: nothing is beside it");
    }
    for cut in [0, 10, 60] {
        let bytes = odd_tar(&[(Regular, "a/x", "", &long)]);
        let (_folder, top) = unpacked(&bytes[..cut], SdistFormat::TarGz);
        assert!(matches!(top, Err(Fault::Candidate(_))), "{cut}: {top:?}");
        let (_folder, top) = unpacked(&bytes[..cut], SdistFormat::Zip);
        assert!(matches!(top, Err(Fault::Candidate(_))), "{cut}: {top:?}");
    }
}

#[test]
fn hostile_zips_are_refused() {
    let zip = |path: &str, link: Option<&str>| {
        let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        let options = zip::write::SimpleFileOptions::default();
        match link {
            Some(to) => writer.add_symlink(path, to, options).unwrap(),
            None => {
                writer.start_file(path, options).unwrap();
                writer.write_all(&[b'x'; 100]).unwrap();
            }
        }
        writer.finish().unwrap().into_inner()
    };
    let (folder, top) = unpacked(&zip("a/b/x", None), SdistFormat::Zip);
    assert_eq!(top.unwrap(), folder.path().join("to/a"));
    assert_eq!(fs::read(folder.path().join("to/a/b/x")).unwrap(), [b'x'; 100]);
    for (path, link) in [("a/../../x", None), ("a/x", Some("/etc")), ("a/x", Some("../../archive"))] {
        let (_folder, top) = unpacked(&zip(path, link), SdistFormat::Zip);
        assert!(matches!(top, Err(Fault::Candidate(_))), "{path} {link:?}: {top:?}");
    }
}

#[test]
fn an_honest_archive_is_unpacked_with_its_links() {
    use tar::EntryType::{Directory, Link, Regular, Symlink, XGlobalHeader};
    let bytes = odd_tar(&[
        (XGlobalHeader, "pax_global_header", "", "11 x=y\n"),
        (Directory, "./a/", "", ""),
        (Symlink, "a/link", "d/x", ""),
        (Symlink, "a/dangling", "nowhere", ""),
        (Regular, "a/d/x", "", "text"),
        (Link, "a/same", "a/d/x", ""),
    ]);
    let (folder, top) = unpacked(&bytes, SdistFormat::TarGz);
    let top = top.unwrap();
    assert_eq!(top, folder.path().join("to/a"));
    for path in ["d/x", "link", "same"] {
        assert_eq!(fs::read_to_string(top.join(path)).unwrap(), "text", "{path}");
    }
    assert!(!is_there(&top.join("dangling")));
}

fn is_there(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

/// Run by hand: `cargo test --lib build:: -- --ignored`.
#[test]
#[ignore = "gets setuptools from the index that the interpreter's own pip uses"]
fn a_source_that_says_nothing_is_built_by_setuptools() {
    let setup = "from setuptools import setup\nsetup(name='a', version='1', install_requires=['b>1'])\n";
    let bench = Bench::new(&[("a-1.tar.gz", tar(&[("a-1/setup.py", setup)]))]);
    let index = (bench.config().interpreter)().unwrap().probe.default_index.unwrap();
    let index = pinfast_index::IndexConfig {
        indexes: vec![IndexUrl::new(index.parse().unwrap())],
        ..Default::default()
    };
    let client = Arc::new(Client::new(index, bench.told.clone()));
    let listing = bench.building(bench.config()).listing(&name("a")).unwrap().unwrap();
    let building = Building::new(client, bench.config(), bench.told.clone());
    let metadata = building.metadata(&listing.files(0)[0], Trust::File).unwrap();
    assert_eq!(metadata.requires, ["b>1".parse().unwrap()]);
}

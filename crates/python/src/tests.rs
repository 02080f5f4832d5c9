//! Tests with a real interpreter: `python3` on the PATH, which the README asks for, and whatever
//! version managers installed beside it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use super::*;
use pinfast_base::error::ErrorKind;
use pinfast_cache::Cache;
use pinfast_settings::ProcessEnv;

/// The environment of this process, without an active environment, in an empty folder.
fn env(folder: &Path) -> ProcessEnv {
    let real = ProcessEnv::capture();
    let mut env = ProcessEnv::empty(folder);
    for (name, value) in real.texts() {
        if !matches!(name, "VIRTUAL_ENV" | "CONDA_PREFIX") {
            env = env.with(name, value);
        }
    }
    match real.home() {
        Some(home) => env.with_home(home),
        None => env,
    }
}

fn python3() -> FoundInterpreter {
    let folder = tempfile::tempdir().unwrap();
    let env = env(folder.path());
    discover(&InterpreterRequest::Name("python3".to_owned()), &env, &Prober::new(None)).unwrap()
}

/// Every interpreter of this machine that a version manager installed, and `python3`.
fn all() -> Vec<PathBuf> {
    let home = ProcessEnv::capture().home().map(Path::to_owned).unwrap_or_default();
    let root = std::env::var_os("PYENV_ROOT").map_or_else(|| home.join(".pyenv"), PathBuf::from);
    let installed = fs::read_dir(root.join("versions")).into_iter().flatten().flatten();
    let mut all: BTreeSet<PathBuf> = installed
        .filter(|entry| !entry.file_name().to_string_lossy().starts_with('2'))
        .map(|entry| entry.path().join("bin/python3"))
        .filter(|path| path.exists())
        .collect();
    all.insert(python3().interpreter.path);
    all.into_iter().collect()
}

fn output(python: &Path, program: &str) -> Option<String> {
    let output = Command::new(python).args(["-I", "-c", program]).output().unwrap();
    output.status.success().then(|| String::from_utf8(output.stdout).unwrap())
}

/// A virtual environment without pip, which is made quickly.
fn venv(python: &Path, folder: &Path) -> PathBuf {
    let made = Command::new(python).args(["-I", "-m", "venv", "--without-pip"]).arg(folder).status();
    assert!(made.unwrap().success());
    folder.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" })
}

#[test]
fn a_probe_has_the_version_and_the_tags_of_its_interpreter() {
    for python in all() {
        let probe = Prober::new(None).probe(&python).unwrap();
        let version = output(&python, "import platform; print(platform.python_version())").unwrap();
        assert_eq!(probe.markers.python_full_version, version.trim(), "{}", python.display());
        assert_eq!(probe.target().unwrap().python().to_string(), version.trim());
        assert!(probe.target().unwrap().label().ends_with(&probe.host_platform().unwrap().to_string()));
        assert!(probe.executable.is_absolute());
        assert!(probe.paths.purelib.is_absolute());
    }
}

/// The oracle is pip's own copy of PyPA `packaging`. Copies differ by age in two points: those older
/// than 22 lack `cpXY-none-any`, and those from 26 on put the plain `linux_…` tags first, not last.
#[test]
fn tags_are_those_of_pypa_packaging_in_its_order() {
    let program = "from pip._vendor.packaging.tags import sys_tags\nfor tag in sys_tags(): print(tag)";
    let is_plain = |tag: &&str| tag.contains("-linux_");
    let mut compared = 0;
    for python in all() {
        let Some(expected) = output(&python, program) else {
            continue;
        };
        let expected: Vec<&str> = expected.lines().collect();
        let target = Prober::new(None).probe(&python).unwrap().target().unwrap();
        let ours: Vec<String> = target.tags().iter().map(ToString::to_string).collect();
        let is_newer = |tag: &str| tag.starts_with("cp") && tag.ends_with("-none-any");
        let ours = ours.iter().map(String::as_str);
        let ours: Vec<&str> = ours.filter(|tag| !is_newer(tag) || expected.contains(tag)).collect();

        let split = |tags: &[&'_ str]| -> (Vec<String>, Vec<String>) {
            tags.iter().map(|tag| (*tag).to_owned()).partition(|tag| is_plain(&tag.as_str()))
        };
        let ((our_plain, ours), (plain, expected)) = (split(&ours), split(&expected));
        assert_eq!(our_plain, plain, "{}", python.display());
        let different = ours.iter().zip(&expected).find(|(ours, expected)| ours != expected);
        assert_eq!((different, ours.len()), (None, expected.len()), "{}", python.display());
        compared += 1;
    }
    assert!(compared > 0, "no interpreter here has a pip to compare with");
}

#[test]
fn the_default_index_is_that_of_pip_or_else_of_ensurepip() {
    let python = python3();
    let own =
        output(&python.interpreter.path, "import pip._internal.models.index as i; print(i.PyPI.simple_url)");
    let own = own.map(|url| url.trim().to_owned());
    assert!(own.is_some(), "`python3` on the PATH has no pip");
    assert_eq!(python.probe.default_index, own);

    let folder = tempfile::tempdir().unwrap();
    let bare = venv(&python.interpreter.path, &folder.path().join("venv"));
    let probe = Prober::new(None).probe(&bare).unwrap();
    assert_eq!(output(&bare, "import pip"), None);
    assert_eq!(probe.default_index, own, "from the bundled wheel");
    assert!(probe.is_virtual());
}

#[test]
fn an_active_environment_comes_first_then_the_project_s_then_the_path() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap();
    let python = python3().interpreter.path;
    let env = env(&root);
    let prober = Prober::new(None);
    let prefix = |env: &ProcessEnv| discover(&InterpreterRequest::Any, env, &prober).unwrap().probe.prefix;

    let plain = prefix(&env);
    assert!(!plain.starts_with(&root));
    venv(&python, &root.join(".venv"));
    assert_eq!(prefix(&env), root.join(".venv"));
    venv(&python, &root.join("conda"));
    let env = env.with("CONDA_PREFIX", root.join("conda"));
    assert_eq!(prefix(&env), root.join("conda"));
    assert_eq!(prefix(&env.clone().with("CONDA_DEFAULT_ENV", "base")), root.join(".venv"));
    venv(&python, &root.join("active"));
    let env = env.with("VIRTUAL_ENV", root.join("active"));
    assert_eq!(prefix(&env), root.join("active"));
    fs::remove_dir_all(root.join("active")).unwrap();
    let found = discover(&InterpreterRequest::Any, &env, &prober).unwrap();
    assert_eq!(found.probe.prefix, root.join("conda"));
    assert!(found.passed_over[0].contains("found through VIRTUAL_ENV"), "{:?}", found.passed_over);
}

#[test]
fn an_unfinished_environment_is_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap();
    venv(&python3().interpreter.path, &root.join(".venv"));
    fs::remove_file(root.join(".venv/pyvenv.cfg")).unwrap();
    let found = discover(&InterpreterRequest::Any, &env(&root), &Prober::new(None)).unwrap();
    assert!(!found.probe.prefix.starts_with(&root));
    assert!(found.passed_over[0].contains("is an unfinished environment"), "{:?}", found.passed_over);
}

#[test]
fn a_version_finds_an_interpreter_of_that_version_only() {
    let folder = tempfile::tempdir().unwrap();
    let env = env(folder.path());
    let full = python3().probe.markers.python_full_version;
    let short = full.rsplit_once('.').unwrap().0;
    for text in [full.as_str(), short, "3"] {
        let request = InterpreterRequest::parse(text, &env);
        let found = discover(&request, &env, &Prober::new(None)).unwrap();
        let version = &found.probe.markers.python_full_version;
        assert!(format!("{version}.").starts_with(&format!("{text}.")), "{text}: {version}");
    }
    let error = discover(&InterpreterRequest::parse("3.99", &env), &env, &Prober::new(None)).unwrap_err();
    assert_eq!(error.message, "no interpreter for Python 3.99 was found");
    assert_eq!(error.kind, ErrorKind::NoAnswer);
    assert!(error.details.iter().any(|tried| tried.contains(&format!("is Python {full}"))));
}

#[test]
fn a_request_is_a_version_a_path_or_a_name() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("venv")).unwrap();
    let env = ProcessEnv::empty(folder.path()).with_home("/home/me");
    for (text, request) in [
        ("3.11", InterpreterRequest::Version(vec![3, 11])),
        ("3.11.4", InterpreterRequest::Version(vec![3, 11, 4])),
        ("python3.12", InterpreterRequest::Name("python3.12".to_owned())),
        ("venv", InterpreterRequest::Path(folder.path().join("venv"))),
        (".venv", InterpreterRequest::Path(folder.path().join(".venv"))),
        ("/usr/bin/python3", InterpreterRequest::Path("/usr/bin/python3".into())),
        ("~/py/bin/python", InterpreterRequest::Path("/home/me/py/bin/python".into())),
        ("3.11.4.5", InterpreterRequest::Name("3.11.4.5".to_owned())),
    ] {
        assert_eq!(InterpreterRequest::parse(text, &env), request, "{text}");
    }
    let settings = InterpreterRequest::parse_in("venv", Path::new("/project"), &env);
    assert_eq!(settings, InterpreterRequest::Name("venv".to_owned()), "there is no such folder there");
    let settings = InterpreterRequest::parse_in("./venv", Path::new("/project"), &env);
    assert_eq!(settings, InterpreterRequest::Path("/project/./venv".into()));
}

#[test]
fn a_missing_path_is_named_in_the_error() {
    let folder = tempfile::tempdir().unwrap();
    let env = ProcessEnv::empty(folder.path());
    let fail =
        |text: &str| discover(&InterpreterRequest::parse(text, &env), &env, &Prober::new(None)).unwrap_err();
    assert!(fail("./nothing").message.starts_with("there is no interpreter at "));
    assert!(fail(".").message.ends_with("has no Python interpreter"));
    let error = fail("python3.11");
    assert_eq!(error.message, "no working interpreter `python3.11` was found");
    assert_eq!(error.kind, ErrorKind::NoAnswer);
    assert!(discover(&InterpreterRequest::Any, &env, &Prober::new(None)).is_err());
}

#[cfg(unix)]
mod with_scripts {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn script(file: &Path, text: &str) {
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
        fs::set_permissions(file, fs::Permissions::from_mode(0o755)).unwrap();
    }

    #[test]
    fn an_interpreter_that_gives_no_answer_is_an_error_with_its_cause() {
        let folder = tempfile::tempdir().unwrap();
        let python = folder.path().join("python3");
        for (text, why) in [
            ("#!/bin/sh\necho hello\n", "gave no answer but printed `hello`"),
            ("#!/bin/sh\necho dark >&2; exit 7\n", "failed (exit status: 7) and said `dark`"),
            (
                "#!/bin/sh\necho 'Unknown option: -I' >&2; exit 2\n",
                "is Python 2 or older than 3.4; 3.6 is the oldest that works",
            ),
            ("#!/bin/sh\nsleep 20\n", "gave no answer within 0.3 s"),
            ("#!/bin/sh\nsleep 20 &\n", "gave no answer within 0.3 s"),
            ("#!/bin/sh\nexec yes\n", "printed more than 1048576 bytes"),
            ("\0\0\0", "cannot be started: "),
        ] {
            script(&python, text);
            let started = Instant::now();
            let error =
                Prober::new(None).with_time_limit(Duration::from_millis(300)).probe(&python).unwrap_err();
            assert!(error.message.contains(why), "{}", error.message);
            assert_eq!(error.kind, ErrorKind::NoAnswer);
            assert!(started.elapsed() < Duration::from_secs(10));
        }
    }

    #[test]
    fn a_broken_interpreter_is_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        script(&folder.path().join("shims/python3"), "#!/bin/sh\necho broken >&2\nexit 127\n");
        let good = folder.path().join("good/python3");
        fs::create_dir(folder.path().join("good")).unwrap();
        std::os::unix::fs::symlink(python3().interpreter.path, &good).unwrap();
        let path = std::env::join_paths([folder.path().join("shims"), folder.path().join("good")]).unwrap();
        let env = ProcessEnv::empty(folder.path()).with("PATH", path);
        let found = discover(&InterpreterRequest::Any, &env, &Prober::new(None)).unwrap();
        assert_eq!(found.interpreter.path, good);
        assert!(found.passed_over[0].contains("said `broken` (found through the PATH)"));

        fs::remove_file(good).unwrap();
        let error = discover(&InterpreterRequest::Any, &env, &Prober::new(None)).unwrap_err();
        assert_eq!(error.message, "no Python interpreter was found");
        assert_eq!(error.details.len(), 1);
    }

    #[test]
    fn an_answer_is_remembered_until_the_interpreter_changes() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        let cache = Cache::new(root.join("cache"));
        let python = venv(&python3().interpreter.path, &root.join("venv"));
        let prober = Prober::new(Some(cache));
        let first = prober.probe(&python).unwrap();
        let record = fs::read_dir(root.join("cache/python")).unwrap().next().unwrap().unwrap().path();

        // The record is made to lie, so that one sees whether it was read.
        let lie = |was: &str, is: &str| {
            let text = fs::read_to_string(&record).unwrap();
            assert!(text.contains(was), "{text}");
            fs::write(&record, text.replace(was, is)).unwrap();
        };
        let truth = format!("\"python_full_version\":\"{}\"", first.markers.python_full_version);
        lie(&truth, "\"python_full_version\":\"3.98.0\"");
        assert_eq!(prober.probe(&python).unwrap().markers.python_full_version, "3.98.0");

        let config = root.join("venv/pyvenv.cfg");
        let text = fs::read_to_string(&config).unwrap();
        fs::write(&config, format!("{text}\nprompt = changed\n")).unwrap();
        assert_eq!(prober.probe(&python).unwrap(), first, "the environment was changed");

        lie(&truth, "\"python_full_version\":\"3.98.0\"");
        fs::write(&record, &fs::read(&record).unwrap()[..100]).unwrap();
        assert_eq!(prober.probe(&python).unwrap(), first, "the record was damaged");

        lie(&truth, "\"python_full_version\":\"3.98.0\"");
        let real = fs::canonicalize(&python).unwrap();
        fs::remove_file(&python).unwrap();
        let between = root.join("venv/bin/other");
        std::os::unix::fs::symlink(&real, &between).unwrap();
        std::os::unix::fs::symlink(&between, &python).unwrap();
        assert_eq!(
            prober.probe(&python).unwrap().markers.python_full_version,
            "3.98.0",
            "another way to the same file is the same interpreter"
        );
    }

    #[test]
    fn an_unwritable_cache_is_no_error_and_a_shim_is_not_remembered() {
        let folder = tempfile::tempdir().unwrap();
        let real = python3().interpreter.path;
        fs::write(folder.path().join("file"), "").unwrap();
        let broken = Prober::new(Some(Cache::new(folder.path().join("file"))));
        broken.probe(&real).unwrap();

        let wrapper = folder.path().join("python3");
        script(&wrapper, &format!("#!/bin/sh\nexec '{}' \"$@\"\n", real.display()));
        Prober::new(Some(Cache::new(folder.path().join("cache")))).probe(&wrapper).unwrap();
        assert!(!folder.path().join("cache").exists());
    }
}

//! Source distributions that a lock permits to build, offline, from the requirements that it pins for the build.

use std::net::TcpListener;

use pinfast::packaging::PackageName;

use crate::kit::MemoryFiles;
use crate::program::Project;
use pinfast_testkit::tar;
use pinfast_testkit::wheel::Wheel;

/// A backend that records whether it reaches the network, and the version of its build requirement.
const BACKEND: &str = r#"
import base64, hashlib, socket, zipfile
import helper
def get_requires_for_build_wheel(settings=None):
    return ["extra-helper"]
def build_wheel(out, settings=None, metadata=None):
    import extra_helper
    try:
        socket.create_connection(("127.0.0.1", {port}), 5).close()
        network = "reached"
    except OSError:
        network = "none"
    files = {
        "old.py": "helper = %r\nnetwork = %r\n" % (helper.__version__, network),
        "old-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        "old-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "old-1.0.dist-info/RECORD"
    files[record] = "".join("%s,sha256=%s,%d\n" % (
        path, base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().strip("="), len(text)
    ) for path, text in files.items()) + record + ",,\n"
    with zipfile.ZipFile(out + "/old-1.0-{tag}.whl", "w") as wheel:
        for path, text in files.items():
            wheel.writestr(path, text)
    return "old-1.0-{tag}.whl"
"#;

const SYSTEM: &str =
    "[build-system]\nrequires = ['helper>=1']\nbuild-backend = 'backend'\nbackend-path = ['.']\n";

fn sdist(backend: &str) -> Vec<u8> {
    let metadata = "Metadata-Version: 2.2\nName: old\nVersion: 1.0\n";
    tar::sdist("old", "1.0", &[("PKG-INFO", metadata), ("pyproject.toml", SYSTEM), ("backend.py", backend)])
}

/// A project that wants `old`, which there is only as a source distribution, and its build requirements.
fn project(backend: &str) -> Project {
    let helpers =
        [Wheel::new("helper", "1.0"), Wheel::new("helper", "2.0"), Wheel::new("extra_helper", "1.0")];
    let mut source = MemoryFiles::of(&helpers.map(Wheel::module));
    let backend = backend.replace("{name}", "old").replace("{tag}", "py3-none-any").replace("{port}", "9");
    source.add("old-1.0.tar.gz", &PackageName::new("old").unwrap(), sdist(&backend));
    let project = Project::new([&source]);
    project.write("requirements.in", "old\n");
    project
}

#[test]
fn a_permitted_build_runs_offline_from_pinned_requirements() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let project = project(&BACKEND.replace("{port}", &port.to_string()));
    for lock in ["requirements.txt", "pylock.toml"] {
        project.done(&["lock", "--allow-build", "old", "-o", lock]);
        project.done(&["check", "-o", lock]);
        let text = project.read(lock);
        for pinned in ["helper", "extra-helper"] {
            assert!(text.contains(pinned), "{text}");
        }
        let said = project.done(&["install", lock]).err;
        let ran = "ran the build backend of old 1.0 (backend) to build its wheel";
        assert!(said.contains(ran), "whose code ran is told: {said}");
        assert_eq!(project.python("import old; print(old.helper)"), "2.0");
        let network = project.python("import old; print(old.network)");
        let cut = project.command("unshare").args(["-n", "true"]).status().is_ok_and(|it| it.success());
        assert!(network == "none" || !cut, "the build reached the network");
        project.done(&["verify", lock, "--strict"]);
        // Build requirements are not part of the environment, and what was built is kept.
        assert!(!project.site().join("helper").exists());
        std::fs::remove_dir_all(project.path(".venv")).unwrap();
        let again = project.done(&["install", lock]).err;
        assert!(!again.contains("ran the build backend"), "{again}");
        std::fs::remove_dir_all(project.path(".venv")).unwrap();
        std::fs::remove_dir_all(project.path("cache")).unwrap();
    }
    let text = project.read("requirements.txt");
    assert!(
        text.contains("# option: allow-build old\n")
            && text.contains("\n# build: old==1.0\n#     extra-helper==1.0\n"),
        "{text}"
    );
    // A relock keeps an older pin of a build, as it keeps any other.
    project.write("requirements.txt", &text.replace("helper==2.0", "helper==1.0"));
    project.done(&["lock", "--allow-build", "old"]);
    assert!(project.read("requirements.txt").contains("#     helper==1.0\n"));
    project.done(&["lock", "--allow-build", "old", "--upgrade"]);
    assert_eq!(project.read("requirements.txt"), text);
}

#[test]
fn a_build_that_the_lock_does_not_permit_is_refused() {
    let project = project(BACKEND);
    project.done(&["lock"]);
    let refused = project.run(&["install"]);
    assert_eq!(refused.code, Some(1), "{}", refused.err);
    assert!(refused.err.contains("only a source distribution"), "{}", refused.err);
    assert!(refused.err.contains("`pinfast lock --allow-build old`"), "{}", refused.err);
    assert!(!project.path(".venv").exists());
    // A permission that was written in by hand is none.
    let lock = project.read("requirements.txt");
    project.write("requirements.txt", &format!("{lock}\n# build: old==1.0\n"));
    assert_eq!(project.run(&["install"]).code, Some(1));
    assert!(!project.path(".venv").exists());
}

/// Each case: what is done to the lock or the files, the exit code, the message.
#[test]
fn a_build_that_deviates_from_the_lock_changes_nothing() {
    type Change = fn(&Project);
    let cases: [(String, Change, i32, &str); 5] = [
        (
            BACKEND.to_owned(),
            |project| {
                let path = project.path("files/old-1.0.tar.gz");
                let mut bytes = std::fs::read(&path).unwrap();
                bytes.push(0);
                std::fs::write(path, bytes).unwrap();
            },
            4,
            "old-1.0.tar.gz",
        ),
        (
            BACKEND.to_owned(),
            |project| {
                let lock = project.read("requirements.txt");
                let (before, after) = lock.split_once("#     extra-helper==1.0\n").unwrap();
                let (_, after) = after.split_once('\n').unwrap();
                project.write("requirements.txt", &format!("{before}{after}"));
            },
            1,
            "requires `extra-helper`, which the lock does not pin for it",
        ),
        (BACKEND.replace("{name}", "other"), |_| {}, 4, "says in METADATA that it is other 1.0, not old 1.0"),
        (BACKEND.replace("{tag}", "py2-none-win32"), |_| {}, 4, "made old-1.0-py2-none-win32.whl, not for"),
        (
            BACKEND.replace("    import extra_helper\n", "    raise ValueError('no luck')\n"),
            |_| {},
            1,
            "ValueError: no luck",
        ),
    ];
    for (backend, change, code, message) in cases {
        let project = project(&backend);
        project.done(&["lock", "--allow-build", "old"]);
        change(&project);
        let ended = project.run(&["install", "--no-check"]);
        assert_eq!(ended.code, Some(code), "{message}: {}", ended.err);
        assert!(ended.err.contains(message), "expected `{message}`: {}", ended.err);
        assert!(!project.path(".venv").exists(), "{message}");
    }
}

#[test]
fn build_requirements_without_wheels_are_named() {
    let project = project(BACKEND);
    std::fs::remove_file(project.path("files/extra_helper-1.0-py3-none-any.whl")).unwrap();
    let ended = project.run(&["lock", "--allow-build", "old"]);
    assert_eq!(ended.code, Some(1), "{}", ended.err);
    assert!(ended.err.contains("no wheels satisfy the build requirements of old 1.0"), "{}", ended.err);
    assert!(ended.err.contains("extra-helper"), "{}", ended.err);
    let forbidden = project.run(&["lock", "--allow-build", "old", "--no-build"]);
    assert!(forbidden.code == Some(1) && forbidden.err.contains("`--no-build` forbids"), "{}", forbidden.err);
    assert!(forbidden.err.contains("leave out `--no-build` to ask the backend"), "{}", forbidden.err);
}

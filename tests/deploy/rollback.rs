//! What is live after deploys and rollbacks, and what is kept.

use std::fs;
use std::os::unix::fs::symlink;

use crate::host::{Host, PLAIN, files};
use crate::mounted::Mounted;

#[test]
fn deploy_builds_a_release_and_makes_it_live() {
    let host = Host::new();
    let said = host.deploy();
    let steps: Vec<_> = said.err.lines().filter_map(|line| line.strip_prefix("  ")).collect();
    let names: Vec<_> = steps.iter().map(|step| step.split(' ').next().unwrap()).collect();
    let order = [
        "preflight",
        "export",
        "share",
        "install",
        "verify",
        "smoke",
        "smoke",
        "switch",
        "restart",
        "health",
    ];
    assert_eq!(names, order, "{}", said.err);
    let release = host.releases().remove(0);
    let id = release["id"].as_str().unwrap();
    assert_eq!(fs::read_link(host.current()).unwrap().to_str().unwrap(), format!("releases/{id}"));
    assert!(id.contains("Z-") && id.ends_with(&release["commit"].as_str().unwrap()[..10]), "{id}");
    let lock = pinfast::packaging::Sha256::of(&fs::read(host.project().join("requirements.txt")).unwrap());
    assert_eq!(release["lock"], lock.to_string());
    assert_eq!(
        (&release["state"], &release["live"], &release["by"]),
        (&"live".into(), &true.into(), &"tester".into())
    );
    host.assert_live_works();
    let folder = host.root().join("releases").join(id);
    assert_eq!(
        fs::read_link(folder.join("data/app.db")).unwrap().to_str().unwrap(),
        "../../../shared/data/app.db"
    );
    assert!(!folder.join(".git").exists());
    assert_eq!(host.restarts(), [id]);
    // All that the commands printed is kept.
    let log = fs::read_to_string(host.root().join(format!(".pinfast/logs/{id}.log"))).unwrap();
    assert!(log.contains("== run: python -m app --selfcheck\nchecked\n"), "{log}");
}

#[test]
fn deploying_a_commit_twice_makes_two_releases() {
    let host = Host::new();
    host.deploy();
    host.deploy();
    let releases = host.releases();
    assert_eq!(host.states(), ["live", "retired"]);
    assert_ne!(releases[0]["id"], releases[1]["id"]);
    assert_eq!(releases[0]["commit"], releases[1]["commit"]);
}

#[test]
fn repeated_rollbacks_go_further_back() {
    let host = Host::new();
    host.deploy();
    host.pinfast("rollback").assert(1, &["there is no good release to go back to"]);
    for version in ["2", "3"] {
        host.commit_version(version);
        host.write("pinfast.toml", &PLAIN.replace("keep = 2", "keep = 5"));
        host.commit("keep more");
        host.deploy();
    }
    let ids: Vec<_> =
        host.releases().iter().map(|release| release["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(host.pinfast("rollback --dry-run").out.trim(), ids[1]);
    host.pinfast("rollback").assert(0, &["verify", "smoke", "switch", "restart", "health", "is live"]);
    assert_eq!(
        (host.version().as_deref(), host.states()),
        (Some("2"), vec!["retired".into(), "live".into(), "retired".into()])
    );
    host.pinfast("rollback").assert(0, &[]);
    assert_eq!(host.version().as_deref(), Some("1"));
    host.pinfast("rollback").assert(1, &["there is no good release to go back to", "is live"]);
    assert_eq!(host.version().as_deref(), Some("1"));
    // What was rolled away from can be named.
    host.pinfast(&format!("rollback {}", ids[0])).assert(0, &[]);
    assert_eq!(host.version().as_deref(), Some("3"));
    host.pinfast("rollback").assert(0, &[]);
    assert_eq!(host.version().as_deref(), Some("1"), "the one before, by the journal");
    host.pinfast(&format!("rollback {}", ids[2])).assert(1, &["is live already"]);
    host.pinfast("rollback no-such-release").assert(1, &["there is no release no-such-release"]);
    host.pinfast("rollback ../x").assert(2, &["is not the name of a release"]);
}

#[test]
fn a_failure_before_the_switch_changes_nothing() {
    let host = Host::new();
    host.deploy();
    let (live, data) = (host.live(), host.data());
    host.write("bot.py", "print('so far')\nimport gemini_service, no_such_thing\n");
    host.commit_version("2");
    let said = host.pinfast("deploy");
    said.assert(
        1,
        &[
            "the smoke test `import bot` ended with exit code 1",
            "| so far",
            "No module named 'no_such_thing'",
            "logs/",
        ],
    );
    assert!(!said.err.contains("  switch"), "{}", said.err);
    assert_eq!((host.live(), host.version().as_deref(), host.data()), (live, Some("1"), data));
    assert_eq!(host.states(), ["failed", "live"]);
    assert_eq!(host.restarts().len(), 1);
    let failed = host.releases().remove(0)["id"].as_str().unwrap().to_owned();
    assert!(host.root().join("releases").join(&failed).join("bot.py").exists(), "kept for diagnosis");
    host.pinfast(&format!("rollback {failed}")).assert(1, &["is failed"]);
    host.write("bot.py", "import gemini_service\n");
    host.commit_version("3");
    host.deploy();
    host.pinfast("rollback").assert(0, &[]);
    assert_eq!(host.version().as_deref(), Some("1"), "never to a failed one");
}

#[test]
fn a_failure_after_the_switch_switches_back() {
    let host = Host::new();
    host.deploy();
    let live = host.live();
    fs::remove_file(host.project().join("version")).unwrap();
    host.impatient("test -e version");
    let said = host.pinfast("deploy");
    said.assert(
        1,
        &[
            "`test -e version` ended with exit code 1, for 2 s",
            "back",
            "switched back and restarted",
            "is kept as failed",
        ],
    );
    assert_eq!((host.live(), host.version().as_deref()), (live.clone(), Some("1")));
    assert_eq!(host.states(), ["failed", "live"]);
    let failed = host.releases().remove(0)["id"].as_str().unwrap().to_owned();
    let live = live.unwrap();
    assert_eq!(host.restarts(), [live.clone(), failed, live.clone()]);
    // A restart that fails counts as failed health.
    host.write(
        "pinfast.toml",
        &PLAIN.replace("restart = \"echo", "restart = \"echo cannot; test -e version && exit 3; echo"),
    );
    host.commit_version("2");
    host.pinfast("deploy").assert(1, &["ended with exit code 3", "| cannot", "restarting failed, too"]);
    assert_eq!(host.live(), Some(live));
}

#[test]
fn a_failed_first_release_leaves_nothing_live() {
    let host = Host::new();
    host.impatient("false");
    host.pinfast("deploy").assert(1, &["nothing was live before, and nothing is"]);
    assert!(!host.current().is_symlink());
    assert_eq!(host.states(), ["failed"]);
    host.pinfast("rollback").assert(1, &["no release is live"]);
    host.write("pinfast.toml", PLAIN);
    host.commit("healthy");
    host.deploy();
    assert_eq!(host.states(), ["live", "failed"]);
}

#[test]
fn a_failed_rollback_switches_back() {
    let host = Host::new();
    host.deploy();
    host.commit_version("2");
    host.deploy();
    let first = host.releases()[1]["id"].as_str().unwrap().to_owned();
    fs::remove_file(host.root().join("releases").join(&first).join("version")).unwrap();
    host.impatient("test -e version");
    host.pinfast("rollback").assert(1, &["switched back and restarted"]);
    assert_eq!(
        (host.version().as_deref(), host.states()),
        (Some("2"), vec!["live".into(), "retired".into()])
    );
    // Its lock and its environment are its own, and have to be as they were.
    let folder = host.root().join("releases").join(&first);
    fs::write(folder.join("version"), "1").unwrap();
    let site =
        files(&folder.join(".venv/lib")).into_keys().find(|path| path.ends_with("tenacity.py")).unwrap();
    let text = fs::read(&site).unwrap();
    fs::remove_file(&site).unwrap();
    host.pinfast("rollback").assert(1, &["is not its lock", "tenacity.py"]);
    fs::write(&site, text).unwrap();
    let lock = folder.join("requirements.txt");
    let text = fs::read_to_string(&lock).unwrap();
    fs::write(&lock, format!("{text}\n")).unwrap();
    host.pinfast("rollback").assert(1, &["is not the lock that"]);
    fs::write(&lock, text).unwrap();
    host.pinfast("rollback").assert(0, &[]);
    assert_eq!(host.version().as_deref(), Some("1"));
}

/// A release is rolled back to with the smoke tests that it was deployed with.
#[test]
fn a_rollback_runs_the_checks_of_its_release() {
    let host = Host::new();
    host.deploy();
    host.write("brand_new.py", "");
    host.write("pinfast.toml", &PLAIN.replace("\"import bot\"", "\"import brand_new\""));
    host.commit_version("2");
    host.deploy();
    host.pinfast("rollback").assert(0, &["smoke     import bot"]);
    assert_eq!(host.version().as_deref(), Some("1"));
}

#[test]
fn removing_a_release_keeps_shared_files() {
    let host = Host::new();
    let outside = host.folder().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("precious"), "p").unwrap();
    host.deploy();
    let first = fs::canonicalize(host.current()).unwrap();
    host.commit_version("2");
    host.deploy();
    let second = fs::canonicalize(host.current()).unwrap();
    symlink(host.shared(), first.join("to-shared")).unwrap();
    symlink(&outside, first.join("to-outside")).unwrap();
    symlink(&second, first.join("to-another")).unwrap();
    symlink("/", first.join("to-everything")).unwrap();
    let (data, kept) = (host.data(), files(&second));
    host.commit_version("3");
    let said = host.deploy();
    assert!(
        said.err.contains(&format!("prune     releases/{}", first.file_name().unwrap().to_str().unwrap())),
        "{}",
        said.err
    );
    assert!(!first.exists());
    assert_eq!((host.data(), files(&second)), (data, kept));
    assert_eq!(fs::read_to_string(outside.join("precious")).unwrap(), "p");
    // A release that somebody made a link of loses that link.
    fs::rename(&second, outside.join("second")).unwrap();
    symlink(outside.join("second"), &second).unwrap();
    host.commit_version("4");
    host.deploy();
    host.commit_version("5");
    host.deploy();
    assert!(!second.is_symlink() && outside.join("second/bot.py").exists());
    assert_eq!(host.states(), ["live", "retired"]);
}

#[test]
fn a_release_that_cannot_be_removed_is_exit_5() {
    let host = Host::new();
    host.deploy();
    let first = fs::canonicalize(host.current()).unwrap();
    host.commit_version("2");
    host.deploy();
    let Some(mounted) = Mounted::new(&["-t", "tmpfs", "none"], &first.join("app")) else { return };
    fs::write(first.join("app/precious"), "p").unwrap();
    host.commit_version("3");
    host.pinfast("deploy")
        .assert(5, &["is live, but a step after the switch failed", "something is mounted at"]);
    assert_eq!(host.version().as_deref(), Some("3"));
    assert_eq!(fs::read_to_string(first.join("app/precious")).unwrap(), "p");
    // It bars nothing, and is tried again.
    host.commit_version("4");
    host.pinfast("deploy").assert(5, &["was only partly removed", "something is mounted at"]);
    assert_eq!(host.version().as_deref(), Some("4"));
    drop(mounted);
    host.commit_version("5");
    host.pinfast("deploy").assert(0, &["was only partly removed"]);
    assert!(!first.exists());
}

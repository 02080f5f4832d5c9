use super::super::testing::{git, repository};
use super::*;
use std::fs;

fn environment(folder: &Path, name: &str) {
    fs::create_dir_all(folder.join(name)).unwrap();
    fs::write(folder.join(name).join("pyvenv.cfg"), "").unwrap();
}

fn fixes(folder: &Path) -> Vec<String> {
    check_environment_folders(folder).unwrap().into_iter().map(|finding| finding.fix).collect()
}

#[test]
fn an_exposed_or_tracked_environment_is_found_and_its_fix_works() {
    let repository = repository();
    let folder = repository.path();
    assert!(fixes(folder).is_empty(), "no environment, nothing to ignore");

    environment(folder, ".venv");
    environment(folder, "venv");
    assert_eq!(fixes(folder), ["echo .venv/ >> .gitignore", "echo venv/ >> .gitignore"]);
    fs::write(folder.join(".gitignore"), "venv/\n").unwrap();
    assert_eq!(fixes(folder), ["echo .venv/ >> .gitignore"]);

    git(folder, &["add", "."]);
    assert_eq!(fixes(folder), ["git rm -r --cached .venv"]);
    let found = check_environment_folders(folder).unwrap();
    assert_eq!(found[0].message, "`.venv` is tracked by git, which will overwrite it");
    fs::remove_dir_all(folder.join(".venv")).unwrap();
    assert_eq!(fixes(folder), ["git rm -r --cached .venv"], "tracked, although it is absent");

    git(folder, &["rm", "-r", "-q", "--cached", ".venv"]);
    assert!(fixes(folder).is_empty());
    environment(folder, ".venv");
    fs::write(folder.join(".gitignore"), "venv/\n.venv/\n").unwrap();
    assert!(fixes(folder).is_empty());
}

#[test]
fn a_tracked_folder_is_found_although_it_is_ignored() {
    let repository = repository();
    let folder = repository.path();
    environment(folder, "venv");
    git(folder, &["add", "."]);
    fs::write(folder.join(".gitignore"), "venv/\n").unwrap();
    assert_eq!(fixes(folder), ["git rm -r --cached venv"]);
}

#[test]
fn a_project_below_the_root_is_checked_for_its_own_environment() {
    let repository = repository();
    let project = repository.path().join("apps/bot");
    fs::create_dir_all(&project).unwrap();
    environment(&project, ".venv");
    environment(repository.path(), "venv");
    assert_eq!(fixes(&project), ["echo .venv/ >> .gitignore"]);
    fs::write(repository.path().join(".gitignore"), "**/.venv\n").unwrap();
    assert!(fixes(&project).is_empty());
    fs::write(project.join(".venv.txt"), "").unwrap();
    git(repository.path(), &["add", "apps/bot/.venv.txt"]);
    assert!(fixes(&project).is_empty(), "a name that only begins alike is not it");
}

/// `python -m venv` of today and uv write a `.gitignore` with `*` into the environment itself.
#[test]
fn an_environment_that_ignores_itself_is_ignored() {
    let repository = repository();
    environment(repository.path(), ".venv");
    fs::write(repository.path().join(".venv/.gitignore"), "*\n").unwrap();
    assert!(fixes(repository.path()).is_empty());
}

#[cfg(unix)]
#[test]
fn a_link_is_not_covered_by_a_rule_for_folders() {
    let repository = repository();
    let elsewhere = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(elsewhere.path(), repository.path().join(".venv")).unwrap();
    fs::write(repository.path().join(".gitignore"), ".venv/\n").unwrap();
    assert_eq!(fixes(repository.path()), ["echo .venv >> .gitignore"]);
    fs::write(repository.path().join(".gitignore"), ".venv\n").unwrap();
    assert!(fixes(repository.path()).is_empty());
}

#[test]
fn outside_a_work_tree_nothing_is_found() {
    let folder = tempfile::tempdir().unwrap();
    environment(folder.path(), ".venv");
    assert!(fixes(folder.path()).is_empty());
    assert_eq!(WorkTree::discover(folder.path()), None);
    fs::create_dir(folder.path().join(".git")).unwrap();
    assert!(fixes(folder.path()).is_empty(), "an empty .git is no repository");
}

#[test]
fn a_broken_repository_is_no_answer() {
    let repository = repository();
    environment(repository.path(), ".venv");
    fs::write(repository.path().join(".git/index"), "no index").unwrap();
    let error = check_environment_folders(repository.path()).unwrap_err();
    assert_eq!(error.kind, pinfast_base::error::ErrorKind::NoAnswer);
    assert!(!error.details.is_empty());
}

#[test]
fn checked_names_need_not_exist_yet() {
    let repository = repository();
    let folder = repository.path();
    let fixes = || -> Vec<_> {
        let found = check_environment_names(folder, &[".venv", "venv", "env"]).unwrap();
        found.into_iter().map(|finding| finding.fix).collect()
    };
    assert_eq!(fixes(), ["echo .venv/ >> .gitignore", "echo venv/ >> .gitignore", "echo env/ >> .gitignore"]);
    fs::write(folder.join(".gitignore"), ".venv/\nvenv/\nenv/\n").unwrap();
    assert!(fixes().is_empty());
}

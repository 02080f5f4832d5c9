//! The preflight: everything that must hold before a deploy. It creates nothing at the root and collects all
//! problems instead of stopping at the first.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::config::{DeployConfig, Environments};
use super::modules::{ImportableModules, outside_standard_library};
use super::root::CurrentLink;
use super::shared;
use super::source::{ReleaseSource, resolve_commit};
use super::space::{SpaceNeed, permission_problems, space_problem};
use pinfast_base::error::{Error, ErrorKind, Result};
use pinfast_git::{TreeEntry, TreeEntryKind, WorkTree, check_environment_names};
use pinfast_install::PlacedFile;
use pinfast_packaging::Sha256;
use pinfast_settings::{SharedPath, SmokeTest};

/// A source that passed the preflight.
#[derive(Debug)]
pub(super) struct CheckedSource {
    pub(super) source: ReleaseSource,
    /// The SHA-256 of its lock.
    pub(super) lock_hash: Sha256,
}

/// A deploy runs the preflight twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PreflightPass {
    /// First without the lock, so that a problem is reported before anything is created. Another run may be at
    /// work; shared paths may be moved in, and leftovers removed, before the second pass.
    BeforeLock { missing_shared: MissingShared, recovery: PendingRecovery },
    /// Then with the lock: now nothing else changes the root.
    UnderLock,
}

/// What a deploy does if shared paths are missing in `shared/`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MissingShared {
    /// They are problems.
    #[default]
    Refuse,
    /// It moves them in from the work tree, and creates missing folders.
    MoveIn,
}

/// Whether recovery will free disk space, because a run died.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PendingRecovery {
    No,
    Yes,
}

/// Checks everything. Uses `already_read` if it is the source at the commit to deploy.
///
/// # Errors
/// All problems in one error. It is `Refused` if a file does not match its hash, `NoAnswer` if only the disk,
/// the network or permissions are in the way, and else `No`.
pub(super) fn preflight(
    config: &DeployConfig,
    environments: &dyn Environments,
    pass: PreflightPass,
    already_read: Option<ReleaseSource>,
) -> Result<CheckedSource> {
    let mut problems = Vec::new();
    let source = ok_or_push(&mut problems, source(config, already_read));
    if let Some(source) = &source {
        problems.extend(shared_conflicts(&source.files, config));
    }
    if let Some(tree) = WorkTree::discover(&config.source) {
        problems.extend(git_problems(&tree, config, source.as_ref()));
    }
    let mut lock_hash = None;
    let mut contents = None;
    if let Some(source) = &source {
        let lock_problems = environments.lock_problems(source.view());
        contents = match environments.contents(source.view()) {
            // It would only repeat a problem of the lock.
            Err(_) if !lock_problems.is_empty() => None,
            contents => ok_or_push(&mut problems, contents),
        };
        if lock_problems.is_empty() {
            lock_hash = ok_or_push(&mut problems, source.hash_lock(&config.settings.lock));
        }
        problems.extend(lock_problems);
    }
    problems.extend(root_problems(config, pass));
    if !matches!(pass, PreflightPass::BeforeLock { recovery: PendingRecovery::Yes, .. }) {
        let contents = contents.as_deref().unwrap_or_default();
        let need = source.as_ref().map(|source| space_need(&source.files, contents));
        problems.extend(need.and_then(|need| space_problem(&config.root, need)));
    }
    problems.extend(permission_problems(&config.root));
    if let (Some(source), Some(contents)) = (&source, &contents) {
        problems.extend(module_problems(&source.files, contents, config, environments));
    }
    match (source, lock_hash) {
        (Some(source), Some(lock_hash)) if problems.is_empty() => Ok(CheckedSource { source, lock_hash }),
        _ => Err(all_in_one(problems)),
    }
}

fn source(config: &DeployConfig, already_read: Option<ReleaseSource>) -> Result<ReleaseSource> {
    let (tree, commit) = resolve_commit(config)?;
    match already_read {
        Some(source) if source.commit == commit => Ok(source),
        _ => ReleaseSource::read(config, tree, commit),
    }
}

/// Tracked files at the places of links to `shared/`.
fn shared_conflicts(files: &[TreeEntry], config: &DeployConfig) -> Vec<Error> {
    config.settings.shared.iter().filter_map(|shared| shared_conflict(files, shared)).collect()
}

fn shared_conflict(files: &[TreeEntry], shared: &SharedPath) -> Option<Error> {
    let path = Path::new(&shared.path);
    let conflicts = |file: &&TreeEntry| {
        // A file or link where the shared path needs a folder.
        let above = path.starts_with(&file.path) && path != file.path && file.kind != TreeEntryKind::Folder;
        file.path.starts_with(path) || above
    };
    let file = files.iter().find(conflicts)?;
    let tracked = file.path.display();
    Some(
        Error::no(format!("`{tracked}` is tracked by git where the shared `{}` will be", shared.path))
            .hint(format!("fix it: `git rm -r --cached {tracked}`, ignore it, and commit")),
    )
}

/// The environment must be out of git, and the source must be committed.
fn git_problems(tree: &WorkTree, config: &DeployConfig, source: Option<&ReleaseSource>) -> Vec<Error> {
    let mut problems = Vec::new();
    let mut names: BTreeSet<&str> = pinfast_git::ENVIRONMENT_FOLDERS.into_iter().collect();
    names.insert(&config.settings.venv);
    let names: Vec<_> = names.into_iter().collect();
    let findings = check_environment_names(&config.source, &names);
    for finding in ok_or_push(&mut problems, findings).unwrap_or_default() {
        problems.push(Error::no(finding.message).hint(format!("fix it: `{}`, and commit", finding.fix)));
    }
    let head = ok_or_push(&mut problems, tree.resolve_commit("HEAD")).flatten();
    let deploys_head = source.is_some_and(|source| head.as_ref() == Some(&source.commit));
    if !deploys_head {
        // The index describes HEAD only; another commit may track the environment.
        problems.extend(source.and_then(|source| committed_environment(&source.files, config)));
        return problems;
    }
    let changed = ok_or_push(&mut problems, tree.changed_files()).unwrap_or_default();
    if !changed.is_empty() {
        let mut error = Error::no("the source has changes that are not committed");
        error.details = changed.iter().take(10).cloned().collect();
        if changed.len() > 10 {
            error.details.push(format!("and {} more", changed.len() - 10));
        }
        problems.push(error.hint("commit them, or put them aside: `git stash`"));
    }
    problems
}

fn committed_environment(files: &[TreeEntry], config: &DeployConfig) -> Option<Error> {
    let file = files.iter().find(|file| file.path.starts_with(&config.settings.venv))?;
    let message = format!("`{}` is committed where the environment will be", file.path.display());
    Some(Error::no(message).hint(format!("remove it from the commit that `{}` names", config.revision)))
}

/// Problems with `current`, the folders of the root, and `shared/`.
fn root_problems(config: &DeployConfig, pass: PreflightPass) -> Vec<Error> {
    let root = &config.root;
    let mut problems = Vec::new();
    if let Some(CurrentLink::NotALink) = ok_or_push(&mut problems, root.read_current()) {
        problems.push(
            Error::no(format!("{} is not a link", root.current().display()))
                .hint("pinfast makes it a link to the live release: move it away"),
        );
    }
    for folder in [root.path().to_owned(), root.releases(), root.shared(), root.state_folder()] {
        let metadata = fs::symlink_metadata(&folder);
        let is_link = metadata.as_ref().is_ok_and(fs::Metadata::is_symlink);
        // The links to `shared/` are relative to a release: they need `releases/` to be at the root itself.
        if is_link && folder == root.releases() {
            problems.push(Error::no(format!("{} is a link", folder.display())).hint("make it a real folder"));
        } else if metadata.is_ok() && !folder.is_dir() {
            problems.push(Error::no(format!("{} is not a folder", folder.display())));
        }
    }
    let shared = &config.settings.shared;
    match pass {
        PreflightPass::BeforeLock { missing_shared: MissingShared::MoveIn, .. } => {
            let present: Vec<_> =
                shared.iter().filter(|shared| !shared::is_missing(shared, root)).cloned().collect();
            problems.extend(shared::problems(&present, root));
            problems.extend(shared::move_problems(config));
        }
        _ => problems.extend(shared::problems(shared, root)),
    }
    problems
}

/// The space of the source's files, the environment's files, and the environment's folders.
fn space_need(files: &[TreeEntry], contents: &[PlacedFile]) -> SpaceNeed {
    let sizes = files.iter().map(|file| file.size).chain(contents.iter().map(|content| content.size));
    let folders: BTreeSet<&Path> = contents.iter().filter_map(|content| content.path.parent()).collect();
    SpaceNeed::of_files(sizes.chain(folders.iter().map(|_| 0)))
}

/// Smoke tests that import a module which exists nowhere.
fn module_problems(
    files: &[TreeEntry],
    contents: &[PlacedFile],
    config: &DeployConfig,
    environments: &dyn Environments,
) -> Vec<Error> {
    let mut importable = ImportableModules::default();
    importable.add(files.iter().map(|file| file.path.as_path()));
    importable.add(contents.iter().map(|content| content.path.as_path()));
    let modules = config.settings.smoke.iter().filter_map(|smoke| match smoke {
        SmokeTest::Import(module) => Some(module.as_str()),
        SmokeTest::Run(_) => None,
    });
    let missing: Vec<_> = modules.filter(|module| !importable.has(module)).collect();
    if missing.is_empty() {
        return Vec::new();
    }
    match environments.interpreter().and_then(|python| outside_standard_library(&missing, &python)) {
        Err(error) => vec![error],
        Ok(missing) => missing
            .into_iter()
            .map(|module| {
                Error::no(format!("there is no module `{module}` to import"))
                    .hint("it is neither committed, nor in the lock, nor in the standard library")
            })
            .collect(),
    }
}

/// The value; an error joins the problems.
fn ok_or_push<T>(problems: &mut Vec<Error>, result: Result<T>) -> Option<T> {
    result.map_err(|error| problems.push(error)).ok()
}

fn all_in_one(problems: Vec<Error>) -> Error {
    let has = |kind: ErrorKind| problems.iter().any(|problem| problem.kind == kind);
    let kind = match () {
        () if has(ErrorKind::Refused) => ErrorKind::Refused,
        () if has(ErrorKind::No) || has(ErrorKind::Usage) => ErrorKind::No,
        () => ErrorKind::NoAnswer,
    };
    let s = if problems.len() == 1 { "" } else { "s" };
    let mut error = Error::new(kind, format!("nothing was deployed: {} problem{s}", problems.len()));
    for problem in problems {
        error.details.push(format!("  - {problem}"));
        let mut cause = std::error::Error::source(&problem);
        while let Some(source) = cause {
            error.details.push(format!("    caused by: {source}"));
            cause = source.source();
        }
        let lines = problem.details.iter().map(|line| format!("    {}", line.trim()));
        error.details.extend(lines.chain(problem.hints.iter().map(|hint| format!("    {hint}"))));
    }
    error
}

#[cfg(test)]
mod tests {
    use super::*;
    use pinfast_settings::SharedKind;

    fn entry(path: &str) -> TreeEntry {
        let kind = match path {
            path if path.ends_with('/') => TreeEntryKind::Folder,
            path if path.ends_with('@') => TreeEntryKind::Link,
            _ => TreeEntryKind::File,
        };
        TreeEntry { path: path.trim_end_matches('@').into(), kind, size: 1 }
    }

    #[test]
    fn a_tracked_file_at_a_shared_path_is_a_conflict() {
        for (tracked, path, conflicts) in [
            ("logs/.gitkeep", "logs", true),
            ("logs/", "logs", true),
            (".env", ".env", true),
            (".env.example", ".env", false),
            ("data/", "data/app.db", false),
            ("data/other.db", "data/app.db", false),
            ("data@", "data/app.db", true),
            ("data", "data/app.db", true),
            ("data/app.db", "data/app.db", true),
        ] {
            let shared = SharedPath { path: path.to_owned(), kind: SharedKind::File };
            assert_eq!(shared_conflict(&[entry(tracked)], &shared).is_some(), conflicts, "{tracked} {path}");
        }
    }

    #[test]
    fn all_problems_are_in_one_error() {
        let disk = || Error::no_answer("no space").hint("free some");
        let no = || Error::no("changed").detail("  a.py").because("x");
        let refused = || Error::refused("not its hash");
        for (problems, kind) in [
            (vec![disk()], ErrorKind::NoAnswer),
            (vec![disk(), no()], ErrorKind::No),
            (vec![Error::usage("unreadable"), disk()], ErrorKind::No),
            (vec![no(), refused(), disk()], ErrorKind::Refused),
        ] {
            assert_eq!(all_in_one(problems).kind, kind);
        }
        let error = all_in_one(vec![no(), disk()]);
        assert_eq!(error.message, "nothing was deployed: 2 problems");
        assert_eq!(
            error.details,
            ["  - changed", "    caused by: x", "    a.py", "  - no space", "    free some"]
        );
    }
}

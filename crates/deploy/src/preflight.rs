//! Everything that has to hold before a deploy, looked at without creating anything at the root; all that
//! is wrong is told at once.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::config::{Config, Environments};
use super::modules::{Importable, not_standard};
use super::root::Current;
use super::shared;
use super::source::{self, Source};
use super::space::{self, Need};
use pinfast_base::error::{Error, ErrorKind, Result};
use pinfast_git::{self as git, Committed, CommittedKind, WorkTree};
use pinfast_install::Content;
use pinfast_packaging::Sha256;
use pinfast_settings::{SharedPath, SmokeTest};

/// What is known once everything holds.
#[derive(Debug)]
pub(super) struct Ready {
    pub(super) source: Source,
    /// The SHA-256 of the lock.
    pub(super) lock: Sha256,
}

/// When the preflight takes place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Moment {
    /// Before anything: another run may be at work, or have left things behind that the lock's holder will
    /// clear away; and shared paths may be moved in afterwards.
    Before {
        /// What is done about shared paths that are lacking.
        lacking: Lacking,
        /// Whether there is something to be cleared away.
        left_over: LeftOvers,
    },
    /// Under the lock.
    UnderLock,
}

/// What is done about shared paths that are lacking.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Lacking {
    /// They are problems.
    #[default]
    Refuse,
    /// They are moved in from the working tree, and folders are created.
    MoveIn,
}

/// Whether a run that died left something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LeftOvers {
    None,
    Some,
}

/// Looks at everything. What was `read` of the source before is used again for the same commit.
///
/// # Errors
/// All problems in one: `Refused` where a file is not what it should be, else `No`, or `NoAnswer` where only
/// the world is in the way.
pub(super) fn preflight(
    config: &Config,
    environments: &dyn Environments,
    moment: Moment,
    read: Option<Source>,
) -> Result<Ready> {
    let mut problems = Vec::new();
    let source = keep(&mut problems, source(config, read));
    if let Some(source) = &source {
        problems.extend(conflicts(&source.files, config));
    }
    if let Some(tree) = WorkTree::around(&config.source) {
        problems.extend(in_git(&tree, config, source.as_ref()));
    }
    let mut lock = None;
    let mut contents = None;
    if let Some(source) = &source {
        let wrong = environments.lock_problems(source.view());
        contents = match environments.contents(source.view()) {
            // It says again what is wrong with the lock.
            Err(_) if !wrong.is_empty() => None,
            contents => keep(&mut problems, contents),
        };
        if wrong.is_empty() {
            lock = keep(&mut problems, source.lock_hash(&config.settings.lock));
        }
        problems.extend(wrong);
    }
    problems.extend(places(config, moment));
    let need = source.as_ref().map(|source| need(&source.files, contents.as_deref().unwrap_or_default()));
    if !matches!(moment, Moment::Before { left_over: LeftOvers::Some, .. }) {
        problems.extend(need.and_then(|need| space::lacks(&config.root, need)));
    }
    problems.extend(space::forbidden(&config.root));
    if let (Some(source), Some(contents)) = (&source, &contents) {
        problems.extend(modules(&source.files, contents, config, environments));
    }
    match (source, lock) {
        (Some(source), Some(lock)) if problems.is_empty() => Ok(Ready { source, lock }),
        _ => Err(all(problems)),
    }
}

fn source(config: &Config, read: Option<Source>) -> Result<Source> {
    let (tree, commit) = source::commit(config)?;
    match read {
        Some(read) if read.commit == commit => Ok(read),
        _ => Source::read(config, tree, commit),
    }
}

/// Tracked files where something else is to be.
fn conflicts(files: &[Committed], config: &Config) -> Vec<Error> {
    config.settings.shared.iter().filter_map(|shared| conflict(files, shared)).collect()
}

/// A tracked file in the environment of another commit than the one that is checked out.
fn in_environment(files: &[Committed], config: &Config) -> Option<Error> {
    let file = files.iter().find(|file| file.path.starts_with(&config.settings.venv))?;
    let said = format!("`{}` is committed where the environment will be", file.path.display());
    Some(Error::no(said).hint(format!("take it out of what {} means", config.revision)))
}

fn conflict(files: &[Committed], shared: &SharedPath) -> Option<Error> {
    let path = Path::new(&shared.path);
    let bars = |file: &&Committed| {
        let through = path.starts_with(&file.path) && path != file.path;
        file.path.starts_with(path) || (through && file.kind != CommittedKind::Folder)
    };
    let file = files.iter().find(bars)?;
    let tracked = file.path.display();
    Some(
        Error::no(format!("`{tracked}` is tracked by git where the shared `{}` will be", shared.path))
            .hint(format!("mend it: `git rm -r --cached {tracked}`, ignore it, and commit")),
    )
}

/// What git says: the environment is out of it, and what goes out is committed.
fn in_git(tree: &WorkTree, config: &Config, source: Option<&Source>) -> Vec<Error> {
    let mut problems = Vec::new();
    let mut names: BTreeSet<&str> = git::ENVIRONMENTS.into_iter().collect();
    names.insert(&config.settings.venv);
    let names: Vec<_> = names.into_iter().collect();
    let findings = git::exposed_environments(&config.source, &names);
    for finding in keep(&mut problems, findings).unwrap_or_default() {
        problems.push(Error::no(finding.message).hint(format!("mend it: `{}`, and commit", finding.mend)));
    }
    let head = keep(&mut problems, tree.commit("HEAD")).flatten();
    let goes_out = source.is_some_and(|source| head.as_ref() == Some(&source.commit));
    if !goes_out {
        problems.extend(source.and_then(|source| in_environment(&source.files, config)));
        return problems;
    }
    let changes = keep(&mut problems, tree.changes()).unwrap_or_default();
    if !changes.is_empty() {
        let mut error = Error::no("what goes out has changes that are not committed");
        error.details = changes.iter().take(10).cloned().collect();
        if changes.len() > 10 {
            error.details.push(format!("and {} more", changes.len() - 10));
        }
        problems.push(error.hint("commit them, or take them back: `git stash`"));
    }
    problems
}

/// The places at the root: `current`, `releases/` and what is shared.
fn places(config: &Config, moment: Moment) -> Vec<Error> {
    let root = &config.root;
    let mut problems = Vec::new();
    if let Some(Current::Other) = keep(&mut problems, root.current()) {
        let link = root.link();
        problems.push(
            Error::no(format!("{} is not a link", link.display()))
                .hint("it has to be a link to the live release, or nothing: move it away"),
        );
    }
    for folder in [root.path().to_owned(), root.releases(), root.shared(), root.notes()] {
        let there = fs::symlink_metadata(&folder);
        let is_link = there.as_ref().is_ok_and(fs::Metadata::is_symlink);
        // Links lead from the releases to what is shared by where they are; the root itself may be a link.
        if is_link && folder == root.releases() {
            problems.push(Error::no(format!("{} is a link", folder.display())).hint("make it a real folder"));
        } else if there.is_ok() && !folder.is_dir() {
            problems.push(Error::no(format!("{} is not a folder", folder.display())));
        }
    }
    let shared = &config.settings.shared;
    match moment {
        Moment::Before { lacking: Lacking::MoveIn, .. } => {
            let there: Vec<_> =
                shared.iter().filter(|shared| !shared::is_lacking(shared, root)).cloned().collect();
            problems.extend(shared::problems(&there, root));
            problems.extend(shared::move_problems(config));
        }
        _ => problems.extend(shared::problems(shared, root)),
    }
    problems
}

/// What the release takes on the disk.
fn need(files: &[Committed], contents: &[Content]) -> Need {
    let sizes = files.iter().map(|file| file.size).chain(contents.iter().map(|content| content.size));
    let folders: BTreeSet<&Path> = contents.iter().filter_map(|content| content.path.parent()).collect();
    Need::of(sizes.chain(folders.iter().map(|_| 0)))
}

/// The smoke tests' modules that are nowhere.
fn modules(
    files: &[Committed],
    contents: &[Content],
    config: &Config,
    environments: &dyn Environments,
) -> Vec<Error> {
    let mut importable = Importable::default();
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
    match environments.interpreter().and_then(|python| not_standard(&missing, &python)) {
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

/// The value, or its error among the problems.
fn keep<T>(problems: &mut Vec<Error>, result: Result<T>) -> Option<T> {
    result.map_err(|error| problems.push(error)).ok()
}

/// All problems in one error.
fn all(problems: Vec<Error>) -> Error {
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

    fn committed(path: &str) -> Committed {
        let kind = match path {
            path if path.ends_with('/') => CommittedKind::Folder,
            path if path.ends_with('@') => CommittedKind::Link,
            _ => CommittedKind::File,
        };
        Committed { path: path.trim_end_matches('@').into(), kind, size: 1 }
    }

    #[test]
    fn a_shared_path_meets_no_tracked_one() {
        for (tracked, path, bars) in [
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
            assert_eq!(conflict(&[committed(tracked)], &shared).is_some(), bars, "{tracked} {path}");
        }
    }

    #[test]
    fn problems_are_told_together() {
        let disk = || Error::no_answer("no space").hint("free some");
        let no = || Error::no("changed").detail("  a.py").because("x");
        let refused = || Error::refused("not its hash");
        for (problems, kind) in [
            (vec![disk()], ErrorKind::NoAnswer),
            (vec![disk(), no()], ErrorKind::No),
            (vec![Error::usage("unreadable"), disk()], ErrorKind::No),
            (vec![no(), refused(), disk()], ErrorKind::Refused),
        ] {
            assert_eq!(all(problems).kind, kind);
        }
        let error = all(vec![no(), disk()]);
        assert_eq!(error.message, "nothing was deployed: 2 problems");
        assert_eq!(
            error.details,
            ["  - changed", "    caused by: x", "    a.py", "  - no space", "    free some"]
        );
    }
}

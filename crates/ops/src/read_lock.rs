//! Reads existing locks, checks their freshness, and prepares them for installation.

use std::path::Path;

use url::Url;

use super::check;
use super::lock_settings::{PolicyRequest, TargetRequest};
use super::session::Session;
use pinfast_base::error::{Error, Result};
use pinfast_files::{self as files, DiskInputs};
use pinfast_inputs::{FileOption, FileOptionKind, InputFiles as _, InputRequest};
use pinfast_lock::{FileLocation, Integrity, Lock, LockOption, ParsedLock};

/// Whether a lock is compared with the inputs that it was made from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FreshnessCheck {
    /// It is, if they exist.
    #[default]
    Inputs,
    /// It is not (`--no-check`).
    Nothing,
}

/// Reads the lock at `path`; `-` is standard input.
///
/// # Errors
/// `Usage` if there is none, or it cannot be parsed.
pub fn read(path: &Path, session: &Session) -> Result<ParsedLock> {
    let name = path.to_string_lossy();
    if name == "-" {
        let text = DiskInputs::new(session.env.current_dir()).read("-");
        let text = text.map_err(|why| Error::usage(format!("cannot read standard input: {why}")))?;
        return ParsedLock::read(&text, "standard input");
    }
    let text = files::read_optional(&session.env.current_dir().join(path))?.ok_or_else(|| {
        Error::usage(format!("there is no lock {name}"))
            .hint("create one: `pinfast lock`; or name another file")
    })?;
    ParsedLock::read(&text, &name)
}

/// A lock that can be installed from.
pub(super) struct InstallableLock {
    pub(super) lock: Lock,
    /// The options inside it that say where files come from.
    pub(super) options: Vec<FileOption>,
}

/// Reads the lock at `path` to install from it.
///
/// # Errors
/// `Usage` if it is not a list of pins with hashes; `No` if it is stale.
pub(super) fn installable(path: &Path, check: FreshnessCheck, session: &Session) -> Result<InstallableLock> {
    let parsed = read(path, session)?;
    if check == FreshnessCheck::Inputs {
        refuse_stale(&parsed, session)?;
    }
    let options = options(&parsed.options, session);
    let mut lock = parsed.strict()?;
    let folder = session.env.current_dir().join(path);
    place_files(&mut lock, folder.parent().unwrap_or(session.env.current_dir()));
    Ok(InstallableLock { lock, options })
}

/// Turns the paths of local files, which start from the lock's `folder`, into URLs.
fn place_files(lock: &mut Lock, folder: &Path) {
    for file in lock.files_mut() {
        if let Some(FileLocation::Path(path)) = &file.location
            && let Ok(url) = Url::from_file_path(folder.join(&**path))
        {
            file.location = Some(FileLocation::Url(url.into()));
        }
    }
}

fn options(found: &[LockOption], session: &Session) -> Vec<FileOption> {
    let option = |option: &LockOption| {
        let value = || option.value.clone();
        let kind = match option.name {
            "index-url" => FileOptionKind::IndexUrl(value()),
            "extra-index-url" => FileOptionKind::ExtraIndexUrl(value()),
            "find-links" => FileOptionKind::FindLinks(value()),
            "no-index" => FileOptionKind::NoIndex,
            "no-binary" => {
                session.warn(format!("{}: `--no-binary` is ignored: only wheels are installed", option.at));
                return None;
            }
            _ => return None,
        };
        Some(FileOption { kind, text: format!("--{}", option.name).into(), at: option.at.clone() })
    };
    found.iter().filter_map(option).collect()
}

/// Fails if the lock was edited, or if its inputs are here and changed.
fn refuse_stale(parsed: &ParsedLock, session: &Session) -> Result<()> {
    let Some(header) = &parsed.lock.header else { return Ok(()) };
    let here = |file: &String| session.env.current_dir().join(file).is_file();
    let reasons = if header.inputs.iter().any(|input| here(&input.file)) {
        let (inputs, targets, policy) = <(InputRequest, TargetRequest, PolicyRequest)>::default();
        check::stale_reasons(&inputs, &targets, &policy, parsed, session)?
    } else {
        session
            .detail(format!("the inputs of {} are not here, so it is not compared with them", parsed.file));
        edits(parsed)
    };
    if reasons.is_empty() {
        return Ok(());
    }
    let mut error = Error::no(format!("{} is stale", parsed.file));
    error.details = reasons.iter().map(|reason| format!("  {reason}")).collect();
    Err(error.hint("lock again: `pinfast lock`; or install it although it is stale: `--no-check`"))
}

fn edits(parsed: &ParsedLock) -> Vec<pinfast_lock::StaleReason> {
    match parsed.integrity {
        Integrity::Edited { line } => vec![pinfast_lock::StaleReason::Edited { line }],
        _ => Vec::new(),
    }
}

//! `pinfast lock --fix N`: saves the fixes of a failed run in the cache, and applies one by its number.
//!
//! The key is the current folder and the arguments. A digest of the inputs guards against fixes for other texts.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::lock_settings::LockSettings;
use super::request::LockRequest;
use super::session::Session;
use pinfast_base::error::{Error, Result};
use pinfast_cache::{Bucket, Cache, CacheKey, CacheLookup};
use pinfast_files::{self as files, DiskInputs};
use pinfast_inputs::{InputFiles as _, edit};
use pinfast_packaging::{Location, Sha256};
use pinfast_repair::{Fix, OptionValue};

/// The fixes of a run that found no solution.
#[derive(Serialize, Deserialize)]
struct SavedFixes {
    /// The digest of the texts of the inputs.
    digest: String,
    fixes: Vec<SavedFix>,
}

#[derive(Clone, Serialize, Deserialize)]
struct SavedFix {
    edits: Vec<SavedEdit>,
    options: Vec<OptionValue>,
}

#[derive(Clone, Serialize, Deserialize)]
struct SavedEdit {
    file: String,
    line: u32,
    column: u32,
    old: String,
    new: Option<String>,
}

/// A request with a fix applied; no file is written yet.
#[derive(Debug)]
pub struct AppliedFix {
    /// The request with the fix.
    pub request: LockRequest,
    /// The edits, each as `FILE:LINE  OLD -> NEW`.
    pub edits: Vec<String>,
    /// The options that the fix adds, each with the setting that keeps it.
    pub options: Vec<(String, String)>,
}

/// Saves `fixes` for a later `--fix`, if there is a cache. Inputs from standard input have nothing to edit, so their
/// fixes are not saved.
pub fn save(request: &LockRequest, fixes: &[Fix], session: &Session) {
    let saved = |digest: Sha256| SavedFixes {
        digest: digest.to_string(),
        fixes: fixes.iter().map(saved_fix).collect(),
    };
    let write = || -> Option<()> {
        let cache = Cache::new(session.cache.clone()?);
        let saved = saved(digest(request, session).ok()??);
        cache.write(Bucket::Fixes, &key(request, session), &serde_json::to_vec(&saved).ok()?).ok()
    };
    if write().is_none() {
        session.detail("the fixes could not be saved for `--fix`".to_owned());
    }
}

fn saved_fix(fix: &Fix) -> SavedFix {
    let edit = |edit: &pinfast_repair::Edit| SavedEdit {
        file: edit.at.file.to_string(),
        line: edit.at.line,
        column: edit.at.column,
        old: edit.old.to_string(),
        new: edit.new.clone(),
    };
    SavedFix { edits: fix.edits.iter().map(edit).collect(), options: fix.options.clone() }
}

/// `request` with fix `number` of its last failed run. This writes nothing: the lock is made from the edited texts
/// first, and [`write`] writes them.
///
/// # Errors
/// `Usage` if no such run or fix is saved, or an input has changed since.
pub fn apply(request: &LockRequest, number: usize, session: &Session) -> Result<AppliedFix> {
    let unknown = || {
        Error::usage("no saved fixes for these arguments")
            .hint("run `pinfast lock` with the same arguments first: it lists the fixes")
    };
    if request.inputs.inputs.iter().any(|input| input == "-") {
        return Err(Error::usage("a fix cannot be applied to standard input: there is no file to edit")
            .hint("change the line that the fix names, and lock again"));
    }
    let saved = load(request, session).ok_or_else(unknown)?;
    if digest(request, session)?.is_none_or(|digest| digest.to_string() != saved.digest) {
        return Err(Error::usage("an input has changed since the fixes were found")
            .hint("run `pinfast lock` again: it finds the fixes for the changed input"));
    }
    let fix = number.checked_sub(1).and_then(|at| saved.fixes.get(at)).ok_or_else(|| {
        Error::usage(format!("there is no fix {number}: the last run found {}", saved.fixes.len()))
    })?;
    let mut applied = AppliedFix { request: request.clone(), edits: Vec::new(), options: Vec::new() };
    applied.request.edited = apply_edits(&fix.edits, session)?;
    applied.edits = fix.edits.iter().map(SavedEdit::to_string).collect();
    for option in &fix.options {
        let keep = apply_option(&mut applied.request, option)?;
        applied.options.push((option.to_string(), keep));
    }
    Ok(applied)
}

/// Writes the edited inputs.
///
/// # Errors
/// When one cannot be written.
pub fn write(request: &LockRequest, session: &Session) -> Result<()> {
    let folder = session.env.current_dir();
    request.edited.iter().try_for_each(|(file, text)| files::replace(&folder.join(file), text))
}

/// The texts of the files after `edits`. The last edit of a file is made first, so that no place moves.
fn apply_edits(edits: &[SavedEdit], session: &Session) -> Result<BTreeMap<String, String>> {
    let texts = DiskInputs::new(session.env.current_dir());
    let mut edits: Vec<&SavedEdit> = edits.iter().collect();
    edits.sort_by_key(|edit| std::cmp::Reverse((edit.line, edit.column)));
    let mut edited: BTreeMap<String, String> = BTreeMap::new();
    for edit in edits {
        let text = match edited.get(&edit.file) {
            Some(text) => text.clone(),
            None => texts
                .read(&edit.file)
                .map_err(|why| Error::usage(format!("cannot read {}: {why}", edit.file)))?,
        };
        let at = Location::new(edit.file.as_str(), edit.line, edit.column);
        let new = match &edit.new {
            Some(new) => edit::replace_requirement(&text, &at, &edit.old, new),
            None => edit::remove_requirement(&text, &at, &edit.old),
        };
        let new = new.map_err(|error| Error::usage("the fix cannot be applied").because(error))?;
        edited.insert(edit.file.clone(), new);
    }
    Ok(edited)
}

/// Adds an option to the request. Returns the setting that keeps it.
fn apply_option(request: &mut LockRequest, option: &OptionValue) -> Result<String> {
    let (targets, policy) = (&mut request.targets, &mut request.policy);
    let OptionValue { flag, values } = option;
    let first = values.first().map(String::as_str).unwrap_or_default();
    let done = match flag.as_str() {
        "--python-version" => parse_all(values).map(|versions| targets.versions = versions),
        "--platform" => parse_all(values).map(|platforms| targets.platforms = platforms),
        "--prerelease" => first.parse().ok().map(|mode| policy.prerelease = Some(mode)),
        "--exclude-newer" => {
            policy.exclude_newer = Some(first.to_owned());
            Some(())
        }
        "--only-binary" => parse_all(values).map(|controls| policy.only_binary.extend::<Vec<_>>(controls)),
        "--no-binary" => parse_all(values).map(|controls| policy.no_binary.extend::<Vec<_>>(controls)),
        _ => None,
    };
    done.ok_or_else(|| Error::usage(format!("pinfast cannot add the option `{option}`")))?;
    if flag == "--python-version" {
        // The interpreter has a version of its own.
        targets.python = None;
    }
    let quoted: Vec<String> = values.iter().map(|value| format!("\"{value}\"")).collect();
    let value = if quoted.len() == 1 { quoted.concat() } else { format!("[{}]", quoted.join(", ")) };
    Ok(format!("{} = {value}", flag.trim_start_matches('-')))
}

fn parse_all<T: FromStr>(values: &[String]) -> Option<Vec<T>> {
    values.iter().map(|value| value.parse().ok()).collect()
}

/// The fixes of the last run of this request.
fn load(request: &LockRequest, session: &Session) -> Option<SavedFixes> {
    match Cache::new(session.cache.clone()?).read(Bucket::Fixes, &key(request, session)) {
        CacheLookup::Hit(text) => serde_json::from_slice(&text).ok(),
        _ => None,
    }
}

fn key(request: &LockRequest, session: &Session) -> CacheKey {
    Bucket::Fixes.key(&[&format!("{:?}\n{request:?}", session.env.current_dir())])
}

/// The digest of all texts that the inputs consist of; `None` where one is standard input.
fn digest(request: &LockRequest, session: &Session) -> Result<Option<Sha256>> {
    let named = &request.inputs;
    // Standard input was read already, and it cannot be read again.
    if named.inputs.iter().chain(&named.constraints).chain(&named.overrides).any(|name| name == "-") {
        return Ok(None);
    }
    let texts = DiskInputs::new(session.env.current_dir());
    let (settings, inputs) = LockSettings::read(&request.arguments(), None, &texts, session)?;
    let mut files: BTreeSet<Arc<str>> =
        settings.inputs.named_files().map(|name| name.as_str().into()).collect();
    let lines = inputs.requirements.iter().chain(&inputs.constraints).chain(&inputs.overrides);
    files.extend(lines.map(|line| line.at.file.clone()));
    files.extend(inputs.options.iter().map(|option| option.at.file.clone()));
    let mut all = String::new();
    for file in files {
        let text = texts.read(&file).map_err(|why| Error::usage(format!("cannot read {file}: {why}")))?;
        all.push_str(&format!("{file}\n{}\n{text}\n", text.len()));
    }
    Ok(Some(Sha256::of(all.as_bytes())))
}

/// `requirements.in:3  google-auth==2.38.0 -> google-auth>=2.47`
impl std::fmt::Display for SavedEdit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let new = self.new.as_deref().unwrap_or("(removed)");
        write!(f, "{}:{}  {} -> {new}", self.file, self.line, self.old)
    }
}

//! Walking the inputs: which file is read as what, each once.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;

use super::paths::{FilePath, file_name};
use super::problem::Problems;
use super::pyproject;
use super::source::Source;
use super::wishes::Wishes;
use super::{InputFiles, InputLine, InputRequest, Inputs, requirements_file};
use pinfast_base::error::Error;
use pinfast_packaging::Role;

/// How many bytes an input may have.
const MAX_SIZE: usize = 16 << 20;
/// How many files deep `-r` and `-c` may lead.
const MAX_DEPTH: usize = 64;

/// The inputs as far as they are read.
pub(super) struct Reader<'a> {
    pub(super) files: &'a dyn InputFiles,
    pub(super) inputs: Inputs,
    pub(super) problems: Problems,
    /// The extras and groups asked for, and those that there are.
    pub(super) wishes: Wishes<'a>,
    seen: HashSet<(Role, String)>,
    /// The files that are being read, the outermost first.
    chain: Vec<FilePath>,
}

/// Where a file is named by another.
pub(super) struct Reference<'a> {
    pub(super) source: &'a Source,
    pub(super) span: Range<usize>,
}

pub(super) fn read(request: &InputRequest, files: &dyn InputFiles) -> Result<Inputs, Error> {
    let mut reader = Reader {
        files,
        inputs: Inputs::default(),
        problems: Problems::default(),
        wishes: Wishes::new(request),
        seen: HashSet::new(),
        chain: Vec::new(),
    };
    reader.inputs.names = request.inputs.iter().map(|name| Arc::from(name.as_str())).collect();
    for (names, role) in [
        (&request.inputs, Role::Requirement),
        (&request.constraints, Role::Constraint),
        (&request.overrides, Role::Override),
    ] {
        for name in names {
            reader.file(&FilePath::named(name), role, None);
        }
    }
    reader.wishes.report_unknown(&mut reader.problems);
    match reader.problems.into_error() {
        Some(error) => Err(error),
        None => Ok(reader.inputs),
    }
}

impl Reader<'_> {
    /// Reads a file that the user named, or that another refers to.
    pub(super) fn file(&mut self, path: &FilePath, role: Role, from: Option<&Reference<'_>>) {
        if let Some((message, hint)) = self.bars(path) {
            self.problem(from, &message, hint);
            return;
        }
        if !self.seen.insert((role, path.key())) {
            return;
        }
        match self.files.read(&path.read) {
            Ok(text) if text.len() > MAX_SIZE => {
                let message = format!("{} is larger than {} MB", path.shown, MAX_SIZE >> 20);
                self.problem(from, &message, None);
            }
            Ok(text) => self.text(path, text, role),
            Err(why) => self.problem(from, &format!("cannot read {}: {why}", path.shown), None),
        }
    }

    fn text(&mut self, path: &FilePath, text: String, role: Role) {
        let source = Source::new(path.shown.as_str(), text);
        self.chain.push(path.clone());
        if file_name(&path.shown) == "pyproject.toml" {
            pyproject::read(self, &source, role);
        } else {
            requirements_file::read(self, &source, path, role);
        }
        self.chain.pop();
    }

    /// Adds a requirement.
    pub(super) fn add(&mut self, line: InputLine, role: Role) {
        match role {
            Role::Requirement => self.inputs.requirements.push(line),
            Role::Override => self.inputs.overrides.push(line),
            Role::Constraint => {
                let line = self.without_extras(line);
                self.inputs.constraints.push(line);
            }
        }
    }

    fn without_extras(&mut self, mut line: InputLine) -> InputLine {
        if !line.requirement.extras.is_empty() {
            self.warn(&format!(
                "{}: a constraint wants nothing, so the extras of `{}` are ignored",
                line.at, line.text
            ));
            line.requirement.extras.clear();
        }
        line
    }

    /// Adds a warning.
    pub(super) fn warn(&mut self, sentence: &str) {
        self.inputs.warnings.push(super::problem::clean(sentence));
    }

    fn problem(&mut self, from: Option<&Reference<'_>>, message: &str, hint: Option<&str>) {
        let hints: Vec<_> = hint.map(str::to_owned).into_iter().collect();
        match from {
            Some(from) => self.problems.add(from.source, from.span.clone(), message, &hints),
            None => self.problems.add_bare(message, &hints),
        }
    }

    /// Why a file is not even opened, if so.
    fn bars(&self, path: &FilePath) -> Option<(String, Option<&'static str>)> {
        let key = path.key();
        if self.chain.iter().any(|outer| outer.key() == key) {
            let chain: Vec<_> = self.chain.iter().chain([path]).map(|file| file.shown.as_str()).collect();
            return Some((format!("{} includes itself: {}", path.shown, chain.join(" -> ")), None));
        }
        if self.chain.len() >= MAX_DEPTH {
            return Some((format!("files are nested more than {MAX_DEPTH} deep"), None));
        }
        if super::paths::is_url(&path.shown) {
            let hint = "download it and name the file, so that the same inputs always give the same lock";
            return Some(("inputs are not read over the network".to_owned(), Some(hint)));
        }
        let hint = foreign(file_name(&path.shown))?;
        Some((format!("{} is not a requirements file", path.shown), Some(hint)))
    }
}

/// What to do with a file of another kind.
fn foreign(name: &str) -> Option<&'static str> {
    const PROJECT: &str = "list what the project needs under `[project] dependencies` of a pyproject.toml, or in a requirements.in";
    const LOCKFILE: &str = "name what it was made from: a pyproject.toml or a requirements.in";
    match name {
        "pyproject.toml" => None,
        "setup.py" | "setup.cfg" | "Pipfile" | "environment.yml" | "environment.yaml" => Some(PROJECT),
        "Pipfile.lock" | "poetry.lock" | "uv.lock" | "pdm.lock" => Some(LOCKFILE),
        name if name.starts_with("pylock.") && name.ends_with(".toml") => Some(LOCKFILE),
        name if name.ends_with(".toml") => Some("of TOML files only pyproject.toml is read"),
        name if [".whl", ".tar.gz", ".zip"].iter().any(|ending| name.ends_with(ending)) => {
            Some("put it into a folder, name the folder with `--find-links`, and require it by name")
        }
        _ => None,
    }
}

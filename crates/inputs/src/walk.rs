//! The walk over the inputs: opens each file once, hands its text to a parser, and follows `-r` and `-c`.
//!
//! Depth first, so that requirements, options, warnings and errors come in the order in which pip reads them. Only
//! this module opens files.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;

use super::diagnostic::{Diagnostics, FileDiagnostic, printable};
use super::paths::{InputPath, file_name, is_url, scheme};
use super::selection::Selection;
use super::source::InputText;
use super::statement::{Include, ParsedProject, Statement};
use super::{FileOption, FileOptionKind, InputFiles, InputLine, InputRequest, Inputs};
use super::{pyproject, requirements_file};
use pinfast_base::error::Error;
use pinfast_packaging::{Role, SpecifierSet};

/// How many bytes an input may have.
const MAX_SIZE: usize = 16 << 20;
/// How many files deep `-r` and `-c` may lead.
const MAX_DEPTH: usize = 64;

/// The state of a walk.
struct Walk<'a> {
    files: &'a dyn InputFiles,
    inputs: Inputs,
    diagnostics: Diagnostics,
    /// The extras and groups asked for, and those that the projects declare.
    selection: Selection<'a>,
    /// A file may be read once in each role.
    seen: HashSet<(Role, String)>,
    /// The files that are being read, the outermost first.
    chain: Vec<InputPath>,
}

/// The place that refers to a file.
struct Referrer<'a> {
    source: &'a InputText,
    span: Range<usize>,
}

/// Reads everything that `request` names, and what that refers to.
pub(super) fn read(request: &InputRequest, files: &dyn InputFiles) -> Result<Inputs, Error> {
    let mut walk = Walk {
        files,
        inputs: Inputs::default(),
        diagnostics: Diagnostics::default(),
        selection: Selection::new(request),
        seen: HashSet::new(),
        chain: Vec::new(),
    };
    walk.inputs.names = request.inputs.iter().map(|name| Arc::from(name.as_str())).collect();
    for (names, role) in [
        (&request.inputs, Role::Requirement),
        (&request.constraints, Role::Constraint),
        (&request.overrides, Role::Override),
    ] {
        for name in names {
            walk.open(&InputPath::named(name), role, None);
        }
    }
    walk.selection.report_undeclared(&mut walk.diagnostics);
    match walk.diagnostics.into_error() {
        Some(error) => Err(error),
        None => Ok(walk.inputs),
    }
}

impl Walk<'_> {
    /// Reads a file that the user named, or that another refers to.
    fn open(&mut self, path: &InputPath, role: Role, from: Option<&Referrer<'_>>) {
        if let Some((message, hint)) = self.refusal(path) {
            return self.error(from, message, hint);
        }
        if !self.seen.insert((role, path.key())) {
            return;
        }
        match self.files.read(&path.exact) {
            Ok(text) if text.len() > MAX_SIZE => {
                self.error(from, format!("{} is larger than {} MB", path.shown, MAX_SIZE >> 20), None);
            }
            Ok(text) => self.parse(path, &InputText::new(path.shown.as_str(), text), role),
            Err(why) => self.error(from, format!("cannot read {}: {why}", path.shown), None),
        }
    }

    /// Why a file is not even opened, and a hint, if so.
    fn refusal(&self, path: &InputPath) -> Option<(String, Option<&'static str>)> {
        let key = path.key();
        if self.chain.iter().any(|outer| outer.key() == key) {
            let chain: Vec<_> = self.chain.iter().chain([path]).map(|file| file.shown.as_str()).collect();
            return Some((format!("{} includes itself: {}", path.shown, chain.join(" -> ")), None));
        }
        if self.chain.len() >= MAX_DEPTH {
            return Some((format!("files are nested more than {MAX_DEPTH} deep"), None));
        }
        if is_url(&path.shown) {
            let hint = "download it and name the file, so that the same inputs always give the same lock";
            return Some(("inputs are not read over the network".to_owned(), Some(hint)));
        }
        let hint = foreign_file_hint(file_name(&path.shown))?;
        Some((format!("{} is not a requirements file", path.shown), Some(hint)))
    }

    fn parse(&mut self, path: &InputPath, source: &InputText, role: Role) {
        self.chain.push(path.clone());
        let statements = if file_name(&path.shown) == "pyproject.toml" {
            let project = pyproject::parse(source, &self.selection, role);
            self.project(project, role)
        } else {
            let files = self.files;
            requirements_file::parse(source, &|name| files.variable(name))
        };
        for statement in statements {
            self.statement(statement, path, source, role);
        }
        self.chain.pop();
    }

    /// Takes in what a project declares, and returns its statements.
    fn project(&mut self, project: ParsedProject, role: Role) -> Vec<Statement> {
        if let Some(declared) = project.declared {
            self.selection.declare(declared);
        }
        if let Some(python) = project.requires_python.filter(|_| role == Role::Requirement) {
            self.inputs.requires_python = Some(match self.inputs.requires_python.take() {
                Some(other) => both(&python, &other),
                None => python,
            });
        }
        project.statements
    }

    fn statement(&mut self, statement: Statement, path: &InputPath, source: &InputText, role: Role) {
        match statement {
            Statement::Requirement(line) => self.requirement(line, role),
            Statement::Option(option) => self.inputs.options.push(resolved(option, path)),
            Statement::Include(include) => self.include(&include, path, source, role),
            Statement::Warning(sentence) => self.warn(&sentence),
            Statement::Error(diagnostic) => self.diagnostics.add(source, &diagnostic),
        }
    }

    fn requirement(&mut self, mut line: InputLine, role: Role) {
        match role {
            Role::Requirement => self.inputs.requirements.push(line),
            Role::Override => self.inputs.overrides.push(line),
            Role::Constraint => {
                if !line.requirement.extras.is_empty() {
                    self.warn(&format!(
                        "{}: a constraint wants nothing, so the extras of `{}` are ignored",
                        line.at, line.text
                    ));
                    line.requirement.extras.clear();
                }
                self.inputs.constraints.push(line);
            }
        }
    }

    fn include(&mut self, include: &Include, path: &InputPath, source: &InputText, role: Role) {
        // What a constraint file includes restricts too, whichever option includes it.
        let role = if role == Role::Requirement { include.role } else { role };
        let from = Referrer { source, span: include.span.clone() };
        self.open(&path.beside(&include.target), role, Some(&from));
    }

    fn warn(&mut self, sentence: &str) {
        self.inputs.warnings.push(printable(sentence));
    }

    fn error(&mut self, from: Option<&Referrer<'_>>, message: String, hint: Option<&str>) {
        let hints: Vec<_> = hint.map(str::to_owned).into_iter().collect();
        match from {
            Some(from) => {
                let diagnostic = FileDiagnostic { span: Some(from.span.clone()), message, hints };
                self.diagnostics.add(from.source, &diagnostic);
            }
            None => self.diagnostics.add_without_line(&message, &hints),
        }
    }
}

/// The option with its path as seen from here; a URL stays.
fn resolved(option: FileOption, path: &InputPath) -> FileOption {
    let from_here = |value: String| if scheme(&value).is_some() { value } else { path.beside(&value).exact };
    let kind = match option.kind {
        FileOptionKind::IndexUrl(url) => FileOptionKind::IndexUrl(from_here(url)),
        FileOptionKind::ExtraIndexUrl(url) => FileOptionKind::ExtraIndexUrl(from_here(url)),
        FileOptionKind::FindLinks(url) => FileOptionKind::FindLinks(from_here(url)),
        kind => kind,
    };
    FileOption { kind, ..option }
}

/// The versions that both sets hold.
fn both(one: &SpecifierSet, other: &SpecifierSet) -> SpecifierSet {
    // Two sets of specifiers joined by a comma are a set again.
    format!("{one},{other}").parse().unwrap_or_else(|_| one.clone())
}

/// What to do with a file of another kind.
fn foreign_file_hint(name: &str) -> Option<&'static str> {
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

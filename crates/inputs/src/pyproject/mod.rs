//! `pyproject.toml` -> its statements: `[project]` (PyPA "pyproject.toml specification"), the selected extras of
//! `[project.optional-dependencies]`, and the selected `[dependency-groups]` (PyPA "Dependency Groups").

mod extras;
mod groups;

use std::collections::BTreeMap;
use std::ops::Range;

use toml_edit::{Item, TableLike, Value};

use super::InputLine;
use super::diagnostic::{Diagnostic, FileDiagnostic};
use super::requirement::{self, Quoting};
use super::selection::Selection;
use super::source::{InputText, SourceChar, text_of, trimmed};
use super::statement::{Declared, ParsedProject, Statement};
use super::toml_text::{self, find};
use pinfast_packaging::{ExtraName, Marker, PackageName, Requirement, Role, SpecifierSet};

/// Parses what `selection` asks of `source`. A constraint or override file has neither extras nor groups.
pub(super) fn parse(source: &InputText, selection: &Selection<'_>, role: Role) -> ParsedProject {
    let document = match toml_text::parse(source) {
        Ok(document) => document,
        Err((span, message)) => {
            let message = format!("not valid TOML: {message}");
            let error = FileDiagnostic { span: Some(span), message, hints: Vec::new() };
            return ParsedProject { statements: vec![Statement::Error(error)], ..ParsedProject::default() };
        }
    };
    let root = document.as_table();
    let name = find(root, &["project", "name"]).and_then(Item::as_str);
    let mut parser = PyprojectParser {
        source,
        root,
        role,
        selection,
        name: name.and_then(|name| PackageName::new(name).ok()),
        extras: BTreeMap::new(),
        groups: BTreeMap::new(),
        pending_extras: Vec::new(),
        parsed: ParsedProject::default(),
    };
    parser.parse();
    parser.parsed
}

/// The state of a parse.
struct PyprojectParser<'a> {
    source: &'a InputText,
    root: &'a dyn TableLike,
    role: Role,
    selection: &'a Selection<'a>,
    /// The project's own name, by which its extras refer to one another.
    name: Option<PackageName>,
    /// The entries of `[project.optional-dependencies]`.
    extras: BTreeMap<ExtraName, &'a Item>,
    /// The entries of `[dependency-groups]`.
    groups: BTreeMap<ExtraName, &'a Item>,
    /// The extras still to be parsed, each with the marker under which it is wanted.
    pending_extras: Vec<(ExtraName, Marker)>,
    parsed: ParsedProject,
}

impl<'a> PyprojectParser<'a> {
    fn parse(&mut self) {
        self.extras = self.named_entries(&["project", "optional-dependencies"]);
        self.groups = self.named_entries(&["dependency-groups"]);
        self.parsed.declared = Some(Declared {
            extras: self.extras.keys().cloned().collect(),
            groups: self.groups.keys().cloned().collect(),
        });
        self.project_table();
        if self.role == Role::Requirement {
            self.select_extras();
            self.selected_groups();
        }
        self.pending_extras();
        self.warn_of_uv_sources();
    }

    /// The entries of a table by their normalized names.
    fn named_entries(&mut self, path: &[&str]) -> BTreeMap<ExtraName, &'a Item> {
        let mut named = BTreeMap::new();
        let Some(item) = find(self.root, path) else { return named };
        let Some(table) = item.as_table_like() else {
            self.item_error(item, format!("`{}` must be a table", path.join(".")), None);
            return named;
        };
        for (key, entry) in table.iter() {
            match ExtraName::new(key) {
                Err(error) => self.item_error(entry, error.to_string(), None),
                Ok(name) => {
                    if named.insert(name.clone(), entry).is_some() {
                        let message = format!(
                            "`{name}` is here twice: names that differ in case, `-`, `_` or `.` are one"
                        );
                        self.item_error(entry, message, None);
                    }
                }
            }
        }
        named
    }

    fn project_table(&mut self) {
        let Some(project) = find(self.root, &["project"]) else {
            // A file with nothing but the selected groups needs no project.
            if self.role != Role::Requirement || self.selection.groups().is_empty() {
                self.no_project_table();
            }
            return;
        };
        self.refuse_dynamic("dependencies");
        if self.selection.wants_extras() {
            self.refuse_dynamic("optional-dependencies");
        }
        if self.role == Role::Requirement {
            self.requires_python();
        }
        if let Some(dependencies) = project.as_table_like().and_then(|project| project.get("dependencies")) {
            self.requirement_list("project.dependencies", dependencies, &Marker::default());
        }
    }

    fn no_project_table(&mut self) {
        if let Some(poetry) = find(self.root, &["tool", "poetry", "dependencies"]) {
            let hint = "`[tool.poetry.dependencies]` is read by Poetry alone: list them as `dependencies` under `[project]`, which Poetry 2 reads too";
            return self.item_error(poetry, "there is no `[project]` table", Some(hint.to_owned()));
        }
        let message = format!("{} has no `[project]` table", self.source.file);
        let hint =
            "add one with `name`, `version` and `dependencies`, or list what is needed in a requirements.in";
        self.error(None, message, Some(hint.to_owned()));
    }

    /// Refuses a `dynamic` field: only a run of the build backend would tell it.
    fn refuse_dynamic(&mut self, field: &str) {
        let listed = find(self.root, &["project", "dynamic"]).and_then(Item::as_array);
        let Some(value) = listed.and_then(|list| list.iter().find(|value| value.as_str() == Some(field)))
        else {
            return;
        };
        let files = self.setuptools_files(field);
        let hint = if files.is_empty() {
            format!("list them under `[project]` and take `{field}` out of `dynamic`")
        } else {
            format!("lock the file that they come from: `pinfast lock {}`", files.join(" "))
        };
        let message = format!("the {field} are `dynamic`: only the build backend knows them");
        self.value_error(value, message, Some(hint));
    }

    /// The files from which setuptools fills in a dynamic field.
    fn setuptools_files(&self, field: &str) -> Vec<String> {
        let path = ["tool", "setuptools", "dynamic", field, "file"];
        let Some(item) = find(self.root, &path) else { return Vec::new() };
        let one = item.as_str().into_iter();
        let many = item.as_array().into_iter().flat_map(|list| list.iter().filter_map(Value::as_str));
        one.chain(many).map(str::to_owned).collect()
    }

    fn requires_python(&mut self) {
        let Some(item) = find(self.root, &["project", "requires-python"]) else { return };
        let (Some(text), Some(literal)) = (item.as_str(), item.span()) else {
            return self.item_error(item, "`requires-python` must be a string", None);
        };
        match text.parse::<SpecifierSet>() {
            Ok(specifiers) => self.parsed.requires_python = Some(specifiers),
            Err(error) => {
                let chars = toml_text::string_chars(self.source, self.in_file(literal), text);
                let start = text.get(..error.at).map_or(0, |before| before.chars().count());
                let diagnostic = Diagnostic::new(start, 1, requirement::first_line(&error.message))
                    .hint("write the lowest version that works, such as `>=3.11`");
                self.diagnostic(&chars, diagnostic);
            }
        }
    }

    /// Parses a list of requirements, wanted under `marker`.
    fn requirement_list(&mut self, path: &str, item: &Item, marker: &Marker) {
        let Some(list) = item.as_array() else {
            let key = path.rsplit('.').next().unwrap_or(path);
            let hint = format!("write it as a list: `{key} = [\"NAME>=VERSION\"]`");
            return self.item_error(item, format!("`{path}` must be a list of strings"), Some(hint));
        };
        for value in list {
            self.list_entry(value, marker, "a requirement");
        }
    }

    /// Parses one requirement, wanted under `marker`; `expected` describes what may stand there.
    fn list_entry(&mut self, value: &Value, marker: &Marker, expected: &str) {
        let (Some(text), Some(literal)) = (value.as_str(), value.span()) else {
            return self.value_error(value, format!("expected {expected}"), None);
        };
        let chars = toml_text::string_chars(self.source, self.in_file(literal), text);
        let part = trimmed(&chars);
        if part.is_empty() {
            return self.value_error(value, "expected a requirement", None);
        }
        match requirement::parse(&text_of(part), Quoting::Allowed) {
            Err(diagnostic) => self.diagnostic(part, diagnostic),
            Ok(requirement) => match both(marker, &requirement.marker) {
                Some(marker) => self.requirement(part, Requirement { marker, ..requirement }),
                None => self.value_error(value, "this marker cannot be joined to that of the extra", None),
            },
        }
    }

    fn requirement(&mut self, part: &[SourceChar], requirement: Requirement) {
        if self.name.as_ref() == Some(&requirement.name) {
            return self.own_extras(part, requirement);
        }
        let at = self.source.location(part[0].start);
        let text = requirement::shown(part).into();
        let line = InputLine { requirement, text, at, hashes: Vec::new() };
        self.parsed.statements.push(Statement::Requirement(line));
    }

    /// Warns of packages that uv would take from elsewhere than an index.
    fn warn_of_uv_sources(&mut self) {
        let table = find(self.root, &["tool", "uv", "sources"]).and_then(Item::as_table_like);
        if self.role != Role::Requirement {
            return;
        }
        for (name, _) in table.into_iter().flat_map(TableLike::iter) {
            let Ok(package) = PackageName::new(name) else { continue };
            let requires_it = |statement: &Statement| match statement {
                Statement::Requirement(line) if line.requirement.name == package => Some(line.at.clone()),
                _ => None,
            };
            if let Some(at) = self.parsed.statements.iter().find_map(requires_it) {
                self.parsed.statements.push(Statement::Warning(format!(
                    "{at}: `[tool.uv.sources]` is read by uv alone: `{package}` comes from the index"
                )));
            }
        }
    }

    /// Adds what is wrong in `chars`.
    fn diagnostic(&mut self, chars: &[SourceChar], diagnostic: Diagnostic) {
        self.parsed.statements.push(Statement::Error(diagnostic.in_file(chars)));
    }

    fn item_error(&mut self, item: &Item, message: impl Into<String>, hint: Option<String>) {
        let span = self.in_file(item.span().unwrap_or_default());
        self.error(Some(span), message, hint);
    }

    fn value_error(&mut self, value: &Value, message: impl Into<String>, hint: Option<String>) {
        let span = self.in_file(value.span().unwrap_or_default());
        self.error(Some(span), message, hint);
    }

    fn error(&mut self, span: Option<Range<usize>>, message: impl Into<String>, hint: Option<String>) {
        let hints = hint.into_iter().collect();
        self.parsed.statements.push(Statement::Error(FileDiagnostic {
            span,
            message: message.into(),
            hints,
        }));
    }

    /// A span of the parsed text in bytes of the file: the parser does not see the byte order mark.
    fn in_file(&self, span: Range<usize>) -> Range<usize> {
        let base = self.source.body().1;
        base + span.start..base + span.end
    }
}

/// The marker that holds where both hold.
fn both(one: &Marker, other: &Marker) -> Option<Marker> {
    if one.is_always() {
        Some(other.clone())
    } else if other.is_always() {
        Some(one.clone())
    } else {
        format!("({one}) and ({other})").parse().ok()
    }
}

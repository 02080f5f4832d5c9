//! `pyproject.toml`: `[project]` (PyPA "pyproject.toml specification"), its extras, and
//! `[dependency-groups]` (PyPA "Dependency groups").

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use toml_edit::{Item, TableLike, Value};

use super::InputLine;
use super::problem::Finding;
use super::read::Reader;
use super::requirement::{self, Showing};
use super::source::{Placed, Source, span, text_of, trimmed};
use super::toml_text::{self, find};
use super::wishes;
use pinfast_packaging::{ExtraName, Marker, PackageName, Requirement, Role, SpecifierSet};

/// How many groups deep `include-group` may lead.
const MAX_DEPTH: usize = 64;
/// How often the extras of a project may include one another.
const MAX_INCLUDES: usize = 1_000;

/// Reads all of `source` that is asked for.
pub(super) fn read(reader: &mut Reader<'_>, source: &Source, role: Role) {
    let parsed = match toml_text::parse(source) {
        Ok(parsed) => parsed,
        Err((span, message)) => {
            reader.problems.add(source, span, &format!("not valid TOML: {message}"), &[]);
            return;
        }
    };
    let root = parsed.as_table();
    let mut file = File {
        reader,
        source,
        root,
        role,
        name: find(root, &["project", "name"])
            .and_then(Item::as_str)
            .and_then(|name| PackageName::new(name).ok()),
        extras: BTreeMap::new(),
        groups: BTreeMap::new(),
        pending: Vec::new(),
    };
    file.read();
}

/// A pyproject.toml being read.
struct File<'a, 'r> {
    reader: &'a mut Reader<'r>,
    source: &'a Source,
    root: &'a dyn TableLike,
    role: Role,
    /// The project's own name, by which its extras refer to one another.
    name: Option<PackageName>,
    extras: BTreeMap<ExtraName, &'a Item>,
    groups: BTreeMap<ExtraName, &'a Item>,
    /// The extras still to be read, each with the marker under which it is wanted.
    pending: Vec<(ExtraName, Marker)>,
}

impl<'a> File<'a, '_> {
    fn read(&mut self) {
        self.extras = self.named(&["project", "optional-dependencies"]);
        self.groups = self.named(&["dependency-groups"]);
        self.reader.wishes.learn(self.extras.keys(), self.groups.keys());
        self.project();
        if self.role == Role::Requirement {
            self.wanted_extras();
            self.wanted_groups();
        }
        self.pending_extras();
        self.foreign_sources();
    }

    /// Warns of packages that uv would take from elsewhere than an index.
    fn foreign_sources(&mut self) {
        let table = find(self.root, &["tool", "uv", "sources"]).and_then(Item::as_table_like);
        for (name, _) in table.into_iter().flat_map(TableLike::iter) {
            let Ok(package) = PackageName::new(name) else { continue };
            let file = &self.source.file;
            let wanted = |line: &&InputLine| line.requirement.name == package && line.at.file == *file;
            if let Some(line) = self.reader.inputs.requirements.iter().find(wanted) {
                let at = line.at.clone();
                self.reader.warn(&format!(
                    "{at}: `[tool.uv.sources]` is read by uv alone: `{package}` comes from the index"
                ));
            }
        }
    }

    /// The entries of a table by their normalised names.
    fn named(&mut self, path: &[&str]) -> BTreeMap<ExtraName, &'a Item> {
        let mut named = BTreeMap::new();
        let Some(item) = find(self.root, path) else { return named };
        let Some(table) = item.as_table_like() else {
            self.wrong(item, &format!("`{}` must be a table", path.join(".")), &[]);
            return named;
        };
        for (key, entry) in table.iter() {
            match ExtraName::new(key) {
                Err(error) => self.wrong(entry, &error.to_string(), &[]),
                Ok(name) => {
                    if named.insert(name.clone(), entry).is_some() {
                        self.wrong(
                            entry,
                            &format!(
                                "`{name}` is here twice: names that differ in case, `-`, `_` or `.` are one"
                            ),
                            &[],
                        );
                    }
                }
            }
        }
        named
    }

    fn project(&mut self) {
        let Some(project) = find(self.root, &["project"]) else {
            if self.role != Role::Requirement || self.reader.wishes.groups().is_empty() {
                self.no_project();
            }
            return;
        };
        self.dynamic("dependencies");
        if self.reader.wishes.wants_extras() {
            self.dynamic("optional-dependencies");
        }
        if self.role == Role::Requirement {
            self.requires_python();
        }
        if let Some(dependencies) = project.as_table_like().and_then(|project| project.get("dependencies")) {
            self.list("project.dependencies", dependencies, &Marker::default());
        }
    }

    fn no_project(&mut self) {
        if let Some(poetry) = find(self.root, &["tool", "poetry", "dependencies"]) {
            let hint = "`[tool.poetry.dependencies]` is read by Poetry alone: list them as `dependencies` under `[project]`, which Poetry 2 reads too";
            return self.wrong(poetry, "there is no `[project]` table", &[hint.to_owned()]);
        }
        let message = format!("{} has no `[project]` table", self.source.file);
        let hint =
            "add one with `name`, `version` and `dependencies`, or list what is needed in a requirements.in";
        self.reader.problems.add_bare(&message, &[hint.to_owned()]);
    }

    /// What the build backend fills in is not known without running it.
    fn dynamic(&mut self, field: &str) {
        let listed = find(self.root, &["project", "dynamic"]).and_then(Item::as_array);
        let Some(value) = listed.and_then(|list| list.iter().find(|value| value.as_str() == Some(field)))
        else {
            return;
        };
        let files = self.dynamic_files(field);
        let hint = if files.is_empty() {
            format!("list them under `[project]` and take `{field}` out of `dynamic`")
        } else {
            format!("lock the file that they come from: `pinfast lock {}`", files.join(" "))
        };
        let message = format!("the {field} are `dynamic`: only the build backend knows them");
        self.wrong_value(value, &message, &[hint]);
    }

    /// The files from which setuptools fills a field in.
    fn dynamic_files(&self, field: &str) -> Vec<String> {
        let path = ["tool", "setuptools", "dynamic", field, "file"];
        let Some(item) = find(self.root, &path) else { return Vec::new() };
        let one = item.as_str().into_iter();
        let many = item.as_array().into_iter().flat_map(|list| list.iter().filter_map(Value::as_str));
        one.chain(many).map(str::to_owned).collect()
    }

    fn requires_python(&mut self) {
        let Some(item) = find(self.root, &["project", "requires-python"]) else { return };
        let (Some(text), Some(literal)) = (item.as_str(), item.span()) else {
            return self.wrong(item, "`requires-python` must be a string", &[]);
        };
        let joined = match &self.reader.inputs.requires_python {
            Some(other) => format!("{text},{other}"),
            None => text.to_owned(),
        };
        match (text.parse::<SpecifierSet>(), joined.parse()) {
            (Ok(_), Ok(joined)) => self.reader.inputs.requires_python = Some(joined),
            (Err(error), _) | (_, Err(error)) => {
                let chars = toml_text::characters(self.source, self.placed(literal), text);
                let start = text.get(..error.at).map_or(0, |before| before.chars().count());
                let finding = Finding::new(start, 1, requirement::first_line(&error.message))
                    .hint("write the lowest version that works, such as `>=3.11`");
                self.finding(&chars, &finding);
            }
        }
    }

    fn wanted_extras(&mut self) {
        let wanted: Vec<_> =
            self.extras.keys().filter(|extra| self.reader.wishes.wants(extra)).cloned().collect();
        self.pending.extend(wanted.into_iter().map(|extra| (extra, Marker::default())));
    }

    fn wanted_groups(&mut self) {
        let mut done = BTreeSet::new();
        for group in self.reader.wishes.groups() {
            if let Some(item) = self.groups.get(group).copied() {
                self.group(group, item, &mut done, &mut Vec::new());
            }
        }
    }

    /// Reads a group and those that it includes, each once; `chain` is the groups that led here.
    fn group(
        &mut self,
        name: &ExtraName,
        item: &Item,
        done: &mut BTreeSet<ExtraName>,
        chain: &mut Vec<ExtraName>,
    ) {
        if !done.insert(name.clone()) {
            return;
        }
        let Some(list) = item.as_array() else {
            return self.wrong(item, &format!("the group `{name}` must be a list"), &[]);
        };
        chain.push(name.clone());
        for value in list {
            match value
                .as_inline_table()
                .filter(|table| table.len() == 1)
                .and_then(|table| table.get("include-group"))
            {
                Some(included) => self.include(included, done, chain),
                None => {
                    self.entry(value, &Marker::default(), "a requirement or `{ include-group = \"NAME\" }`")
                }
            }
        }
        chain.pop();
    }

    fn include(&mut self, value: &Value, done: &mut BTreeSet<ExtraName>, chain: &mut Vec<ExtraName>) {
        let Some(name) = value.as_str().and_then(|name| ExtraName::new(name).ok()) else {
            return self.wrong_value(value, "expected the name of a group", &[]);
        };
        if chain.contains(&name) {
            let way: Vec<_> = chain.iter().chain([&name]).map(|name| name.as_str()).collect();
            return self.wrong_value(
                value,
                &format!("the group `{name}` includes itself: {}", way.join(" -> ")),
                &[],
            );
        }
        if chain.len() >= MAX_DEPTH {
            return self.wrong_value(value, &format!("groups are nested more than {MAX_DEPTH} deep"), &[]);
        }
        match self.groups.get(&name).copied() {
            Some(item) => self.group(&name, item, done, chain),
            None => {
                let hint = wishes::known("groups", &name, &self.groups.keys().cloned().collect());
                self.wrong_value(value, &format!("there is no dependency group `{name}`"), &[hint]);
            }
        }
    }

    /// Reads the extras that are wanted, and those that they refer to by the project's own name.
    fn pending_extras(&mut self) {
        let mut done = BTreeSet::new();
        while let Some((extra, marker)) = self.pending.pop() {
            if done.len() > MAX_INCLUDES || !done.insert((extra.clone(), marker.to_string())) {
                continue;
            }
            if let Some(item) = self.extras.get(&extra).copied() {
                if done.len() > MAX_INCLUDES {
                    self.wrong(item, "the extras include one another in too many ways", &[]);
                }
                self.list(&format!("project.optional-dependencies.{extra}"), item, &marker);
            }
        }
    }

    fn list(&mut self, path: &str, item: &Item, marker: &Marker) {
        let Some(list) = item.as_array() else {
            let hint = format!("write it as a list: `{} = [\"NAME>=VERSION\"]`", file_key(path));
            return self.wrong(item, &format!("`{path}` must be a list of strings"), &[hint]);
        };
        for value in list {
            self.entry(value, marker, "a requirement");
        }
    }

    /// Reads one requirement, wanted under `marker`.
    fn entry(&mut self, value: &Value, marker: &Marker, expected: &str) {
        let (Some(text), Some(literal)) = (value.as_str(), value.span()) else {
            return self.wrong_value(value, &format!("expected {expected}"), &[]);
        };
        let chars = toml_text::characters(self.source, self.placed(literal), text);
        let part = trimmed(&chars);
        if part.is_empty() {
            return self.wrong_value(value, "expected a requirement", &[]);
        }
        match requirement::parse(&text_of(part), Showing::Open) {
            Err(finding) => self.finding(part, &finding),
            Ok(requirement) => match both(marker, &requirement.marker) {
                Some(marker) => self.requirement(part, Requirement { marker, ..requirement }),
                None => self.wrong_value(value, "this marker cannot be joined to that of the extra", &[]),
            },
        }
    }

    fn requirement(&mut self, part: &[Placed], requirement: Requirement) {
        if self.name.as_ref() == Some(&requirement.name) {
            return self.own_extras(part, requirement);
        }
        let at = self.source.location(part[0].start);
        let text = requirement::shown(part).into();
        self.reader.add(InputLine { requirement, text, at, hashes: Vec::new() }, self.role);
    }

    /// `project[a,b]` inside the project: the requirements of these extras.
    fn own_extras(&mut self, part: &[Placed], requirement: Requirement) {
        for extra in requirement.extras {
            if self.extras.contains_key(&extra) {
                self.pending.push((extra, requirement.marker.clone()));
            } else {
                let hint = wishes::known("extras", &extra, &self.extras.keys().cloned().collect());
                let finding =
                    Finding::new(0, part.len(), format!("the project has no extra `{extra}`")).hint(hint);
                self.finding(part, &finding);
            }
        }
    }

    fn finding(&mut self, chars: &[Placed], finding: &Finding) {
        let span = span(chars, finding.start, finding.len);
        self.reader.problems.add(self.source, span, &finding.message, &finding.hints);
    }

    fn wrong(&mut self, item: &Item, message: &str, hints: &[String]) {
        let span = self.placed(item.span().unwrap_or_default());
        self.reader.problems.add(self.source, span, message, hints);
    }

    fn wrong_value(&mut self, value: &Value, message: &str, hints: &[String]) {
        let span = self.placed(value.span().unwrap_or_default());
        self.reader.problems.add(self.source, span, message, hints);
    }

    /// The bytes of the file at a span of the parsed text.
    fn placed(&self, span: Range<usize>) -> Range<usize> {
        let base = self.source.body().1;
        base + span.start..base + span.end
    }
}

/// The last part of a dotted path.
fn file_key(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or(path)
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

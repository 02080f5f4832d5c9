//! The dependency graph of a lock.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::header_line::{self, LineKey};
use crate::{Header, Lock, Via};
use pinfast_base::error::{Error, Result};
use pinfast_packaging::{PackageName, Role, Version};

/// The packages of a lock and what depends on what.
#[derive(Clone, Debug, Default)]
pub struct DependencyGraph {
    pub(super) nodes: BTreeMap<PackageName, GraphNode>,
}

/// One package.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GraphNode {
    /// The versions pinned, ascending: several where markers tell them apart. None for a package that
    /// needs others but is not pinned itself, such as the project.
    pub versions: Vec<Version>,
    /// Its dependencies, by name.
    pub needs: Vec<GraphEdge>,
    /// Its dependents, by name.
    pub needed_by: Vec<GraphEdge>,
    /// The lines of inputs that require it.
    pub direct: Vec<InputRequirement>,
    /// The lines of inputs that constrain it without requiring it.
    pub constraints: Vec<InputRequirement>,
}

/// One end of a dependency.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct GraphEdge {
    /// The package at the other end.
    pub name: PackageName,
    /// The extras and specifiers that are required: `[extra]>=1,<2`. Empty for any version, or where the lock does not
    /// record them.
    pub wants: Arc<str>,
}

/// A line of an input that requires or constrains a package.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct InputRequirement {
    /// The file.
    pub file: Arc<str>,
    /// The line in normalized form; empty where the lock does not record it.
    pub line: String,
}

impl DependencyGraph {
    /// The graph of `lock`.
    ///
    /// # Errors
    /// Of kind `Usage`, when the lock has pins but no `# via` lines.
    pub fn of(lock: &Lock) -> Result<Self> {
        if !lock.pins.is_empty() && lock.pins.iter().all(|pin| pin.via.is_empty()) {
            return Err(Error::usage(
                "the lock does not record what depends on what: it has no `# via` lines",
            )
            .hint("lock again without `--no-annotate`"));
        }
        let mut graph = Self::default();
        for pin in &lock.pins {
            let node = graph.node(&pin.name);
            node.versions.push(pin.version.clone());
            for via in &pin.via {
                graph.add(&pin.name, via, lock.header.as_ref());
            }
        }
        graph.nodes.values_mut().for_each(GraphNode::sort);
        Ok(graph)
    }

    fn node(&mut self, name: &PackageName) -> &mut GraphNode {
        self.nodes.entry(name.clone()).or_default()
    }

    fn add(&mut self, name: &PackageName, via: &Via, header: Option<&Header>) {
        match via {
            Via::Package { name: by, wants } => {
                self.node(by).needs.push(GraphEdge { name: name.clone(), wants: Arc::clone(wants) });
                self.node(name).needed_by.push(GraphEdge { name: by.clone(), wants: Arc::clone(wants) });
            }
            Via::Input(file) => {
                self.node(name).direct.extend(input_lines(header, file, name, Role::Requirement));
            }
            Via::Constraint(file) => {
                self.node(name).constraints.extend(input_lines(header, file, name, Role::Constraint));
            }
        }
    }

    /// The packages, by name.
    pub fn nodes(&self) -> impl Iterator<Item = (&PackageName, &GraphNode)> {
        self.nodes.iter()
    }

    /// The package `name`.
    ///
    /// # Errors
    /// Of kind `No`, when it is not in the lock.
    pub fn get(&self, name: &PackageName) -> Result<&GraphNode> {
        self.nodes
            .get(name)
            .ok_or_else(|| Error::no(format!("`{name}` is not in the lock: nothing needs it")))
    }

    /// The input files that require a package directly, sorted.
    pub(super) fn input_files(&self) -> Vec<&Arc<str>> {
        let mut files: Vec<_> =
            self.nodes.values().flat_map(|node| &node.direct).map(|input| &input.file).collect();
        files.sort();
        files.dedup();
        files
    }
}

impl GraphNode {
    fn sort(&mut self) {
        self.versions.sort();
        self.versions.dedup();
        for edges in [&mut self.needs, &mut self.needed_by] {
            edges.sort();
            edges.dedup();
        }
        for lines in [&mut self.direct, &mut self.constraints] {
            lines.sort();
            lines.dedup();
        }
    }
}

impl InputRequirement {
    /// The line without the name, as on an edge.
    pub(super) fn wants(&self) -> String {
        let line = self.line.strip_prefix("-c ").unwrap_or(&self.line);
        let end =
            line.find(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c))).unwrap_or(line.len());
        line[end..].trim_start().to_owned()
    }
}

/// The lines of `file` about `name` in `role`, from the header.
fn input_lines(
    header: Option<&Header>,
    file: &Arc<str>,
    name: &PackageName,
    role: Role,
) -> Vec<InputRequirement> {
    let key = LineKey::Package(role, name.clone());
    let records = header.map(|header| header.inputs.as_slice()).unwrap_or_default();
    // The header records the lines of a constraint file under the input that refers to it.
    let records = records.iter().filter(|record| role == Role::Constraint || *record.file == **file);
    let lines = records.flat_map(|record| &record.lines).filter(|line| header_line::line_key(line) == key);
    let mut found: Vec<InputRequirement> =
        lines.map(|line| InputRequirement { file: Arc::clone(file), line: line.clone() }).collect();
    if found.is_empty() {
        found.push(InputRequirement { file: Arc::clone(file), line: String::new() });
    }
    found
}

//! Who needs what, read from a lock alone: edges from the `# via` lines, what each asks from what stands
//! behind the name there, the top-level requirements from the header.

mod render;
mod svg;
#[cfg(test)]
mod tests;
mod why;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::header_line::{self, LineKey};
use super::{Header, Lock, Via};
use pinfast_base::error::{Error, Result};
use pinfast_packaging::{PackageName, Role, Version};

pub use render::{GraphReport, ReportedEdge, ReportedLine, ReportedPackage};
pub use why::{ChainLink, DependencyChain, WhyReport};

/// How deep a tree goes at most: a lock that is deeper is hostile.
const DEEPEST: usize = 128;

/// The packages of a lock and who needs whom.
#[derive(Clone, Debug, Default)]
pub struct DependencyGraph {
    nodes: BTreeMap<PackageName, GraphNode>,
}

/// One package.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GraphNode {
    /// The versions pinned, ascending: several where markers tell them apart; none for a package that
    /// needs others but is not pinned itself.
    pub versions: Vec<Version>,
    /// What it needs, by name.
    pub needs: Vec<GraphEdge>,
    /// Who needs it, by name.
    pub needed_by: Vec<GraphEdge>,
    /// The lines of inputs that ask for it.
    pub direct: Vec<InputRequirement>,
    /// The lines that bind it without asking for it.
    pub constraints: Vec<InputRequirement>,
}

/// One end of "needs".
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct GraphEdge {
    /// The package at the other end.
    pub name: PackageName,
    /// What is asked: `[extra]>=1,<2`; empty for any version, or where the lock does not tell.
    pub wants: Arc<str>,
}

/// A line of an input.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct InputRequirement {
    /// The file.
    pub file: Arc<str>,
    /// The line in normal form; empty where the lock does not tell.
    pub line: String,
}

/// Which way a tree grows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TreeDirection {
    /// From the inputs to what they need.
    #[default]
    Needs,
    /// From what needs nothing to who needs it (`--invert`).
    NeededBy,
}

/// What of a graph a tree shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TreeOptions {
    /// Which way.
    pub direction: TreeDirection,
    /// Only from this package on.
    pub root: Option<PackageName>,
    /// How many levels below the roots; `None` for all.
    pub depth: Option<usize>,
}

/// A tree as its rows from top to bottom.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DependencyTree {
    /// The rows; the first of a root has depth 0.
    pub rows: Vec<TreeRow>,
}

/// One row of a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeRow {
    /// How far from its root.
    pub depth: usize,
    /// The package, or the input's file.
    pub name: String,
    /// Its versions.
    pub versions: Vec<Version>,
    /// What is asked of it by the row above (in an inverted tree: what it asks of the row above).
    pub wants: String,
    /// Whether what follows it is shown.
    pub subtree: Subtree,
}

/// Whether what follows a row is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subtree {
    /// Here, if there is anything.
    Here,
    /// Where the package stands first, which may be above it: then it is a cycle. Shown as `(*)`.
    Elsewhere,
    /// Nowhere: it is too deep. Shown as `…`.
    Cut,
}

impl DependencyGraph {
    /// The graph of `lock`.
    ///
    /// # Errors
    /// Of kind `Usage`, when the lock has pins but says of none who wants it.
    pub fn of(lock: &Lock) -> Result<Self> {
        if !lock.pins.is_empty() && lock.pins.iter().all(|pin| pin.via.is_empty()) {
            return Err(Error::usage("the lock does not say who wants what: it has no `# via` lines")
                .hint("lock anew without `--no-annotate`"));
        }
        let mut graph = Self::default();
        for pin in &lock.pins {
            let node = graph.node(&pin.name);
            node.versions.push(pin.version.clone());
            for via in &pin.via {
                graph.add(&pin.name, via, lock.header.as_ref());
            }
        }
        graph.nodes.values_mut().for_each(GraphNode::tidy);
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
            Via::Input(file) => self.node(name).direct.extend(lines(header, file, name, Role::Requirement)),
            Via::Constraint(file) => {
                self.node(name).constraints.extend(lines(header, file, name, Role::Constraint))
            }
        }
    }

    /// The packages, by name.
    pub fn nodes(&self) -> impl Iterator<Item = (&PackageName, &GraphNode)> {
        self.nodes.iter()
    }

    /// One package.
    ///
    /// # Errors
    /// Of kind `No`, when it is not in the lock.
    pub fn get(&self, name: &PackageName) -> Result<&GraphNode> {
        self.nodes
            .get(name)
            .ok_or_else(|| Error::no(format!("`{name}` is not in the lock: nothing needs it")))
    }

    /// The tree that `options` ask for.
    ///
    /// # Errors
    /// Of kind `No`, when the root is not in the lock.
    pub fn tree(&self, options: &TreeOptions) -> Result<DependencyTree> {
        let mut growth = Growth::new(self, options);
        match &options.root {
            Some(root) => {
                self.get(root)?;
                growth.grow(vec![Bud::package(0, root, "")]);
            }
            None => growth.grow(self.roots(options.direction)),
        }
        Ok(DependencyTree { rows: growth.rows })
    }

    fn roots(&self, direction: TreeDirection) -> Vec<Bud> {
        let mut files: Vec<&Arc<str>> =
            self.nodes.values().flat_map(|n| &n.direct).map(|top| &top.file).collect();
        files.sort();
        files.dedup();
        let orphan = |node: &GraphNode| node.direct.is_empty() && node.needed_by.is_empty();
        let is_root = |node: &GraphNode| match direction {
            TreeDirection::Needs => orphan(node),
            TreeDirection::NeededBy => node.needs.is_empty(),
        };
        let mut roots: Vec<Bud> = match direction {
            TreeDirection::Needs => files.into_iter().map(|file| Bud::file(0, file, "")).collect(),
            TreeDirection::NeededBy => Vec::new(),
        };
        roots.extend(
            self.nodes.iter().filter(|(_, node)| is_root(node)).map(|(name, _)| Bud::package(0, name, "")),
        );
        roots
    }
}

impl GraphNode {
    fn tidy(&mut self) {
        self.versions.sort();
        self.versions.dedup();
        for edges in [&mut self.needs, &mut self.needed_by] {
            edges.sort();
            edges.dedup();
        }
        for tops in [&mut self.direct, &mut self.constraints] {
            tops.sort();
            tops.dedup();
        }
    }
}

/// The lines of `file` that speak of `name` in `role`. A constraint may stand in the record of the input
/// that refers to its file.
fn lines(header: Option<&Header>, file: &Arc<str>, name: &PackageName, role: Role) -> Vec<InputRequirement> {
    let wanted = LineKey::Package(role, name.clone());
    let records = header.map(|header| header.inputs.as_slice()).unwrap_or_default();
    let here = records.iter().filter(|record| role == Role::Constraint || *record.file == **file);
    let lines = here.flat_map(|record| &record.lines).filter(|line| header_line::line_key(line) == wanted);
    let mut tops: Vec<InputRequirement> =
        lines.map(|line| InputRequirement { file: Arc::clone(file), line: line.clone() }).collect();
    if tops.is_empty() {
        tops.push(InputRequirement { file: Arc::clone(file), line: String::new() });
    }
    tops
}

/// A row to come.
struct Bud {
    depth: usize,
    subject: RowSubject,
    wants: String,
}

enum RowSubject {
    Package(PackageName),
    File(Arc<str>),
}

impl Bud {
    fn package(depth: usize, name: &PackageName, wants: &str) -> Self {
        Self { depth, subject: RowSubject::Package(name.clone()), wants: wants.to_owned() }
    }

    fn file(depth: usize, file: &Arc<str>, wants: &str) -> Self {
        Self { depth, subject: RowSubject::File(Arc::clone(file)), wants: wants.to_owned() }
    }
}

/// A tree that grows without recursion: each package once, so it is no larger than the graph.
struct Growth<'a> {
    graph: &'a DependencyGraph,
    direction: TreeDirection,
    depth: usize,
    rows: Vec<TreeRow>,
    seen: std::collections::BTreeSet<PackageName>,
}

impl<'a> Growth<'a> {
    fn new(graph: &'a DependencyGraph, options: &TreeOptions) -> Self {
        let depth = options.depth.unwrap_or(DEEPEST).min(DEEPEST);
        Self { graph, direction: options.direction, depth, rows: Vec::new(), seen: Default::default() }
    }

    fn grow(&mut self, roots: Vec<Bud>) {
        let mut stack: Vec<Bud> = roots.into_iter().rev().collect();
        while let Some(bud) = stack.pop() {
            let children = self.children(&bud);
            let rest = self.push(bud, &children);
            if rest == Subtree::Here {
                stack.extend(children.into_iter().rev());
            }
        }
    }

    fn push(&mut self, bud: Bud, children: &[Bud]) -> Subtree {
        let (name, versions, first) = match &bud.subject {
            RowSubject::File(file) => (file.to_string(), Vec::new(), true),
            RowSubject::Package(name) => {
                let versions = self.graph.nodes.get(name).map(|node| node.versions.clone());
                let cut = bud.depth >= self.depth;
                let first = if cut { !self.seen.contains(name) } else { self.seen.insert(name.clone()) };
                (name.to_string(), versions.unwrap_or_default(), first)
            }
        };
        let rest = match children {
            [] => Subtree::Here,
            _ if !first => Subtree::Elsewhere,
            _ if bud.depth >= self.depth => Subtree::Cut,
            _ => Subtree::Here,
        };
        self.rows.push(TreeRow { depth: bud.depth, name, versions, wants: bud.wants, subtree: rest });
        rest
    }

    fn children(&self, bud: &Bud) -> Vec<Bud> {
        let depth = bud.depth + 1;
        let name = match &bud.subject {
            RowSubject::Package(name) => name,
            RowSubject::File(file) if self.direction == TreeDirection::Needs => {
                return self.wanted_by(file, depth);
            }
            RowSubject::File(_) => return Vec::new(),
        };
        let Some(node) = self.graph.nodes.get(name) else { return Vec::new() };
        let edge = |edge: &GraphEdge| Bud::package(depth, &edge.name, &edge.wants);
        match self.direction {
            TreeDirection::Needs => node.needs.iter().map(edge).collect(),
            TreeDirection::NeededBy => {
                let tops = node.direct.iter().map(|top| Bud::file(depth, &top.file, &top.requested()));
                tops.chain(node.needed_by.iter().map(edge)).collect()
            }
        }
    }

    fn wanted_by(&self, file: &Arc<str>, depth: usize) -> Vec<Bud> {
        let tops =
            self.graph.nodes.iter().flat_map(|(name, node)| node.direct.iter().map(move |top| (name, top)));
        let here = tops.filter(|(_, top)| top.file == *file);
        here.map(|(name, top)| Bud::package(depth, name, &top.requested())).collect()
    }
}

impl InputRequirement {
    /// The line without the name, as on an edge.
    fn requested(&self) -> String {
        let line = self.line.strip_prefix("-c ").unwrap_or(&self.line);
        let end =
            line.find(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c))).unwrap_or(line.len());
        line[end..].trim_start().to_owned()
    }
}

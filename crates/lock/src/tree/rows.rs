//! A dependency graph -> a tree as rows, depth first.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::graph::{DependencyGraph, GraphEdge, GraphNode};
use pinfast_base::error::Result;
use pinfast_packaging::{PackageName, Version};

/// How deep a tree goes at most: a lock that is deeper is hostile.
pub(super) const MAX_DEPTH: usize = 128;

/// Which way a tree grows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TreeDirection {
    /// From the inputs to dependencies.
    #[default]
    Needs,
    /// From packages without dependencies to their dependents (`--invert`).
    NeededBy,
}

/// What of a graph a tree shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TreeOptions {
    /// Which way it grows.
    pub direction: TreeDirection,
    /// The package to start at; `None` for the inputs.
    pub root: Option<PackageName>,
    /// How many levels below the roots; `None` for all.
    pub depth: Option<usize>,
}

/// A tree as its rows from top to bottom.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DependencyTree {
    /// The rows; that of a root has depth 0.
    pub rows: Vec<DependencyRow>,
}

/// One row of a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DependencyRow {
    /// How far from its root.
    pub depth: usize,
    /// The package, or the input's file.
    pub name: String,
    /// The versions pinned.
    pub versions: Vec<Version>,
    /// What the row above requires of it (in an inverted tree: what it requires of the row above).
    pub wants: String,
    /// Whether the rows below it are shown.
    pub subtree: Subtree,
}

/// Whether the rows below a row are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subtree {
    /// Here, if there are any.
    Here,
    /// Where the package stands first; above it in a cycle. Drawn as `(*)`.
    Elsewhere,
    /// Nowhere: they are too deep. Drawn as `…`.
    Cut,
}

impl DependencyGraph {
    /// The tree that `options` select. Each package has its dependencies once, so that no tree is larger than the
    /// graph.
    ///
    /// # Errors
    /// Of kind `No`, when the root is not in the lock.
    pub fn tree(&self, options: &TreeOptions) -> Result<DependencyTree> {
        let mut builder = TreeBuilder::new(self, options);
        match &options.root {
            Some(root) => {
                self.get(root)?;
                builder.build(vec![PendingRow::package(0, root, "")]);
            }
            None => builder.build(self.roots(options.direction)),
        }
        Ok(DependencyTree { rows: builder.rows })
    }

    fn roots(&self, direction: TreeDirection) -> Vec<PendingRow> {
        let is_orphan = |node: &GraphNode| node.direct.is_empty() && node.needed_by.is_empty();
        let is_root = |node: &GraphNode| match direction {
            TreeDirection::Needs => is_orphan(node),
            TreeDirection::NeededBy => node.needs.is_empty(),
        };
        let mut roots: Vec<PendingRow> = match direction {
            TreeDirection::Needs => {
                self.input_files().into_iter().map(|file| PendingRow::file(0, file, "")).collect()
            }
            TreeDirection::NeededBy => Vec::new(),
        };
        let packages = self.nodes.iter().filter(|(_, node)| is_root(node));
        roots.extend(packages.map(|(name, _)| PendingRow::package(0, name, "")));
        roots
    }
}

/// A row still to be built.
struct PendingRow {
    depth: usize,
    subject: RowSubject,
    wants: String,
}

enum RowSubject {
    Package(PackageName),
    File(Arc<str>),
}

impl PendingRow {
    fn package(depth: usize, name: &PackageName, wants: &str) -> Self {
        Self { depth, subject: RowSubject::Package(name.clone()), wants: wants.to_owned() }
    }

    fn file(depth: usize, file: &Arc<str>, wants: &str) -> Self {
        Self { depth, subject: RowSubject::File(Arc::clone(file)), wants: wants.to_owned() }
    }
}

/// Builds a tree with a stack of its own: a recursion as deep as a hostile lock would overflow.
struct TreeBuilder<'a> {
    graph: &'a DependencyGraph,
    direction: TreeDirection,
    depth: usize,
    rows: Vec<DependencyRow>,
    /// The packages whose subtree is shown.
    seen: BTreeSet<PackageName>,
}

impl<'a> TreeBuilder<'a> {
    fn new(graph: &'a DependencyGraph, options: &TreeOptions) -> Self {
        let depth = options.depth.unwrap_or(MAX_DEPTH).min(MAX_DEPTH);
        Self { graph, direction: options.direction, depth, rows: Vec::new(), seen: BTreeSet::new() }
    }

    fn build(&mut self, roots: Vec<PendingRow>) {
        let mut stack: Vec<PendingRow> = roots.into_iter().rev().collect();
        while let Some(pending) = stack.pop() {
            let children = self.children(&pending);
            if self.push(pending, &children) == Subtree::Here {
                stack.extend(children.into_iter().rev());
            }
        }
    }

    fn push(&mut self, pending: PendingRow, children: &[PendingRow]) -> Subtree {
        let is_cut = pending.depth >= self.depth;
        let (name, versions, is_first) = match &pending.subject {
            RowSubject::File(file) => (file.to_string(), Vec::new(), true),
            RowSubject::Package(name) => {
                let versions = self.graph.nodes.get(name).map(|node| node.versions.clone());
                // A row that is cut shows nothing below it, so a later row may.
                let is_first =
                    if is_cut { !self.seen.contains(name) } else { self.seen.insert(name.clone()) };
                (name.to_string(), versions.unwrap_or_default(), is_first)
            }
        };
        let subtree = match children {
            [] => Subtree::Here,
            _ if !is_first => Subtree::Elsewhere,
            _ if is_cut => Subtree::Cut,
            _ => Subtree::Here,
        };
        let PendingRow { depth, wants, .. } = pending;
        self.rows.push(DependencyRow { depth, name, versions, wants, subtree });
        subtree
    }

    fn children(&self, pending: &PendingRow) -> Vec<PendingRow> {
        let depth = pending.depth + 1;
        let name = match &pending.subject {
            RowSubject::Package(name) => name,
            RowSubject::File(file) if self.direction == TreeDirection::Needs => {
                return self.direct_requirements(file, depth);
            }
            RowSubject::File(_) => return Vec::new(),
        };
        let Some(node) = self.graph.nodes.get(name) else { return Vec::new() };
        let edge = |edge: &GraphEdge| PendingRow::package(depth, &edge.name, &edge.wants);
        match self.direction {
            TreeDirection::Needs => node.needs.iter().map(edge).collect(),
            TreeDirection::NeededBy => {
                let inputs =
                    node.direct.iter().map(|input| PendingRow::file(depth, &input.file, &input.wants()));
                inputs.chain(node.needed_by.iter().map(edge)).collect()
            }
        }
    }

    /// The packages that `file` requires.
    fn direct_requirements(&self, file: &Arc<str>, depth: usize) -> Vec<PendingRow> {
        let nodes = self.graph.nodes.iter();
        let inputs = nodes.flat_map(|(name, node)| node.direct.iter().map(move |input| (name, input)));
        let of_file = inputs.filter(|(_, input)| input.file == *file);
        of_file.map(|(name, input)| PendingRow::package(depth, name, &input.wants())).collect()
    }
}

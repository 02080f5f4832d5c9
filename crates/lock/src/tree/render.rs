//! A tree and a chain as text, a graph as DOT and as JSON.

use serde::Serialize;

use super::{DependencyGraph, DependencyTree, GraphNode, InputRequirement, Subtree, TreeRow, WhyReport};
use pinfast_packaging::Version;

/// The JSON document of a graph.
#[derive(Clone, Debug, Serialize)]
pub struct GraphReport {
    /// The version of this schema: 1. A new field does not raise it.
    #[serde(rename = "schema")]
    pub schema_version: u32,
    /// The packages, by name.
    pub packages: Vec<ReportedPackage>,
}

/// A package of a graph.
#[derive(Clone, Debug, Serialize)]
pub struct ReportedPackage {
    /// Its name.
    pub name: String,
    /// The versions pinned, ascending.
    pub versions: Vec<String>,
    /// The lines of inputs that ask for it.
    pub inputs: Vec<ReportedLine>,
    /// The lines that bind it without asking for it.
    pub constraints: Vec<ReportedLine>,
    /// What it needs.
    pub needs: Vec<ReportedEdge>,
}

/// A line of an input.
#[derive(Clone, Debug, Serialize)]
pub struct ReportedLine {
    /// The file.
    pub file: String,
    /// The line in normal form; empty where the lock does not tell.
    pub line: String,
}

/// What a package needs.
#[derive(Clone, Debug, Serialize)]
pub struct ReportedEdge {
    /// The package needed.
    pub name: String,
    /// Extras and specifiers; empty for any version, or where the lock does not tell.
    pub wants: String,
}

impl DependencyTree {
    /// One line a row, with the lines of a tree in front.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut lines = Vec::with_capacity(self.rows.len());
        // From the bottom: whether a row of each depth follows before a shallower one.
        let mut follows: Vec<bool> = Vec::new();
        for row in self.rows.iter().rev() {
            follows.resize(row.depth + 1, false);
            lines.push(format!("{}{}\n", branches(&follows), row));
            follows[row.depth] = true;
        }
        lines.reverse();
        lines.concat()
    }
}

/// The lines in front of a row, by whether one of each depth follows; the last is the row's own depth.
fn branches(follows: &[bool]) -> String {
    let [_, above @ .., own] = follows else { return String::new() };
    let above: String = above.iter().map(|follows| if *follows { "│   " } else { "    " }).collect();
    above + if *own { "├── " } else { "└── " }
}

/// `httpx 0.28.1 ([socks]>=0.28) (*)`
impl std::fmt::Display for TreeRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.name)?;
        f.write_str(&versions(&self.versions))?;
        if !self.wants.is_empty() {
            write!(f, " ({})", self.wants)?;
        }
        match self.subtree {
            Subtree::Here => Ok(()),
            Subtree::Elsewhere => f.write_str(" (*)"),
            Subtree::Cut => f.write_str(" …"),
        }
    }
}

/// ` 1.0 | 2.0`
pub(super) fn versions(versions: &[Version]) -> String {
    let texts: Vec<_> = versions.iter().map(ToString::to_string).collect();
    if texts.is_empty() { String::new() } else { format!(" {}", texts.join(" | ")) }
}

impl WhyReport {
    /// The package, then each chain as steps, then what binds it.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = format!("{}{}\n", self.name, versions(&self.versions));
        for chain in &self.chains {
            let mut indent = 2;
            if let Some(top) = &chain.input {
                text.push_str(&format!("{:indent$}{top}\n", ""));
                indent += 2;
            }
            for step in &chain.links {
                let asker = format!("{}{}", step.name, versions(&step.versions));
                text.push_str(&format!("{:indent$}{asker} asks for `{}`\n", "", step.requirement));
                // A chain may be long; its far end need not hang far out.
                indent = (indent + 2).min(40);
            }
        }
        for bound in &self.constraints {
            let line = bound.line.strip_prefix("-c ").unwrap_or(&bound.line);
            text.push_str(&match line {
                "" => format!("  {} binds it\n", bound.file),
                line => format!("  {} binds it: `{line}`\n", bound.file),
            });
        }
        text
    }
}

/// `requirements.in asks for `httpx<1``
impl std::fmt::Display for InputRequirement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.line.as_str() {
            "" => write!(f, "{} asks for it", self.file),
            line => write!(f, "{} asks for `{line}`", self.file),
        }
    }
}

impl DependencyGraph {
    /// The graph for Graphviz: inputs as boxes, each edge with what it asks.
    #[must_use]
    pub fn to_dot(&self) -> String {
        let mut text = "digraph lock {\n    rankdir=LR\n".to_owned();
        let mut files: Vec<_> =
            self.nodes.values().flat_map(|node| &node.direct).map(|top| &top.file).collect();
        files.sort();
        files.dedup();
        for file in files {
            let id = quoted(&format!("file {file}"));
            text.push_str(&format!("    {id} [label={}, shape=box]\n", quoted(file)));
        }
        for (name, node) in &self.nodes {
            let label = quoted(&format!("{name}{}", versions(&node.versions)));
            text.push_str(&format!("    {} [label={label}]\n", quoted(name.as_str())));
            for top in &node.direct {
                text.push_str(&dot_edge(&format!("file {}", top.file), name.as_str(), &top.requested()));
            }
            for edge in &node.needs {
                text.push_str(&dot_edge(name.as_str(), edge.name.as_str(), &edge.wants));
            }
        }
        text + "}\n"
    }

    /// The JSON document.
    #[must_use]
    pub fn report(&self) -> GraphReport {
        let packages =
            self.nodes.iter().map(|(name, node)| ReportedPackage::new(name.as_str(), node)).collect();
        GraphReport { schema_version: 1, packages }
    }
}

fn dot_edge(from: &str, to: &str, label: &str) -> String {
    let label = if label.is_empty() { String::new() } else { format!(" [label={}]", quoted(label)) };
    format!("    {} -> {}{label}\n", quoted(from), quoted(to))
}

/// A quoted string of DOT, on one line.
fn quoted(text: &str) -> String {
    let text = text.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{}\"", text.replace(char::is_control, " "))
}

impl ReportedPackage {
    fn new(name: &str, node: &GraphNode) -> Self {
        let line = |input: &InputRequirement| ReportedLine {
            file: input.file.to_string(),
            line: input.line.clone(),
        };
        let need = |edge: &super::GraphEdge| ReportedEdge {
            name: edge.name.to_string(),
            wants: edge.wants.to_string(),
        };
        Self {
            name: name.to_owned(),
            versions: node.versions.iter().map(ToString::to_string).collect(),
            inputs: node.direct.iter().map(line).collect(),
            constraints: node.constraints.iter().map(line).collect(),
            needs: node.needs.iter().map(need).collect(),
        }
    }
}

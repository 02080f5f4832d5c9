//! A tree and chains as text, a graph as DOT (Graphviz) and as JSON.

use serde::Serialize;

use super::{
    DependencyGraph, DependencyRow, DependencyTree, GraphNode, InputRequirement, Subtree, WhyReport,
};
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
    /// The lines of inputs that require it.
    pub inputs: Vec<ReportedLine>,
    /// The lines of inputs that constrain it without requiring it.
    pub constraints: Vec<ReportedLine>,
    /// Its dependencies.
    pub needs: Vec<ReportedEdge>,
}

/// A line of an input.
#[derive(Clone, Debug, Serialize)]
pub struct ReportedLine {
    /// The file.
    pub file: String,
    /// The line in normalized form; empty where the lock does not record it.
    pub line: String,
}

/// A dependency.
#[derive(Clone, Debug, Serialize)]
pub struct ReportedEdge {
    /// The package that is required.
    pub name: String,
    /// Extras and specifiers; empty for any version, or where the lock does not record them.
    pub wants: String,
}

impl DependencyTree {
    /// One line a row, with box-drawing branches in front.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut lines = Vec::with_capacity(self.rows.len());
        // From the bottom up, so that each row knows whether a sibling follows it or one of its ancestors.
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

/// The branches in front of a row. `follows[depth]`: whether a sibling of its ancestor there follows; the last is the
/// row's own.
fn branches(follows: &[bool]) -> String {
    let [_, above @ .., own] = follows else { return String::new() };
    let above: String = above.iter().map(|follows| if *follows { "│   " } else { "    " }).collect();
    above + if *own { "├── " } else { "└── " }
}

/// `httpx 0.28.1 ([socks]>=0.28) (*)`
impl std::fmt::Display for DependencyRow {
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
    /// The package, each chain as indented links, and the constraints.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = format!("{}{}\n", self.name, versions(&self.versions));
        for chain in &self.chains {
            let mut indent = 2;
            if let Some(input) = &chain.input {
                text.push_str(&format!("{:indent$}{input}\n", ""));
                indent += 2;
            }
            for link in &chain.links {
                let dependent = format!("{}{}", link.name, versions(&link.versions));
                text.push_str(&format!("{:indent$}{dependent} asks for `{}`\n", "", link.requirement));
                // A chain may be long: past some columns it goes straight down.
                indent = (indent + 2).min(40);
            }
        }
        for constraint in &self.constraints {
            let line = constraint.line.strip_prefix("-c ").unwrap_or(&constraint.line);
            text.push_str(&match line {
                "" => format!("  {} binds it\n", constraint.file),
                line => format!("  {} binds it: `{line}`\n", constraint.file),
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
    /// The graph for Graphviz: inputs as boxes, each edge labelled with its requirement.
    #[must_use]
    pub fn to_dot(&self) -> String {
        let mut text = "digraph lock {\n    rankdir=LR\n".to_owned();
        for file in self.input_files() {
            let id = quoted(&format!("file {file}"));
            text.push_str(&format!("    {id} [label={}, shape=box]\n", quoted(file)));
        }
        for (name, node) in &self.nodes {
            let label = quoted(&format!("{name}{}", versions(&node.versions)));
            text.push_str(&format!("    {} [label={label}]\n", quoted(name.as_str())));
            for input in &node.direct {
                text.push_str(&dot_edge(&format!("file {}", input.file), name.as_str(), &input.wants()));
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

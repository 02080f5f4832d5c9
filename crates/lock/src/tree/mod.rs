//! What depends on what, read from a lock alone.
//!
//! - `graph`: the `# via` lines -> edges; the header -> the input lines that require a package directly
//! - `rows`: the graph -> a tree, or a tree of dependents (`--invert`), as rows
//! - `chains`: why a package is in the lock: shortest chains from an input (breadth-first search)
//! - `render`, `svg`: rows, chains and the graph as text, DOT, JSON and SVG

mod chains;
mod graph;
mod render;
mod rows;
mod svg;
#[cfg(test)]
mod tests;

pub use chains::{ChainLink, DependencyChain, WhyReport};
pub use graph::{DependencyGraph, GraphEdge, GraphNode, InputRequirement};
pub use render::{GraphReport, ReportedEdge, ReportedLine, ReportedPackage};
pub use rows::{DependencyRow, DependencyTree, Subtree, TreeDirection, TreeOptions};

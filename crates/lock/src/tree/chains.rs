//! Why a package is in a lock: for each of its dependents, the shortest chain from an input.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::graph::{DependencyGraph, GraphNode, InputRequirement};
use pinfast_base::error::Result;
use pinfast_packaging::{PackageName, Version};

/// Why a package is in a lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WhyReport {
    /// The package.
    pub name: PackageName,
    /// The versions pinned.
    pub versions: Vec<Version>,
    /// One chain for each input line that requires it, and one for each dependent.
    pub chains: Vec<DependencyChain>,
    /// The lines that constrain it.
    pub constraints: Vec<InputRequirement>,
}

/// From an input to the package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DependencyChain {
    /// The input's line; `None` where no input leads to the package.
    pub input: Option<InputRequirement>,
    /// The packages between, each with what it requires of the next; the last one requires the package itself.
    pub links: Vec<ChainLink>,
}

/// A package that requires another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainLink {
    /// The dependent.
    pub name: PackageName,
    /// The versions pinned of it.
    pub versions: Vec<Version>,
    /// What it requires: `httpx[socks]>=0.28`.
    pub requirement: String,
}

/// The dependent before a package on a shortest chain, and what it requires; `None` for a package that an input
/// requires itself.
type Predecessor<'a> = Option<(&'a PackageName, &'a Arc<str>)>;

impl DependencyGraph {
    /// Why `name` is in the lock.
    ///
    /// # Errors
    /// Of kind `No`, when it is not.
    pub fn why(&self, name: &PackageName) -> Result<WhyReport> {
        let node = self.get(name)?;
        let predecessors = self.predecessors();
        let direct =
            node.direct.iter().map(|input| DependencyChain { input: Some(input.clone()), links: Vec::new() });
        let by_dependents = node.needed_by.iter().map(|edge| {
            let mut chain = self.chain_to(&edge.name, &predecessors);
            chain.links.push(self.link(&edge.name, name, &edge.wants));
            chain
        });
        let chains = direct.chain(by_dependents).collect();
        let constraints = node.constraints.clone();
        Ok(WhyReport { name: name.clone(), versions: node.versions.clone(), chains, constraints })
    }

    /// The predecessor of each package that an input leads to: a breadth-first search from the direct requirements.
    fn predecessors(&self) -> BTreeMap<&PackageName, Predecessor<'_>> {
        let is_direct = |node: &GraphNode| !node.direct.is_empty();
        let direct = self.nodes.iter().filter(|(_, node)| is_direct(node));
        let mut predecessors: BTreeMap<&PackageName, Predecessor<'_>> =
            direct.map(|(name, _)| (name, None)).collect();
        let mut queue: VecDeque<&PackageName> = predecessors.keys().copied().collect();
        while let Some(name) = queue.pop_front() {
            for edge in self.nodes.get(name).map(|node| node.needs.as_slice()).unwrap_or_default() {
                if !predecessors.contains_key(&edge.name) {
                    predecessors.insert(&edge.name, Some((name, &edge.wants)));
                    queue.push_back(&edge.name);
                }
            }
        }
        predecessors
    }

    fn chain_to(
        &self,
        name: &PackageName,
        predecessors: &BTreeMap<&PackageName, Predecessor<'_>>,
    ) -> DependencyChain {
        let mut links = Vec::new();
        let mut name = name;
        while let Some(Some((before, wants))) = predecessors.get(name) {
            links.push(self.link(before, name, wants));
            name = before;
        }
        links.reverse();
        let input = self.nodes.get(name).and_then(|node| node.direct.first().cloned());
        DependencyChain { input, links }
    }

    fn link(&self, by: &PackageName, name: &PackageName, wants: &str) -> ChainLink {
        let versions = self.nodes.get(by).map(|node| node.versions.clone()).unwrap_or_default();
        ChainLink { name: by.clone(), versions, requirement: format!("{name}{wants}") }
    }
}

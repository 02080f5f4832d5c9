//! Why a package is in a lock: for each that asks for it, the shortest chain from an input.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::{DependencyGraph, GraphNode, InputRequirement};
use pinfast_base::error::Result;
use pinfast_packaging::{PackageName, Version};

/// Why a package is in a lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WhyReport {
    /// The package.
    pub name: PackageName,
    /// The versions pinned.
    pub versions: Vec<Version>,
    /// One chain for each input line that asks for it, and one for each package that does.
    pub chains: Vec<DependencyChain>,
    /// The constraint lines that bind it.
    pub constraints: Vec<InputRequirement>,
}

/// From an input to the package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DependencyChain {
    /// The input's line; `None` where the lock leads to no input.
    pub input: Option<InputRequirement>,
    /// The packages between, each with what it asks of the next, the last of the package itself.
    pub links: Vec<ChainLink>,
}

/// A package that asks for another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainLink {
    /// Who asks.
    pub name: PackageName,
    /// Its versions.
    pub versions: Vec<Version>,
    /// Whom it asks for, and what: `httpx[socks]>=0.28`.
    pub requirement: String,
}

impl DependencyGraph {
    /// Why `name` is in the lock.
    ///
    /// # Errors
    /// Of kind `No`, when it is not.
    pub fn why(&self, name: &PackageName) -> Result<WhyReport> {
        let node = self.get(name)?;
        let routes = self.routes();
        let direct =
            node.direct.iter().map(|top| DependencyChain { input: Some(top.clone()), links: Vec::new() });
        let by_packages = node.needed_by.iter().map(|edge| {
            let mut chain = self.chain_to(&edge.name, &routes);
            chain.links.push(self.link(&edge.name, name, &edge.wants));
            chain
        });
        let chains = direct.chain(by_packages).collect();
        Ok(WhyReport {
            name: name.clone(),
            versions: node.versions.clone(),
            chains,
            constraints: node.constraints.clone(),
        })
    }

    /// For each package that an input leads to, but does not ask for itself, the package before it on a
    /// shortest way, and what that asks.
    fn routes(&self) -> BTreeMap<&PackageName, Route<'_>> {
        let top = |node: &GraphNode| !node.direct.is_empty();
        let mut routes: BTreeMap<&PackageName, Route<'_>> =
            self.nodes.iter().filter(|(_, node)| top(node)).map(|(name, _)| (name, None)).collect();
        let mut queue: VecDeque<&PackageName> = routes.keys().copied().collect();
        while let Some(name) = queue.pop_front() {
            for edge in self.nodes.get(name).map(|node| node.needs.as_slice()).unwrap_or_default() {
                if !routes.contains_key(&edge.name) {
                    routes.insert(&edge.name, Some((name, &edge.wants)));
                    queue.push_back(&edge.name);
                }
            }
        }
        routes
    }

    fn chain_to(&self, name: &PackageName, routes: &BTreeMap<&PackageName, Route<'_>>) -> DependencyChain {
        let mut links = Vec::new();
        let mut name = name;
        while let Some(Some((before, wants))) = routes.get(name) {
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

/// Who stands before, and what it asks; `None` for who stands first.
type Route<'a> = Option<(&'a PackageName, &'a Arc<str>)>;

//! Why there is no solution: pubgrub's derivation, flattened once into steps.
//!
//! pubgrub returns a graph whose nodes are shared; walked as a tree it can be exponential, and recursion
//! over it can overflow the stack. Here each node becomes one step, its causes before it.

use std::sync::Arc;

use pubgrub::{DerivationTree, Derived, External, Term};
use rustc_hash::FxHashMap;

use super::candidates::ExclusionReason;
use super::known::SolverIndex;
use super::nodes::{Node, Nodes};
use super::package::Package;
use super::set::OrdinalSet;

/// The proof that there is no solution: each step follows from earlier ones, the last is the result.
#[derive(Debug)]
pub struct Proof {
    /// The steps, causes before their results.
    pub steps: Vec<ProofStep>,
}

/// One step of a proof.
#[derive(Clone, Debug)]
pub enum ProofStep {
    /// A fact about the packages.
    Fact(Fact),
    /// What follows from two earlier steps.
    Derived {
        /// The first of them.
        first: usize,
        /// The second.
        second: usize,
        /// What cannot all hold terms, by package.
        terms: Vec<(Package, Term<OrdinalSet>)>,
    },
}

/// A fact about the packages.
#[derive(Clone, Debug)]
pub enum Fact {
    /// The question is asked.
    Root,
    /// None of these candidates can be had.
    NoVersions(Package, OrdinalSet),
    /// Each of these candidates needs one of those.
    Dependency(Package, OrdinalSet, Package, OrdinalSet),
    /// These candidates are of no use, for this reason.
    Excluded(Package, OrdinalSet, ExclusionReason),
}

type Tree = DerivationTree<Node, OrdinalSet, ExclusionReason>;

impl Proof {
    /// Flattens `tree`, without recursion: neither in the walk, nor when the tree is dropped. What pubgrub was told
    /// that the question needs is said by the line that asks for it.
    pub(super) fn new(tree: Tree, nodes: &Nodes, known: &SolverIndex) -> Self {
        let root = Arc::new(tree);
        let mut seen: FxHashMap<*const Tree, usize> = FxHashMap::default();
        let mut order: Vec<Arc<Tree>> = Vec::new();
        let mut steps = Vec::new();
        let mut stack = vec![(root, Visit::Causes)];
        while let Some((node, visit)) = stack.pop() {
            let at = Arc::as_ptr(&node);
            if seen.contains_key(&at) {
                continue;
            }
            match (&*node, visit) {
                (DerivationTree::Derived(derived), Visit::Causes) => {
                    let causes = [derived.cause1.clone(), derived.cause2.clone()];
                    stack.push((node, Visit::Itself));
                    stack.extend(causes.map(|cause| (cause, Visit::Causes)));
                }
                (node_ref, _) => {
                    steps.push(step(node_ref, &seen, nodes, known));
                    seen.insert(at, order.len());
                    order.push(node);
                }
            }
        }
        // From the result down: each node's causes are still held by `order` when the node goes.
        while order.pop().is_some() {}
        Self { steps }
    }

    /// The facts that it rests on.
    pub fn facts(&self) -> impl Iterator<Item = &Fact> {
        self.steps.iter().filter_map(|step| match step {
            ProofStep::Fact(fact) => Some(fact),
            ProofStep::Derived { .. } => None,
        })
    }
}

#[derive(Clone, Copy)]
enum Visit {
    Causes,
    Itself,
}

fn step(node: &Tree, seen: &FxHashMap<*const Tree, usize>, nodes: &Nodes, known: &SolverIndex) -> ProofStep {
    match node {
        DerivationTree::External(external) => ProofStep::Fact(fact(external, nodes, known)),
        DerivationTree::Derived(Derived { terms, cause1, cause2, .. }) => {
            let place = |cause: &Arc<Tree>| seen.get(&Arc::as_ptr(cause)).copied().unwrap_or_default();
            let mut terms: Vec<_> =
                terms.iter().map(|(node, term)| (nodes.package(*node).clone(), term.clone())).collect();
            terms.sort_by(|a, b| a.0.cmp(&b.0));
            ProofStep::Derived { first: place(cause1), second: place(cause2), terms }
        }
    }
}

fn fact(external: &External<Node, OrdinalSet, ExclusionReason>, nodes: &Nodes, known: &SolverIndex) -> Fact {
    let package = |node: &Node| nodes.package(*node).clone();
    match external {
        External::NotRoot(..) => Fact::Root,
        External::NoVersions(of, set) => Fact::NoVersions(package(of), set.clone()),
        External::FromDependencyOf(of, set, needed, permitted) => {
            let (of, needed) = (package(of), package(needed));
            let lone = needed.name().filter(|_| of == Package::Root).and_then(|name| known.lone_line(name));
            Fact::Dependency(lone.map_or(of, Package::Line), set.clone(), needed, permitted.clone())
        }
        External::Custom(of, set, reason) => Fact::Excluded(package(of), set.clone(), reason.clone()),
    }
}

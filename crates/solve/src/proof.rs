//! Why there is no solution: pubgrub's derivation, flattened once into steps.
//!
//! pubgrub returns a graph whose nodes are shared; walked as a tree it can be exponential, and recursion
//! over it can overflow the stack. Here each node becomes one step, its causes before it.

use std::sync::Arc;

use pubgrub::{DerivationTree, Derived, External, Term};
use rustc_hash::FxHashMap;

use super::candidates::Reason;
use super::known::Known;
use super::nodes::{Node, Nodes};
use super::package::Package;
use super::set::OrdinalSet;

/// The proof that there is no solution: each step follows from earlier ones, the last is the result.
#[derive(Debug)]
pub struct Proof {
    /// The steps, causes before their results.
    pub steps: Vec<Step>,
}

/// One step of a proof.
#[derive(Clone, Debug)]
pub enum Step {
    /// A fact about the packages.
    Fact(Fact),
    /// What follows from two earlier steps.
    Follows {
        /// The first of them.
        first: usize,
        /// The second.
        second: usize,
        /// What cannot all hold together, by package.
        together: Vec<(Package, Term<OrdinalSet>)>,
    },
}

/// A fact about the packages.
#[derive(Clone, Debug)]
pub enum Fact {
    /// The question is asked.
    Asked,
    /// None of these candidates can be had.
    None(Package, OrdinalSet),
    /// Each of these candidates needs one of those.
    Needs(Package, OrdinalSet, Package, OrdinalSet),
    /// These candidates are of no use, for this reason.
    Barred(Package, OrdinalSet, Reason),
}

type Tree = DerivationTree<Node, OrdinalSet, Reason>;

impl Proof {
    /// Flattens `tree`, without recursion: neither in the walk, nor when the tree is dropped. What pubgrub was told
    /// that the question needs is said by the line that asks for it.
    pub(super) fn new(tree: Tree, nodes: &Nodes, known: &Known) -> Self {
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
            Step::Fact(fact) => Some(fact),
            Step::Follows { .. } => None,
        })
    }
}

#[derive(Clone, Copy)]
enum Visit {
    Causes,
    Itself,
}

fn step(node: &Tree, seen: &FxHashMap<*const Tree, usize>, nodes: &Nodes, known: &Known) -> Step {
    match node {
        DerivationTree::External(external) => Step::Fact(fact(external, nodes, known)),
        DerivationTree::Derived(Derived { terms, cause1, cause2, .. }) => {
            let place = |cause: &Arc<Tree>| seen.get(&Arc::as_ptr(cause)).copied().unwrap_or_default();
            let mut together: Vec<_> =
                terms.iter().map(|(node, term)| (nodes.package(*node).clone(), term.clone())).collect();
            together.sort_by(|a, b| a.0.cmp(&b.0));
            Step::Follows { first: place(cause1), second: place(cause2), together }
        }
    }
}

fn fact(external: &External<Node, OrdinalSet, Reason>, nodes: &Nodes, known: &Known) -> Fact {
    let package = |node: &Node| nodes.package(*node).clone();
    match external {
        External::NotRoot(..) => Fact::Asked,
        External::NoVersions(of, set) => Fact::None(package(of), set.clone()),
        External::FromDependencyOf(of, set, needed, permitted) => {
            let (of, needed) = (package(of), package(needed));
            let lone = needed.name().filter(|_| of == Package::Root).and_then(|name| known.lone_line(name));
            Fact::Needs(lone.map_or(of, Package::Line), set.clone(), needed, permitted.clone())
        }
        External::Custom(of, set, reason) => Fact::Barred(package(of), set.clone(), reason.clone()),
    }
}

//! The proof that there is no solution: pubgrub's derivation of the failing incompatibility, as a flat list of steps.
//!
//! In PubGrub's terms a step is an incompatibility: a set of terms that cannot all hold. *External* ones are facts about
//! packages; *derived* ones follow from two earlier ones. The last step says that the root cannot be chosen.
//!
//! pubgrub returns a graph with shared nodes. Walked as a tree it can be exponential, and recursion over it can overflow
//! the stack. So each node becomes one step, after its causes.

use std::sync::Arc;

use pubgrub::{DerivationTree, Derived, External, Term};
use rustc_hash::FxHashMap;

use super::candidates::ExclusionReason;
use super::interner::{PackageId, PackageInterner};
use super::ordinal_set::OrdinalSet;
use super::package::Package;
use super::solver_index::SolverIndex;

/// The proof that there is no solution: each step follows from earlier ones; the last is the result.
#[derive(Debug)]
pub struct Proof {
    /// The steps, causes before their results.
    pub steps: Vec<ProofStep>,
}

/// One incompatibility of a proof.
#[derive(Clone, Debug)]
pub enum ProofStep {
    /// An external incompatibility: a fact about the packages.
    Fact(Fact),
    /// A derived incompatibility.
    Derived {
        /// The index of its first cause.
        first: usize,
        /// The index of its second cause.
        second: usize,
        /// The terms that cannot all hold, ordered by package.
        terms: Vec<(Package, Term<OrdinalSet>)>,
    },
}

/// An external incompatibility: a fact about the packages.
#[derive(Clone, Debug)]
pub enum Fact {
    /// The root is required.
    Root,
    /// None of these candidates exists.
    NoVersions(Package, OrdinalSet),
    /// Each of the first candidates depends on one of the second.
    Dependency(Package, OrdinalSet, Package, OrdinalSet),
    /// These candidates may not be chosen, for this reason.
    Excluded(Package, OrdinalSet, ExclusionReason),
}

type Derivation = DerivationTree<PackageId, OrdinalSet, ExclusionReason>;

impl Proof {
    /// Flattens pubgrub's derivation without recursion, neither in the walk nor in the drop.
    ///
    /// Where the root took over the dependencies of a line (see `Provider::of_root`), the proof names the line again.
    pub(super) fn new(derivation: Derivation, interner: &PackageInterner, index: &SolverIndex) -> Self {
        let root = Arc::new(derivation);
        let mut steps_of: FxHashMap<*const Derivation, usize> = FxHashMap::default();
        let mut order: Vec<Arc<Derivation>> = Vec::new();
        let mut steps = Vec::new();
        // Depth first, with a stack of our own: each derived node is visited before and after its causes.
        let mut stack = vec![(root, Visit::BeforeCauses)];
        while let Some((node, visit)) = stack.pop() {
            // A shared node has one address. Comparing the graphs themselves could take exponential time.
            let at = Arc::as_ptr(&node);
            if steps_of.contains_key(&at) {
                continue;
            }
            match (&*node, visit) {
                (DerivationTree::Derived(derived), Visit::BeforeCauses) => {
                    let causes = [derived.cause1.clone(), derived.cause2.clone()];
                    stack.push((node, Visit::AfterCauses));
                    stack.extend(causes.map(|cause| (cause, Visit::BeforeCauses)));
                }
                (node_ref, _) => {
                    steps.push(step(node_ref, &steps_of, interner, index));
                    steps_of.insert(at, order.len());
                    order.push(node);
                }
            }
        }
        // Drops from the result down: each node's causes are still held by `order`, so no drop recurses.
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
    BeforeCauses,
    AfterCauses,
}

fn step(
    node: &Derivation,
    steps_of: &FxHashMap<*const Derivation, usize>,
    interner: &PackageInterner,
    index: &SolverIndex,
) -> ProofStep {
    match node {
        DerivationTree::External(external) => ProofStep::Fact(fact(external, interner, index)),
        DerivationTree::Derived(Derived { terms, cause1, cause2, .. }) => {
            // Causes come before their results, so each has a step by now.
            let step_of =
                |cause: &Arc<Derivation>| steps_of.get(&Arc::as_ptr(cause)).copied().unwrap_or_default();
            let mut terms: Vec<_> = terms
                .iter()
                .map(|(package, term)| (interner.package(*package).clone(), term.clone()))
                .collect();
            terms.sort_by(|a, b| a.0.cmp(&b.0));
            ProofStep::Derived { first: step_of(cause1), second: step_of(cause2), terms }
        }
    }
}

fn fact(
    external: &External<PackageId, OrdinalSet, ExclusionReason>,
    interner: &PackageInterner,
    index: &SolverIndex,
) -> Fact {
    let package = |id: &PackageId| interner.package(*id).clone();
    match external {
        External::NotRoot(..) => Fact::Root,
        External::NoVersions(of, set) => Fact::NoVersions(package(of), set.clone()),
        External::FromDependencyOf(of, set, needed, permitted) => {
            let (of, needed) = (package(of), package(needed));
            let lone_line =
                needed.name().filter(|_| of == Package::Root).and_then(|name| index.lone_line(name));
            Fact::Dependency(lone_line.map_or(of, Package::Line), set.clone(), needed, permitted.clone())
        }
        External::Custom(of, set, reason) => Fact::Excluded(package(of), set.clone(), reason.clone()),
    }
}

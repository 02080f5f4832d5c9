//! The facts of a proof as a graph of packages, and the question whether they contradict each other.
//!
//! A proof derives its result in the order of a search, which nobody can follow. The graph asks again in the way people
//! reason, as a constraint satisfaction problem: each package is a variable, and its domain is the releases that remain.
//! Propagation removes releases until nothing changes (arc consistency, as AC-3 does); a required package whose domain is
//! wiped out is the contradiction. Where that is not enough, a bounded backtracking search tries the releases of the package
//! with the smallest domain. [`quickxplain`](super::quickxplain) then finds a minimal subset of the facts that still
//! contradicts itself.

use rustc_hash::FxHashMap;

use super::quickxplain::quickxplain;
use pinfast_packaging::PackageName;
use pinfast_solve::{Fact, Ordinal, OrdinalSet, Package, Proof, SolverIndex};

/// The search does not branch on a package with more releases left than this.
const MAX_DOMAIN: usize = 64;

/// How often the search may branch before it gives up.
const MAX_BRANCHINGS: usize = 2_000;

/// The facts of a proof as a graph: packages are nodes, what one needs of another is an edge.
#[derive(Default)]
pub struct ConflictGraph {
    /// Each package, and how many releases it has.
    pub nodes: Vec<(Package, Ordinal)>,
    /// What packages need of each other; at most one edge for two nodes.
    pub edges: Vec<ConflictEdge>,
    /// The facts that can be switched on and off one by one.
    pub facts: Vec<GraphFact>,
    /// Releases of a node that cannot be chosen, and the number of the fact for it.
    excluded: Vec<(usize, OrdinalSet, usize)>,
    /// The node of each extra, with the node of its distribution.
    extras: Vec<(usize, usize)>,
}

/// What the releases of one package need of another.
pub struct ConflictEdge {
    /// The node that needs.
    pub from: usize,
    /// The node that is needed.
    pub to: usize,
    /// The number of its fact in [`ConflictGraph::facts`].
    pub fact: usize,
    /// Which releases need which.
    needs: Vec<(OrdinalSet, OrdinalSet)>,
}

/// A part of the graph that the contradiction may or may not need.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum GraphFact {
    /// What a package needs of a distribution and its extras.
    Dependency(Package, PackageName),
    /// That some releases of a package cannot be chosen.
    Excluded(Package),
}

/// The domain of each package during propagation.
#[derive(Clone)]
pub struct Domains {
    /// For each node, by the release's ordinal: whether the release remains.
    pub remaining: Vec<Vec<bool>>,
    /// Which nodes must have a release.
    required: Vec<bool>,
    /// Which nodes changed since the last pass.
    changed: Vec<bool>,
}

impl Domains {
    fn retain(&mut self, node: usize, keeps: impl Fn(usize) -> bool) {
        for n in 0..self.remaining[node].len() {
            if self.remaining[node][n] && !keeps(n) {
                (self.remaining[node][n], self.changed[node]) = (false, true);
            }
        }
    }

    fn require(&mut self, node: usize) {
        self.changed[node] |= !std::mem::replace(&mut self.required[node], true);
    }

    fn is_wiped_out(&self, node: usize) -> bool {
        self.required[node] && !self.remaining[node].contains(&true)
    }
}

/// In which direction dependencies propagate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Propagation {
    /// From a required package to what all its releases need.
    Forward,
    /// Backward as well: a release whose dependency no release can meet goes, too.
    Full,
}

impl ConflictGraph {
    /// The graph of the facts of `proof`, whose packages are in `index`.
    #[must_use]
    pub fn new(proof: &Proof, index: &SolverIndex) -> Self {
        let mut builder = GraphBuilder {
            index,
            graph: Self::default(),
            nodes: FxHashMap::default(),
            edges: FxHashMap::default(),
            facts: FxHashMap::default(),
        };
        proof.facts().for_each(|fact| builder.add(fact));
        builder.graph
    }

    /// A minimal subset of the facts that still contradicts itself; for each fact, whether it is in.
    ///
    /// Where there is a choice, it keeps what the user's lines ask for and leaves out that releases are excluded.
    #[must_use]
    pub fn minimal_core(&self) -> Vec<bool> {
        let mut order: Vec<usize> = (0..self.facts.len()).collect();
        order.sort_by_key(|&fact| match &self.facts[fact] {
            GraphFact::Dependency(Package::Line(_), _) => 0,
            GraphFact::Dependency(..) => 1,
            GraphFact::Excluded(_) => 2,
        });
        let mask = |facts: &[usize]| {
            let mut on = vec![false; self.facts.len()];
            facts.iter().for_each(|&fact| on[fact] = true);
            on
        };
        let mut branchings = MAX_BRANCHINGS;
        mask(&quickxplain(&order, &mut |facts| self.contradicts(&mask(facts), &mut branchings)))
    }

    /// Propagates the facts that are `on`: the domains then, and the node whose domain is wiped out, if any is.
    #[must_use]
    pub fn propagate(&self, on: &[bool], propagation: Propagation) -> (Domains, Option<usize>) {
        let mut domains = self.initial_domains(on);
        let wiped_out = self.propagate_to_fixpoint(&mut domains, on, propagation);
        (domains, wiped_out)
    }

    /// The facts that are `on`.
    pub fn facts_on<'g>(&'g self, on: &'g [bool]) -> impl Iterator<Item = &'g GraphFact> {
        self.facts.iter().zip(on).filter(|(_, on)| **on).map(|(fact, _)| fact)
    }

    /// Whether the facts that are `on` contradict each other, by a search that branches at most `branchings` times.
    ///
    /// A search that gives up answers no: a core that is too large is still true, one that is too small is not.
    fn contradicts(&self, on: &[bool], branchings: &mut usize) -> bool {
        let mut open = vec![self.initial_domains(on)];
        while let Some(mut domains) = open.pop() {
            if self.propagate_to_fixpoint(&mut domains, on, Propagation::Full).is_some() {
                continue;
            }
            let Some(node) = self.smallest_domain(&domains).filter(|_| *branchings > open.len()) else {
                return false;
            };
            *branchings -= 1;
            open.extend((0..domains.remaining[node].len()).filter(|&n| domains.remaining[node][n]).map(
                |n| {
                    let mut single = domains.clone();
                    single.remaining[node].fill(false);
                    single.remaining[node][n] = true;
                    single
                },
            ));
        }
        true
    }

    /// All releases that no fact excludes; the user's lines are required.
    fn initial_domains(&self, on: &[bool]) -> Domains {
        let mut domains = Domains {
            remaining: self.nodes.iter().map(|(_, count)| vec![true; *count as usize]).collect(),
            required: self.nodes.iter().map(|(package, _)| matches!(package, Package::Line(_))).collect(),
            changed: vec![true; self.nodes.len()],
        };
        for (node, set, _) in self.excluded.iter().filter(|excluded| on[excluded.2]) {
            for ordinal in set.ordinals(self.nodes[*node].1) {
                domains.remaining[*node][ordinal as usize] = false;
            }
        }
        domains
    }

    /// Propagates until nothing changes or a required package has no release left: that one.
    fn propagate_to_fixpoint(
        &self,
        domains: &mut Domains,
        on: &[bool],
        propagation: Propagation,
    ) -> Option<usize> {
        loop {
            let before = std::mem::replace(&mut domains.changed, vec![false; self.nodes.len()]);
            self.extras.iter().for_each(|&(extra, dist)| unify(domains, extra, dist));
            for edge in self.edges.iter().filter(|edge| on[edge.fact]) {
                // Only an edge with a changed end can remove more.
                if [edge.from, edge.to].into_iter().any(|node| before[node] || domains.changed[node]) {
                    if propagation == Propagation::Full {
                        self.propagate_backward(domains, edge);
                    }
                    self.propagate_forward(domains, edge);
                }
            }
            let wiped_out = (0..self.nodes.len()).find(|&node| domains.is_wiped_out(node));
            if wiped_out.is_some() || !domains.changed.contains(&true) {
                return wiped_out;
            }
        }
    }

    /// Removes the releases whose dependency no remaining release meets.
    fn propagate_backward(&self, domains: &mut Domains, edge: &ConflictEdge) {
        for (releases, permitted) in &edge.needs {
            let to = &domains.remaining[edge.to];
            if !permitted.runs(self.nodes[edge.to].1).flatten().any(|ordinal| to[ordinal as usize]) {
                for ordinal in releases.runs(self.nodes[edge.from].1).flatten() {
                    domains.changed[edge.from] |=
                        std::mem::replace(&mut domains.remaining[edge.from][ordinal as usize], false);
                }
            }
        }
    }

    /// Where every remaining release of a required package needs another, that one is required, too, and keeps only the
    /// releases that one of them permits.
    fn propagate_forward(&self, domains: &mut Domains, edge: &ConflictEdge) {
        let (needing, permitted) = self.needing_and_permitted(domains, edge);
        if domains.required[edge.from] && needing == domains.remaining[edge.from] {
            domains.require(edge.to);
            domains.retain(edge.to, |n| permitted[n]);
        }
    }

    /// Which remaining releases have the dependency of `edge`, and which releases any of them permits, both by ordinal.
    #[must_use]
    pub fn needing_and_permitted(&self, domains: &Domains, edge: &ConflictEdge) -> (Vec<bool>, Vec<bool>) {
        let remaining = &domains.remaining[edge.from];
        let mut needing = vec![false; remaining.len()];
        let mut any = vec![false; domains.remaining[edge.to].len()];
        for (releases, permitted) in &edge.needs {
            let mut matters = false;
            for ordinal in releases.runs(self.nodes[edge.from].1).flatten() {
                needing[ordinal as usize] = remaining[ordinal as usize];
                matters |= remaining[ordinal as usize];
            }
            for run in permitted.runs(self.nodes[edge.to].1).filter(|_| matters) {
                any[run.start as usize..run.end as usize].fill(true);
            }
        }
        (needing, any)
    }

    /// The required package with the fewest releases left, from two up to [`MAX_DOMAIN`]: it needs the fewest branches.
    fn smallest_domain(&self, domains: &Domains) -> Option<usize> {
        let size = |n: &usize| domains.remaining[*n].iter().filter(|remains| **remains).count();
        let choices =
            (0..self.nodes.len()).filter(|n| domains.required[*n] && (2..=MAX_DOMAIN).contains(&size(n)));
        choices.min_by_key(size)
    }
}

/// An extra has the releases of its distribution; a required extra requires its distribution in the same releases.
fn unify(domains: &mut Domains, extra: usize, dist: usize) {
    let remaining = domains.remaining[dist].clone();
    domains.retain(extra, |n| remaining[n]);
    if domains.required[extra] {
        let remaining = domains.remaining[extra].clone();
        domains.require(dist);
        domains.retain(dist, |n| remaining[n]);
    }
}

struct GraphBuilder<'a> {
    index: &'a SolverIndex,
    graph: ConflictGraph,
    nodes: FxHashMap<Package, usize>,
    edges: FxHashMap<(usize, usize), usize>,
    facts: FxHashMap<GraphFact, usize>,
}

impl GraphBuilder<'_> {
    fn node(&mut self, package: &Package) -> usize {
        if let Some(node) = self.nodes.get(package) {
            return *node;
        }
        let node = self.graph.nodes.len();
        let count = |name| self.index.loaded_candidates(name).map_or(0, |candidates| candidates.count());
        self.graph.nodes.push((package.clone(), package.name().map_or(1, count)));
        self.nodes.insert(package.clone(), node);
        if let Package::Extra(name, _) = package {
            let dist = self.node(&Package::Dist(name.clone()));
            self.graph.extras.push((node, dist));
        }
        node
    }

    fn fact(&mut self, fact: GraphFact) -> usize {
        let facts = &mut self.graph.facts;
        *self.facts.entry(fact.clone()).or_insert_with(|| {
            facts.push(fact);
            facts.len() - 1
        })
    }

    fn add(&mut self, fact: &Fact) {
        match fact {
            Fact::Root | Fact::Dependency(Package::Root, ..) => {}
            Fact::NoVersions(package, set) | Fact::Excluded(package, set, _) => {
                let (node, fact) = (self.node(package), self.fact(GraphFact::Excluded(package.clone())));
                self.graph.excluded.push((node, set.clone(), fact));
            }
            // `unify` holds for each extra and its distribution, without a fact.
            Fact::Dependency(Package::Extra(extra, _), _, Package::Dist(dist), _) if extra == dist => {}
            Fact::Dependency(package, releases, needed, permitted) => {
                let (from, to) = (self.node(package), self.node(needed));
                let Some(name) = needed.name() else { return };
                let new = self.graph.edges.len();
                let edge = *self.edges.entry((from, to)).or_insert(new);
                if edge == new {
                    let fact = self.fact(GraphFact::Dependency(package.clone(), name.clone()));
                    self.graph.edges.push(ConflictEdge { from, to, fact, needs: Vec::new() });
                }
                self.graph.edges[edge].needs.push((releases.clone(), permitted.clone()));
            }
        }
    }
}

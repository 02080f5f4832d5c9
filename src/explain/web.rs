//! The facts of a proof as a web of packages, and the question whether they contradict each other.
//!
//! A proof derives its result step by step in the order of a search, which nobody can follow. The web asks
//! again, in the way in which people reason: what a package's remaining releases all need narrows what
//! they need; a release whose needs cannot be met is out; a package in play without a release left is the
//! contradiction. Where that is not enough, one package's releases are gone through in turn.

use rustc_hash::FxHashMap;

use crate::solve::{Fact, Known, Ordinal, OrdinalSet, Package, Proof};
use crate::spec::PackageName;

/// A distance greater than any.
const FAR: usize = usize::MAX;

/// The facts of a proof.
pub(super) struct Web {
    pub(super) nodes: Vec<Node>,
    pub(super) edges: Vec<Edge>,
    /// Releases that cannot be chosen, by node.
    outs: Vec<(usize, OrdinalSet)>,
    /// What can be left out of the web, one by one.
    pub(super) items: Vec<Item>,
    /// Nodes that stand for the same distribution.
    same: Vec<(usize, usize)>,
}

/// A package and how many releases it has.
pub(super) struct Node {
    pub(super) package: Package,
    pub(super) count: Ordinal,
}

/// What releases of one package need of another.
pub(super) struct Edge {
    pub(super) from: usize,
    pub(super) to: usize,
    /// Which releases need which.
    pub(super) needs: Vec<(OrdinalSet, OrdinalSet)>,
    item: usize,
}

/// A part of the web that may or may not matter.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Item {
    /// What a package needs of a distribution and its extras.
    Needs(Package, PackageName),
    /// The releases of a package that cannot be chosen.
    Out(Package),
}

/// What is left of each package.
#[derive(Clone)]
pub(super) struct State {
    /// By node: whether the release with this number is left.
    pub(super) left: Vec<Vec<bool>>,
    /// By node: whether it is in play.
    pub(super) in_play: Vec<bool>,
}

/// How far one reasons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Depth {
    /// Only from what is in play to what it needs.
    Forward,
    /// A release is out, too, when what it needs is not to be had.
    Full,
}

impl Web {
    /// The web of the facts of `proof`.
    pub(super) fn new(proof: &Proof, known: &Known) -> Self {
        let mut builder = Builder::new(known);
        for fact in proof.facts() {
            builder.add(fact);
        }
        builder.finish()
    }

    /// Whether the items that are `on` contradict each other: the node without a release left.
    pub(super) fn contradiction(&self, on: &[bool], depth: Depth) -> (State, Option<usize>) {
        let mut state = self.start(on);
        let empty = self.narrow(&mut state, on, depth);
        (state, empty)
    }

    /// As [`Web::contradiction`], going through the releases of single packages where that is needed;
    /// at most `fuel` times.
    pub(super) fn contradicts(&self, on: &[bool], fuel: &mut usize) -> bool {
        let mut open = vec![self.start(on)];
        while let Some(mut state) = open.pop() {
            if self.narrow(&mut state, on, Depth::Full).is_some() {
                continue;
            }
            let Some(choice) = self.smallest_choice(&state).filter(|_| *fuel > open.len()) else {
                return false;
            };
            *fuel -= 1;
            open.extend(single_releases(&state, choice));
        }
        true
    }

    fn start(&self, on: &[bool]) -> State {
        let left = self.nodes.iter().map(|node| vec![true; node.count as usize]).collect();
        let in_play = self.nodes.iter().map(is_line).collect();
        let mut state = State { left, in_play };
        for (item, (node, set)) in self.outs.iter().enumerate() {
            if on[item] {
                for run in set.runs(self.nodes[*node].count) {
                    state.left[*node][run.start as usize..run.end as usize].fill(false);
                }
            }
        }
        state
    }

    /// Narrows what is left until nothing changes or a package in play has nothing left.
    fn narrow(&self, state: &mut State, on: &[bool], depth: Depth) -> Option<usize> {
        loop {
            let mut changed = false;
            for edge in self.edges.iter().filter(|edge| on[edge.item]) {
                if depth == Depth::Full {
                    changed |= self.rule_out(state, edge);
                }
                changed |= self.follow(state, edge);
            }
            changed |= self.agree(state);
            let empty = (0..self.nodes.len()).find(|&n| state.in_play[n] && !state.left[n].contains(&true));
            if empty.is_some() || !changed {
                return empty;
            }
        }
    }

    /// Takes out the releases whose need cannot be met.
    fn rule_out(&self, state: &mut State, edge: &Edge) -> bool {
        let mut changed = false;
        for (releases, permitted) in &edge.needs {
            let to = &state.left[edge.to];
            if permitted.runs(self.nodes[edge.to].count).flatten().any(|ordinal| to[ordinal as usize]) {
                continue;
            }
            for ordinal in releases.runs(self.nodes[edge.from].count).flatten() {
                changed |= std::mem::replace(&mut state.left[edge.from][ordinal as usize], false);
            }
        }
        changed
    }

    /// Where every release left of a package in play needs another, that one is in play, and only what one
    /// of them permits is left of it.
    fn follow(&self, state: &mut State, edge: &Edge) -> bool {
        if !state.in_play[edge.from] {
            return false;
        }
        let (needing, permitted) = self.needing(state, edge);
        if state.left[edge.from].iter().zip(&needing).any(|(left, needs)| *left && !needs) {
            return false;
        }
        let mut changed = !std::mem::replace(&mut state.in_play[edge.to], true);
        for (left, permitted) in state.left[edge.to].iter_mut().zip(permitted) {
            changed |= *left && !permitted;
            *left &= permitted;
        }
        changed
    }

    /// Which releases left have the need of `edge`, and what any of them permits.
    pub(super) fn needing(&self, state: &State, edge: &Edge) -> (Vec<bool>, Vec<bool>) {
        let mut needing = vec![false; self.nodes[edge.from].count as usize];
        let mut any = vec![false; self.nodes[edge.to].count as usize];
        for (releases, permitted) in &edge.needs {
            let mut matters = false;
            for ordinal in releases.runs(self.nodes[edge.from].count).flatten() {
                needing[ordinal as usize] = state.left[edge.from][ordinal as usize];
                matters |= needing[ordinal as usize];
            }
            if matters {
                for run in permitted.runs(self.nodes[edge.to].count) {
                    any[run.start as usize..run.end as usize].fill(true);
                }
            }
        }
        (needing, any)
    }

    /// An extra has the releases of its distribution, and the other way round where the extra is in play.
    fn agree(&self, state: &mut State) -> bool {
        let mut changed = false;
        for &(dist, extra) in &self.same {
            for n in 0..state.left[dist].len() {
                let (of_dist, of_extra) = (state.left[dist][n], state.left[extra][n]);
                let gone = if of_dist { state.in_play[extra] && !of_extra } else { of_extra };
                if gone {
                    (state.left[dist][n], state.left[extra][n]) = (false, false);
                    changed = true;
                }
            }
            changed |= state.in_play[extra] && !std::mem::replace(&mut state.in_play[dist], true);
        }
        changed
    }

    /// How far each item is from the lines, in steps; releases that cannot be chosen are the farthest.
    pub(super) fn depths(&self) -> Vec<usize> {
        let mut depths: Vec<usize> =
            self.nodes.iter().map(|node| usize::from(!is_line(node)) * FAR).collect();
        loop {
            let mut changed = false;
            for edge in &self.edges {
                let next = depths[edge.from].saturating_add(1);
                changed |= next < depths[edge.to];
                depths[edge.to] = depths[edge.to].min(next);
            }
            if !changed {
                break;
            }
        }
        let mut of_items = vec![FAR; self.items.len()];
        self.edges.iter().for_each(|edge| of_items[edge.item] = of_items[edge.item].min(depths[edge.from]));
        of_items
    }

    /// The package in play with the fewest releases left, two at least.
    fn smallest_choice(&self, state: &State) -> Option<usize> {
        let left = |n: usize| state.left[n].iter().filter(|left| **left).count();
        (0..self.nodes.len()).filter(|&n| state.in_play[n] && left(n) > 1).min_by_key(|&n| left(n))
    }
}

fn is_line(node: &Node) -> bool {
    matches!(node.package, Package::Line(_))
}

/// `state` once for each release left of `node`, with that one alone.
fn single_releases(state: &State, node: usize) -> Vec<State> {
    let places = (0..state.left[node].len()).filter(|&n| state.left[node][n]);
    places
        .map(|place| {
            let mut single = state.clone();
            single.left[node].fill(false);
            single.left[node][place] = true;
            single
        })
        .collect()
}

struct Builder<'a> {
    known: &'a Known,
    nodes: Vec<Node>,
    places: FxHashMap<Package, usize>,
    edges: FxHashMap<(usize, usize), Vec<(OrdinalSet, OrdinalSet)>>,
    outs: FxHashMap<usize, OrdinalSet>,
}

impl<'a> Builder<'a> {
    fn new(known: &'a Known) -> Self {
        Self {
            known,
            nodes: Vec::new(),
            places: FxHashMap::default(),
            edges: FxHashMap::default(),
            outs: FxHashMap::default(),
        }
    }

    fn node(&mut self, package: &Package) -> usize {
        if let Some(&place) = self.places.get(package) {
            return place;
        }
        let known = package.name().map(|name| self.known.known_candidates(name));
        let count = known.map_or(1, |candidates| candidates.map_or(0, |candidates| candidates.count()));
        self.nodes.push(Node { package: package.clone(), count });
        self.places.insert(package.clone(), self.nodes.len() - 1);
        self.nodes.len() - 1
    }

    fn add(&mut self, fact: &Fact) {
        match fact {
            Fact::Asked | Fact::Needs(Package::Root, ..) => {}
            Fact::None(package, set) | Fact::Barred(package, set, _) => {
                let node = self.node(package);
                if set.len(self.nodes[node].count) > 0 {
                    use pubgrub::VersionSet as _;
                    let all = self.outs.entry(node).or_insert_with(OrdinalSet::empty);
                    *all = all.union(set);
                }
            }
            // That an extra has its distribution's releases is known without being told.
            Fact::Needs(Package::Extra(extra, _), _, Package::Dist(dist), _) if extra == dist => {}
            Fact::Needs(package, releases, needed, permitted) => {
                let (from, to) = (self.node(package), self.node(needed));
                self.edges.entry((from, to)).or_default().push((releases.clone(), permitted.clone()));
            }
        }
    }

    fn finish(mut self) -> Web {
        let extras: Vec<Package> = self
            .nodes
            .iter()
            .map(|node| node.package.clone())
            .filter(|p| matches!(p, Package::Extra(..)))
            .collect();
        let mut same = Vec::new();
        for extra in extras {
            if let Some(name) = extra.name() {
                same.push((self.node(&Package::Dist(name.clone())), self.node(&extra)));
            }
        }
        let mut items: Vec<Item> = Vec::new();
        let mut outs: Vec<(usize, OrdinalSet)> = self.outs.into_iter().collect();
        outs.sort_by_key(|out| out.0);
        items.extend(outs.iter().map(|(node, _)| Item::Out(self.nodes[*node].package.clone())));
        let mut found: Vec<_> = self.edges.into_iter().collect();
        found.sort_by_key(|(ends, _)| *ends);
        let mut edges = Vec::new();
        for ((from, to), needs) in found {
            let Some(name) = self.nodes[to].package.name() else { continue };
            let item = Item::Needs(self.nodes[from].package.clone(), name.clone());
            let place = items.iter().position(|known| *known == item).unwrap_or_else(|| {
                items.push(item);
                items.len() - 1
            });
            edges.push(Edge { from, to, needs, item: place });
        }
        Web { nodes: self.nodes, edges, outs, items, same }
    }
}

impl Edge {
    /// Its place among the items of the web.
    pub(super) fn item(&self) -> usize {
        self.item
    }
}

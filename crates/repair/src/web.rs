//! The facts of a proof as a web of packages, and the question whether they contradict each other.
//!
//! A proof derives its result in the order of a search, which nobody can follow. The web asks again, in the
//! way in which people reason: what a package's remaining releases all need narrows what they need; a release
//! whose needs cannot be met is out; a package in play without a release left is the contradiction. Where
//! that is not enough, the releases of one package are gone through in turn.

use rustc_hash::FxHashMap;

use super::minimal::minimal;
use pinfast_packaging::PackageName;
use pinfast_solve::{Fact, Ordinal, OrdinalSet, Package, Proof, SolverIndex};

/// A package with more releases left than this is not gone through.
const MOST_CHOICES: usize = 64;

/// How often the releases of single packages are gone through before that is given up.
const FUEL: usize = 2_000;

/// The facts of a proof.
#[derive(Default)]
pub struct Web {
    /// Each package, and how many releases it has.
    pub nodes: Vec<(Package, Ordinal)>,
    pub edges: Vec<Edge>,
    /// What can be left out of the web, one by one.
    pub items: Vec<Item>,
    /// Releases of a node that cannot be chosen, and the item that says so.
    outs: Vec<(usize, OrdinalSet, usize)>,
    /// Each extra with its distribution.
    extras: Vec<(usize, usize)>,
}

/// What releases of one package need of another.
pub struct Edge {
    pub from: usize,
    pub to: usize,
    pub item: usize,
    /// Which releases need which.
    needs: Vec<(OrdinalSet, OrdinalSet)>,
}

/// A part of the web that may or may not matter.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Item {
    /// What a package needs of a distribution and its extras.
    Needs(Package, PackageName),
    /// The releases of a package that cannot be chosen.
    Out(Package),
}

/// What is left of each package, by node and ordinal; which nodes are in play; and which have just changed.
#[derive(Clone)]
pub struct State {
    pub left: Vec<Vec<bool>>,
    in_play: Vec<bool>,
    stale: Vec<bool>,
}

impl State {
    fn keep(&mut self, node: usize, keeps: impl Fn(usize) -> bool) {
        for n in 0..self.left[node].len() {
            if self.left[node][n] && !keeps(n) {
                (self.left[node][n], self.stale[node]) = (false, true);
            }
        }
    }

    fn put_in_play(&mut self, node: usize) {
        self.stale[node] |= !std::mem::replace(&mut self.in_play[node], true);
    }

    fn is_empty(&self, node: usize) -> bool {
        self.in_play[node] && !self.left[node].contains(&true)
    }
}

/// How far one reasons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// Only from what is in play to what it needs.
    Forward,
    /// A release is out, too, when what it needs is not to be had.
    Full,
}

impl Web {
    /// The web of the facts of `proof`.
    pub fn new(proof: &Proof, known: &SolverIndex) -> Self {
        let mut builder = Builder {
            known,
            web: Self::default(),
            nodes: FxHashMap::default(),
            edges: FxHashMap::default(),
            items: FxHashMap::default(),
        };
        proof.facts().for_each(|fact| builder.add(fact));
        builder.web
    }

    /// A smallest part of it that still contradicts itself, as the items that are on; what the lines say is kept where
    /// there is a choice, and that releases cannot be chosen is left out.
    pub fn needed(&self) -> Vec<bool> {
        let mut order: Vec<usize> = (0..self.items.len()).collect();
        order.sort_by_key(|&item| match &self.items[item] {
            Item::Needs(Package::Line(_), _) => 0,
            Item::Needs(..) => 1,
            Item::Out(_) => 2,
        });
        let switched = |items: &[usize]| {
            let mut on = vec![false; self.items.len()];
            items.iter().for_each(|&item| on[item] = true);
            on
        };
        let mut fuel = FUEL;
        switched(&minimal(&order, &mut |items| self.contradicts(&switched(items), &mut fuel)))
    }

    /// What is left by the items that are `on`, and the node in play of which nothing is.
    pub fn contradiction(&self, on: &[bool], depth: Depth) -> (State, Option<usize>) {
        let mut state = self.start(on);
        let empty = self.narrow(&mut state, on, depth);
        (state, empty)
    }

    /// The items that are `on`.
    pub fn on<'w>(&'w self, on: &'w [bool]) -> impl Iterator<Item = &'w Item> {
        self.items.iter().zip(on).filter(|(_, on)| **on).map(|(item, _)| item)
    }

    /// Whether the items that are `on` contradict each other, going through the releases of single packages
    /// at most `fuel` times.
    fn contradicts(&self, on: &[bool], fuel: &mut usize) -> bool {
        let mut open = vec![self.start(on)];
        while let Some(mut state) = open.pop() {
            if self.narrow(&mut state, on, Depth::Full).is_some() {
                continue;
            }
            let Some(choice) = self.smallest_choice(&state).filter(|_| *fuel > open.len()) else {
                return false;
            };
            *fuel -= 1;
            open.extend((0..state.left[choice].len()).filter(|&n| state.left[choice][n]).map(|n| {
                let mut single = state.clone();
                single.left[choice].fill(false);
                single.left[choice][n] = true;
                single
            }));
        }
        true
    }

    fn start(&self, on: &[bool]) -> State {
        let mut state = State {
            left: self.nodes.iter().map(|(_, count)| vec![true; *count as usize]).collect(),
            in_play: self.nodes.iter().map(|(package, _)| matches!(package, Package::Line(_))).collect(),
            stale: vec![true; self.nodes.len()],
        };
        for (node, set, _) in self.outs.iter().filter(|out| on[out.2]) {
            for ordinal in set.ordinals(self.nodes[*node].1) {
                state.left[*node][ordinal as usize] = false;
            }
        }
        state
    }

    /// Narrows what is left until nothing changes or a package in play has nothing left: that one.
    fn narrow(&self, state: &mut State, on: &[bool], depth: Depth) -> Option<usize> {
        loop {
            let before = std::mem::replace(&mut state.stale, vec![false; self.nodes.len()]);
            self.extras.iter().for_each(|&(extra, dist)| agree(state, extra, dist));
            for edge in self.edges.iter().filter(|edge| on[edge.item]) {
                if [edge.from, edge.to].into_iter().any(|node| before[node] || state.stale[node]) {
                    if depth == Depth::Full {
                        self.rule_out(state, edge);
                    }
                    self.follow(state, edge);
                }
            }
            let empty = (0..self.nodes.len()).find(|&node| state.is_empty(node));
            if empty.is_some() || !state.stale.contains(&true) {
                return empty;
            }
        }
    }

    /// Takes out the releases whose need cannot be met.
    fn rule_out(&self, state: &mut State, edge: &Edge) {
        for (releases, permitted) in &edge.needs {
            let to = &state.left[edge.to];
            if !permitted.runs(self.nodes[edge.to].1).flatten().any(|ordinal| to[ordinal as usize]) {
                for ordinal in releases.runs(self.nodes[edge.from].1).flatten() {
                    state.stale[edge.from] |=
                        std::mem::replace(&mut state.left[edge.from][ordinal as usize], false);
                }
            }
        }
    }

    /// Where every release left of a package in play needs another, that one is in play, and only what one
    /// of them permits is left of it.
    fn follow(&self, state: &mut State, edge: &Edge) {
        let (needing, permitted) = self.needing(state, edge);
        if state.in_play[edge.from] && needing == state.left[edge.from] {
            state.put_in_play(edge.to);
            state.keep(edge.to, |n| permitted[n]);
        }
    }

    /// Which releases left have the need of `edge`, and what any of them permits.
    pub fn needing(&self, state: &State, edge: &Edge) -> (Vec<bool>, Vec<bool>) {
        let left = &state.left[edge.from];
        let mut needing = vec![false; left.len()];
        let mut any = vec![false; state.left[edge.to].len()];
        for (releases, permitted) in &edge.needs {
            let mut matters = false;
            for ordinal in releases.runs(self.nodes[edge.from].1).flatten() {
                needing[ordinal as usize] = left[ordinal as usize];
                matters |= left[ordinal as usize];
            }
            for run in permitted.runs(self.nodes[edge.to].1).filter(|_| matters) {
                any[run.start as usize..run.end as usize].fill(true);
            }
        }
        (needing, any)
    }

    /// The package in play with the fewest releases left, from two up to a few dozen.
    fn smallest_choice(&self, state: &State) -> Option<usize> {
        let left = |n: &usize| state.left[*n].iter().filter(|left| **left).count();
        let choices =
            (0..self.nodes.len()).filter(|n| state.in_play[*n] && (2..=MOST_CHOICES).contains(&left(n)));
        choices.min_by_key(left)
    }
}

/// An extra has the releases of its distribution, and the other way round where the extra is in play.
fn agree(state: &mut State, extra: usize, dist: usize) {
    let left = state.left[dist].clone();
    state.keep(extra, |n| left[n]);
    if state.in_play[extra] {
        let left = state.left[extra].clone();
        state.put_in_play(dist);
        state.keep(dist, |n| left[n]);
    }
}

struct Builder<'a> {
    known: &'a SolverIndex,
    web: Web,
    nodes: FxHashMap<Package, usize>,
    edges: FxHashMap<(usize, usize), usize>,
    items: FxHashMap<Item, usize>,
}

impl Builder<'_> {
    fn node(&mut self, package: &Package) -> usize {
        if let Some(node) = self.nodes.get(package) {
            return *node;
        }
        let node = self.web.nodes.len();
        let count = |name| self.known.loaded_candidates(name).map_or(0, |candidates| candidates.count());
        self.web.nodes.push((package.clone(), package.name().map_or(1, count)));
        self.nodes.insert(package.clone(), node);
        if let Package::Extra(name, _) = package {
            let dist = self.node(&Package::Dist(name.clone()));
            self.web.extras.push((node, dist));
        }
        node
    }

    fn item(&mut self, item: Item) -> usize {
        let items = &mut self.web.items;
        *self.items.entry(item.clone()).or_insert_with(|| {
            items.push(item);
            items.len() - 1
        })
    }

    fn add(&mut self, fact: &Fact) {
        match fact {
            Fact::Root | Fact::Dependency(Package::Root, ..) => {}
            Fact::NoVersions(package, set) | Fact::Excluded(package, set, _) => {
                let (node, item) = (self.node(package), self.item(Item::Out(package.clone())));
                self.web.outs.push((node, set.clone(), item));
            }
            // That an extra has its distribution's releases is known without being told.
            Fact::Dependency(Package::Extra(extra, _), _, Package::Dist(dist), _) if extra == dist => {}
            Fact::Dependency(package, releases, needed, permitted) => {
                let (from, to) = (self.node(package), self.node(needed));
                let Some(name) = needed.name() else { return };
                let new = self.web.edges.len();
                let place = *self.edges.entry((from, to)).or_insert(new);
                if place == new {
                    let item = self.item(Item::Needs(package.clone(), name.clone()));
                    self.web.edges.push(Edge { from, to, item, needs: Vec::new() });
                }
                self.web.edges[place].needs.push((releases.clone(), permitted.clone()));
            }
        }
    }
}

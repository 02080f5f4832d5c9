//! Numbers for packages: what pubgrub calls a package, and where a search keeps what it remembers of it.
//!
//! A search asks for the same thousand packages in each of its runs, many times each: a number is compared, hashed and
//! looked up for less than a name.

use std::fmt;
use std::marker::PhantomData;

use rustc_hash::FxHashMap;

use super::package::Package;
use pinfast_packaging::PackageName;

/// The number of a package in one search.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Node(u32);

/// The number of a distribution in one search.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Dist(u32);

/// What a package stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// The question or a line of it.
    Question,
    /// A distribution.
    Whole(Dist),
    /// An extra of a distribution.
    Extra(Dist),
}

impl Part {
    /// The distribution that is chosen with it.
    pub(super) fn dist(self) -> Option<Dist> {
        match self {
            Self::Question => None,
            Self::Whole(dist) | Self::Extra(dist) => Some(dist),
        }
    }
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "package {}", self.0)
    }
}

/// The packages and distributions that a search has met, numbered in that order.
#[derive(Debug, Default)]
pub(super) struct Nodes {
    packages: Vec<(Package, Part)>,
    nodes: FxHashMap<Package, Node>,
    names: Vec<PackageName>,
    dists: FxHashMap<PackageName, Dist>,
}

impl Nodes {
    /// The number of a package.
    ///
    /// # Panics
    /// When there are 2^32 packages.
    pub(super) fn node(&mut self, package: &Package) -> Node {
        if let Some(&node) = self.nodes.get(package) {
            return node;
        }
        let part = match package {
            Package::Root | Package::Line(_) => Part::Question,
            Package::Dist(name) => Part::Whole(self.dist(name)),
            Package::Extra(name, _) => Part::Extra(self.dist(name)),
        };
        let node = Node(next(&self.packages));
        self.packages.push((package.clone(), part));
        self.nodes.insert(package.clone(), node);
        node
    }

    /// The number of a distribution.
    ///
    /// # Panics
    /// When there are 2^32 of them.
    pub(super) fn dist(&mut self, name: &PackageName) -> Dist {
        if let Some(&dist) = self.dists.get(name) {
            return dist;
        }
        let dist = Dist(next(&self.names));
        self.names.push(name.clone());
        self.dists.insert(name.clone(), dist);
        dist
    }

    /// The numbers of all packages, ascending.
    pub(super) fn all(&self) -> impl DoubleEndedIterator<Item = Node> {
        (0..next(&self.packages)).map(Node)
    }

    /// The package with this number.
    pub(super) fn package(&self, node: Node) -> &Package {
        &self.packages[node.place()].0
    }

    /// What it stands for.
    pub(super) fn part(&self, node: Node) -> Part {
        self.packages[node.place()].1
    }

    /// The name of a distribution.
    pub(super) fn name(&self, dist: Dist) -> &PackageName {
        &self.names[dist.place()]
    }
}

fn next<T>(numbered: &[T]) -> u32 {
    u32::try_from(numbered.len()).expect("fewer than 2^32 packages")
}

/// A number counted from 0.
pub(super) trait Number: Copy {
    /// What is at a place.
    fn at(place: u32) -> Self;
    /// Its place among all.
    fn place(self) -> usize;
}

impl Number for Node {
    fn at(place: u32) -> Self {
        Self(place)
    }

    fn place(self) -> usize {
        self.0 as usize
    }
}

impl Number for Dist {
    fn at(place: u32) -> Self {
        Self(place)
    }

    fn place(self) -> usize {
        self.0 as usize
    }
}

/// Something for each number: of one that nothing was said of, the default.
#[derive(Debug)]
pub(super) struct Table<N, T> {
    rows: Vec<T>,
    numbers: PhantomData<N>,
}

impl<N, T> Default for Table<N, T> {
    fn default() -> Self {
        Self { rows: Vec::new(), numbers: PhantomData }
    }
}

impl<N: Number, T: Default> Table<N, T> {
    /// What is said of a number, if anything was.
    pub(super) fn get(&self, number: N) -> Option<&T> {
        self.rows.get(number.place())
    }

    /// What is said of a number, to be changed.
    pub(super) fn of(&mut self, number: N) -> &mut T {
        let place = number.place();
        if place >= self.rows.len() {
            self.rows.resize_with(place + 1, T::default);
        }
        &mut self.rows[place]
    }

    /// What is said of each, ascending.
    pub(super) fn iter(&self) -> impl Iterator<Item = (N, &T)> {
        (0..).map(N::at).zip(&self.rows)
    }
}

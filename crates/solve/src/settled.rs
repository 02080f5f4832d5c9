//! What a run need not decide again.
//!
//! Of most packages one release is looked at, and pubgrub is told that any would do. Where such a release needs nothing but
//! packages of the same kind and what the question itself sees to, no choice of others can be at odds with it: in a run
//! that counts it is taken wherever something needs it. Once that is known, pubgrub is not told of it any more, nor of
//! needs that the question sees to, which spares each further run of a large search most of its work. Whatever contests
//! such a package makes it known to pubgrub again.

use pubgrub::VersionSet as _;

use super::nodes::{Node, Nodes, Table};
use super::search::{Found, Needs};
use super::set::{Ordinal, OrdinalSet};
use super::views::Views;

/// The number of the one release that is looked at.
pub(super) const ONLY: Ordinal = 0;

/// What is known before a run.
#[derive(Debug, Default)]
pub(super) struct Settled {
    /// The packages whose choice is known.
    packages: Table<Node, bool>,
    count: usize,
    /// What the question itself needs of each package.
    asked: Table<Node, Option<OrdinalSet>>,
}

impl Settled {
    /// What `found` tells of those of `nodes` that nothing can be at odds with, where the question needs `asked`.
    pub(super) fn new<'a>(
        nodes: &Nodes,
        views: &Views,
        asked: &Needs,
        found: impl Fn(Node, Ordinal) -> Option<&'a Found>,
    ) -> Self {
        let mut settled = Self::default();
        for (node, set) in asked.iter() {
            *settled.asked.of(*node) = Some(set.clone());
        }
        let has_one_release = |node: Node| {
            let seen = nodes.part(node).dist().and_then(|dist| views.of(dist));
            seen.is_some_and(|seen| seen.only_first().is_some())
        };
        let needs = |node: Node| match found(node, ONLY)? {
            Found::Needs(needs) if has_one_release(node) => Some((node, needs)),
            Found::Needs(_) | Found::Barred(_) => None,
        };
        // Most packages need what was met after them: from the last to the first, one pass finds nearly all.
        let mut candidates: Vec<_> = nodes.all().rev().filter_map(needs).collect();
        for (node, _) in &candidates {
            *settled.packages.of(*node) = true;
        }
        // Each pass takes out those that need one taken out before, until none does.
        loop {
            let before = candidates.len();
            candidates.retain(|(node, needs)| {
                let holds = needs.iter().all(|(needed, set)| settled.meets(*needed, set));
                *settled.packages.of(*node) = holds;
                holds
            });
            if candidates.len() == before {
                settled.count = before;
                return settled;
            }
        }
    }

    /// Whether a need of some package is met whatever is chosen.
    pub(super) fn meets(&self, needed: Node, set: &OrdinalSet) -> bool {
        self.contains(needed) && set.contains(&ONLY)
            || self.asked.get(needed).and_then(Option::as_ref).is_some_and(|asked| asked.subset_of(set))
    }

    /// Whether the choice of a package is known.
    pub(super) fn contains(&self, node: Node) -> bool {
        self.packages.get(node).is_some_and(|settled| *settled)
    }

    /// Of how many packages the choice is known.
    pub(super) fn count(&self) -> usize {
        self.count
    }
}

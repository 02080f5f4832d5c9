//! What happened in one run of pubgrub: what was met, chosen and tried, and what stood against it.

use pubgrub::VersionSet as _;
use rustc_hash::{FxHashMap, FxHashSet};

use super::nodes::{Dist, Node, Nodes, Part, Table};
use super::search::Needs;
use super::set::{Ordinal, OrdinalSet};

/// The trail of a run.
#[derive(Debug, Default)]
pub(super) struct Trail {
    steps: Table<Dist, Steps>,
    /// The place of each package in the order in which packages were met.
    met: Table<Node, Option<usize>>,
    /// What the candidate of each package that was chosen last needs.
    needs: Table<Node, Option<Needs>>,
    progress: Progress,
}

/// What happened to a distribution.
#[derive(Debug, Default)]
struct Steps {
    /// The candidate chosen last.
    decided: Option<Ordinal>,
    /// The different candidates that were tried.
    tries: FxHashSet<Ordinal>,
    /// What was left when it was not decided yet.
    left: Option<OrdinalSet>,
    /// The packages of which a candidate needed it.
    needed_by: Vec<Node>,
    /// How often a candidate of it was at odds with the choice of another.
    blame: FxHashMap<Dist, u32>,
}

/// How far a run is.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Progress {
    /// How many packages were met.
    pub(super) met: usize,
    /// How many distributions are decided.
    pub(super) decided: usize,
}

impl Trail {
    /// How far the run is.
    pub(super) fn progress(&self) -> Progress {
        self.progress
    }

    /// Takes note that `count` packages need not be met and decided.
    pub(super) fn skip(&mut self, count: usize) {
        self.progress.met += count;
        self.progress.decided += count;
    }

    /// The place of a package in the order in which packages were met.
    pub(super) fn met(&mut self, node: Node) -> usize {
        let progress = &mut self.progress;
        *self.met.of(node).get_or_insert_with(|| {
            progress.met += 1;
            progress.met - 1
        })
    }

    /// Takes note of what is left of a distribution.
    pub(super) fn leave(&mut self, dist: Dist, left: &OrdinalSet) {
        self.steps.of(dist).left = Some(left.clone());
    }

    /// The candidate of `dist` that was chosen last.
    pub(super) fn decided(&self, dist: Dist) -> Option<Ordinal> {
        self.steps.get(dist)?.decided
    }

    /// Forgets what was chosen of `dist`.
    pub(super) fn undecide(&mut self, dist: Dist) {
        self.progress.decided -= usize::from(self.steps.of(dist).decided.take().is_some());
    }

    /// Takes note of a choice.
    pub(super) fn decide(&mut self, dist: Dist, ordinal: Ordinal) {
        self.progress.decided += usize::from(self.steps.of(dist).decided.replace(ordinal).is_none());
    }

    /// Takes note of a try; tells how many different candidates of `dist` were tried.
    pub(super) fn attempt(&mut self, dist: Dist, ordinal: Ordinal) -> usize {
        let tries = &mut self.steps.of(dist).tries;
        tries.insert(ordinal);
        tries.len()
    }

    /// The different candidates of `dist` that were tried, in no order.
    pub(super) fn tries(&self, dist: Dist) -> impl ExactSizeIterator<Item = Ordinal> {
        self.steps.get(dist).map_or_else(Default::default, |steps| steps.tries.iter()).copied()
    }

    /// The distributions that were tried, in the order of their numbers.
    pub(super) fn tried(&self) -> impl Iterator<Item = Dist> {
        self.steps.iter().filter(|(_, steps)| !steps.tries.is_empty()).map(|(dist, _)| dist)
    }

    /// Takes note of what the candidate of a package that was just chosen needs, `open` being what is not met anyhow, and
    /// of whose choice stands against it: of a package that needs something else, or else of the needed one itself.
    ///
    /// Returns the first of the latter.
    pub(super) fn weigh(
        &mut self,
        nodes: &Nodes,
        node: Node,
        needs: &Needs,
        is_open: impl Fn(Node, &OrdinalSet) -> bool,
    ) -> Option<Dist> {
        let dist = nodes.part(node).dist()?;
        let mut first = None;
        for (needed, set) in needs.iter().filter(|(needed, set)| is_open(*needed, set)) {
            let Part::Whole(needed) = nodes.part(*needed) else { continue };
            if needed == dist {
                continue;
            }
            for culprit in self.against(nodes, dist, needed, set) {
                first.get_or_insert(culprit);
                *self.steps.of(dist).blame.entry(culprit).or_default() += 1;
            }
            let needed_by = &mut self.steps.of(needed).needed_by;
            // The candidates of a package are mostly tried one after the other.
            if needed_by.last() != Some(&node) {
                needed_by.push(node);
            }
        }
        *self.needs.of(node) = Some(needs.clone());
        first
    }

    /// Whose choice stands against a candidate of `dist` that needs `set` of `needed`, ordered by name.
    fn against(&self, nodes: &Nodes, dist: Dist, needed: Dist, set: &OrdinalSet) -> Vec<Dist> {
        let Some(steps) = self.steps.get(needed) else { return Vec::new() };
        let is_decided = steps.decided.is_some_and(|decided| !set.contains(&decided));
        let is_excluded = steps.left.as_ref().is_some_and(|left| left.is_disjoint(set));
        if !is_decided && !is_excluded {
            return Vec::new();
        }
        let needs_other = |rival: Node| {
            let needs = self.needs.get(rival).and_then(Option::as_ref);
            needs
                .into_iter()
                .flat_map(|needs| needs.iter())
                .any(|(also, other)| nodes.part(*also) == Part::Whole(needed) && other.is_disjoint(set))
        };
        let rivals = steps.needed_by.iter().filter(|rival| needs_other(**rival));
        let rivals = rivals.filter_map(|rival| nodes.part(*rival).dist()).filter(|rival| *rival != dist);
        let mut rivals: Vec<_> = rivals.collect();
        rivals.sort_by(|a, b| nodes.name(*a).cmp(nodes.name(*b)));
        rivals.dedup();
        if rivals.is_empty() && is_decided { vec![needed] } else { rivals }
    }

    /// The distribution whose choice was most often at odds with candidates of `dist`; of several the first by name.
    pub(super) fn culprit(&self, nodes: &Nodes, dist: Dist) -> Option<Dist> {
        let blamed = self.steps.get(dist)?.blame.iter();
        let by_name = |a: Dist, b: Dist| nodes.name(a).cmp(nodes.name(b));
        blamed.max_by(|(a, x), (b, y)| x.cmp(y).then_with(|| by_name(**b, **a))).map(|(culprit, _)| *culprit)
    }
}

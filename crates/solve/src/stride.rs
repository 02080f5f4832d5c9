//! Long strides through a long train of releases.
//!
//! Where the newest releases of a package are rejected one after the other, the first that fits may be a thousand
//! releases back. What the releases of one project require mostly moves in one direction, so after
//! [`FROM`] tries the next one is twice as far back each time; and once a whole solution stands on what was found so,
//! the releases passed over are searched by halving, one more run for each half, until the release next to it was
//! rejected. A release that fits between two that do not can be missed that way, and an older one taken.
//!
//! What is passed over is put later, never ruled out: where there is no solution, every candidate was tried.

use rustc_hash::FxHashMap;

use super::nodes::Dist;

/// How many candidates of a package are tried one by one.
pub(super) const FROM: usize = 32;

/// How many candidates between two are all asked for at once: a round trip costs more than these.
const FEW: usize = 8;

/// How much a candidate is preferred: the lower, the more.
pub(super) type Rank = u32;

/// Where candidates were passed over, by package.
#[derive(Debug, Default)]
pub(super) struct Strides {
    gaps: FxHashMap<Dist, Gap>,
}

/// What was passed over: the candidates between two.
#[derive(Clone, Copy, Debug)]
struct Gap {
    /// The last rejected one before them.
    bad: Rank,
    /// The first one after them that stands in a solution.
    good: Rank,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// There may be better candidates in it.
    Open,
    /// All of it was searched.
    Closed,
}

impl Strides {
    /// Whether candidates of `dist` were passed over.
    pub(super) fn is_at(&self, dist: Dist) -> bool {
        self.gaps.contains_key(&dist)
    }

    /// The candidate of `dist` to try next: one of `left`, ascending, having tried those of `tried` in this run.
    pub(super) fn pick(&mut self, dist: Dist, left: &[Rank], tried: &[Rank]) -> Option<Rank> {
        let Some(gap) = self.gaps.get_mut(&dist).filter(|gap| left.contains(&gap.good)) else {
            return strode(left, tried).or_else(|| left.first().copied());
        };
        *gap = gap.narrowed(left, tried);
        Some(gap.middle(left))
    }

    /// The candidates that may be tried after `pick`: when that is rejected, and when it stands; of few all. One may come
    /// twice.
    pub(super) fn after(
        &self,
        dist: Dist,
        pick: Rank,
        left: &[Rank],
        tried: &[Rank],
    ) -> impl Iterator<Item = Rank> {
        let gap = self.gaps.get(&dist).copied();
        let also_tried = [tried, &[pick]].concat();
        let others: Vec<Rank> = left.iter().copied().filter(|rank| *rank != pick).collect();
        let rejected = match gap.filter(|gap| others.contains(&gap.good)) {
            Some(gap) => Some(gap.narrowed(&others, &also_tried).middle(&others)),
            None => strode(&others, &also_tried),
        };
        let bad = last_before(pick, tried).max(gap.map(|gap| gap.bad));
        let stands = bad.map(|bad| Gap { bad, good: pick, state: State::Open }.middle(left));
        let few: Vec<_> = gap.into_iter().flat_map(|gap| gap.narrowed(left, tried).within(&others)).collect();
        let few = if few.len() <= FEW { few } else { Vec::new() };
        rejected.into_iter().chain(stands).chain(few)
    }

    /// Takes note that the candidate of `dist` in a solution is `chosen`; tells whether a better one may have been
    /// passed over.
    pub(super) fn found(&mut self, dist: Dist, chosen: Rank, tried: &[Rank]) -> bool {
        let Some(gap) = self.gaps.get_mut(&dist) else {
            let bad = last_before(chosen, tried).filter(|bad| tried.len() > FROM && bad + 1 < chosen);
            let gap = bad.map(|bad| Gap { bad, good: chosen, state: State::Open });
            self.gaps.extend(gap.map(|gap| (dist, gap)));
            return gap.is_some();
        };
        if gap.state == State::Open && chosen < gap.good {
            gap.good = chosen;
            return true;
        }
        gap.state = State::Closed;
        false
    }

    /// The packages of which candidates were passed over, in no order.
    pub(super) fn packages(&self) -> impl Iterator<Item = Dist> {
        self.gaps.keys().copied()
    }
}

impl Gap {
    /// What is left of it, having tried those of `tried` in this run.
    fn narrowed(self, left: &[Rank], tried: &[Rank]) -> Self {
        let bad = last_before(self.good, tried).map_or(self.bad, |last| last.max(self.bad));
        let narrowed = Self { bad, ..self };
        let state = if narrowed.within(left).next().is_none() { State::Closed } else { self.state };
        Self { state, ..narrowed }
    }

    fn within(self, left: &[Rank]) -> impl Iterator<Item = Rank> {
        left.iter().copied().filter(move |rank| self.bad < *rank && *rank < self.good)
    }

    /// The one of `left` in the middle of it; its end where it is closed.
    fn middle(self, left: &[Rank]) -> Rank {
        self.within(left).nth(self.within(left).count() / 2).unwrap_or(self.good)
    }
}

/// One of `left` twice as far from the best of `tried` as the last of these, where enough were tried and more
/// than these are left.
fn strode(left: &[Rank], tried: &[Rank]) -> Option<Rank> {
    let (best, last) = (tried.iter().min()?, tried.iter().max()?);
    let rest = &left[left.partition_point(|rank| rank <= last)..];
    let stride = if tried.len() < FROM || rest.len() <= tried.len() { 0 } else { (last - best) as usize };
    rest.get(stride.min(rest.len() / 2)).copied()
}

/// The last of `tried` before `rank`.
fn last_before(rank: Rank, tried: &[Rank]) -> Option<Rank> {
    tried.iter().copied().filter(|other| *other < rank).max()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nodes::Nodes;

    /// What may be tried after the first pick between the 33 that were tried and `good`, which stands.
    fn after(good: Rank) -> Vec<Rank> {
        let (mut strides, dist) = (Strides::default(), Nodes::default().dist(&"a".parse().unwrap()));
        let tried: Vec<Rank> = (0..33).collect();
        assert!(strides.found(dist, good, &tried));
        let left: Vec<Rank> = (33..=good).collect();
        let pick = strides.pick(dist, &left, &[]).unwrap();
        let mut after: Vec<_> = strides.after(dist, pick, &left, &[]).collect();
        after.sort_unstable();
        after.dedup();
        after
    }

    #[test]
    fn a_large_gap_is_halved_and_all_of_a_small_one_is_asked_for() {
        assert_eq!(after(133), [58, 108], "the middles of both halves");
        assert_eq!(after(40), [33, 34, 35, 37, 38, 39], "all but the pick");
    }
}

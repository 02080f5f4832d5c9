//! Galloping search through the releases of one package (exponential search, Bentley and Yao 1976).
//!
//! When the newest releases of a package are rejected one after the other, the first that fits may be a thousand
//! releases back, and each look costs a file of metadata. What a project requires mostly moves in one direction. So
//! after [`GALLOP_AFTER`] tries, each next try is twice as far back. Once a whole solution stands on a release found
//! that way, the gap of skipped releases is bisected, one run of the solver for each half, until the neighbour of the
//! found release was rejected.
//!
//! ```text
//! gallop    1.999 ... 1.968 rejected (32 tries), then 1.936, 1.872, 1.744 rejected, 1.488 accepted
//! bisect    the gap 1.743 ... 1.489: 1.616 rejected, 1.552 accepted, ...
//! ```
//!
//! The price: a release that fits between two that do not can be missed, and an older one taken. Skipped candidates are
//! put later, never excluded, so an unsatisfiable problem is still proved over all of them.

use rustc_hash::FxHashMap;

use super::interner::NameId;

/// How many candidates of a package are tried one by one before galloping.
pub(super) const GALLOP_AFTER: usize = 32;

/// A gap of at most this many candidates is prefetched as a whole: a round trip costs more than these.
const SMALL_GAP: usize = 8;

/// How much the policy prefers a candidate: 0 is tried first.
pub(super) type PreferenceRank = u32;

/// The gaps that galloping left, by name.
#[derive(Debug, Default)]
pub(super) struct GallopingSearch {
    gaps: FxHashMap<NameId, Gap>,
}

/// Candidates skipped between a rejected one and an accepted one.
#[derive(Clone, Copy, Debug)]
struct Gap {
    /// The last rejected candidate before the gap.
    rejected: PreferenceRank,
    /// The candidate after the gap that stands in a solution.
    accepted: PreferenceRank,
    state: GapState,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum GapState {
    /// A better candidate may be in it.
    Open,
    /// It was searched to the end.
    Closed,
}

impl GallopingSearch {
    /// Whether candidates of `name` were skipped.
    pub(super) fn has_gap(&self, name: NameId) -> bool {
        self.gaps.contains_key(&name)
    }

    /// The candidate of `name` to try next, out of `left` (ascending), when this run has tried `tried`.
    pub(super) fn next(
        &mut self,
        name: NameId,
        left: &[PreferenceRank],
        tried: &[PreferenceRank],
    ) -> Option<PreferenceRank> {
        // Without the accepted candidate, the gap has lost its end: other decisions have excluded it.
        let Some(gap) = self.gaps.get_mut(&name).filter(|gap| left.contains(&gap.accepted)) else {
            return gallop(left, tried).or_else(|| left.first().copied());
        };
        *gap = gap.narrowed(left, tried);
        Some(gap.middle(left))
    }

    /// The candidates that may be tried after `pick`, for prefetching: the next one if `pick` is rejected, the next one
    /// if it is accepted, and the whole of a small gap. One may come twice.
    pub(super) fn likely_next(
        &self,
        name: NameId,
        pick: PreferenceRank,
        left: &[PreferenceRank],
        tried: &[PreferenceRank],
    ) -> impl Iterator<Item = PreferenceRank> {
        let gap = self.gaps.get(&name).copied();
        let also_tried = [tried, &[pick]].concat();
        let others: Vec<_> = left.iter().copied().filter(|rank| *rank != pick).collect();
        let if_rejected = match gap.filter(|gap| others.contains(&gap.accepted)) {
            Some(gap) => Some(gap.narrowed(&others, &also_tried).middle(&others)),
            None => gallop(&others, &also_tried),
        };
        let rejected = last_before(pick, tried).max(gap.map(|gap| gap.rejected));
        let if_accepted =
            rejected.map(|rejected| Gap { rejected, accepted: pick, state: GapState::Open }.middle(left));
        let inside: Vec<_> =
            gap.into_iter().flat_map(|gap| gap.narrowed(left, tried).within(&others)).collect();
        let inside = if inside.len() <= SMALL_GAP { inside } else { Vec::new() };
        if_rejected.into_iter().chain(if_accepted).chain(inside)
    }

    /// Records that a solution takes the candidate `accepted` of `name`. Returns whether a better one may have been
    /// skipped.
    pub(super) fn record_solution(
        &mut self,
        name: NameId,
        accepted: PreferenceRank,
        tried: &[PreferenceRank],
    ) -> bool {
        let Some(gap) = self.gaps.get_mut(&name) else {
            // Without galloping every candidate before it was tried, and neighbours have no gap between them.
            let rejected = last_before(accepted, tried)
                .filter(|rejected| tried.len() > GALLOP_AFTER && rejected + 1 < accepted);
            let gap = rejected.map(|rejected| Gap { rejected, accepted, state: GapState::Open });
            self.gaps.extend(gap.map(|gap| (name, gap)));
            return gap.is_some();
        };
        if gap.state == GapState::Open && accepted < gap.accepted {
            gap.accepted = accepted;
            return true;
        }
        // This solution is no better than the last one, so the gap holds nothing that fits.
        gap.state = GapState::Closed;
        false
    }

    /// The names of which candidates were skipped, in no order.
    pub(super) fn names(&self) -> impl Iterator<Item = NameId> {
        self.gaps.keys().copied()
    }
}

impl Gap {
    /// The gap without what `tried` rejected of it.
    fn narrowed(self, left: &[PreferenceRank], tried: &[PreferenceRank]) -> Self {
        let rejected =
            last_before(self.accepted, tried).map_or(self.rejected, |last| last.max(self.rejected));
        let narrowed = Self { rejected, ..self };
        let state = if narrowed.within(left).next().is_none() { GapState::Closed } else { self.state };
        Self { state, ..narrowed }
    }

    fn within(self, left: &[PreferenceRank]) -> impl Iterator<Item = PreferenceRank> {
        left.iter().copied().filter(move |rank| self.rejected < *rank && *rank < self.accepted)
    }

    /// The one of `left` in the middle of the gap; the accepted one when nothing is left in it.
    fn middle(self, left: &[PreferenceRank]) -> PreferenceRank {
        self.within(left).nth(self.within(left).count() / 2).unwrap_or(self.accepted)
    }
}

/// The one of `left` that lies as far behind the last of `tried` as that lies behind the best: each try doubles the
/// distance. With few tries, or no more left than were tried, it is the next one in order. `None` at the end.
fn gallop(left: &[PreferenceRank], tried: &[PreferenceRank]) -> Option<PreferenceRank> {
    let (best, last) = (tried.iter().min()?, tried.iter().max()?);
    let rest = &left[left.partition_point(|rank| rank <= last)..];
    let is_too_early = tried.len() < GALLOP_AFTER || rest.len() <= tried.len();
    let distance = if is_too_early { 0 } else { (last - best) as usize };
    // Never past the middle of the rest: the oldest releases seldom fit.
    rest.get(distance.min(rest.len() / 2)).copied()
}

/// The last of `tried` before `rank`.
fn last_before(rank: PreferenceRank, tried: &[PreferenceRank]) -> Option<PreferenceRank> {
    tried.iter().copied().filter(|other| *other < rank).max()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::interner::PackageInterner;

    /// What may be tried after the first pick between 33 rejected candidates and `accepted`.
    fn likely_next(accepted: PreferenceRank) -> Vec<PreferenceRank> {
        let mut galloping = GallopingSearch::default();
        let name = PackageInterner::default().intern_name(&"a".parse().unwrap());
        let tried: Vec<PreferenceRank> = (0..33).collect();
        assert!(galloping.record_solution(name, accepted, &tried));
        let left: Vec<PreferenceRank> = (33..=accepted).collect();
        let pick = galloping.next(name, &left, &[]).unwrap();
        let mut next: Vec<_> = galloping.likely_next(name, pick, &left, &[]).collect();
        next.sort_unstable();
        next.dedup();
        next
    }

    #[test]
    fn a_large_gap_prefetches_the_middles_of_both_halves() {
        assert_eq!(likely_next(133), [58, 108]);
    }

    #[test]
    fn a_small_gap_is_prefetched_as_a_whole() {
        assert_eq!(likely_next(40), [33, 34, 35, 37, 38, 39], "all but the pick");
    }
}

//! Which candidate of a package is tried, and what is asked for ahead of it.

use pubgrub::VersionSet as _;

use super::Provider;
use crate::candidates::{Candidate, Candidates, Tier};
use crate::index::{IndexQuery, Trust};
use crate::nodes::Dist;
use crate::set::{Ordinal, OrdinalSet};
use crate::stride;

/// From how many tries of one package on the metadata of more of its candidates is asked for ahead.
const ASK_AHEAD: usize = 2;

/// How many are asked for ahead, at least and at most: a round trip costs more than a few small answers for nothing.
const LEAST_AHEAD: usize = 8;
const MOST_AHEAD: usize = 32;

/// How many of those are that all have to be looked at: as many as there may be in flight.
const MOST_NEEDED: usize = 100;

impl Provider<'_> {
    /// Asks ahead for the metadata of the candidate of `dist` that will most likely be chosen. Where the search is in long
    /// strides, for more of those that are `permitted`: before who permits them is out, each of them has to be.
    pub(super) fn expect_best(&self, dist: Dist, candidates: &Candidates, permitted: &OrdinalSet) {
        let Some(best) = self.best(candidates, permitted) else { return };
        self.known.source.prefetch_speculative(&[metadata_of(candidates, best)]);
        if self.search.borrow().strides_through(dist) {
            self.ask_ahead(candidates, best, MOST_NEEDED, |ordinal| permitted.contains(ordinal));
        }
    }

    /// When several candidates of a package were tried, asks ahead for the next ones: mostly as many again. They need not
    /// be `left` yet: of projects that are released together each lets in one release of the next at a time. When
    /// the search is in long strides, what lies beyond is passed over.
    pub(super) fn expect_more(
        &self,
        candidates: &Candidates,
        left: &OrdinalSet,
        tried: Ordinal,
        tries: usize,
    ) {
        if tries < ASK_AHEAD {
            return;
        }
        let ahead = tries.clamp(LEAST_AHEAD, MOST_AHEAD);
        self.ask_ahead(candidates, tried, ahead, |ordinal| tries < stride::FROM || left.contains(ordinal));
    }

    /// Asks for the metadata of up to `count` candidates that come after one and are like it, of those that `may_come`.
    fn ask_ahead(
        &self,
        candidates: &Candidates,
        after: Ordinal,
        count: usize,
        may_come: impl Fn(&Ordinal) -> bool,
    ) {
        let tier = candidates.get(after).tier;
        let alike = |ordinal: &Ordinal| candidates.get(*ordinal).tier == tier && may_come(ordinal);
        let of = |ordinal: Ordinal| metadata_of(candidates, ordinal);
        let wants: Vec<_> = if self.known.problem.prefers_lowest(&candidates.name) {
            (after + 1..candidates.count()).filter(alike).take(count).map(of).collect()
        } else {
            (0..after).rev().filter(alike).take(count).map(of).collect()
        };
        self.known.source.prefetch_speculative(&wants);
    }

    /// The candidate to take: a preferred one, else the first in the order of the policy.
    pub(super) fn best(&self, candidates: &Candidates, permitted: &OrdinalSet) -> Option<Ordinal> {
        let problem = &*self.known.problem;
        let search = self.search.borrow();
        let open = |candidate: &Candidate| match candidate {
            Candidate { tier: Tier::Yanked, version, .. } => search.is_permitted(&candidates.name, version),
            _ => true,
        };
        let is_lowest_first = problem.prefers_lowest(&candidates.name);
        let first = |fits: &dyn Fn(&Candidate) -> bool| {
            let mut fitting =
                permitted.ordinals(candidates.count()).filter(|&ordinal| fits(candidates.get(ordinal)));
            if is_lowest_first { fitting.next() } else { fitting.next_back() }
        };
        // A preference decides among equals only: a stable release goes before any pre-release.
        let standings = [Tier::Stable, Tier::Prerelease, Tier::Yanked];
        let of_standing = |tier| first(&|candidate| candidate.tier == tier && open(candidate));
        let (best, tier) = standings.into_iter().find_map(|tier| Some((of_standing(tier)?, tier)))?;
        let preferred = problem.preferences.versions(&candidates.name).iter().find_map(|version| {
            first(&|candidate| candidate.tier == tier && candidate.version == *version && open(candidate))
        });
        Some(preferred.unwrap_or(best))
    }

    /// The candidate to try next: the best, unless many better ones were tried in vain.
    pub(super) fn next(
        &self,
        dist: Dist,
        candidates: &Candidates,
        left: &OrdinalSet,
        best: Ordinal,
    ) -> Option<Ordinal> {
        let (known, mut search) = (self.known, self.search.borrow_mut());
        let Candidate { version, tier, .. } = candidates.get(best);
        let is_preferred = known.problem.preferences.versions(&candidates.name).contains(version);
        if is_preferred || *tier == Tier::Yanked || !search.strides_through(dist) {
            return Some(best);
        }
        let rank = |ordinal| known.rank(candidates, ordinal);
        let alike = |ordinal: &Ordinal| candidates.get(*ordinal).tier == *tier;
        let mut ranks: Vec<_> = left.ordinals(candidates.count()).filter(alike).map(rank).collect();
        ranks.sort_unstable();
        let (pick, after) = search.stride(dist, &ranks, rank)?;
        // A rank's own rank is the ordinal again.
        if rank(pick) != best {
            let wants: Vec<_> = after.into_iter().map(|after| metadata_of(candidates, rank(after))).collect();
            known.source.prefetch_speculative(&wants);
        }
        Some(rank(pick))
    }
}

pub(super) fn metadata_of(candidates: &Candidates, ordinal: Ordinal) -> IndexQuery {
    IndexQuery::Metadata(candidates.get(ordinal).file().clone(), Trust::Release)
}

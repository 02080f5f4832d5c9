//! Candidate selection: which candidate of a package is tried next, and which metadata is prefetched meanwhile.

use pubgrub::VersionSet as _;

use super::Provider;
use crate::candidates::{Candidate, Candidates, Tier};
use crate::galloping::GALLOP_AFTER;
use crate::index::{IndexQuery, Trust};
use crate::interner::NameId;
use crate::ordinal_set::{Ordinal, OrdinalSet};

/// From this attempt at one package on, the metadata of its next candidates is prefetched.
const PREFETCH_FROM_ATTEMPT: usize = 2;

/// How many candidates are prefetched: a round trip costs more than a few small files for nothing.
const PREFETCH_LEAST: usize = 8;
const PREFETCH_MOST: usize = 32;

/// How many are prefetched where all of them have to be examined: as many as may be in flight.
const PREFETCH_ALL: usize = 100;

impl Provider<'_> {
    /// Prefetches the metadata of the candidate of `name` that will most likely be chosen. While galloping, prefetches
    /// the other `permitted` ones too: which packages they exclude has to be known before one of them is chosen.
    pub(super) fn prefetch_best(&self, name: NameId, candidates: &Candidates, permitted: &OrdinalSet) {
        let Some(best) = self.best(candidates, permitted) else { return };
        self.index.source.prefetch_speculative(&[metadata_query(candidates, best)]);
        if self.search.borrow().is_galloping(name) {
            self.prefetch_next(candidates, best, PREFETCH_ALL, |ordinal| permitted.contains(ordinal));
        }
    }

    /// Once several candidates were tried, prefetches the next ones: mostly as many again follow.
    ///
    /// They need not be `left` yet: of projects that are released together, each release permits one of the next
    /// project. While galloping, most candidates are skipped, so only those `left` are prefetched.
    pub(super) fn prefetch_after(
        &self,
        candidates: &Candidates,
        left: &OrdinalSet,
        tried: Ordinal,
        attempts: usize,
    ) {
        if attempts < PREFETCH_FROM_ATTEMPT {
            return;
        }
        let count = attempts.clamp(PREFETCH_LEAST, PREFETCH_MOST);
        let may_come = |ordinal: &Ordinal| attempts < GALLOP_AFTER || left.contains(ordinal);
        self.prefetch_next(candidates, tried, count, may_come);
    }

    /// Prefetches the metadata of up to `count` candidates that come `after` one in the order of preference, are of its
    /// tier, and `may_come`.
    fn prefetch_next(
        &self,
        candidates: &Candidates,
        after: Ordinal,
        count: usize,
        may_come: impl Fn(&Ordinal) -> bool,
    ) {
        let tier = candidates.get(after).tier;
        let comes = |ordinal: &Ordinal| candidates.get(*ordinal).tier == tier && may_come(ordinal);
        let query = |ordinal: Ordinal| metadata_query(candidates, ordinal);
        let queries: Vec<_> = if self.index.problem.prefers_lowest(&candidates.name) {
            (after + 1..candidates.count()).filter(comes).take(count).map(query).collect()
        } else {
            (0..after).rev().filter(comes).take(count).map(query).collect()
        };
        self.index.source.prefetch_speculative(&queries);
    }

    /// The best of the `permitted` candidates: a preferred version, else the first in the order of the policy; in either
    /// case of the best tier there is.
    pub(super) fn best(&self, candidates: &Candidates, permitted: &OrdinalSet) -> Option<Ordinal> {
        let problem = &*self.index.problem;
        let search = self.search.borrow();
        let is_open = |candidate: &Candidate| match candidate {
            Candidate { tier: Tier::Yanked, version, .. } => {
                search.is_yanked_permitted(&candidates.name, version)
            }
            _ => true,
        };
        let is_lowest_first = problem.prefers_lowest(&candidates.name);
        let first = |fits: &dyn Fn(&Candidate) -> bool| {
            let mut fitting =
                permitted.ordinals(candidates.count()).filter(|&ordinal| fits(candidates.get(ordinal)));
            if is_lowest_first { fitting.next() } else { fitting.next_back() }
        };
        // A preference decides within a tier only: an older lock's pre-release loses to a stable release.
        let tiers = [Tier::Stable, Tier::Prerelease, Tier::Yanked];
        let of_tier = |tier| first(&|candidate| candidate.tier == tier && is_open(candidate));
        let (best, tier) = tiers.into_iter().find_map(|tier| Some((of_tier(tier)?, tier)))?;
        let preferred = problem.preferences.versions(&candidates.name).iter().find_map(|version| {
            first(&|candidate| candidate.tier == tier && candidate.version == *version && is_open(candidate))
        });
        Some(preferred.unwrap_or(best))
    }

    /// The candidate of `name` to try next: the best, or the next of galloping search after many rejected ones.
    pub(super) fn next_candidate(
        &self,
        name: NameId,
        candidates: &Candidates,
        left: &OrdinalSet,
        best: Ordinal,
    ) -> Option<Ordinal> {
        let (index, mut search) = (self.index, self.search.borrow_mut());
        let Candidate { version, tier, .. } = candidates.get(best);
        let is_preferred = index.problem.preferences.versions(&candidates.name).contains(version);
        if is_preferred || *tier == Tier::Yanked || !search.is_galloping(name) {
            return Some(best);
        }
        let rank = |ordinal| index.preference_rank(candidates, ordinal);
        let of_tier = |ordinal: &Ordinal| candidates.get(*ordinal).tier == *tier;
        let mut ranks: Vec<_> = left.ordinals(candidates.count()).filter(of_tier).map(rank).collect();
        ranks.sort_unstable();
        let (pick, likely_next) = search.gallop(name, &ranks, rank)?;
        // A rank's own rank is the ordinal again.
        if rank(pick) != best {
            let queries: Vec<_> =
                likely_next.into_iter().map(|next| metadata_query(candidates, rank(next))).collect();
            index.source.prefetch_speculative(&queries);
        }
        Some(rank(pick))
    }
}

/// The query for the metadata of a candidate.
pub(super) fn metadata_query(candidates: &Candidates, ordinal: Ordinal) -> IndexQuery {
    IndexQuery::Metadata(candidates.get(ordinal).file().clone(), Trust::Release)
}

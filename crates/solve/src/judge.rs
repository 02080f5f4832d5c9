//! Which releases of a listing may be chosen for a target: decided on summaries, no file is read.

use std::cell::OnceCell;
use std::sync::Arc;

use super::candidates::{Candidate, Demands, ExclusionReason, Places, Tier};
use super::policy::{Policy, PrereleaseMode};
use pinfast_packaging::{DistKind, FileSummary, Listing, SupportedTags, TagSet, Target, Version};

/// Decides on the releases of one package.
pub(super) struct Judge<'a> {
    listing: &'a Arc<Listing>,
    target: &'a Target,
    policy: &'a Policy,
    demands: &'a Demands,
    /// How each tag set of the listing ranks in the target, if it fits at all.
    ranks: Vec<OnceCell<Option<u32>>>,
    /// The same on other platforms, for a package that has an sdist as well.
    foreign_ranks: Vec<OnceCell<Option<u32>>>,
    /// Which Requires-Pythons of the listing hold.
    pythons: Vec<OnceCell<bool>>,
}

impl<'a> Judge<'a> {
    pub(super) fn new(
        listing: &'a Arc<Listing>,
        target: &'a Target,
        policy: &'a Policy,
        demands: &'a Demands,
    ) -> Self {
        Self {
            listing,
            target,
            policy,
            demands,
            ranks: vec![OnceCell::new(); listing.tag_sets()],
            foreign_ranks: vec![OnceCell::new(); listing.tag_sets()],
            pythons: vec![OnceCell::new(); listing.requires_pythons()],
        }
    }

    /// The candidate that the release `number` makes, or why it makes none.
    pub(super) fn judge(&self, number: u32, version: &Version) -> Result<Candidate, ExclusionReason> {
        self.prerelease_allowed(version)?;
        let summaries = &*self.listing.summaries(number as usize);
        let timely = self.old_enough(summaries)?;
        let permitted = self.of_permitted_format(summaries, timely)?;
        let allowed = self.of_allowed_hash(number, permitted)?;
        // A release is yanked when all of its files are; otherwise the yanked files alone are left out.
        let live = allowed.clone().narrowed(|place| !summaries[place as usize].is_yanked());
        let (tier, best, files) = match self.best(summaries, &live) {
            Some(best) => (self.tier(version), best, live),
            None => match self.best(summaries, &allowed) {
                Some(best) => (Tier::Yanked, best, allowed),
                None => return Err(self.why_none_fits(summaries, &allowed)),
            },
        };
        // Last, so that a constraint is named only where nothing else bars the release.
        self.bound_by_constraints(version)?;
        Ok(Candidate::new(self.listing, number, tier, best, files))
    }

    fn bound_by_constraints(&self, version: &Version) -> Result<(), ExclusionReason> {
        match self.demands.constraints.iter().find(|(specifiers, _)| !specifiers.contains(version)) {
            Some((_, at)) => Err(ExclusionReason::Constraint(at.clone())),
            None => Ok(()),
        }
    }

    fn prerelease_allowed(&self, version: &Version) -> Result<(), ExclusionReason> {
        if version.any_prerelease() && self.demands.prerelease == PrereleaseMode::Disallow {
            return Err(ExclusionReason::Prerelease);
        }
        Ok(())
    }

    fn tier(&self, version: &Version) -> Tier {
        if version.any_prerelease() && self.demands.prerelease != PrereleaseMode::Allow {
            Tier::Prerelease
        } else {
            Tier::Stable
        }
    }

    fn old_enough(&self, summaries: &[FileSummary]) -> Result<Places, ExclusionReason> {
        let all = Places::All(u32::try_from(summaries.len()).unwrap_or(u32::MAX));
        let of_package = self.policy.exclude_newer_packages.get(&self.listing.name).copied();
        let Some(limit) = of_package.or(self.policy.exclude_newer) else { return Ok(all) };
        let timely = |place: u32| summaries[place as usize].uploaded().is_some_and(|at| at < limit);
        let kept = all.narrowed(timely);
        if !kept.is_empty() {
            return Ok(kept);
        }
        let uploaded = summaries.iter().find_map(FileSummary::uploaded);
        Err(uploaded.map_or(ExclusionReason::NoUploadTime, ExclusionReason::TooNew))
    }

    fn of_permitted_format(
        &self,
        summaries: &[FileSummary],
        places: Places,
    ) -> Result<Places, ExclusionReason> {
        let wheels_barred = self.policy.no_binary.contains(&self.listing.name);
        let sdists_barred = self.policy.only_binary.contains(&self.listing.name);
        let kept = places.narrowed(|place| match summaries[place as usize].kind() {
            DistKind::Wheel { .. } => !wheels_barred,
            DistKind::Sdist => !sdists_barred,
        });
        match kept.is_empty() {
            false => Ok(kept),
            true if wheels_barred => Err(ExclusionReason::OnlyWheels),
            true => Err(ExclusionReason::OnlySdists),
        }
    }

    fn of_allowed_hash(&self, number: u32, places: Places) -> Result<Places, ExclusionReason> {
        let allowed = &self.demands.hashes;
        if allowed.is_empty() {
            return Ok(places);
        }
        let files = self.listing.files(number as usize);
        let is_allowed = |hash| allowed.contains(&hash);
        let kept = places.narrowed(|place| files[place as usize].sha256.is_some_and(is_allowed));
        if kept.is_empty() { Err(ExclusionReason::NoAllowedHash) } else { Ok(kept) }
    }

    /// The file that an installer would take in the target: the wheel whose tag ranks best, the highest
    /// build tag among equals; else an sdist.
    fn best(&self, summaries: &[FileSummary], places: &Places) -> Option<u32> {
        let running = || places.iter().filter(|&place| self.runs(&summaries[place as usize]));
        let wheel = |ranks: &[OnceCell<Option<u32>>], target: &SupportedTags| {
            let rank =
                |tags: u32| *ranks[tags as usize].get_or_init(|| target.rank(self.listing.tag_set(tags)));
            let ranked = running().filter_map(|place| match summaries[place as usize].kind() {
                DistKind::Wheel { tags, build_rank } => Some((rank(tags)?, build_rank, place)),
                DistKind::Sdist => None,
            });
            ranked.min().map(|(_, _, place)| place)
        };
        let sdist = || {
            let sdist = running().find(|&place| summaries[place as usize].kind() == DistKind::Sdist)?;
            Some(wheel(&self.foreign_ranks, self.target.metadata_only_tags()).unwrap_or(sdist))
        };
        wheel(&self.ranks, self.target.tags()).or_else(sdist)
    }

    fn runs(&self, summary: &FileSummary) -> bool {
        summary.python().is_none_or(|python| {
            let holds = || self.listing.requires_python(python).lower_bounds_contain(self.target.python());
            *self.pythons[python as usize].get_or_init(holds)
        })
    }

    fn why_none_fits(&self, summaries: &[FileSummary], places: &Places) -> ExclusionReason {
        let summaries = || places.iter().map(|place| &summaries[place as usize]);
        let barring = summaries().filter(|summary| !self.runs(summary)).find_map(FileSummary::python);
        if let Some(python) = barring {
            return ExclusionReason::RequiresPython(self.listing.requires_python(python).clone());
        }
        let tags = summaries().filter_map(|summary| match summary.kind() {
            DistKind::Wheel { tags, .. } => Some(self.listing.tag_set(tags).clone()),
            DistKind::Sdist => None,
        });
        let mut tags: Vec<TagSet> = tags.collect();
        tags.sort();
        tags.dedup();
        ExclusionReason::NoMatchingWheel(tags)
    }
}

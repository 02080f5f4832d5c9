//! Decides which releases of a listing are candidates for a target, from the listing alone: no file is read.
//!
//! Each release passes the checks that pip's finder makes, in this order: pre-release, upload time, format, hash, yanked
//! (PEP 592), Requires-Python and wheel tags (PEP 425), and last the user's constraints.

use std::cell::OnceCell;
use std::sync::Arc;

use super::candidates::{
    Candidate, Candidates, Coverage, ExclusionReason, FileSelection, PackageConstraints, ProjectLookup, Tier,
};
use super::policy::{Policy, PrereleaseMode};
use pinfast_packaging::{DistKind, FileSummary, Listing, SupportedTags, TagSet, Target, Version};

/// Evaluates the releases of one package.
pub(super) struct CandidateEvaluator<'a> {
    listing: &'a Arc<Listing>,
    target: &'a Target,
    policy: &'a Policy,
    constraints: &'a PackageConstraints,
    /// The rank in the target of each tag set of the listing, if it fits at all. A project has few distinct ones.
    ranks: Vec<OnceCell<Option<u32>>>,
    /// The same on other platforms, for a release that has an sdist as well.
    metadata_only_ranks: Vec<OnceCell<Option<u32>>>,
    /// Whether each distinct Requires-Python of the listing permits the target's Python.
    runs_on: Vec<OnceCell<bool>>,
}

impl<'a> CandidateEvaluator<'a> {
    pub(super) fn new(
        listing: &'a Arc<Listing>,
        target: &'a Target,
        policy: &'a Policy,
        constraints: &'a PackageConstraints,
    ) -> Self {
        Self {
            listing,
            target,
            policy,
            constraints,
            ranks: vec![OnceCell::new(); listing.tag_sets()],
            metadata_only_ranks: vec![OnceCell::new(); listing.tag_sets()],
            runs_on: vec![OnceCell::new(); listing.requires_pythons()],
        }
    }

    /// All candidates of the listing.
    pub(super) fn all(&self) -> Candidates {
        let mut candidates = Candidates::none(&self.listing.name, ProjectLookup::Found);
        candidates.warnings.clone_from(&self.listing.warnings);
        for (release, version) in (0..).zip(self.listing.versions()) {
            match self.evaluate(release, version) {
                Ok(candidate) => candidates.usable.push(candidate),
                Err(reason) => candidates.excluded.push((version.clone(), reason)),
            }
        }
        candidates
    }

    /// The stable candidate that is taken if nothing else excludes it: the first of the `preferred` versions that is
    /// one, else the newest. `None` where there is no stable candidate.
    pub(super) fn first(&self, preferred: &[Version]) -> Option<Candidates> {
        let preferred = preferred
            .iter()
            .filter_map(|version| self.listing.position(version))
            .find_map(|release| self.stable(release));
        let newest = || (0..self.listing.len()).rev().find_map(|release| self.stable(release));
        let first = preferred.or_else(newest)?;
        Some(Candidates::single(first, self.listing, Coverage::First))
    }

    /// The one release that the exact pin `==pin` permits, if it is a stable candidate.
    pub(super) fn pinned(&self, pin: &Version) -> Option<Candidates> {
        // PEP 440: an exact pin without a local version permits any local version.
        let is_permitted = |version: &Version| {
            version == pin || (version.is_local() && version.clone().without_local() == *pin)
        };
        let mut permitted =
            (0..self.listing.len()).filter(|&release| is_permitted(self.listing.version(release)));
        // Of several local variants, only all candidates together show which one is taken.
        let (Some(release), None) = (permitted.next(), permitted.next()) else { return None };
        Some(Candidates::single(self.stable(release)?, self.listing, Coverage::Pinned))
    }

    fn stable(&self, release: usize) -> Option<Candidate> {
        let version = self.listing.version(release);
        let candidate = self.evaluate(u32::try_from(release).ok()?, version).ok()?;
        (candidate.tier == Tier::Stable).then_some(candidate)
    }

    /// The candidate that a release makes, or why it makes none.
    fn evaluate(&self, release: u32, version: &Version) -> Result<Candidate, ExclusionReason> {
        self.check_prerelease(version)?;
        let summaries = &*self.listing.summaries(release as usize);
        let timely = self.uploaded_in_time(summaries)?;
        let permitted = self.of_permitted_format(summaries, timely)?;
        let allowed = self.with_allowed_hash(release, permitted)?;
        // A release is yanked when all of its files are; otherwise the yanked files alone are left out.
        let live = allowed.clone().filter(|file| !summaries[file as usize].is_yanked());
        let (tier, best, files) = match self.best_file(summaries, &live) {
            Some(best) => (self.tier(version), best, live),
            None => match self.best_file(summaries, &allowed) {
                Some(best) => (Tier::Yanked, best, allowed),
                None => return Err(self.why_no_file_fits(summaries, &allowed)),
            },
        };
        // Last, so that a constraint is named only where nothing else excludes the release.
        self.check_constraints(version)?;
        Ok(Candidate::new(self.listing, release, tier, best, files))
    }

    fn check_constraints(&self, version: &Version) -> Result<(), ExclusionReason> {
        match self.constraints.constraints.iter().find(|(specifiers, _)| !specifiers.contains(version)) {
            Some((_, at)) => Err(ExclusionReason::Constraint(at.clone())),
            None => Ok(()),
        }
    }

    fn check_prerelease(&self, version: &Version) -> Result<(), ExclusionReason> {
        if version.any_prerelease() && self.constraints.prerelease == PrereleaseMode::Disallow {
            return Err(ExclusionReason::Prerelease);
        }
        Ok(())
    }

    fn tier(&self, version: &Version) -> Tier {
        if version.any_prerelease() && self.constraints.prerelease != PrereleaseMode::Allow {
            Tier::Prerelease
        } else {
            Tier::Stable
        }
    }

    fn uploaded_in_time(&self, summaries: &[FileSummary]) -> Result<FileSelection, ExclusionReason> {
        let all = FileSelection::All(u32::try_from(summaries.len()).unwrap_or(u32::MAX));
        let of_package = self.policy.exclude_newer_packages.get(&self.listing.name).copied();
        let Some(limit) = of_package.or(self.policy.exclude_newer) else { return Ok(all) };
        // A file without an upload time may be newer than the limit.
        let timely = |file: u32| summaries[file as usize].uploaded().is_some_and(|at| at < limit);
        let kept = all.filter(timely);
        if !kept.is_empty() {
            return Ok(kept);
        }
        let uploaded = summaries.iter().find_map(FileSummary::uploaded);
        Err(uploaded.map_or(ExclusionReason::NoUploadTime, ExclusionReason::TooNew))
    }

    fn of_permitted_format(
        &self,
        summaries: &[FileSummary],
        files: FileSelection,
    ) -> Result<FileSelection, ExclusionReason> {
        let no_wheels = self.policy.no_binary.contains(&self.listing.name);
        let no_sdists = self.policy.only_binary.contains(&self.listing.name);
        let kept = files.filter(|file| match summaries[file as usize].kind() {
            DistKind::Wheel { .. } => !no_wheels,
            DistKind::Sdist => !no_sdists,
        });
        match kept.is_empty() {
            false => Ok(kept),
            true if no_wheels => Err(ExclusionReason::OnlyWheels),
            true => Err(ExclusionReason::OnlySdists),
        }
    }

    fn with_allowed_hash(
        &self,
        release: u32,
        files: FileSelection,
    ) -> Result<FileSelection, ExclusionReason> {
        let allowed = &self.constraints.hashes;
        // Before the files are looked at: that decodes the whole release, and few users name hashes.
        if allowed.is_empty() {
            return Ok(files);
        }
        let listed = self.listing.files(release as usize);
        let is_allowed = |hash| allowed.contains(&hash);
        let kept = files.filter(|file| listed[file as usize].sha256.is_some_and(is_allowed));
        if kept.is_empty() { Err(ExclusionReason::NoAllowedHash) } else { Ok(kept) }
    }

    /// The file that an installer would take in the target: the wheel whose tag ranks best, the highest build tag among
    /// equals; else an sdist.
    fn best_file(&self, summaries: &[FileSummary], files: &FileSelection) -> Option<u32> {
        let running = || files.iter().filter(|&file| self.permits_python(&summaries[file as usize]));
        let best_wheel = |ranks: &[OnceCell<Option<u32>>], target: &SupportedTags| {
            let rank =
                |tags: u32| *ranks[tags as usize].get_or_init(|| target.rank(self.listing.tag_set(tags)));
            let ranked = running().filter_map(|file| match summaries[file as usize].kind() {
                DistKind::Wheel { tags, build_rank } => Some((rank(tags)?, build_rank, file)),
                DistKind::Sdist => None,
            });
            // Of equals the first in the listing, so that the choice is the same in every run.
            ranked.min().map(|(_, _, file)| file)
        };
        let sdist = || {
            let sdist = running().find(|&file| summaries[file as usize].kind() == DistKind::Sdist)?;
            // A wheel for another platform has the same metadata, and spares a build.
            Some(best_wheel(&self.metadata_only_ranks, self.target.metadata_only_tags()).unwrap_or(sdist))
        };
        best_wheel(&self.ranks, self.target.tags()).or_else(sdist)
    }

    /// Whether the file's Requires-Python permits the target's Python. Only lower bounds exclude: upper bounds are
    /// mostly guesses about the future.
    fn permits_python(&self, summary: &FileSummary) -> bool {
        summary.python().is_none_or(|python| {
            let permits = || self.listing.requires_python(python).lower_bounds_contain(self.target.python());
            *self.runs_on[python as usize].get_or_init(permits)
        })
    }

    fn why_no_file_fits(&self, summaries: &[FileSummary], files: &FileSelection) -> ExclusionReason {
        let summaries = || files.iter().map(|file| &summaries[file as usize]);
        let excluding =
            summaries().filter(|summary| !self.permits_python(summary)).find_map(FileSummary::python);
        if let Some(python) = excluding {
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

//! Which releases of a listing may be chosen for a target: decided on outlines, no file is read.

use std::cell::OnceCell;
use std::sync::Arc;

use super::candidates::{Candidate, Demands, Places, Reason, Standing};
use super::policy::{Policy, PrereleaseMode};
use pinfast_packaging::{Form, Listing, Outline, TagSet, Tags, Target, Version};

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
    pub(super) fn judge(&self, number: u32, version: &Version) -> Result<Candidate, Reason> {
        self.prerelease_allowed(version)?;
        let outlines = &*self.listing.outlines(number as usize);
        let timely = self.old_enough(outlines)?;
        let permitted = self.of_permitted_format(outlines, timely)?;
        let allowed = self.of_allowed_hash(number, permitted)?;
        // A release is yanked when all of its files are; otherwise the yanked files alone are left out.
        let live = allowed.clone().narrowed(|place| !outlines[place as usize].is_yanked());
        let (standing, best, files) = match self.best(outlines, &live) {
            Some(best) => (self.standing(version), best, live),
            None => match self.best(outlines, &allowed) {
                Some(best) => (Standing::Yanked, best, allowed),
                None => return Err(self.why_none_fits(outlines, &allowed)),
            },
        };
        // Last, so that a constraint is named only where nothing else bars the release.
        self.bound_by_constraints(version)?;
        Ok(Candidate::new(self.listing, number, standing, best, files))
    }

    fn bound_by_constraints(&self, version: &Version) -> Result<(), Reason> {
        match self.demands.constraints.iter().find(|(specifiers, _)| !specifiers.contains(version)) {
            Some((_, at)) => Err(Reason::Constraint(at.clone())),
            None => Ok(()),
        }
    }

    fn prerelease_allowed(&self, version: &Version) -> Result<(), Reason> {
        if version.any_prerelease() && self.demands.prerelease == PrereleaseMode::Disallow {
            return Err(Reason::Prerelease);
        }
        Ok(())
    }

    fn standing(&self, version: &Version) -> Standing {
        if version.any_prerelease() && self.demands.prerelease != PrereleaseMode::Allow {
            Standing::Prerelease
        } else {
            Standing::Stable
        }
    }

    fn old_enough(&self, outlines: &[Outline]) -> Result<Places, Reason> {
        let all = Places::All(u32::try_from(outlines.len()).unwrap_or(u32::MAX));
        let of_package = self.policy.exclude_newer_packages.get(&self.listing.name).copied();
        let Some(limit) = of_package.or(self.policy.exclude_newer) else { return Ok(all) };
        let timely = |place: u32| outlines[place as usize].uploaded().is_some_and(|at| at < limit);
        let kept = all.narrowed(timely);
        if !kept.is_empty() {
            return Ok(kept);
        }
        let uploaded = outlines.iter().find_map(Outline::uploaded);
        Err(uploaded.map_or(Reason::NoUploadTime, Reason::TooNew))
    }

    fn of_permitted_format(&self, outlines: &[Outline], places: Places) -> Result<Places, Reason> {
        let wheels_barred = self.policy.no_binary.contains(&self.listing.name);
        let sdists_barred = self.policy.only_binary.contains(&self.listing.name);
        let kept = places.narrowed(|place| match outlines[place as usize].form() {
            Form::Wheel { .. } => !wheels_barred,
            Form::Sdist => !sdists_barred,
        });
        match kept.is_empty() {
            false => Ok(kept),
            true if wheels_barred => Err(Reason::OnlyWheels),
            true => Err(Reason::OnlySdists),
        }
    }

    fn of_allowed_hash(&self, number: u32, places: Places) -> Result<Places, Reason> {
        let allowed = &self.demands.hashes;
        if allowed.is_empty() {
            return Ok(places);
        }
        let files = self.listing.files(number as usize);
        let is_allowed = |hash| allowed.contains(&hash);
        let kept = places.narrowed(|place| files[place as usize].sha256.is_some_and(is_allowed));
        if kept.is_empty() { Err(Reason::NoAllowedHash) } else { Ok(kept) }
    }

    /// The file that an installer would take in the target: the wheel whose tag ranks best, the highest
    /// build tag among equals; else an sdist.
    fn best(&self, outlines: &[Outline], places: &Places) -> Option<u32> {
        let running = || places.iter().filter(|&place| self.runs(&outlines[place as usize]));
        let wheel = |ranks: &[OnceCell<Option<u32>>], target: &Tags| {
            let rank =
                |tags: u32| *ranks[tags as usize].get_or_init(|| target.rank(self.listing.tag_set(tags)));
            let ranked = running().filter_map(|place| match outlines[place as usize].form() {
                Form::Wheel { tags, turn } => Some((rank(tags)?, turn, place)),
                Form::Sdist => None,
            });
            ranked.min().map(|(_, _, place)| place)
        };
        let sdist = || {
            let sdist = running().find(|&place| outlines[place as usize].form() == Form::Sdist)?;
            Some(wheel(&self.foreign_ranks, self.target.foreign_tags()).unwrap_or(sdist))
        };
        wheel(&self.ranks, self.target.tags()).or_else(sdist)
    }

    fn runs(&self, outline: &Outline) -> bool {
        outline.python().is_none_or(|python| {
            let holds = || self.listing.requires_python(python).lower_bounds_contain(self.target.python());
            *self.pythons[python as usize].get_or_init(holds)
        })
    }

    fn why_none_fits(&self, outlines: &[Outline], places: &Places) -> Reason {
        let outlines = || places.iter().map(|place| &outlines[place as usize]);
        let barring = outlines().filter(|outline| !self.runs(outline)).find_map(Outline::python);
        if let Some(python) = barring {
            return Reason::RequiresPython(self.listing.requires_python(python).clone());
        }
        let tags = outlines().filter_map(|outline| match outline.form() {
            Form::Wheel { tags, .. } => Some(self.listing.tag_set(tags).clone()),
            Form::Sdist => None,
        });
        let mut tags: Vec<TagSet> = tags.collect();
        tags.sort();
        tags.dedup();
        Reason::NoMatchingWheel(tags)
    }
}

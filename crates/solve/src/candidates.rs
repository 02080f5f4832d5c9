//! A listing -> the candidates of a package, numbered ascending by version, each with the file that
//! would be installed; and what is barred, each with its [`ExclusionReason`].

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use rustc_hash::FxHashSet;

use super::judge::Judge;
use super::policy::{Policy, PrereleaseMode};
use super::set::{Ordinal, OrdinalSet};
use pinfast_packaging::{
    DirectUrl, DistFile, Listing, Location, PackageName, Sha256, SpecifierSet, TagSet, Target, Version,
};

/// The candidates of one package for one target.
#[derive(Debug)]
pub struct Candidates {
    /// The package.
    pub name: PackageName,
    /// What may be chosen, ascending by version; a candidate's place is its ordinal.
    pub usable: Vec<Candidate>,
    /// What may not, ascending by version.
    pub excluded: Vec<(Version, ExclusionReason)>,
    /// What the project's page held that could not be used, each a sentence.
    pub warnings: Vec<String>,
    /// Whether any index knows the project.
    pub project: ProjectLookup,
    /// How much of the project was looked at.
    pub(super) extent: Extent,
}

/// How much of a project was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    /// The one release that is taken where nothing speaks against it.
    First,
    /// The one release that an exact pin of a requirement asks for.
    Pinned,
    /// Every release.
    Whole,
}

/// Whether an index knows a project.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProjectLookup {
    /// One does.
    Found,
    /// None does.
    NotFound,
}

/// One release that may be chosen. Its files are read when they are asked for.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// Its version.
    pub version: Version,
    /// When it may be chosen.
    pub tier: Tier,
    /// The URL of the `name @ URL` requirement that it comes from.
    pub url: Option<Arc<DirectUrl>>,
    listing: Arc<Listing>,
    /// Its number in the listing.
    number: u32,
    /// Which of its files would be installed in the target.
    best: u32,
    permitted: Places,
}

/// Some files of a release, by their places in it, ascending.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Places {
    /// All of so many.
    All(u32),
    These(Box<[u32]>),
}

/// When a candidate may be chosen: before all others, or only as a last resort.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tier {
    /// An ordinary release.
    Stable,
    /// A pre-release or a development release: when no stable one fits.
    Prerelease,
    /// A yanked release (PEP 592): only under an exact pin.
    Yanked,
}

/// Why a release is barred.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExclusionReason {
    /// Uploaded at or after the `--exclude-newer` instant.
    TooNew(Timestamp),
    /// `--exclude-newer` is set and the index does not tell when it was uploaded.
    NoUploadTime,
    /// A pre-release where the policy wants none.
    Prerelease,
    /// Its Requires-Python does not hold.
    RequiresPython(SpecifierSet),
    /// Wheels, but none for the target, and no sdist: the wheels' tags.
    NoMatchingWheel(Vec<TagSet>),
    /// Only sdists, and these may not be taken.
    OnlySdists,
    /// Only wheels, and these may not be taken.
    OnlyWheels,
    /// None of its files has a hash that the inputs name.
    NoAllowedHash,
    /// A constraint of the user.
    Constraint(Location),
    /// Yanked, and no exact pin asks for it.
    Yanked,
    /// Only a build would tell its metadata, and none may be done: a sentence without a full stop.
    BuildForbidden(Arc<str>),
    /// Its metadata is of no use, or asks for what cannot be: a sentence likewise.
    InvalidMetadata(Arc<str>),
}

/// What the user's inputs demand of one package besides versions.
#[derive(Clone, Debug, Default)]
pub(super) struct Demands {
    /// The constraints on it.
    pub(super) constraints: Vec<(SpecifierSet, Location)>,
    /// The hashes that its files may have; empty is any.
    pub(super) hashes: FxHashSet<Sha256>,
    /// The pre-release mode for it, `Explicit` already settled.
    pub(super) prerelease: PrereleaseMode,
}

impl Places {
    /// The places.
    pub(super) fn iter(&self) -> impl Iterator<Item = u32> {
        let (all, these): (u32, &[u32]) = match self {
            Self::All(count) => (*count, &[]),
            Self::These(these) => (0, these),
        };
        (0..all).chain(these.iter().copied())
    }

    /// Those of them that `holds` says yes to.
    pub(super) fn narrowed(self, holds: impl Fn(u32) -> bool) -> Self {
        if self.iter().all(&holds) {
            self
        } else {
            Self::These(self.iter().filter(|&place| holds(place)).collect())
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }
}

impl Candidate {
    /// The release `number` of `listing`.
    pub(super) fn new(listing: &Arc<Listing>, number: u32, tier: Tier, best: u32, permitted: Places) -> Self {
        let (version, listing) = (listing.version(number as usize).clone(), Arc::clone(listing));
        Self { version, tier, url: None, listing, number, best, permitted }
    }

    /// The file that would be installed in the target.
    #[must_use]
    pub fn file(&self) -> &Arc<DistFile> {
        &self.listing.files(self.number as usize)[self.best as usize]
    }

    /// All files of the release that the policy permits, whatever the target.
    pub fn files(&self) -> impl Iterator<Item = &Arc<DistFile>> {
        let all = self.listing.files(self.number as usize);
        self.permitted.iter().map(|place| &all[place as usize])
    }
}

impl Candidates {
    /// The candidates of `listing` for `target`.
    pub(super) fn new(listing: &Arc<Listing>, target: &Target, policy: &Policy, demands: &Demands) -> Self {
        let judge = Judge::new(listing, target, policy, demands);
        let mut candidates = Self::none(&listing.name, ProjectLookup::Found);
        candidates.warnings.clone_from(&listing.warnings);
        for (number, version) in (0..).zip(listing.versions()) {
            match judge.judge(number, version) {
                Ok(candidate) => candidates.usable.push(candidate),
                Err(reason) => candidates.excluded.push((version.clone(), reason)),
            }
        }
        candidates
    }

    /// The stable one of them that is taken where nothing speaks against it: of the `preferred` releases the
    /// first that may be chosen, else the newest. `None` where there is none.
    pub(super) fn first(
        listing: &Arc<Listing>,
        target: &Target,
        policy: &Policy,
        demands: &Demands,
        preferred: &[Version],
    ) -> Option<Self> {
        let judge = Judge::new(listing, target, policy, demands);
        let stable = |number: usize| {
            let candidate = judge.judge(u32::try_from(number).ok()?, listing.version(number)).ok()?;
            (candidate.tier == Tier::Stable).then_some(candidate)
        };
        let preferred = preferred.iter().filter_map(|version| listing.position(version)).find_map(stable);
        let first = preferred.or_else(|| (0..listing.len()).rev().find_map(stable))?;
        Some(Self::only(first, listing, Extent::First))
    }

    /// No candidates at all.
    pub(super) fn none(name: &PackageName, project: ProjectLookup) -> Self {
        let (usable, excluded, warnings) = (Vec::new(), Vec::new(), Vec::new());
        Self { name: name.clone(), usable, excluded, warnings, project, extent: Extent::Whole }
    }

    /// Adds the candidates of the file at a `name @ URL` requirement.
    pub(super) fn add_direct(&mut self, direct: Self, url: &DirectUrl) {
        let url = Some(Arc::new(url.clone()));
        let with_url = direct.usable.into_iter().map(|candidate| Candidate { url: url.clone(), ..candidate });
        self.usable.extend(with_url);
        self.excluded.extend(direct.excluded);
        self.usable.sort_by(|a, b| a.version.cmp(&b.version));
    }

    /// How many may be chosen.
    #[must_use]
    pub fn count(&self) -> Ordinal {
        Ordinal::try_from(self.usable.len()).unwrap_or(Ordinal::MAX)
    }

    /// The one release that `pin` asks for, where it is stable and may be chosen.
    pub(super) fn pinned(
        listing: &Arc<Listing>,
        target: &Target,
        policy: &Policy,
        demands: &Demands,
        pin: &Version,
    ) -> Option<Self> {
        // An exact pin without a local version permits any.
        let is_meant = |version: &Version| {
            version == pin || (version.is_local() && version.clone().without_local() == *pin)
        };
        let mut meant = (0..listing.len()).filter(|&number| is_meant(listing.version(number)));
        let (Some(number), None) = (meant.next(), meant.next()) else { return None };
        let judge = Judge::new(listing, target, policy, demands);
        let pinned = judge.judge(u32::try_from(number).ok()?, listing.version(number)).ok()?;
        (pinned.tier == Tier::Stable).then(|| Self::only(pinned, listing, Extent::Pinned))
    }

    /// One candidate of `listing`, of which no other was looked at.
    fn only(candidate: Candidate, listing: &Listing, extent: Extent) -> Self {
        let none = Self::none(&listing.name, ProjectLookup::Found);
        Self { usable: vec![candidate], warnings: listing.warnings.clone(), extent, ..none }
    }

    /// The one release that was looked at, where there is but one.
    pub(super) fn only_first(&self) -> Option<&Candidate> {
        match self.extent {
            Extent::First | Extent::Pinned => self.usable.first(),
            Extent::Whole => None,
        }
    }

    /// Whether at most one of those in `set` may be chosen, as far as is known.
    pub(super) fn leaves_no_choice(&self, set: &OrdinalSet) -> bool {
        match self.extent {
            Extent::First => false,
            Extent::Pinned => true,
            Extent::Whole => set.len(self.count()) < 2,
        }
    }

    /// A number in `set` that stands for some other release than those that were looked at, if there may be one.
    pub(super) fn beyond(&self, set: &OrdinalSet) -> Option<Ordinal> {
        let count = self.count();
        set.ordinals(count.saturating_add(2)).find(|ordinal| *ordinal >= count)
    }

    /// Whether no release was looked at but the one that is taken where nothing speaks against it.
    pub(super) fn is_only_first(&self) -> bool {
        self.extent == Extent::First
    }

    /// Whether no release was looked at but one that a requirement pins.
    pub(super) fn is_only_pinned(&self) -> bool {
        self.extent == Extent::Pinned
    }

    /// The candidate with this number.
    ///
    /// # Panics
    /// When there is none: a number is only ever taken from these candidates.
    #[must_use]
    pub fn get(&self, ordinal: Ordinal) -> &Candidate {
        &self.usable[ordinal as usize]
    }

    /// The newest release of the best tier there is; one that only a constraint bars counts as well.
    #[must_use]
    pub fn newest(&self) -> Option<&Version> {
        let tier = self.usable.iter().map(|candidate| candidate.tier).min()?;
        let usable = self.usable.iter().filter(|candidate| candidate.tier == tier);
        let by_constraint = |(version, reason): &&(Version, ExclusionReason)| {
            matches!(reason, ExclusionReason::Constraint(_)) && !version.any_prerelease()
        };
        let constrained = self.excluded.iter().filter(by_constraint).map(|(version, _)| version);
        usable.map(|candidate| &candidate.version).chain(constrained).max()
    }

    /// The candidates that match.
    pub fn matching(&self, specifiers: &SpecifierSet) -> OrdinalSet {
        if specifiers.is_empty() {
            return OrdinalSet::matching(self.count(), |_| true);
        }
        OrdinalSet::matching(self.count(), |ordinal| specifiers.contains(&self.get(ordinal).version))
    }

    /// The candidates that come from this URL.
    pub fn at_url(&self, url: &DirectUrl) -> OrdinalSet {
        OrdinalSet::matching(self.count(), |ordinal| self.get(ordinal).url.as_deref() == Some(url))
    }
}

/// The rest of a sentence that begins with the release: `2.0 needs Python >=3.12`.
impl fmt::Display for ExclusionReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooNew(at) => {
                write!(f, "was uploaded on {}, which --exclude-newer bars", at.strftime("%Y-%m-%d"))
            }
            Self::NoUploadTime => f.write_str("has no upload time, so --exclude-newer bars it"),
            Self::Prerelease => f.write_str("is a pre-release"),
            Self::RequiresPython(specifiers) => write!(f, "needs Python {specifiers}"),
            Self::NoMatchingWheel(_) => f.write_str("has no wheel for this target and no sdist"),
            Self::OnlySdists => f.write_str("has only sdists, which --only-binary bars"),
            Self::OnlyWheels => f.write_str("has only wheels, which --no-binary bars"),
            Self::NoAllowedHash => f.write_str("has no file with a hash that the inputs name"),
            Self::Constraint(at) => write!(f, "is excluded by the constraint at {at}"),
            Self::Yanked => f.write_str("was yanked from the index"),
            Self::BuildForbidden(why) => write!(f, "must be built from source: {why}"),
            Self::InvalidMetadata(why) => write!(f, "has invalid metadata: {why}"),
        }
    }
}

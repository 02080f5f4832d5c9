//! The candidates of a package: the releases that may be chosen, numbered ascending by version, and the excluded
//! ones, each with its [`ExclusionReason`].
//!
//! `evaluator.rs` makes them from a listing. A candidate's number is its *ordinal*; the solver works on ordinals, not on
//! versions (see `ordinal_set.rs`).

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use rustc_hash::FxHashSet;

use super::ordinal_set::{Ordinal, OrdinalSet};
use super::policy::PrereleaseMode;
use pinfast_packaging::{
    DirectUrl, DistFile, Listing, Location, PackageName, Sha256, SpecifierSet, TagSet, Version,
};

/// The candidates of one package for one target.
#[derive(Debug)]
pub struct Candidates {
    /// The package.
    pub name: PackageName,
    /// The releases that may be chosen, ascending by version; the index of one is its ordinal.
    pub usable: Vec<Candidate>,
    /// The releases that may not, ascending by version.
    pub excluded: Vec<(Version, ExclusionReason)>,
    /// What the project's page held that could not be used, each a sentence.
    pub warnings: Vec<String>,
    /// Whether any index has the project.
    pub project: ProjectLookup,
    /// Which of the project's releases were evaluated.
    pub(super) coverage: Coverage,
}

/// Which releases of a project were evaluated; see `lazy_candidates.rs`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coverage {
    /// Only the release that is taken if nothing excludes it.
    First,
    /// Only the release that a requirement pins exactly.
    Pinned,
    /// All of them.
    All,
}

/// Whether an index has a project.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProjectLookup {
    /// One has it.
    Found,
    /// None has it.
    NotFound,
}

/// One release that may be chosen. Its files are parsed only when asked for.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// Its version.
    pub version: Version,
    /// Its order of preference among the candidates that fit.
    pub tier: Tier,
    /// The URL, if a `name @ URL` requirement named it.
    pub url: Option<Arc<DirectUrl>>,
    listing: Arc<Listing>,
    /// Its index in the listing.
    release: u32,
    /// The index of the file that an installer would take in the target.
    best: u32,
    permitted: FileSelection,
}

/// Some files of a release, by their indexes in it, ascending.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum FileSelection {
    /// All of a release with so many.
    All(u32),
    /// These.
    Some(Box<[u32]>),
}

/// The order of preference among candidates that fit: a lower tier wins, whatever the versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tier {
    /// An ordinary release.
    Stable,
    /// A pre-release or development release: only when no stable one fits.
    Prerelease,
    /// A yanked release (PEP 592): only under an exact pin.
    Yanked,
}

/// Why a release may not be chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExclusionReason {
    /// Uploaded at or after the `--exclude-newer` instant.
    TooNew(Timestamp),
    /// `--exclude-newer` is set and the index gives no upload time.
    NoUploadTime,
    /// A pre-release, and the policy permits none.
    Prerelease,
    /// Its Requires-Python excludes the target's Python.
    RequiresPython(SpecifierSet),
    /// It has wheels, but none for the target, and no sdist: the wheels' tags.
    NoMatchingWheel(Vec<TagSet>),
    /// It has only sdists, and `--only-binary` excludes these.
    OnlySdists,
    /// It has only wheels, and `--no-binary` excludes these.
    OnlyWheels,
    /// None of its files has a hash that the inputs name.
    NoAllowedHash,
    /// A constraint of the user excludes it.
    Constraint(Location),
    /// Yanked, and no exact pin asks for it.
    Yanked,
    /// Only a build could produce its metadata, and builds are forbidden: a sentence without a full stop.
    BuildForbidden(Arc<str>),
    /// Its metadata is unreadable, or requires what cannot be: a sentence likewise.
    InvalidMetadata(Arc<str>),
}

/// What the user's inputs demand of one package besides the versions that requirements permit.
#[derive(Clone, Debug, Default)]
pub(super) struct PackageConstraints {
    /// The constraints on it, each with its place.
    pub(super) constraints: Vec<(SpecifierSet, Location)>,
    /// The hashes that its files may have; empty permits any.
    pub(super) hashes: FxHashSet<Sha256>,
    /// The pre-release mode for it; never `Explicit`, which the inputs have decided.
    pub(super) prerelease: PrereleaseMode,
}

impl FileSelection {
    /// The indexes.
    pub(super) fn iter(&self) -> impl Iterator<Item = u32> {
        // Both variants as one iterator, without a box.
        let (all, some): (u32, &[u32]) = match self {
            Self::All(count) => (*count, &[]),
            Self::Some(some) => (0, some),
        };
        (0..all).chain(some.iter().copied())
    }

    /// Those of them that satisfy `keep`.
    pub(super) fn filter(self, keep: impl Fn(u32) -> bool) -> Self {
        // Mostly all stay, and then nothing is allocated.
        if self.iter().all(&keep) {
            self
        } else {
            Self::Some(self.iter().filter(|&file| keep(file)).collect())
        }
    }

    /// Whether no file is left.
    pub(super) fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }
}

impl Candidate {
    /// The candidate that is `release` of `listing`.
    pub(super) fn new(
        listing: &Arc<Listing>,
        release: u32,
        tier: Tier,
        best: u32,
        permitted: FileSelection,
    ) -> Self {
        let (version, listing) = (listing.version(release as usize).clone(), Arc::clone(listing));
        Self { version, tier, url: None, listing, release, best, permitted }
    }

    /// The file that an installer would take in the target.
    #[must_use]
    pub fn file(&self) -> &Arc<DistFile> {
        &self.listing.files(self.release as usize)[self.best as usize]
    }

    /// All files of the release that the policy permits, for any target.
    pub fn files(&self) -> impl Iterator<Item = &Arc<DistFile>> {
        let all = self.listing.files(self.release as usize);
        self.permitted.iter().map(|file| &all[file as usize])
    }
}

impl Candidates {
    /// No candidates at all.
    pub(super) fn none(name: &PackageName, project: ProjectLookup) -> Self {
        let (usable, excluded, warnings) = (Vec::new(), Vec::new(), Vec::new());
        Self { name: name.clone(), usable, excluded, warnings, project, coverage: Coverage::All }
    }

    /// One candidate of `listing`, the only one that was evaluated.
    pub(super) fn single(candidate: Candidate, listing: &Listing, coverage: Coverage) -> Self {
        let none = Self::none(&listing.name, ProjectLookup::Found);
        Self { usable: vec![candidate], warnings: listing.warnings.clone(), coverage, ..none }
    }

    /// Adds the candidates of the file at the URL of a `name @ URL` requirement.
    pub(super) fn add_direct_url(&mut self, direct: Self, url: &DirectUrl) {
        let url = Some(Arc::new(url.clone()));
        let with_url = direct.usable.into_iter().map(|candidate| Candidate { url: url.clone(), ..candidate });
        self.usable.extend(with_url);
        self.excluded.extend(direct.excluded);
        // The index of a candidate is its ordinal, and ordinals follow the versions.
        self.usable.sort_by(|a, b| a.version.cmp(&b.version));
    }

    /// How many candidates there are: the ordinals are all numbers below.
    #[must_use]
    pub fn count(&self) -> Ordinal {
        Ordinal::try_from(self.usable.len()).unwrap_or(Ordinal::MAX)
    }

    /// The only evaluated release; `None` where all were evaluated.
    pub(super) fn sole(&self) -> Option<&Candidate> {
        match self.coverage {
            Coverage::First | Coverage::Pinned => self.usable.first(),
            Coverage::All => None,
        }
    }

    /// Whether at most one candidate in `set` can be chosen, as far as is known.
    pub(super) fn is_singleton(&self, set: &OrdinalSet) -> bool {
        match self.coverage {
            // Any other release may turn out to be chosen.
            Coverage::First => false,
            Coverage::Pinned => true,
            Coverage::All => set.len(self.count()) < 2,
        }
    }

    /// An ordinal in `set` that stands for a release that was not evaluated, if there may be one.
    pub(super) fn unseen_ordinal(&self, set: &OrdinalSet) -> Option<Ordinal> {
        let count = self.count();
        set.ordinals(count.saturating_add(2)).find(|ordinal| *ordinal >= count)
    }

    /// The candidate with this ordinal.
    ///
    /// # Panics
    /// When there is none: an ordinal only ever comes from these candidates.
    #[must_use]
    pub fn get(&self, ordinal: Ordinal) -> &Candidate {
        &self.usable[ordinal as usize]
    }

    /// The newest release of the best tier. A release that only a constraint excludes counts too.
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

    /// The ordinals of the candidates that the specifiers permit.
    pub fn matching(&self, specifiers: &SpecifierSet) -> OrdinalSet {
        if specifiers.is_empty() {
            return OrdinalSet::matching(self.count(), |_| true);
        }
        OrdinalSet::matching(self.count(), |ordinal| specifiers.contains(&self.get(ordinal).version))
    }

    /// The ordinals of the candidates that come from this URL.
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

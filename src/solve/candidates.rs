//! A listing -> the candidates of a package, numbered ascending by version, each with the file that
//! would be installed; and what is barred, each with its [`Reason`].

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use rustc_hash::FxHashSet;

use super::policy::{Policy, PrereleaseMode};
use super::set::{Ordinal, OrdinalSet};
use crate::spec::{
    DirectUrl, DistFile, DistName, Listing, Location, PackageName, Release, Sha256, Specifiers, TagSet, Tags,
    Target, Version,
};

/// The candidates of one package for one target.
#[derive(Debug)]
pub struct Candidates {
    /// The package.
    pub name: PackageName,
    /// What may be chosen, ascending by version; a candidate's place is its ordinal.
    pub usable: Vec<Candidate>,
    /// What may not, ascending by version.
    pub barred: Vec<(Version, Reason)>,
    /// What the project's page held that could not be used, each a sentence.
    pub warnings: Vec<String>,
    /// Whether any index knows the project.
    pub project: Project,
}

/// Whether an index knows a project.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Project {
    /// One does.
    Known,
    /// None does.
    Unknown,
}

/// One release that may be chosen.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// Its version.
    pub version: Version,
    /// When it may be chosen.
    pub standing: Standing,
    /// The file that would be installed in the target.
    pub file: Arc<DistFile>,
    /// All files of the release that the policy permits, whatever the target.
    pub files: Vec<Arc<DistFile>>,
    /// The URL of the `name @ URL` requirement that it comes from.
    pub url: Option<DirectUrl>,
}

/// When a candidate may be chosen: before all others, or only as a last resort.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// An ordinary release.
    Stable,
    /// A pre-release or a development release: when no stable one fits.
    Prerelease,
    /// A yanked release (PEP 592): only under an exact pin.
    Yanked,
}

/// Why a release is barred.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Uploaded at or after the `--exclude-newer` instant.
    TooNew(Timestamp),
    /// `--exclude-newer` is set and the index does not tell when it was uploaded.
    NoUploadTime,
    /// A pre-release where the policy wants none.
    Prerelease,
    /// Its Requires-Python does not hold.
    RequiresPython(Specifiers),
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
}

/// What the user's inputs demand of one package besides versions.
#[derive(Clone, Debug, Default)]
pub(super) struct Demands {
    /// The constraints on it.
    pub(super) constraints: Vec<(Specifiers, Location)>,
    /// The hashes that its files may have; empty is any.
    pub(super) hashes: FxHashSet<Sha256>,
    /// The pre-release mode for it, `Explicit` already settled.
    pub(super) prerelease: PrereleaseMode,
}

impl Candidates {
    /// The candidates of `listing` for `target`.
    pub(super) fn new(listing: &Listing, target: &Target, policy: &Policy, demands: &Demands) -> Self {
        let judge = Judge { name: &listing.name, target, policy, demands };
        let mut candidates = Self::none(&listing.name, Project::Known);
        candidates.warnings.clone_from(&listing.warnings);
        for release in &listing.releases {
            match judge.judge(release) {
                Ok(candidate) => candidates.usable.push(candidate),
                Err(reason) => candidates.barred.push((release.version.clone(), reason)),
            }
        }
        candidates
    }

    /// No candidates at all.
    pub(super) fn none(name: &PackageName, project: Project) -> Self {
        Self { name: name.clone(), usable: Vec::new(), barred: Vec::new(), warnings: Vec::new(), project }
    }

    /// Adds the candidates of the file at a `name @ URL` requirement.
    pub(super) fn add_direct(&mut self, direct: Self, url: &DirectUrl) {
        let with_url =
            direct.usable.into_iter().map(|candidate| Candidate { url: Some(url.clone()), ..candidate });
        self.usable.extend(with_url);
        self.barred.extend(direct.barred);
        self.usable.sort_by(|a, b| a.version.cmp(&b.version));
    }

    /// How many may be chosen.
    #[must_use]
    pub fn count(&self) -> Ordinal {
        Ordinal::try_from(self.usable.len()).unwrap_or(Ordinal::MAX)
    }

    /// The candidate with this number.
    ///
    /// # Panics
    /// When there is none: a number is only ever taken from these candidates.
    #[must_use]
    pub fn get(&self, ordinal: Ordinal) -> &Candidate {
        &self.usable[ordinal as usize]
    }

    /// The newest release of the best standing there is; one that only a constraint bars counts as well.
    #[must_use]
    pub fn newest(&self) -> Option<&Version> {
        let standing = self.usable.iter().map(|candidate| candidate.standing).min()?;
        let usable = self.usable.iter().filter(|candidate| candidate.standing == standing);
        let by_constraint = |(version, reason): &&(Version, Reason)| {
            matches!(reason, Reason::Constraint(_)) && !version.any_prerelease()
        };
        let constrained = self.barred.iter().filter(by_constraint).map(|(version, _)| version);
        usable.map(|candidate| &candidate.version).chain(constrained).max()
    }

    /// The candidates that match.
    pub(crate) fn matching(&self, specifiers: &Specifiers) -> OrdinalSet {
        if specifiers.is_empty() {
            return OrdinalSet::matching(self.count(), |_| true);
        }
        OrdinalSet::matching(self.count(), |ordinal| specifiers.contains(&self.get(ordinal).version))
    }

    /// The candidates that come from this URL.
    pub(crate) fn at_url(&self, url: &DirectUrl) -> OrdinalSet {
        OrdinalSet::matching(self.count(), |ordinal| self.get(ordinal).url.as_ref() == Some(url))
    }
}

/// Decides on the releases of one package.
struct Judge<'a> {
    name: &'a PackageName,
    target: &'a Target,
    policy: &'a Policy,
    demands: &'a Demands,
}

impl Judge<'_> {
    /// The candidate that `release` makes, or why it makes none.
    fn judge(&self, release: &Release) -> Result<Candidate, Reason> {
        self.prerelease_allowed(&release.version)?;
        let timely = self.old_enough(&release.files)?;
        let permitted = self.of_permitted_format(&timely)?;
        let allowed = self.of_allowed_hash(permitted)?;
        // A release is yanked when all of its files are; otherwise the yanked files alone are left out.
        let live: Vec<_> = allowed.iter().filter(|file| file.yanked.is_none()).cloned().collect();
        let (standing, file, files) = match self.best(&live) {
            Ok(file) => (self.standing(&release.version), file, live),
            Err(_) => (Standing::Yanked, self.best(&allowed)?, allowed),
        };
        // Last, so that a constraint is named only where nothing else bars the release.
        self.bound_by_constraints(&release.version)?;
        Ok(Candidate { version: release.version.clone(), standing, file, files, url: None })
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

    fn old_enough(&self, files: &[Arc<DistFile>]) -> Result<Vec<Arc<DistFile>>, Reason> {
        let of_package = self.policy.exclude_newer_packages.get(self.name).copied();
        let Some(limit) = of_package.or(self.policy.exclude_newer) else { return Ok(files.to_vec()) };
        let kept: Vec<_> =
            files.iter().filter(|file| file.uploaded.is_some_and(|at| at < limit)).cloned().collect();
        if !kept.is_empty() {
            return Ok(kept);
        }
        Err(files.iter().find_map(|file| file.uploaded).map_or(Reason::NoUploadTime, Reason::TooNew))
    }

    fn of_permitted_format(&self, files: &[Arc<DistFile>]) -> Result<Vec<Arc<DistFile>>, Reason> {
        let wheels_barred = self.policy.no_binary.contains(self.name);
        let sdists_barred = self.policy.only_binary.contains(self.name);
        let permitted = |file: &&Arc<DistFile>| match file.dist {
            DistName::Wheel(_) => !wheels_barred,
            DistName::Sdist { .. } => !sdists_barred,
        };
        let kept: Vec<_> = files.iter().filter(permitted).cloned().collect();
        match kept.is_empty() {
            false => Ok(kept),
            true if wheels_barred => Err(Reason::OnlyWheels),
            true => Err(Reason::OnlySdists),
        }
    }

    fn of_allowed_hash(&self, files: Vec<Arc<DistFile>>) -> Result<Vec<Arc<DistFile>>, Reason> {
        let allowed = &self.demands.hashes;
        if allowed.is_empty() {
            return Ok(files);
        }
        let kept: Vec<_> = files
            .into_iter()
            .filter(|file| file.sha256.is_some_and(|hash| allowed.contains(&hash)))
            .collect();
        if kept.is_empty() { Err(Reason::NoAllowedHash) } else { Ok(kept) }
    }

    /// The file that an installer would take in the target: the wheel whose tag ranks best, the highest
    /// build tag among equals; else an sdist.
    fn best(&self, files: &[Arc<DistFile>]) -> Result<Arc<DistFile>, Reason> {
        let python = self.target.python();
        let runs = |file: &&Arc<DistFile>| {
            file.requires_python.as_ref().is_none_or(|r| r.lower_bounds_contain(python))
        };
        let wheel = |tags: &Tags| {
            let ranked = files.iter().filter(runs).filter_map(|file| match &file.dist {
                DistName::Wheel(wheel) => Some((tags.rank(wheel)?, std::cmp::Reverse(&wheel.build), file)),
                DistName::Sdist { .. } => None,
            });
            let best = ranked.min_by(|a, b| (a.0, &a.1, &a.2.filename).cmp(&(b.0, &b.1, &b.2.filename)));
            best.map(|(_, _, file)| file)
        };
        let sdist = || {
            let sdist = files.iter().filter(runs).find(|file| matches!(file.dist, DistName::Sdist { .. }))?;
            Some(wheel(self.target.foreign_tags()).unwrap_or(sdist))
        };
        match wheel(self.target.tags()).or_else(sdist) {
            Some(file) => Ok(file.clone()),
            None => Err(self.why_none_fits(files)),
        }
    }

    fn why_none_fits(&self, files: &[Arc<DistFile>]) -> Reason {
        let python = self.target.python();
        let mut barring = files.iter().filter_map(|file| file.requires_python.as_ref());
        if let Some(specifiers) = barring.find(|specifiers| !specifiers.lower_bounds_contain(python)) {
            return Reason::RequiresPython(specifiers.clone());
        }
        let mut tags: Vec<TagSet> = files.iter().filter_map(|file| tags(&file.dist)).cloned().collect();
        tags.sort();
        tags.dedup();
        Reason::NoMatchingWheel(tags)
    }
}

fn tags(dist: &DistName) -> Option<&TagSet> {
    match dist {
        DistName::Wheel(wheel) => Some(&wheel.tags),
        DistName::Sdist { .. } => None,
    }
}

/// The rest of a sentence that begins with the release: `2.0 needs Python >=3.12`.
impl fmt::Display for Reason {
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
        }
    }
}

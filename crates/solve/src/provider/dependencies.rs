//! A candidate's dependencies: its requirements as sets of ordinals, which decides how many releases of each package
//! are evaluated.

use std::sync::Arc;

use pubgrub::VersionSet as _;

use super::selector::metadata_query;
use super::{Provider, RunAbort};
use crate::candidates::{Candidate, Candidates, ExclusionReason, Tier};
use crate::dependencies::CandidateDependencies;
use crate::index::IndexQuery;
use crate::interner::{NameId, PackageId};
use crate::lazy_candidates::FIRST;
use crate::ordinal_set::{Ordinal, OrdinalSet};
use crate::package::Package;
use crate::requirements;
use pinfast_packaging::{DistFilename, MetadataSource, PackageName, Requirement, RequirementSource, Version};

impl Provider<'_> {
    /// The dependencies of the root: the lines of the inputs. A line that alone names its package is replaced by its own
    /// dependencies, which saves a decision in each run; the proof names the line all the same.
    fn of_root(&self) -> Result<Vec<(Package, OrdinalSet)>, RunAbort> {
        let mut dependencies = Vec::new();
        for (place, line) in self.index.problem.lines.iter().enumerate() {
            match self.index.lone_line(&line.requirement.name) {
                Some(_) => dependencies.extend(self.of_line(place)?),
                None => dependencies.push((Package::Line(place), OrdinalSet::singleton(0))),
            }
        }
        Ok(dependencies)
    }

    fn of_line(&self, line: usize) -> Result<Vec<(Package, OrdinalSet)>, RunAbort> {
        let problem = &*self.index.problem;
        let requirements = problem.apply_overrides(&problem.lines[line].requirement);
        let dependencies = merged(self.of_requirements(&requirements)?, &Package::Line(line));
        let mut search = self.search.borrow_mut();
        for (package, permitted) in &dependencies {
            let Package::Dist(name) = package else { continue };
            let name = search.interner.intern_name(name);
            if search.lazy.get(name).is_some_and(|candidates| candidates.is_singleton(permitted)) {
                search.mark_singleton(name);
            }
        }
        Ok(dependencies)
    }

    /// The dependencies of a candidate; computed once for all runs, until a package that they mention is widened.
    pub(super) fn dependencies(
        &self,
        package: PackageId,
        ordinal: Ordinal,
    ) -> Result<CandidateDependencies, RunAbort> {
        let name = self.search.borrow().interner.kind(package).name();
        if let Some(name) = name {
            let candidates = self.candidates(name, None)?;
            if ordinal >= candidates.count() {
                // An unseen release of a package to be widened: the run goes on as if it depended on nothing.
                return Ok(CandidateDependencies::Available(Arc::new([])));
            }
            // Before the cache is consulted: this run rests on the file either way.
            self.used_files.borrow_mut().push(candidates.get(ordinal).file().clone());
        }
        if let Some(cached) = self.search.borrow().cached_dependencies(package, ordinal) {
            return Ok(cached.clone());
        }
        if name.is_some_and(|name| self.needs_sdist_in_vain(name, ordinal)) {
            return Ok(CandidateDependencies::Available(Arc::new([])));
        }
        let requested = self.search.borrow().interner.package(package).clone();
        let dependencies = match &requested {
            Package::Root => Ok(self.of_root()?),
            Package::Line(line) => Ok(self.of_line(*line)?),
            Package::Dist(name) | Package::Extra(name, _) => self.of_candidate(&requested, name, ordinal)?,
        };
        let mut search = self.search.borrow_mut();
        let dependencies = dependencies.map_or_else(CandidateDependencies::Unavailable, |sets| {
            CandidateDependencies::Available(search.intern(sets))
        });
        search.cache_dependencies(package, ordinal, dependencies.clone());
        Ok(dependencies)
    }

    /// Whether a run that will be discarded would have to download or build an sdist for this candidate's dependencies.
    fn needs_sdist_in_vain(&self, name: NameId, ordinal: Ordinal) -> bool {
        let lazy = &self.search.borrow().lazy;
        let candidates = lazy.get(name).filter(|_| lazy.is_stale());
        candidates.is_some_and(|all| matches!(all.get(ordinal).file().dist, DistFilename::Sdist { .. }))
    }

    /// The dependencies of a candidate of `package`, which is the distribution `name` or an extra of it; or why the
    /// candidate cannot be chosen.
    fn of_candidate(
        &self,
        package: &Package,
        name: &PackageName,
        ordinal: Ordinal,
    ) -> Result<Result<Vec<(Package, OrdinalSet)>, ExclusionReason>, RunAbort> {
        let candidates = self.candidates(self.name_id(name), None)?;
        let candidate = candidates.get(ordinal);
        let metadata = match self.index.metadata(candidate)? {
            Ok(metadata) => metadata,
            Err(reason) => return Ok(Err(reason)),
        };
        if metadata.source == MetadataSource::Release {
            self.search.borrow_mut().mark_unconfirmed(candidate.file().clone());
        }
        let problem = &*self.index.problem;
        // The listing may give no Requires-Python where the metadata does.
        let python = metadata.requires_python.as_ref();
        if let Some(python) = python.filter(|python| !python.lower_bounds_contain(problem.target.python())) {
            return Ok(Err(ExclusionReason::RequiresPython(python.clone())));
        }
        let (mut dependencies, requirements) = match package {
            Package::Extra(_, extra) => {
                let itself = (Package::Dist(name.clone()), OrdinalSet::singleton(ordinal));
                (vec![itself], requirements::extra_requirements(problem, &metadata, extra))
            }
            _ => (Vec::new(), requirements::base_requirements(problem, &metadata)),
        };
        if let Some(why) = self.unsatisfiable(name, candidate, &requirements) {
            return Ok(Err(ExclusionReason::InvalidMetadata(why.into())));
        }
        // A requirement on its own project holds by now; pubgrub permits no package to depend on itself.
        let others = requirements.into_iter().filter(|r| r.name != *name || !r.extras.is_empty());
        dependencies.extend(self.of_requirements(&others.collect::<Vec<_>>())?);
        Ok(Ok(merged(dependencies, package)))
    }

    /// Why no choice of other packages can satisfy this candidate's requirements; `None` if one might.
    fn unsatisfiable(
        &self,
        name: &PackageName,
        candidate: &Candidate,
        requirements: &[&Requirement],
    ) -> Option<String> {
        requirements.iter().find_map(|requirement| {
            if requirements::contradicts_itself(requirement, name, candidate) {
                return Some(format!("it requires `{requirement}`, which it is not itself"));
            }
            let RequirementSource::Url(url) = &requirement.source else { return None };
            let is_named = self.index.problem.urls(&requirement.name).contains(&url);
            (!is_named).then(|| format!("it requires `{requirement}` by URL, which the inputs do not name"))
        })
    }

    /// The packages that `requirements` name, each with its permitted candidates; waits for the listings.
    fn of_requirements(&self, requirements: &[&Requirement]) -> Result<Vec<(Package, OrdinalSet)>, RunAbort> {
        let is_new = |requirement: &&&Requirement| self.evaluated(self.name_id(&requirement.name)).is_none();
        let new = requirements.iter().filter(is_new);
        let queries: Vec<_> = new.map(|r| self.index.first_query(&r.name, r.specifiers())).collect();
        // All at once, so that the loop below waits for one round trip, not for one each.
        self.index.source.prefetch(&queries);
        let mut dependencies = Vec::new();
        for requirement in requirements {
            let permitted = self.permitted(requirement)?;
            let packages = requirements::required_packages(requirement);
            dependencies.extend(packages.map(|package| (package, permitted.clone())));
        }
        Ok(dependencies)
    }

    /// The candidates that a requirement permits: any, as long as the package's first release is one of them and no other
    /// was evaluated.
    fn permitted(&self, requirement: &Requirement) -> Result<OrdinalSet, RunAbort> {
        let name = self.name_id(&requirement.name);
        let mut candidates = self.candidates(name, requirement.specifiers().pinned())?;
        if let Some(first) = candidates.sole() {
            if requirement.specifiers().contains(&first.version) {
                // Once a package: for later requirements it is on its way.
                if !self.search.borrow().lazy.is_registered(name) {
                    self.index.source.prefetch(&[metadata_query(&candidates, FIRST)]);
                }
                self.search.borrow_mut().lazy.register(name);
                return Ok(OrdinalSet::full());
            }
            match self.widen(name)? {
                Some(all) => candidates = all,
                None => return Ok(OrdinalSet::full()),
            }
        }
        self.permit_pinned_yanked(requirement, &candidates)?;
        let permitted = requirements::permitted_ordinals(requirement, &candidates);
        self.prefetch_best(name, &candidates, &permitted);
        self.search.borrow_mut().lazy.register(name);
        Ok(permitted)
    }

    /// The candidates of `name` as this search has evaluated them; at first meeting, the one that a requirement may
    /// `pin` or the first one. Waits for its listing.
    pub(super) fn candidates(
        &self,
        name: NameId,
        pin: Option<&Version>,
    ) -> Result<Arc<Candidates>, RunAbort> {
        if let Some(evaluated) = self.evaluated(name) {
            return Ok(evaluated);
        }
        let package = self.package_name(name);
        let sole = self.index.sole_candidate(&package, pin)?;
        let candidates = sole.map_or_else(|| self.index.candidates(&package), Ok)?;
        self.search.borrow_mut().lazy.set(name, candidates.clone());
        Ok(candidates)
    }

    fn evaluated(&self, name: NameId) -> Option<Arc<Candidates>> {
        self.search.borrow().lazy.get(name).cloned()
    }

    fn package_name(&self, name: NameId) -> PackageName {
        self.search.borrow().interner.name(name).clone()
    }

    fn name_id(&self, name: &PackageName) -> NameId {
        self.search.borrow_mut().interner.intern_name(name)
    }

    /// Widens a package of which one release was evaluated: at once if pubgrub knows no ordinal of it, and then returns
    /// all candidates; else before the next run.
    pub(super) fn widen(&self, name: NameId) -> Result<Option<Arc<Candidates>>, RunAbort> {
        let package = self.package_name(name);
        self.index.source.prefetch(&[IndexQuery::Listing(package.clone())]);
        if self.search.borrow().lazy.is_registered(name) {
            self.search.borrow_mut().lazy.widen_later(name);
            return Ok(None);
        }
        let all = self.index.candidates(&package)?;
        self.search.borrow_mut().lazy.set(name, all.clone());
        Ok(Some(all))
    }

    /// Permits the yanked releases that an exact pin asks for (PEP 592). Earlier decisions of this run did not know of
    /// them, so a new one aborts the run.
    fn permit_pinned_yanked(
        &self,
        requirement: &Requirement,
        candidates: &Candidates,
    ) -> Result<(), RunAbort> {
        if requirement.specifiers().pinned().is_none()
            && !self.index.problem.constraints_pin(&requirement.name)
        {
            return Ok(());
        }
        let is_pinned = |candidate: &&Candidate| requirement.specifiers().contains(&candidate.version);
        let yanked =
            candidates.usable.iter().filter(|candidate| candidate.tier == Tier::Yanked).filter(is_pinned);
        let mut search = self.search.borrow_mut();
        // `count` rather than `any`: all of them have to be permitted, or each would cost a run.
        let new = yanked
            .filter(|candidate| search.permit_yanked(&requirement.name, candidate.version.clone()))
            .count();
        if new == 0 { Ok(()) } else { Err(RunAbort::Restart) }
    }
}

/// One entry a package, with the intersection of its sets, ordered by package; none for `own` itself.
fn merged(mut dependencies: Vec<(Package, OrdinalSet)>, own: &Package) -> Vec<(Package, OrdinalSet)> {
    dependencies.retain(|(package, _)| package != own);
    dependencies.sort_by(|a, b| a.0.cmp(&b.0));
    dependencies.dedup_by(|next, kept| {
        let same = next.0 == kept.0;
        if same {
            kept.1 = kept.1.intersection(&next.1);
        }
        same
    });
    dependencies
}

//! What a choice needs: its requirements as sets of candidates, and how much of each package is looked at for them.

use std::sync::Arc;

use pubgrub::VersionSet as _;

use super::choice::metadata_of;
use super::{Provider, Stop};
use crate::candidates::{Candidate, Candidates, ExclusionReason, Tier};
use crate::edges;
use crate::index::IndexQuery;
use crate::nodes::{Dist, Node};
use crate::package::Package;
use crate::search::Found;
use crate::set::{Ordinal, OrdinalSet};
use pinfast_packaging::{DistFilename, MetadataSource, PackageName, Requirement, RequirementSource, Version};

impl Provider<'_> {
    /// What the question needs: the lines; of one that is alone in naming its package, what it asks for, which saves a
    /// decision in each run.
    fn of_root(&self) -> Result<Vec<(Package, OrdinalSet)>, Stop> {
        let mut needs = Vec::new();
        for (place, line) in self.known.problem.lines.iter().enumerate() {
            match self.known.lone_line(&line.requirement.name) {
                Some(_) => needs.extend(self.of_line(place)?),
                None => needs.push((Package::Line(place), OrdinalSet::singleton(0))),
            }
        }
        Ok(needs)
    }

    fn of_line(&self, line: usize) -> Result<Vec<(Package, OrdinalSet)>, Stop> {
        let problem = &*self.known.problem;
        let requirements = problem.apply_overrides(&problem.lines[line].requirement);
        let dependencies = merged(self.dependencies(&requirements)?, &Package::Line(line));
        let mut search = self.search.borrow_mut();
        for (package, permitted) in &dependencies {
            let Package::Dist(name) = package else { continue };
            let dist = search.nodes.dist(name);
            if search.views.of(dist).is_some_and(|seen| seen.leaves_no_choice(permitted)) {
                search.fix(dist);
            }
        }
        Ok(dependencies)
    }

    /// What a choice comes to; worked out once for all runs that see packages alike.
    pub(super) fn found(&self, node: Node, ordinal: Ordinal) -> Result<Found, Stop> {
        let dist = self.search.borrow().nodes.part(node).dist();
        if let Some(dist) = dist {
            let seen = self.view(dist, None)?;
            if ordinal >= seen.count() {
                // A release that was not looked at: for all that is known, it needs nothing.
                return Ok(Found::Needs(Arc::new([])));
            }
            self.asked.borrow_mut().push(seen.get(ordinal).file().clone());
        }
        if let Some(found) = self.search.borrow().found(node, ordinal) {
            return Ok(found.clone());
        }
        if dist.is_some_and(|dist| self.is_needless(dist, ordinal)) {
            return Ok(Found::Needs(Arc::new([])));
        }
        let package = self.search.borrow().nodes.package(node).clone();
        let needs = match &package {
            Package::Root => Ok(self.of_root()?),
            Package::Line(line) => Ok(self.of_line(*line)?),
            Package::Dist(name) | Package::Extra(name, _) => self.of_candidate(&package, name, ordinal)?,
        };
        let mut search = self.search.borrow_mut();
        let found = needs.map_or_else(Found::Barred, |needs| Found::Needs(search.numbered(needs)));
        search.find(node, ordinal, found.clone());
        Ok(found)
    }

    /// Whether what a choice needs is not worth finding out: in a run that does not count, only a file that is read or
    /// built as a whole would tell.
    fn is_needless(&self, dist: Dist, ordinal: Ordinal) -> bool {
        let views = &self.search.borrow().views;
        let seen = views.of(dist).filter(|_| views.are_outdated());
        seen.is_some_and(|seen| matches!(seen.get(ordinal).file().dist, DistFilename::Sdist { .. }))
    }

    /// What a candidate of `package`, which is `name` or an extra of it, needs; or why it cannot be chosen.
    fn of_candidate(
        &self,
        package: &Package,
        name: &PackageName,
        ordinal: Ordinal,
    ) -> Result<Result<Vec<(Package, OrdinalSet)>, ExclusionReason>, Stop> {
        let candidates = self.view(self.dist(name), None)?;
        let candidate = candidates.get(ordinal);
        let metadata = match self.known.metadata(candidate)? {
            Ok(metadata) => metadata,
            Err(reason) => return Ok(Err(reason)),
        };
        if metadata.source == MetadataSource::Release {
            self.search.borrow_mut().doubt(candidate.file().clone());
        }
        let problem = &*self.known.problem;
        let python = metadata.requires_python.as_ref();
        if let Some(python) = python.filter(|python| !python.lower_bounds_contain(problem.target.python())) {
            return Ok(Err(ExclusionReason::RequiresPython(python.clone())));
        }
        let (mut dependencies, requirements) = match package {
            Package::Extra(_, extra) => {
                let itself = (Package::Dist(name.clone()), OrdinalSet::singleton(ordinal));
                (vec![itself], edges::of_extra(problem, &metadata, extra))
            }
            _ => (Vec::new(), edges::base(problem, &metadata)),
        };
        if let Some(why) = self.impossible(name, candidate, &requirements) {
            return Ok(Err(ExclusionReason::InvalidMetadata(why.into())));
        }
        let others = requirements.into_iter().filter(|r| r.name != *name || !r.extras.is_empty());
        dependencies.extend(self.dependencies(&others.collect::<Vec<_>>())?);
        Ok(Ok(merged(dependencies, package)))
    }

    /// Why no choice of other packages can make this candidate's requirements hold.
    fn impossible(
        &self,
        name: &PackageName,
        candidate: &Candidate,
        requirements: &[&Requirement],
    ) -> Option<String> {
        requirements.iter().find_map(|requirement| {
            if edges::contradicts_itself(requirement, name, candidate) {
                return Some(format!("it requires `{requirement}`, which it is not itself"));
            }
            let RequirementSource::Url(url) = &requirement.source else { return None };
            let named = self.known.problem.urls(&requirement.name).contains(&url);
            (!named).then(|| format!("it requires `{requirement}` by URL, which the inputs do not name"))
        })
    }

    /// Each package that `requirements` lead to, with the candidates permitted; waits for the listings.
    fn dependencies(&self, requirements: &[&Requirement]) -> Result<Vec<(Package, OrdinalSet)>, Stop> {
        let is_news = |requirement: &&&Requirement| self.seen(self.dist(&requirement.name)).is_none();
        let news = requirements.iter().filter(is_news);
        let wants: Vec<_> = news.map(|r| self.known.want(&r.name, r.specifiers())).collect();
        self.known.source.prefetch(&wants);
        let mut dependencies = Vec::new();
        for requirement in requirements {
            let permitted = self.permitted(requirement)?;
            dependencies.extend(edges::packages(requirement).map(|package| (package, permitted.clone())));
        }
        Ok(dependencies)
    }

    /// The candidates that a requirement permits. Of a package that only the first one was looked at, that is any.
    fn permitted(&self, requirement: &Requirement) -> Result<OrdinalSet, Stop> {
        let dist = self.dist(&requirement.name);
        let mut view = self.view(dist, requirement.specifiers().pinned())?;
        if let Some(first) = view.only_first() {
            if requirement.specifiers().contains(&first.version) {
                if !self.search.borrow().views.was_told(dist) {
                    self.known.source.prefetch(&[metadata_of(&view, 0)]);
                }
                self.search.borrow_mut().views.tell(dist);
                return Ok(OrdinalSet::full());
            }
            match self.contest(dist)? {
                Some(all) => view = all,
                None => return Ok(OrdinalSet::full()),
            }
        }
        self.permit_yanked(requirement, &view)?;
        let permitted = edges::permitted(requirement, &view);
        self.expect_best(dist, &view, &permitted);
        self.search.borrow_mut().views.tell(dist);
        Ok(permitted)
    }

    /// What is seen of `dist`; waits for its listing. Where that is nothing so far, a requirement may `pin` what is.
    pub(super) fn view(&self, dist: Dist, pin: Option<&Version>) -> Result<Arc<Candidates>, Stop> {
        if let Some(seen) = self.seen(dist) {
            return Ok(seen);
        }
        let name = self.name(dist);
        let view = self.known.first(&name, pin)?.map_or_else(|| self.known.candidates(&name), Ok)?;
        self.search.borrow_mut().views.see(dist, view.clone());
        Ok(view)
    }

    /// What is seen of `dist` so far.
    fn seen(&self, dist: Dist) -> Option<Arc<Candidates>> {
        self.search.borrow().views.of(dist).cloned()
    }

    fn name(&self, dist: Dist) -> PackageName {
        self.search.borrow().nodes.name(dist).clone()
    }

    fn dist(&self, name: &PackageName) -> Dist {
        self.search.borrow_mut().nodes.dist(name)
    }

    /// Looks at all candidates of a package of which only the first one was looked at: at once where pubgrub was
    /// not told of it yet, else from the next run on.
    pub(super) fn contest(&self, dist: Dist) -> Result<Option<Arc<Candidates>>, Stop> {
        let name = self.name(dist);
        self.known.source.prefetch(&[IndexQuery::Listing(name.clone())]);
        if self.search.borrow().views.was_told(dist) {
            self.search.borrow_mut().views.contest(dist);
            return Ok(None);
        }
        let all = self.known.candidates(&name)?;
        self.search.borrow_mut().views.see(dist, all.clone());
        Ok(Some(all))
    }

    /// An exact pin permits a yanked release (PEP 592). One that comes to light in mid-search changes what
    /// was decided before, so the search begins again.
    fn permit_yanked(&self, requirement: &Requirement, candidates: &Candidates) -> Result<(), Stop> {
        if requirement.specifiers().pinned().is_none()
            && !self.known.problem.constraints_pin(&requirement.name)
        {
            return Ok(());
        }
        let pinned = |candidate: &&Candidate| requirement.specifiers().contains(&candidate.version);
        let yanked =
            candidates.usable.iter().filter(|candidate| candidate.tier == Tier::Yanked).filter(pinned);
        let mut search = self.search.borrow_mut();
        let news = yanked
            .filter(|candidate| search.permit_yanked(&requirement.name, candidate.version.clone()))
            .count();
        if news == 0 { Ok(()) } else { Err(Stop::Restart) }
    }
}

/// One entry a package, their sets intersected, ordered by package; none on `own` itself.
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

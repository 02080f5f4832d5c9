//! How much of each project is examined, and that this changes no answer.

use std::collections::BTreeSet;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use super::{RecordedEvents, inputs, target};
use crate::prefetcher::Prefetcher;
use crate::search::SearchState;
use crate::solver::{SearchOutcome, run_to_end};
use crate::universe::Universe;
use crate::{
    Index, IndexQuery, MetadataFailure, Policy, Preferences, Problem, ResolvedPin, SolverIndex, Trust, solve,
};
use pinfast_base::error::Error;
use pinfast_base::event::Unwatched;
use pinfast_packaging::{
    DirectUrl, DistFile, Listing, Metadata, MetadataSource, PackageName, Sha256, Version,
};

/// A universe that records which projects' listings were requested.
struct RecordingIndex {
    universe: Universe,
    releases: ReleaseListings,
    requested: Mutex<BTreeSet<String>>,
    /// Notified of each request.
    changed: Condvar,
    threads: usize,
}

/// Whether the index offers listings of single releases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ReleaseListings {
    Offered,
    NotOffered,
}

impl RecordingIndex {
    fn new(universe: &str, releases: ReleaseListings) -> Arc<Self> {
        let universe = Universe::parse(universe).unwrap();
        Arc::new(Self {
            universe,
            releases,
            requested: Mutex::default(),
            changed: Condvar::new(),
            threads: 0,
        })
    }
}

impl Index for RecordingIndex {
    fn listing(&self, name: &PackageName) -> Result<Option<Arc<Listing>>, Error> {
        self.requested.lock().unwrap().insert(name.to_string());
        self.changed.notify_all();
        self.universe.listing(name)
    }

    fn release_listing(&self, name: &PackageName, version: &Version) -> Option<Arc<Listing>> {
        (self.releases == ReleaseListings::Offered).then(|| self.universe.release_listing(name, version))?
    }

    fn newest_listing(&self, name: &PackageName) -> Option<Arc<Listing>> {
        (self.releases == ReleaseListings::Offered).then(|| self.universe.newest_listing(name))?
    }

    fn metadata(&self, file: &Arc<DistFile>, trust: Trust) -> Result<Arc<Metadata>, MetadataFailure> {
        self.universe.metadata(file, trust)
    }

    fn direct_url_listing(&self, name: &PackageName, url: &DirectUrl) -> Result<Arc<Listing>, Error> {
        self.universe.direct_url_listing(name, url)
    }

    fn sha256(&self, file: &Arc<DistFile>) -> Result<Sha256, Error> {
        self.universe.sha256(file)
    }

    fn prefetch(&self, _: &[IndexQuery]) {}

    fn prefetch_concurrency(&self) -> usize {
        self.threads
    }
}

#[test]
fn the_prefetcher_follows_the_next_likeliest_release_when_the_first_is_excluded() {
    // The newest lib is the likeliest until late is met.
    let universe = "app 1\n    lib\nlate 1\n    lib<2\nlib 1\n    deep\nlib 2\ndeep 1\n";
    let index = RecordingIndex {
        threads: 1,
        ..Arc::into_inner(RecordingIndex::new(universe, ReleaseListings::NotOffered)).unwrap()
    };
    let index = Arc::new(index);
    let problem =
        Problem::new(&inputs(&["app", "late"]), target(), Policy::default(), Preferences::default());
    let prefetcher = Prefetcher::start(&Arc::new(SolverIndex::new(Arc::new(problem), index.clone())));
    let requested = index.requested.lock().unwrap();
    let is_missing = |requested: &mut BTreeSet<String>| !requested.contains("deep");
    let (requested, _) =
        index.changed.wait_timeout_while(requested, Duration::from_secs(60), is_missing).unwrap();
    assert!(requested.contains("deep"), "{requested:?}");
    drop(requested);
    prefetcher.stop();
}

#[test]
fn pins_of_an_older_lock_are_fetched_alone_in_a_long_search() {
    // Ten links of a chain fall one after the other; a hundred packages stay.
    let mut universe = String::from("app 1\n    link0\n");
    let mut preferences = Preferences::default();
    for n in 0..100 {
        universe.insert_str(6, &format!("    stays{n}\n"));
        universe += &format!("stays{n} 1 2\n");
        preferences.add(format!("stays{n}").parse().unwrap(), "1".parse().unwrap());
    }
    for n in 0..10 {
        universe += &format!("link{n} 1\n    link{}<2\nlink{n} 2\n    link{}>=2\n", n + 1, n + 1);
        preferences.add(format!("link{n}").parse().unwrap(), "2".parse().unwrap());
    }
    universe += "link10 1 2\n";
    let index = RecordingIndex::new(&universe, ReleaseListings::Offered);
    let problem = Problem::new(&inputs(&["app", "link10<2"]), target(), Policy::default(), preferences);
    let answer = solve(Arc::new(problem), index.clone(), &Unwatched).ok().unwrap();
    assert_eq!(answer.pins.len(), 112);
    let requested = index.requested.lock().unwrap();
    assert!(requested.iter().all(|name| !name.starts_with("stays")), "{requested:?}");
}

/// The pins of `lines` in `universe`, and how many runs of the solver they took.
fn pins_and_runs(universe: &str, lines: &[&str]) -> (Vec<String>, String) {
    let recorded = RecordedEvents::default();
    let problem = Problem::new(&inputs(lines), target(), Policy::default(), Preferences::default());
    let index = RecordingIndex::new(universe, ReleaseListings::Offered);
    let resolution = solve(Arc::new(problem), index, &recorded).ok().unwrap();
    let pin = |(name, pin): (&PackageName, &ResolvedPin)| format!("{name} {}", pin.candidate.version);
    let runs = recorded.1.into_inner().unwrap();
    (resolution.pins.iter().map(pin).collect(), runs)
}

#[test]
fn a_package_whose_pin_fell_out_is_widened() {
    // The newest app pins a core, and falls for another reason.
    let universe = "app 1\n    core\napp 2\n    core==1\n    gone\ncore 1 2\n";
    assert_eq!(pins_and_runs(universe, &["app"]).0, ["app 1", "core 2"]);
    let universe = "app 1\n    core\napp 2\n    core==1\ncore 1 2\n";
    assert_eq!(pins_and_runs(universe, &["app"]).0, ["app 2", "core 1"]);
}

#[test]
fn an_exact_pin_permits_a_local_version() {
    for releases in ["core 1 1+cpu 2\n", "core 1+cpu 2\n"] {
        let universe = format!("app 1\n    core==1\n{releases}");
        let problem = Problem::new(&inputs(&["app"]), target(), Policy::default(), Preferences::default());
        let index = RecordingIndex::new(&universe, ReleaseListings::NotOffered);
        let resolution = solve(Arc::new(problem), index, &Unwatched).ok().unwrap();
        let core = &resolution.pins[&"core".parse().unwrap()].candidate.version;
        assert_eq!(core.to_string(), "1+cpu", "{releases}");
    }
}

#[test]
fn the_example_of_the_crates_head_takes_three_runs() {
    let universe = "app 1\n    lib<2\napp 2\n    lib>=2\nlib 1\nlib 2\n    base>=2\nbase 1 2\n";
    let (pins, runs) = pins_and_runs(universe, &["app", "base<2"]);
    assert_eq!(pins, ["app 1", "base 1", "lib 1"]);
    assert!(runs.ends_with("in 3 runs of the solver"), "{runs}");
}

#[test]
fn one_run_finds_all_packages_to_widen() {
    let libs: String = (0..9).map(|n| format!("lib{n} 1\nlib{n} 2\n    base<2\n")).collect();
    let names: Vec<String> = (0..9).map(|n| format!("lib{n}")).collect();
    let lines: Vec<&str> = ["base"].into_iter().chain(names.iter().map(String::as_str)).collect();
    let (pins, runs) = pins_and_runs(&format!("base 1 2\n{libs}"), &lines);
    assert_eq!(pins[0], "base 2");
    assert!(pins[1..].iter().all(|pin| pin.ends_with(" 1")), "{pins:?}");
    // The first run finds base to widen, the second all libs.
    assert!(runs.ends_with("in 3 runs of the solver"), "{runs}");
}

/// The packages that were predecided for the last run.
fn predecided(universe: &str, lines: &[&str]) -> Vec<String> {
    let problem = Problem::new(&inputs(lines), target(), Policy::default(), Preferences::default());
    let solver_index =
        SolverIndex::new(Arc::new(problem), RecordingIndex::new(universe, ReleaseListings::Offered));
    let mut search = SearchState::new(solver_index.problem.direct());
    assert!(matches!(run_to_end(&solver_index, &mut search, &Unwatched), Ok(SearchOutcome::Resolved(_))));
    let mut names: Vec<_> = search.predecided().map(|seen| seen.name.to_string()).collect();
    names.sort();
    names
}

#[test]
fn packages_without_possible_conflict_are_predecided() {
    // The newest lib falls, which takes a second run.
    let universe = "app 1\n    leaf\n    tight<2\nleaf 1 2\ntight 1 2\nlib 1\nlib 2\n    gone\n";
    assert_eq!(predecided(universe, &["app", "lib"]), ["leaf"]);
    assert_eq!(
        predecided(universe, &["app", "lib", "tight<2"]),
        ["app", "leaf"],
        "the root requires tight<2 itself"
    );
}

#[test]
fn a_predecided_package_is_decided_again_when_a_conflict_widens_it() {
    let universe = "app 1\n    leaf\nleaf 1 2\nlib 1\n    leaf<2\nlib 2\n    gone\n";
    assert_eq!(pins_and_runs(universe, &["app", "lib"]).0, ["app 1", "leaf 1", "lib 1"]);
    assert_eq!(predecided(universe, &["app", "lib"]), [] as [&str; 0]);
}

#[test]
fn release_listings_change_no_answer() {
    let universe = "a 1 2 3\n    b\na 4\n    b>=3\nb 1 2\n    c<2\nb 3\n    c>=2\nc 1 2\nd 1\n    b<3\nd 2\n    c\n\
        e 1\n    c==1\ne 2\n    c==2\n    b<3\nf 1\n    c==1\nf 2\n    c==2\n    gone\n";
    let pins: &[&[(&str, &str)]] = &[
        &[],
        &[("a", "2"), ("b", "1"), ("c", "1")],
        &[("a", "4"), ("b", "2"), ("c", "2"), ("d", "1")],
        &[("b", "3"), ("c", "9"), ("d", "2")],
    ];
    let questions: [&[&str]; 10] = [
        &["a"],
        &["a", "d"],
        &["a", "d<2"],
        &["a>=4", "d<2"],
        &["d", "c<2"],
        &["e"],
        &["a", "e"],
        &["f", "c"],
        &["f", "e", "d==1"],
        &["c==2", "e<2"],
    ];
    for lines in questions {
        for pins in pins {
            let solved = |releases| {
                let mut preferences = Preferences::default();
                for (name, version) in *pins {
                    preferences.add(name.parse().unwrap(), version.parse().unwrap());
                }
                let problem = Problem::new(&inputs(lines), target(), Policy::default(), preferences);
                let index = RecordingIndex::new(universe, releases);
                let answer = solve(Arc::new(problem), index, &Unwatched).ok()?;
                let pin = |(name, pin): (&PackageName, &ResolvedPin)| {
                    format!("{name}=={} {:?} {:?}", pin.candidate.version, pin.dependents, pin.newest)
                };
                Some(answer.pins.iter().map(pin).collect::<Vec<_>>())
            };
            assert_eq!(
                solved(ReleaseListings::Offered),
                solved(ReleaseListings::NotOffered),
                "{lines:?} {pins:?}"
            );
        }
    }
}

/// A universe whose index has wrong release data.
struct WrongReleaseData {
    universe: Arc<RecordingIndex>,
    release_data: Universe,
}

impl Index for WrongReleaseData {
    fn listing(&self, name: &PackageName) -> Result<Option<Arc<Listing>>, Error> {
        self.universe.listing(name)
    }

    fn metadata(&self, file: &Arc<DistFile>, trust: Trust) -> Result<Arc<Metadata>, MetadataFailure> {
        if trust == Trust::File {
            return self.universe.metadata(file, trust);
        }
        let wrong = self.release_data.metadata(file, trust)?;
        Ok(Arc::new(Metadata { source: MetadataSource::Release, ..Metadata::clone(&wrong) }))
    }

    fn direct_url_listing(&self, name: &PackageName, url: &DirectUrl) -> Result<Arc<Listing>, Error> {
        self.universe.direct_url_listing(name, url)
    }

    fn sha256(&self, file: &Arc<DistFile>) -> Result<Sha256, Error> {
        self.universe.sha256(file)
    }

    fn prefetch(&self, _: &[IndexQuery]) {}
}

#[test]
fn wrong_release_data_leaves_no_trace_in_the_result() {
    // No lib goes with the newest meta, which is therefore undone, and not met again once lib is decided first.
    let app = "app 1\n    meta\n    base\n    lib\nbase 1 2\nmeta 1\ndeep 1\n";
    let libs: String = (1..=8).map(|n| format!("lib {n}\n    base<2\n    meta<2\n")).collect();
    let (listed, truth) = (format!("{app}{libs}meta 2\n"), format!("{app}{libs}meta 2\n    deep\n"));
    let solved = |index: Arc<dyn Index>| {
        let problem = Problem::new(&inputs(&["app"]), target(), Policy::default(), Preferences::default());
        let resolution = solve(Arc::new(problem), index, &Unwatched).unwrap_or_else(|_| panic!());
        resolution
            .pins
            .iter()
            .map(|(name, pin)| format!("{name} {}", pin.candidate.version))
            .collect::<Vec<_>>()
    };
    let [right, universe] = [(); 2].map(|()| RecordingIndex::new(&truth, ReleaseListings::NotOffered));
    let wrong =
        WrongReleaseData { universe: universe.clone(), release_data: Universe::parse(&listed).unwrap() };
    assert_eq!(solved(right.clone()), ["app 1", "base 1", "lib 8", "meta 1"]);
    assert_eq!(solved(Arc::new(wrong)), ["app 1", "base 1", "lib 8", "meta 1"]);
    let [right, wrong] = [right, universe].map(|index| index.requested.lock().unwrap().clone());
    assert!(right.contains("deep"));
    assert_eq!(wrong, right, "an offline run asks for no more than the first one did");
}

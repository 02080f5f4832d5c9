//! The solver on small universes.

use std::sync::Arc;

use super::scout::Scouts;
use super::universe::Universe;
use super::{
    Answer, Failure, Index, Known, MetadataFailure, Policy, Preferences, PrereleaseMode, Problem,
    ResolutionMode, ResolvedPin, Trust, Want, search, solve,
};
use crate::error::Error;
use crate::event::Unwatched;
use crate::inputs::{InputLine, Inputs};
use crate::spec::{
    DirectUrl, DistFile, Listing, Location, Metadata, MetadataSource, PackageName, Sha256, Target, Version,
};

fn target() -> Target {
    Target::declared(&"3.11".parse().unwrap(), &"linux".parse().unwrap())
}

fn line(number: u32, text: &str) -> InputLine {
    InputLine {
        requirement: text.parse().unwrap(),
        text: text.into(),
        at: Location::new("requirements.in", number, 1),
        hashes: Vec::new(),
    }
}

fn inputs(lines: &[&str]) -> Inputs {
    let requirements = (1..).zip(lines).map(|(number, text)| line(number, text)).collect();
    Inputs { requirements, ..Inputs::default() }
}

fn pins_of(universe: &str, inputs: &Inputs, policy: Policy, preferences: Preferences) -> Option<String> {
    let universe = Universe::parse(universe).unwrap();
    let problem = Problem::new(inputs, target(), policy, preferences);
    match solve(Arc::new(problem), Arc::new(universe), &Unwatched) {
        Ok(resolution) => {
            let pins = resolution.pins.iter().map(|(name, pin)| format!("{name}=={}", pin.candidate.version));
            Some(pins.collect::<Vec<_>>().join(" "))
        }
        Err(Failure::NoSolution(_)) => None,
        Err(Failure::Trouble(error)) => panic!("{error}"),
    }
}

fn pins(universe: &str, lines: &[&str]) -> Option<String> {
    pins_of(universe, &inputs(lines), Policy::default(), Preferences::default())
}

#[test]
fn takes_the_newest_that_fits_everybody() {
    let universe = "
a 1.0 2.0
    b>=1
    c<3
b 1.0 2.0 3.0
    c
c 1.0 2.0 3.0
";
    assert_eq!(pins(universe, &["a", "b<3"]).unwrap(), "a==2.0 b==2.0 c==2.0");
    assert_eq!(pins(universe, &["a", "c>=3"]), None);
    assert_eq!(pins(universe, &["unknown"]), None);
}

#[test]
fn goes_back_where_the_newest_leads_nowhere() {
    let universe = "
a 1.0
    b==1
a 2.0
    b==2
b 1 2
c 1.0
    b<2
";
    assert_eq!(pins(universe, &["a", "c"]).unwrap(), "a==1.0 b==1 c==1.0");
}

#[test]
fn extras_bring_their_requirements_and_nothing_else_does() {
    let universe = r#"
pkg 1.0
    base
    speed>=2 ; extra == "fast"
    pkg[fast] ; extra == "all"
    other ; extra == "all"
    extra: fast
    extra: all
base 1
speed 1 2
other 1
"#;
    assert_eq!(pins(universe, &["pkg"]).unwrap(), "base==1 pkg==1.0");
    assert_eq!(pins(universe, &["pkg[fast]"]).unwrap(), "base==1 pkg==1.0 speed==2");
    assert_eq!(pins(universe, &["pkg[all]"]).unwrap(), "base==1 other==1 pkg==1.0 speed==2");
    assert_eq!(pins(universe, &["pkg[fast]", "speed<2"]), None);
}

#[test]
fn prereleases_come_last_and_only_if_necessary() {
    let universe = "
a 1.0 2.0b1
b 1.0b1
";
    assert_eq!(pins(universe, &["a>=1.0b1", "b"]).unwrap(), "a==1.0 b==1.0b1");
    assert_eq!(pins(universe, &["a>=2.0b1"]).unwrap(), "a==2.0b1");
    let with = |prerelease| {
        let policy = Policy { prerelease, ..Policy::default() };
        move |lines: &[&str]| pins_of(universe, &inputs(lines), policy.clone(), Preferences::default())
    };
    assert_eq!(with(PrereleaseMode::Disallow)(&["b"]), None);
    assert_eq!(with(PrereleaseMode::Allow)(&["a"]).unwrap(), "a==2.0b1");
    assert_eq!(with(PrereleaseMode::Explicit)(&["b"]), None);
    assert_eq!(with(PrereleaseMode::Explicit)(&["b>=1.0b1"]).unwrap(), "b==1.0b1");
}

#[test]
fn a_yanked_release_takes_an_exact_pin() {
    let universe = "
a 1.0
a 1.1
    yanked: broken
b 1.0
    a==1.1
";
    assert_eq!(pins(universe, &["a"]).unwrap(), "a==1.0");
    assert_eq!(pins(universe, &["a>1.0"]), None);
    assert_eq!(pins(universe, &["a==1.1"]).unwrap(), "a==1.1");
    assert_eq!(pins(universe, &["b", "a"]).unwrap(), "a==1.1 b==1.0");
}

#[test]
fn only_what_the_target_can_run_is_taken() {
    let universe = "
a 1.0
a 2.0
    requires-python: >=3.12
b 1.0
    requires-python: >=3.6,<3.11
c 1.0
c 2.0
    wheel: cp311-cp311-win_amd64
d 1.0
    a ; sys_platform == 'win32'
    b ; python_version >= '3.11'
";
    assert_eq!(pins(universe, &["a", "b", "c"]).unwrap(), "a==1.0 b==1.0 c==1.0");
    assert_eq!(pins(universe, &["c>1"]), None);
    assert_eq!(pins(universe, &["d"]).unwrap(), "b==1.0 d==1.0");
}

#[test]
fn the_policy_says_what_comes_first() {
    let universe = "
a 1.0 1.1 2.0
    b
b 1.0 2.0
";
    let with = |resolution| {
        let policy = Policy { resolution, ..Policy::default() };
        pins_of(universe, &inputs(&["a>1.0"]), policy, Preferences::default()).unwrap()
    };
    assert_eq!(with(ResolutionMode::Lowest), "a==1.1 b==1.0");
    assert_eq!(with(ResolutionMode::LowestDirect), "a==1.1 b==2.0");
    let mut preferences = Preferences::default();
    preferences.add(PackageName::new("b").unwrap(), "1.0".parse().unwrap());
    preferences.add(PackageName::new("a").unwrap(), "1.0".parse().unwrap());
    let kept = pins_of(universe, &inputs(&["a>1.0"]), Policy::default(), preferences).unwrap();
    assert_eq!(kept, "a==2.0 b==1.0");
}

#[test]
fn constraints_bind_without_adding_and_overrides_replace() {
    let universe = "
a 1.0
    b>=2
b 1.0 2.0 3.0
c 1.0
";
    let constrained = Inputs { constraints: vec![line(1, "b<3"), line(2, "c<1")], ..inputs(&["a"]) };
    let solve = |inputs| pins_of(universe, &inputs, Policy::default(), Preferences::default());
    assert_eq!(solve(constrained).unwrap(), "a==1.0 b==2.0");
    let overridden = Inputs { overrides: vec![line(1, "b<2")], ..inputs(&["a"]) };
    assert_eq!(solve(overridden).unwrap(), "a==1.0 b==1.0");
    let removed = Inputs { overrides: vec![line(1, "b ; sys_platform == 'win32'")], ..inputs(&["a"]) };
    assert_eq!(solve(removed).unwrap(), "a==1.0");
}

#[test]
fn a_url_stands_for_the_release_at_it() {
    let universe = "
a 1.0 2.0
b 1.0
    a>=1
b 2.0
    a @ https://files.example/a-2.0-py3-none-any.whl
";
    let url = "a @ https://files.example/a-1.0-py3-none-any.whl";
    assert_eq!(pins(universe, &[url, "b"]).unwrap(), "a==1.0 b==1.0");
    assert_eq!(pins(universe, &[url, "a==2"]), None);
    assert_eq!(pins(universe, &[url, "a @ https://files.example/a-2.0-py3-none-any.whl"]), None);
}

#[test]
fn cycles_and_selves_are_no_trouble() {
    let universe = "
a 1.0
    b
b 1.0
    a
    b
c 1.0
    c>=2
c 0.9
";
    assert_eq!(pins(universe, &["a", "c"]).unwrap(), "a==1.0 b==1.0 c==0.9");
}

#[test]
fn a_release_train_is_no_endless_search() {
    // Each release of the train wants its own partner; only the oldest partner is allowed.
    let mut universe = String::from("anchor 1\n    partner<1\n");
    for n in 0..400 {
        universe.push_str(&format!("train {n}\n    partner=={n}\npartner {n}\n"));
    }
    assert_eq!(pins(&universe, &["train", "anchor"]).unwrap(), "anchor==1 partner==0 train==0");
}

#[test]
fn the_order_of_the_lines_does_not_matter() {
    let universe = "
a 1 2
    b<2
b 1 2
    a<2
";
    assert_eq!(pins(universe, &["a", "b"]), pins(universe, &["b", "a"]));
}

#[test]
fn the_upload_time_bars_for_one_package_or_for_all() {
    let universe = "
a 1.0
    uploaded: 2026-01-01
a 2.0
    uploaded: 2026-02-01
b 1.0
    uploaded: 2026-01-01
b 2.0
    uploaded: 2026-02-01
";
    let limit = || Some("2026-01-15T00:00:00Z".parse().unwrap());
    let of_a = PackageName::new("a").unwrap();
    let solve = |policy| pins_of(universe, &inputs(&["a", "b"]), policy, Preferences::default()).unwrap();
    assert_eq!(solve(Policy { exclude_newer: limit(), ..Policy::default() }), "a==1.0 b==1.0");
    let one = Policy {
        exclude_newer_packages: [(of_a, limit().unwrap())].into_iter().collect(),
        ..Policy::default()
    };
    assert_eq!(solve(one), "a==1.0 b==2.0");
}

/// A train of `count` releases of `app`, each of which brings the release of `engine` of its number; from number
/// `from` on that needs a new `rail`.
fn train(count: u32, from: u32) -> String {
    let releases = (0..count).map(|number| {
        let rail = if number < from { "rail" } else { "rail>=2" };
        format!("app 1.{number}\n    engine==1.{number}\nengine 1.{number}\n    {rail}\n")
    });
    releases.collect::<String>() + "rail 1 2\n"
}

/// The pins, and of how many files the metadata was looked at.
fn looked_at(universe: &str, lines: &[&str]) -> (Option<String>, usize) {
    let universe = Universe::parse(universe).unwrap();
    let problem = Problem::new(&inputs(lines), target(), Policy::default(), Preferences::default());
    let known = Known::new(Arc::new(problem), Arc::new(universe));
    let pins = match search(&known, &Unwatched).unwrap_or_else(|error| panic!("{error}")) {
        Answer::Resolved(resolution) => {
            let pins = resolution.pins.iter().map(|(name, pin)| format!("{name}=={}", pin.candidate.version));
            Some(pins.collect::<Vec<_>>().join(" "))
        }
        Answer::Impossible(_) => None,
    };
    (pins, known.files_told())
}

#[test]
fn a_long_train_of_releases_is_crossed_in_strides() {
    for from in [1, 2, 40, 333, 700, 967, 968, 969, 999] {
        let (pins, files) = looked_at(&train(1000, from), &["app", "rail<2"]);
        assert_eq!(pins.unwrap(), format!("app==1.{0} engine==1.{0} rail==1", from - 1));
        assert!(files < 150, "{files} files for {from}");
    }
}

#[test]
fn a_release_of_a_train_that_others_undo_is_not_passed_over() {
    // Each partner rules out the newest anchor that is left, which is decided before the train.
    let partners: String = (2..6).map(|n| format!("partner{n} 1 2\n    anchor!={n}\n")).collect();
    let universe = train(100, 50) + "anchor 1 2 3 4 5\n" + &partners;
    let lines = ["anchor", "app", "rail<2", "partner5", "partner4", "partner3", "partner2"];
    let (pins, files) = looked_at(&universe, &lines);
    assert!(pins.unwrap().starts_with("anchor==1 app==1.49 engine==1.49 "));
    assert!(files < 150, "{files} files");
}

#[test]
fn where_nothing_fits_the_whole_train_is_looked_at() {
    // The 200 of each, and one of rail.
    let (pins, files) = looked_at(&train(200, 0), &["app", "rail<2"]);
    assert_eq!((pins, files), (None, 401));
}

#[test]
fn a_short_train_is_looked_at_release_by_release() {
    // The one release that fits among others that do not is found.
    let universe = train(25, 0) + "app 1.7.1\n    rail\n";
    assert_eq!(looked_at(&universe, &["app", "rail<2"]).0.unwrap(), "app==1.7.1 rail==1");
}

#[test]
fn an_extra_that_does_not_fit_is_no_endless_search() {
    let release = |n| format!("queue 1.{n}\n    store<2 ; extra == \"fast\"\n");
    let universe =
        (0..200).map(release).collect::<String>() + "store 1 2\napp 1\n    queue[fast]\n    store\n";
    let (pins, files) = looked_at(&universe, &["store", "app"]);
    assert_eq!(pins.unwrap(), "app==1 queue==1.199 store==1");
    assert!(files < 40, "{files} files");
}

/// What a watcher was told of long searches, and of how long they were.
#[derive(Default)]
struct Heard(std::sync::Mutex<Vec<String>>, std::sync::Mutex<String>);

impl crate::event::Watcher for Heard {
    fn on(&self, event: crate::event::Event) {
        match event {
            crate::event::Event::Deciding { tried, against, tries } => {
                self.0.lock().unwrap().push(format!("{tried} against {against}, {tries} tries"));
            }
            crate::event::Event::Detail(text) if text.contains("runs") => *self.1.lock().unwrap() = text,
            _ => {}
        }
    }
}

#[test]
fn a_long_search_says_what_it_is_deciding_between() {
    let mut universe = String::from("numpy 1.26 2.1\nplots 1.0\n    numpy>=2\n");
    let names = ["numba", "numexpr", "pandas", "scikit", "scipy", "shapely"];
    for name in names {
        universe.push_str(&format!("{name} 0.1\n"));
        (1..20).for_each(|n| universe.push_str(&format!("{name} 1.{n}\n    numpy<2\n    llvm!={n}\n")));
    }
    universe.push_str("llvm 50\n");
    let heard = || {
        let heard = Heard::default();
        let inputs = inputs(&[&["plots"][..], &names].concat());
        let problem = Problem::new(&inputs, target(), Policy::default(), Preferences::default());
        let index = Arc::new(Universe::parse(&universe).unwrap());
        assert!(solve(Arc::new(problem), index, &heard).is_ok());
        heard.0.into_inner().unwrap()
    };
    let first = heard();
    assert_eq!(first[0], "scipy 1.19 against plots 1.0, 40 tries");
    assert_eq!(heard(), first);
}

/// A universe that remembers which projects' listings it was asked for.
struct Heedful {
    universe: Universe,
    releases: Releases,
    asked: std::sync::Mutex<std::collections::BTreeSet<String>>,
    scouts: usize,
}

/// Whether a release is told of alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Releases {
    Alone,
    WithProject,
}

impl Heedful {
    fn new(universe: &str, releases: Releases) -> Arc<Self> {
        let universe = Universe::parse(universe).unwrap();
        Arc::new(Self { universe, releases, asked: Default::default(), scouts: 0 })
    }
}

impl Index for Heedful {
    fn listing(&self, name: &PackageName) -> Result<Option<Arc<Listing>>, Error> {
        self.asked.lock().unwrap().insert(name.to_string());
        self.universe.listing(name)
    }

    fn release(&self, name: &PackageName, version: &Version) -> Option<Arc<Listing>> {
        (self.releases == Releases::Alone).then(|| self.universe.release(name, version))?
    }

    fn newest(&self, name: &PackageName) -> Option<Arc<Listing>> {
        (self.releases == Releases::Alone).then(|| self.universe.newest(name))?
    }

    fn metadata(&self, file: &Arc<DistFile>, trust: Trust) -> Result<Arc<Metadata>, MetadataFailure> {
        self.universe.metadata(file, trust)
    }

    fn direct(&self, name: &PackageName, url: &DirectUrl) -> Result<Arc<Listing>, Error> {
        self.universe.direct(name, url)
    }

    fn sha256(&self, file: &Arc<DistFile>) -> Result<Sha256, Error> {
        self.universe.sha256(file)
    }

    fn prefetch(&self, _: &[Want]) {}

    fn scouts(&self) -> usize {
        self.scouts
    }
}

#[test]
fn a_scout_follows_the_next_likeliest_release_where_the_first_does_not_fit() {
    // The newest lib is likeliest until late is met.
    let universe = "app 1\n    lib\nlate 1\n    lib<2\nlib 1\n    deep\nlib 2\ndeep 1\n";
    let index =
        Heedful { scouts: 1, ..Arc::into_inner(Heedful::new(universe, Releases::WithProject)).unwrap() };
    let index = Arc::new(index);
    let problem =
        Problem::new(&inputs(&["app", "late"]), target(), Policy::default(), Preferences::default());
    let scouts = Scouts::send(&Arc::new(Known::new(Arc::new(problem), index.clone())));
    let begin = std::time::Instant::now();
    while !index.asked.lock().unwrap().contains("deep") {
        assert!(begin.elapsed().as_secs() < 60, "{:?}", index.asked.lock().unwrap());
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    scouts.call_back();
}

#[test]
fn however_long_the_search_what_an_older_lock_pins_is_asked_for_alone() {
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
    let index = Heedful::new(&universe, Releases::Alone);
    let problem = Problem::new(&inputs(&["app", "link10<2"]), target(), Policy::default(), preferences);
    let answer = solve(Arc::new(problem), index.clone(), &Unwatched).ok().unwrap();
    assert_eq!(answer.pins.len(), 112);
    let asked = index.asked.lock().unwrap();
    assert!(asked.iter().all(|name| !name.starts_with("stays")), "{asked:?}");
}

/// The pins of `lines` in `universe`, and how many runs of the solver they took.
fn pins_and_runs(universe: &str, lines: &[&str]) -> (Vec<String>, String) {
    let heard = Heard::default();
    let problem = Problem::new(&inputs(lines), target(), Policy::default(), Preferences::default());
    let index = Heedful::new(universe, Releases::Alone);
    let resolution = solve(Arc::new(problem), index, &heard).ok().unwrap();
    let pin = |(name, pin): (&PackageName, &ResolvedPin)| format!("{name} {}", pin.candidate.version);
    let runs = heard.1.into_inner().unwrap();
    (resolution.pins.iter().map(pin).collect(), runs)
}

#[test]
fn what_nothing_pins_any_more_is_looked_at_as_a_whole() {
    // The newest app pins a core, and falls for another reason.
    let universe = "app 1\n    core\napp 2\n    core==1\n    gone\ncore 1 2\n";
    assert_eq!(pins_and_runs(universe, &["app"]).0, ["app 1", "core 2"]);
    let universe = "app 1\n    core\napp 2\n    core==1\ncore 1 2\n";
    assert_eq!(pins_and_runs(universe, &["app"]).0, ["app 2", "core 1"]);
}

#[test]
fn an_exact_pin_lets_a_local_version_in() {
    for releases in ["core 1 1+cpu 2\n", "core 1+cpu 2\n"] {
        let universe = format!("app 1\n    core==1\n{releases}");
        let problem = Problem::new(&inputs(&["app"]), target(), Policy::default(), Preferences::default());
        let index = Heedful::new(&universe, Releases::WithProject);
        let resolution = solve(Arc::new(problem), index, &Unwatched).ok().unwrap();
        let core = &resolution.pins[&"core".parse().unwrap()].candidate.version;
        assert_eq!(core.to_string(), "1+cpu", "{releases}");
    }
}

#[test]
fn one_run_finds_all_packages_whose_first_release_is_out() {
    let libs: String = (0..9).map(|n| format!("lib{n} 1\nlib{n} 2\n    base<2\n")).collect();
    let names: Vec<String> = (0..9).map(|n| format!("lib{n}")).collect();
    let lines: Vec<&str> = ["base"].into_iter().chain(names.iter().map(String::as_str)).collect();
    let (pins, runs) = pins_and_runs(&format!("base 1 2\n{libs}"), &lines);
    assert_eq!(pins[0], "base 2");
    assert!(pins[1..].iter().all(|pin| pin.ends_with(" 1")), "{pins:?}");
    // One finds that base is contested, one that the libs are.
    assert!(runs.ends_with("in 3 runs of the solver"), "{runs}");
}

#[test]
fn what_is_said_of_a_release_alone_changes_no_answer() {
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
                let index = Heedful::new(universe, releases);
                let answer = solve(Arc::new(problem), index, &Unwatched).ok()?;
                let pin = |(name, pin): (&PackageName, &ResolvedPin)| {
                    format!("{name}=={} {:?} {:?}", pin.candidate.version, pin.askers, pin.newest)
                };
                Some(answer.pins.iter().map(pin).collect::<Vec<_>>())
            };
            assert_eq!(solved(Releases::Alone), solved(Releases::WithProject), "{lines:?} {pins:?}");
        }
    }
}

/// A universe whose index is wrong about what releases need.
struct Wrong {
    universe: Arc<Heedful>,
    words: Universe,
}

impl Index for Wrong {
    fn listing(&self, name: &PackageName) -> Result<Option<Arc<Listing>>, Error> {
        self.universe.listing(name)
    }

    fn metadata(&self, file: &Arc<DistFile>, trust: Trust) -> Result<Arc<Metadata>, MetadataFailure> {
        if trust == Trust::File {
            return self.universe.metadata(file, trust);
        }
        let said = self.words.metadata(file, trust)?;
        Ok(Arc::new(Metadata { source: MetadataSource::Release, ..Metadata::clone(&said) }))
    }

    fn direct(&self, name: &PackageName, url: &DirectUrl) -> Result<Arc<Listing>, Error> {
        self.universe.direct(name, url)
    }

    fn sha256(&self, file: &Arc<DistFile>) -> Result<Sha256, Error> {
        self.universe.sha256(file)
    }

    fn prefetch(&self, _: &[Want]) {}
}

#[test]
fn what_an_index_says_wrongly_of_a_release_leaves_no_trace() {
    // No lib goes with the newest meta, which is therefore undone, and not met again once lib is decided first.
    let app = "app 1\n    meta\n    base\n    lib\nbase 1 2\nmeta 1\ndeep 1\n";
    let libs: String = (1..=8).map(|n| format!("lib {n}\n    base<2\n    meta<2\n")).collect();
    let (told, truth) = (format!("{app}{libs}meta 2\n"), format!("{app}{libs}meta 2\n    deep\n"));
    let solved = |index: Arc<dyn Index>| {
        let problem = Problem::new(&inputs(&["app"]), target(), Policy::default(), Preferences::default());
        let resolution = solve(Arc::new(problem), index, &Unwatched).unwrap_or_else(|_| panic!());
        resolution
            .pins
            .iter()
            .map(|(name, pin)| format!("{name} {}", pin.candidate.version))
            .collect::<Vec<_>>()
    };
    let [right, universe] = [(); 2].map(|()| Heedful::new(&truth, Releases::WithProject));
    let wrong = Wrong { universe: universe.clone(), words: Universe::parse(&told).unwrap() };
    assert_eq!(solved(right.clone()), ["app 1", "base 1", "lib 8", "meta 1"]);
    assert_eq!(solved(Arc::new(wrong)), ["app 1", "base 1", "lib 8", "meta 1"]);
    let [right, wrong] = [right, universe].map(|index| index.asked.lock().unwrap().clone());
    assert!(right.contains("deep"));
    assert_eq!(wrong, right, "an offline run asks for no more than the first one did");
}

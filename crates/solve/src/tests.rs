//! The solver on small universes.

mod looks;

use std::sync::Arc;

use super::solver::{SearchOutcome, search};
use super::universe::Universe;
use super::{Policy, Preferences, PrereleaseMode, Problem, ResolutionMode, SolveError, SolverIndex, solve};
use pinfast_base::event::Unwatched;
use pinfast_inputs::{InputLine, Inputs};
use pinfast_packaging::{Location, PackageName, Target};

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
        Err(SolveError::NoSolution(_)) => None,
        Err(SolveError::Fatal(error)) => panic!("{error}"),
    }
}

fn pins(universe: &str, lines: &[&str]) -> Option<String> {
    pins_of(universe, &inputs(lines), Policy::default(), Preferences::default())
}

#[test]
fn the_newest_release_that_fits_all_requirements_is_chosen() {
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
fn an_older_release_is_chosen_when_the_newest_conflicts() {
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
fn only_requested_extras_add_their_requirements() {
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
fn a_prerelease_is_chosen_only_when_no_stable_release_fits() {
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
fn a_yanked_release_is_chosen_only_under_an_exact_pin() {
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
fn releases_that_the_target_cannot_run_are_excluded() {
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
fn resolution_mode_and_preferences_order_the_candidates() {
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
fn constraints_restrict_without_adding_and_overrides_replace() {
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
fn a_direct_url_permits_only_its_own_release() {
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
fn cyclic_and_self_requirements_resolve() {
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
fn a_train_of_400_rejected_releases_resolves() {
    // Each release of the train wants its own partner; only the oldest partner is allowed.
    let mut universe = String::from("anchor 1\n    partner<1\n");
    for n in 0..400 {
        universe.push_str(&format!("train {n}\n    partner=={n}\npartner {n}\n"));
    }
    assert_eq!(pins(&universe, &["train", "anchor"]).unwrap(), "anchor==1 partner==0 train==0");
}

#[test]
fn the_order_of_lines_does_not_change_the_pins() {
    let universe = "
a 1 2
    b<2
b 1 2
    a<2
";
    assert_eq!(pins(universe, &["a", "b"]), pins(universe, &["b", "a"]));
}

#[test]
fn exclude_newer_applies_to_one_package_or_to_all() {
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

/// The pins, and how many files' metadata was examined.
fn pins_and_files(universe: &str, lines: &[&str]) -> (Option<String>, usize) {
    let universe = Universe::parse(universe).unwrap();
    let problem = Problem::new(&inputs(lines), target(), Policy::default(), Preferences::default());
    let index = SolverIndex::new(Arc::new(problem), Arc::new(universe));
    let pins = match search(&index, &Unwatched).unwrap_or_else(|error| panic!("{error}")) {
        SearchOutcome::Resolved(resolution) => {
            let pins = resolution.pins.iter().map(|(name, pin)| format!("{name}=={}", pin.candidate.version));
            Some(pins.collect::<Vec<_>>().join(" "))
        }
        SearchOutcome::Unsatisfiable(_) => None,
    };
    (pins, index.files_examined())
}

#[test]
fn galloping_crosses_a_long_train_in_few_looks() {
    for from in [1, 2, 40, 333, 700, 967, 968, 969, 999] {
        let (pins, files) = pins_and_files(&train(1000, from), &["app", "rail<2"]);
        assert_eq!(pins.unwrap(), format!("app==1.{0} engine==1.{0} rail==1", from - 1));
        assert!(files < 150, "{files} files for {from}");
    }
}

#[test]
fn galloping_keeps_a_release_that_others_only_undid() {
    // Each partner rules out the newest anchor that is left, which is decided before the train.
    let partners: String = (2..6).map(|n| format!("partner{n} 1 2\n    anchor!={n}\n")).collect();
    let universe = train(100, 50) + "anchor 1 2 3 4 5\n" + &partners;
    let lines = ["anchor", "app", "rail<2", "partner5", "partner4", "partner3", "partner2"];
    let (pins, files) = pins_and_files(&universe, &lines);
    assert!(pins.unwrap().starts_with("anchor==1 app==1.49 engine==1.49 "));
    assert!(files < 150, "{files} files");
}

#[test]
fn an_unsatisfiable_train_is_examined_whole() {
    // The 200 of each, and one of rail.
    let (pins, files) = pins_and_files(&train(200, 0), &["app", "rail<2"]);
    assert_eq!((pins, files), (None, 401));
}

#[test]
fn a_short_train_is_examined_release_by_release() {
    // The one release that fits among others that do not is found.
    let universe = train(25, 0) + "app 1.7.1\n    rail\n";
    assert_eq!(pins_and_files(&universe, &["app", "rail<2"]).0.unwrap(), "app==1.7.1 rail==1");
}

#[test]
fn an_extra_that_conflicts_restarts_after_few_tries() {
    let release = |n| format!("queue 1.{n}\n    store<2 ; extra == \"fast\"\n");
    let universe =
        (0..200).map(release).collect::<String>() + "store 1 2\napp 1\n    queue[fast]\n    store\n";
    let (pins, files) = pins_and_files(&universe, &["store", "app"]);
    assert_eq!(pins.unwrap(), "app==1 queue==1.199 store==1");
    assert!(files < 40, "{files} files");
}

/// Records the reports of long searches, and the last report on how many runs there were.
#[derive(Default)]
struct RecordedEvents(std::sync::Mutex<Vec<String>>, std::sync::Mutex<String>);

impl pinfast_base::event::Watcher for RecordedEvents {
    fn on(&self, event: pinfast_base::event::Event) {
        match event {
            pinfast_base::event::Event::Deciding { tried, against, tries } => {
                self.0.lock().unwrap().push(format!("{tried} against {against}, {tries} tries"));
            }
            pinfast_base::event::Event::Detail(text) if text.contains("runs") => {
                *self.1.lock().unwrap() = text
            }
            _ => {}
        }
    }
}

#[test]
fn a_long_search_reports_the_conflicting_decisions() {
    let mut universe = String::from("numpy 1.26 2.1\nplots 1.0\n    numpy>=2\n");
    let names = ["numba", "numexpr", "pandas", "scikit", "scipy", "shapely"];
    for name in names {
        universe.push_str(&format!("{name} 0.1\n"));
        (1..20).for_each(|n| universe.push_str(&format!("{name} 1.{n}\n    numpy<2\n    llvm!={n}\n")));
    }
    universe.push_str("llvm 50\n");
    let events = || {
        let recorded = RecordedEvents::default();
        let inputs = inputs(&[&["plots"][..], &names].concat());
        let problem = Problem::new(&inputs, target(), Policy::default(), Preferences::default());
        let index = Arc::new(Universe::parse(&universe).unwrap());
        assert!(solve(Arc::new(problem), index, &recorded).is_ok());
        recorded.0.into_inner().unwrap()
    };
    let first = events();
    assert_eq!(first[0], "scipy 1.19 against plots 1.0, 40 tries");
    assert_eq!(events(), first);
}

//! Runs a scenario and compares.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use pinfast::event::{Event, Watcher};
use pinfast::explain::{Budget, DetailLevel};
use pinfast::inputs::{Extras, InputRequest};
use pinfast::lock::Pin;
use pinfast::ops::held_back::HeldBack;
use pinfast::ops::lock::{LockError, LockRequest, Locked, Upgrade, lock, lock_from_index};
use pinfast::ops::{
    CacheUse, Hashes, IndexRequest, LockPlace, PolicyRequest, Session, TargetRequest, WritingRequest,
};
use pinfast::packaging::{
    CPythonBuild, Implementation, InterpreterFacts, MarkerValues, Platform, Target, Threading, supported_tags,
};
use pinfast::settings::ProcessEnv;
use pinfast::solve::universe::Universe;

use super::scenario::Scenario;
use super::universe;

/// What a scenario may expect.
const EXPECTED: [&str; 7] = ["pins", "warns", "files", "held", "fails", "error", "unsaid"];

/// What else it may consist of.
const PARTS: [&str; 5] = ["universe", "options", "inputs", "index", "links"];

/// The watcher of a run: it keeps the warnings.
#[derive(Default)]
struct Warnings(Mutex<BTreeSet<String>>);

impl Watcher for Warnings {
    fn on(&self, event: Event) {
        if let Event::Warning(warning) = event {
            self.0.lock().unwrap().insert(warning);
        }
    }
}

/// How the outcome differs from the expectations, a line each; `None` where it does not.
pub(super) fn differences(scenario: &Scenario) -> Option<String> {
    let known = |key: &&str| {
        let kind = key.split(' ').next().unwrap();
        key.contains('.') || EXPECTED.contains(key) || PARTS.contains(&kind)
    };
    if let Some(odd) = scenario.keys().find(|key| !known(key)) {
        return Some(format!("    `{odd}` is no part of a scenario"));
    }
    let folder = tempfile::tempdir().unwrap();
    for file in scenario.files() {
        std::fs::write(folder.path().join(file), scenario.text(file)).unwrap();
    }
    let warnings = Arc::new(Warnings::default());
    let env = ProcessEnv::empty(folder.path());
    let on_disk = lay_out(scenario, folder.path());
    let outcome = Session::new(env, None, warnings.clone()).map_err(LockError::Error).and_then(|session| {
        let request = request(scenario);
        if on_disk {
            return lock(&request, &session);
        }
        let index = Arc::new(Universe::parse(&scenario.text("universe")).unwrap_or_else(|error| {
            panic!("{}: {error}", scenario.at);
        }));
        lock_from_index(&request, index, interpreters(scenario), &session)
    });
    let mut said = warnings.0.lock().unwrap().clone();
    let wrong = match outcome {
        Ok(locked) => {
            said.extend(locked.warnings.iter().cloned());
            of_lock(scenario, &locked, &said)
        }
        Err(LockError::Error(error)) => {
            let said = [vec![error.message], error.details, error.hints].concat().join("\n");
            of_text(scenario, "error", &said)
        }
        Err(LockError::NoSolution(unsolved)) => {
            let begun = Instant::now();
            let budget = Budget::new(Duration::from_secs(5), Arc::new(move || begun.elapsed()));
            let explanation = unsolved.explain(budget, &*warnings);
            let lines = explanation.lines(1000, DetailLevel::Short).join("\n");
            of_text(scenario, "fails", &format!("{}\n{lines}", explanation.headline))
        }
    };
    (!wrong.is_empty()).then(|| wrong.iter().map(|line| format!("    {line}\n")).collect())
}

/// Writes the scenario's indexes and folders of wheels; whether there is any.
fn lay_out(scenario: &Scenario, root: &Path) -> bool {
    for name in scenario.named("index") {
        for (path, bytes) in universe::pages(&scenario.text(&format!("index {name}"))) {
            write(&root.join(name).join(path.trim_start_matches('/')), &bytes);
        }
    }
    for name in scenario.named("links") {
        for (path, bytes) in universe::pages(&scenario.text(&format!("links {name}"))) {
            if let Some(wheel) = path.rsplit('/').next().filter(|file| file.ends_with(".whl")) {
                write(&root.join(name).join(wheel), &bytes);
            }
        }
    }
    scenario.named("index").chain(scenario.named("links")).next().is_some()
}

fn write(path: &Path, bytes: &[u8]) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, bytes).unwrap();
}

fn of_lock(scenario: &Scenario, locked: &Locked, warnings: &BTreeSet<String>) -> Vec<String> {
    let pins: Vec<String> = locked.lock.pins.iter().map(Pin::requirement).collect();
    let mut wrong = Vec::new();
    let expected = scenario.lines("pins").unwrap_or_default();
    if scenario.lines("pins").is_none() || pins != expected {
        wrong.push(format!("expected {}", expected.join(" | ")));
        wrong.push(format!("found    {}", pins.join(" | ")));
    }
    let fragments = scenario.lines("warns").unwrap_or_default();
    let unexpected = warnings.iter().filter(|warning| !fragments.iter().any(|part| warning.contains(part)));
    wrong.extend(unexpected.map(|warning| format!("unexpected warning: {warning}")));
    let missing = fragments.iter().filter(|part| !warnings.iter().any(|warning| warning.contains(**part)));
    wrong.extend(missing.map(|part| format!("no warning has `{part}`")));
    if let Some(expected) = scenario.lines("files") {
        let files = locked.lock.pins.iter().flat_map(|pin| pin.files.iter().map(|file| &*file.name));
        let files: Vec<&str> = files.collect();
        if files != expected {
            wrong.push(format!("expected files {expected:?}"));
            wrong.push(format!("found files    {files:?}"));
        }
    }
    if let Some(expected) = scenario.lines("held") {
        let held: Vec<String> = locked.held_back.iter().map(held).collect();
        let fits = |(held, expected): (&String, &&str)| match expected.split_once(" by ") {
            Some((package, by)) => held.starts_with(package) && held.contains(by),
            None => held == expected,
        };
        if held.len() != expected.len() || !held.iter().zip(&expected).all(fits) {
            wrong.push(format!("held back: {held:?}"));
        }
    }
    wrong
}

fn held(held: &HeldBack) -> String {
    let by = held.by.as_ref().map(|by| format!(" by {by}")).unwrap_or_default();
    format!("{}: {} not {}{by}", held.name, held.chosen, held.newest)
}

/// How the text `said` differs from the parts that `key` expects.
fn of_text(scenario: &Scenario, key: &str, said: &str) -> Vec<String> {
    let shown = said.lines().filter(|line| !line.trim().is_empty()).map(|line| format!("| {line}"));
    let Some(parts) = scenario.lines(key) else {
        return std::iter::once(format!("unexpected ({key}):")).chain(shown).collect();
    };
    let words = said.split_whitespace().collect::<Vec<_>>().join(" ");
    let unsaid = scenario.lines("unsaid").unwrap_or_default();
    let said_all_the_same = unsaid.iter().filter(|part| words.contains(**part));
    let missing: Vec<String> = parts
        .iter()
        .filter(|part| !words.contains(**part))
        .map(|part| format!("`{part}` is not in:"))
        .chain(said_all_the_same.map(|part| format!("`{part}` is in:")))
        .collect();
    if missing.is_empty() { missing } else { missing.into_iter().chain(shown).collect() }
}

fn request(scenario: &Scenario) -> LockRequest {
    let mut request = LockRequest {
        inputs: inputs(scenario),
        place: LockPlace::File("requirements.txt".into()),
        targets: TargetRequest::default(),
        indexes: IndexRequest { cache_use: CacheUse::Normal, ..IndexRequest::default() },
        policy: PolicyRequest::default(),
        upgrade: Upgrade::None,
        writing: WritingRequest { hashes: Some(Hashes::All), ..WritingRequest::default() },
        edited: std::collections::BTreeMap::new(),
    };
    let text = scenario.lines("options").unwrap_or_default().join(" ");
    let mut words = text.split_whitespace();
    while let Some(option) = words.next() {
        let mut value = || words.next().unwrap_or_else(|| panic!("{}: {option} what?", scenario.at));
        match option {
            "--python-version" => request.targets.versions.push(value().parse().unwrap()),
            "--platform" => request.targets.platforms.push(value().parse().unwrap()),
            "--universal" | UNIVERSAL_AS_REQUIRED => request.targets.universal = Some(()),
            "--interpreter" => drop(value()),
            TARGETS_AS_SET => {}
            "--resolution" => request.policy.resolution = Some(value().parse().unwrap()),
            "--prerelease" => request.policy.prerelease = Some(value().parse().unwrap()),
            "--exclude-newer" => request.policy.exclude_newer = Some(value().to_owned()),
            "--no-binary" => request.policy.no_binary.push(value().parse().unwrap()),
            "--only-binary" => request.policy.only_binary.push(value().parse().unwrap()),
            "--index-url" => request.indexes.index_url = Some(value().to_owned()),
            "--extra-index-url" => request.indexes.extra_index_urls.push(value().to_owned()),
            "--find-links" => request.indexes.find_links.push(value().to_owned()),
            "--no-index" => request.indexes.no_index = Some(()),
            "--extra" => match &mut request.inputs.extras {
                Extras::Named(extras) => extras.push(value().parse().unwrap()),
                Extras::All => panic!("{}: --extra and --all-extras", scenario.at),
            },
            "--all-extras" => request.inputs.extras = Extras::All,
            "--group" => request.inputs.groups.push(value().parse().unwrap()),
            "--hashes" => {
                request.writing.hashes = Some(if value() == "all" { Hashes::All } else { Hashes::Targets });
            }
            "--upgrade" => request.upgrade = Upgrade::All,
            "--upgrade-package" => {
                let mut names = match std::mem::take(&mut request.upgrade) {
                    Upgrade::Packages(names) => names,
                    _ => BTreeSet::new(),
                };
                names.insert(value().parse().unwrap());
                request.upgrade = Upgrade::Packages(names);
            }
            odd => panic!("{}: the option `{odd}`", scenario.at),
        }
    }
    if !text.contains(UNIVERSAL_AS_REQUIRED) && !text.contains(TARGETS_AS_SET) {
        default_targets(&mut request.targets);
    }
    request
}

/// `--universal` from the Python that the inputs require, where it is otherwise from 3.11.
const UNIVERSAL_AS_REQUIRED: &str = "--universal-as-required";

/// The targets of the settings.
const TARGETS_AS_SET: &str = "--targets-as-set";

/// CPython 3.11 on Linux, where the scenario does not say.
fn default_targets(targets: &mut TargetRequest) {
    if targets.versions.is_empty() {
        targets.versions.push("3.11".parse().unwrap());
    }
    if targets.platforms.is_empty() && targets.universal.is_none() {
        targets.platforms.push("linux".parse().unwrap());
    }
}

fn inputs(scenario: &Scenario) -> InputRequest {
    let of = |is: fn(&str) -> bool| scenario.files().filter(|file| is(file)).map(str::to_owned).collect();
    let named = scenario.lines("inputs").map(|names| names.into_iter().map(str::to_owned).collect());
    InputRequest {
        inputs: named.unwrap_or_else(|| {
            of(|file| file.ends_with(".in") || PathBuf::from(file).ends_with("pyproject.toml"))
        }),
        constraints: of(|file| file.starts_with("constraints")),
        overrides: of(|file| file.starts_with("overrides")),
        ..InputRequest::default()
    }
}

/// The targets that no option of `lock` can declare: `cp313t`, a Python without its global lock, and
/// `pypy310_pp73`, each on Linux.
fn interpreters(scenario: &Scenario) -> Option<Vec<Target>> {
    let options = scenario.lines("options").unwrap_or_default().join(" ");
    let words: Vec<&str> = options.split_whitespace().collect();
    let named = words.windows(2).filter(|pair| pair[0] == "--interpreter").map(|pair| interpreter(pair[1]));
    let targets: Vec<Target> = named.collect();
    (!targets.is_empty()).then_some(targets)
}

fn interpreter(name: &str) -> Target {
    let digits: String = name.chars().skip_while(|c| !c.is_ascii_digit()).skip(1).collect();
    let digits: String = digits.chars().take_while(char::is_ascii_digit).collect();
    let minor: u32 = digits.parse().unwrap();
    let platform: Platform = "linux".parse().unwrap();
    let (implementation, of_name) = if name.starts_with("pypy") {
        (Implementation::PyPy(name.to_owned()), ["pypy", "PyPy"])
    } else {
        let threading = if name.ends_with('t') { Threading::Free } else { Threading::Gil };
        (Implementation::CPython { threading, build: CPythonBuild::Release }, ["cpython", "CPython"])
    };
    let declared = Target::declared(&format!("3.{minor}").parse().unwrap(), &platform);
    let values = MarkerValues {
        implementation_name: of_name[0].to_owned(),
        platform_python_implementation: of_name[1].to_owned(),
        ..declared.marker_values().clone()
    };
    let tags = supported_tags(&InterpreterFacts { implementation, python: (3, minor), platform });
    Target::new(&values, tags, name.to_owned()).unwrap()
}

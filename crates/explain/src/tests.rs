//! What the gallery does not cover: proofs and budgets of every size.

#![expect(clippy::disallowed_types, reason = "these tests measure how long an explanation takes")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::{Budget, DetailLevel, ExplainRequest, Explanation, explain};
use pinfast_base::event::Unwatched;
use pinfast_inputs::{InputLine, Inputs};
use pinfast_packaging::{Location, Target};
use pinfast_solve::universe::Universe;
use pinfast_solve::{NoSolution, Policy, Preferences, Problem, ProofStep, SolveError, solve};

fn problem(lines: &[&str], platform: &str) -> Problem {
    let line = |(number, text): (u32, &&str)| InputLine {
        requirement: text.parse().unwrap(),
        text: (*text).into(),
        at: Location::new("in.txt", number, 1),
        hashes: Vec::new(),
    };
    let inputs = Inputs { requirements: (1..).zip(lines).map(line).collect(), ..Inputs::default() };
    let target = Target::declared(&"3.11".parse().unwrap(), &platform.parse().unwrap());
    Problem::new(&inputs, target, Policy::default(), Preferences::default())
}

fn failure(universe: &str, lines: &[&str]) -> Box<NoSolution> {
    let universe = Arc::new(Universe::parse(universe).unwrap());
    match solve(Arc::new(problem(lines, "linux")), universe, &Unwatched) {
        Err(SolveError::NoSolution(failure)) => failure,
        Err(SolveError::Fatal(error)) => panic!("{error}"),
        Ok(_) => panic!("it has a solution"),
    }
}

fn explained(failure: Box<NoSolution>, budget: Budget) -> Explanation {
    explain(failure, &ExplainRequest::new(budget), &Unwatched)
}

const SMALL: &str = "
app 1.0 2.0
    core>=2
core 1.0 2.0
";

#[test]
fn a_proof_of_eighty_thousand_steps_is_written_on_a_small_stack() {
    let explain_it = || {
        let mut failure = failure(SMALL, &["app", "core<2"]);
        let last = failure.proof.steps.len() - 1;
        let ProofStep::Derived { terms, .. } = failure.proof.steps[last].clone() else { panic!("{last}") };
        for first in last..last + 80_000 {
            failure.proof.steps.push(ProofStep::Derived { first, second: 0, terms: terms.clone() });
        }
        let spent = Budget::new(Duration::ZERO, Arc::new(|| Duration::ZERO));
        let started = Instant::now();
        let lines = explained(failure, spent).lines(100, DetailLevel::Full);
        (lines, started.elapsed())
    };
    let small = std::thread::Builder::new().stack_size(512 * 1024);
    let (lines, took) = small.spawn(explain_it).unwrap().join().unwrap();
    assert!(lines.len() > 80_000);
    assert!(
        lines.iter().any(|line| line.starts_with("  [80000] so, by [79999] and [1]:")),
        "{:?}",
        &lines[..9]
    );
    // Far from the second that it may take at most, even where nothing is optimised.
    assert!(took < Duration::from_secs(10), "{took:?}");
}

#[test]
fn a_train_of_thousands_of_releases_is_shown_as_two_groups() {
    let mut universe = String::from("tool 1.0\n    core<1.50\ncore 1.0\n");
    for n in 1..1500 {
        universe.push_str(&format!("sdk 1.{n}\n    core>=1.{},<1.{}\ncore 1.{n}\n", n - 1, n + 1));
    }
    let failure = failure(&universe, &["sdk>=1.100", "tool"]);
    let explanation = explained(failure, Budget::unlimited());
    let text = explanation.lines(100, DetailLevel::Short).join("\n");
    assert!(
        text.contains("each of the 1400 releases of sdk in your range (1.100 to 1.1499) needs"),
        "{text}"
    );
    assert!(text.contains("core>=1.99"), "{text}");
}

#[test]
fn a_graph_of_hundreds_of_packages_is_explained_fast() {
    // Each package needs the next two; the last ones disagree about the end.
    let mut universe = String::from("end 1.0 2.0\n");
    for n in 0..300 {
        universe.push_str(&format!("p{n} 1.0 1.1 1.2\n    p{}\n    p{}\n", n + 1, n + 2));
    }
    universe.push_str("p300 1.0\n    end<2\np301 1.0\n    end>=2\n");
    let failure = failure(&universe, &["p0"]);
    let spent = Budget::new(Duration::ZERO, Arc::new(|| Duration::ZERO));
    let started = Instant::now();
    let explanation = explained(failure, spent);
    assert_eq!(
        explanation.headline,
        "p300 (needed by p298) needs end<2, but p301 (needed by p299) needs end>=2"
    );
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
}

#[test]
fn a_spent_budget_still_gives_the_conflict() {
    let spent = Budget::new(Duration::from_secs(2), Arc::new(|| Duration::from_secs(2)));
    let explanation = explained(failure(SMALL, &["app", "core<2", "core"]), spent);
    assert_eq!(explanation.headline, "app needs core>=2, but in.txt:2 asks for `core<2`");
    let last = explanation.lines(100, DetailLevel::Short).pop().unwrap();
    assert_eq!(last, "No fix found: tried 0 changes of one line and 0 pairs in 2.0 s.");
}

#[test]
fn the_budget_ends_the_search_for_fixes() {
    let clock = Arc::new(AtomicU64::new(0));
    let ticks = clock.clone();
    let elapsed = move || Duration::from_millis(ticks.fetch_add(1, Ordering::Relaxed));
    explained(failure(SMALL, &["app", "core<2"]), Budget::new(Duration::from_millis(40), Arc::new(elapsed)));
    assert!(clock.load(Ordering::Relaxed) < 200, "{clock:?}");
}

#[test]
fn a_fix_holds_for_every_target() {
    let universe = "
app 1.0
    ghost ; sys_platform == 'win32'
app 2.0
    core>=2
core 1.0 2.0
";
    let lines = ["app>=2", "core<2"];
    let alone = explained(failure(universe, &lines), Budget::unlimited());
    assert_eq!(alone.fix_report.fixes.len(), 2);
    let others = vec![Arc::new(problem(&lines, "windows"))];
    let request = ExplainRequest { others, ..ExplainRequest::new(Budget::unlimited()) };
    let both = explain(failure(universe, &lines), &request, &Unwatched);
    assert_eq!(both.fix_report.fixes.len(), 1);
    assert_eq!(both.fix_report.fixes[0].edits[0].new.as_deref(), Some("core<3"));
}

#[test]
fn a_fix_counts_what_it_moves() {
    let universe = "
app 1.0
    core>=1
    side<2
app 2.0
    core>=2
core 1.0 2.0
side 1.0 2.0
";
    let explanation = explained(failure(universe, &["app>=2", "core<2", "side"]), Budget::unlimited());
    let fixes = &explanation.fix_report.fixes;
    let news: Vec<_> = fixes.iter().map(|fix| (fix.edits[0].new.as_deref().unwrap(), fix.moved)).collect();
    assert_eq!(news, [("core<3", 0), ("app>=1,<2", 1)]);
}

fn requirement() -> impl Strategy<Value = String> {
    let bound =
        prop_oneof![Just(""), Just("==1"), Just(">=2"), Just("<3"), Just("!=2"), Just(">3"), Just("<=1")];
    (prop::sample::select(&["a", "b", "c", "d", "b[x]"][..]), bound)
        .prop_map(|(name, bound)| format!("{name}{bound}"))
}

/// Packages `a` to `d` in releases 1 to 3, each with up to three requirements and an extra `x`; `d` may be yanked.
fn universe() -> impl Strategy<Value = String> {
    let release = (prop::collection::vec(requirement(), 0..4), requirement(), prop::bool::weighted(0.2));
    prop::collection::vec(release, 12).prop_map(|releases| {
        let mut text = String::new();
        for (n, (requires, of_extra, yanked)) in releases.iter().enumerate() {
            let name = ["a", "b", "c", "d"][n / 3];
            text.push_str(&format!("{name} {}\n    extra: x\n    {of_extra} ; extra == 'x'\n", n % 3 + 1));
            requires.iter().for_each(|requirement| text.push_str(&format!("    {requirement}\n")));
            text.push_str(if *yanked && name == "d" { "    yanked: broken\n" } else { "" });
        }
        text
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn every_line_at_fault_is_needed_and_every_fix_resolves(
        universe in universe(),
        lines in prop::collection::vec(requirement(), 1..5),
    ) {
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let index = Arc::new(Universe::parse(&universe).unwrap());
        let solved = |lines: &[&str]| {
            let problem = Arc::new(problem(lines, "linux"));
            match solve(problem, index.clone(), &Unwatched) {
                Ok(_) => None,
                Err(SolveError::NoSolution(failure)) => Some(failure),
                Err(SolveError::Fatal(error)) => panic!("{error}"),
            }
        };
        if let Some(failure) = solved(&lines) {
            let explanation = explained(failure, Budget::unlimited());
            let place = |line: &super::CauseLine| line.at.line as usize - 1;
            let guilty: Vec<usize> = explanation.cause.iter().map(place).collect();
            let without = |left_out: usize| {
                let kept: Vec<&str> = guilty.iter().filter(|n| **n != left_out).map(|n| lines[*n]).collect();
                solved(&kept)
            };
            prop_assert!(!guilty.is_empty());
            prop_assert!(guilty.iter().all(|n| without(*n).is_none()), "{:?}", guilty);
            for fix in &explanation.fix_report.fixes {
                let mut lines = lines.clone();
                for edit in &fix.edits {
                    lines[edit.at.line as usize - 1] = edit.new.as_deref().unwrap();
                }
                prop_assert!(solved(&lines).is_none(), "{:?}", fix);
            }
            let text = explanation.lines(100, DetailLevel::Short);
            let before = text.iter().take_while(|line| !line.starts_with("Fixes") && !line.starts_with("No fix"));
            prop_assert!(text[0].starts_with("error: "), "{:#?}", text);
            prop_assert!(before.filter(|line| !line.is_empty()).count() <= 12, "{:#?}", text);
            prop_assert!(explanation.lines(40, DetailLevel::Full).len() > text.len());
        }
    }
}

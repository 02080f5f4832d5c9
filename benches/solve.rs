//! The solver's inner loops: synthetic backtracking of 500 to 2,000 versions, and reading a universe.
//!
//! `cargo bench --bench solve`

use std::fmt::Write as _;
use std::hint::black_box;
use std::sync::Arc;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use pinfast::event::Unwatched;
use pinfast::inputs::{InputLine, Inputs};
use pinfast::packaging::{Location, Target};
use pinfast::solve::universe::Universe;
use pinfast::solve::{Policy, Preferences, Problem, solve};

/// A train of `count` releases, each of which wants its own partner, of which only the oldest is allowed:
/// every release but one has to be rejected.
fn train(count: usize) -> String {
    let mut text = String::from("anchor 1\n    partner<1\n");
    for n in 0..count {
        let _ = write!(text, "train {n}\n    partner=={n}\npartner {n}\n");
    }
    text
}

/// `count` packages in a chain, each with 20 releases that want a close neighbour.
fn chain(count: usize) -> String {
    let mut text = String::new();
    for n in 0..count {
        for version in 0..20 {
            let _ = write!(text, "p{n} {version}\n    p{}>={version},<={}\n", n + 1, version + 3);
        }
    }
    let _ = writeln!(text, "p{count} 0 1 2 3 4 5");
    text
}

fn problem(lines: &[&str]) -> Arc<Problem> {
    let requirements = lines.iter().map(|text| InputLine {
        requirement: text.parse().expect("a requirement"),
        text: (*text).into(),
        at: Location::new("requirements.in", 1, 1),
        hashes: Vec::new(),
    });
    let inputs = Inputs { requirements: requirements.collect(), ..Inputs::default() };
    let target = Target::declared(&"3.11".parse().expect("a version"), &"linux".parse().expect("a platform"));
    Arc::new(Problem::new(&inputs, target, Policy::default(), Preferences::default()))
}

fn solves(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("solve");
    group.sample_size(20);
    for count in [500, 1_000, 2_000] {
        let universe = Arc::new(Universe::parse(&train(count)).expect("a universe"));
        let problem = problem(&["train", "anchor"]);
        group.bench_with_input(BenchmarkId::new("train", count), &count, |bencher, _| {
            bencher.iter(|| black_box(solve(problem.clone(), universe.clone(), &Unwatched).is_ok()));
        });
    }
    for count in [50, 200] {
        let universe = Arc::new(Universe::parse(&chain(count)).expect("a universe"));
        let problem = problem(&["p0"]);
        group.bench_with_input(BenchmarkId::new("chain", count), &count, |bencher, _| {
            bencher.iter(|| black_box(solve(problem.clone(), universe.clone(), &Unwatched).is_ok()));
        });
    }
    group.finish();
}

criterion_group!(benches, solves);
criterion_main!(benches);

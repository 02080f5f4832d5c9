//! The inner loops on the recorded index: read inputs and pages, build candidates, solve the example's closure,
//! write and read its lock, find the words for a conflict.
//!
//! `cargo bench --bench recorded`

use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use pinfast::event::Unwatched;
use pinfast::explain::{Budget, DetailLevel, ExplainRequest, explain};
use pinfast::files::DiskInputs;
use pinfast::index::{Client, IndexConfig, IndexUrl};
use pinfast::inputs::{InputRequest, Inputs, read};
use pinfast::lock::{Lock, WriteOptions};
use pinfast::ops::lock::{LockRequest, Upgrade, lock};
use pinfast::ops::{IndexRequest, LockPlace, PolicyRequest, Session, TargetRequest, WritingRequest};
use pinfast::packaging::{PackageName, Target};
use pinfast::settings::ProcessEnv;
use pinfast::solve::{Index as _, Policy, Preferences, Problem, SolveError, SolverIndex, solve};

const EXAMPLE: &str = "examples/marketing-bot/requirements.in";
const CONFLICT: &str = "examples/marketing-bot/conflict.in";
const INDEX: &str = "testdata/index/simple";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn inputs(path: &str) -> Inputs {
    let request = InputRequest { inputs: vec![path.to_owned()], ..InputRequest::default() };
    read(&request, &DiskInputs::new(root())).unwrap_or_else(|error| panic!("{error}"))
}

fn client() -> Arc<Client> {
    client_of(INDEX)
}

fn client_of(index: &str) -> Arc<Client> {
    let index = IndexUrl::parse(index, root()).unwrap_or_else(|error| panic!("{error}"));
    Arc::new(Client::new(IndexConfig { indexes: vec![index], ..IndexConfig::default() }, Arc::new(Unwatched)))
}

/// A folder index with one project: 500 releases of eight wheels each.
fn big_index() -> (tempfile::TempDir, PackageName) {
    let file = |n: usize| {
        let (version, python) = (n / 8, n % 8 + 6);
        let name = format!("big-1.{version}-cp3{python}-cp3{python}-manylinux_2_17_x86_64.whl");
        format!(
            r#"{{"filename":"{name}","url":"../../files/big/{name}","hashes":{{"sha256":"{n:064x}"}},
            "requires-python":">=3.6","size":1000,"upload-time":"2026-01-01T00:00:00Z","yanked":false}}"#
        )
    };
    let files: Vec<_> = (0..4_000).map(file).collect();
    let page = format!(r#"{{"meta":{{"api-version":"1.1"}},"name":"big","files":[{}]}}"#, files.join(","));
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join("big")).expect("a disk");
    std::fs::write(folder.path().join("big/index.json"), page).expect("a disk");
    (folder, PackageName::new("big").expect("a name"))
}

fn target() -> Target {
    Target::declared(&"3.11".parse().expect("a version"), &"linux".parse().expect("a platform"))
}

fn text_of_lock() -> String {
    let session = Session::new(ProcessEnv::empty(root()), None, Arc::new(Unwatched));
    let request = LockRequest {
        inputs: InputRequest { inputs: vec![EXAMPLE.to_owned()], ..InputRequest::default() },
        place: LockPlace::StandardOutput,
        targets: TargetRequest {
            versions: vec!["3.11".parse().expect("a version")],
            platforms: vec!["linux".parse().expect("a platform")],
            ..TargetRequest::default()
        },
        indexes: IndexRequest { index_url: Some(INDEX.to_owned()), ..IndexRequest::default() },
        policy: PolicyRequest::default(),
        upgrade: Upgrade::None,
        writing: WritingRequest::default(),
        edited: std::collections::BTreeMap::new(),
    };
    match lock(&request, &session.unwrap_or_else(|error| panic!("{error}"))) {
        Ok(locked) => locked.text,
        Err(_) => panic!("the example has a solution"),
    }
}

fn parses(criterion: &mut Criterion) {
    criterion.bench_function("read the inputs", |bencher| bencher.iter(|| black_box(inputs(EXAMPLE))));
    let largest = PackageName::new("google-cloud-aiplatform").expect("a name");
    criterion.bench_function("read a project's pages", |bencher| {
        bencher.iter(|| black_box(client().listing(&largest).is_ok()));
    });
    let (folder, big) = big_index();
    let big_client = || client_of(folder.path().to_str().expect("a readable path"));
    criterion.bench_function("read a page of 4,000 files", |bencher| {
        bencher.iter(|| black_box(big_client().listing(&big).is_ok()));
    });
    let text = text_of_lock();
    criterion.bench_function("read the lock", |bencher| {
        bencher.iter(|| black_box(Lock::parse(&text, "lock").is_ok()))
    });
    let lock = Lock::parse(&text, "lock").unwrap_or_else(|error| panic!("{error}"));
    let options = WriteOptions::default();
    criterion.bench_function("write the lock", |bencher| bencher.iter(|| black_box(lock.write(&options))));
}

fn problem(path: &str) -> Arc<Problem> {
    Arc::new(Problem::new(&inputs(path), target(), Policy::default(), Preferences::default()))
}

fn solves(criterion: &mut Criterion) {
    let problem = problem(EXAMPLE);
    let (folder, big) = big_index();
    let big_client = client_of(folder.path().to_str().expect("a readable path"));
    criterion.bench_function("build the candidates of 4,000 files", |bencher| {
        bencher.iter(|| {
            black_box(SolverIndex::new(problem.clone(), big_client.clone()).candidates(&big).is_ok())
        });
    });
    let client = client();
    criterion.bench_function("solve the example, all pages read", |bencher| {
        bencher.iter(|| black_box(solve(problem.clone(), client.clone(), &Unwatched).is_ok()));
    });
}

fn phrases(criterion: &mut Criterion) {
    let (problem, client) = (problem(CONFLICT), client());
    let fail = || match solve(problem.clone(), client.clone(), &Unwatched) {
        Err(SolveError::NoSolution(failure)) => failure,
        _ => panic!("the conflict has no solution"),
    };
    let spent = Budget::new(Duration::ZERO, Arc::new(|| Duration::ZERO));
    let request = ExplainRequest::new(spent);
    let tell = |failure| explain(failure, &request, &Unwatched).lines(100, DetailLevel::Short);
    criterion.bench_function("find the words for a conflict", |bencher| {
        bencher.iter_batched(fail, |failure| black_box(tell(failure)), BatchSize::SmallInput);
    });
}

criterion_group!(benches, parses, solves, phrases);
criterion_main!(benches);

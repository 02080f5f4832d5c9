//! The inner loops on the recorded index: read inputs and pages, solve the example's closure, write and
//! read its lock.
//!
//! `cargo bench --bench recorded`

use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use pinfast::event::Unwatched;
use pinfast::files::Texts;
use pinfast::index::{Client, Config, IndexUrl};
use pinfast::inputs::{InputRequest, Inputs, read};
use pinfast::lock::{Lock, WriteOptions};
use pinfast::ops::lock::{LockRequest, Upgrade, lock};
use pinfast::ops::{IndexRequest, LockPlace, PolicyRequest, Session, TargetRequest};
use pinfast::settings::Surroundings;
use pinfast::solve::{Index as _, Policy, Preferences, Problem, solve};
use pinfast::spec::{PackageName, Target};

const EXAMPLE: &str = "examples/marketing-bot/requirements.in";
const INDEX: &str = "testdata/index/simple";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn inputs() -> Inputs {
    let request = InputRequest { inputs: vec![EXAMPLE.to_owned()], ..InputRequest::default() };
    read(&request, &Texts::new(root())).unwrap_or_else(|error| panic!("{error}"))
}

fn client() -> Arc<Client> {
    let index = IndexUrl::parse(INDEX, root()).unwrap_or_else(|error| panic!("{error}"));
    Arc::new(Client::new(Config { indexes: vec![index], ..Config::default() }, Arc::new(Unwatched)))
}

fn target() -> Target {
    Target::declared(&"3.11".parse().expect("a version"), &"linux".parse().expect("a platform"))
}

fn text_of_lock() -> String {
    let session = Session::new(Surroundings::bare(root()), None, Arc::new(Unwatched));
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
        hashes: None,
        annotations: None,
        edited: std::collections::BTreeMap::new(),
    };
    match lock(&request, &session.unwrap_or_else(|error| panic!("{error}"))) {
        Ok(locked) => locked.text,
        Err(_) => panic!("the example has a solution"),
    }
}

fn parses(criterion: &mut Criterion) {
    criterion.bench_function("read the inputs", |bencher| bencher.iter(|| black_box(inputs())));
    let largest = PackageName::new("google-cloud-aiplatform").expect("a name");
    criterion.bench_function("read a project's pages", |bencher| {
        bencher.iter(|| black_box(client().listing(&largest).is_ok()));
    });
    let text = text_of_lock();
    criterion.bench_function("read the lock", |bencher| {
        bencher.iter(|| black_box(Lock::parse(&text, "lock").is_ok()))
    });
    let lock = Lock::parse(&text, "lock").unwrap_or_else(|error| panic!("{error}"));
    let options = WriteOptions::default();
    criterion.bench_function("write the lock", |bencher| bencher.iter(|| black_box(lock.write(&options))));
}

fn solves(criterion: &mut Criterion) {
    let problem = Arc::new(Problem::new(&inputs(), target(), Policy::default(), Preferences::default()));
    let client = client();
    criterion.bench_function("solve the example, all pages read", |bencher| {
        bencher.iter(|| black_box(solve(problem.clone(), client.clone(), &Unwatched).is_ok()));
    });
}

criterion_group!(benches, parses, solves);
criterion_main!(benches);

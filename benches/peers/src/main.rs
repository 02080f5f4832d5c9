//! Measures pinfast beside uv: whole processes, in turns, on an index that is recorded once and then served
//! from 127.0.0.1. `docs/performance.md` has the method and the last figures.
//!
//! - `main`: arguments; records what is missing, measures, reports
//! - `sets`, `case`, `tool`: what is locked, which lock and cache exist before a run, the command lines
//! - `bench`, `process`: prepares folders, runs, measures; `report`: the figures as tables and as JSON
//! - `server`, `wire`, `certificate`, `counts`: serves the recorded index and counts requests
//! - `resource`, `store`, `page`, `wheel`: the recorded pages and files, on disk and in memory
//! - `upstream`: fetches from the index that is recorded

mod bench;
mod case;
mod certificate;
mod counts;
mod page;
mod process;
mod report;
mod resource;
mod server;
mod sets;
mod store;
mod tool;
mod upstream;
mod wheel;
mod wire;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use clap::{Parser, ValueEnum as _};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use tokio::runtime::Runtime;

use bench::{Benchmark, ContenderResult};
use case::BenchCase;
use report::RunCondition;
use server::{RecordedServer, ReleasePages, ServerBehaviour, UnrecordedResource};
use sets::RequirementSet;
use store::RecordedIndex;
use tool::ToolPaths;
use upstream::Upstream;

/// Measures pinfast beside uv on a recorded index.
#[derive(Parser)]
#[command(name = "peers")]
struct Arguments {
    /// The sets to lock, all of sets.toml by default
    #[arg(long, value_delimiter = ',', value_name = "NAME,…")]
    sets: Vec<String>,
    /// The cases to measure, all by default
    #[arg(long, value_delimiter = ',', value_name = "CASE,…")]
    cases: Vec<BenchCase>,
    /// Measured runs of each contender in each case
    #[arg(long, default_value_t = 7, value_name = "COUNT")]
    rounds: usize,
    /// Milliseconds that are added to each request
    #[arg(long, default_value_t = 30, value_name = "MS")]
    latency: u64,
    /// Megabits a second on each connection; as fast as it goes by default
    #[arg(long, value_name = "MBIT")]
    rate: Option<u64>,
    /// Answer 404 to /pypi/NAME/VERSION/json
    #[arg(long)]
    no_version_json: bool,
    /// Where the recorded index is kept [default: pinfast-peers in the user's cache folder]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The pinfast to measure [default: it is built from these sources]
    #[arg(long, value_name = "PATH")]
    pinfast: Option<PathBuf>,
    /// The uv to measure
    #[arg(long, default_value = "uv", value_name = "PATH")]
    uv: PathBuf,
    /// The Python whose pip configuration names the index to record, and the interpreter for uv
    #[arg(long, default_value = "python3", value_name = "PATH")]
    python: PathBuf,
    /// Write the figures as JSON there
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Run the recording again; it fetches only what is missing
    #[arg(long)]
    record: bool,
    /// Serve the recorded index until interrupted, and record what is requested; measure nothing
    #[arg(long)]
    serve: bool,
}

fn main() -> ExitCode {
    let mut arguments = env::args_os().skip(1);
    let result = if arguments.next().is_some_and(|first| first == process::MEASURE) {
        process::measure(arguments)
    } else {
        run(&Arguments::parse())
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<()> {
    // Nobody else in this process installs one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let sets = chosen(arguments, sets::read(here)?)?;
    let python = interpreter(&arguments.python)?;
    let store = Arc::new(RecordedIndex::open(&data(arguments)?)?);
    let upstream = Upstream::configured(&python, store.clone())?;
    let server = RecordedServer::new(store, Some(upstream), behaviour(arguments));
    let work = tempfile::tempdir()?;
    let certificate = work.path().join("certificate.pem");
    let runtime = Runtime::new()?;
    let address = runtime.block_on(server.start(certificate::make(&certificate)?))?;
    let index = format!("https://{address}/simple");
    if arguments.serve {
        server
            .set_behaviour(ServerBehaviour { unknown: UnrecordedResource::Recorded, ..behaviour(arguments) });
        println!("export SSL_CERT_FILE={}\nINDEX={index}", certificate.display());
        return Ok(runtime.block_on(tokio::signal::ctrl_c())?);
    }
    let tools = ToolPaths {
        pinfast: arguments.pinfast.clone().map_or_else(|| build(here), |path| Ok(fs::canonicalize(path)?))?,
        uv: found(&arguments.uv)?,
        python: python.into(),
        index,
    };
    let bench = Benchmark {
        tools,
        server,
        work: work.path().to_owned(),
        certificate,
        behaviour: behaviour(arguments),
        rounds: arguments.rounds,
    };
    record(arguments, &bench, &sets)?;
    let all = measure(arguments, &bench, &sets)?;
    report(arguments, &bench.tools, &all)
}

fn record(arguments: &Arguments, bench: &Benchmark, sets: &[RequirementSet]) -> Result<()> {
    for set in sets {
        let digest = Sha256::digest([&set.base, "\n", &set.changed].concat());
        let note =
            format!("{}-{:02x}{:02x}{:02x}{:02x}", set.name, digest[0], digest[1], digest[2], digest[3]);
        if arguments.record || !bench.server.store.is_noted(&note) {
            bench.record(set)?;
            bench.server.store.note(&note)?;
        }
    }
    Ok(())
}

fn measure(
    arguments: &Arguments,
    bench: &Benchmark,
    sets: &[RequirementSet],
) -> Result<Vec<ContenderResult>> {
    let cases = if arguments.cases.is_empty() { BenchCase::value_variants() } else { &arguments.cases };
    let mut all = Vec::new();
    for set in sets {
        for case in cases {
            eprintln!("{}: {}", set.name, case.title());
            // The other cases' figures are worth reporting.
            match bench.measure(set, *case) {
                Ok(measured) => all.extend(measured),
                Err(error) => eprintln!("{}: {} is left out: {error:#}", set.name, case.title()),
            }
        }
    }
    ensure!(!all.is_empty(), "nothing could be measured");
    Ok(all)
}

fn report(arguments: &Arguments, tools: &ToolPaths, all: &[ContenderResult]) -> Result<()> {
    let conditions = conditions(arguments, tools);
    println!("{}", report::tables(&conditions, all));
    if let Some(path) = &arguments.json {
        let text = serde_json::to_string_pretty(&report::json(&conditions, all))?;
        fs::write(path, text + "\n").with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

fn behaviour(arguments: &Arguments) -> ServerBehaviour {
    ServerBehaviour {
        latency: Duration::from_millis(arguments.latency),
        rate: arguments.rate.map(|megabits| megabits * 125_000),
        max_age: 600,
        releases: if arguments.no_version_json { ReleasePages::Absent } else { ReleasePages::Served },
        unknown: UnrecordedResource::Missing,
    }
}

fn conditions(arguments: &Arguments, tools: &ToolPaths) -> Vec<RunCondition> {
    let version = |program: &Path| {
        let output = Command::new(program).arg("--version").output();
        output.map_or_else(
            |_| String::new(),
            |output| String::from_utf8_lossy(&output.stdout).trim().to_owned(),
        )
    };
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    vec![
        ("pinfast", json!(version(&tools.pinfast))),
        ("uv", json!(version(&tools.uv))),
        ("rounds", json!(arguments.rounds)),
        ("latency", json!(format!("{} ms added to each request", arguments.latency))),
        (
            "rate",
            json!(
                arguments.rate.map_or("as it goes".to_owned(), |rate| format!("{rate} Mbit/s a connection"))
            ),
        ),
        ("per-version JSON", json!(if arguments.no_version_json { "404" } else { "served" })),
        ("processors", json!(std::thread::available_parallelism().map_or(0, usize::from))),
        ("load at the end", json!(load.split(' ').next().unwrap_or_default())),
    ]
}

fn chosen(arguments: &Arguments, all: Vec<RequirementSet>) -> Result<Vec<RequirementSet>> {
    for name in &arguments.sets {
        ensure!(all.iter().any(|set| set.name == *name), "there is no set `{name}` in sets.toml");
    }
    let wanted = |set: &RequirementSet| arguments.sets.is_empty() || arguments.sets.contains(&set.name);
    Ok(all.into_iter().filter(wanted).collect())
}

fn data(arguments: &Arguments) -> Result<PathBuf> {
    if let Some(folder) = &arguments.data {
        return Ok(folder.clone());
    }
    let cache = env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache.or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".cache")));
    Ok(cache.context("there is no cache folder: say --data DIR")?.join("pinfast-peers"))
}

/// The interpreter behind `python`, which may be a script that finds one.
fn interpreter(python: &Path) -> Result<String> {
    let output = Command::new(python).args(["-c", "import sys; print(sys.executable)"]).output();
    let output = output.with_context(|| format!("cannot run {}", python.display()))?;
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

/// The path of `program`: a measured run has no PATH to find it by.
fn found(program: &Path) -> Result<PathBuf> {
    if program.components().count() > 1 {
        return fs::canonicalize(program).with_context(|| format!("there is no {}", program.display()));
    }
    let folders = env::var_os("PATH").unwrap_or_default();
    let found = env::split_paths(&folders).map(|folder| folder.join(program)).find(|path| path.is_file());
    found.with_context(|| format!("{} is not on PATH: install it, or name its path", program.display()))
}

/// Builds pinfast from these sources, in the profile in which it is handed out.
fn build(here: &Path) -> Result<PathBuf> {
    let manifest = fs::canonicalize(here.join("../../Cargo.toml"))?;
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args(["build", "--profile", "dist", "--locked", "--manifest-path"])
        .arg(&manifest)
        .status()?;
    ensure!(status.success(), "pinfast does not build");
    Ok(manifest.with_file_name("target/dist/pinfast"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_commands_are_understood() {
        let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/performance.md");
        let text = fs::read_to_string(page).expect("the page");
        let program = "cargo run --release --locked --manifest-path benches/peers/Cargo.toml";
        let lines: Vec<_> = text.lines().filter_map(|line| line.strip_prefix(program)).collect();
        assert!(!lines.is_empty());
        for line in lines {
            let words = line.split_whitespace().filter(|word| *word != "--");
            let told = Arguments::try_parse_from(std::iter::once("peers").chain(words));
            assert!(told.is_ok(), "{line}");
        }
    }
}

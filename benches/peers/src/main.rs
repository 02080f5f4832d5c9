//! Measures pinfast beside uv: whole processes, in turns, on an index that is recorded once and then served
//! from 127.0.0.1. `docs/performance.md` tells the method and the last figures.
//!
//! - `main`: arguments, and the order of things
//! - `sets`, `case`, `tool`: what is locked, what lies there before, the command lines
//! - `bench`, `process`: lays out, runs, measures; `report`: the figures as a table and as JSON
//! - `server`, `wire`, `certificate`, `counts`: the index that is served, and what it was asked for
//! - `resource`, `store`, `page`, `wheel`: what is recorded, and what is made of it
//! - `upstream`: the index that is recorded

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
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::runtime::Runtime;

use bench::{Bench, Measured};
use case::Case;
use server::{Manners, Releases, Server, Unknown};
use sets::Set;
use store::Store;
use tool::Tools;
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
    cases: Vec<Case>,
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
    /// The Python whose pip tells which index is recorded, and that uv takes for its interpreter
    #[arg(long, default_value = "python3", value_name = "PATH")]
    python: PathBuf,
    /// Write the figures as JSON there
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Record again what the sets need; what is recorded is not asked for twice
    #[arg(long)]
    record: bool,
    /// Measure nothing: serve what is recorded, and record what is asked for, until interrupted
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
    let store = Arc::new(Store::open(&data(arguments)?)?);
    let upstream = Upstream::configured(&python, store.clone())?;
    let server = Server::new(store, Some(upstream), manners(arguments));
    let work = tempfile::tempdir()?;
    let certificate = work.path().join("certificate.pem");
    let runtime = Runtime::new()?;
    let address = runtime.block_on(server.start(certificate::make(&certificate)?))?;
    let index = format!("https://{address}/simple");
    if arguments.serve {
        server.behave(Manners { unknown: Unknown::Recorded, ..manners(arguments) });
        println!("export SSL_CERT_FILE={}\nINDEX={index}", certificate.display());
        return Ok(runtime.block_on(tokio::signal::ctrl_c())?);
    }
    let tools = Tools {
        pinfast: arguments.pinfast.clone().map_or_else(|| build(here), |path| Ok(fs::canonicalize(path)?))?,
        uv: found(&arguments.uv)?,
        python: python.into(),
        index,
    };
    let bench = Bench {
        tools,
        server,
        work: work.path().to_owned(),
        certificate,
        manners: manners(arguments),
        rounds: arguments.rounds,
    };
    record(arguments, &bench, &sets)?;
    let all = measure(arguments, &bench, &sets)?;
    report(arguments, &bench.tools, &all)
}

fn record(arguments: &Arguments, bench: &Bench, sets: &[Set]) -> Result<()> {
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

fn measure(arguments: &Arguments, bench: &Bench, sets: &[Set]) -> Result<Vec<Measured>> {
    let cases = if arguments.cases.is_empty() { Case::value_variants() } else { &arguments.cases };
    let mut all = Vec::new();
    for set in sets {
        for case in cases {
            eprintln!("{}: {}", set.name, case.title());
            // What went before is worth telling all the same.
            match bench.measure(set, *case) {
                Ok(measured) => all.extend(measured),
                Err(error) => eprintln!("{}: {} is left out: {error:#}", set.name, case.title()),
            }
        }
    }
    ensure!(!all.is_empty(), "nothing could be measured");
    Ok(all)
}

fn report(arguments: &Arguments, tools: &Tools, all: &[Measured]) -> Result<()> {
    let conditions = conditions(arguments, tools);
    println!("{}", report::tables(&conditions, all));
    if let Some(path) = &arguments.json {
        let text = serde_json::to_string_pretty(&report::json(&conditions, all))?;
        fs::write(path, text + "\n").with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

fn manners(arguments: &Arguments) -> Manners {
    Manners {
        latency: Duration::from_millis(arguments.latency),
        rate: arguments.rate.map(|megabits| megabits * 125_000),
        max_age: 600,
        releases: if arguments.no_version_json { Releases::Absent } else { Releases::Served },
        unknown: Unknown::Missing,
    }
}

fn conditions(arguments: &Arguments, tools: &Tools) -> Value {
    let version = |program: &Path| {
        let output = Command::new(program).arg("--version").output();
        output.map_or_else(
            |_| String::new(),
            |output| String::from_utf8_lossy(&output.stdout).trim().to_owned(),
        )
    };
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    json!({
        "pinfast": version(&tools.pinfast),
        "uv": version(&tools.uv),
        "rounds": arguments.rounds,
        "latency": format!("{} ms added to each request", arguments.latency),
        "rate": arguments.rate.map_or("as it goes".to_owned(), |rate| format!("{rate} Mbit/s a connection")),
        "per-version JSON": if arguments.no_version_json { "404" } else { "served" },
        "processors": std::thread::available_parallelism().map_or(0, usize::from),
        "load at the end": load.split(' ').next().unwrap_or_default(),
    })
}

fn chosen(arguments: &Arguments, all: Vec<Set>) -> Result<Vec<Set>> {
    for name in &arguments.sets {
        ensure!(all.iter().any(|set| set.name == *name), "there is no set `{name}` in sets.toml");
    }
    let wanted = |set: &Set| arguments.sets.is_empty() || arguments.sets.contains(&set.name);
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

/// `program` as a path: the surroundings of a run do not tell where programs are.
fn found(program: &Path) -> Result<PathBuf> {
    if program.components().count() > 1 {
        return fs::canonicalize(program).with_context(|| format!("there is no {}", program.display()));
    }
    let folders = env::var_os("PATH").unwrap_or_default();
    let found = env::split_paths(&folders).map(|folder| folder.join(program)).find(|path| path.is_file());
    found.with_context(|| format!("{} is not on PATH: install it, or name its path", program.display()))
}

/// Builds pinfast from the sources that this program stands in.
fn build(here: &Path) -> Result<PathBuf> {
    let manifest = fs::canonicalize(here.join("../../Cargo.toml"))?;
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args(["build", "--release", "--locked", "--manifest-path"])
        .arg(&manifest)
        .status()?;
    ensure!(status.success(), "pinfast does not build");
    Ok(manifest.with_file_name("target/release/pinfast"))
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

//! The layers of the house, asserted from the sources: who may use whom, what the core never touches,
//! who prints, how long a file may be, and that the map in `src/lib.rs` is true.

#[path = "layers/source.rs"]
mod source;

use std::collections::BTreeSet;

use source::{Source, map_of, sources};

/// The floors from the ground up: a room uses itself and the rooms of lower floors.
const FLOORS: &[&[&str]] = &[
    &["error", "event", "text"],
    &["spec"],
    &["inputs"],
    &["solve", "lock"],
    &["repair"],
    &["explain"],
    &["cache", "files", "git"],
    &["settings"],
    &["python", "index"],
    &["install"],
    &["build"],
    &["deploy"],
    &["ops"],
    &["cli"],
];

/// The rooms in which data goes in and data comes out.
const CORE: &[&str] = &["error", "event", "text", "spec", "inputs", "solve", "lock", "repair", "explain"];

/// What the core never touches: files, environment, sockets, processes, clocks, the terminal.
const WORLD: &[&str] = &[
    "std::fs",
    "std::env",
    "std::net",
    "std::os",
    "std::process",
    "std::time::Instant",
    "std::time::SystemTime",
    "io::stderr",
    "io::stdin",
    "io::stdout",
    "Timestamp::now",
    "Zoned::now",
    "anstream",
    "clap",
    "etcetera",
    "indicatif",
    "memmap2",
    "reqwest",
    "signal_hook",
    "tempfile",
    "terminal_size",
    "tokio",
];

/// The ways to the terminal, open to one room only.
const TERMINAL: &[&str] = &[
    "io::stderr",
    "io::stdout",
    "anstream::AutoStream",
    "anstream::stderr",
    "anstream::stdout",
    "indicatif",
    "dbg!",
    "eprint!",
    "eprintln!",
    "print!",
    "println!",
];
const PRINTER: &str = "cli/ui";

const LONGEST_FILE: usize = 1_000;

#[test]
fn rooms_use_only_what_is_below_them() {
    complain(upward_uses);
}

#[test]
fn the_core_touches_nothing_of_the_world() {
    complain(world_uses);
}

#[test]
fn one_room_prints() {
    complain(prints);
}

#[test]
fn files_are_short_enough_to_read() {
    complain(overlong);
}

#[test]
fn the_map_is_true() {
    let sources = sources();
    let library = sources.iter().find(|source| source.path == "lib.rs").expect("there is a library");
    let rooms: BTreeSet<_> = sources.iter().filter_map(Source::room).collect();
    assert_eq!(
        map_of(&library.text),
        rooms,
        "left: the bullets of the map in src/lib.rs; right: what is in src/"
    );
    for room in rooms {
        assert!(floor(room).is_some(), "`{room}` has no floor in tests/layers.rs");
    }
}

/// Fails with everything that `rule` says of the sources.
fn complain(rule: impl Fn(&Source) -> Vec<String>) {
    let all: Vec<_> = sources().iter().flat_map(rule).collect();
    assert!(all.is_empty(), "\n{}\n", all.join("\n"));
}

fn floor(room: &str) -> Option<usize> {
    FLOORS.iter().position(|rooms| rooms.contains(&room))
}

/// The uses of a room that is not below.
fn upward_uses(source: &Source) -> Vec<String> {
    let Some(room) = source.room() else { return Vec::new() };
    let below = |used: &str| floor(used).is_some_and(|used| floor(room).is_some_and(|own| used < own));
    source
        .rooms_used()
        .into_iter()
        .filter(|used| used != room && !below(used))
        .map(|used| format!("src/{}: `{room}` uses `{used}`, which is not below it", source.path))
        .collect()
}

/// The uses of the outside world in the core.
fn world_uses(source: &Source) -> Vec<String> {
    match source.room() {
        Some(room) if CORE.contains(&room) => uses(source, WORLD, "the core does not touch it"),
        _ => Vec::new(),
    }
}

/// The ways to the terminal outside the room that prints.
fn prints(source: &Source) -> Vec<String> {
    match source.path.strip_prefix(PRINTER) {
        Some(rest) if rest == ".rs" || rest.starts_with('/') => Vec::new(),
        _ => uses(source, TERMINAL, "only src/cli/ui.rs prints"),
    }
}

fn overlong(source: &Source) -> Vec<String> {
    let lines = source.text.lines().count();
    let told = format!("src/{}: {lines} lines, of at most {LONGEST_FILE}", source.path);
    if lines > LONGEST_FILE { vec![told] } else { Vec::new() }
}

fn uses(source: &Source, forbidden: &[&str], why: &str) -> Vec<String> {
    let reached = |path: &[String]| forbidden.iter().any(|forbidden| reaches(path, forbidden));
    let paths = source.paths().into_iter().filter(|path| reached(path));
    paths.map(|path| format!("src/{}: `{}`: {why}", source.path, path.join("::"))).collect()
}

/// Whether `path` holds the segments of `forbidden` in a row, or brings a module in from which it is
/// one more step: `use std::time`, `use std::*`.
fn reaches(path: &[String], forbidden: &str) -> bool {
    let path: Vec<_> = path.iter().map(String::as_str).collect();
    let forbidden: Vec<_> = forbidden.split("::").collect();
    let module = path.strip_suffix(&["*"]).unwrap_or(&path);
    path.windows(forbidden.len()).any(|run| run == forbidden)
        || (module.len() < path.len() && forbidden.starts_with(module))
        || (path == ["std", "time"] && forbidden.starts_with(&path))
}

/// What all rules say of `text` at `path`.
fn said_of(path: &str, text: &str) -> String {
    let source = Source::new(path, text);
    [upward_uses, world_uses, prints, overlong]
        .iter()
        .flat_map(|rule| rule(&source))
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn what_is_forbidden_is_found() {
    for (path, text, word) in [
        ("solve/provider.rs", "use crate::index::Client;", "`solve` uses `index`"),
        ("solve/mod.rs", "fn f() { crate::explain::g() }", "`solve` uses `explain`"),
        ("solve/a/b.rs", "use super::super::super::cli;", "`solve` uses `cli`"),
        ("solve/mod.rs", "use crate::lock::Lock;", "`solve` uses `lock`"),
        ("spec/name.rs", "use crate::{error::Error, inputs};", "`spec` uses `inputs`"),
        ("spec/name.rs", "use crate::attic;", "`spec` uses `attic`"),
        ("spec/name.rs", "use crate::*;", "`spec` uses `*`"),
        ("event.rs", "use super::error::Error;", "`event` uses `error`"),
        ("spec/a.rs", "use std::{fmt, fs as disk};", "`std::fs`"),
        ("spec/a.rs", "fn f() { let _ = std::env::var(NAME); }", "`std::env::var`"),
        ("lock/a.rs", "use std::time::{Duration, Instant};", "`std::time::Instant`"),
        ("lock/a.rs", "use std::time;", "`std::time`"),
        ("lock/a.rs", "use std::*;", "`std::*`"),
        ("inputs/a.rs", "use ::tokio::sync::Mutex;", "`tokio::sync::Mutex`"),
        ("explain/a.rs", "use std::io;\nfn f() { io::stdout(); }", "`io::stdout`"),
        ("index/a.rs", "fn f() { println!(\"x\") }", "`println!`"),
        ("index/a.rs", "fn f() { let c = '\"'; eprintln!(\"x\") }", "`eprintln!`"),
        ("index/a.rs", "fn f<'a>(_: &'a str) { std::eprint!(\"x\") }", "`std::eprint!`"),
        ("cli/lock.rs", "use std::io::{self, stderr};", "`std::io::stderr`"),
        ("cli/a.rs", "use anstream::{ColorChoice, stdout};", "`anstream::stdout`"),
        ("cli/uix.rs", "fn f() { print!(\"x\") }", "`print!`"),
        ("cli/ui.rs", &"\n".repeat(1_001), "1001 lines"),
    ] {
        let said = said_of(path, text);
        assert!(said.contains(word), "{path}: {text}\nsaid: {said}");
    }
}

#[test]
fn what_is_allowed_passes() {
    for (path, text) in [
        ("solve/provider.rs", "use crate::spec::Version;\nuse crate::solve::set::Set;\nuse super::set;"),
        ("solve/a/b.rs", "use super::super::set;"),
        ("cli/ui.rs", "fn f() { std::io::stdout(); println!(\"x\") }"),
        ("cli/ui/bar.rs", "use indicatif::ProgressBar;"),
        ("index/net.rs", "use std::time::Instant;\nuse tokio::sync::Mutex;\nuse crate::cache::Store;"),
        ("spec/a.rs", "//! See std::fs and crate::cli.\n/* /* std::env */ std::net::TcpStream */ fn f() {}"),
        ("spec/a.rs", "fn f() -> &'static str { \"std::fs::read \\\" crate::cli::run\" }"),
        ("spec/a.rs", "fn f() -> &'static str { r#\"\"std::fs::read\" crate::cli::run\"# }"),
        ("spec/a.rs", "use std::time::Duration;\nuse std::io::Read;"),
        ("spec/a.rs", "fn f() {}\n#[cfg(test)]\nmod tests { use std::fs; fn g() { { println!(\"}\") } } }"),
        ("spec/a.rs", "#[cfg(test)]\nuse crate::cli;\nfn f() {}"),
        ("spec/tests.rs", "use std::fs;"),
        ("main.rs", "fn main() { pinfast::cli::run() }"),
    ] {
        assert_eq!(said_of(path, text), "", "{path}: {text}");
    }
    assert!(said_of("spec/a.rs", "#[cfg(test)]\nmod tests { }\nuse std::fs;").contains("std::fs"));
}

#[test]
fn the_map_is_read() {
    let text = "//! # The map\n//!\n//! - [`error`], [`event`]: values, see [`spec`]\n//! - [`spec`]: types\n//! [`cli`]\n";
    assert_eq!(map_of(text), BTreeSet::from(["error", "event", "spec"]));
}

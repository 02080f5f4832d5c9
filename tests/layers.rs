//! The rules of the workspace that neither the compiler nor clippy enforces.
//!
//! The compiler enforces who uses whom: a crate sees only the dependencies in its `Cargo.toml`. Clippy
//! enforces that the core touches nothing outside (`crates/core.clippy.toml`) and that one module prints
//! (`clippy.toml`). These tests enforce that the manifests follow the map in `src/lib.rs`, that the core uses
//! that clippy configuration and no library that touches the outside, and that files stay short.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::path::{Path, PathBuf};

/// The only libraries that the core may use: they work in memory.
const CORE_LIBRARIES: &[&str] = &[
    "jiff",
    "pep440_rs",
    "pep508_rs",
    "percent-encoding",
    "pubgrub",
    "rustc-hash",
    "serde",
    "serde_json",
    "sha2",
    "strsim",
    "toml",
    "toml_edit",
    "unicode-width",
    "url",
];

/// In lines. A longer file is two files.
const LONGEST_FILE: usize = 600;

#[test]
fn a_crate_stands_in_the_map_after_each_crate_that_it_uses() {
    let order: Vec<String> = map().concat();
    let place = |name: &str| order.iter().position(|other| other == name);
    for name in crates() {
        let own = place(&name).unwrap_or_else(|| panic!("the map in src/lib.rs does not name `{name}`"));
        for used in dependencies(&name).iter().filter_map(|used| used.strip_prefix("pinfast-")) {
            assert!(place(used) < Some(own), "`{name}` uses `{used}`, which stands below it in src/lib.rs");
        }
    }
}

#[test]
fn the_map_names_only_crates_that_exist() {
    let known = crates();
    for name in map().concat() {
        assert!(known.contains(&name), "the map in src/lib.rs names `{name}`, but crates/{name} is missing");
    }
}

#[test]
fn a_core_crate_uses_only_libraries_that_work_in_memory() {
    for name in &map()[0] {
        for used in dependencies(name).iter().filter(|used| !used.starts_with("pinfast-")) {
            assert!(CORE_LIBRARIES.contains(&used.as_str()), "`{name}` is in the core and uses `{used}`");
        }
    }
}

#[test]
fn a_core_crate_has_the_clippy_configuration_of_the_core() {
    let expected = fs::read_to_string(root().join("crates/core.clippy.toml")).unwrap();
    for name in &map()[0] {
        let own = fs::read_to_string(root().join(format!("crates/{name}/clippy.toml"))).unwrap_or_default();
        assert_eq!(own, expected, "crates/{name}/clippy.toml should link to ../core.clippy.toml");
    }
}

#[test]
fn a_source_file_is_short_enough_to_read() {
    for path in sources() {
        let lines = fs::read_to_string(&path).unwrap().lines().count();
        assert!(lines <= LONGEST_FILE, "{}: {lines} lines, of at most {LONGEST_FILE}", path.display());
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The layers in the head of `src/lib.rs`, each with its crates from the lowest up. A layer begins with a line
/// `//! **Core**: …`, and its crates are the links of bullets: ``//! - [`solve`]: …``.
fn map() -> Vec<Vec<String>> {
    let mut layers: Vec<Vec<String>> = Vec::new();
    for line in fs::read_to_string(root().join("src/lib.rs")).unwrap().lines() {
        if line.starts_with("//! **") {
            layers.push(Vec::new());
        } else if let Some(bullet) = line.strip_prefix("//! - ") {
            let links = bullet.split_once(':').map_or(bullet, |(links, _)| links);
            for module in links.split('`').skip(1).step_by(2) {
                layers.last_mut().unwrap().extend(crate_of(module).map(str::to_owned));
            }
        }
    }
    assert_eq!(layers.len(), 3, "the map in src/lib.rs has the layers core, edges and shell");
    layers
}

/// The crate that the root package shows as `module`; `None` for the shell, which is the root package itself.
fn crate_of(module: &str) -> Option<&str> {
    match module {
        "cli" => None,
        "error" => Some("base"),
        // With `error`, which names the crate.
        "event" | "text" => None,
        module => Some(module),
    }
}

/// The names of the folders in `crates/` that the program is built from.
fn crates() -> Vec<String> {
    let entries = fs::read_dir(root().join("crates")).unwrap().map(|entry| entry.unwrap());
    let folders = entries.filter(|entry| entry.path().join("Cargo.toml").exists());
    let names = folders.map(|entry| entry.file_name().into_string().unwrap());
    names.filter(|name| name != "testkit").collect()
}

/// What the manifest of a crate lists under `[dependencies]`.
fn dependencies(name: &str) -> Vec<String> {
    let manifest = fs::read_to_string(root().join(format!("crates/{name}/Cargo.toml"))).unwrap();
    let section = manifest.lines().skip_while(|line| *line != "[dependencies]").skip(1);
    let section = section.take_while(|line| !line.starts_with('['));
    section
        .filter_map(|line| line.split(['.', ' ']).next())
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Every Rust file of the program and its crates.
fn sources() -> Vec<PathBuf> {
    let (mut files, mut folders) = (Vec::new(), vec![root().join("src")]);
    folders.extend(crates().iter().map(|name| root().join(format!("crates/{name}/src"))));
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            match path.extension() {
                Some(extension) if extension == "rs" => files.push(path),
                _ if path.is_dir() => folders.push(path),
                _ => {}
            }
        }
    }
    files
}

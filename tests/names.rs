//! One name, one type: no two types of the program bear the same name, and `docs/glossary.md` names things that
//! exist.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Names that several types bear, for a reason each.
const SHARED_NAMES: &[&str] = &[];

/// A source file without its tests.
struct SourceFile {
    /// Relative to the repository, with `/`.
    path: String,
    lines: Vec<String>,
}

#[test]
fn a_type_name_belongs_to_one_type() {
    let mut bearers: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for source in sources() {
        for name in source.lines.iter().filter_map(|line| type_defined_by(line)) {
            bearers.entry(name.to_owned()).or_default().push(source.path.clone());
        }
    }
    bearers.retain(|_, files| files.len() > 1);
    let shared = |name: &str| SHARED_NAMES.contains(&name);
    let wrong: Vec<String> = bearers
        .iter()
        .filter(|(name, _)| !shared(name))
        .map(|(name, files)| format!("`{name}` is a type in {}", files.join(" and in ")))
        .collect();
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
    for name in SHARED_NAMES {
        assert!(bearers.contains_key(*name), "only one type is called `{name}`: take it out of SHARED_NAMES");
    }
}

#[test]
fn the_glossary_names_things_that_exist() {
    let words: BTreeSet<String> = sources()
        .iter()
        .flat_map(|source| source.lines.iter())
        .filter_map(|line| line.split("//").next())
        .flat_map(|code| code.split(|c: char| !c.is_alphanumeric() && c != '_'))
        .map(str::to_owned)
        .collect();
    let text = fs::read_to_string(root().join("docs/glossary.md")).unwrap();
    let rows = glossary_rows(&text);
    assert!(!rows.is_empty(), "docs/glossary.md has no row `| term | meaning | where | source |`");
    let exists = |thing: &str| {
        let is_path = thing.contains('/') || Path::new(thing).extension().is_some_and(|end| end == "rs");
        let is_file = || root().join(thing).exists() || root().join("crates").join(thing).exists();
        let names =
            || thing.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|name| !name.is_empty());
        if is_path { is_file() } else { names().all(|name| words.contains(name)) }
    };
    let missing: Vec<String> = rows
        .iter()
        .flat_map(|(term, places)| places.iter().map(move |place| (term, place)))
        .filter(|(_, place)| !exists(place))
        .map(|(term, place)| format!("{term}: the sources have no `{place}`"))
        .collect();
    assert!(missing.is_empty(), "\n{}\n", missing.join("\n"));
}

#[test]
fn a_type_is_found_by_its_definition_alone() {
    for (line, name) in [
        ("pub struct Version(Arc<Parts>);", Some("Version")),
        ("pub(crate) enum Kind {", Some("Kind")),
        ("pub(in crate::solve) trait Index: Send {", Some("Index")),
        ("    struct Inner;", Some("Inner")),
        ("type Result<T> = std::result::Result<T, Error>;", Some("Result")),
        ("    type Err = Error;", None),
        ("/// struct Comment", None),
        ("fn structure(kind: Kind) {}", None),
    ] {
        assert_eq!(type_defined_by(line), name, "{line}");
    }
}

/// The name of the type that `line` defines. An indented alias is an associated type, and has no name of its own.
fn type_defined_by(line: &str) -> Option<&str> {
    let code = line.trim_start();
    let code = code.strip_prefix("pub").map_or(code, |rest| match rest.strip_prefix('(') {
        Some(scope) => scope.split_once(')').map_or(rest, |(_, rest)| rest),
        None => rest,
    });
    let (keyword, rest) = code.trim_start().split_once(' ')?;
    let defines = match keyword {
        "struct" | "enum" | "trait" | "union" => true,
        "type" => !line.starts_with(' '),
        _ => false,
    };
    let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
    defines.then(|| &rest[..end])
}

/// Each row's term, and what it names in backticks under `where`.
fn glossary_rows(text: &str) -> Vec<(&str, Vec<&str>)> {
    let rows = text.lines().filter(|line| line.starts_with('|') && !line.starts_with("|--"));
    let cells = rows.map(|row| row.split('|').map(str::trim).collect::<Vec<_>>());
    let cells = cells.filter(|cells| cells.len() == 6 && cells[1] != "term" && !cells[1].starts_with("--"));
    cells.map(|cells| (cells[1], cells[3].split('`').skip(1).step_by(2).collect())).collect()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The program and its crates, without the crate for tests and without test modules.
fn sources() -> Vec<SourceFile> {
    let mut folders = vec![root().join("src"), root().join("benches/peers/src")];
    for entry in fs::read_dir(root().join("crates")).unwrap().map(|entry| entry.unwrap()) {
        if entry.file_name() != "testkit" && entry.path().is_dir() {
            folders.push(entry.path().join("src"));
        }
    }
    let (mut sources, mut test_modules) = (Vec::new(), Vec::new());
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let (lines, modules) = without_tests(&path, &fs::read_to_string(&path).unwrap());
                test_modules.extend(modules);
                sources.push((path, lines));
            }
        }
    }
    sources.retain(|(path, _)| !test_modules.iter().any(|module| path.starts_with(module)));
    let relative = |path: &Path| path.strip_prefix(root()).unwrap().to_string_lossy().replace('\\', "/");
    sources.into_iter().map(|(path, lines)| SourceFile { path: relative(&path), lines }).collect()
}

/// The lines that do not stand under `#[cfg(test)]`, and the files and folders of the modules that are declared there.
fn without_tests(path: &Path, text: &str) -> (Vec<String>, Vec<PathBuf>) {
    let (folder, stem) = (path.parent().unwrap(), path.file_stem().unwrap());
    let is_root = ["lib", "main", "mod"].iter().any(|root| stem == *root);
    let children = if is_root { folder.to_owned() } else { folder.join(stem) };
    let (mut kept, mut modules) = (Vec::new(), Vec::new());
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line != "#[cfg(test)]" {
            kept.push(line.to_owned());
            continue;
        }
        let mut item = lines.next().unwrap_or_default();
        while item.starts_with("#[") {
            let file = item.strip_prefix("#[path = \"").and_then(|rest| rest.strip_suffix("\"]"));
            modules.extend(file.map(|file| folder.join(file)));
            item = lines.next().unwrap_or_default();
        }
        if let Some((_, name)) = item.strip_suffix(';').and_then(|item| item.rsplit_once("mod ")) {
            modules.extend([children.join(name), children.join(format!("{name}.rs"))]);
        } else if item.ends_with('{') {
            // rustfmt puts the closing brace of an item at the start of a line.
            lines.by_ref().find(|line| line.starts_with('}'));
        }
    }
    (kept, modules)
}

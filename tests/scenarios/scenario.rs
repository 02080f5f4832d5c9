//! The text form of scenarios; see the root of the tests.

use std::collections::BTreeMap;
use std::path::Path;

use pinfast::packaging::Sha256;

/// One scenario.
pub(super) struct Scenario {
    /// `FILE:LINE` of its title.
    pub(super) at: String,
    /// `FILE::TITLE`.
    pub(super) name: String,
    parts: Parts,
}

/// The lines of each part, by its name.
type Parts = BTreeMap<String, Vec<String>>;

impl Scenario {
    /// The scenarios of a file.
    pub(super) fn all(path: &Path) -> Vec<Self> {
        let file = path.file_name().unwrap().to_string_lossy();
        let (mut shared, mut scenarios, mut last) = (Parts::new(), Vec::<Self>::new(), String::new());
        for (number, line) in (1..).zip(std::fs::read_to_string(path).unwrap().lines()) {
            if line.starts_with('#') {
                continue;
            }
            if let Some(title) = line.strip_prefix("== ") {
                let at = format!("testdata/scenarios/{file}:{number}");
                let name = format!("{}::{title}", file.trim_end_matches(".txt"));
                scenarios.push(Self { at, name, parts: Parts::new() });
                continue;
            }
            let parts = scenarios.last_mut().map_or(&mut shared, |scenario| &mut scenario.parts);
            if line.trim().is_empty() || line.starts_with("    ") {
                let part = parts.get_mut(&last);
                let text = expanded(line.strip_prefix("    ").unwrap_or_default());
                part.unwrap_or_else(|| panic!("{file}:{number}: a line of no part")).push(text);
                continue;
            }
            let (key, rest) =
                line.split_once(':').unwrap_or_else(|| panic!("{file}:{number}: a part is `NAME: …`"));
            last = key.to_owned();
            let lines = rest.trim().split(" | ").filter(|line| !line.is_empty()).map(expanded).collect();
            let twice = parts.insert(last.clone(), lines).is_some();
            assert!(!twice, "{file}:{number}: `{key}` is there before");
        }
        for scenario in &mut scenarios {
            for (key, lines) in &shared {
                scenario.parts.entry(key.clone()).or_insert_with(|| lines.clone());
            }
        }
        scenarios
    }

    /// The lines of a part that are not empty.
    pub(super) fn lines(&self, key: &str) -> Option<Vec<&str>> {
        let lines = self.parts.get(key)?;
        Some(lines.iter().map(String::as_str).filter(|line| !line.trim().is_empty()).collect())
    }

    /// A part as one text.
    pub(super) fn text(&self, key: &str) -> String {
        self.parts.get(key).map(|lines| lines.join("\n") + "\n").unwrap_or_default()
    }

    /// The names of the parts that are files.
    pub(super) fn files(&self) -> impl Iterator<Item = &str> {
        self.keys().filter(|key| key.contains('.'))
    }

    /// The names of the parts of `kind`: of `index inner`, which is of the kind `index`, it is `inner`.
    pub(super) fn named<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a str> {
        self.keys().filter_map(move |key| key.strip_prefix(kind)?.strip_prefix(' '))
    }

    /// The names of all parts.
    pub(super) fn keys(&self) -> impl Iterator<Item = &str> {
        self.parts.keys().map(String::as_str)
    }
}

/// The text with the hashes that it stands for.
fn expanded(text: &str) -> String {
    let Some((before, rest)) = text.split_once("{sha256:") else { return text.to_owned() };
    let (file, after) = rest.split_once('}').unwrap();
    format!("{before}{}{}", Sha256::of(file.as_bytes()), expanded(after))
}

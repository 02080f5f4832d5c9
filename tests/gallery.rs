//! The gallery of conflicts: each scenario in `testdata/conflicts/` is solved and explained, and
//! `docs/conflicts.md` shows what pinfast says of it. `PINFAST_WRITE_GALLERY=1 cargo test --test gallery`
//! writes that file anew; otherwise it is compared.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use pinfast::event::Unwatched;
use pinfast::explain::{Budget, Detail, ExplainRequest, Explanation, explain};
use pinfast::inputs::{InputLine, Inputs};
use pinfast::solve::universe::Universe;
use pinfast::solve::{Failure, NoSolution, Policy, Preferences, Problem, solve};
use pinfast::spec::{Location, Target};

/// One scenario: inputs, options and an index in one text file, in parts that begin with `=== NAME`.
struct Scenario {
    title: String,
    about: String,
    /// What the user wrote: the head of a part, its text.
    parts: Vec<(String, String)>,
    inputs: Inputs,
    options: Vec<(String, String)>,
    universe: String,
}

impl Scenario {
    fn read(path: &Path) -> Self {
        let text = std::fs::read_to_string(path).unwrap();
        let mut parts = text.split("\n=== ");
        let (title, about) = parts.next().unwrap().split_once('\n').unwrap();
        let title = title.trim_start_matches("# ").to_owned();
        let mut scenario = Self {
            title,
            about: about.trim().to_owned(),
            parts: Vec::new(),
            inputs: Inputs::default(),
            options: Vec::new(),
            universe: String::new(),
        };
        for part in parts {
            let (head, body) = part.split_once('\n').unwrap();
            scenario.take(head.trim(), body);
        }
        scenario
    }

    fn take(&mut self, head: &str, body: &str) {
        match head.split_once(' ') {
            _ if head == "index" => self.universe = expanded(body),
            _ if head == "options" => {
                let lines = body.lines().filter_map(|line| line.split_once(' '));
                self.options = lines.map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
            }
            Some(("-c", file)) => self.inputs.constraints.extend(lines(file, &expanded(body))),
            Some(("--override", file)) => self.inputs.overrides.extend(lines(file, &expanded(body))),
            _ => self.inputs.requirements.extend(lines(head, &expanded(body))),
        }
        if head != "index" {
            self.parts.push((head.to_owned(), body.trim_end().to_owned()));
        }
    }

    fn option(&self, key: &str) -> Option<&str> {
        self.options.iter().find(|(known, _)| known == key).map(|(_, value)| value.as_str())
    }

    fn target(&self) -> Target {
        let python = self.option("--python-version").unwrap_or("3.11").parse().unwrap();
        Target::declared(&python, &self.option("--platform").unwrap_or("linux").parse().unwrap())
    }

    fn policy(&self) -> Policy {
        Policy::default()
    }

    fn fail(&self) -> Box<NoSolution> {
        let problem = Problem::new(&self.inputs, self.target(), self.policy(), Preferences::default());
        let universe = Universe::parse(&self.universe).unwrap();
        match solve(Arc::new(problem), Arc::new(universe), &Unwatched) {
            Err(Failure::NoSolution(failure)) => failure,
            Err(Failure::Trouble(error)) => panic!("{}: {error}", self.title),
            Ok(_) => panic!("{}: it has a solution", self.title),
        }
    }

    fn explain(&self) -> Explanation {
        explain(self.fail(), &ExplainRequest::new(Budget::unlimited()), &Unwatched)
    }
}

/// The lines of a requirements file: no options, no continuation.
fn lines<'a>(file: &'a str, text: &'a str) -> Vec<InputLine> {
    let text_of = |line: &'a str| line.split(" #").next().unwrap_or_default().trim();
    (1..)
        .zip(text.lines().map(text_of))
        .filter(|(_, text)| !text.is_empty() && !text.starts_with('#'))
        .map(|(number, text)| InputLine {
            requirement: text.parse().unwrap_or_else(|error| panic!("{file}: {text}: {error}")),
            text: text.into(),
            at: Location::new(file, number, 1),
            hashes: Vec::new(),
        })
        .collect()
}

/// `%for LOW..HIGH` … `%end` stands for its lines once for each number, with `{n}`, `{n+1}` and `{n-1}`
/// in them replaced.
fn expanded(text: &str) -> String {
    let mut out = String::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let Some(range) = line.strip_prefix("%for ") else {
            out.push_str(line);
            out.push('\n');
            continue;
        };
        let (low, high) = range.split_once("..").unwrap();
        let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "%end").collect();
        for n in low.parse::<i64>().unwrap()..=high.parse().unwrap() {
            for line in &block {
                let line = line.replace("{n}", &n.to_string()).replace("{n+1}", &(n + 1).to_string());
                out.push_str(&line.replace("{n-1}", &(n - 1).to_string()));
                out.push('\n');
            }
        }
    }
    out
}

fn scenarios() -> Vec<(String, Scenario)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/conflicts");
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let name = |path: &Path| path.file_stem().unwrap().to_string_lossy().into_owned();
    paths.iter().map(|path| (name(path), Scenario::read(path))).collect()
}

fn shown(scenario: &Scenario, explanation: &Explanation) -> String {
    let mut text = format!("## {}\n\n{}\n\n", scenario.title, scenario.about);
    for (head, body) in &scenario.parts {
        text.push_str(&format!("`{head}`\n```text\n{body}\n```\n\n"));
    }
    text.push_str(&format!("```text\nerror: {}\n", explanation.headline));
    for line in explanation.lines(100, Detail::Short) {
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text.push_str("```\n");
    text
}

#[test]
fn the_gallery_is_what_pinfast_says() {
    let mut gallery =
        String::from("# Conflicts, and what pinfast says of them\n\nWritten by `tests/gallery.rs`.\n");
    for (_, scenario) in scenarios() {
        gallery.push('\n');
        gallery.push_str(&shown(&scenario, &scenario.explain()));
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/conflicts.md");
    if std::env::var_os("PINFAST_WRITE_GALLERY").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &gallery).unwrap();
    }
    assert_eq!(std::fs::read_to_string(&path).unwrap_or_default(), gallery);
}

//! The gallery of conflicts: each case in `testdata/conflicts/` is solved and explained, and `docs/conflicts.md`
//! shows the explanations.
//!
//! Each case is a test of its own, named after its file: `cargo test --test gallery -- 24-three` runs one. The test
//! compares the document and the JSON schema, reads the explanation back with a parser of its own, and applies each
//! fix to the text of the case and solves it. `PINFAST_WRITE_GALLERY=1 cargo test --test gallery` writes the document
//! first.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::{Arguments, Failed, Trial};
use pinfast::error::Error;
use pinfast::event::Unwatched;
use pinfast::explain::{
    Budget, DetailLevel, Edit, ExplainRequest, Explanation, OptionValue, explain, target_alternatives,
};
use pinfast::index::{Client, IndexConfig, IndexUrl};
use pinfast::inputs::{self, InputFiles, InputRequest, Inputs};
use pinfast::packaging::{DirectUrl, DistFile, Listing, Metadata, PackageName, Sha256, Target};
use pinfast::solve::universe::Universe;
use pinfast::solve::{
    Index, IndexQuery, MetadataFailure, NoSolution, PackageSet, Policy, Preferences, PrereleaseMode, Problem,
    Resolution, SolveError, Trust, solve,
};

use serde_json::Value;

/// One case: inputs, options and an index in one text file, in parts that begin with `=== NAME`.
#[derive(Clone)]
struct Case {
    name: String,
    title: String,
    about: String,
    /// What the user wrote: the head of a part, its text as it stands in the case.
    parts: Vec<(String, String)>,
    request: InputRequest,
    files: Texts,
    options: Vec<(String, String)>,
    expects: Vec<(String, String)>,
    index: String,
}

#[derive(Clone, Default)]
struct Texts(BTreeMap<String, String>);

impl InputFiles for Texts {
    fn read(&self, path: &str) -> Result<String, String> {
        self.0.get(path).cloned().ok_or_else(|| "no such file".to_owned())
    }

    fn variable(&self, _: &str) -> Option<String> {
        None
    }
}

impl Case {
    fn read(path: &Path) -> Self {
        let text = std::fs::read_to_string(path).unwrap();
        let mut parts = text.split("\n=== ");
        let (title, about) = parts.next().unwrap().split_once('\n').unwrap();
        let mut case = Self {
            name: path.file_stem().unwrap().to_string_lossy().into_owned(),
            title: title.trim_start_matches("# ").to_owned(),
            about: about.trim().to_owned(),
            parts: Vec::new(),
            request: InputRequest::default(),
            files: Texts::default(),
            options: Vec::new(),
            expects: Vec::new(),
            index: String::new(),
        };
        for part in parts {
            let (head, body) = part.split_once('\n').unwrap();
            case.take(head.trim(), body);
        }
        case
    }

    fn take(&mut self, head: &str, body: &str) {
        let pairs = |body: &str| {
            let lines = body.lines().filter_map(|line| line.split_once(' '));
            lines.map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
        };
        match head.split_once(' ') {
            _ if head == "index" => return self.index = expanded(body),
            _ if head == "expect" => return self.expects = pairs(body),
            _ if head == "options" => self.options = pairs(body),
            Some(("-c", file)) => self.request.constraints.push(file.to_owned()),
            Some(("--override", file)) => self.request.overrides.push(file.to_owned()),
            Some(("-r", _)) => {}
            _ => self.request.inputs.push(head.to_owned()),
        }
        self.files.0.insert(head.rsplit(' ').next().unwrap().to_owned(), expanded(body));
        self.parts.push((head.to_owned(), body.trim_end().to_owned()));
    }

    fn option(&self, key: &str) -> Option<&str> {
        self.options.iter().find(|(known, _)| known == key).map(|(_, value)| value.as_str())
    }

    fn inputs(&self) -> Inputs {
        inputs::read(&self.request, &self.files).unwrap_or_else(|error| panic!("{}: {error}", self.name))
    }

    fn target(&self) -> Target {
        let python = self.option("--python-version").unwrap_or("3.11");
        let platform = self.option("--platform").unwrap_or("linux");
        Target::declared(&python.parse().unwrap(), &platform.parse().unwrap())
    }

    fn problem(&self, target: &Target) -> Problem {
        let set = |key: &str| match self.option(key) {
            Some(":all:") => PackageSet::All,
            Some(":none:") => PackageSet::None,
            Some(name) => PackageSet::Only([PackageName::new(name).unwrap()].into_iter().collect()),
            None => PackageSet::None,
        };
        let policy = Policy {
            exclude_newer: self.option("--exclude-newer").map(|day| {
                let midnight: jiff::Timestamp = format!("{day}T00:00:00Z").parse().unwrap();
                midnight + std::time::Duration::from_secs(24 * 60 * 60)
            }),
            prerelease: self
                .option("--prerelease")
                .map_or(PrereleaseMode::IfNecessary, |m| m.parse().unwrap()),
            no_binary: set("--no-binary"),
            only_binary: set("--only-binary"),
            ..Policy::default()
        };
        Problem::new(&self.inputs(), target.clone(), policy, Preferences::default())
    }

    fn index(&self) -> Arc<dyn Index> {
        if self.index.trim() != "recorded" {
            return Arc::new(
                Universe::parse(&self.index).unwrap_or_else(|error| panic!("{}: {error}", self.name)),
            );
        }
        Arc::new(Recorded::new())
    }

    fn solve(&self) -> Result<Resolution, Box<NoSolution>> {
        match solve(Arc::new(self.problem(&self.target())), self.index(), &Unwatched) {
            Ok(resolution) => Ok(resolution),
            Err(SolveError::NoSolution(failure)) => Err(failure),
            Err(SolveError::Fatal(error)) => panic!("{}: {error}", self.name),
        }
    }

    fn explain(&self) -> Explanation {
        let Err(failure) = self.solve() else { panic!("{}: it has a solution", self.name) };
        let request = ExplainRequest {
            alternatives: target_alternatives(&[self.target()], &self.target(), |other| {
                Arc::new(self.problem(other))
            }),
            ..ExplainRequest::new(Budget::unlimited())
        };
        explain(failure, &request, &Unwatched)
    }

    /// With the edits made in the texts of the inputs.
    fn edited(&self, edits: &[Edit]) -> Self {
        let mut case = self.clone();
        for edit in edits {
            let text = case.files.0.get_mut(&*edit.at.file).unwrap();
            *text = match &edit.new {
                Some(new) => inputs::edit::replace_requirement(text, &edit.at, &edit.old, new).unwrap(),
                None => inputs::edit::remove_requirement(text, &edit.at, &edit.old).unwrap(),
            };
        }
        case
    }

    /// With this option instead of what it was.
    fn with_option(&self, option: &OptionValue) -> Self {
        let mut case = self.clone();
        case.options.retain(|(known, _)| *known != option.flag);
        case.options.push((option.flag.clone(), option.values.concat()));
        case
    }
}

/// The recorded index: it has the metadata of wheels, not the wheels.
struct Recorded {
    folder: PathBuf,
    client: Client,
}

impl Recorded {
    fn new() -> Self {
        let folder = root().join("testdata/index");
        let index = IndexUrl::parse(folder.to_str().unwrap(), Path::new("")).unwrap();
        let client =
            Client::new(IndexConfig { indexes: vec![index], ..IndexConfig::default() }, Arc::new(Unwatched));
        Self { folder, client }
    }
}

impl Index for Recorded {
    fn listing(&self, name: &PackageName) -> Result<Option<Arc<Listing>>, Error> {
        self.client.listing(name)
    }

    fn metadata(&self, file: &Arc<DistFile>, _: Trust) -> Result<Arc<Metadata>, MetadataFailure> {
        let name = file.url.path_segments().unwrap().nth_back(1).unwrap().to_owned();
        let path = self.folder.join("files").join(name).join(format!("{}.metadata", file.filename));
        let text = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Metadata::parse(&text).map(Arc::new).map_err(|error| MetadataFailure::Invalid(error.message))
    }

    fn direct_url_listing(&self, name: &PackageName, url: &DirectUrl) -> Result<Arc<Listing>, Error> {
        self.client.direct_url_listing(name, url)
    }

    fn sha256(&self, file: &Arc<DistFile>) -> Result<Sha256, Error> {
        self.client.sha256(file)
    }

    fn prefetch(&self, _: &[IndexQuery]) {}
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

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn cases() -> Vec<Case> {
    let folder = root().join("testdata/conflicts");
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| Case::read(path)).collect()
}

fn lines(explanation: &Explanation) -> Vec<String> {
    explanation.lines(100, DetailLevel::Short)
}

/// The section of the document about `case`.
fn section(case: &Case, lines: &[String]) -> String {
    let mut text = format!("\n## {}\n\n", case.title);
    if !case.about.is_empty() {
        text.push_str(&format!("{}\n\n", case.about));
    }
    for (head, body) in &case.parts {
        text.push_str(&format!("`{head}`\n```text\n{body}\n```\n\n"));
    }
    text.push_str(&format!("pinfast says:\n```text\n{}\n```\n", lines.join("\n")));
    text
}

const HEAD: &str = "# Conflicts, and how pinfast explains them\n\nWritten by `tests/gallery.rs` from `testdata/conflicts/`. The boxes named after files and options hold what the user\n\
     wrote; `%for 1..9` stands for so many lines. `--format json` says the same, as `conflict.schema.json` describes.\n";

/// There are more; a loss of many would show.
const LEAST: usize = 30;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let (cases, document) = (cases(), root().join("docs/conflicts.md"));
    if std::env::var_os("PINFAST_WRITE_GALLERY").is_some() {
        let sections: String = cases.iter().map(|case| section(case, &lines(&case.explain()))).collect();
        std::fs::write(&document, format!("{HEAD}{sections}")).unwrap();
    }
    let document = Arc::new(std::fs::read_to_string(document).unwrap());
    let schema = std::fs::read(root().join("docs/conflict.schema.json")).unwrap();
    let schema: Arc<Value> = Arc::new(serde_json::from_slice(&schema).unwrap());
    let mut trials = vec![document_trial(&cases, document.clone())];
    trials.extend(cases.into_iter().map(|case| {
        let (document, schema) = (document.clone(), schema.clone());
        Trial::test(case.name.clone(), move || outcome(problems(&case, &document, &schema)))
    }));
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// The test that the document consists of one section for each case, in order.
fn document_trial(cases: &[Case], document: Arc<String>) -> Trial {
    let titles: Vec<String> = cases.iter().map(|case| case.title.clone()).collect();
    Trial::test("the_document_has_one_section_for_each_case", move || {
        let mut sections = document.split("\n## ");
        assert_eq!(sections.next(), Some(HEAD));
        assert_eq!(sections.filter_map(|section| section.lines().next()).collect::<Vec<_>>(), titles);
        assert!(titles.len() >= LEAST, "only {} cases", titles.len());
        Ok(())
    })
}

fn outcome(problems: Vec<String>) -> Result<(), Failed> {
    if problems.is_empty() { Ok(()) } else { Err(problems.join("\n").into()) }
}

/// What is wrong with the explanation of `case`, and how the document differs from it.
fn problems(case: &Case, document: &str, schema: &Value) -> Vec<String> {
    let explanation = case.explain();
    let lines = lines(&explanation);
    let mut problems = unlike(schema, schema, &explanation.json(), "$");
    problems.extend(form(case, &lines));
    problems.extend(promises(case, &explanation, &lines));
    let section = section(case, &lines);
    let head = format!("{}\n", case.title);
    let written = document.split("\n## ").find(|section| section.starts_with(&head)).unwrap_or_default();
    let written = format!("\n## {written}");
    let differs = section.lines().zip(written.lines()).find(|(expected, written)| expected != written);
    if let Some((expected, written)) = differs {
        problems.push(format!("docs/conflicts.md has  {written}\nthe explanation has    {expected}"));
    } else if section.len() != written.len() {
        problems.push("docs/conflicts.md is shorter or longer than the explanation".to_owned());
    }
    problems
}

/// Where `value` violates `schema`: the part of JSON Schema that `docs/conflict.schema.json` uses. A value that the
/// schema does not describe is a violation, too.
fn unlike(root: &Value, schema: &Value, value: &Value, at: &str) -> Vec<String> {
    if schema.get("$ref").is_some() {
        return unlike(root, &root["$defs"]["node"], value, at);
    }
    let is = |kind: &str| match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_u64(),
        "number" => value.is_number(),
        "null" => value.is_null(),
        kind => panic!("{kind}"),
    };
    let fits = match (&schema["type"], &schema["enum"], &schema["const"]) {
        (Value::String(kind), ..) => is(kind),
        (Value::Array(kinds), ..) => kinds.iter().any(|kind| is(kind.as_str().unwrap())),
        (_, Value::Array(values), _) => values.contains(value),
        (.., constant) => constant == value,
    };
    let mut wrong = if fits { Vec::new() } else { vec![format!("{at}: {value}")] };
    for (n, item) in value.as_array().into_iter().flatten().enumerate() {
        wrong.extend(unlike(root, &schema["items"], item, &format!("{at}[{n}]")));
    }
    let required = schema["required"].as_array().into_iter().flatten().map(|key| key.as_str().unwrap());
    wrong.extend(required.filter(|key| value.get(key).is_none()).map(|key| format!("{at}.{key} is missing")));
    for (key, item) in value.as_object().into_iter().flatten() {
        let inner = schema["properties"].get(key).or(schema.get("additionalProperties"));
        let inner = inner.unwrap_or_else(|| panic!("{at}.{key} is not described"));
        wrong.extend(unlike(root, inner, item, &format!("{at}.{key}")));
    }
    wrong
}

const BANNED: [&str; 9] =
    ["incompatib", " term ", " root", "derivation", "unsatisfiable", "we can conclude", "∈", "∪", "∩"];

/// What is wrong with the form of the explanation.
fn form(case: &Case, said: &[String]) -> Vec<String> {
    let mut wrong = Vec::new();
    let fixes =
        said.iter().position(|line| line.starts_with("Fixes") || line.starts_with("No fix found: tried "));
    let Some(fixes) = fixes else { return vec!["there is no line about fixes".to_owned()] };
    if !said[0].starts_with("error: ") {
        wrong.push("the first line is no error line".to_owned());
    }
    let before = said[..fixes].iter().filter(|line| !line.is_empty()).count();
    if before > 12 {
        wrong.push(format!("{before} lines before the fixes"));
    }
    if said.iter().filter(|line| line.starts_with("Fix")).count() > 1 {
        wrong.push("more than one line begins with Fix".to_owned());
    }
    let inputs = case.inputs();
    let lines: Vec<_> =
        inputs.requirements.iter().chain(&inputs.constraints).chain(&inputs.overrides).collect();
    for line in &said[1..fixes] {
        let item = line.trim_start().split_once(". ").is_some_and(|(n, _)| n.parse::<u32>().is_ok());
        if item {
            wrong.push(format!("a numbered item before the fixes: {line}"));
        }
    }
    let mut number = 0;
    for line in &said[fixes + 1..] {
        match line.strip_prefix("  ").and_then(|rest| rest.split_once(". ")) {
            Some((n, item)) if n.parse::<usize>().is_ok() => {
                number += 1;
                let is_edit =
                    lines.iter().any(|line| item.starts_with(&format!("{}  {} -> ", line.at, line.text)));
                if n.parse() != Ok(number) || !(is_edit || item.starts_with("--")) {
                    wrong.push(format!("no item: {line}"));
                }
            }
            _ if line.starts_with("     ") => {}
            _ => wrong.push(format!("neither an item nor a further line of one: {line}")),
        }
    }
    for line in said {
        let mut texts = lines.iter().map(|input| &*input.text).filter(|text| line.contains(text));
        let is_theirs = line.contains(" -> ") || line.contains("://") || texts.any(|text| text.len() > 60);
        if line.chars().count() > 100 && !is_theirs {
            wrong.push(format!("too long: {line}"));
        }
        let versions = line.split(|c: char| " ,()".contains(c)).filter(|word| is_version(word)).count();
        if versions > 6 && !is_theirs {
            wrong.push(format!("{versions} versions in a row: {line}"));
        }
        wrong
            .extend(BANNED.iter().filter(|word| line.contains(**word)).map(|word| format!("{word}: {line}")));
    }
    wrong
}

fn is_version(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_digit())
        && word.contains('.')
        && word.parse::<pinfast::packaging::Version>().is_ok()
}

/// Which expectations of the case do not hold, and which fixes do not resolve.
fn promises(case: &Case, explanation: &Explanation, said: &[String]) -> Vec<String> {
    let mut wrong = Vec::new();
    let text = said.join("\n");
    for (key, value) in &case.expects {
        let holds = match key.as_str() {
            "kind" => explanation.json()["kind"] == value.as_str(),
            "says" => text.contains(value.as_str()),
            "lines" => {
                explanation.cause.iter().map(|line| line.at.to_string()).collect::<Vec<_>>().join(" ")
                    == *value
            }
            "first" => match explanation.fix_report.fixes.first() {
                None => value == "none",
                Some(fix) => match fix.edits.len() {
                    0 => value == "option",
                    1 => value == "line",
                    _ => value == "pair",
                },
            },
            "more" => explanation.further_conflicts.to_string() == *value,
            _ => panic!("{}: {key}?", case.name),
        };
        if !holds {
            wrong.push(format!("expected: {key} {value}"));
        }
    }
    for line in &explanation.cause {
        let place = line.at.to_string();
        if !said.iter().any(|said| said.contains(&place) && said.contains(&*line.text)) {
            wrong.push(format!("{place} is not told verbatim"));
        }
    }
    let fixes = &explanation.fix_report.fixes;
    if fixes.iter().any(|fix| fix.edits.len() == 1) && fixes[0].edits.len() != 1 {
        wrong.push("a fix of one line is not the first".to_owned());
    }
    for fix in fixes {
        let mut fixed = case.edited(&fix.edits);
        fix.options.iter().for_each(|option| fixed = fixed.with_option(option));
        match fixed.solve() {
            Err(_) => wrong.push(format!("a fix that does not resolve: {fix:?}")),
            Ok(resolution) => {
                let differs = fix
                    .pins
                    .iter()
                    .any(|(name, version)| resolution.pins[name].candidate.version != *version);
                if differs {
                    wrong.push(format!("a fix that gives other pins: {fix:?}"));
                }
            }
        }
    }
    wrong
}

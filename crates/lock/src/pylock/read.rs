//! `pylock.toml` of pinfast, uv, pip and others -> a lock.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use serde::Deserialize;
use toml::Spanned;
use url::Url;

use super::DIGEST;
use crate::digest::{digest_of, normalized};
use crate::duplicates::find_duplicates;
use crate::line_index::LineIndex;
use crate::problem::{self, LockFileProblems};
use crate::{
    FORMAT, FileLocation, Header, InputRecord, Integrity, Lock, LockedFile, PermittedBuild, Pin, Via, via,
};
use pinfast_base::error::{Error, Result};
use pinfast_packaging::{
    DirectUrl, DistFilename, Marker, PackageName, RequirementError, Sha256Error, SourceSpan, Version,
};

const RELOCK: &str = "run `pinfast lock -o pylock.toml` to write it again";
const ONLY_FILES: &str = "pinfast installs wheels, source distributions and archives that have a SHA-256";

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct PylockDocument {
    lock_version: Spanned<String>,
    packages: Vec<PylockPackage>,
    #[serde(default)]
    tool: BTreeMap<String, toml::Value>,
}

#[derive(Deserialize)]
struct PylockPackage {
    name: Spanned<String>,
    version: Option<Spanned<String>>,
    marker: Option<Spanned<String>>,
    vcs: Option<toml::Value>,
    directory: Option<toml::Value>,
    archive: Option<PylockFile>,
    sdist: Option<PylockFile>,
    #[serde(default)]
    wheels: Vec<PylockFile>,
    #[serde(default)]
    tool: BTreeMap<String, toml::Value>,
}

#[derive(Deserialize)]
struct PylockFile {
    name: Option<String>,
    url: Option<String>,
    path: Option<String>,
    size: Option<u64>,
    #[serde(default)]
    hashes: BTreeMap<String, String>,
}

/// `[tool.pinfast]`
#[derive(Deserialize)]
struct ToolTable {
    format: u32,
    #[serde(default)]
    targets: Vec<String>,
    #[serde(default)]
    inputs: Vec<InputTable>,
    #[serde(default)]
    options: Vec<OptionTable>,
}

#[derive(Deserialize)]
struct InputTable {
    file: String,
    lines: Vec<String>,
}

#[derive(Deserialize)]
struct OptionTable {
    name: String,
    value: String,
}

/// `[[tool.pinfast.builds]]`, read apart from the other keys: a `toml::Value` would lose the spans.
#[derive(Deserialize)]
struct BuildsDocument {
    tool: BuildsTool,
}

#[derive(Deserialize)]
struct BuildsTool {
    pinfast: BuildTables,
}

#[derive(Deserialize)]
struct BuildTables {
    builds: Vec<BuildTable>,
}

#[derive(Deserialize)]
struct BuildTable {
    name: String,
    version: String,
    #[serde(default)]
    packages: Vec<PylockPackage>,
}

#[derive(Default, Deserialize)]
struct PackageToolTable {
    #[serde(default)]
    via: Vec<String>,
}

/// What a `pylock.toml` holds.
pub(crate) struct ReadPylock {
    pub(crate) lock: Lock,
    pub(crate) integrity: Integrity,
    pub(crate) problems: LockFileProblems,
}

/// Reads `text`, which was in `file`.
///
/// # Errors
/// Of kind `Usage`, when it is no TOML, or lacks what every `pylock.toml` has.
pub(crate) fn read(text: &str, file: &str) -> Result<ReadPylock> {
    let text = &*normalized(text);
    let document: PylockDocument = toml::from_str(text).map_err(|error| unreadable(text, file, &error))?;
    let lines = LineIndex::new(text, file);
    let mut reader = PylockReader { lines, pins: Vec::new(), problems: LockFileProblems::default() };
    reader.check_version(&document.lock_version);
    for package in document.packages {
        reader.package(package);
    }
    find_duplicates(&reader.pins, &mut reader.problems);
    let ours: Option<ToolTable> =
        document.tool.get("pinfast").and_then(|table| table.clone().try_into().ok());
    let integrity = ours.as_ref().map_or(Integrity::Foreign, |ours| integrity(text, ours.format));
    let pins = reader.pins.drain(..).map(|(pin, _)| pin).collect();
    // A table of builds that cannot be read permits none; the pins stay installable.
    let builds = toml::from_str(text).map(|document: BuildsDocument| document.tool.pinfast.builds);
    let builds = builds.unwrap_or_default().into_iter().filter_map(|table| reader.build(table)).collect();
    let mut lock = Lock { header: ours.map(Header::from), pins, builds };
    lock.sort();
    Ok(ReadPylock { lock, integrity, problems: reader.problems })
}

fn unreadable(text: &str, file: &str, error: &toml::de::Error) -> Error {
    let mut problems = LockFileProblems::default();
    problems.push(&LineIndex::new(text, file).span(error.span().unwrap_or(0..0)), error.message(), RELOCK);
    problem::into_error(&problems.sorted()).unwrap_or_else(|| Error::usage(error.message()))
}

fn integrity(text: &str, format: u32) -> Integrity {
    if format > FORMAT {
        return Integrity::NewerFormat(format);
    }
    let expected = format!("\n{DIGEST}{}\"\n", digest_of(text, DIGEST));
    if text.contains(&expected) { Integrity::Intact } else { Integrity::Edited { line: None } }
}

impl From<ToolTable> for Header {
    fn from(ours: ToolTable) -> Self {
        let input = |input: InputTable| InputRecord { file: input.file, lines: input.lines };
        Self {
            inputs: ours.inputs.into_iter().map(input).collect(),
            targets: ours.targets,
            options: ours.options.into_iter().map(|option| (option.name, option.value)).collect(),
        }
    }
}

struct PylockReader<'a> {
    lines: LineIndex<'a>,
    pins: Vec<(Pin, SourceSpan<'a>)>,
    problems: LockFileProblems,
}

impl PylockReader<'_> {
    fn problem(&mut self, at: Range<usize>, message: impl Into<String>, hint: &'static str) {
        self.problems.push(&self.lines.span(at), message, hint);
    }

    fn check_version(&mut self, version: &Spanned<String>) {
        if version.get_ref().split('.').next() != Some("1") {
            let message = format!("the lock-version {} is not known", version.get_ref());
            self.problem(version.span(), message, "use a pinfast that knows it, or lock again");
        }
    }

    fn package(&mut self, package: PylockPackage) {
        let at = package.name.span();
        let name = match PackageName::new(package.name.get_ref()) {
            Ok(name) => name,
            Err(error) => return self.problem(at, error.to_string(), RELOCK),
        };
        if package.vcs.is_some() || package.directory.is_some() {
            return self.problem(at, format!("`{name}` is a source tree, which has no hash"), ONLY_FILES);
        }
        let Some(marker) = self.marker(package.marker.as_ref()) else { return };
        let mut pin = Pin { marker, ..Pin::new(name, Version::new([0])) };
        let known_problems = self.problems.len();
        let files = package.wheels.iter().chain(&package.sdist).chain(&package.archive);
        for file in files {
            self.file(&at, &mut pin, file);
        }
        if pin.hashes.is_empty() && self.problems.len() == known_problems {
            self.problem(at.clone(), format!("`{}` has no SHA-256 hash", pin.name), ONLY_FILES);
        }
        if package.archive.is_some() {
            pin.url = pin.files.iter().find_map(direct_url);
        }
        let Some(version) = self.version(package.version.as_ref(), &pin) else {
            return self.problem(at, format!("`{}` has no version", pin.name), RELOCK);
        };
        pin.version = version;
        pin.via = via(&package.tool);
        let span = self.lines.span(at);
        pin.at = Some(span.at.clone());
        self.pins.push((pin, span));
    }

    fn build(&mut self, table: BuildTable) -> Option<PermittedBuild> {
        table.packages.into_iter().for_each(|package| self.package(package));
        find_duplicates(&self.pins, &mut self.problems);
        let pins = self.pins.drain(..).map(|(pin, _)| pin).collect();
        Some(PermittedBuild {
            name: PackageName::new(&table.name).ok()?,
            version: table.version.parse().ok()?,
            pins,
        })
    }

    /// `None`, with a problem, if the marker cannot be parsed.
    fn marker(&mut self, marker: Option<&Spanned<String>>) -> Option<Marker> {
        let Some(marker) = marker else { return Some(Marker::default()) };
        match marker.get_ref().parse() {
            Ok(marker) => Some(marker),
            Err(error) => {
                self.problem(marker.span(), RequirementError::to_string(&error), RELOCK);
                None
            }
        }
    }

    /// `version`, else the version in the first file's name.
    fn version(&self, version: Option<&Spanned<String>>, pin: &Pin) -> Option<Version> {
        match version {
            Some(version) => version.get_ref().parse().ok(),
            None => Some(DistFilename::parse(&pin.files.first()?.name, &pin.name).ok()?.version().clone()),
        }
    }

    fn file(&mut self, at: &Range<usize>, pin: &mut Pin, file: &PylockFile) {
        let url = file.url.as_deref().and_then(|url| Url::parse(url).ok());
        let location = match (&file.path, url) {
            (Some(path), _) => Some(FileLocation::Path(path.as_str().into())),
            (None, url) => url.map(|url| FileLocation::Url(url.into())),
        };
        let digits = file.hashes.get("sha256");
        let (Some(name), Some(digits)) = (file.file_name(location.as_ref()), digits) else {
            // A file without SHA-256 is not installed; another file of the package may have one.
            return;
        };
        match digits.parse() {
            Ok(sha256) => {
                pin.hashes.push(sha256);
                pin.files.push(LockedFile { name, sha256, location, size: file.size });
            }
            Err(error) => {
                let message = format!("{name}: {}", Sha256Error::to_string(&error));
                self.problem(at.clone(), message, RELOCK);
            }
        }
    }
}

impl PylockFile {
    fn file_name(&self, location: Option<&FileLocation>) -> Option<Arc<str>> {
        if let Some(name) = &self.name {
            return Some(name.as_str().into());
        }
        match location? {
            FileLocation::Path(path) => Some(path.rsplit(['/', '\\']).next()?.into()),
            FileLocation::Url(url) => {
                let name = url.path_segments()?.next_back()?;
                Some(percent_encoding::percent_decode_str(name).decode_utf8().ok()?.into())
            }
        }
    }
}

fn direct_url(file: &LockedFile) -> Option<DirectUrl> {
    match &file.location {
        Some(FileLocation::Url(url)) => Some(DirectUrl { url: Url::clone(url), sha256: None }),
        _ => None,
    }
}

fn via(tool: &BTreeMap<String, toml::Value>) -> Vec<Via> {
    let ours: Option<PackageToolTable> = tool.get("pinfast").and_then(|table| table.clone().try_into().ok());
    ours.unwrap_or_default().via.iter().filter_map(|entry| via::entry(entry)).collect()
}

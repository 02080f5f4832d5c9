//! A requirements file: its requirements and options (pip's "Requirements File Format").

use std::ops::Range;

use super::lines::{Logical, logical_lines};
use super::options::{self, Flag, Found};
use super::paths::{self, FilePath};
use super::problem::Finding;
use super::read::{Reader, Reference};
use super::requirement::{self, Showing};
use super::source::{Placed, Source, span, text_of, trimmed};
use super::variables;
use super::{FileOption, FileOptionKind, FormatControl, InputLine};
use pinfast_packaging::{PackageName, Role, Sha256};

/// Reads all of `source`.
pub(super) fn read(reader: &mut Reader<'_>, source: &Source, path: &FilePath, role: Role) {
    let mut file = File { reader, source, path, role };
    for logical in logical_lines(source) {
        file.line(&logical);
    }
}

/// A file being read.
struct File<'a, 'r> {
    reader: &'a mut Reader<'r>,
    source: &'a Source,
    path: &'a FilePath,
    role: Role,
}

/// A line with its variables filled in.
struct Line<'a> {
    raw: &'a [Placed],
    chars: Vec<Placed>,
    showing: Showing,
}

impl Line<'_> {
    /// The text as the file has it behind some of its characters: no variables filled in, no
    /// credentials.
    fn raw(&self, part: &[Placed]) -> String {
        let (Some(first), Some(last)) = (part.first(), part.last()) else { return String::new() };
        let from = self.raw.partition_point(|placed| placed.start < first.start);
        let to = self.raw.partition_point(|placed| placed.end <= last.end);
        requirement::shown(&self.raw[from..to.max(from)])
    }
}

impl File<'_, '_> {
    fn line(&mut self, logical: &Logical) {
        if let Some(swallowed) = &logical.swallowed {
            let at = self.source.location(swallowed.start);
            self.reader.warn(&format!(
                "{at}: this line is part of the comment above it, which ends in a backslash, so it is not read"
            ));
        }
        if logical.chars.is_empty() || self.stray_backslash(&logical.chars) {
            return;
        }
        let expanded = variables::expand(&logical.chars, self.reader.files);
        let showing = if expanded.secret { Showing::Secret } else { Showing::Open };
        let line = Line { raw: &logical.chars, chars: expanded.chars, showing };
        for name in expanded.unset {
            let at = self.source.location(logical.chars[0].start);
            self.reader.warn(&format!("{at}: `${{{name}}}` has no value, so it stays as it is"));
        }
        self.said(&line);
    }

    /// A backslash at the end that continues nothing, since something stands behind it.
    fn stray_backslash(&mut self, chars: &[Placed]) -> bool {
        let Some(last) = chars.last().filter(|last| last.ch == '\\') else { return false };
        let finding = Finding::new(0, 1, "a backslash continues a line only as its very last character")
            .hint("take away what stands behind the backslash");
        self.add(last.start..last.end, &finding);
        true
    }

    fn said(&mut self, line: &Line<'_>) {
        let from = options::start(&line.chars);
        let part = trimmed(&line.chars[..from]);
        match options::parse(&line.chars, from) {
            Err(finding) => self.finding(&line.chars, &finding),
            Ok(found) if part.is_empty() => self.options(line, &found),
            Ok(found) => self.requirement(line, part, &found),
        }
    }

    fn requirement(&mut self, line: &Line<'_>, part: &[Placed], found: &[Found]) {
        let hashes = self.hashes(line, found);
        match requirement::parse(&text_of(part), line.showing) {
            Err(finding) => self.finding(part, &finding),
            Ok(requirement) => {
                let at = self.source.location(part[0].start);
                let text = line.raw(part).into();
                self.reader.add(InputLine { requirement, text, at, hashes }, self.role);
            }
        }
    }

    /// The hashes behind a requirement; other options do not belong there.
    fn hashes(&mut self, line: &Line<'_>, found: &[Found]) -> Vec<Sha256> {
        let mut hashes = Vec::new();
        let mut unchecked = Vec::new();
        for option in found {
            match option.flag {
                Flag::Hash => match hash(&text_of(&option.value)) {
                    Ok(hash) => hashes.push(hash),
                    Err(Unusable::Algorithm) => unchecked.push(option),
                    Err(Unusable::Wrong(message)) => {
                        self.add(value_span(option), &Finding::new(0, 1, message));
                    }
                },
                Flag::Ignored(why) => self.ignored(line, option, why),
                _ => {
                    let message = format!("`{}` does not belong behind a requirement", option.name);
                    let finding = Finding::new(option.start, option.name.chars().count(), message)
                        .hint("write it on a line of its own");
                    self.finding(&line.chars, &finding);
                }
            }
        }
        self.unchecked(&unchecked, &hashes);
        hashes.sort();
        hashes.dedup();
        hashes
    }

    /// Hashes of other algorithms: the files' SHA-256 is what is locked and checked.
    fn unchecked(&mut self, unchecked: &[&Found], hashes: &[Sha256]) {
        let Some(first) = unchecked.first() else { return };
        let span = value_span(first);
        if hashes.is_empty() {
            let finding =
                Finding::new(0, 1, "only `sha256` hashes are checked, and this requirement has none")
                    .hint("give the file's `sha256`, or leave the hash away: every locked file gets one");
            self.add(span, &finding);
        } else {
            let at = self.source.location(span.start);
            self.reader.warn(&format!("{at}: only the `sha256` hashes are used"));
        }
    }

    fn options(&mut self, line: &Line<'_>, found: &[Found]) {
        for option in found {
            self.option(line, option);
        }
    }

    fn option(&mut self, line: &Line<'_>, option: &Found) {
        let kind = match option.flag {
            Flag::Requirement => return self.include(option, self.role),
            Flag::Constraint => return self.include(option, Role::Constraint),
            Flag::Ignored(why) => return self.ignored(line, option, why),
            Flag::NoBinary => return self.formats(line, option, FileOptionKind::NoBinary),
            Flag::OnlyBinary => return self.formats(line, option, FileOptionKind::OnlyBinary),
            Flag::Editable | Flag::Hash => return self.misplaced(line, option),
            Flag::IndexUrl => FileOptionKind::IndexUrl(self.located(option)),
            Flag::ExtraIndexUrl => FileOptionKind::ExtraIndexUrl(self.located(option)),
            Flag::FindLinks => FileOptionKind::FindLinks(self.located(option)),
            Flag::NoIndex => FileOptionKind::NoIndex,
            Flag::Pre => FileOptionKind::Pre,
            Flag::RequireHashes => FileOptionKind::RequireHashes,
        };
        self.push(line, option, kind);
    }

    fn push(&mut self, line: &Line<'_>, option: &Found, kind: FileOptionKind) {
        let chars = &line.chars[option.start..option.end];
        let at = self.source.location(chars[0].start);
        self.reader.inputs.options.push(FileOption { kind, text: line.raw(chars).into(), at });
    }

    /// An editable install, or a hash without a requirement.
    fn misplaced(&mut self, line: &Line<'_>, option: &Found) {
        let len = option.end - option.start;
        let finding = match (option.flag, super::refuse::refusal(&text_of(&option.value))) {
            (Flag::Editable, Some((vcs @ super::refuse::Refusal::Vcs, _))) => {
                vcs.finding(option.start, len, None)
            }
            (Flag::Editable, _) => super::refuse::Refusal::Editable.finding(option.start, len, None),
            _ => Finding::new(option.start, len, "a hash belongs behind its requirement")
                .hint("end the line above with a backslash; a comment between them parts them"),
        };
        self.finding(&line.chars, &finding);
    }

    fn include(&mut self, option: &Found, role: Role) {
        let role = if self.role == Role::Requirement { role } else { self.role };
        let path = self.path.beside(&text_of(&option.value));
        let from = Reference { source: self.source, span: value_span(option) };
        self.reader.file(&path, role, Some(&from));
    }

    /// A URL as it is; a path relative to this file.
    fn located(&self, option: &Found) -> String {
        let value = text_of(&option.value);
        if paths::scheme(&value).is_some() { value } else { self.path.beside(&value).read }
    }

    fn ignored(&mut self, line: &Line<'_>, option: &Found, why: &str) {
        let at = self.source.location(line.chars[option.start].start);
        self.reader.warn(&format!("{at}: `{}` is ignored: {why}", option.name));
    }

    /// `--no-binary` and `--only-binary`: `:all:` takes back what stands before it in the list, and so
    /// does `:none:`.
    fn formats(&mut self, line: &Line<'_>, option: &Found, kind: fn(FormatControl) -> FileOptionKind) {
        let mut packages = Vec::new();
        let mut every = None;
        for item in option.value.split(|placed| placed.ch == ',') {
            let item = trimmed(item);
            match text_of(item).as_str() {
                "" => {}
                ":all:" => {
                    packages.clear();
                    every = Some(FormatControl::All);
                }
                ":none:" => {
                    packages.clear();
                    every = Some(FormatControl::None);
                }
                text => match PackageName::new(text) {
                    Ok(name) => packages.push(name),
                    Err(_) => {
                        let message = format!("`{}` is not a name, `:all:` or `:none:`", line.raw(item));
                        self.add(span(item, 0, item.len()), &Finding::new(0, 1, message));
                    }
                },
            }
        }
        if let Some(every) = every {
            self.push(line, option, kind(every));
        }
        if !packages.is_empty() {
            self.push(line, option, kind(FormatControl::Packages(packages)));
        }
    }

    /// Adds what was found in `chars`.
    fn finding(&mut self, chars: &[Placed], finding: &Finding) {
        self.add(span(chars, finding.start, finding.len), finding);
    }

    fn add(&mut self, span: Range<usize>, finding: &Finding) {
        self.reader.problems.add(self.source, span, &finding.message, &finding.hints);
    }
}

/// The bytes of an option's value.
fn value_span(option: &Found) -> Range<usize> {
    span(&option.value, 0, option.value.len())
}

/// Why a hash is of no use.
enum Unusable {
    /// A good algorithm, but not SHA-256.
    Algorithm,
    /// Not a hash to be trusted.
    Wrong(String),
}

fn hash(value: &str) -> Result<Sha256, Unusable> {
    let wrong = |message: &str| Unusable::Wrong(message.to_owned());
    match value.split_once(':') {
        Some(("sha256", digits)) => {
            digits.parse().map_err(|error: pinfast_packaging::Sha256Error| Unusable::Wrong(error.to_string()))
        }
        Some(("sha384" | "sha512", _)) => Err(Unusable::Algorithm),
        Some(_) => Err(wrong("this is no algorithm that can be trusted: use `sha256`")),
        None => Err(wrong("expected `sha256:` and 64 hexadecimal digits")),
    }
}

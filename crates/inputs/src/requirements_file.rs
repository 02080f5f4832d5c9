//! A requirements file -> its statements (pip's "Requirements File Format").

use std::ops::Range;

use super::diagnostic::{Diagnostic, FileDiagnostic};
use super::logical_lines::{InputLogicalLine, logical_lines};
use super::options::{self, OptionKind, ParsedOption};
use super::requirement::{self, Quoting};
use super::source::{InputText, SourceChar, span, text_of, trimmed};
use super::statement::{Include, Statement};
use super::unlockable::{self, Unlockable};
use super::variables;
use super::{FileOption, FileOptionKind, FormatControl, InputLine};
use pinfast_packaging::{PackageName, Role, Sha256, Sha256Error};

/// Parses all of `source`. `variable` gives the value of an environment variable, for `${NAME}`.
pub(super) fn parse(source: &InputText, variable: &dyn Fn(&str) -> Option<String>) -> Vec<Statement> {
    let mut parser = RequirementsParser { source, variable, statements: Vec::new() };
    for line in logical_lines(source) {
        parser.logical_line(&line);
    }
    parser.statements
}

/// The state of a parse.
struct RequirementsParser<'a> {
    source: &'a InputText,
    variable: &'a dyn Fn(&str) -> Option<String>,
    statements: Vec<Statement>,
}

/// A logical line with its variables filled in.
struct ExpandedLine<'a> {
    /// As the file has it.
    raw: &'a [SourceChar],
    chars: Vec<SourceChar>,
    quoting: Quoting,
}

impl ExpandedLine<'_> {
    /// The text of the file behind some of its characters: no variables filled in, no credentials.
    fn raw_text(&self, part: &[SourceChar]) -> String {
        let (Some(first), Some(last)) = (part.first(), part.last()) else { return String::new() };
        let from = self.raw.partition_point(|char| char.start < first.start);
        let to = self.raw.partition_point(|char| char.end <= last.end);
        requirement::shown(&self.raw[from..to.max(from)])
    }
}

impl RequirementsParser<'_> {
    fn logical_line(&mut self, logical: &InputLogicalLine) {
        if let Some(swallowed) = &logical.swallowed {
            let at = self.source.location(swallowed.start);
            self.warn(format!(
                "{at}: this line is part of the comment above it, which ends in a backslash, so it is not read"
            ));
        }
        if logical.chars.is_empty() || self.stray_backslash(&logical.chars) {
            return;
        }
        let expanded = variables::expand(&logical.chars, self.variable);
        let quoting = if expanded.filled_in { Quoting::Forbidden } else { Quoting::Allowed };
        for name in expanded.unset {
            let at = self.source.location(logical.chars[0].start);
            self.warn(format!("{at}: `${{{name}}}` has no value, so it stays as it is"));
        }
        self.statement(&ExpandedLine { raw: &logical.chars, chars: expanded.chars, quoting });
    }

    /// Refuses a backslash at the end that continues nothing, since white space follows it.
    fn stray_backslash(&mut self, chars: &[SourceChar]) -> bool {
        let Some(last) = chars.last().filter(|last| last.ch == '\\') else { return false };
        let diagnostic =
            Diagnostic::new(0, 1, "a backslash continues a line only as its very last character")
                .hint("take away what stands behind the backslash");
        self.error(last.start..last.end, diagnostic);
        true
    }

    fn statement(&mut self, line: &ExpandedLine<'_>) {
        let from = options::start(&line.chars);
        let part = trimmed(&line.chars[..from]);
        match options::parse(&line.chars, from) {
            Err(diagnostic) => self.error_in(&line.chars, diagnostic),
            Ok(options) if part.is_empty() => options.iter().for_each(|option| self.option(line, option)),
            Ok(options) => self.requirement(line, part, &options),
        }
    }

    fn requirement(&mut self, line: &ExpandedLine<'_>, part: &[SourceChar], options: &[ParsedOption]) {
        let hashes = self.hashes(line, options);
        match requirement::parse(&text_of(part), line.quoting) {
            Err(diagnostic) => self.error_in(part, diagnostic),
            Ok(requirement) => {
                let at = self.source.location(part[0].start);
                let text = line.raw_text(part).into();
                let line = InputLine { requirement, text, at, hashes };
                self.statements.push(Statement::Requirement(line));
            }
        }
    }

    /// The hashes behind a requirement; other options do not belong there.
    fn hashes(&mut self, line: &ExpandedLine<'_>, options: &[ParsedOption]) -> Vec<Sha256> {
        let mut hashes = Vec::new();
        let mut other_algorithms = Vec::new();
        for option in options {
            match option.kind {
                OptionKind::Hash => match parse_hash(&text_of(&option.value)) {
                    Ok(hash) => hashes.push(hash),
                    Err(HashError::Algorithm) => other_algorithms.push(option),
                    Err(HashError::Invalid(message)) => {
                        self.error(value_span(option), Diagnostic::new(0, 1, message));
                    }
                },
                OptionKind::Ignored(why) => self.ignored(line, option, why),
                _ => {
                    let message = format!("`{}` does not belong behind a requirement", option.name);
                    let diagnostic = Diagnostic::new(option.start, option.name.chars().count(), message)
                        .hint("write it on a line of its own");
                    self.error_in(&line.chars, diagnostic);
                }
            }
        }
        if let Some(first) = other_algorithms.first() {
            self.other_algorithm(first, hashes.is_empty());
        }
        hashes.sort();
        hashes.dedup();
        hashes
    }

    /// A hash of another algorithm: the files' SHA-256 is what is locked and checked.
    fn other_algorithm(&mut self, option: &ParsedOption, alone: bool) {
        let span = value_span(option);
        if alone {
            let message = "only `sha256` hashes are checked, and this requirement has none";
            let hint = "give the file's `sha256`, or leave the hash away: every locked file gets one";
            self.error(span, Diagnostic::new(0, 1, message).hint(hint));
        } else {
            let at = self.source.location(span.start);
            self.warn(format!("{at}: only the `sha256` hashes are used"));
        }
    }

    /// An option on a line of its own.
    fn option(&mut self, line: &ExpandedLine<'_>, option: &ParsedOption) {
        let value = || text_of(&option.value);
        let kind = match option.kind {
            OptionKind::Requirement => return self.include(option, Role::Requirement),
            OptionKind::Constraint => return self.include(option, Role::Constraint),
            OptionKind::Ignored(why) => return self.ignored(line, option, why),
            OptionKind::NoBinary => return self.format_control(line, option, FileOptionKind::NoBinary),
            OptionKind::OnlyBinary => return self.format_control(line, option, FileOptionKind::OnlyBinary),
            OptionKind::Editable | OptionKind::Hash => return self.misplaced(line, option),
            OptionKind::IndexUrl => FileOptionKind::IndexUrl(value()),
            OptionKind::ExtraIndexUrl => FileOptionKind::ExtraIndexUrl(value()),
            OptionKind::FindLinks => FileOptionKind::FindLinks(value()),
            OptionKind::NoIndex => FileOptionKind::NoIndex,
            OptionKind::Pre => FileOptionKind::Pre,
            OptionKind::RequireHashes => FileOptionKind::RequireHashes,
        };
        self.push_option(line, option, kind);
    }

    fn push_option(&mut self, line: &ExpandedLine<'_>, option: &ParsedOption, kind: FileOptionKind) {
        let chars = &line.chars[option.start..option.end];
        let at = self.source.location(chars[0].start);
        let option = FileOption { kind, text: line.raw_text(chars).into(), at };
        self.statements.push(Statement::Option(option));
    }

    /// An editable install, or a hash without a requirement.
    fn misplaced(&mut self, line: &ExpandedLine<'_>, option: &ParsedOption) {
        let len = option.end - option.start;
        let diagnostic = match (option.kind, unlockable::unlockable(&text_of(&option.value))) {
            (OptionKind::Editable, Some((vcs @ Unlockable::Vcs, _))) => {
                vcs.diagnostic(option.start, len, None)
            }
            (OptionKind::Editable, _) => Unlockable::Editable.diagnostic(option.start, len, None),
            _ => Diagnostic::new(option.start, len, "a hash belongs behind its requirement")
                .hint("end the line above with a backslash; a comment between them parts them"),
        };
        self.error_in(&line.chars, diagnostic);
    }

    fn include(&mut self, option: &ParsedOption, role: Role) {
        let include = Include { role, target: text_of(&option.value), span: value_span(option) };
        self.statements.push(Statement::Include(include));
    }

    fn ignored(&mut self, line: &ExpandedLine<'_>, option: &ParsedOption, why: &str) {
        let at = self.source.location(line.chars[option.start].start);
        self.warn(format!("{at}: `{}` is ignored: {why}", option.name));
    }

    /// `--no-binary` and `--only-binary`: `:all:` takes back what stands before it in the list, and so
    /// does `:none:`.
    fn format_control(
        &mut self,
        line: &ExpandedLine<'_>,
        option: &ParsedOption,
        kind: fn(FormatControl) -> FileOptionKind,
    ) {
        let mut packages = Vec::new();
        let mut every = None;
        for item in option.value.split(|char| char.ch == ',') {
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
                        let message = format!("`{}` is not a name, `:all:` or `:none:`", line.raw_text(item));
                        self.error(span(item, 0, item.len()), Diagnostic::new(0, 1, message));
                    }
                },
            }
        }
        if let Some(every) = every {
            self.push_option(line, option, kind(every));
        }
        if !packages.is_empty() {
            self.push_option(line, option, kind(FormatControl::Packages(packages)));
        }
    }

    fn warn(&mut self, sentence: String) {
        self.statements.push(Statement::Warning(sentence));
    }

    /// Adds what is wrong in `chars`.
    fn error_in(&mut self, chars: &[SourceChar], diagnostic: Diagnostic) {
        self.statements.push(Statement::Error(diagnostic.in_file(chars)));
    }

    /// Adds what is wrong with the bytes `span` of the file.
    fn error(&mut self, span: Range<usize>, diagnostic: Diagnostic) {
        let Diagnostic { message, hints, .. } = diagnostic;
        self.statements.push(Statement::Error(FileDiagnostic { span: Some(span), message, hints }));
    }
}

/// The bytes of an option's value.
fn value_span(option: &ParsedOption) -> Range<usize> {
    span(&option.value, 0, option.value.len())
}

/// Why a hash cannot be used.
enum HashError {
    /// A good algorithm, but not SHA-256.
    Algorithm,
    /// A broken algorithm, or no hash.
    Invalid(String),
}

fn parse_hash(value: &str) -> Result<Sha256, HashError> {
    let invalid = |message: &str| HashError::Invalid(message.to_owned());
    match value.split_once(':') {
        Some(("sha256", digits)) => {
            digits.parse().map_err(|error: Sha256Error| HashError::Invalid(error.to_string()))
        }
        Some(("sha384" | "sha512", _)) => Err(HashError::Algorithm),
        Some(_) => Err(invalid("this is no algorithm that can be trusted: use `sha256`")),
        None => Err(invalid("expected `sha256:` and 64 hexadecimal digits")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each statement of `text` in short; no file is opened.
    fn statements(text: &str) -> Vec<String> {
        let source = InputText::new("f.in", text.to_owned());
        let short = |statement: Statement| match statement {
            Statement::Requirement(line) => format!("{} {}", line.at, line.text),
            Statement::Option(option) => format!("{} {:?}", option.at, option.kind),
            Statement::Include(include) => {
                format!("{:?} {} {:?}", include.role, include.target, &text[include.span])
            }
            Statement::Warning(sentence) => sentence,
            Statement::Error(error) => error.message,
        };
        parse(&source, &|name| (name == "DIR").then(|| "/srv".to_owned())).into_iter().map(short).collect()
    }

    #[test]
    fn references_and_paths_are_returned_as_written() {
        assert_eq!(
            statements("-r ${DIR}/base.in\na==1\n-c ../c.txt\n-f wheels\nb==\n"),
            [
                "Requirement /srv/base.in \"${DIR}/base.in\"",
                "f.in:2 a==1",
                "Constraint ../c.txt \"../c.txt\"",
                "f.in:4 FindLinks(\"wheels\")",
                "expected a version after `==`",
            ]
        );
    }
}

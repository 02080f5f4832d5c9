//! Whether a lock is fresh: a pure function of the lock and of what the inputs state now.
//!
//! Two independent checks. The header must record the same lines, options and targets as the inputs have now. And the
//! pins must satisfy the inputs: this finds an edit that adjusted the digest, too.

mod satisfaction;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use super::{Header, InputRecord, Integrity, LockFileProblem, ParsedLock, header_line};
use pinfast_packaging::{Location, Target};
use satisfaction::unsatisfied;

/// What a lock would be made from now.
#[derive(Clone, Debug, Default)]
pub struct ResolutionInputs {
    /// The inputs, in order.
    pub inputs: Vec<CurrentInput>,
    /// The targets' labels. `None` if only an interpreter could tell: then they are not compared.
    pub targets: Option<Vec<String>>,
    /// The options that are given now. Others are not compared: `check` need not repeat the options of `lock`.
    pub options: Vec<CurrentOption>,
    /// The targets themselves, if known: a requirement with a marker is only checked against them.
    pub environments: Vec<Target>,
}

/// An input as it is now.
#[derive(Clone, Debug)]
pub struct CurrentInput {
    /// The file, as a relative path with `/`.
    pub file: String,
    /// Its requirements, constraints and options, in any order.
    pub lines: Vec<CurrentLine>,
}

/// One line of an input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CurrentLine {
    /// Normalized, as in the header: `aiogram>=3.4`, `-c urllib3<2`.
    pub normalized: String,
    /// As the user wrote it.
    pub text: Arc<str>,
    /// Where it stands.
    pub at: Location,
}

/// An option that shapes the result, as given now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CurrentOption {
    /// Its name without dashes.
    pub name: String,
    /// Its values: none for the default, an empty one for a flag that is set.
    pub values: Vec<String>,
}

/// Whether a lock agrees with its inputs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LockFreshness {
    /// It does.
    Fresh,
    /// It does not, for at least one reason.
    Stale(Vec<StaleReason>),
}

/// One way in which a lock disagrees with its inputs.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are what the variant's sentence names")]
pub enum StaleReason {
    /// A newer pinfast wrote the lock.
    NewerFormat { format: u32 },
    /// Another tool wrote the lock, so it does not record what it was made from.
    Foreign,
    /// The lock was edited after it was written; `line` as in [`Integrity::Edited`].
    Edited { line: Option<u32> },
    /// An input was not there when the lock was made.
    InputAdded { file: String },
    /// An input of the lock is no longer named.
    InputRemoved { file: String },
    /// A line is new.
    LineAdded { line: CurrentLine },
    /// A line is gone.
    LineRemoved { file: String, old: String },
    /// A package's line changed.
    LineChanged { line: CurrentLine, old: String },
    /// An option has other values; none is the default.
    OptionChanged { name: String, old: Vec<String>, new: Vec<String> },
    /// A target is new.
    TargetAdded { target: String },
    /// A target is gone.
    TargetRemoved { target: String },
    /// A line of the lock cannot be installed.
    Broken { problem: LockFileProblem },
    /// A required package is not pinned.
    NotPinned { line: CurrentLine },
    /// A pin does not satisfy a line of an input.
    Unsatisfied { line: CurrentLine, pin: String, pin_at: Option<Location> },
    /// A pin does not satisfy its dependent.
    DependencyUnsatisfied { by: String, wants: String, pin: String, pin_at: Option<Location> },
}

/// Whether `lock` is what `current` would be locked to record, and satisfies it.
#[must_use]
pub fn freshness(current: &ResolutionInputs, lock: &ParsedLock) -> LockFreshness {
    let mut reasons = Vec::new();
    match lock.integrity {
        Integrity::NewerFormat(format) => {
            return LockFreshness::Stale(vec![StaleReason::NewerFormat { format }]);
        }
        Integrity::Foreign => reasons.push(StaleReason::Foreign),
        Integrity::Edited { line } => reasons.push(StaleReason::Edited { line }),
        Integrity::Intact => {}
    }
    if let Some(header) = &lock.lock.header {
        compare_inputs(&mut reasons, current, header);
        compare_options(&mut reasons, current, header);
        compare_targets(&mut reasons, current, header);
    }
    reasons.extend(lock.problems.iter().map(|problem| StaleReason::Broken { problem: problem.clone() }));
    // The pins cannot satisfy a line that is new or changed: one reason a line is enough.
    let reported: Vec<Location> = reasons.iter().filter_map(StaleReason::at).cloned().collect();
    let is_new = |reason: &StaleReason| reason.at().is_none_or(|at| !reported.contains(at));
    reasons.extend(unsatisfied(current, &lock.lock).into_iter().filter(is_new));
    if reasons.is_empty() { LockFreshness::Fresh } else { LockFreshness::Stale(reasons) }
}

impl ResolutionInputs {
    /// The header of a lock made from this.
    #[must_use]
    pub fn header(&self) -> Header {
        let record = |input: &CurrentInput| {
            let mut lines: Vec<_> = input.lines.iter().map(|line| line.normalized.clone()).collect();
            lines.sort();
            InputRecord { file: input.file.clone(), lines }
        };
        let values =
            |option: &CurrentOption| option.values.iter().map(|v| (option.name.clone(), v.clone())).collect();
        let mut options: Vec<_> =
            self.options.iter().flat_map(|option| -> Vec<_> { values(option) }).collect();
        options.sort();
        Header {
            inputs: self.inputs.iter().map(record).collect(),
            targets: self.targets.clone().unwrap_or_default(),
            options,
        }
    }
}

fn compare_inputs(reasons: &mut Vec<StaleReason>, current: &ResolutionInputs, header: &Header) {
    let mut old: Vec<&InputRecord> = header.inputs.iter().collect();
    for input in &current.inputs {
        match old.iter().position(|record| record.file == input.file) {
            Some(at) => compare_lines(reasons, input, old.remove(at)),
            None => reasons.push(StaleReason::InputAdded { file: input.file.clone() }),
        }
    }
    reasons.extend(old.into_iter().map(|record| StaleReason::InputRemoved { file: record.file.clone() }));
}

fn compare_lines(reasons: &mut Vec<StaleReason>, input: &CurrentInput, record: &InputRecord) {
    let mut gone: Vec<&str> = record.lines.iter().map(String::as_str).collect();
    let mut new: Vec<&CurrentLine> = Vec::new();
    for line in &input.lines {
        match gone.iter().position(|old| *old == line.normalized) {
            Some(at) => drop(gone.remove(at)),
            None => new.push(line),
        }
    }
    for added in new {
        let line = added.clone();
        reasons.push(
            match gone
                .iter()
                .position(|old| header_line::line_key(old) == header_line::line_key(&added.normalized))
            {
                Some(at) => StaleReason::LineChanged { line, old: gone.remove(at).to_owned() },
                None => StaleReason::LineAdded { line },
            },
        );
    }
    let removed = |old: &str| StaleReason::LineRemoved { file: input.file.clone(), old: old.to_owned() };
    reasons.extend(gone.into_iter().map(removed));
}

fn compare_options(reasons: &mut Vec<StaleReason>, current: &ResolutionInputs, header: &Header) {
    let mut new: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for option in &current.options {
        new.entry(&option.name).or_default().extend(option.values.iter().map(String::as_str));
    }
    let owned = |values: &BTreeSet<&str>| values.iter().map(|&value| value.to_owned()).collect();
    for (name, new) in new {
        let old =
            header.options.iter().filter(|(old, _)| old == name).map(|(_, value)| value.as_str()).collect();
        if old != new {
            reasons.push(StaleReason::OptionChanged {
                name: name.to_owned(),
                old: owned(&old),
                new: owned(&new),
            });
        }
    }
}

fn compare_targets(reasons: &mut Vec<StaleReason>, current: &ResolutionInputs, header: &Header) {
    let Some(targets) = &current.targets else { return };
    let lacks = |all: &[String], one: &String| !all.contains(one);
    for target in targets.iter().filter(|target| lacks(&header.targets, target)) {
        reasons.push(StaleReason::TargetAdded { target: target.clone() });
    }
    for target in header.targets.iter().filter(|target| lacks(targets, target)) {
        reasons.push(StaleReason::TargetRemoved { target: target.clone() });
    }
}

impl StaleReason {
    /// A stable name for machines.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NewerFormat { .. } => "newer-format",
            Self::Foreign => "not-ours",
            Self::Edited { .. } => "edited",
            Self::InputAdded { .. } => "input-added",
            Self::InputRemoved { .. } => "input-removed",
            Self::LineAdded { .. } => "line-added",
            Self::LineRemoved { .. } => "line-removed",
            Self::LineChanged { .. } => "line-changed",
            Self::OptionChanged { .. } => "option-changed",
            Self::TargetAdded { .. } => "target-added",
            Self::TargetRemoved { .. } => "target-removed",
            Self::Broken { .. } => "broken",
            Self::NotPinned { .. } => "not-pinned",
            Self::Unsatisfied { .. } => "unkept",
            Self::DependencyUnsatisfied { .. } => "edge-unkept",
        }
    }

    /// The place of the cause, if there is one.
    #[must_use]
    pub fn at(&self) -> Option<&Location> {
        match self {
            Self::LineAdded { line } | Self::LineChanged { line, .. } => Some(&line.at),
            Self::NotPinned { line } | Self::Unsatisfied { line, .. } => Some(&line.at),
            Self::Broken { problem } => Some(problem.at()),
            Self::DependencyUnsatisfied { pin_at, .. } => pin_at.as_ref(),
            _ => None,
        }
    }
}

/// A sentence without a full stop that names the place.
impl fmt::Display for StaleReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NewerFormat { format } => write!(f, "a newer pinfast wrote the lock (format {format})"),
            Self::Foreign => {
                write!(f, "the lock does not record what it was made from: pinfast did not write it")
            }
            Self::Edited { line: Some(line) } => {
                write!(f, "the lock was edited by hand, at line {line} first")
            }
            Self::Edited { line: None } => {
                write!(f, "the lock was edited by hand: its content does not match its digest")
            }
            Self::InputAdded { file } => write!(f, "the lock was made without the input {file}"),
            Self::InputRemoved { file } => write!(f, "the lock was made from {file} too"),
            Self::LineAdded { line } => write!(f, "{}: `{}` is new", line.at, line.normalized),
            Self::LineRemoved { file, old } => write!(f, "{file}: `{old}` is gone"),
            Self::LineChanged { line, old } => write!(f, "{}: `{}` was `{old}`", line.at, line.normalized),
            Self::OptionChanged { name, old, new } => {
                write!(f, "`--{name}` is {}, but was {}", values(new), values(old))
            }
            Self::TargetAdded { target } => write!(f, "the target {target} is new"),
            Self::TargetRemoved { target } => write!(f, "the target {target} is gone"),
            Self::Broken { problem } => write!(f, "{}: {}", problem.at(), problem.message),
            Self::NotPinned { line } => write!(f, "{}: nothing is pinned for `{}`", line.at, line.normalized),
            Self::Unsatisfied { line, pin, pin_at } => {
                let pin_at = in_parentheses(pin_at.as_ref());
                write!(f, "{}: `{pin}`{pin_at} does not satisfy `{}`", line.at, line.normalized)
            }
            Self::DependencyUnsatisfied { by, wants, pin, pin_at } => {
                let pin_at = in_parentheses(pin_at.as_ref());
                write!(f, "{by} asks for `{wants}`, but `{pin}`{pin_at} does not satisfy it")
            }
        }
    }
}

fn in_parentheses(at: Option<&Location>) -> String {
    at.map(|at| format!(" ({at})")).unwrap_or_default()
}

fn values(values: &[String]) -> String {
    match values {
        [] => "not set".to_owned(),
        [flag] if flag.is_empty() => "set".to_owned(),
        values => format!("`{}`", values.join("`, `")),
    }
}

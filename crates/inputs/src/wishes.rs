//! The extras and groups that were asked for, against those that there are.

use std::collections::BTreeSet;

use super::problem::Problems;
use super::{Extras, InputRequest};
use pinfast_base::suggest;
use pinfast_packaging::ExtraName;

/// What was asked for and what was found of it.
pub(super) struct Wishes<'a> {
    extras: &'a Extras,
    groups: &'a [ExtraName],
    /// The extras that the projects have.
    known_extras: BTreeSet<ExtraName>,
    /// The groups that the projects have.
    known_groups: BTreeSet<ExtraName>,
    /// Whether a pyproject.toml was among the inputs.
    project: bool,
}

impl<'a> Wishes<'a> {
    pub(super) fn new(request: &'a InputRequest) -> Self {
        Self {
            extras: &request.extras,
            groups: &request.groups,
            known_extras: BTreeSet::new(),
            known_groups: BTreeSet::new(),
            project: false,
        }
    }

    /// Takes note of what a project has.
    pub(super) fn learn<'n>(
        &mut self,
        extras: impl Iterator<Item = &'n ExtraName>,
        groups: impl Iterator<Item = &'n ExtraName>,
    ) {
        self.project = true;
        self.known_extras.extend(extras.cloned());
        self.known_groups.extend(groups.cloned());
    }

    /// Whether an extra is wanted.
    pub(super) fn wants(&self, extra: &ExtraName) -> bool {
        match self.extras {
            Extras::All => true,
            Extras::Named(names) => names.contains(extra),
        }
    }

    /// Whether any extra is wanted.
    pub(super) fn wants_extras(&self) -> bool {
        !matches!(self.extras, Extras::Named(names) if names.is_empty())
    }

    /// The groups that are wanted.
    pub(super) fn groups(&self) -> &'a [ExtraName] {
        self.groups
    }

    /// Adds what was asked for and is nowhere.
    pub(super) fn report_unknown(&self, problems: &mut Problems) {
        let named: &[ExtraName] = match self.extras {
            Extras::All => &[],
            Extras::Named(names) => names,
        };
        if !self.project {
            let flag = match (self.extras, named, self.groups) {
                (Extras::All, ..) => "--all-extras".to_owned(),
                (_, [extra, ..], _) => format!("--extra {extra}"),
                (_, [], [group, ..]) => format!("--group {group}"),
                (_, [], []) => return,
            };
            let hint = "name the pyproject.toml that has it".to_owned();
            problems.add_bare(
                &format!("`{flag}` means nothing without a pyproject.toml among the inputs"),
                &[hint],
            );
            return;
        }
        for extra in named.iter().filter(|extra| !self.known_extras.contains(*extra)) {
            problems.add_bare(
                &format!("there is no extra `{extra}`"),
                &[known("extras", extra, &self.known_extras)],
            );
        }
        for group in self.groups.iter().filter(|group| !self.known_groups.contains(*group)) {
            problems.add_bare(
                &format!("there is no dependency group `{group}`"),
                &[known("groups", group, &self.known_groups)],
            );
        }
    }
}

/// A hint that names what there is, the nearest to `name` first.
pub(super) fn known(what: &str, name: &ExtraName, known: &BTreeSet<ExtraName>) -> String {
    let names = suggest::closest_first(name.as_str(), known.iter().map(ExtraName::as_str));
    if names.is_empty() {
        return format!("pyproject.toml has no {what}");
    }
    let more = if names.len() > 10 { format!(" and {} more", names.len() - 10) } else { String::new() };
    let names: Vec<_> = names.into_iter().take(10).map(|name| format!("`{name}`")).collect();
    format!("the {what} are {}{more}", names.join(", "))
}

//! The extras and groups that the user selected, against those that the projects declare.

use super::diagnostic::Diagnostics;
use super::statement::Declared;
use super::{Extras, InputRequest};
use pinfast_base::suggest;
use pinfast_packaging::ExtraName;

/// How many names a hint lists.
const MAX_LISTED: usize = 10;

/// What the user selected, and what the projects read so far declare.
pub(super) struct Selection<'a> {
    extras: &'a Extras,
    groups: &'a [ExtraName],
    /// What all projects declare; `None` while no pyproject.toml was read.
    declared: Option<Declared>,
}

impl<'a> Selection<'a> {
    pub(super) fn new(request: &'a InputRequest) -> Self {
        Self { extras: &request.extras, groups: &request.groups, declared: None }
    }

    /// Adds what a project declares.
    pub(super) fn declare(&mut self, project: Declared) {
        let declared = self.declared.get_or_insert_default();
        declared.extras.extend(project.extras);
        declared.groups.extend(project.groups);
    }

    /// Whether `extra` is selected.
    pub(super) fn wants(&self, extra: &ExtraName) -> bool {
        match self.extras {
            Extras::All => true,
            Extras::Named(names) => names.contains(extra),
        }
    }

    /// Whether any extra is selected.
    pub(super) fn wants_extras(&self) -> bool {
        !matches!(self.extras, Extras::Named(names) if names.is_empty())
    }

    /// The groups that are selected.
    pub(super) fn groups(&self) -> &'a [ExtraName] {
        self.groups
    }

    /// Adds an error for each selected name that no project declares.
    pub(super) fn report_undeclared(&self, diagnostics: &mut Diagnostics) {
        let Some(declared) = &self.declared else {
            if let Some(flag) = self.first_flag() {
                let message = format!("`{flag}` means nothing without a pyproject.toml among the inputs");
                let hint = "name the pyproject.toml that has it".to_owned();
                diagnostics.add_without_line(&message, &[hint]);
            }
            return;
        };
        for extra in self.named_extras().iter().filter(|extra| !declared.extras.contains(*extra)) {
            let hint = declared_hint("extras", extra, declared.extras.iter());
            diagnostics.add_without_line(&format!("there is no extra `{extra}`"), &[hint]);
        }
        for group in self.groups.iter().filter(|group| !declared.groups.contains(*group)) {
            let hint = declared_hint("groups", group, declared.groups.iter());
            diagnostics.add_without_line(&format!("there is no dependency group `{group}`"), &[hint]);
        }
    }

    fn named_extras(&self) -> &'a [ExtraName] {
        match self.extras {
            Extras::All => &[],
            Extras::Named(names) => names,
        }
    }

    /// The first flag of the user's that selects something.
    fn first_flag(&self) -> Option<String> {
        match (self.extras, self.named_extras(), self.groups) {
            (Extras::All, ..) => Some("--all-extras".to_owned()),
            (_, [extra, ..], _) => Some(format!("--extra {extra}")),
            (_, [], [group, ..]) => Some(format!("--group {group}")),
            (_, [], []) => None,
        }
    }
}

/// A hint that lists the declared `kind` ("extras" or "groups"), the closest to `name` first.
pub(super) fn declared_hint<'n>(
    kind: &str,
    name: &ExtraName,
    declared: impl Iterator<Item = &'n ExtraName>,
) -> String {
    let names = suggest::closest_first(name.as_str(), declared.map(ExtraName::as_str));
    if names.is_empty() {
        return format!("pyproject.toml has no {kind}");
    }
    let more = names.len().saturating_sub(MAX_LISTED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let names: Vec<_> = names.into_iter().take(MAX_LISTED).map(|name| format!("`{name}`")).collect();
    format!("the {kind} are {}{more}", names.join(", "))
}

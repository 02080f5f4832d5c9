//! The extras of a project, which may refer to one another by the project's own name: `all = ["app[a,b]"]`.

use std::collections::BTreeSet;

use super::PyprojectParser;
use crate::diagnostic::Diagnostic;
use crate::selection;
use crate::source::SourceChar;
use pinfast_packaging::{Marker, Requirement};

/// How often the extras of a project may include one another.
const MAX_INCLUDES: usize = 1_000;

impl PyprojectParser<'_> {
    /// Marks the selected extras as pending.
    pub(super) fn select_extras(&mut self) {
        let selected = self.extras.keys().filter(|extra| self.selection.wants(extra));
        self.pending_extras.extend(selected.map(|extra| (extra.clone(), Marker::default())));
    }

    /// `app[a,b]` inside the project `app`: the requirements of these extras become pending.
    pub(super) fn own_extras(&mut self, part: &[SourceChar], requirement: Requirement) {
        for extra in requirement.extras {
            if self.extras.contains_key(&extra) {
                self.pending_extras.push((extra, requirement.marker.clone()));
            } else {
                let hint = selection::declared_hint("extras", &extra, self.extras.keys());
                let message = format!("the project has no extra `{extra}`");
                self.diagnostic(part, Diagnostic::new(0, part.len(), message).hint(hint));
            }
        }
    }

    /// Parses the pending extras, and those that they refer to, each once under each marker.
    pub(super) fn pending_extras(&mut self) {
        let mut done = BTreeSet::new();
        while let Some((extra, marker)) = self.pending_extras.pop() {
            if done.len() > MAX_INCLUDES || !done.insert((extra.clone(), marker.to_string())) {
                continue;
            }
            if let Some(item) = self.extras.get(&extra).copied() {
                if done.len() > MAX_INCLUDES {
                    self.item_error(item, "the extras include one another in too many ways", None);
                }
                self.requirement_list(&format!("project.optional-dependencies.{extra}"), item, &marker);
            }
        }
    }
}

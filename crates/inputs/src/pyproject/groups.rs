//! `[dependency-groups]` (PyPA "Dependency Groups"): lists of requirements and of `{ include-group = "NAME" }`.

use std::collections::BTreeSet;

use toml_edit::{Item, Value};

use super::PyprojectParser;
use crate::selection;
use pinfast_packaging::{ExtraName, Marker};

/// How many groups deep `include-group` may lead.
const MAX_DEPTH: usize = 64;

impl PyprojectParser<'_> {
    pub(super) fn selected_groups(&mut self) {
        let mut done = BTreeSet::new();
        for group in self.selection.groups() {
            if let Some(item) = self.groups.get(group).copied() {
                self.group(group, item, &mut done, &mut Vec::new());
            }
        }
    }

    /// Parses a group and those that it includes, each once; `chain` is the groups that led here.
    fn group(
        &mut self,
        name: &ExtraName,
        item: &Item,
        done: &mut BTreeSet<ExtraName>,
        chain: &mut Vec<ExtraName>,
    ) {
        if !done.insert(name.clone()) {
            return;
        }
        let Some(list) = item.as_array() else {
            return self.item_error(item, format!("the group `{name}` must be a list"), None);
        };
        chain.push(name.clone());
        for value in list {
            let table = value.as_inline_table().filter(|table| table.len() == 1);
            match table.and_then(|table| table.get("include-group")) {
                Some(included) => self.include_group(included, done, chain),
                None => {
                    let expected = "a requirement or `{ include-group = \"NAME\" }`";
                    self.list_entry(value, &Marker::default(), expected);
                }
            }
        }
        chain.pop();
    }

    fn include_group(&mut self, value: &Value, done: &mut BTreeSet<ExtraName>, chain: &mut Vec<ExtraName>) {
        let Some(name) = value.as_str().and_then(|name| ExtraName::new(name).ok()) else {
            return self.value_error(value, "expected the name of a group", None);
        };
        if chain.contains(&name) {
            let path: Vec<_> = chain.iter().chain([&name]).map(|name| name.as_str()).collect();
            let message = format!("the group `{name}` includes itself: {}", path.join(" -> "));
            return self.value_error(value, message, None);
        }
        if chain.len() >= MAX_DEPTH {
            return self.value_error(value, format!("groups are nested more than {MAX_DEPTH} deep"), None);
        }
        match self.groups.get(&name).copied() {
            Some(item) => self.group(&name, item, done, chain),
            None => {
                let hint = selection::declared_hint("groups", &name, self.groups.keys());
                self.value_error(value, format!("there is no dependency group `{name}`"), Some(hint));
            }
        }
    }
}

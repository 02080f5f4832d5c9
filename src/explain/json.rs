//! The explanation as JSON; `docs/conflict.schema.json` describes it. Within one version fields are added,
//! never taken away.

use serde_json::{Map, Value, json};

use super::tree::Branch;
use super::{CauseLine, Explanation};
use crate::repair::{Edit, Fix};

impl Explanation {
    /// All of it as one JSON object.
    #[must_use]
    pub fn json(&self) -> Value {
        let fixes: Vec<Value> = (1..).zip(&self.found.fixes).map(|(n, fix)| self::fix(n, fix)).collect();
        json!({
            "schema": 1,
            "kind": self.kind,
            "message": self.headline,
            "cause": self.cause.iter().map(line).collect::<Vec<_>>(),
            "tree": self.cause.iter().map(tree).collect::<Vec<_>>(),
            "notes": self.notes,
            "more": self.more,
            "fixes": fixes,
            "tried": { "singles": self.found.singles, "options": self.found.options, "pairs": self.found.pairs, "seconds": self.elapsed.as_secs_f64() },
        })
    }
}

fn line(line: &CauseLine) -> Value {
    json!({ "file": *line.at.file, "line": line.at.line, "text": *line.text, "role": line.role })
}

fn tree(line: &CauseLine) -> Value {
    json!({ "text": *line.text, "needs": line.needs.iter().map(branch).collect::<Vec<_>>() })
}

/// Chains are drawn to a limited depth, so this ends.
fn branch(branch: &Branch) -> Value {
    json!({ "text": branch.text, "needs": branch.needs.iter().map(self::branch).collect::<Vec<_>>() })
}

fn fix(n: usize, fix: &Fix) -> Value {
    let pins: Map<String, Value> =
        fix.pins.iter().map(|(name, version)| (name.to_string(), version.to_string().into())).collect();
    let edits: Vec<Value> = fix.edits.iter().map(edit).collect();
    let options: Vec<String> = fix.options.iter().map(ToString::to_string).collect();
    json!({ "n": n, "edits": edits, "options": options, "pins": pins, "moved": fix.moved })
}

fn edit(edit: &Edit) -> Value {
    json!({ "file": *edit.at.file, "line": edit.at.line, "old": *edit.old, "new": edit.new })
}

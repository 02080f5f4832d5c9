//! An explanation -> JSON, as `docs/conflict.schema.json` describes it. Within one schema version fields are only added.

use serde_json::{Map, Value, json};

use super::{CauseLine, Explanation};
use pinfast_repair::Fix;

impl Explanation {
    /// The whole explanation as one JSON object.
    #[must_use]
    pub fn json(&self) -> Value {
        let fixes: Vec<Value> = (1..).zip(&self.fix_report.fixes).map(|(n, fix)| self::fix(n, fix)).collect();
        let tree = |line: &CauseLine| json!({ "text": line.text, "needs": line.needs });
        json!({
            "schema": 1,
            "kind": self.kind,
            "message": self.headline,
            "cause": self.cause,
            "tree": self.cause.iter().map(tree).collect::<Vec<_>>(),
            "notes": self.notes,
            "more": self.further_conflicts,
            "fixes": fixes,
            "tried": {
                "singles": self.fix_report.singles,
                "options": self.fix_report.options,
                "pairs": self.fix_report.pairs,
                "seconds": self.elapsed.as_secs_f64(),
            },
        })
    }
}

fn fix(n: usize, fix: &Fix) -> Value {
    let pins: Map<String, Value> =
        fix.pins.iter().map(|(name, version)| (name.to_string(), version.to_string().into())).collect();
    let options: Vec<String> = fix.options.iter().map(ToString::to_string).collect();
    json!({ "n": n, "edits": fix.edits, "options": options, "pins": pins, "moved": fix.moved })
}

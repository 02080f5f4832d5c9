//! The explanation as JSON; `docs/conflict.schema.json` describes it. Within one version fields are added,
//! never taken away.

use serde_json::{Map, Value, json};

use super::{CauseLine, Explanation};
use pinfast_repair::Fix;

impl Explanation {
    /// All of it as one JSON object.
    #[must_use]
    pub fn json(&self) -> Value {
        let fixes: Vec<Value> = (1..).zip(&self.found.fixes).map(|(n, fix)| self::fix(n, fix)).collect();
        let tree = |line: &CauseLine| json!({ "text": line.text, "needs": line.needs });
        json!({
            "schema": 1,
            "kind": self.kind,
            "message": self.headline,
            "cause": self.cause,
            "tree": self.cause.iter().map(tree).collect::<Vec<_>>(),
            "notes": self.notes,
            "more": self.more,
            "fixes": fixes,
            "tried": {
                "singles": self.found.singles,
                "options": self.found.options,
                "pairs": self.found.pairs,
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

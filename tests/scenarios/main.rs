//! The scenarios in `testdata/scenarios/`: what `lock` makes of inputs and options in a made-up universe, each
//! written from the specifications and the contract in a few lines.
//!
//! ```text
//! # What the file is about.
//! universe:
//!     a 1.0 2.0              the form is that of `solve::universe`
//!
//! == A title, which is the rule
//! requirements.in: a>=1      a part on one line; ` | ` stands for a new line
//! constraints.txt:           or on lines of its own
//!     a<2
//! options: --python-version 3.11 --platform linux
//! pins: a==1.0
//! warns: a part of each warning that there is
//! ```
//!
//! Parts before the first scenario hold for all scenarios of the file that have none of that name. A part whose
//! name has a dot is a file: `constraints*` and `overrides*` are given by `-c` and `--override`, the other `*.in` and
//! `*.toml` are inputs unless `inputs:` names these, and any other is only there to be referred to; `requirements.txt` is
//! the older lock. A part `index NAME` is an index in the folder `NAME`, in the form of `tests/support/universe.rs`, and `links NAME`
//! the same releases as a folder of wheels; where there is one, there is no universe, and the options and settings say where
//! packages come from. `{sha256:FILE}` stands for the hash of that file of the universe. What is expected:
//!
//! - `pins`: the lock's requirements, all of them, with their markers
//! - `warns`: for each warning a part of it; without this part there must be none
//! - `files`: the files whose hashes the lock holds
//! - `held`: `NAME: CHOSEN not NEWEST` and, after ` by `, a part of what holds it back; without it, nothing does
//! - `fails`: parts of the explanation why there is no solution
//! - `error`: parts of the error, its details and its hints
//! - `unsaid`: what must not stand in the explanation or the error

#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../support/universe.rs"]
mod pages;
mod run;
mod scenario;

use std::path::Path;

use scenario::Scenario;

/// There are more; a loss of many would show.
const LEAST: usize = 150;

#[test]
fn scenarios() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/scenarios");
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let scenarios: Vec<Scenario> = paths.iter().flat_map(|path| Scenario::all(path)).collect();
    let failures: Vec<String> = scenarios
        .iter()
        .filter_map(|scenario| {
            let wrong = run::wrong(scenario)?;
            Some(format!("{}: {}\n{wrong}", scenario.at, scenario.title))
        })
        .collect();
    assert!(
        failures.is_empty(),
        "{} of {} scenarios fail\n\n{}",
        failures.len(),
        scenarios.len(),
        failures.join("\n")
    );
    assert!(scenarios.len() >= LEAST, "only {} scenarios", scenarios.len());
}

//! The scenarios in `testdata/scenarios/`. Each is a rule of the specifications or the contract: inputs and options in a
//! made-up universe, and the lock or the error that `lock` makes of them.
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
//! the older lock. A part `index NAME` is an index in the folder `NAME`, in the form of `universe`, and `links NAME`
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

//!
//! Each scenario is a test of its own. `cargo test --test scenarios -- yanked` runs those whose name has `yanked`;
//! a name is `FILE::TITLE`, without the `.txt`.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod run;
mod scenario;
#[path = "../support/universe.rs"]
mod universe;

use std::path::Path;
use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};
use scenario::Scenario;

/// There are more; a loss of many would show.
const LEAST: usize = 150;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let scenarios = all();
    let count = scenarios.len();
    let mut trials: Vec<Trial> = scenarios.into_iter().map(trial).collect();
    trials.push(Trial::test("no_scenario_is_lost", move || {
        if count >= LEAST { Ok(()) } else { Err(format!("only {count} scenarios").into()) }
    }));
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn all() -> Vec<Scenario> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/scenarios");
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().flat_map(|path| Scenario::all(path)).collect()
}

fn trial(scenario: Scenario) -> Trial {
    Trial::test(scenario.name.clone(), move || match run::differences(&scenario) {
        None => Ok(()),
        Some(differences) => Err(format!("{}\n{differences}", scenario.at).into()),
    })
}

//! What a lock's header records, computed from today's settings and inputs.
//!
//! `lock` writes it into the header. `lock` and `check` compare it with the header of an existing lock.

use super::lock_settings::LockSettings;
use super::paths::file_name;
use super::scope::LockScope;
use super::session::Session;
use pinfast_inputs::Inputs;
use pinfast_lock::{CurrentInput, CurrentLine, ResolutionInputs};
use pinfast_packaging::{Location, Target};

/// The fingerprint of `settings` and `inputs`. `scope` is `None` if only an interpreter could tell it.
pub(super) fn fingerprint(
    settings: &LockSettings,
    inputs: &Inputs,
    scope: Option<&LockScope>,
    session: &Session,
) -> ResolutionInputs {
    let mut options = settings.header_options();
    options.extend(scope.iter().flat_map(|scope| scope.header_options()));
    let targets = scope.and_then(LockScope::targets);
    ResolutionInputs {
        inputs: records(inputs, session),
        targets: targets.map(|targets| targets.iter().map(|target| target.label().to_owned()).collect()),
        options,
        environments: targets.map(<[Target]>::to_vec).unwrap_or_default(),
    }
}

/// One record for each file: first the named inputs in their order, then the files they include, by name.
fn records(inputs: &Inputs, session: &Session) -> Vec<CurrentInput> {
    let mut records: Vec<CurrentInput> =
        inputs.names.iter().map(|name| record(&file_name(name, session))).collect();
    let named = records.len();
    for line in lines(inputs) {
        let file = file_name(&line.at.file, session);
        let place = records.iter().position(|record| record.file == file).unwrap_or_else(|| {
            records.push(record(&file));
            records.len() - 1
        });
        records[place].lines.push(line);
    }
    records[named..].sort_by(|a, b| a.file.cmp(&b.file));
    records
}

fn record(file: &str) -> CurrentInput {
    CurrentInput { file: file.to_owned(), lines: Vec::new() }
}

fn lines(inputs: &Inputs) -> impl Iterator<Item = CurrentLine> + '_ {
    let requirements = inputs.requirements.iter().map(|line| (line.normalized(), &line.text, &line.at));
    let constraints =
        inputs.constraints.iter().map(|line| (format!("-c {}", line.normalized()), &line.text, &line.at));
    let overrides = inputs
        .overrides
        .iter()
        .map(|line| (format!("--override {}", line.normalized()), &line.text, &line.at));
    let options = inputs.options.iter().map(|option| (option.normalized(), &option.text, &option.at));
    let python = inputs.requires_python.iter().filter_map(|python| {
        let file = inputs.names.iter().find(|name| name.ends_with("pyproject.toml"))?;
        let text = format!("--requires-python {python}");
        Some(CurrentLine {
            normalized: text.clone(),
            text: text.into(),
            at: Location::new(file.clone(), 1, 1),
        })
    });
    let line = |(normalized, text, at): (String, &std::sync::Arc<str>, &Location)| CurrentLine {
        normalized,
        text: text.clone(),
        at: at.clone(),
    };
    requirements.chain(constraints).chain(overrides).chain(options).map(line).chain(python)
}

//! What the inputs say now, in the form in which a lock remembers it and `check` compares it.

use std::path::{Component, Path};

use super::policy;
use super::request::PolicyRequest;
use super::session::Session;
use pinfast_inputs::{Extras, InputRequest, Inputs};
use pinfast_lock::{CurrentInput, CurrentLine, CurrentOption, ResolutionInputs};
use pinfast_packaging::{Location, Target};

/// The file of an input as a lock names it: relative to the current folder, with `/`.
pub(super) fn file_name(file: &str, session: &Session) -> String {
    let path = Path::new(file);
    if !path.is_absolute() {
        return file.replace('\\', "/");
    }
    relative(path, session.env.current_dir())
}

/// The absolute `path` as seen from the folder `from`, with `/`.
pub(super) fn relative(path: &Path, from: &Path) -> String {
    let shared = from.components().zip(path.components()).take_while(|(a, b)| a == b).count();
    let up = from.components().skip(shared).map(|_| "..".to_owned());
    let down = path.components().skip(shared).map(|part| match part {
        Component::Normal(name) => name.to_string_lossy().into_owned(),
        other => other.as_os_str().to_string_lossy().into_owned(),
    });
    up.chain(down).collect::<Vec<_>>().join("/")
}

/// What `inputs`, read for `request`, and the `settled` policy say. `targets` are the targets, where they are
/// known without asking an interpreter.
pub(super) fn current(
    request: &InputRequest,
    inputs: &Inputs,
    settled: &PolicyRequest,
    targets: Option<&[Target]>,
    session: &Session,
) -> ResolutionInputs {
    let mut options = policy::shaping(settled);
    options.extend(policy::of_packages(session));
    options.extend(wishes(request));
    ResolutionInputs {
        inputs: records(inputs, session),
        targets: targets.map(|targets| targets.iter().map(|target| target.label().to_owned()).collect()),
        options,
        environments: targets.map(<[Target]>::to_vec).unwrap_or_default(),
    }
}

/// What the request asks of the inputs: an option that is not set is not compared.
fn wishes(request: &InputRequest) -> Vec<CurrentOption> {
    let mut options = Vec::new();
    let mut put = |name: &str, values: Vec<String>| {
        if !values.is_empty() {
            options.push(CurrentOption { name: name.to_owned(), values });
        }
    };
    put("constraint", request.constraints.clone());
    put("override", request.overrides.clone());
    match &request.extras {
        Extras::All => put("all-extras", vec![String::new()]),
        Extras::Named(extras) => put("extra", extras.iter().map(ToString::to_string).collect()),
    }
    put("group", request.groups.iter().map(ToString::to_string).collect());
    options
}

/// A record a file: the inputs as named, then the files that they refer to, by name.
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

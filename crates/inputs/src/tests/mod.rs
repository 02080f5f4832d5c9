//! Tests of reading whole inputs, over files in memory.

mod edits;
mod errors;
mod project_errors;
mod projects;
mod properties;
mod requirements;

use super::*;

/// Files in memory, and variables.
#[derive(Default)]
struct Memory {
    files: Vec<(String, String)>,
    variables: Vec<(String, String)>,
}

impl Memory {
    fn new(files: &[(&str, &str)]) -> Self {
        Self { files: owned(files), variables: Vec::new() }
    }

    fn with_variables(mut self, variables: &[(&str, &str)]) -> Self {
        self.variables = owned(variables);
        self
    }
}

fn owned(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
}

impl InputFiles for Memory {
    fn read(&self, path: &str) -> Result<String, String> {
        let found = self.files.iter().find(|(name, _)| name == path);
        found.map(|(_, text)| text.clone()).ok_or_else(|| "no such file".to_owned())
    }

    fn variable(&self, name: &str) -> Option<String> {
        self.variables.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
    }
}

/// A request for the first of `files`.
fn request(input: &str) -> InputRequest {
    InputRequest { inputs: vec![input.to_owned()], ..InputRequest::default() }
}

/// What `text` as a requirements.in says.
fn read_text(text: &str) -> Inputs {
    read(&request("requirements.in"), &Memory::new(&[("requirements.in", text)])).unwrap()
}

fn name(text: &str) -> ExtraName {
    ExtraName::new(text).unwrap()
}

/// An error as the terminal shows it.
fn shown(error: &Error) -> String {
    let mut shown = format!("{}\n", error.message);
    for line in &error.details {
        shown.push_str(&format!("{line}\n"));
    }
    for hint in &error.hints {
        shown.push_str(&format!("hint: {hint}\n"));
    }
    shown
}

/// Each line as `FILE:LINE:COLUMN TEXT`.
fn places(lines: &[InputLine]) -> Vec<String> {
    lines.iter().map(|line| format!("{}:{} {}", line.at, line.at.column, line.text)).collect()
}

fn error_of(request: &InputRequest, files: &Memory) -> String {
    let error = read(request, files).unwrap_err();
    assert_eq!(error.kind, pinfast_base::error::ErrorKind::Usage);
    shown(&error)
}

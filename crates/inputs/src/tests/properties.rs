//! Whatever the text, reading it ends, and tells only true places.

use proptest::prelude::*;

use super::*;
use crate::edit::{remove_requirement, replace_requirement};
use crate::source::InputText;

fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

/// Pieces of which requirements files are made, so that a random text is often nearly one.
const PIECES: &[&str] = &[
    "foo",
    "Bar_2",
    "==",
    ">=",
    "=",
    "~",
    "^",
    "1.0",
    "2.*",
    ",",
    ";",
    " ",
    "\t",
    "\n",
    "\r\n",
    "\\\n",
    "\\",
    "#",
    " # ",
    "[",
    "a]",
    "@",
    "https://u:p@x.example/a-1-py3-none-any.whl",
    "git+https://x.example/",
    "./x",
    "python_version",
    "<",
    "'3'",
    "\"",
    "'",
    " and ",
    "or",
    "(",
    ")",
    "${TOKEN}",
    "${NONE}",
    "-r ",
    "other.in",
    "requirements.in",
    "-c ",
    "--hash=sha256:",
    "--pre",
    " --no-binary ",
    ":all:",
    "-i ",
    "-e ",
    "é",
    "日本",
    "\u{feff}",
    "\u{85}",
    "\u{2028}",
    "\u{0}",
];

fn pieces() -> impl Strategy<Value = String> {
    prop::collection::vec(prop_oneof![4 => prop::sample::select(PIECES).prop_map(str::to_owned), 1 => any::<char>().prop_map(String::from)], 0..40)
        .prop_map(|pieces| pieces.concat())
}

/// Lines that are mostly requirements.
fn lines() -> impl Strategy<Value = String> {
    let line = prop::sample::select(&[
        "foo==1.0",
        "  bar >= 2 # note",
        "baz[x] ; os_name == 'nt'",
        "qux \\\n  <3",
        "# only",
        "",
        "--pre",
        "\tq==1",
        "a @ https://u:p@x.example/a-1-py3-none-any.whl",
        "b==${TOKEN}",
    ]);
    let end = prop::sample::select(&["\n", "\r\n", "\r"]);
    (any::<bool>(), prop::collection::vec((line, end), 0..12)).prop_map(|(bom, lines)| {
        let text: String = lines.into_iter().map(|(line, end)| format!("{line}{end}")).collect();
        format!("{}{text}", if bom { "\u{feff}" } else { "" })
    })
}

fn files(name: &str, text: &str) -> Memory {
    Memory::new(&[(name, text), ("other.in", "other")]).with_variables(&[("TOKEN", "1.5")])
}

/// Each requirement read of the file stands where it says.
fn check_places(name: &str, text: &str, inputs: &Inputs) -> Result<(), TestCaseError> {
    let source = InputText::new(name, text.to_owned());
    for line in inputs.requirements.iter().filter(|line| &*line.at.file == name) {
        let offset = source.offset(&line.at).expect("the place is in the text");
        prop_assert!(text[offset..].chars().next() == line.text.chars().next());
        prop_assert_eq!(&source.location(offset), &line.at);
        let same = replace_requirement(text, &line.at, &line.text, "changed");
        prop_assert!(same.is_ok(), "{:?}", same);
        prop_assert!(remove_requirement(text, &line.at, &line.text).is_ok());
        prop_assert!(!line.normalized().contains("x.example"));
    }
    Ok(())
}

proptest! {
    #![proptest_config(cases(2_000))]

    #[test]
    fn almost_requirements_never_panic(text in pieces()) {
        let result = read(&request("requirements.in"), &files("requirements.in", &text));
        match result {
            Ok(inputs) => check_places("requirements.in", &text, &inputs)?,
            Err(error) => prop_assert!(error.details.iter().chain([&error.message]).all(|line| !line.contains("u:p@"))),
        }
    }

    #[test]
    fn good_lines_are_read_with_their_places(text in lines()) {
        let inputs = read(&request("requirements.in"), &files("requirements.in", &text)).unwrap();
        check_places("requirements.in", &text, &inputs)?;
    }
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn arbitrary_text_never_panics(text in any::<String>()) {
        let _ = read(&request("requirements.in"), &files("requirements.in", &text));
        let _ = read(&request("pyproject.toml"), &files("pyproject.toml", &text));
    }

    #[test]
    fn arbitrary_strings_of_a_project_never_panic(entries in prop::collection::vec(pieces(), 0..5)) {
        let list: Vec<_> = entries.iter().map(|entry| toml_edit::Value::from(entry.as_str()).to_string()).collect();
        let text = format!("[project]\nname = 'foo'\ndependencies = [\n{}\n]\n", list.join(",\n"));
        if let Ok(inputs) = read(&request("pyproject.toml"), &files("pyproject.toml", &text)) {
            for line in &inputs.requirements {
                let made = replace_requirement(&text, &line.at, &line.text, "changed ; os_name == 'x'");
                prop_assert!(made.is_ok(), "{:?}", made);
                let removed = remove_requirement(&text, &line.at, &line.text).unwrap();
                prop_assert!(read(&request("pyproject.toml"), &files("pyproject.toml", &removed)).is_ok(), "{}", removed);
            }
        }
    }
}

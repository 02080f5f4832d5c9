//! pyproject.toml: what is read of it.

use super::*;

const PROJECT: &str = r#"[project]
name = "My.App"
requires-python = ">=3.10"
dependencies = [
  "foo >= 1",  # the one
  'bar; python_version < "3.12"',
  "my-app[fast]", "last\u002Dword",
]

[project.optional-dependencies]
Fast_Path = ["quick"]
fast = ["my_app[fast-path]; os_name == 'nt'", "my-app[fast]", "swift ; python_version < '3.11'"]
docs = ["words"]

[dependency-groups]
lint = ["tidy"]
dev = ["hot", { include-group = "lint" }, {include-group = "Test"}, "my-app[docs]"]
test = ["probe", { include-group = "lint" }]

[tool.pinfast]
python-version = 3
"#;

fn project(request: InputRequest) -> Inputs {
    read(&request, &Memory::new(&[("app/pyproject.toml", PROJECT)])).unwrap()
}

fn sorted(lines: &[InputLine]) -> Vec<String> {
    let mut texts: Vec<_> = lines.iter().map(|line| line.requirement.to_string()).collect();
    texts.sort();
    texts
}

#[test]
fn each_dependency_has_its_place() {
    let inputs = project(request("app/pyproject.toml"));
    assert_eq!(
        places(&inputs.requirements),
        [
            "app/pyproject.toml:5:4 foo >= 1",
            "app/pyproject.toml:6:4 bar; python_version < \"3.12\"",
            "app/pyproject.toml:7:20 last-word",
            "app/pyproject.toml:12:64 swift ; python_version < '3.11'",
            "app/pyproject.toml:11:15 quick",
        ]
    );
    assert_eq!(inputs.requires_python.unwrap().to_string(), ">=3.10");
}

#[test]
fn extras_refer_to_one_another_under_their_markers() {
    let inputs = project(request("app/pyproject.toml"));
    assert!(sorted(&inputs.requirements).contains(&"quick ; os_name == 'nt'".to_owned()));
}

#[test]
fn only_selected_extras_are_read() {
    let named = InputRequest { extras: Extras::Named(vec![name("docs")]), ..request("app/pyproject.toml") };
    let all = InputRequest { extras: Extras::All, ..request("app/pyproject.toml") };
    let names = |request| {
        let mut names: Vec<_> =
            project(request).requirements.iter().map(|line| line.requirement.name.to_string()).collect();
        names.sort();
        names
    };
    assert_eq!(names(named), ["bar", "foo", "last-word", "quick", "swift", "words"]);
    assert_eq!(names(all), ["bar", "foo", "last-word", "quick", "quick", "swift", "words"]);
}

#[test]
fn groups_include_groups_each_once() {
    let request = InputRequest { groups: vec![name("DEV")], ..request("app/pyproject.toml") };
    let texts = sorted(&project(request).requirements);
    for wanted in ["hot", "tidy", "probe", "words"] {
        assert_eq!(texts.iter().filter(|text| *text == wanted).count(), 1, "{wanted}");
    }
}

#[test]
fn selected_groups_need_no_project_table() {
    let files = Memory::new(&[("pyproject.toml", "[dependency-groups]\ndev = ['hot']\n")]);
    let with = InputRequest { groups: vec![name("dev")], ..request("pyproject.toml") };
    assert_eq!(places(&read(&with, &files).unwrap().requirements), ["pyproject.toml:2:9 hot"]);
    assert!(read(&request("pyproject.toml"), &files).is_err());
}

#[test]
fn two_projects_must_both_agree_on_python() {
    let files = Memory::new(&[
        (
            "a/pyproject.toml",
            "[project]\nrequires-python = '>=3.10'\n[project.optional-dependencies]\nx = ['y']",
        ),
        ("b/pyproject.toml", "[project]\nrequires-python = '<3.14'\n"),
    ]);
    let request = InputRequest {
        inputs: vec!["a/pyproject.toml".into(), "b/pyproject.toml".into()],
        extras: Extras::Named(vec![name("x")]),
        ..InputRequest::default()
    };
    let python = read(&request, &files).unwrap().requires_python.unwrap();
    for (version, yes) in [("3.9", false), ("3.10", true), ("3.14", false)] {
        assert_eq!(python.contains(&version.parse().unwrap()), yes, "{version}");
    }
}

#[test]
fn a_long_chain_of_extras_stops_at_the_limit() {
    let mut text = String::from("[project]\nname = 'a'\n[project.optional-dependencies]\n");
    for i in 0..200 {
        text.push_str(&format!("e{i} = ['a[e{}]', 'a[e{}] ; python_version > \"3.{i}\"']\n", i + 1, i + 1));
    }
    text.push_str("e200 = ['end']\n");
    let all = InputRequest { extras: Extras::All, ..request("pyproject.toml") };
    let error = read(&all, &Memory::new(&[("pyproject.toml", &text)])).unwrap_err();
    assert!(error.message.ends_with("the extras include one another in too many ways"), "{error}");
}

#[test]
fn uv_sources_give_a_warning() {
    let text = "[project]\ndependencies = ['Foo_Bar']\n[tool.uv.sources]\nfoo-bar = { path = 'x' }\nother = { path = 'y' }\n";
    let inputs = read(&request("pyproject.toml"), &Memory::new(&[("pyproject.toml", text)])).unwrap();
    assert_eq!(
        inputs.warnings,
        ["pyproject.toml:2: `[tool.uv.sources]` is read by uv alone: `foo-bar` comes from the index"]
    );
}

//! What is said of a `pyproject.toml` that cannot be read.

use insta::assert_snapshot;

use super::*;

/// The error that `text` as a pyproject.toml gives.
fn project_error(text: &str) -> String {
    error_of(&request("pyproject.toml"), &Memory::new(&[("pyproject.toml", text)]))
}

#[test]
fn a_wrong_project_is_an_error_at_its_place() {
    assert_snapshot!(project_error("[project]\nname = \"me\"\ndependencies = [\n  \"foo>=1\",\n  'bar=1',\n  'baz ; extra == \"x',\n  7,\n]\n"), @r#"
    pyproject.toml:5:7: `=` is not a comparison
    5 |   'bar=1',
      |       ^
      = write `bar==1`

    pyproject.toml:6:19: this `"` is not closed
    6 |   'baz ; extra == "x',
      |                   ^

    pyproject.toml:7:3: expected a requirement
    7 |   7,
      |   ^
    "#);
    assert_snapshot!(project_error("[project\nname = 1"), @"
    pyproject.toml:1:9: not valid TOML: unclosed table, expected `]`
    1 | [project
      |         ^
    ");
    assert_snapshot!(project_error("[tool.poetry.dependencies]\nfoo = \"^1\"\n"), @"
    pyproject.toml:1:1: there is no `[project]` table
    1 | [tool.poetry.dependencies]
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^
    hint: `[tool.poetry.dependencies]` is read by Poetry alone: list them as `dependencies` under `[project]`, which Poetry 2 reads too
    ");
    assert_snapshot!(project_error("[build-system]\n"), @"
    pyproject.toml has no `[project]` table
    hint: add one with `name`, `version` and `dependencies`, or list what is needed in a requirements.in
    ");
    assert_snapshot!(project_error("[project]\ndynamic = [\"version\", \"dependencies\"]\n"), @r#"
    pyproject.toml:2:23: the dependencies are `dynamic`: only the build backend knows them
    2 | dynamic = ["version", "dependencies"]
      |                       ^^^^^^^^^^^^^^
    hint: list them under `[project]` and take `dependencies` out of `dynamic`
    "#);
    assert_snapshot!(project_error("[project]\ndynamic = [\"dependencies\"]\n[tool.setuptools.dynamic]\ndependencies = { file = [\"requirements.in\"] }\n"), @r#"
    pyproject.toml:2:12: the dependencies are `dynamic`: only the build backend knows them
    2 | dynamic = ["dependencies"]
      |            ^^^^^^^^^^^^^^
    hint: lock the file that they come from: `pinfast lock requirements.in`
    "#);
    assert_snapshot!(project_error("[project]\nrequires-python = \"3.11\"\n"), @r#"
    pyproject.toml:2:20: expected `==`, `!=`, `~=`, `<=`, `>=`, `<`, `>` or `===` before `3.11`
    2 | requires-python = "3.11"
      |                    ^
    hint: write the lowest version that works, such as `>=3.11`
    "#);
    assert_snapshot!(project_error("[project]\nrequires-python = \">=3.11, <4.x\"\n"), @r#"
    pyproject.toml:2:29: `4.x` is not a version such as `1.2.3`
    2 | requires-python = ">=3.11, <4.x"
      |                             ^
    hint: write the lowest version that works, such as `>=3.11`
    "#);
    assert_snapshot!(project_error("[project.dependencies]\nfoo = \"1\"\n"), @r#"
    pyproject.toml:1:1: `project.dependencies` must be a list of strings
    1 | [project.dependencies]
      | ^^^^^^^^^^^^^^^^^^^^^^
    hint: write it as a list: `dependencies = ["NAME>=VERSION"]`
    "#);
    assert_snapshot!(project_error("[project]\nname = \"me\"\ndependencies = [\"me[tset]\"]\n[project.optional-dependencies]\ndocs = []\ntest = []\n"), @r#"
    pyproject.toml:3:18: the project has no extra `tset`
    3 | dependencies = ["me[tset]"]
      |                  ^^^^^^^^
    hint: the extras are `test`, `docs`
    "#);
    assert_snapshot!(project_error("[project]\n[project.optional-dependencies]\nA_b = []\na-b = []\n"), @"
    pyproject.toml:4:7: `a-b` is here twice: names that differ in case, `-`, `_` or `.` are one
    4 | a-b = []
      |       ^^
    ");
}

#[test]
fn undeclared_extras_and_groups_are_errors() {
    let text = "[project]\nname = \"me\"\n[project.optional-dependencies]\ndocs = []\ntest = []\n[dependency-groups]\ndev = [{ include-group = \"lint\" }]\nlint = [\"foo\", { include-group = \"dev\" }]\nodd = [{ include-group = \"dve\" }, { other = 1 }, 3]\n";
    let files = Memory::new(&[("pyproject.toml", text), ("requirements.in", "foo")]);
    let with = |extras: &[&str], groups: &[&str]| InputRequest {
        extras: Extras::Named(extras.iter().map(|extra| name(extra)).collect()),
        groups: groups.iter().map(|group| name(group)).collect(),
        ..request("pyproject.toml")
    };
    assert_snapshot!(error_of(&with(&["tests", "nope"], &["deb"]), &files), @"
    there is no extra `tests`
      = the extras are `test`, `docs`

    there is no extra `nope`
      = the extras are `docs`, `test`

    there is no dependency group `deb`
      = the groups are `dev`, `odd`, `lint`
    ");
    assert_snapshot!(error_of(&with(&[], &["dev"]), &files), @r#"
    pyproject.toml:8:34: the group `dev` includes itself: dev -> lint -> dev
    8 | lint = ["foo", { include-group = "dev" }]
      |                                  ^^^^^
    "#);
    assert_snapshot!(error_of(&with(&[], &["odd"]), &files), @r#"
    pyproject.toml:9:26: there is no dependency group `dve`
    9 | odd = [{ include-group = "dve" }, { other = 1 }, 3]
      |                          ^^^^^
      = the groups are `dev`, `odd`, `lint`

    pyproject.toml:9:35: expected a requirement or `{ include-group = "NAME" }`
    9 | odd = [{ include-group = "dve" }, { other = 1 }, 3]
      |                                   ^^^^^^^^^^^^^

    pyproject.toml:9:50: expected a requirement or `{ include-group = "NAME" }`
    9 | odd = [{ include-group = "dve" }, { other = 1 }, 3]
      |                                                  ^
    "#);
    let none = InputRequest { extras: Extras::All, ..request("requirements.in") };
    assert_snapshot!(error_of(&none, &files), @"
    `--all-extras` means nothing without a pyproject.toml among the inputs
    hint: name the pyproject.toml that has it
    ");
}

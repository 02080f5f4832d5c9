//! The texts of errors, as a person reads them.

use insta::assert_snapshot;

use super::*;

/// The error that `text` as a requirements.in gives.
fn error(text: &str) -> String {
    error_of(&request("requirements.in"), &Memory::new(&[("requirements.in", text)]))
}

#[test]
fn a_single_equals_sign_suggests_two() {
    assert_snapshot!(error("foo=1.0"), @"
    requirements.in:1:4: `=` is not a comparison
    1 | foo=1.0
      |    ^
    hint: write `foo==1.0`
    ");
    assert_snapshot!(error("foo=1.0=py39_0"), @"
    requirements.in:1:4: `name=version=build` is conda's form
    1 | foo=1.0=py39_0
      |    ^
    hint: write `foo==1.0`
    ");
    assert_snapshot!(error("foo = \"^1.0\""), @r#"
    requirements.in:1:5: this is a line of a TOML file
    1 | foo = "^1.0"
      |     ^
    hint: write `foo>=1.0,<2`
    "#);
    assert_snapshot!(error("foo >= 1, = 2"), @"
    requirements.in:1:11: `=` is not a comparison
    1 | foo >= 1, = 2
      |           ^
    hint: write `foo >= 1, == 2`
    ");
}

#[test]
fn a_reversed_operator_suggests_the_right_one() {
    assert_snapshot!(error("foo => 1"), @"
    requirements.in:1:5: `=>` is not a comparison
    1 | foo => 1
      |     ^^
    hint: write `foo >= 1`
    ");
    assert_snapshot!(error("foo=<2"), @"
    requirements.in:1:4: `=<` is not a comparison
    1 | foo=<2
      |    ^^
    hint: write `foo<=2`
    ");
    assert_snapshot!(error("foo <> 2"), @"
    requirements.in:1:5: `<>` is not a comparison
    1 | foo <> 2
      |     ^^
    hint: write `foo != 2`
    ");
    assert_snapshot!(error("foo >= 1 <2"), @"
    requirements.in:1:10: expected a comma between two comparisons
    1 | foo >= 1 <2
      |          ^
    hint: write `foo >= 1,<2`
    ");
    assert_snapshot!(error("foo > = 1"), @"
    requirements.in:1:5: a comparison has no spaces inside
    1 | foo > = 1
      |     ^^^
    hint: write `foo >= 1`
    ");
}

#[test]
fn a_missing_version_is_expected_behind_its_operator() {
    assert_snapshot!(error("foo >= # soon"), @"
    requirements.in:1:7: expected a version after `>=`
    1 | foo >= # soon
      |       ^
    ");
    assert_snapshot!(error("foo>=1.0, =="), @"
    requirements.in:1:13: expected a version after `==`
    1 | foo>=1.0, ==
      |             ^
    ");
    assert_snapshot!(error("foo 1.0"), @"
    requirements.in:1:5: expected a comparison, such as `==`, before the version
    1 | foo 1.0
      |     ^^^
    hint: write `foo ==1.0`
    ");
    assert_snapshot!(error("foo@1.0"), @"
    requirements.in:1:4: expected a URL after `@`
    1 | foo@1.0
      |    ^
    hint: write `foo==1.0`
    ");
}

#[test]
fn a_word_in_place_of_a_version_is_an_error() {
    assert_snapshot!(error("foo==latest"), @"
    requirements.in:1:6: `latest` is not a version
    1 | foo==latest
      |      ^^^^^^
    hint: write `foo`
    ");
    assert_snapshot!(error("foo>=1.*"), @"
    requirements.in:1:6: `>=` takes no `.*`
    1 | foo>=1.*
      |      ^^^
    hint: write `foo>=1`
    hint: or, for any 1, write `foo==1.*`
    ");
    assert_snapshot!(error("foo==1.x"), @"
    requirements.in:1:6: `1.x` is not a version
    1 | foo==1.x
      |      ^^^
    hint: write `foo==1.*`
    ");
    assert_snapshot!(error("foo==\"1.0\""), @r#"
    requirements.in:1:6: a version takes no quotes
    1 | foo=="1.0"
      |      ^^^^^
    hint: write `foo==1.0`
    "#);
    assert_snapshot!(error("foo==1.0.0-final-thing"), @"
    requirements.in:1:6: `1.0.0-final-thing` is not a version such as `1.2.3`
    1 | foo==1.0.0-final-thing
      |      ^^^^^^^^^^^^^^^^^
    ");
}

#[test]
fn operators_of_poetry_suggest_a_range() {
    assert_snapshot!(error("foo^1.2.3"), @"
    requirements.in:1:4: `^` is Poetry's, not a comparison here
    1 | foo^1.2.3
      |    ^
    hint: write `foo>=1.2.3,<2`
    ");
    assert_snapshot!(error("foo ~1.2"), @"
    requirements.in:1:5: `~` is Poetry's, not a comparison here
    1 | foo ~1.2
      |     ^
    hint: write `foo >=1.2,<1.3`
    ");
    assert_snapshot!(error("foo ^0.0.3 ; os_name == \"nt\""), @r#"
    requirements.in:1:5: `^` is Poetry's, not a comparison here
    1 | foo ^0.0.3 ; os_name == "nt"
      |     ^
    hint: write `foo >=0.0.3,<0.0.4 ; os_name == "nt"`
    "#);
    assert_snapshot!(error("foo ^1.a"), @"
    requirements.in:1:5: `^` is Poetry's, not a comparison here
    1 | foo ^1.a
      |     ^
    hint: write the bounds: `>=LOWER,<UPPER`
    ");
}

#[test]
fn two_requirements_on_a_line_are_an_error() {
    assert_snapshot!(error("foo==1.0 bar"), @"
    requirements.in:1:10: `bar` does not belong to this requirement
    1 | foo==1.0 bar
      |          ^^^
    hint: write one requirement a line
    ");
    assert_snapshot!(error("foo bar"), @"
    requirements.in:1:5: `bar` does not belong to this requirement
    1 | foo bar
      |     ^^^
    hint: write one requirement a line
    ");
    assert_snapshot!(error("foo, bar"), @"
    requirements.in:1:4: this comma stands between two requirements
    1 | foo, bar
      |    ^
    hint: write one requirement a line
    ");
    assert_snapshot!(error("foo==1.0, bar==2"), @"
    requirements.in:1:9: this comma stands between two requirements
    1 | foo==1.0, bar==2
      |         ^
    hint: write one requirement a line
    ");
    assert_snapshot!(error("foo==1.0#comment"), @"
    requirements.in:1:9: a comment needs a space before its `#`
    1 | foo==1.0#comment
      |         ^
    hint: write `foo==1.0 #comment`
    ");
}

#[test]
fn a_wrong_marker_is_an_error_at_its_place() {
    assert_snapshot!(error("foo; python_version < 3"), @"
    requirements.in:1:23: expected quotes around `3`
    1 | foo; python_version < 3
      |                       ^
    hint: write `foo; python_version < '3'`
    ");
    assert_snapshot!(error("foo; sys_platform = \"win32\""), @r#"
    requirements.in:1:19: `=` is not a comparison
    1 | foo; sys_platform = "win32"
      |                   ^
    hint: write `foo; sys_platform == "win32"`
    "#);
    assert_snapshot!(error("foo; python-version<\"3\""), @r#"
    requirements.in:1:6: `python-version` is not a marker
    1 | foo; python-version<"3"
      |      ^^^^^^^^^^^^^^
    hint: did you mean `python_version`?
    "#);
    assert_snapshot!(error("foo==1.0 python_version<\"3\""), @r#"
    requirements.in:1:10: expected a `;` before the marker
    1 | foo==1.0 python_version<"3"
      |          ^^^^^^^^^^^^^^
    hint: write `foo==1.0 ; python_version<"3"`
    "#);
    assert_snapshot!(error("foo;"), @"
    requirements.in:1:4: expected a marker after `;`
    1 | foo;
      |    ^
    ");
    assert_snapshot!(error("foo; os_name == nt"), @"
    requirements.in:1:17: expected quotes around `nt`
    1 | foo; os_name == nt
      |                 ^^
    hint: write `foo; os_name == 'nt'`
    ");
    assert_snapshot!(error("foo; os_name == 'nt"), @"
    requirements.in:1:17: this `'` is not closed
    1 | foo; os_name == 'nt
      |                 ^
    ");
    assert_snapshot!(error("foo; os_name == 'nt' && extra == 'a'"), @"
    requirements.in:1:22: `&&` joins no markers
    1 | foo; os_name == 'nt' && extra == 'a'
      |                      ^^
    hint: write `foo; os_name == 'nt' and extra == 'a'`
    ");
    assert_snapshot!(error("foo; os_name == “nt”"), @r#"
    requirements.in:1:17: `“` is no quote here
    1 | foo; os_name == “nt”
      |                 ^
    hint: use `'` or `"`
    "#);
    assert_snapshot!(error("foo; os_name 'nt'"), @"
    requirements.in:1:14: expected `==`, `!=`, `<`, `<=`, `>`, `>=`, `~=`, `in` or `not in`, found `'nt'`
    1 | foo; os_name 'nt'
      |              ^^^^
    ");
}

#[test]
fn quotes_commands_and_sections_are_no_requirements() {
    assert_snapshot!(error("\"foo>=1\","), @r#"
    requirements.in:1:1: a requirement takes no quotes
    1 | "foo>=1",
      | ^
    hint: write `foo>=1`
    "#);
    assert_snapshot!(error("pip install foo"), @"
    requirements.in:1:1: this is a command, not a requirement
    1 | pip install foo
      | ^^^^^^^^^^^
    hint: write `foo`
    ");
    assert_snapshot!(error("[packages]"), @"
    requirements.in:1:1: a requirements file has no sections
    1 | [packages]
      | ^^^^^^^^^^
    ");
    assert_snapshot!(error("- foo"), @"
    requirements.in:1:1: this is no option of a requirements file
    1 | - foo
      | ^
    hint: write one requirement a line, with nothing before it
    ");
}

#[test]
fn an_unlockable_requirement_hints_at_an_alternative() {
    assert_snapshot!(error("-e ."), @"
    requirements.in:1:1: an editable install cannot be locked: its files have no hash
    1 | -e .
      | ^^^^
    hint: for the dependencies of the project itself, give its pyproject.toml as an input; install the project apart with `pip install --no-deps -e .`
    ");
    assert_snapshot!(error("-e git+https://git.example/foo.git#egg=foo"), @"
    requirements.in:1:1: a version control checkout cannot be locked: it is no file with a hash
    1 | -e git+https://git.example/foo.git#egg=foo
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    hint: require a released version, or build its wheel once and write `name @ https://…/NAME-VERSION-py3-none-any.whl`
    ");
    assert_snapshot!(error("./libs/foo"), @"
    requirements.in:1:1: a path cannot be locked: it is found on this machine only
    1 | ./libs/foo
      | ^^^^^^^^^^
    hint: put its wheel into a folder, name the folder with `--find-links`, and write `name==VERSION`
    hint: for the dependencies of a project, give its pyproject.toml as an input
    ");
    assert_snapshot!(error("git+https://me:secret@git.example/foo.git"), @"
    requirements.in:1:1: a version control checkout cannot be locked: it is no file with a hash
    1 | git+https://****@git.example/foo.git
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    hint: require a released version, or build its wheel once and write `name @ https://…/NAME-VERSION-py3-none-any.whl`
    ");
    assert_snapshot!(error("foo @ git+ssh://git@git.example/foo.git"), @"
    requirements.in:1:7: a version control checkout cannot be locked: it is no file with a hash
    1 | foo @ git+ssh://****@git.example/foo.git
      |       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    hint: require a released version, or build its wheel once and write `name @ https://…/NAME-VERSION-py3-none-any.whl`
    ");
    assert_snapshot!(error("https://files.example/foo-1.0-py3-none-any.whl"), @"
    requirements.in:1:1: this URL lacks the name of the package
    1 | https://files.example/foo-1.0-py3-none-any.whl
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    hint: write `foo @ https://files.example/foo-1.0-py3-none-any.whl`
    ");
    assert_snapshot!(error("foo @ file:///srv/foo-1.0-py3-none-any.whl"), @"
    requirements.in:1:7: a `file:` URL cannot be locked: it is found on this machine only
    1 | foo @ file:///srv/foo-1.0-py3-none-any.whl
      |       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    hint: put its wheel into a folder, name the folder with `--find-links`, and write `name==VERSION`
    ");
    assert_snapshot!(error("foo @ ftp://files.example/foo.zip"), @"
    requirements.in:1:7: only http and https URLs can be locked
    1 | foo @ ftp://files.example/foo.zip
      |       ^^^^^^^^^^^^^^^^^^^^^^^^^^^
    hint: use an https URL
    ");
}

#[test]
fn a_wrong_option_is_an_error_at_its_place() {
    assert_snapshot!(error("--per"), @"
    requirements.in:1:1: this is no option of a requirements file
    1 | --per
      | ^^^^^
    hint: did you mean `--pre`?
    ");
    assert_snapshot!(error("--index https://index.example/simple"), @"
    requirements.in:1:1: this is no option of a requirements file
    1 | --index https://index.example/simple
      | ^^^^^^^
    hint: did you mean `--index-url`?
    ");
    assert_snapshot!(error("-r"), @"
    requirements.in:1:3: expected a file after `-r`
    1 | -r
      |   ^
    ");
    assert_snapshot!(error("--pre foo"), @"
    requirements.in:1:7: expected an option
    1 | --pre foo
      |       ^^^
    hint: write one requirement a line, and quote a value that holds spaces
    ");
    assert_snapshot!(error("--only-binary foo,b@r"), @"
    requirements.in:1:19: `b@r` is not a name, `:all:` or `:none:`
    1 | --only-binary foo,b@r
      |                   ^^^
    ");
    assert_snapshot!(error("foo --pre"), @"
    requirements.in:1:5: `--pre` does not belong behind a requirement
    1 | foo --pre
      |     ^^^^^
    hint: write it on a line of its own
    ");
    assert_snapshot!(error("-r https://files.example/base.in"), @"
    requirements.in:1:4: inputs are not read over the network
    1 | -r https://files.example/base.in
      |    ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    hint: download it and name the file, so that the same inputs always give the same lock
    ");
    assert_snapshot!(error("-r base.in"), @"
    requirements.in:1:4: cannot read base.in: no such file
    1 | -r base.in
      |    ^^^^^^^
    ");
    assert_snapshot!(error("foo --hash=md5:00"), @"
    requirements.in:1:12: this is no algorithm that can be trusted: use `sha256`
    1 | foo --hash=md5:00
      |            ^^^^^^
    ");
    assert_snapshot!(error("foo --hash=sha256:00"), @"
    requirements.in:1:12: a SHA-256 digest has 64 hexadecimal digits
    1 | foo --hash=sha256:00
      |            ^^^^^^^^^
    ");
    assert_snapshot!(error("--hash=sha256:00"), @"
    requirements.in:1:1: a hash belongs behind its requirement
    1 | --hash=sha256:00
      | ^^^^^^^^^^^^^^^^
    hint: end the line above with a backslash; a comment between them parts them
    ");
    assert_snapshot!(error("foo --hash=sha512:00"), @"
    requirements.in:1:12: only `sha256` hashes are checked, and this requirement has none
    1 | foo --hash=sha512:00
      |            ^^^^^^^^^
    hint: give the file's `sha256`, or leave the hash away: every locked file gets one
    ");
}

#[test]
fn a_backslash_before_white_space_is_an_error() {
    assert_snapshot!(error("foo==1.0 \\ \n  --hash=sha256:00"), @r#"
    requirements.in:1:10: a backslash continues a line only as its very last character
    1 | foo==1.0 \
      |          ^
      = take away what stands behind the backslash

    requirements.in:2:3: a hash belongs behind its requirement
    2 |   --hash=sha256:00
      |   ^^^^^^^^^^^^^^^^
      = end the line above with a backslash; a comment between them parts them
    "#);
}

#[test]
fn several_errors_are_shown_at_once() {
    assert_snapshot!(error("foo=1.0\nbar\n\tbaz => 1\n日本\n"), @"
    requirements.in:1:4: `=` is not a comparison
    1 | foo=1.0
      |    ^
      = write `foo==1.0`

    requirements.in:3:6: `=>` is not a comparison
    3 |     baz => 1
      |         ^^
      = write `baz >= 1`

    requirements.in:4:1: expected a package name, found `日`
    4 | 日本
      | ^^
    ");
    assert_snapshot!(error(&"a=1\n".repeat(12)), @"
    requirements.in:1:2: `=` is not a comparison
    1 | a=1
      |  ^
      = write `a==1`

    requirements.in:2:2: `=` is not a comparison
    2 | a=1
      |  ^
      = write `a==1`

    requirements.in:3:2: `=` is not a comparison
    3 | a=1
      |  ^
      = write `a==1`

    requirements.in:4:2: `=` is not a comparison
    4 | a=1
      |  ^
      = write `a==1`

    requirements.in:5:2: `=` is not a comparison
    5 | a=1
      |  ^
      = write `a==1`

    requirements.in:6:2: `=` is not a comparison
    6 | a=1
      |  ^
      = write `a==1`

    requirements.in:7:2: `=` is not a comparison
    7 | a=1
      |  ^
      = write `a==1`

    requirements.in:8:2: `=` is not a comparison
    8 | a=1
      |  ^
      = write `a==1`

    requirements.in:9:2: `=` is not a comparison
    9 | a=1
      |  ^
      = write `a==1`

    requirements.in:10:2: `=` is not a comparison
    10 | a=1
       |  ^
      = write `a==1`

    and 2 more
    ");
}

#[test]
fn a_file_that_includes_itself_is_an_error() {
    let files = Memory::new(&[("r/a.in", "-r b.in"), ("r/b.in", "foo\n  -c ../r/a.in # me")]);
    assert_snapshot!(error_of(&request("r/a.in"), &files), @"
    r/b.in:2:6: r/a.in includes itself: r/a.in -> r/b.in -> r/a.in
    2 |   -c ../r/a.in # me
      |      ^^^^^^^^^
    ");
}

#[test]
fn files_of_other_kinds_are_refused_with_a_hint() {
    let files = Memory::new(&[]);
    for name in ["missing.in", "setup.py", "uv.lock", "https://files.example/a.in", "pylock.toml"] {
        assert!(read(&request(name), &files).is_err(), "{name}");
    }
    assert_snapshot!(error_of(&request("missing.in"), &files), @"cannot read missing.in: no such file");
    assert_snapshot!(error_of(&request("setup.py"), &files), @"
    setup.py is not a requirements file
    hint: list what the project needs under `[project] dependencies` of a pyproject.toml, or in a requirements.in
    ");
    assert_snapshot!(error_of(&request("poetry.lock"), &files), @"
    poetry.lock is not a requirements file
    hint: name what it was made from: a pyproject.toml or a requirements.in
    ");
}

#[test]
fn no_error_shows_a_secret() {
    let files = Memory::new(&[(
        "requirements.in",
        "foo @ https://${USER}:${TOKEN}@files.example:x/\nfoo @ https://me:hunter2@files.example:x/\nhttps://me:hunter2@files.example/foo-1.whl\nhttps://${USER}:${TOKEN}@files.example/foo-1.whl\nfoo==${TOKEN}\n${TOKEN}",
    )])
    .with_variables(&[("USER", "me"), ("TOKEN", "hunter2!")]);
    let told = error_of(&request("requirements.in"), &files);
    assert!(!told.contains("hunter2"), "{told}");
    assert_snapshot!(told, @"
    requirements.in:1:7: with its variables filled in, this is no requirement
    1 | foo @ https://${USER}:${TOKEN}@files.example:x/
      |       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

    requirements.in:2:7: expected an absolute URL such as `https://…` or `file:///…` (invalid port number)
    2 | foo @ https://****@files.example:x/
      |       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

    requirements.in:3:1: this URL lacks the name of the package
    3 | https://****@files.example/foo-1.whl
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      = write `foo @ https://****@files.example/foo-1.whl`

    requirements.in:4:1: this URL lacks the name of the package
    4 | https://${USER}:${TOKEN}@files.example/foo-1.whl
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      = write `name @ URL`

    requirements.in:5:6: with its variables filled in, this is no requirement
    5 | foo==${TOKEN}
      |      ^^^^^^^^

    requirements.in:6:9: with its variables filled in, this is no requirement
    6 | ${TOKEN}
      |         ^
    ");
}

#[test]
fn long_lines_are_cut_around_the_caret() {
    assert_snapshot!(error(&format!("foo{} => 2", ">=1,".repeat(60))), @"
    requirements.in:1:245: `=>` is not a comparison
    1 | …=1,>=1,>=1,>=1,>=1,>=1,>=1,>=1,>=1,>=1,>=1,>=1,>=1,>=1,>=1, => 2
      |                                                              ^^
    hint: write `>=`
    ");
}

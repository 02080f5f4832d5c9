//! Changing one requirement and nothing else.

use crate::edit::{EditError, remove_requirement, replace_requirement};

use super::*;

fn at(file: &str, line: u32, column: u32) -> Location {
    Location::new(file, line, column)
}

#[test]
fn one_requirement_of_a_requirements_file_is_replaced() {
    for (text, line, column, old, new) in [
        ("foo==1\n", 1, 1, "foo==1", "NEW\n"),
        ("\u{feff}foo==1", 1, 1, "foo==1", "\u{feff}NEW"),
        ("a\r\n  foo==1  # why\r\nb\r\n", 2, 3, "foo==1", "a\r\n  NEW  # why\r\nb\r\n"),
        ("foo==1 \\\n  --hash=sha256:00\n", 1, 1, "foo==1", "NEW \\\n  --hash=sha256:00\n"),
        ("foo \\\n ==1 # why\n", 1, 1, "foo  ==1", "NEW # why\n"),
        ("# é\n\nfoo ; os_name == 'ä' #x\n", 3, 1, "foo ; os_name == 'ä'", "# é\n\nNEW #x\n"),
        ("f @ https://u:p@x.example/ # x", 1, 1, "f @ https://****@x.example/", "NEW # x"),
    ] {
        let made = replace_requirement(text, &at("r.in", line, column), old, "NEW");
        assert_eq!(made.as_deref(), Ok(new), "{text:?}");
    }
}

#[test]
fn one_requirement_of_a_project_is_replaced() {
    let project = |list: &str| format!("# é\n[project]\ndependencies = {list}\n# end");
    for (list, line, column, old, new, made) in [
        ("[\"foo==1\", \"b\"]", 3, 18, "foo==1", "foo==2", "[\"foo==2\", \"b\"]"),
        ("[\"foo==1\"]", 3, 18, "foo==1", "foo ; os_name == \"nt\"", "[\"foo ; os_name == \\\"nt\\\"\"]"),
        ("['foo==1']", 3, 18, "foo==1", "foo ; os_name == \"nt\"", "['foo ; os_name == \"nt\"']"),
        ("['foo==1']", 3, 18, "foo==1", "foo ; os_name == 'nt'", "[\"foo ; os_name == 'nt'\"]"),
        ("[\r\n\t' foo==1 ', # why\r\n]", 4, 4, "foo==1", "foo", "[\r\n\t' foo ', # why\r\n]"),
        ("[\"\"\"\n  foo==1\"\"\"]", 4, 3, "foo==1", "foo", "[\"\"\"\n  foo\"\"\"]"),
        ("[\"f\\u006fo\"]", 3, 18, "foo", "bar", "[\"bar\"]"),
    ] {
        let made_text = replace_requirement(&project(list), &at("a/pyproject.toml", line, column), old, new);
        assert_eq!(made_text, Ok(project(made)), "{list}");
    }
}

#[test]
fn one_requirement_is_removed() {
    for (text, line, column, old, made) in [
        ("a\nfoo==1 # why\nb\n", 2, 1, "foo==1", "a\nb\n"),
        ("\u{feff}foo==1\nb", 1, 1, "foo==1", "\u{feff}b"),
        ("a\nfoo==1 \\\n  --hash=sha256:00 \\\n  # via\nb", 2, 1, "foo==1", "a\nb"),
        ("foo", 1, 1, "foo", ""),
    ] {
        assert_eq!(remove_requirement(text, &at("r.in", line, column), old).as_deref(), Ok(made), "{text:?}");
    }
    let project = |list: &str| format!("[project]\ndependencies = {list}\n");
    for (list, line, column, made) in [
        ("['foo', 'b']", 2, 18, "['b']"),
        ("['b', 'foo']", 2, 23, "['b']"),
        ("['foo']", 2, 18, "[]"),
        ("['foo', ]", 2, 18, "[]"),
        ("[\n  'foo',\n  'b',\n]", 3, 4, "[\n  'b',\n]"),
        ("[\n  'b',\n  'foo' # why\n]", 4, 4, "[\n  'b',\n]"),
        ("[\n  'foo', # why\r\n  # of b\r\n  'b',\r\n]", 3, 4, "[\n  # of b\r\n  'b',\r\n]"),
        ("[ 'foo'\n, 'b'\n]", 2, 19, "[ 'b'\n]"),
        ("[ 'b'\n, 'foo'\n]", 3, 4, "[ 'b'\n\n]"),
    ] {
        let text = project(list);
        let removed = remove_requirement(&text, &at("pyproject.toml", line, column), "foo");
        assert_eq!(removed, Ok(project(made)), "{list}");
    }
}

#[test]
fn an_edit_of_a_missing_requirement_fails() {
    let place = at("r.in", 1, 1);
    let differs = EditError::Differs { at: place.clone(), found: "foo==2".into() };
    assert_eq!(replace_requirement("foo==2", &place, "foo==1", "x"), Err(differs));
    assert_eq!(replace_requirement("foo", &place, "foo", "x\ny"), Err(EditError::BadText));
    for (text, line, column) in [("foo", 2, 1), ("foo", 1, 2), ("", 1, 1), ("-r foo", 1, 1), ("foo", 0, 0)] {
        let place = at("r.in", line, column);
        assert_eq!(remove_requirement(text, &place, "foo"), Err(EditError::NotThere(place)), "{text:?}");
    }
    for text in ["[project", "[project]\nname = 'foo'", ""] {
        let place = at("pyproject.toml", 2, 9);
        assert_eq!(remove_requirement(text, &place, "foo"), Err(EditError::NotThere(place)), "{text:?}");
    }
}

#[test]
fn every_requirement_read_can_be_edited_where_it_stands() {
    let text = "\u{feff}a==1 # x\n  b ; os_name=='nt'\\\n  and extra == 'q' --hash=sha256:AA\nc\\\n>=1\n"
        .replace("AA", &"00".repeat(32));
    for line in read_text(&text).requirements {
        let made = replace_requirement(&text, &line.at, &line.text, "new").unwrap();
        let again = read_text(&made);
        assert!(again.requirements.iter().any(|other| other.at == line.at && &*other.text == "new"));
    }
}

use super::*;

fn section(text: &str) -> SettingsTable {
    SettingsTable::read("pinfast.toml", text.to_owned()).unwrap()
}

fn shown(error: &Error) -> Vec<&str> {
    let all = [&error.message].into_iter().chain(&error.details).chain(&error.hints);
    all.map(String::as_str).collect()
}

#[test]
fn an_error_shows_its_line_with_a_caret() {
    let mut wrong = section("\n\tresolution =  [\"ä\", 3]\n");
    let error = wrong.texts("resolution").unwrap_err();
    assert_eq!(
        shown(&error),
        [
            "pinfast.toml:2:22: `resolution` must be a string",
            "2 |     resolution =  [\"ä\", 3]",
            "  |                         ^"
        ]
    );
    let error = SettingsTable::read("a.toml", "x = [1\ny = 2".to_owned()).unwrap_err();
    assert!(error.message.starts_with("a.toml:"), "{}", error.message);
    assert_eq!(error.kind, pinfast_base::error::ErrorKind::Usage);
}

#[test]
fn a_key_that_nobody_reads_is_unknown() {
    for (text, hints) in [
        ("index_url = 'x'", "did you mean `index-url`?"),
        ("indx-url = 'x'", "did you mean `index-url`?"),
        ("color = 'x'", "the keys are index-url, no-index"),
    ] {
        let mut section = section(text);
        section.text("index-url").unwrap();
        section.flag("no-index").unwrap();
        let error = section.finish().unwrap_err();
        assert!(error.message.starts_with("pinfast.toml:1:1: unknown key"), "{}", error.message);
        assert_eq!(error.hints, [hints]);
    }
}

#[test]
fn a_value_of_another_type_is_an_error() {
    let mut all = section("t = 'a'\nl = ['a', 'b']\nf = true\nn = 1_000\nm = -1\n[s]\nx = 'y'\n");
    assert_eq!(all.text("t").unwrap().unwrap().value, "a");
    assert_eq!(all.texts("t").unwrap().len(), 1);
    assert_eq!(all.texts("l").unwrap()[1].value, "b");
    assert!(all.flag("f").unwrap().unwrap().value);
    assert_eq!(all.number("n").unwrap().unwrap().value, 1000);
    assert_eq!(all.text_table("s").unwrap()["x"].1.value, "y");
    assert_eq!(all.text("none").unwrap(), None);
    for key in ["f", "n", "m", "l", "s"] {
        assert!(all.text(key).is_err(), "{key}");
    }
    assert!(all.number("m").is_err() && all.flag("t").is_err() && all.table("t").is_err());
    all.finish().unwrap();
}

#[test]
fn an_error_masks_the_credentials_of_its_line() {
    let line = "urls = [3, 'https://me:s3cr@t@index.example/x@y', 'http://a.example']";
    let error = section(line).texts("urls").unwrap_err();
    let masked = "1 | urls = [3, 'https://****@index.example/x@y', 'http://a.example']";
    assert_eq!(error.details, [masked, "  |         ^"]);
}

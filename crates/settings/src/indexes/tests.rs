use std::fs;

use super::*;
use crate::{PipConfig, Settings, SettingsTable};
use pinfast_base::error::ErrorKind;
use pinfast_packaging::Location;

const NULL: &str = if cfg!(windows) { "nul" } else { "/dev/null" };

const INDEX_URL: Origin = Origin::Argument("--index-url");

/// An interpreter that must not be started.
fn never() -> Result<Option<String>> {
    panic!("the interpreter was started for nothing")
}

fn arguments(env: &ProcessEnv, url: &str) -> IndexOptions {
    IndexOptions { index_url: Some(IndexReference::new(url, INDEX_URL, env)), ..IndexOptions::default() }
}

fn file(kind: FileOptionKind, line: u32) -> FileOption {
    FileOption { kind, text: "".into(), at: Location::new("deps/requirements.in", line, 1) }
}

fn settings(text: &str) -> IndexOptions {
    Settings::of(SettingsTable::read("pinfast.toml", text.to_owned()).unwrap()).unwrap().index_options()
}

fn pip(env: &ProcessEnv) -> IndexOptions {
    PipConfig::read(env, "install", None).unwrap().index_options(env).unwrap()
}

fn index_of(sources: &[IndexOptions], env: &ProcessEnv, built_in: Option<&str>) -> String {
    let interpreter = || Ok(Some("https://pip.example/simple".to_owned()));
    choose_indexes(sources, env, built_in, interpreter).unwrap().index.unwrap().to_string()
}

#[test]
fn the_strongest_source_that_names_an_index_wins() {
    let folder = tempfile::tempdir().unwrap();
    let env = ProcessEnv::empty(folder.path())
        .with("PIP_CONFIG_FILE", NULL)
        .with("PIP_INDEX_URL", "https://env.example/simple");
    let files = [
        FileOptionKind::IndexUrl("https://a.example".into()),
        FileOptionKind::IndexUrl("https://b.example".into()),
    ];
    let files: Vec<_> = files.into_iter().zip(3..).map(|(kind, line)| file(kind, line)).collect();
    let mut sources = vec![
        arguments(&env, "https://flag.example"),
        IndexOptions::of_files(&files, &env),
        settings("index-url = 'https://toml.example'"),
        pip(&env),
    ];
    let built_in = Some("https://built_in.example/simple");
    for expected in [
        "https://flag.example/ (--index-url)",
        "https://b.example/ (deps/requirements.in:4)",
        "https://toml.example/ (pinfast.toml:1)",
        "https://env.example/simple (PIP_INDEX_URL)",
    ] {
        assert_eq!(index_of(&sources, &env, built_in), expected);
        choose_indexes(&sources, &env, None, never).unwrap();
        sources.remove(0);
    }
    choose_indexes(&[], &env, built_in, never).unwrap();
    assert_eq!(
        index_of(&[], &env, built_in),
        "https://built_in.example/simple (PINFAST_DEFAULT_INDEX when pinfast was built)"
    );
    assert_eq!(index_of(&[], &env, None), "https://pip.example/simple (the interpreter's pip)");
}

#[test]
fn without_an_index_the_error_hints_how_to_name_one() {
    let env = ProcessEnv::empty("/");
    let error = choose_indexes(&[], &env, None, || Ok(None)).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Usage);
    assert!(error.hints[0].contains("--index-url"));
    let broken = choose_indexes(&[], &env, None, || Err(Error::no_answer("no interpreter"))).unwrap_err();
    assert_eq!(broken.message, "no interpreter");
}

#[test]
fn extra_indexes_and_links_of_all_sources_add_up_and_no_index_holds() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap();
    for name in ["deps/wheels", "wheels", "more"] {
        fs::create_dir_all(root.join(name)).unwrap();
    }
    fs::write(root.join("more/a-1.0.tar.gz"), "").unwrap();
    let env = ProcessEnv::empty(&root)
        .with("PIP_CONFIG_FILE", NULL)
        .with("PIP_EXTRA_INDEX_URL", "https://two.example https://one.example")
        .with("PIP_FIND_LINKS", "more wheels lost");
    let options = [
        FileOptionKind::ExtraIndexUrl("https://one.example".into()),
        FileOptionKind::FindLinks("wheels".into()),
    ];
    let options: Vec<_> = options.into_iter().zip(1..).map(|(kind, line)| file(kind, line)).collect();
    let mut sources =
        vec![arguments(&env, "https://index.example"), IndexOptions::of_files(&options, &env), pip(&env)];
    let choice = choose_indexes(&sources, &env, None, never).unwrap();
    let extra: Vec<_> = choice.extra.iter().map(ToString::to_string).collect();
    assert_eq!(
        extra,
        ["https://one.example/ (deps/requirements.in:1)", "https://two.example/ (PIP_EXTRA_INDEX_URL)"]
    );
    let links: Vec<_> = choice.find_links.iter().map(|links| links.url.to_file_path().unwrap()).collect();
    assert_eq!(links, [root.join("deps/wheels"), root.join("more")]);
    assert!(
        choice.details.iter().any(|detail| detail == "`lost` does not exist and is ignored (PIP_FIND_LINKS)")
    );
    assert!(choice.details.iter().any(|detail| detail.contains("is empty")));

    sources.push(settings("no-index = true"));
    let choice = choose_indexes(&sources, &env, None, never).unwrap();
    assert_eq!((choice.index, choice.extra.len(), choice.find_links.len()), (None, 0, 2));
    assert!(choice.details.iter().any(|detail| detail == "no index is used (pinfast.toml:1)"));
}

#[test]
fn an_index_is_a_url_or_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap();
    fs::create_dir(root.join("a b")).unwrap();
    fs::write(root.join("page.html"), "").unwrap();
    let env = ProcessEnv::empty(&root).with_home(&root);
    let url =
        |text: &str| IndexReference::new(text, INDEX_URL, &env).index(&env).map(|location| location.url);
    let as_url = Url::from_directory_path(root.join("a b")).unwrap();
    assert_eq!(url("a b").unwrap(), as_url);
    assert_eq!(url("~/a b").unwrap(), as_url);
    assert_eq!(url(root.join("a b").to_str().unwrap()).unwrap(), as_url);
    assert_eq!(url(as_url.as_str()).unwrap(), as_url);
    assert_eq!(url(as_url.as_str().trim_end_matches('/')).unwrap(), as_url, "a folder ends in /");
    assert_eq!(url("http://index.example/simple").unwrap().as_str(), "http://index.example/simple");
    for text in
        ["lost", "page.html", "ftp://index.example", "https://", "file:///lost/folder", "git+ssh://x/y", ""]
    {
        let error = url(text).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Usage, "{text}");
        assert!(error.message.starts_with("--index-url names an index"), "{}", error.message);
    }
}

#[test]
fn credentials_are_not_printed() {
    let env = ProcessEnv::empty("/");
    let secret = "https://me:s3cret@index.example/simple";
    let reference = IndexReference::new(secret, INDEX_URL, &env);
    let location = reference.index(&env).unwrap();
    assert_eq!(location.url.password(), Some("s3cret"), "but they are kept");
    let choice = choose_indexes(&[arguments(&env, secret)], &env, None, never).unwrap();
    let wrong = |text: &str| IndexReference::new(text, INDEX_URL, &env).index(&env).unwrap_err().message;
    for shown in [
        format!("{reference:?}"),
        format!("{location:?} {location}"),
        format!("{choice:?}"),
        wrong("ftp://me:s3cret@index.example"),
        wrong("me:s3cret@index.example"),
        wrong("https//me:s3cret@index.example"),
    ] {
        assert!(!shown.contains("s3cret"), "{shown}");
    }
}

use super::*;
use pinfast_base::error::ErrorKind;

fn of(text: &str) -> Result<Settings> {
    Settings::of(SettingsTable::read("pinfast.toml", text.to_owned())?)
}

fn error_message(text: &str) -> String {
    let error = of(text).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Usage);
    error.message
}

fn write(folder: &Path, name: &str, text: &str) {
    let file = folder.join(name);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, text).unwrap();
}

#[test]
fn every_key_is_read() {
    let settings = of(r#"
index-url = "https://index.example/simple"
extra-index-url = ["https://a.example", "https://b.example"]
find-links = "wheels"
no-index = false
indexes = { internal = "https://internal.example/simple" }
sources = { Our_App = "internal", other = "https://other.example" }
python = ".venv"
targets = ["3.11 linux", { python = "3.12", platform = "macos" }]
universal = false
constraints = "constraints.txt"
overrides = ["overrides.txt"]
extras = ["dev"]
all-extras = false
groups = "test"
resolution = "lowest"
prerelease = { Torch = "allow" }
exclude-newer = "2026-01-01"
hashes = "targets"
no-binary = ["numpy", ":none:", "A_b"]
only-binary = ":all:"
no-build = true
offline = false
annotate = true
cache-dir = "cache"
[deploy]
root = "/srv/app"
"#)
    .unwrap();
    let name = |text| PackageName::new(text).unwrap();
    assert_eq!(settings.extra_index_urls[1].value, "https://b.example");
    assert_eq!(settings.targets[1].value.python.to_string(), "3.12");
    assert_eq!(settings.targets[0].value.platform, "linux".parse().unwrap());
    let matrix = of("python-version = '3.11'\nplatform = ['linux', 'windows']").unwrap();
    assert_eq!((matrix.python_versions.len(), matrix.platforms.len()), (1, 2));
    assert_eq!(settings.prerelease, None);
    assert_eq!(settings.prerelease_of[&name("torch")].value, "allow");
    assert_eq!(settings.exclude_newer.as_ref().unwrap().value, "2026-01-01");
    assert_eq!(settings.no_binary.as_ref().unwrap().value, FormatControl::Packages(vec![name("a-b")]));
    assert_eq!(settings.only_binary.as_ref().unwrap().value, FormatControl::All);
    assert_eq!(settings.source_of(&name("our-app")).unwrap().text, "https://internal.example/simple");
    assert_eq!(settings.source_of(&name("other")).unwrap().text, "https://other.example");
    assert_eq!(settings.source_of(&name("numpy")), None);
    assert!(settings.warnings.is_empty(), "{:?}", settings.warnings);
    assert_eq!(settings.deploy.as_ref().unwrap().root.place.location().to_string(), "pinfast.toml:27");
    let options = settings.index_options();
    assert_eq!(options.index_url.unwrap().origin.to_string(), "pinfast.toml:2");
    assert_eq!(options.no_index, None);
}

#[test]
fn an_invalid_value_is_an_error_with_its_place() {
    for (text, message) in [
        ("index_url = 'x'", "pinfast.toml:1:1: unknown key `index_url`"),
        (
            "\n targets = ['3.11']",
            "pinfast.toml:2:13: a target is a Python version and a platform, such as `3.11 linux`",
        ),
        ("targets = [{ python = '3.11' }]", "pinfast.toml:1:12: a target has both `python` and `platform`"),
        ("targets = [{ pyton = '3.11' }]", "pinfast.toml:1:14: unknown key `pyton`"),
        ("no-build = 'yes'", "pinfast.toml:1:12: `no-build` must be `true` or `false`"),
        ("sources = { a = 'inner' }", "pinfast.toml:1:17: no index is called `inner`"),
        (
            "targets = ['3.11 linux']\nplatform = 'linux'",
            "pinfast.toml:2:12: `targets` and `platform` both set the targets: use one of them",
        ),
        ("deploy = 1", "pinfast.toml:1:10: `deploy` must be a table"),
        ("deploy = { rot = 'x' }", "pinfast.toml:1:10: `[deploy]` has no `root`"),
        ("prerelease = ['allow']", "pinfast.toml:1:14: `prerelease` must be a string"),
    ] {
        assert_eq!(error_message(text), message);
    }
    assert!(error_message("python-version = 'three'").starts_with("pinfast.toml:1:18: "));
    assert!(
        error_message("prerelease = { 'a b' = 'allow' }")
            .starts_with("pinfast.toml:1:16: `a b` is not a name")
    );
    assert!(error_message("no-binary = '-x'").starts_with("pinfast.toml:1:13: `-x` is not a name"));
}

#[test]
fn the_nearest_file_up_to_the_project_root_is_used() {
    let root = tempfile::tempdir().unwrap();
    let deep = root.path().join("repo/a/b");
    fs::create_dir_all(&deep).unwrap();
    fs::create_dir(root.path().join("repo/.git")).unwrap();
    let env = ProcessEnv::empty(&deep);
    let python = || Settings::find(&env).unwrap().python.map(|python| python.value);

    write(root.path(), "pinfast.toml", "python = 'outside'");
    assert_eq!(python(), None, "outside of the project");
    write(root.path(), "repo/pyproject.toml", "[tool.pinfast]\npython = 'shared'\n[tool.black]\nx = 1");
    assert_eq!(python().as_deref(), Some("shared"));
    write(root.path(), "repo/a/pyproject.toml", "[project]\nname = 'pinfast-user'");
    assert_eq!(python().as_deref(), Some("shared"), "a pyproject.toml without settings is none");
    write(root.path(), "repo/a/pinfast.toml", "python = 'own'\nfind-links = 'w'");
    write(root.path(), "repo/a/pyproject.toml", "[tool.pinfast]\npython = 'lesser'");
    let settings = Settings::find(&env).unwrap();
    assert_eq!(settings.python.as_ref().unwrap().value, "own");
    assert_eq!(settings.folder, root.path().join("repo/a"));
    assert_eq!(settings.path(&settings.find_links[0], &env), root.path().join("repo/a/w"));
    assert_eq!(
        settings.warnings,
        ["../pinfast.toml is used; [tool.pinfast] of ../pyproject.toml is ignored"]
    );

    write(root.path(), "repo/a/pinfast.toml", "python = 3");
    assert_eq!(Settings::find(&env).unwrap_err().message, "../pinfast.toml:1:10: `python` must be a string");
}

#[test]
fn text_is_parsed_by_the_crate_that_defines_the_type() {
    let settings = of("resolution = '12a'").unwrap();
    let error = settings.resolution.unwrap().parse::<u8>().unwrap_err();
    assert_eq!(error.message, "pinfast.toml:1:14: invalid digit found in string");
    assert_eq!(error.details, ["1 | resolution = '12a'", "  |              ^^^^^"]);
}

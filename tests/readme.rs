//! The README against the program: its commands are those of `.ci/run`, its exit codes those of the program, and its
//! links resolve. The files that `CONTRIBUTING.md` names exist.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use pinfast::error::ErrorKind;
use pinfast::settings::{Settings, SettingsTable};

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The lines of the README's shell blocks.
fn commands(readme: &str) -> Vec<&str> {
    let blocks = readme.split("```sh\n").skip(1);
    blocks.flat_map(|block| block.split("```").next().unwrap_or_default().lines()).collect()
}

#[test]
fn ci_runs_the_two_commands_of_the_readme() {
    let (readme, ci) = (read("README.md"), read(".ci/run"));
    let commands = commands(&readme);
    assert!(commands[0].starts_with("cargo run --release --locked -- lock "), "{}", commands[0]);
    assert!(commands[1].starts_with("cargo test --locked"), "{}", commands[1]);
    assert!(ci.contains(&format!("$({})", commands[0])), ".ci/run does not run `{}`", commands[0]);
    // The workspace is more than the README's command tests: benches/peers, too.
    let last = format!("\nstep {} --workspace\n", commands[1]);
    assert!(ci.ends_with(&last), ".ci/run does not end with `{}`", last.trim());
}

#[test]
fn the_first_command_locks_the_example() {
    let readme = read("README.md");
    let (_, arguments) = commands(&readme)[0].split_once(" -- ").expect("the program's own arguments");
    let output = pinfast(arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lock = String::from_utf8(output.stdout).expect("a lock is UTF-8");
    let pins = lock.lines().filter(|line| line.contains("==") && !line.starts_with([' ', '#'])).count();
    assert!(pins > 90, "{pins} packages");
}

#[test]
fn the_conflict_of_the_readme_is_what_the_program_prints() {
    let readme = read("README.md");
    let command = commands(&readme).into_iter().find(|command| command.contains("conflict.in"));
    let output =
        pinfast(command.and_then(|command| command.strip_prefix("pinfast ")).expect("such a command"));
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8(output.stderr).expect("text");
    assert!(readme.contains(told.trim_end()), "{told}");
}

/// Runs the program in the project's folder, with a cache of its own and no terminal.
fn pinfast(arguments: &str) -> std::process::Output {
    let cache = tempfile::tempdir().expect("a folder for the cache");
    Command::new(env!("CARGO_BIN_EXE_pinfast"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env_remove("COLUMNS")
        .env("PINFAST_FIX_TIME", "60")
        .env("PINFAST_CACHE_DIR", cache.path())
        .args(arguments.split(' '))
        .output()
        .expect("the program runs")
}

#[test]
fn the_files_of_the_first_command_exist() {
    let readme = read("README.md");
    let paths: Vec<_> = commands(&readme)[0].split(' ').filter(|word| word.contains('/')).collect();
    assert!(!paths.is_empty());
    for path in paths {
        assert!(Path::new(env!("CARGO_MANIFEST_DIR")).join(path).exists(), "{path}");
    }
}

/// A path in capitals, such as `testdata/conflicts/NN-NAME.txt`, is a pattern.
#[test]
fn the_files_that_contributing_names_exist() {
    let text = read("CONTRIBUTING.md");
    let quoted = text.lines().flat_map(|line| line.split('`').skip(1).step_by(2));
    let paths: Vec<&str> = quoted
        .filter(|words| {
            words.contains('/') && !words.contains(|c: char| c.is_whitespace() || c.is_uppercase())
        })
        .collect();
    let is_missing = |path: &&&str| !Path::new(env!("CARGO_MANIFEST_DIR")).join(path).exists();
    let missing: Vec<_> = paths.iter().filter(is_missing).collect();
    assert!(missing.is_empty() && paths.len() > 20, "{missing:?} of {paths:?}");
}

#[test]
fn the_exit_codes_of_the_readme_are_those_of_the_program() {
    let readme = read("README.md");
    let table = readme.split("| code | meaning |").nth(1).expect("there is a table of exit codes");
    let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    let told: BTreeSet<u8> = rows
        .flat_map(|row| row.split('|').nth(1).unwrap_or_default().split(','))
        .map(|code| code.trim().parse().expect("an exit code"))
        .collect();
    let failures = [
        ErrorKind::No,
        ErrorKind::Usage,
        ErrorKind::NoAnswer,
        ErrorKind::Refused,
        ErrorKind::LiveButUnclean,
        ErrorKind::Interrupted,
        ErrorKind::Terminated,
    ];
    assert_eq!(told, failures.map(ErrorKind::exit_code).into_iter().chain([0]).collect());
}

#[test]
fn the_commands_of_the_readme_are_those_of_the_program() {
    let readme = read("README.md");
    let table = readme.split("| command | what it does |").nth(1).expect("there is a table of commands");
    let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    let told: Vec<_> = rows.filter_map(|row| row.split('`').nth(1)).collect();
    let help = String::from_utf8(pinfast("--help").stdout).expect("text");
    let commands = help.split("Commands:").nth(1).and_then(|rest| rest.split("\n\n").next());
    let named =
        commands.expect("the help lists commands").lines().filter_map(|line| line.split_whitespace().next());
    let named: BTreeSet<_> = named.filter(|name| *name != "help").collect();
    assert_eq!(told.into_iter().collect::<BTreeSet<_>>(), named);
}

/// The settings of the walkthrough are settings, and name each key that there is.
#[test]
fn the_settings_of_the_walkthrough_parse() {
    let page = read("docs/deploy.md");
    let text = page.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).expect("settings");
    let settings = Settings::of(SettingsTable::read("docs/deploy.md", text.to_owned()).expect("TOML"))
        .expect("settings");
    let deploy = settings.deploy.expect("`[deploy]`");
    assert_eq!((deploy.keep, deploy.smoke.len(), deploy.shared.len()), (5, 3, 3));
    let keys: Vec<_> = text.lines().skip(1).filter_map(|line| line.split(" = ").next()).collect();
    let misread = text.replace("root = ", "rooot = \"\"\nroot = ");
    let error = Settings::of(SettingsTable::read("docs/deploy.md", misread).expect("TOML"))
        .expect_err("an unknown key");
    assert!(error.hints[0].contains("`root`"), "{error:?}");
    assert_eq!(keys.len(), 11, "{keys:?}");
}

#[test]
fn links_in_the_documentation_resolve() {
    for page in ["README.md", "CONTRIBUTING.md", "docs/testing.md", "docs/deploy.md", "docs/performance.md"] {
        let text = read(page);
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(page);
        let folder = folder.parent().expect("a file is in a folder");
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            assert!(folder.join(target).exists(), "{page} links to {target}");
        }
    }
}

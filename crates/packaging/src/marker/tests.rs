use super::*;
use crate::{ExtraName, MarkerValues, Platform, SupportedTags, Target};

/// A declared target.
fn target(python: &str, platform: &str) -> Target {
    Target::declared(&python.parse().unwrap(), &platform.parse::<Platform>().unwrap())
}

fn marker(text: &str) -> Marker {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// An environment of the truth table and the extra that is on in it.
type Environment = (Target, Vec<ExtraName>);

/// The truth table of PyPA `packaging`: its environments, and its lines of marker and bits.
fn truth() -> (Vec<Environment>, Vec<(&'static str, &'static str)>) {
    let table = include_str!("../../../../testdata/spec/markers.txt");
    let (environments, rows): (Vec<_>, Vec<_>) =
        table.lines().filter(|line| !line.starts_with('#')).partition(|line| line.starts_with("env\t"));
    (
        environments.into_iter().map(environment).collect(),
        rows.into_iter().map(|row| row.split_once('\t').unwrap()).collect(),
    )
}

fn environment(line: &str) -> Environment {
    let mut fields = line.split('\t').skip(1).map(str::to_owned);
    let mut next = || fields.next().unwrap();
    let values = MarkerValues {
        implementation_name: next(),
        implementation_version: next(),
        os_name: next(),
        platform_machine: next(),
        platform_python_implementation: next(),
        platform_release: next(),
        platform_system: next(),
        platform_version: next(),
        python_full_version: next(),
        python_version: next(),
        sys_platform: next(),
    };
    let extras = ExtraName::new(&next()).into_iter().collect();
    (Target::new(&values, SupportedTags::default(), "here".to_owned()).unwrap(), extras)
}

#[test]
fn evaluation_agrees_with_packaging() {
    let (environments, rows) = truth();
    let mut wrong = Vec::new();
    for (text, bits) in &rows {
        assert_eq!(bits.len(), environments.len());
        let marker = marker(text);
        for (i, ((target, extras), bit)) in environments.iter().zip(bits.chars()).enumerate() {
            if marker.holds(target, extras) != (bit == '1') {
                wrong.push(format!("{text} in environment {i}: packaging says {bit}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(rows.len() > 400);
}

/// The environments whose Python is a final release: of these the algebra speaks.
fn final_environments() -> Vec<Environment> {
    let (environments, _) = truth();
    environments
        .into_iter()
        .filter(|(target, _)| target.python().is_stable() && !target.python().is_local())
        .collect()
}

#[test]
fn the_normal_form_means_the_same_and_parses_again() {
    let (_, rows) = truth();
    for (text, _) in rows {
        let before = marker(text);
        let normal = Marker::from_tree(before.tree());
        let read = if normal.is_always() { Marker::default() } else { marker(&before.to_string()) };
        assert_eq!(read, before, "{text} became {before}");
        assert_eq!(read.to_string(), before.to_string());
        for (target, extras) in final_environments() {
            assert_eq!(normal.holds(&target, &extras), before.holds(&target, &extras), "{text} as {normal}");
            assert_eq!(read.holds(&target, &extras), before.holds(&target, &extras), "{text} as {normal}");
        }
    }
}

#[test]
fn and_or_and_negate_agree_with_evaluation() {
    let (_, rows) = truth();
    let markers: Vec<_> = rows.iter().step_by(7).map(|(text, _)| marker(text)).collect();
    let mut environments = final_environments();
    // A release that is no version is neither below another nor above it.
    environments.retain(|(target, _)| target.marker_version(MarkerVariable::PlatformRelease).is_some());
    assert!(environments.len() > 3);
    for a in &markers {
        for b in &markers {
            let (and, or, not) = (a.and(b), a.or(b), a.negate());
            let mut together = false;
            for (target, extras) in &environments {
                let (x, y) = (a.holds(target, extras), b.holds(target, extras));
                assert_eq!(and.holds(target, extras), x && y, "({a:?}) and ({b:?})");
                assert_eq!(or.holds(target, extras), x || y, "({a:?}) or ({b:?})");
                assert_eq!(not.holds(target, extras), !x, "not ({a:?})");
                together |= x && y;
            }
            assert!(!(together && a.excludes(b)), "{a:?} {b:?}");
            assert!(!(together && and.is_never()), "{a:?} {b:?}");
        }
    }
}

#[test]
fn a_comparison_without_a_value_is_false_with_a_warning() {
    let here = target("3.11", "linux");
    for text in [
        "'x' ~= sys_platform",
        "'a' == 'a'",
        "os_name == sys_platform",
        "python_version >= '3.x'",
        "python_version ~= '3'",
        "sys_platform < 'm'",
        "extra > 'a'",
        "'dev' in dependency_groups",
        "'3.*' == python_version",
    ] {
        let marker = marker(text);
        assert!(!marker.holds(&here, &[]), "{text}");
        assert_eq!(marker.warnings().len(), 1, "{text}");
        assert!(marker.warnings()[0].starts_with(&format!("`{text}` is taken as false: ")));
        assert!(marker.is_never(), "{text}");
    }
    let half = marker("python_version >= 'x' or os_name == 'posix'");
    assert!(half.holds(&here, &[]));
    assert_eq!(half.warnings().len(), 1);
    assert!(marker("os_name == 'posix'").warnings().is_empty());
}

#[test]
fn errors_say_what_was_expected_and_where() {
    for (text, message, start, len) in [
        ("", "expected an environment marker or a text in quotes, found the end", 0, 1),
        (
            "python_version",
            "expected `==`, `!=`, `<`, `<=`, `>`, `>=`, `~=`, `in` or `not in`, found the end",
            14,
            1,
        ),
        (
            "python >= '3'",
            "expected an environment marker such as `python_version`, or a text in quotes, found `python`",
            0,
            6,
        ),
        (
            "python_version >= 3",
            "expected an environment marker such as `python_version`, or a text in quotes, found `3`",
            18,
            1,
        ),
        ("python_version >= '3", "the quote is not closed", 18, 2),
        (
            "python_version => '3'",
            "expected `==`, `!=`, `<`, `<=`, `>`, `>=`, `~=`, `in` or `not in`, found `=>`",
            15,
            2,
        ),
        ("(os_name == 'a'", "this `(` is not closed", 0, 1),
        ("os_name == 'a')", "expected `and`, `or` or the end of the marker", 14, 1),
        ("os_name == 'a' os_name == 'b'", "expected `and`, `or` or the end of the marker", 15, 7),
        ("os_name == 'ä' é", "expected `and`, `or` or the end of the marker", 15, 1),
        ("os_name not 'a'", "expected `in` after `not`", 12, 1),
        ("os_name == 'a' and", "expected an environment marker or a text in quotes, found the end", 18, 1),
    ] {
        let error = text.parse::<Marker>().unwrap_err();
        assert_eq!((error.message.as_str(), error.start, error.len), (message, start, len), "{text}");
    }
}

#[test]
fn hostile_markers_are_errors_or_cheap() {
    let nested = |depth: usize| format!("{}os_name == 'a'{}", "(".repeat(depth), ")".repeat(depth));
    assert!(nested(128).parse::<Marker>().is_ok());
    for depth in [129, 20_000] {
        assert_eq!(nested(depth).parse::<Marker>().unwrap_err().message, "parentheses are nested too deep");
    }
    let many = vec!["os_name == 'a'"; 513].join(" or ");
    assert_eq!(many.parse::<Marker>().unwrap_err().message, "the marker has too many comparisons");
    let extras: Vec<_> = (0..512).map(|i| format!("extra == 'e{i}'")).collect();
    let long = marker(&extras.join(" or "));
    assert!(!long.is_always(), "a long list of extras is real and cheap");
    assert_eq!(marker(&long.to_string()), long);
    // The diagram of this one has 2^40 nodes.
    let pairs: Vec<_> = (0..40).map(|i| format!("('a{i}' in os_name and extra == 'e{i}')")).collect();
    assert_eq!(
        pairs.join(" or ").parse::<Marker>().unwrap_err().message,
        "the marker combines too many comparisons"
    );
    for text in [
        "python_version > '3.18446744073709551615'",
        "python_version == '3.18446744073709551615.*'",
        "python_version ~= '3.0'",
        "python_version ~= '3.18446744073709551615'",
        "python_full_version === 'x'",
        "python_version >= '1!3'",
    ] {
        let marker = marker(text);
        assert_eq!(marker.negate().negate(), marker, "{text}");
        let _ = (marker.is_always(), marker.to_string());
    }
}

#[test]
fn the_normal_form_is_one_for_all_spellings() {
    for (text, normal) in [
        ("python_version>='3.8'", "python_version >= '3.8'"),
        ("python_full_version >= '3.8.0'", "python_version >= '3.8'"),
        ("python_full_version >= '3.8.1'", "python_full_version >= '3.8.1'"),
        ("'3.8' > python_version", "python_version < '3.8'"),
        ("python_version <= '3.8'", "python_version < '3.9'"),
        ("python_version == '3.8'", "python_version == '3.8'"),
        ("python_version != '3.8'", "python_version != '3.8'"),
        ("python_version in '3.8 3.9'", "python_version >= '3.8' and python_version < '3.10'"),
        ("(os_name == 'nt')", "os_name == 'nt'"),
        ("os.name == \"it's\"", "os_name == \"it's\""),
        ("extra == 'A_b'", "extra == 'a-b'"),
        ("'3' in python_version", "'3' in python_version"),
        ("platform_release >= '20'", "platform_release >= '20'"),
        ("os_name == 'a' and os_name == 'b'", "python_version < '0'"),
        ("os_name == 'a' or os_name != 'a'", ""),
        (
            "sys_platform == 'linux' and (python_version < '3.9' or extra == 'x')",
            "(python_version < '3.9' and sys_platform == 'linux') or (sys_platform == 'linux' and extra == 'x')",
        ),
    ] {
        assert_eq!(marker(text).to_string(), normal, "{text}");
    }
    assert!(marker("python_version < '0'").is_never());
    assert!(marker("python_version >= '0'").is_always());
    assert_eq!(marker("python_version < '3.8'").negate(), marker("python_version >= '3.8'"));
    assert_eq!(Marker::default().and(&marker("os_name == 'a'")), marker("'a' == os_name"));
    assert!(marker("os_name == 'a'").excludes(&marker("os_name == 'b'")));
    assert!(!marker("os_name == 'a'").excludes(&marker("'a' in os_name")));
}

#[test]
fn a_text_that_looks_like_a_version_stays_a_text() {
    for (text, shown) in [
        ("platform_release === '5'", "platform_release === '5'"),
        ("platform_release == '5'", "platform_release == '5'"),
        ("platform_release == '5.15-generic'", "platform_release == '5.15-generic'"),
    ] {
        assert_eq!(marker(text).to_string(), shown);
        assert_eq!(marker(shown), marker(text));
    }
    assert_ne!(marker("platform_release === '5'"), marker("platform_release == '5'"));
}

use super::*;

fn version(text: &str) -> Version {
    text.parse().unwrap()
}

fn specifiers(text: &str) -> SpecifierSet {
    text.parse().unwrap()
}

/// The truth table of PyPA `packaging`: its versions, and its lines of specifier and bits.
fn truth() -> (Vec<Version>, Vec<(&'static str, &'static str)>) {
    let table = include_str!("../../../../testdata/spec/specifiers.txt");
    let mut lines = table.lines().filter(|line| !line.starts_with('#'));
    let versions = lines.next().unwrap().split(' ').map(version).collect();
    (versions, lines.map(|line| line.split_once(' ').unwrap()).collect())
}

#[test]
fn matching_agrees_with_packaging() {
    let (versions, rows) = truth();
    let mut wrong = Vec::new();
    for (text, bits) in &rows {
        let specifiers = specifiers(text);
        for (version, bit) in versions.iter().zip(bits.chars()) {
            if specifiers.contains(version) != (bit == '1') {
                wrong.push(format!("{text} {version}: packaging says {bit}"));
            }
        }
        assert_eq!(bits.len(), versions.len(), "{text}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(rows.len() * versions.len() > 8000);
}

#[test]
fn versions_are_ordered_as_packaging_orders_them() {
    let (versions, _) = truth();
    assert!(versions.is_sorted());
    assert!(versions.windows(2).filter(|pair| pair[0] < pair[1]).count() > 60);
}

#[test]
fn errors_say_what_was_expected_and_where() {
    for (text, message, at) in [
        ("1.0", "expected `==`, `!=`, `~=`, `<=`, `>=`, `<`, `>` or `===` before `1.0`", 0),
        (">=1.0, 2", "expected `==`, `!=`, `~=`, `<=`, `>=`, `<`, `>` or `===` before `2`", 7),
        ("=1.0", "`=` is not an operator; did you mean `==`?", 0),
        ("=>1.0", "`=>` is not an operator; did you mean `>=`?", 0),
        ("^1.0", "`^` is not an operator; did you mean `~=`?", 0),
        ("====1.0", "`====` is not an operator: expected `==`, `!=`, `~=`, `<=`, `>=`, `<`, `>` or `===`", 0),
        (">=", "expected a version after `>=`", 2),
        ("===", "expected a version after `===`", 3),
        (">=1.0,", "a specifier is missing beside the `,`", 5),
        (",>=1.0", "a specifier is missing beside the `,`", 0),
        (">=1.0 <2", "expected a `,` after `1.0`", 5),
        (">=1.x", "`1.x` is not a version such as `1.2.3`", 2),
        (">= 1.*", "`.*` goes only with `==` and `!=`, not with `>=`", 4),
        ("~=1.0.*", "`.*` goes only with `==` and `!=`, not with `~=`", 5),
        ("==1.0a1.*", "`.*` goes only after release numbers, such as `1.2.*`", 2),
        ("==1.0+x.*", "`.*` goes only after release numbers, such as `1.2.*`", 2),
        ("~=1", "`~=` needs at least two numbers, such as `~=1.0`", 2),
        (">=1.0+local", "a local version (`+…`) goes only with `==` and `!=`, not with `>=`", 2),
        ("===1.0;", "`===` takes no `;` and no `)`", 6),
    ] {
        let error = text.parse::<SpecifierSet>().unwrap_err();
        assert_eq!((error.message.as_str(), error.at), (message, at), "{text}");
    }
    assert!(specifiers("").is_empty() && specifiers("  ").is_empty());
}

#[test]
fn old_metadata_is_repaired_as_by_uv() {
    for (text, repaired) in [
        (">=1.0,", ">=1.0"),
        (">=1.9.*", ">=1.9"),
        ("<3.4.*", "<3.4"),
        (">=2.7,!=3.0*,!=3.1*", ">=2.7,!=3.0.*,!=3.1.*"),
        (">=3.6*", ">=3.6"),
        (">=7.2.0<8.0.0", ">=7.2.0,<8.0.0"),
        (">=7.2.0 <8.0.0", ">=7.2.0,<8.0.0"),
        ("!=~5.0,>=4.12", "!=5.0.*,>=4.12"),
        (">dev", ">0.0.0.dev0"),
        (">=9.0.0a1.0", ">=9.0.0a1"),
        (">= '2.7'", ">=2.7"),
        (">=2.7.9\"", ">=2.7.9"),
        ("==1.0.*", "==1.0.*"),
        (">= 1.0 , < 2", ">=1.0,<2"),
    ] {
        assert_eq!(SpecifierSet::parse_lenient(text).unwrap().to_string(), repaired, "{text}");
    }
    for text in ["~=1", "1.0", "^1.0", "=1.0", "foo", ">=", "~=3.6.*", ">=1.0 2.0"] {
        let strict = text.parse::<SpecifierSet>().unwrap_err();
        assert_eq!(SpecifierSet::parse_lenient(text).unwrap_err(), strict, "{text}");
    }
}

#[test]
fn lower_and_upper_bounds_hold_apart() {
    for (text, python, lower, upper) in [
        (">=3.8", "3.7.0", false, true),
        (">=3.8", "3.8.0", true, true),
        (">3.8", "3.8.0", false, true),
        (">3.8", "3.8.1", true, true),
        ("<3.11", "3.11.0", true, false),
        ("<=3.10", "3.11.0", true, false),
        ("!=3.11.*", "3.11.0", true, false),
        ("~=3.8", "3.7.0", false, true),
        ("~=3.8", "4.0.0", true, false),
        ("==3.8.*", "3.11.0", true, false),
        ("==3.8.*", "3.7.0", false, true),
        ("==3.8.*", "3.8.4", true, true),
        ("==3.8", "3.7.0", false, true),
        ("==3.8", "3.8.0", true, true),
        ("==3.8", "3.9.0", true, false),
        ("===3.8", "3.7.0", false, true),
        (">=3.8,<3.11", "3.7.0", false, true),
        (">=3.8,<3.11", "3.12.0", true, false),
        (">=3.14", "3.14.0rc1", true, true),
        ("<3.14", "3.14.0rc1", true, false),
        (">=3.8", "3.11.0+local", true, true),
        ("", "3.11.0", true, true),
    ] {
        let specifiers = specifiers(text);
        assert_eq!(specifiers.lower_bounds_contain(&version(python)), lower, "{text} {python}");
        assert_eq!(specifiers.upper_bounds_contain(&version(python)), upper, "{text} {python}");
    }
    assert_eq!(specifiers(">=3.8,>3.9,<4").lower_bound(), Some(&version("3.9")));
    assert_eq!(specifiers("<4,!=3.9").lower_bound(), None);
}

#[test]
fn sets_are_equal_however_written() {
    let hash = |specifiers: &SpecifierSet| {
        let mut hasher = FxHasher::default();
        specifiers.hash(&mut hasher);
        hasher.finish()
    };
    for (a, b, equal) in [
        (">=1.0,<2", "<2.0, >=1", true),
        (">=1", ">=1,>=1.0", true),
        ("==1.0.*", "==1.*", false),
        ("~=1.0", "~=1.0.0", false),
        ("===1.0", "===1.0.0", false),
        ("===A", "===a", true),
        (">=1", ">1", false),
        ("", ">=0", false),
        ("==1.0", "==1.0+x", false),
    ] {
        let (a, b) = (specifiers(a), specifiers(b));
        assert_eq!(a == b, equal, "{a} {b}");
        assert!(!equal || hash(&a) == hash(&b), "{a} {b}");
    }
    assert_eq!(specifiers(" <2 , >= 1.0-RC.1 ").to_string(), "<2,>=1.0rc1", "shown as written");
    assert_eq!(specifiers(">=1").and(&specifiers("<2,>=1")).to_string(), ">=1,<2");
}

#[test]
fn pins_and_prereleases_are_recognised() {
    for (text, pinned) in [
        ("==1.0", Some("1.0")),
        ("===1.0", Some("1.0")),
        (">=0.5,==1.0", Some("1.0")),
        ("==1.*", None),
        ("~=1.0", None),
        ("===nonsense", None),
        ("", None),
    ] {
        assert_eq!(specifiers(text).pinned(), pinned.map(version).as_ref(), "{text}");
    }
    for (text, exact) in [
        ("==1.0", true),
        ("===1.0", true),
        (">=0.5,==1.0", false),
        ("==1.*", false),
        ("===nonsense", false),
        ("", false),
    ] {
        assert_eq!(specifiers(text).is_exact(), exact, "{text}");
    }
    for (text, names) in [
        (">=1.0a1", true),
        ("<2.dev0", true),
        ("===1.0rc1", true),
        ("!=1.0a1", false),
        (">=1.0,<2", false),
        (">=1.0.post1", false),
    ] {
        assert_eq!(specifiers(text).names_prerelease(), names, "{text}");
    }
}

mod property {
    use proptest::prelude::*;

    use super::*;

    /// Versions of every kind, few enough that they meet each other.
    fn versions() -> impl Strategy<Value = Version> {
        "([01]!)?[0-2](\\.[0-2]){0,2}(a[01]|b1|rc1)?(\\.post[01])?(\\.dev[01])?(\\+(a|1|a\\.1))?"
            .prop_map(|text| version(&text))
    }

    proptest! {
        #[test]
        fn the_order_is_total(a in versions(), b in versions(), c in versions()) {
            prop_assert_eq!(a.cmp(&b), b.cmp(&a).reverse());
            prop_assert!(!(a <= b && b <= c) || a <= c);
            prop_assert_eq!(a == b, a.cmp(&b).is_eq());
            prop_assert_eq!(version(&a.to_string()).to_string(), a.to_string());
        }

        #[test]
        fn operators_agree_with_each_other(a in versions(), b in versions()) {
            let holds = |operator: &str, bound: &Version| {
                specifiers(&format!("{operator}{bound}")).contains(&a)
            };
            prop_assert!(holds("==", &a) && holds("===", &a));
            prop_assert_ne!(holds("==", &b), holds("!=", &b));
            let public = b.clone().without_local();
            prop_assert_eq!(holds("<=", &public), holds("==", &public) || a < public);
            prop_assert_eq!(holds(">=", &public), a >= public);
            prop_assert!(!holds("<", &public) || a < public);
            prop_assert!(!holds(">", &public) || a > public);
            prop_assert!(!(holds("<", &public) && holds(">", &public)));
            if public.release().len() > 1 {
                let prefix = Version::new(&public.release()[..public.release().len() - 1]).with_epoch(public.epoch());
                let both = specifiers(&format!(">={public},=={prefix}.*"));
                prop_assert_eq!(holds("~=", &public), both.contains(&a));
            }
        }

        #[test]
        fn a_shown_set_parses_to_the_same_set(text in "[<>=!~ ]{0,3}[0-9.*a+!v, <>=]{0,12}") {
            if let Ok(read) = text.parse::<SpecifierSet>() {
                prop_assert_eq!(specifiers(&read.to_string()), read);
            }
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,40}", bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            let _ = SpecifierSet::parse_lenient(&text);
            let _ = SpecifierSet::parse_lenient(&String::from_utf8_lossy(&bytes));
        }
    }
}

use super::*;

const DIGEST: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

fn requirement(text: &str) -> Requirement {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn requirements_are_read_and_shown_in_normal_form() {
    for (text, normal) in [
        ("requests", "requests"),
        ("  Requests.Oauthlib  ", "requests-oauthlib"),
        ("a>=1.0,<2", "a>=1.0,<2"),
        ("a >= 1.0 , < 2", "a>=1.0,<2"),
        ("a (>=1.0)", "a>=1.0"),
        ("a(>=1.0,<2);os_name=='nt'", "a>=1.0,<2 ; os_name == 'nt'"),
        ("a ()", "a"),
        ("a[]", "a"),
        ("a[B_c, a]>=1", "a[a,b-c]>=1"),
        ("a [x,X] ; extra == 'Y_z'", "a[x] ; extra == 'y-z'"),
        ("a===anything*goes", "a===anything*goes"),
        ("a @ https://files.example/a-1.zip", "a @ https://files.example/a-1.zip"),
        (
            "a@https://files.example/a.whl ; os_name == 'nt'",
            "a @ https://files.example/a.whl ; os_name == 'nt'",
        ),
        ("a[x] @ file:///tmp/a.whl", "a[x] @ file:///tmp/a.whl"),
        ("a @ git+https://git.example/a@main", "a @ git+https://git.example/a@main"),
        ("a @ https://me:pw@files.example/a.whl", "a @ https://files.example/a.whl"),
        ("a;python_version>='0'", "a"),
    ] {
        let read = requirement(text);
        assert_eq!(read.to_string(), normal, "{text}");
        assert!(normal.contains("files.example/a.whl") || requirement(normal) == read, "{text}");
    }
}

#[test]
fn a_url_gives_up_its_hash() {
    for (fragment, rest, has_hash) in [
        (format!("#sha256={DIGEST}"), "", true),
        (format!("#egg=a&sha256={DIGEST}"), "", true),
        (format!("#sha256={DIGEST}&subdirectory=x"), "#subdirectory=x", true),
        ("#egg=a".to_owned(), "", false),
        ("#md5=abc".to_owned(), "", false),
    ] {
        let text = format!("a @ https://me:pw@files.example/a.zip{fragment}");
        let RequirementSource::Url(url) = requirement(&text).source else { panic!("{text}") };
        assert_eq!(url.url.as_str(), format!("https://me:pw@files.example/a.zip{rest}"));
        assert_eq!(url.sha256.map(|sha256| sha256.to_string()), has_hash.then(|| DIGEST.to_owned()));
        for shown in [url.to_string(), format!("{url:?}")] {
            assert!(!shown.contains("pw") && shown.contains(DIGEST) == has_hash, "{shown}");
        }
        assert_eq!(requirement(&format!("a @ {url}")).to_string(), format!("a @ {url}"));
    }
}

/// The text with what an error points at between brackets.
fn pointed(text: &str, error: &RequirementError) -> String {
    let chars: Vec<char> = text.chars().chain(" ".repeat(9).chars()).collect();
    let part = |range: std::ops::Range<usize>| chars[range].iter().collect::<String>();
    let end = error.start + error.len;
    format!("{}⟦{}⟧", part(0..error.start), part(error.start..end))
}

#[test]
fn errors_say_what_was_expected_and_where() {
    for (text, message, pointed_at) in [
        ("", "expected a package name, found nothing", "⟦ ⟧"),
        ("?a", "expected a package name, found `?`", "⟦?⟧"),
        ("a-", "`a-` is not a name: ASCII letters and digits, with `-`, `_` and `.` between them", "⟦a-⟧"),
        ("a=1.0", "`=` is not an operator; did you mean `==`?", "a⟦=1.0⟧"),
        ("a 1.0", "expected `==`, `!=`, `~=`, `<=`, `>=`, `<`, `>` or `===` before `1.0`", "a ⟦1.0⟧"),
        ("a>=1.0 <2", "expected a `,` after `1.0`", "a>=1.0⟦ ⟧"),
        ("a>=1.0,,<2", "a specifier is missing beside the `,`", "a>=1.0⟦,⟧"),
        ("ä>=1", "expected a package name, found `ä`", "⟦ä⟧"),
        ("a>=1.ö,<2", "`1.ö` is not a version such as `1.2.3`", "a>=⟦1.ö⟧"),
        ("a[x", "expected `,` or `]` after the name of an extra", "a[x⟦ ⟧"),
        ("a[", "this `[` is not closed", "a⟦[⟧"),
        ("a[x y]", "expected `,` or `]` after the name of an extra", "a[x ⟦y⟧"),
        ("a[x,]", "expected the name of an extra", "a[x,⟦]⟧"),
        ("a (>=1", "this `(` is not closed", "a ⟦(⟧"),
        ("a (>=1) <2", "expected `;` or the end, found `<`", "a (>=1) ⟦<⟧"),
        ("a @ ", "expected a URL after `@`", "a @ ⟦ ⟧"),
        (
            "a @ https://files.example/a.whl; os_name == 'nt'",
            "put a space before this `;`: it could be a part of the URL",
            "a @ https://files.example/a.whl⟦;⟧",
        ),
        (
            "a @ https://files.example/a.whl x",
            "expected `;` or the end, found `x`",
            "a @ https://files.example/a.whl ⟦x⟧",
        ),
        (
            "a @ https://files.example/a#sha256=12",
            "a SHA-256 digest has 64 hexadecimal digits",
            "a @ ⟦https://files.example/a#sha256=12⟧",
        ),
        (
            "https://files.example/a.whl",
            "a URL or a file needs a name before it: `name @ https://…`",
            "⟦https://files.example/a.whl⟧",
        ),
        ("./a", "a URL or a file needs a name before it: `name @ https://…`", "⟦./a⟧"),
        ("dist/a.whl", "a URL or a file needs a name before it: `name @ https://…`", "⟦dist/a.whl⟧"),
        ("a-1.0.tar.gz", "a URL or a file needs a name before it: `name @ https://…`", "⟦a-1.0.tar.gz⟧"),
        (
            "git+https://git.example/a",
            "a URL or a file needs a name before it: `name @ https://…`",
            "⟦git+https://git.example/a⟧",
        ),
        ("é @ x ; é", "expected a package name, found `é`", "⟦é⟧"),
        (
            "a ; os_name = 'é' é",
            "expected `==`, `!=`, `<`, `<=`, `>`, `>=`, `~=`, `in` or `not in`, found `=`",
            "a ; os_name ⟦=⟧",
        ),
        ("a[é] ; x", "expected the name of an extra", "a[⟦é⟧"),
        (
            "a>=1 ; os_name == 'é' é",
            "expected `and`, `or` or the end of the marker",
            "a>=1 ; os_name == 'é' ⟦é⟧",
        ),
        ("a ;", "expected an environment marker or a text in quotes, found the end", "a ;⟦ ⟧"),
    ] {
        let error = text.parse::<Requirement>().unwrap_err();
        assert_eq!(error.message, message, "{text}");
        assert_eq!(pointed(text, &error), pointed_at, "{text}");
    }
    let error = "a @ wheels/a.whl".parse::<Requirement>().unwrap_err();
    assert!(error.message.starts_with("expected an absolute URL such as `https://…`"), "{error}");
}

#[test]
fn an_index_may_be_sloppy() {
    for (text, normal) in [
        ("a (>=7.2.0<8.0.0)", "a>=7.2.0,<8.0.0"),
        ("a>=1.9.*,", "a>=1.9"),
        ("a (!=~5.0,>=4.12)", "a!=5.0.*,>=4.12"),
        ("a>=1.0.*; extra == 'x'", "a>=1.0 ; extra == 'x'"),
    ] {
        assert_eq!(Requirement::parse_lenient(text).unwrap().to_string(), normal);
        assert!(text.parse::<Requirement>().is_err(), "{text}");
    }
    assert!(Requirement::parse_lenient("a ; os_name = 'x'").is_err());
}

/// Where `pep508_rs` reads a requirement as it should, we read the same.
#[test]
fn well_formed_lines_are_read_as_pep508_rs_reads_them() {
    for text in [
        "a>=1.0,<2 ; python_version >= '3.8' and sys_platform != 'win32'",
        "a[x,y]==1.0.* ; (os_name == 'nt' or os_name == 'posix') and extra == 'z'",
        "a~=1.4 ; implementation_name == 'cpython' and platform_machine in 'x86_64 aarch64'",
        "a!=1.1 ; python_full_version < '3.11.3' or 'linux' in sys_platform",
        "a ; python_version > '3.7' and python_version <= '3.12' or platform_system == 'Windows'",
    ] {
        let theirs: pep508_rs::Requirement<Url> = text.parse().unwrap();
        let ours = requirement(text);
        assert_eq!(ours.name.as_str(), theirs.name.as_ref());
        assert_eq!(
            ours.marker,
            requirement(&format!("a ; {}", theirs.marker.try_to_string().unwrap())).marker
        );
    }
}

mod property {
    use proptest::prelude::*;

    use super::*;

    const LINES: [&str; 6] = [
        "requests[security,socks]>=2.8.1,==2.8.* ; python_version < '2.7'",
        "a (>=1.0,!=1.5) ; (os_name == \"nt\" or extra == 'x') and 'lin' in sys_platform",
        "a @ https://me:pw@files.example/a-1.zip#sha256=00 ; python_full_version ~= '3.8.0'",
        "a===1.0+local ; python_version not in '3.8, 3.9' and platform_release >= '5'",
        "Zope.Interface ~= 5.0.post1.dev2 ; implementation_version == '3.*'",
        "a!=~5.0<6,>dev ; extra != 'é' or python_version in '3'",
    ];

    /// A real line with some of its characters replaced, doubled, dropped or swapped for fragments.
    fn mutated() -> impl Strategy<Value = String> {
        let fragments = proptest::sample::select(vec![
            "",
            "(",
            ")",
            "'",
            "\"",
            ";",
            " and ",
            " or ",
            "not in",
            "~=",
            "===",
            "<",
            "*",
            "[",
            "]",
            "@",
            "#",
            "é",
            "\u{0}",
            "🦀",
            "99999999999999999999",
            "18446744073709551615",
            ".*",
            "1!",
            "+",
            "python_version",
            "extra",
            "(((((((((",
            "\u{a0}",
        ]);
        let edits =
            proptest::collection::vec((any::<proptest::sample::Index>(), fragments, 0..4_usize), 1..6);
        (proptest::sample::select(LINES.to_vec()), edits).prop_map(|(line, edits)| {
            let mut chars: Vec<char> = line.chars().collect();
            for (index, fragment, dropped) in edits {
                let at = index.index(chars.len() + 1);
                let end = (at + dropped).min(chars.len());
                chars.splice(at..end, fragment.chars());
            }
            chars.into_iter().collect()
        })
    }

    fn survives(text: &str) {
        for read in [text.parse::<Requirement>(), Requirement::parse_lenient(text)] {
            match read {
                Ok(read) => {
                    let shown = read.to_string();
                    let again = Requirement::parse_lenient(&shown)
                        .unwrap_or_else(|e| panic!("{text:?} {shown:?}: {e}"));
                    assert_eq!(again.marker, read.marker, "{text:?} {shown:?}");
                    let _ = (read.marker.negate().to_string(), read.marker.and(&again.marker).is_never());
                }
                Err(error) => assert!(error.len > 0 && error.start <= text.chars().count(), "{text:?}"),
            }
        }
        let _ = text.parse::<Marker>();
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn mutated_lines_survive(text in mutated()) {
            survives(&text);
        }

        #[test]
        fn random_bytes_survive(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            survives(&String::from_utf8_lossy(&bytes));
        }
    }
}

//! Requirements files: what is read, and as what.

use super::*;

#[test]
fn each_line_means_what_it_means_to_pip() {
    for (text, said) in [
        ("foo", vec!["1:1 foo"]),
        ("\u{feff}foo\r\nbar\r\n", vec!["1:1 foo", "2:1 bar"]),
        ("  Foo_Bar >= 1.0  # comment\n", vec!["1:3 Foo_Bar >= 1.0"]),
        ("foo>1.0,<2", vec!["1:1 foo>1.0,<2"]),
        ("foo;python_version<'3'", vec!["1:1 foo;python_version<'3'"]),
        ("foo (>=1.0)", vec!["1:1 foo (>=1.0)"]),
        ("foo>=1,", vec!["1:1 foo>=1,"]),
        ("foo>=1, ; os_name == 'nt'", vec!["1:1 foo>=1, ; os_name == 'nt'"]),
        ("foo[a, b] ~= 1.0", vec!["1:1 foo[a, b] ~= 1.0"]),
        ("foo \\\n  >=1 \\\n  # note\nbar", vec!["1:1 foo   >=1", "4:1 bar"]),
        ("# only\n\n \t\n", vec![]),
    ] {
        let said: Vec<_> = said.into_iter().map(|line| format!("requirements.in:{line}")).collect();
        assert_eq!(places(&read_text(text).requirements), said, "{text:?}");
    }
}

#[test]
fn a_lock_of_another_tool_is_an_input_too() {
    let digits = "ab".repeat(32);
    let other = "01".repeat(32);
    let text = format!(
        "#\n# made by another tool\n#\nfoo==1.0 \\\n    --hash=sha256:{digits} \\\n    --hash=sha256:{other}\n    # via\n    #   -r requirements.in\nbar==2 ; os_name == \"nt\" \\\n    --hash=sha256:{digits}\n"
    );
    let inputs = read_text(&text);
    assert_eq!(
        places(&inputs.requirements),
        ["requirements.in:4:1 foo==1.0", "requirements.in:9:1 bar==2 ; os_name == \"nt\""]
    );
    let hashes: Vec<Sha256> = vec![other.parse().unwrap(), digits.parse().unwrap()];
    assert_eq!(inputs.requirements[0].hashes, hashes);
    assert_eq!(inputs.requirements[1].hashes, hashes[1..]);
    assert!(inputs.warnings.is_empty());
}

#[test]
fn other_hashes_beside_sha256_give_a_warning() {
    let inputs = read_text(&format!("foo==1 --hash=sha512:00 --hash=sha256:{}", "ab".repeat(32)));
    assert_eq!(inputs.requirements[0].hashes.len(), 1);
    assert_eq!(inputs.warnings, ["requirements.in:1: only the `sha256` hashes are used"]);
}

#[test]
fn options_are_read_in_order() {
    let inputs = read(
        &request("r/dev.in"),
        &Memory::new(&[(
            "r/dev.in",
            "-i https://me:pw@index.example/simple\n--extra-index-url=https://other.example/ --no-index\n-f ../wheels\n--find-links /srv/wheels\n--no-binary=:all:\n--only-binary Foo.Bar,baz # these\n--pre\n--require-hashes\n--no-binary :all:,x,:none:,y\n",
        )]),
    )
    .unwrap();
    let kinds: Vec<_> = inputs.options.iter().map(|option| option.kind.clone()).collect();
    let names = |names: &[&str]| {
        FormatControl::Packages(names.iter().map(|name| PackageName::new(name).unwrap()).collect())
    };
    assert_eq!(
        kinds,
        [
            FileOptionKind::IndexUrl("https://me:pw@index.example/simple".into()),
            FileOptionKind::ExtraIndexUrl("https://other.example/".into()),
            FileOptionKind::NoIndex,
            FileOptionKind::FindLinks("r/../wheels".into()),
            FileOptionKind::FindLinks("/srv/wheels".into()),
            FileOptionKind::NoBinary(FormatControl::All),
            FileOptionKind::OnlyBinary(names(&["foo-bar", "baz"])),
            FileOptionKind::Pre,
            FileOptionKind::RequireHashes,
            FileOptionKind::NoBinary(FormatControl::None),
            FileOptionKind::NoBinary(names(&["y"])),
        ]
    );
    let texts: Vec<_> = inputs.options.iter().map(|option| &*option.text).collect();
    assert_eq!(texts[0], "-i https://****@index.example/simple");
    assert_eq!(texts[2], "--no-index");
    assert_eq!(texts[6], "--only-binary Foo.Bar,baz");
    assert_eq!((inputs.options[2].at.line, inputs.options[2].at.column), (2, 42));
}

#[test]
fn an_ignored_option_gives_a_warning() {
    let inputs = read_text(
        "--prefer-binary\n--trusted-host files.example\n--use-feature=x\nfoo --config-settings a=b\n",
    );
    assert_eq!(places(&inputs.requirements), ["requirements.in:4:1 foo"]);
    assert_eq!(
        inputs.warnings,
        [
            "requirements.in:1: `--prefer-binary` is ignored: the newest release that fits is taken, wheel or not; see `--only-binary`",
            "requirements.in:2: `--trusted-host` is ignored: certificates are always checked",
            "requirements.in:3: `--use-feature` is ignored: it turns on a feature of pip's own",
            "requirements.in:4: `--config-settings` is ignored: no options are passed to builds",
        ]
    );
}

#[test]
fn a_comment_that_swallows_a_line_gives_a_warning() {
    let inputs = read_text("foo # note \\\nbar\nbaz");
    assert_eq!(places(&inputs.requirements), ["requirements.in:1:1 foo", "requirements.in:3:1 baz"]);
    assert_eq!(
        inputs.warnings,
        [
            "requirements.in:2: this line is part of the comment above it, which ends in a backslash, so it is not read"
        ]
    );
}

#[test]
fn an_included_file_is_read_once_in_each_role() {
    let files = Memory::new(&[
        ("r/dev.in", "-r base.in\n-r../top.in\n-c  limits.txt\ndev\n-r ./base.in"),
        ("r/base.in", "base\n--constraint=limits.txt"),
        ("r/../top.in", "top"),
        ("r/limits.txt", "limit<2\n-r more.txt"),
        ("r/more.txt", "more[extra]<3"),
        ("o.txt", "over==1\n-r p.txt"),
        ("p.txt", "over2==1"),
        ("-", "-c r/limits.txt\nstdin"),
    ]);
    let request = InputRequest {
        inputs: vec!["r/dev.in".into(), "-".into(), "-".into()],
        overrides: vec!["o.txt".into()],
        constraints: vec!["r/limits.txt".into()],
        ..InputRequest::default()
    };
    let inputs = read(&request, &files).unwrap();
    assert_eq!(inputs.names.iter().map(|name| &**name).collect::<Vec<_>>(), ["r/dev.in", "-", "-"]);
    assert_eq!(
        places(&inputs.requirements),
        ["r/base.in:1:1 base", "top.in:1:1 top", "r/dev.in:4:1 dev", "-:2:1 stdin"]
    );
    assert_eq!(places(&inputs.constraints), ["r/limits.txt:1:1 limit<2", "r/more.txt:1:1 more[extra]<3"]);
    assert_eq!(places(&inputs.overrides), ["o.txt:1:1 over==1", "p.txt:1:1 over2==1"]);
    assert!(inputs.constraints[1].requirement.extras.is_empty());
    assert_eq!(
        inputs.warnings,
        ["r/more.txt:1: a constraint wants nothing, so the extras of `more[extra]<3` are ignored"]
    );
}

#[test]
fn deep_nesting_is_an_error() {
    let files: Vec<_> = (0..100).map(|i| (format!("{i}.in"), format!("-r {}.in", i + 1))).collect();
    let error = read(&request("0.in"), &Memory { files, variables: Vec::new() }).unwrap_err();
    assert_eq!(error.message, "63.in:1:4: files are nested more than 64 deep");
}

#[test]
fn a_large_file_is_an_error() {
    let files = Memory { files: vec![("a.in".into(), " ".repeat((16 << 20) + 1))], variables: Vec::new() };
    assert_eq!(read(&request("a.in"), &files).unwrap_err().message, "a.in is larger than 16 MB");
}

#[test]
fn variables_are_filled_in_but_not_shown() {
    let text = "--index-url https://${USER}:${TOKEN}@index.example/${PATH_2}/\nfoo==${VERSION} # ${TOKEN}\nbar @ https://${TOKEN}@files.example/bar-1-py3-none-any.whl\n-r ${WHICH}.in\n--find-links https://$USER@x.example/${user}/${EMPTY}\n";
    let files = Memory::new(&[("requirements.in", text), ("dev.in", "dev")]).with_variables(&[
        ("USER", "me"),
        ("TOKEN", "s3cret"),
        ("PATH_2", "simple"),
        ("VERSION", "1.5"),
        ("WHICH", "dev"),
        ("EMPTY", ""),
        ("user", "no"),
    ]);
    let inputs = read(&request("requirements.in"), &files).unwrap();
    assert_eq!(
        places(&inputs.requirements),
        [
            "requirements.in:2:1 foo==${VERSION}",
            "requirements.in:3:1 bar @ https://${TOKEN}@files.example/bar-1-py3-none-any.whl",
            "dev.in:1:1 dev",
        ]
    );
    assert_eq!(inputs.requirements[0].requirement.to_string(), "foo==1.5");
    assert_eq!(
        inputs.options[0].kind,
        FileOptionKind::IndexUrl("https://me:s3cret@index.example/simple/".into())
    );
    assert_eq!(&*inputs.options[0].text, "--index-url https://${USER}:${TOKEN}@index.example/${PATH_2}/");
    assert_eq!(
        inputs.options[1].kind,
        FileOptionKind::FindLinks("https://$USER@x.example/${user}/${EMPTY}".into())
    );
    assert_eq!(inputs.warnings, ["requirements.in:5: `${EMPTY}` has no value, so it stays as it is"]);
}

#[test]
fn normalized_lines_ignore_spacing_case_and_order() {
    let normals = |text: &str| {
        let inputs = read_text(text);
        let mut lines: Vec<_> = inputs.requirements.iter().map(InputLine::normalized).collect();
        lines.extend(inputs.options.iter().map(FileOption::normalized));
        lines.sort();
        lines
    };
    let same = [
        (
            "Foo_Bar >=1,<2 # note\n--pre\nx[b,a]; python_version<'3'",
            "x [A, b] ;python_version < \"3\"\n\nfoo-bar<2, >= 1.\n--pre".replace("1.", "1"),
        ),
        ("-i https://a:b@index.example/simple/", "--index-url https://index.example/simple".to_owned()),
        ("--no-binary b,A", "--no-binary=a,B,b".to_owned()),
        (
            "a @ https://u:p@files.example/a-1-py3-none-any.whl",
            "A@https://files.example/a-1-py3-none-any.whl".to_owned(),
        ),
    ];
    for (one, other) in &same {
        assert_eq!(normals(one), normals(other), "{one}");
    }
    for (one, other) in [
        ("foo>=1", "foo>=2"),
        ("foo", "foo ; os_name == 'nt'"),
        ("-i https://index.example/a", "-i https://index.example/b"),
        ("a @ https://files.example/a-1-py3-none-any.whl", "a @ https://files.example/a-2-py3-none-any.whl"),
        ("a @ https://f.example/a-1.tar.gz", "a @ https://f.example/a-1.tar.gz ; os_name == 'nt'"),
    ] {
        assert_ne!(normals(one), normals(other), "{one}");
    }
    assert_eq!(
        normals("a[x] @ https://u:p@files.example/a-1-py3-none-any.whl ; os_name == 'nt'"),
        ["a[x] @ sha256:66efdc232bf4 ; os_name == 'nt'"]
    );
    assert_eq!(
        normals("--find-links wheels\n-f https://u:p@files.example/w"),
        ["--find-links sha256:ed42e32fe6fa", "--find-links wheels"]
    );
    let arbitrary = normals("a===https://u:p@files.example/w");
    assert_eq!(arbitrary, ["a===sha256:ed42e32fe6fa"], "arbitrary equality takes a URL, too");
}

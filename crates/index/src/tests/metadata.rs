//! The sources of metadata, and the fallback from a source that fails or is wrong.

use super::super::testing::{Delivery, metadata, tar_gz, wheel, zip_of};
use super::*;
use pinfast_packaging::MetadataSource;

const WHEEL: &str = "a-1-py3-none-any.whl";
const FILE: &str = "/files/a-1-py3-none-any.whl";
const SIBLING: &str = "/files/a-1-py3-none-any.whl.metadata";

/// A server with one file, listed with `more`; `answer` answers for everything but the page.
fn serving(
    filename: &'static str,
    bytes: &[u8],
    more: &str,
    answer: impl Fn(&Request) -> Response + Send + Sync + 'static,
) -> Server {
    let page = page(&[entry(filename, bytes, more)]);
    Server::answering(move |request| match request.path.as_str() {
        "/simple/a/" => Response::json(page.clone()),
        "/pypi/a/json" => Response::status(404),
        _ => answer(request),
    })
}

fn requires(client: &Client) -> Vec<String> {
    let file = only_file(client);
    let metadata = client.metadata(&file, Trust::File).unwrap_or_else(|error| panic!("{error:?}"));
    assert_eq!(metadata.source, MetadataSource::File);
    metadata.requires.iter().map(|requirement| requirement.name.to_string()).collect()
}

#[test]
fn a_hashed_sibling_spares_the_wheel() {
    let text = metadata("a", "1", &["b"]);
    let hint = format!(r#", "core-metadata": {{"sha256": "{}"}}"#, Sha256::of(text.as_bytes()));
    let server = serving(WHEEL, b"unread", &hint, move |request| match request.path.as_str() {
        SIBLING => Response::ok("x", text.clone()),
        _ => Response::status(500),
    });
    assert_eq!(requires(&client(config(&server))), ["b"]);
    assert_eq!(server.count(FILE), 0);
}

#[test]
fn a_sibling_with_a_wrong_hash_is_refused_at_once() {
    let bytes = wheel("a", "1", &[]);
    let hint = format!(r#", "core-metadata": {{"sha256": "{}"}}"#, Sha256::of(b"other"));
    let whole = bytes.clone();
    let server = serving(WHEEL, &bytes, &hint, move |request| match request.path.as_str() {
        SIBLING => Response::ok("x", metadata("a", "1", &[])),
        _ => Response::file(request, &whole),
    });
    let client = client(config(&server));
    let error = fatal_error(&client, &only_file(&client));
    assert_eq!(error.kind, ErrorKind::Refused);
    assert_eq!((server.count(SIBLING), server.count(FILE)), (1, 0), "no retry, no fallback");
}

#[test]
fn an_unavailable_sibling_falls_back_to_the_wheel() {
    let hashed = format!(r#", "core-metadata": {{"sha256": "{}"}}"#, Sha256::of(b"x"));
    for hint in [hashed.as_str(), r#", "core-metadata": true"#, r#", "dist-info-metadata": true"#, ""] {
        for status in [404, 410, 403, 500] {
            let bytes = wheel("a", "1", &["b"]);
            let whole = bytes.clone();
            let server = serving(WHEEL, &bytes, hint, move |request| match request.path.as_str() {
                SIBLING => Response::status(status),
                _ => Response::file(request, &whole),
            });
            assert_eq!(requires(&client(config(&server))), ["b"], "{hint} {status}");
            assert_eq!(server.count(FILE), 1, "one ranged read");
        }
    }
}

#[test]
fn a_cut_or_foreign_unhashed_sibling_falls_back_to_the_wheel() {
    for reply in [
        Response::ok("x", metadata("a", "1", &["c"])).delivered(Delivery::UnframedUpTo(45)),
        Response::ok("x", metadata("other", "1", &["c"])),
        Response::ok("x", "<html>not found</html>"),
    ] {
        let bytes = wheel("a", "1", &["b"]);
        let whole = bytes.clone();
        let server = serving(WHEEL, &bytes, r#", "core-metadata": true"#, move |request| {
            if request.path == SIBLING { reply.clone() } else { Response::file(request, &whole) }
        });
        assert_eq!(requires(&client(config(&server))), ["b"]);
    }
}

#[test]
fn the_first_unannounced_sibling_decides_for_the_server() {
    for (present, siblings, ranged) in [(true, 2, 1), (false, 1, 2)] {
        let (first, second) = (wheel("a", "1", &[]), wheel("a", "2", &[]));
        let both = page(&[entry(WHEEL, &first, ""), entry("a-2-py3-none-any.whl", &second, "")]);
        let server = Server::answering(move |request| match request.path.as_str() {
            "/simple/a/" => Response::json(both.clone()),
            path if path.ends_with(".metadata") && present => {
                Response::ok("x", metadata("a", &path["/files/a-".len()..][..1], &[]))
            }
            FILE => Response::file(request, &first),
            "/files/a-2-py3-none-any.whl" => Response::file(request, &second),
            _ => Response::status(404),
        });
        let client = client(config(&server));
        let listing = client.listing(&name("a")).unwrap().unwrap();
        for number in 0..listing.len() {
            client.metadata(&listing.files(number)[0], Trust::File).unwrap();
        }
        let count = |what: &dyn Fn(&str) -> bool| server.requests().iter().filter(|r| what(&r.path)).count();
        assert_eq!(count(&|path| path.ends_with(".metadata")), siblings);
        assert_eq!(count(&|path| path.ends_with(".whl")), ranged);
    }
}

#[test]
fn a_large_wheel_is_read_by_at_most_three_ranges() {
    let text = metadata("a", "1", &["b"]);
    let many: Vec<_> = (0..2000).map(|number| format!("a/module_{number}.py")).collect();
    let mut members = vec![("a-1.dist-info/METADATA", text.as_bytes())];
    members.extend(many.iter().map(|path| (path.as_str(), b"pass".as_slice())));
    let bytes = zip_of(&members);
    assert!(bytes.len() > 200_000);
    let whole = bytes.clone();
    let server = serving(WHEEL, &bytes, "", move |request| match request.path.as_str() {
        SIBLING => Response::status(404),
        _ => {
            assert!(request.header("range").is_some());
            Response::file(request, &whole)
        }
    });
    assert_eq!(requires(&client(config(&server))), ["b"]);
    assert!(server.count(FILE) <= 3, "its tail, its directory, its metadata");
}

#[test]
fn without_ranges_the_whole_wheel_is_downloaded() {
    for status in [200, 416, 500, 206] {
        let bytes = wheel("a", "1", &["b"]);
        let whole = bytes.clone();
        let server = serving(WHEEL, &bytes, "", move |request| match request.path.as_str() {
            SIBLING => Response::status(404),
            _ if request.header("range").is_some() && status != 200 => Response::status(status),
            _ => Response::ok("x", whole.clone()),
        });
        assert_eq!(requires(&client(config(&server))), ["b"], "{status}");
    }
}

#[test]
fn a_wrong_size_on_the_page_still_gives_the_metadata() {
    for wrong in ["1", "100", "99999999"] {
        let bytes = wheel("a", "1", &["b"]);
        let listed = entry(WHEEL, &bytes, "")
            .replace(&format!("\"size\": {}", bytes.len()), &format!("\"size\": {wrong}"));
        let whole = bytes.clone();
        let server = Server::answering(move |request| match request.path.as_str() {
            "/simple/a/" => Response::json(page(std::slice::from_ref(&listed))),
            FILE if wrong == "99999999" && request.header("range").is_some() => Response::status(416),
            FILE => Response::file(request, &whole),
            _ => Response::status(404),
        });
        assert_eq!(requires(&client(config(&server))), ["b"], "{wrong}");
    }
}

#[test]
fn a_whole_wheel_with_a_wrong_hash_is_refused() {
    let whole = wheel("a", "1", &["evil"]);
    let server = serving(WHEEL, b"what the index hashed", "", move |request| match request.path.as_str() {
        SIBLING => Response::status(404),
        _ => Response::ok("x", whole.clone()),
    });
    let client = client(config(&server));
    let error = fatal_error(&client, &only_file(&client));
    assert_eq!(error.kind, ErrorKind::Refused);
    assert!(error.message.contains("does not match its hash"));
}

#[test]
fn an_unavailable_listed_file_is_no_answer() {
    for status in [404, 410, 401, 403, 500] {
        let server = serving(WHEEL, b"x", "", move |_| Response::status(status));
        let client = client(config(&server));
        assert_eq!(fatal_error(&client, &only_file(&client)).kind, ErrorKind::NoAnswer, "{status}");
    }
}

#[test]
fn an_invalid_wheel_with_the_right_hash_excludes_the_candidate() {
    let text = |name: &str, version: &str| metadata(name, version, &[]);
    let with = |path: &str, text: &str| zip_of(&[(path, text.as_bytes())]);
    let double = zip_of(&[
        ("a-1.dist-info/METADATA", text("a", "1").as_bytes()),
        ("A-1.dist-info/METADATA", text("a", "1").as_bytes()),
    ]);
    let mut damaged = wheel("a", "1", &[]);
    let at = damaged.windows(8).position(|bytes| bytes == b"METADATA").unwrap();
    damaged[at + 20] ^= 0xff;
    for (what, bytes) in [
        ("no archive", b"no archive at all, but what the index hashed".to_vec()),
        ("empty", Vec::new()),
        ("no metadata", zip_of(&[("a/__init__.py", b"")])),
        ("metadata of another folder", with("b-1.dist-info/METADATA", &text("a", "1"))),
        ("another name", with("a-1.dist-info/METADATA", &text("b", "1"))),
        ("another version", with("a-1.dist-info/METADATA", &text("a", "2"))),
        ("no name", with("a-1.dist-info/METADATA", "Metadata-Version: 2.1\n")),
        ("a bad requirement", with("a-1.dist-info/METADATA", &metadata("a", "1", &["b =="]))),
        ("twice", double),
        ("damaged", damaged),
    ] {
        let whole = bytes.clone();
        let server = serving(WHEEL, &bytes, "", move |request| match request.path.as_str() {
            SIBLING => Response::status(404),
            _ if whole.is_empty() => Response::ok("x", ""),
            _ => Response::file(request, &whole),
        });
        let client = client(config(&server));
        let why = invalid_reason(&client, &only_file(&client));
        assert!(!why.is_empty(), "{what}");
    }
}

#[test]
fn metadata_larger_than_the_limit_is_no_answer() {
    let mut text = metadata("a", "1", &[]);
    text += &" ".repeat(5000);
    let bytes = zip_of(&[("a-1.dist-info/METADATA", text.as_bytes())]);
    for sibling in [200, 404] {
        let (whole, text) = (bytes.clone(), text.clone());
        let server = serving(WHEEL, &bytes, "", move |request| match request.path.as_str() {
            SIBLING if sibling == 404 => Response::status(404),
            SIBLING => Response::ok("x", text.clone()),
            _ => Response::file(request, &whole),
        });
        let limits = Limits { metadata: 4000, ..quick() };
        let client = client(IndexConfig { limits, ..config(&server) });
        let error = fatal_error(&client, &only_file(&client));
        assert_eq!(error.kind, ErrorKind::NoAnswer);
        assert!(error.hints[0].contains("PINFAST_MAX_METADATA_SIZE"), "{error:?}");
    }
}

#[test]
fn release_metadata_is_used_only_for_its_own_release_and_where_readable() {
    let bytes = [wheel("a", "1", &["old"]), wheel("a", "2", &["own"])];
    let api = |requires: &str, version: &str| {
        let file = |number: usize| {
            entry(&format!("a-{number}-py3-none-any.whl"), &bytes[number - 1], "")
                .replace("hashes", "digests")
                .replace("../../files", "/files")
        };
        format!(
            r#"{{"info": {{"name": "a", "version": "{version}", "requires_dist": {requires}, "description": "x"}},
                "releases": {{"1": [{}], "2": [{}]}}}}"#,
            file(1),
            file(2)
        )
    };
    for (requires, version, release, old) in [
        (r#"["index"]"#, "2", "index", "old"),
        ("null", "2", "own", "old"),
        (r#"["=="]"#, "2", "own", "old"),
        (r#"["index"]"#, "1", "own", "index"),
        (r#"["index"]"#, "3", "own", "old"),
    ] {
        let (body, files) = (api(requires, version), bytes.clone());
        let server = Server::answering(move |request| match request.path.as_str() {
            "/pypi/a/json" => Response::json(body.clone()),
            FILE => Response::file(request, &files[0]),
            "/files/a-2-py3-none-any.whl" => Response::file(request, &files[1]),
            _ => Response::status(404),
        });
        let client = client(config(&server));
        let listing = client.listing(&name("a")).unwrap().unwrap();
        let required = |release: usize, trust| {
            let metadata = client.metadata(&listing.files(release)[0], trust).unwrap();
            metadata.requires[0].name.to_string()
        };
        assert_eq!(required(1, Trust::Release), release, "{requires} {version}");
        assert_eq!(required(0, Trust::Release), old, "{requires} {version}");
        assert_eq!((required(0, Trust::File), required(1, Trust::File)), ("old".into(), "own".into()));
    }
}

#[test]
fn static_sdist_metadata_is_used_and_dynamic_needs_a_build() {
    let info =
        |version: &str, more: &str| format!("Metadata-Version: {version}\nName: a\nVersion: 1\n{more}\n");
    let project = |text: &str| format!("[project]\nname = \"A\"\n{text}\n");
    let of = |info: Option<String>, project: Option<String>| -> Vec<(String, String)> {
        let info = info.map(|text| ("a-1/PKG-INFO".to_owned(), text));
        info.into_iter().chain(project.map(|text| ("a-1/pyproject.toml".to_owned(), text))).collect()
    };
    let none: Option<Vec<&str>> = None;
    for (members, expected) in [
        (of(Some(info("2.2", "Requires-Dist: b\n")), None), Some(vec!["b"])),
        (of(Some(info("2.2", "Requires-Dist: b\nDynamic: Requires-Dist\n")), None), none.clone()),
        (of(Some(info("2.1", "Requires-Dist: b\n")), None), none.clone()),
        (
            of(Some(info("2.1", "")), Some(project("version = \"1.0\"\ndependencies = [\"c\"]"))),
            Some(vec!["c"]),
        ),
        (of(None, Some(project("dynamic = [\"version\"]\ndependencies = [\"c\"]"))), Some(vec!["c"])),
        (
            of(
                None,
                Some(project(
                    "version = \"1\"\n[project.optional-dependencies]\nx = [\"d\", \"e; os_name == 'nt'\"]",
                )),
            ),
            Some(vec!["d", "e"]),
        ),
        (of(None, Some(project("version = \"2\"\ndependencies = [\"c\"]"))), none.clone()),
        (of(None, Some(project("version = \"1\"\ndynamic = [\"dependencies\"]"))), none.clone()),
        (of(None, Some(project("dependencies = [\"c\"]"))), none.clone()),
        (of(None, Some("[build-system]\n".to_owned())), none.clone()),
        (of(None, Some("no toml".to_owned())), none.clone()),
        (of(None, None), none),
    ] {
        let members: Vec<_> = members.iter().map(|(path, text)| (path.as_str(), text.as_bytes())).collect();
        for (filename, bytes) in [("a-1.tar.gz", tar_gz(&members)), ("a-1.zip", zip_of(&members))] {
            let whole = bytes.clone();
            let server = serving(filename, &bytes, "", move |_| Response::ok("x", whole.clone()));
            let client = client(config(&server));
            match &expected {
                Some(expected) => assert_eq!(requires(&client), *expected, "{members:?}"),
                None => {
                    let found = client.metadata(&only_file(&client), Trust::File);
                    let Err(MetadataFailure::NeedsBuild(why)) = found else {
                        panic!("{members:?}: {found:?}")
                    };
                    assert!(why.contains("needs a build"), "{members:?}: {why}");
                }
            }
        }
    }
}

#[test]
fn a_broken_sdist_excludes_its_candidate() {
    for bytes in [b"no archive".to_vec(), tar_gz(&[("a-1/PKG-INFO", &[b'x'; 3000])])[..60].to_vec()] {
        let whole = bytes.clone();
        let server = serving("a-1.tar.gz", &bytes, "", move |_| Response::ok("x", whole.clone()));
        let client = client(config(&server));
        assert!(invalid_reason(&client, &only_file(&client)).contains("broken"));
    }
}

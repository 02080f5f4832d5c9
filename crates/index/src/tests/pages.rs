//! Which index a listing comes from, and what its pages may contain.

use super::super::ApiOrder;
use super::super::testing::wheel;
use super::*;
use pinfast_packaging::MetadataHint;

const WHEEL: &str = "a-1-py3-none-any.whl";

fn serving(path: &'static str, reply: Response) -> Server {
    Server::answering(move |request| if request.path == path { reply.clone() } else { Response::status(404) })
}

fn simple(body: &str) -> Server {
    serving("/simple/a/", if body.starts_with('{') { Response::json(body) } else { Response::html(body) })
}

fn listed(server: &Server) -> Arc<Listing> {
    client(config(server)).listing(&name("a")).unwrap().unwrap()
}

fn filenames(listing: &Listing) -> Vec<String> {
    listing.all_files().map(|file| file.filename.to_string()).collect()
}

#[test]
fn every_format_gives_the_same_listing() {
    let hash = Sha256::of(b"1");
    let other = Sha256::of(b"2");
    let api = format!(
        r#"{{"info": {{"name": "A", "version": "1", "requires_dist": ["b"], "requires_python": null,
             "provides_extra": null, "description": "long \" and deep", "x": [[[]]]}}, "last_serial": 7,
             "releases": {{"2.0": [], "1": [{{"filename": "a-1.tar.gz", "url": "/files/a-1.tar.gz",
             "digests": {{"md5": "0", "sha256": "{hash}"}}, "requires_python": ">=3.8", "yanked": true,
             "yanked_reason": "bad", "size": 5, "upload_time_iso_8601": "2024-12-04T17:35:28.174320Z"}}],
             "0.9": [{{"filename": "a-0.9-py3-none-any.whl", "url": "/files/a-0.9-py3-none-any.whl",
             "digests": {{"sha256": "{other}"}}, "requires_python": null, "yanked": false,
             "yanked_reason": null, "core-metadata": {{"sha256": "{hash}"}}}}]}}, "urls": []}}"#
    );
    let json = format!(
        r#"{{"meta": {{"api-version": "1.1"}}, "name": "a", "versions": ["1"], "files": [
             {{"filename": "a-1.tar.gz", "url": "../../files/a-1.tar.gz", "hashes": {{"sha256": "{hash}"}},
             "requires-python": ">=3.8", "yanked": "bad", "size": 5,
             "upload-time": "2024-12-04T17:35:28.174320Z"}},
             {{"filename": "a-0.9-py3-none-any.whl", "url": "/files/a-0.9-py3-none-any.whl",
             "hashes": {{"sha256": "{other}"}}, "dist-info-metadata": {{"sha256": "{hash}"}}}}]}}"#
    );
    let html = format!(
        r#"<!DOCTYPE html><html><head><meta name="pypi:repository-version" content="1.0"><base href="/files/">
             </head><body><A HREF="a-1.tar.gz#md5=0&sha256={hash}" data-requires-python="&gt;=3.8"
             data-yanked="bad">a-1.tar.gz</A><br/><a data-core-metadata="sha256={hash}"
             href="/files/a-0.9-py3-none-any.whl#sha256={other}">a</a><a href="../">up</a><a>no link</a>
             <a href="a-0.8.egg">a-0.8.egg</a></body></html>"#
    );
    let pages =
        [serving("/pypi/a/json", Response::ok("application/json", api)), simple(&json), simple(&html)];
    for server in pages {
        let listing = listed(&server);
        assert_eq!(listing.warnings, [] as [&str; 0]);
        assert_eq!(versions(&listing), ["0.9", "1"]);
        let [old, new] = [0, 1].map(|release: usize| listing.files(release)[0].clone());
        assert_eq!(new.url.as_str(), server.url("/files/a-1.tar.gz"));
        assert_eq!((new.sha256, old.sha256), (Some(hash), Some(other)));
        assert_eq!(new.requires_python.as_ref().unwrap().to_string(), ">=3.8");
        assert_eq!(old.requires_python, None);
        assert_eq!((new.yanked.as_deref(), old.yanked.as_deref()), (Some("bad"), None));
        assert_eq!((new.metadata, old.metadata), (MetadataHint::Unknown, MetadataHint::Hashed(hash)));
        assert!(matches!(new.size, Some(5) | None));
        assert!(new.uploaded.is_none_or(|time| time.to_string() == "2024-12-04T17:35:28.17432Z"));
    }
}

#[test]
fn an_unreadable_entry_is_skipped_alone() {
    let fine = entry(WHEEL, b"1", "");
    for (what, bad) in [
        ("version", entry("a-x.y.z-py3-none-any.whl", b"1", "")),
        ("name", entry("b-2-py3-none-any.whl", b"1", "")),
        ("path", entry("../a-2-py3-none-any.whl", b"1", "")),
        ("hash", entry("a-2.tar.gz", b"1", "").replace(&Sha256::of(b"1").to_string(), "123")),
        ("url", entry("a-2.tar.gz", b"1", "").replace("../../files", "file:///etc")),
        ("url", entry("a-2.tar.gz", b"1", "").replace("../../files", "http://[")),
        ("type", entry("a-2.tar.gz", b"1", r#", "requires-python": 3"#)),
        ("type", r#"{"filename": "a-2.tar.gz"}"#.to_owned()),
        ("type", "7".to_owned()),
    ] {
        let listing = listed(&simple(&page(&[bad.clone(), fine.clone()])));
        assert_eq!(filenames(&listing), [WHEEL], "{what}: {bad}");
        assert_eq!(listing.warnings.len(), 1, "{what}: {bad}");
        assert!(listing.warnings[0].contains("skipped"), "{:?}", listing.warnings);
    }
}

#[test]
fn a_file_with_two_hashes_is_skipped_and_an_equal_duplicate_counts_once() {
    let other = entry("a-2.tar.gz", b"1", "");
    let listing = listed(&simple(&page(&[entry(WHEEL, b"1", ""), other.clone(), entry(WHEEL, b"2", "")])));
    assert_eq!(filenames(&listing), ["a-2.tar.gz"]);
    assert!(listing.warnings[0].contains(WHEEL) && listing.warnings[0].contains("two hashes"));
    let listing = listed(&simple(&page(&[other.clone(), other])));
    assert_eq!((filenames(&listing).len(), listing.warnings.len()), (1, 0));
}

#[test]
fn an_unreadable_requires_python_is_ignored_with_a_warning() {
    let listing = listed(&simple(&page(&[entry(WHEEL, b"1", r#", "requires-python": "snake""#)])));
    assert_eq!(filenames(&listing), [WHEEL]);
    assert_eq!(listing.files(0)[0].requires_python, None);
    assert_eq!(listing.warnings.len(), 1);
}

#[test]
fn warnings_escape_the_control_characters_of_a_page() {
    let evil = entry("a-\\u001b[31m-py3-none-any.whl", b"1", "");
    let listing = listed(&simple(&page(&[evil])));
    assert!(listing.warnings.iter().all(|warning| !warning.contains('\u{1b}')), "{:?}", listing.warnings);
}

#[test]
fn other_kinds_of_files_are_skipped_without_a_warning() {
    let others = ["a-1.egg", "a-1.win32.exe", "a-1.tar.bz2", "a-1-py3-none-any.whl.asc", "a-1.rpm"];
    let listing = listed(&simple(&page(&others.map(|filename| entry(filename, b"1", "")))));
    assert_eq!((listing.len(), listing.warnings.len()), (0, 0));
}

#[test]
fn the_first_index_with_a_project_provides_it() {
    let first = simple(&page(&[entry("a-1.tar.gz", b"1", "")]));
    let second = Server::answering(|request| match request.path.as_str() {
        "/simple/a/" => Response::json(page(&[entry("a-9.tar.gz", b"evil", "")])),
        "/simple/b/" => Response::json(page(&[entry("b-1.tar.gz", b"b", "")]).replace("\"a\"", "\"b\"")),
        _ => Response::status(404),
    });
    let indexes = [first.url("/simple"), second.url("/simple/")];
    let client = client(config_of(&indexes));
    assert_eq!(versions(&client.listing(&name("a")).unwrap().unwrap()), ["1"]);
    assert_eq!(versions(&client.listing(&name("b")).unwrap().unwrap()), ["1"]);
    assert!(client.listing(&name("c")).unwrap().is_none());
    assert_eq!(second.count("/simple/a/"), 0);
}

#[test]
fn a_failure_of_the_first_index_is_no_answer() {
    let first = Server::answering(|_| Response::status(500));
    let second = simple(&page(&[entry("a-9.tar.gz", b"evil", "")]));
    let error = client(config_of(&[first.url("/simple"), second.url("/simple")])).listing(&name("a"));
    assert_eq!(kind_of(error), ErrorKind::NoAnswer);
}

#[test]
fn a_project_with_a_source_is_requested_there_only() {
    let usual = simple(&page(&[entry("a-9.tar.gz", b"9", "")]));
    let own = simple(&page(&[entry("a-1.tar.gz", b"1", "")]));
    let source = IndexUrl::parse(&own.url("/simple"), Path::new("/")).unwrap();
    let sources = std::iter::once((name("a"), source)).collect();
    let client = client(IndexConfig { sources, ..config(&usual) });
    assert_eq!(versions(&client.listing(&name("a")).unwrap().unwrap()), ["1"]);
    assert_eq!(usual.requests().len(), 0);
}

#[test]
fn a_missing_json_api_is_requested_once() {
    let server = Server::answering(|request| match request.path.as_str() {
        "/simple/a/" => Response::json(page(&[])),
        "/simple/b/" => Response::json(page(&[]).replace("\"a\"", "\"b\"")),
        _ => Response::status(404),
    });
    let client = client(config(&server));
    client.listing(&name("a")).unwrap().unwrap();
    client.listing(&name("b")).unwrap().unwrap();
    assert_eq!((server.count("/pypi/a/json"), server.count("/pypi/b/json")), (1, 0));
}

#[test]
fn the_api_order_is_configurable() {
    let server = simple(&page(&[entry(WHEEL, b"1", "")]));
    let config = IndexConfig { api_order: ApiOrder::SimpleFirst, ..config(&server) };
    assert!(client(config).listing(&name("a")).unwrap().is_some());
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn find_links_files_are_merged_with_those_of_the_index() {
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).unwrap();
    put("A-2-py3-none-any.whl", &wheel("a", "2", &["c"]));
    put("a_b-3.tar.gz", b"another project's");
    put(WHEEL, b"the index's entry counts");
    put("a-4.tar.gz.part", b"no distribution");
    let server = simple(&page(&[entry(WHEEL, b"1", "")]));
    let location = |text: &str| IndexUrl::parse(text, folder.path()).unwrap();
    let links =
        serving("/links", Response::html("<html><a href=x/a-3.tar.gz>a</a><a href=x/b-1.zip>b</a></html>"));
    let find_links = vec![location("."), location("a_b-3.tar.gz"), location(&links.url("/links"))];
    let both = IndexConfig { find_links: find_links.clone(), ..config(&server) };
    let client_of_both = client(both);
    let listing = client_of_both.listing(&name("a")).unwrap().unwrap();
    assert_eq!(filenames(&listing), [WHEEL, "A-2-py3-none-any.whl", "a-3.tar.gz"]);
    assert_eq!(listing.files(0)[0].sha256, Some(Sha256::of(b"1")));
    let local = &listing.files(1)[0];
    assert_eq!(client_of_both.metadata(local, Trust::File).unwrap().requires.len(), 1);
    assert_eq!(client_of_both.sha256(local).unwrap(), Sha256::of(&wheel("a", "2", &["c"])));
    assert!(client_of_both.listing(&name("a-b")).unwrap().is_some(), "a file that is named itself");
    let alone = client(IndexConfig { find_links, ..config_of(&[] as &[&str]) });
    assert_eq!(versions(&alone.listing(&name("b")).unwrap().unwrap()), ["1"]);
    assert!(alone.listing(&name("z")).unwrap().is_none());
    assert_eq!(links.requests().len(), 2, "once a run");
}

#[test]
fn a_missing_find_links_location_is_no_answer() {
    let server = Server::answering(|_| Response::status(404));
    for location in ["/nowhere/at/all".to_owned(), server.url("/links")] {
        let find_links = vec![IndexUrl::parse(&location, Path::new("/")).unwrap()];
        let client = client(IndexConfig { find_links, ..config_of(&[] as &[&str]) });
        assert_eq!(kind_of(client.listing(&name("a"))), ErrorKind::NoAnswer);
    }
}

#[test]
fn a_folder_is_an_index_in_every_layout() {
    let bytes = wheel("a", "1", &["b"]);
    let html = format!("<a href=\"../../files/{WHEEL}#sha256={}\">{WHEEL}</a>", Sha256::of(&bytes));
    let json = page(&[entry(WHEEL, &bytes, "")]);
    let api =
        format!(r#"{{"releases": {{"1": [{}]}}}}"#, entry(WHEEL, &bytes, "").replace("hashes", "digests"));
    for (path, text, index) in [
        ("simple/a/index.html", html.as_str(), "."),
        ("simple/a/index.html", html.as_str(), "simple"),
        ("simple/a/index.json", json.as_str(), "."),
        ("simple/a/index.json", json.as_str(), "simple/"),
        ("pypi/a/json", api.as_str(), "."),
        ("pypi/a/json", api.as_str(), "simple"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let write = |path: &str, bytes: &[u8]| {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        };
        write(path, text.as_bytes());
        write("simple/b/index.html", b"<html></html>");
        write(&format!("files/{WHEEL}"), &bytes);
        let index = IndexUrl::parse(index, folder.path()).unwrap();
        let client = client(IndexConfig { indexes: vec![index], ..config_of(&[] as &[&str]) });
        let file = only_file(&client);
        assert_eq!(file.sha256, Some(Sha256::of(&bytes)), "{path}");
        assert_eq!(client.metadata(&file, Trust::File).unwrap().requires.len(), 1, "{path}");
        assert!(client.listing(&name("z")).unwrap().is_none());
        assert!(!client.transport.is_connected(), "no network is started");
    }
}

#[test]
fn a_broken_or_missing_index_folder_is_no_answer() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("simple/a")).unwrap();
    std::fs::write(folder.path().join("simple/a/index.json"), "{").unwrap();
    for index in [".", "elsewhere"] {
        let indexes = vec![IndexUrl::parse(index, folder.path()).unwrap()];
        let client = client(IndexConfig { indexes, ..config_of(&[] as &[&str]) });
        assert_eq!(kind_of(client.listing(&name("a"))), ErrorKind::NoAnswer, "{index}");
    }
}

#[test]
fn a_local_file_with_a_wrong_hash_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("simple/a")).unwrap();
    let html = format!("<a href=\"{WHEEL}#sha256={}\">{WHEEL}</a>", Sha256::of(b"other"));
    std::fs::write(folder.path().join("simple/a/index.html"), html).unwrap();
    std::fs::write(folder.path().join("simple/a").join(WHEEL), wheel("a", "1", &[])).unwrap();
    let indexes = vec![IndexUrl::parse(".", folder.path()).unwrap()];
    let client = client(IndexConfig { indexes, ..config_of(&[] as &[&str]) });
    let file = only_file(&client);
    assert_eq!(fatal_error(&client, &file).kind, ErrorKind::Refused);
    assert_eq!(kind_of(client.fetch_file(&file, &folder.path().join("copy"))), ErrorKind::Refused);
}

//! Single releases: a given one, and the newest.

use super::super::{ApiOrder, CacheMode};
use super::cache::run;
use super::*;
use pinfast_solve::IndexQuery;

const WHEEL: &str = "a-1-py3-none-any.whl";

fn filenames(listing: &Listing) -> Vec<String> {
    listing.all_files().map(|file| file.filename.to_string()).collect()
}

/// A server of a project `a` with two releases, with `release` as the page of release 1.
fn with_release(release: &'static str) -> Server {
    Server::answering(move |request| match request.path.as_str() {
        "/pypi/a/1/json" if !release.is_empty() => Response::ok("application/json", release),
        "/simple/a/" => Response::json(page(&[entry("a-1.tar.gz", b"1", ""), entry("a-2.tar.gz", b"2", "")])),
        _ => Response::status(404),
    })
}

const RELEASE: &str = r#"{"info": {"name": "A", "version": "1", "requires_dist": ["b>=2"]}, "urls": [
    {"filename": "a-1-py3-none-any.whl", "url": "a-1-py3-none-any.whl", "digests": {}}]}"#;

#[test]
fn a_release_page_gives_the_files_and_metadata_of_the_release() {
    let server = with_release(RELEASE);
    let (client, version) = (client(config(&server)), "1".parse().unwrap());
    let release = client.release_listing(&name("a"), &version).unwrap();
    assert_eq!((versions(&release), filenames(&release)), (vec!["1".to_owned()], vec![WHEEL.to_owned()]));
    let metadata = client.metadata(&release.files(0)[0], Trust::Release).unwrap();
    assert_eq!(metadata.requires[0].to_string(), "b>=2");
    assert_eq!(server.count("/simple/a/"), 0);
}

#[test]
fn a_release_page_is_not_requested_after_the_listing() {
    let server = with_release(RELEASE);
    let client = client(config(&server));
    client.listing(&name("a")).unwrap().unwrap();
    assert!(client.release_listing(&name("a"), &"1".parse().unwrap()).is_none());
    assert_eq!(server.count("/pypi/a/1/json"), 0);
}

#[test]
fn a_release_page_is_not_requested_while_the_listing_is_on_its_way() {
    let server = with_release(RELEASE);
    let client = client(config(&server));
    for want in [IndexQuery::Listing(name("a")), IndexQuery::Release(name("a"), "1".parse().unwrap())] {
        client.prefetch.start(&want);
    }
    client.listing(&name("a")).unwrap().unwrap();
    assert_eq!((server.count("/simple/a/"), server.count("/pypi/a/1/json")), (1, 0));
}

#[test]
fn a_page_of_another_release_is_rejected() {
    for release in [
        "",
        "{}",
        r#"{"info": {"name": "b", "version": "1"}, "urls": []}"#,
        r#"{"info": {"name": "a", "version": "2"}, "urls": [{"filename": "a-2.tar.gz", "url": "a-2.tar.gz"}]}"#,
        r#"{"info": {"name": "a", "version": "1"}, "urls": [{"filename": "a-1.tar.gz", "url": 7}]}"#,
    ] {
        let server = with_release(release);
        let client = client(config(&server));
        assert!(client.release_listing(&name("a"), &"1".parse().unwrap()).is_none(), "{release}");
        assert_eq!(versions(&client.listing(&name("a")).unwrap().unwrap()), ["1", "2"], "{release}");
    }
}

/// How much more there is on long pages: more than is read over HTTP/1.1 rather than that the connection is closed.
const MORE: usize = 3 << 20;

/// A page of project `a` with `version` as the newest release. It is too long to be read to its end, and would be
/// invalid.
fn long_page(version: &str) -> Response {
    let more = "x".repeat(MORE);
    let info = format!(r#"{{"name": "a", "version": "{version}", "requires_dist": ["b>={version}"]}}"#);
    Response::ok("application/json", format!(r#"{{"info": {info}, "more": "{more}"}}"#))
}

/// The page of the release `version` of project `a`.
fn release_page(version: &str) -> Response {
    let file = format!(r#"{{"filename": "a-{version}.tar.gz", "url": "a-{version}.tar.gz"}}"#);
    let info = format!(r#"{{"name": "a", "version": "{version}", "requires_dist": ["b>={version}"]}}"#);
    Response::ok("application/json", format!(r#"{{"info": {info}, "urls": [{file}]}}"#))
}

/// A server of project `a` with the releases 1 and 2; `project` is its page in the JSON API.
fn with_project(project: impl Fn(&Request) -> Response + Send + Sync + 'static) -> Server {
    Server::answering(move |request| match request.path.as_str() {
        "/pypi/a/json" => project(request),
        "/pypi/a/1/json" => release_page("1"),
        "/pypi/a/2/json" => release_page("2"),
        "/simple/a/" => Response::json(page(&[entry("a-1.tar.gz", b"1", ""), entry("a-2.tar.gz", b"2", "")])),
        _ => Response::status(404),
    })
}

fn newest(client: &Client) -> Option<Vec<String>> {
    client.newest_listing(&name("a")).map(|listing| versions(&listing))
}

#[test]
fn a_long_page_is_read_up_to_its_newest_release() {
    let server = with_project(|_| long_page("2"));
    let client = client(config(&server));
    let release = client.newest_listing(&name("a")).unwrap();
    assert_eq!(
        (versions(&release), filenames(&release)),
        (vec!["2".to_owned()], vec!["a-2.tar.gz".to_owned()])
    );
    assert_eq!(release.files(0)[0].url.as_str(), server.url("/pypi/a/2/a-2.tar.gz"));
    let metadata = client.metadata(&release.files(0)[0], Trust::Release).unwrap();
    assert_eq!(metadata.requires[0].to_string(), "b>=2");
    assert_eq!(server.requests().len(), 2);
    assert_eq!(
        versions(&client.listing(&name("a")).unwrap().unwrap()),
        ["1", "2"],
        "all, once they are wanted"
    );
}

#[test]
fn a_long_gzip_page_is_read_up_to_its_newest_release() {
    let packed = || {
        // What does not pack well, so that there is a long rest.
        let noise = (0_u64..400_000)
            .map(|n| format!("{:x}", n.wrapping_mul(0x9e37_79b9_7f4a_7c15)))
            .collect::<String>();
        let info = r#"{"name": "a", "version": "2", "requires_dist": []}"#;
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(
            &mut encoder,
            format!(r#"{{"info": {info}, "more": "{noise}"}}"#).as_bytes(),
        )
        .unwrap();
        encoder.finish().unwrap()
    };
    let body = packed();
    assert!(body.len() > MORE / 2, "{}", body.len());
    let server = with_project(move |_| {
        Response::ok("application/json", body.clone()).header("Content-Encoding", "gzip")
    });
    assert_eq!(newest(&client(config(&server))), Some(vec!["2".to_owned()]));
    assert_eq!(server.count("/simple/a/"), 0);
}

#[test]
fn newest_metadata_is_available_before_the_files() {
    let server = Server::answering(|request| match request.path.as_str() {
        "/pypi/a/json" => long_page("2"),
        _ => Response::status(200).delivered(crate::testing::Delivery::Silent),
    });
    let config = config(&server);
    let limits = Limits { silence: Duration::from_secs(600), ..config.limits };
    let client = client(IndexConfig { limits, ..config });
    let metadata = client.newest_metadata(&name("a")).unwrap();
    assert_eq!(
        (metadata.version.to_string(), metadata.requires[0].to_string()),
        ("2".to_owned(), "b>=2".to_owned())
    );
}

#[test]
fn newest_metadata_is_none_once_the_files_are_there() {
    let server = with_project(|_| long_page("2"));
    let client = client(config(&server));
    assert!(newest(&client).is_some());
    assert!(client.newest_metadata(&name("a")).is_none());
}

#[test]
fn a_short_page_is_read_whole() {
    let file = r#"{"filename": "a-2.tar.gz", "url": "a-2.tar.gz"}"#;
    let page = format!(
        r#"{{"info": {{"name": "a", "version": "2", "requires_dist": []}}, "releases": {{"2": [{file}]}}}}"#
    );
    let server = with_project(move |_| Response::ok("application/json", page.clone()));
    let client = client(config(&server));
    assert_eq!(newest(&client), None);
    assert_eq!(versions(&client.listing(&name("a")).unwrap().unwrap()), ["2"]);
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn an_unusable_newest_release_leads_to_the_listing() {
    for (what, version) in
        [("a pre-release", "3a1"), ("a release without a page", "3"), ("no version", "three")]
    {
        let server = with_project(move |_| long_page(version));
        let config = IndexConfig { api_order: ApiOrder::JsonFirst, ..config(&server) };
        let client = client(config);
        assert_eq!(newest(&client), None, "{what}");
    }
    let late = format!(
        r#"{{"more": "{}", "releases": {{}}, "info": {{"name": "a", "version": "2"}}}}"#,
        "x".repeat(MORE)
    );
    let server = with_project(move |_| Response::ok("application/json", late.clone()));
    let client = client(config(&server));
    assert_eq!(newest(&client), None, "it comes late");
    assert_eq!(
        versions(&client.listing(&name("a")).unwrap().unwrap()),
        [] as [&str; 0],
        "the page lists none"
    );
}

#[test]
fn the_newest_release_is_cached_for_the_lifetime_of_the_page() {
    let headers = [("Cache-Control", "max-age=60"), ("ETag", "\"x\"")];
    let server = with_project(move |request| match request.header("if-none-match") {
        Some(_) => Response::status(304),
        None => headers.iter().fold(long_page("2"), |reply, (name, value)| reply.header(name, value)),
    });
    let folder = tempfile::tempdir().unwrap();
    let requests = |seconds| {
        let client = run(seconds, config(&server), folder.path());
        assert_eq!(newest(&client), Some(vec!["2".to_owned()]));
        assert_eq!(versions(&client.release_listing(&name("a"), &"2".parse().unwrap()).unwrap()), ["2"]);
        (server.count("/pypi/a/json"), server.count("/pypi/a/2/json"))
    };
    assert_eq!([requests(0), requests(59), requests(60), requests(61)], [(1, 1), (1, 1), (2, 1), (2, 1)]);
    let offline = IndexConfig { cache_mode: CacheMode::Offline, ..config(&server) };
    assert_eq!(newest(&run(1_000_000, offline, folder.path())), Some(vec!["2".to_owned()]));
    let refreshed = IndexConfig { cache_mode: CacheMode::Refresh, ..config(&server) };
    assert!(newest(&run(61, refreshed, folder.path())).is_some());
    assert_eq!(server.count("/pypi/a/json"), 3);
}

#[test]
fn a_failed_listing_leaves_the_cached_release() {
    let server = with_project(|_| long_page("2"));
    let folder = tempfile::tempdir().unwrap();
    assert!(newest(&run(0, config(&server), folder.path())).is_some());
    let offline = IndexConfig { cache_mode: CacheMode::Offline, ..config(&server) };
    let client = run(1, offline, folder.path());
    assert!(client.listing(&name("a")).is_err(), "the whole page is not there");
    assert_eq!(newest(&client), Some(vec!["2".to_owned()]));
    assert_eq!(versions(&client.release_listing(&name("a"), &"2".parse().unwrap()).unwrap()), ["2"]);
}

#[test]
fn a_newer_release_is_found_when_the_page_is_stale() {
    let server = with_project(|request| {
        let version = if request.earlier == 0 { "1" } else { "2" };
        long_page(version).header("Cache-Control", "max-age=60")
    });
    let folder = tempfile::tempdir().unwrap();
    let at = |seconds| newest(&run(seconds, config(&server), folder.path())).unwrap();
    assert_eq!([at(0), at(59), at(60)], [["1"], ["1"], ["2"]]);
    let old =
        run(61, config(&server), folder.path()).release_listing(&name("a"), &"1".parse().unwrap()).unwrap();
    assert_eq!(versions(&old), ["1"], "the cached newest release is not taken for another");
}

#[test]
fn a_page_cut_within_its_info_names_no_newest_release() {
    let cut = r#"{"info": {"name": "a", "version": "2", "requires_dist": ["b"#;
    let server = with_project(move |_| Response::ok("application/json", cut));
    let client = client(config(&server));
    assert_eq!(newest(&client), None);
}

#[test]
fn the_listing_comes_from_the_simple_api_unless_that_is_html() {
    let file =
        |version: &str| format!(r#"[{{"filename": "a-{version}.tar.gz", "url": "a-{version}.tar.gz"}}]"#);
    let info = r#"{"name": "a", "version": "2", "requires_dist": []}"#;
    let releases = format!(r#"{{"1": {}, "2": {}}}"#, file("1"), file("2"));
    let project = format!(r#"{{"info": {info}, "more": "{}", "releases": {releases}}}"#, "x".repeat(MORE));
    let html = format!("<a href=\"{WHEEL}\">{WHEEL}</a>");
    let json = page(&[entry(WHEEL, b"1", "")]);
    for (simple, found, requests) in
        [(Response::json(json), vec!["1"], 1), (Response::html(html), vec!["1", "2"], 2)]
    {
        let project = project.clone();
        let server = Server::answering(move |request| match request.path.as_str() {
            "/pypi/a/json" => Response::ok("application/json", project.clone()),
            "/pypi/a/2/json" => release_page("2"),
            "/simple/a/" => simple.clone(),
            _ => Response::status(404),
        });
        let client = client(config(&server));
        assert!(newest(&client).is_some());
        assert_eq!(versions(&client.listing(&name("a")).unwrap().unwrap()), found);
        assert_eq!(server.count("/pypi/a/json"), requests);
    }
}

#[test]
fn missing_release_pages_are_found_out_by_one_request() {
    let names = ["a", "b", "c", "d", "e"];
    let server = Server::answering(|request| {
        let parts: Vec<_> = request.path.split('/').skip(1).collect();
        match &*parts {
            ["pypi", name, "json"] => {
                let info = format!(r#"{{"name": "{name}", "version": "1", "requires_dist": ["x"]}}"#);
                let more = "x".repeat(MORE);
                Response::ok("application/json", format!(r#"{{"info": {info}, "more": "{more}"}}"#))
            }
            ["simple", "late", ""] => Response::status(200).delivered(crate::testing::Delivery::Silent),
            ["simple", name, ""] => {
                let file =
                    format!(r#"{{"filename": "{name}-1.tar.gz", "url": "{name}-1.tar.gz", "hashes": {{}}}}"#);
                let meta = r#""meta": {"api-version": "1.0"}"#;
                Response::json(format!(r#"{{{meta}, "name": "{name}", "files": [{file}]}}"#))
            }
            _ => {
                std::thread::sleep(Duration::from_millis(50));
                Response::status(404)
            }
        }
    });
    let client = client(config(&server));
    names.iter().for_each(|text| client.prefetch.start(&IndexQuery::Newest(name(text))));
    for text in names {
        assert!(client.newest_listing(&name(text)).is_none(), "{text}");
        assert_eq!(versions(&client.listing(&name(text)).unwrap().unwrap()), ["1"]);
    }
    let pages = server.requests().into_iter().filter(|request| request.path.ends_with("/1/json"));
    assert_eq!(pages.count(), 1);
    let metadata = client.newest_metadata(&name("late")).unwrap();
    assert_eq!(metadata.requires.len(), 1, "before its files");
}

//! The cache saves requests and never changes an answer.

use std::path::PathBuf;
use std::time::SystemTime;

use super::super::CacheMode;
use super::super::testing::wheel;
use super::*;

const WHEEL: &str = "a-1-py3-none-any.whl";

/// A run some seconds after a fixed time, with a cache in `folder`.
pub(super) fn run(seconds: u64, config: IndexConfig, folder: &Path) -> Client {
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000 + seconds);
    let cache = Some(folder.to_owned());
    Client::at(now, IndexConfig { cache, ..config }, Arc::new(EventRecorder::default()))
}

fn found(client: &Client) -> Vec<String> {
    versions(&client.listing(&name("a")).unwrap().unwrap())
}

/// A server whose page of `a` lists one release more with each request, sent with `headers`.
fn growing(headers: &'static [(&'static str, &'static str)]) -> Server {
    Server::answering(move |request| {
        if request.path != "/simple/a/" {
            return Response::status(404);
        }
        let entry = |number| entry(&format!("a-{number}-py3-none-any.whl"), b"x", "");
        let files: Vec<_> = (0..=request.earlier).map(entry).collect();
        headers.iter().fold(Response::json(page(&files)), |reply, (name, value)| reply.header(name, value))
    })
}

#[test]
fn a_stale_page_is_requested_again() {
    let minutes_10: &[(&str, &str)] = &[];
    let minute: &[(&str, &str)] = &[("Cache-Control", "max-age=60")];
    for (headers, fresh, stale) in [(minutes_10, 599, 600), (minute, 59, 60)] {
        let (server, folder) = (growing(headers), tempfile::tempdir().unwrap());
        let at = |seconds| found(&run(seconds, config(&server), folder.path()));
        assert_eq!(at(0), ["0"]);
        assert_eq!(at(fresh), ["0"]);
        assert_eq!(at(stale), ["0", "1"]);
        assert_eq!(at(stale), ["0", "1"]);
    }
}

#[test]
fn refresh_requests_again_and_offline_sends_no_request() {
    let (server, folder) = (growing(&[]), tempfile::tempdir().unwrap());
    let with = |cache_mode| IndexConfig { cache_mode, ..config(&server) };
    let error = run(0, with(CacheMode::Offline), folder.path()).listing(&name("a")).unwrap_err();
    assert_eq!(error.kind, ErrorKind::NoAnswer);
    assert!(error.message.contains("--offline"), "{error}");
    assert_eq!(found(&run(0, with(CacheMode::Normal), folder.path())), ["0"]);
    assert_eq!(found(&run(0, with(CacheMode::Refresh), folder.path())), ["0", "1"]);
    let before = server.requests().len();
    assert_eq!(found(&run(1_000_000, with(CacheMode::Offline), folder.path())), ["0", "1"]);
    assert_eq!(server.requests().len(), before);
}

#[test]
fn a_no_store_page_is_not_stored() {
    let (server, folder) = (growing(&[("Cache-Control", "no-store")]), tempfile::tempdir().unwrap());
    for expected in [vec!["0"], vec!["0", "1"]] {
        assert_eq!(found(&run(0, config(&server), folder.path())), expected);
    }
}

#[test]
fn a_stale_page_with_an_etag_is_revalidated() {
    let server = Server::answering(|request| match request.path.as_str() {
        "/simple/a/" if request.header("if-none-match") == Some("\"1\"") => Response::status(304),
        "/simple/a/" => Response::json(page(&[entry(WHEEL, b"x", "")])).header("ETag", "\"1\""),
        _ => Response::status(404),
    });
    let folder = tempfile::tempdir().unwrap();
    for (seconds, requests) in [(0, 1), (700, 2), (1200, 2), (1300, 3)] {
        assert_eq!(found(&run(seconds, config(&server), folder.path())), ["1"]);
        assert_eq!(server.count("/simple/a/"), requests, "{seconds}");
    }
}

#[test]
fn a_304_without_a_stored_page_is_no_answer() {
    assert_eq!(kind_of(listing_from(|_| Response::status(304))), ErrorKind::NoAnswer);
}

#[test]
fn a_stale_page_does_not_replace_a_failed_request() {
    let server = Server::answering(|request| match (request.path.as_str(), request.earlier) {
        ("/simple/a/", 0) => Response::json(page(&[entry(WHEEL, b"x", "")])),
        ("/simple/a/", _) => Response::status(500),
        _ => Response::status(404),
    });
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(found(&run(0, config(&server), folder.path())), ["1"]);
    assert_eq!(kind_of(run(700, config(&server), folder.path()).listing(&name("a"))), ErrorKind::NoAnswer);
}

#[test]
fn a_just_published_project_is_found_in_spite_of_negative_caching() {
    let server = Server::answering(|request| match (request.path.as_str(), request.earlier) {
        ("/simple/a/", 1..) => Response::json(page(&[entry(WHEEL, b"x", "")])),
        _ => Response::status(404),
    });
    let folder = tempfile::tempdir().unwrap();
    // The second look is at once: there was nothing to go by.
    let client = run(0, config(&server), folder.path());
    let first = client.listing(&name("a")).unwrap().is_some();
    assert!(first || run(1, config(&server), folder.path()).listing(&name("a")).unwrap().is_some());
}

#[test]
fn negative_caching_skips_an_index_without_the_project() {
    let first = Server::answering(|_| Response::status(404));
    let second = growing(&[]);
    let both = || config_of(&[first.url("/simple"), second.url("/simple")]);
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(found(&run(0, both(), folder.path())), ["0"]);
    let before = first.requests().len() + second.requests().len();
    assert_eq!(found(&run(1, both(), folder.path())), ["0"]);
    let offline = IndexConfig { cache_mode: CacheMode::Offline, ..both() };
    assert_eq!(found(&run(1_000_000, offline, folder.path())), ["0"]);
    assert_eq!(first.requests().len() + second.requests().len(), before);
}

#[test]
fn metadata_is_cached_by_the_hash_of_the_file() {
    let bytes = wheel("a", "1", &["b"]);
    let listed = page(&[entry(WHEEL, &bytes, "")]);
    let server = Server::answering(move |request| match request.path.as_str() {
        "/simple/a/" => Response::json(listed.clone()),
        "/files/a-1-py3-none-any.whl" => Response::file(request, &bytes),
        _ => Response::status(404),
    });
    let folder = tempfile::tempdir().unwrap();
    for cache_mode in [CacheMode::Normal, CacheMode::Normal, CacheMode::Offline] {
        let client = run(0, IndexConfig { cache_mode, ..config(&server) }, folder.path());
        let file = only_file(&client);
        assert_eq!(client.metadata(&file, Trust::File).unwrap().requires.len(), 1);
    }
    assert_eq!(server.count("/files/a-1-py3-none-any.whl"), 1);
    let client = run(0, IndexConfig { cache_mode: CacheMode::Refresh, ..config(&server) }, folder.path());
    client.metadata(&only_file(&client), Trust::File).unwrap();
    assert_eq!(server.count("/files/a-1-py3-none-any.whl"), 2);
}

#[test]
fn cached_metadata_with_another_hash_than_announced_is_fetched_again() {
    let bytes = wheel("a", "1", &["b"]);
    let text = crate::testing::metadata("a", "1", &["b"]);
    let hints = [Some(Sha256::of(text.as_bytes())), Some(Sha256::of(b"another"))];
    let listed = [None, hints[0], hints[1]].map(|hint| {
        let hint = hint.map(|hash| format!(r#", "core-metadata": {{"sha256": "{hash}"}}"#));
        page(&[entry(WHEEL, &bytes, &hint.unwrap_or_default())])
    });
    let server = Server::answering(move |request| match request.path.as_str() {
        "/simple/a/" => Response::json(listed[request.earlier].clone()).header("Cache-Control", "max-age=60"),
        "/files/a-1-py3-none-any.whl.metadata" => Response::ok("text/plain", text.clone()),
        "/files/a-1-py3-none-any.whl" => Response::file(request, &bytes),
        _ => Response::status(404),
    });
    let folder = tempfile::tempdir().unwrap();
    let at = |seconds| {
        let client = run(seconds, config(&server), folder.path());
        let found = client.metadata(&only_file(&client), Trust::File).map(|metadata| metadata.requires.len());
        (found.ok(), server.count("/files/a-1-py3-none-any.whl.metadata"))
    };
    assert_eq!([at(0), at(60)], [(Some(1), 1), (Some(1), 1)], "the very text");
    assert_eq!(at(120).1, 2, "another text is requested, not taken from the cache");
}

#[test]
fn a_page_is_cached_per_user() {
    let (server, folder) = (growing(&[]), tempfile::tempdir().unwrap());
    let of = |user: &str| config_of(&[server.url("/simple").replacen("//", &format!("//{user}:x@"), 1)]);
    assert_eq!(found(&run(0, of("zoroaster"), folder.path())), ["0"]);
    assert_eq!(found(&run(0, of("thucydides"), folder.path())), ["0", "1"]);
    assert_eq!(found(&run(0, of("zoroaster"), folder.path())), ["0"]);
    for path in all_files(folder.path()) {
        let bytes = std::fs::read(&path).unwrap();
        let text = format!("{}{}", path.display(), String::from_utf8_lossy(&bytes));
        assert!(!text.contains("zoroaster") && !text.contains("thucydides"), "{}", path.display());
    }
}

fn all_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files.extend(all_files(&path)) } else { files.push(path) }
    }
    files
}

#[test]
fn a_damaged_record_gives_a_warning_and_a_new_request() {
    let (server, folder) = (growing(&[]), tempfile::tempdir().unwrap());
    assert_eq!(found(&run(0, config(&server), folder.path())), ["0"]);
    for path in all_files(&folder.path().join("pages-v4")) {
        let mut bytes = std::fs::read(&path).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        std::fs::write(&path, bytes).unwrap();
    }
    let events = Arc::new(EventRecorder::default());
    let config = IndexConfig { cache: Some(folder.path().to_owned()), ..config(&server) };
    let client = Client::new(config, events.clone());
    assert_eq!(found(&client), ["0", "1"]);
    let warned = |event: &Event| matches!(event, Event::Warning(text) if text.contains("cache"));
    assert!(events.0.lock().unwrap().iter().any(warned));
}

#[test]
fn an_unusable_cache_gives_one_warning() {
    let server = growing(&[]);
    let file = tempfile::NamedTempFile::new().unwrap();
    let events = Arc::new(EventRecorder::default());
    let config = IndexConfig { cache: Some(file.path().to_owned()), ..config(&server) };
    let client = Client::new(config, events.clone());
    assert_eq!(found(&client), ["0"]);
    assert!(client.listing(&name("b")).unwrap().is_none());
    let events = events.0.lock().unwrap();
    let warnings = events.iter().filter(|event| matches!(event, Event::Warning(_))).count();
    assert_eq!(warnings, 1, "{events:?}");
}

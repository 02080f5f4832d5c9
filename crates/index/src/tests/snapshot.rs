//! A snapshot answers like the records that it was copied from, and not at all where they have changed.

use std::path::PathBuf;

use super::super::CacheMode;
use super::super::testing::{metadata, wheel};
use super::cache::run;
use super::*;
use pinfast_cache::{Bucket, Cache, CacheLookup, RecordStamp};
use pinfast_solve::IndexQuery;

const LOCK: &str = "/project/requirements.txt";

/// A server of the projects `a` and `b` with two releases each: `a` has pages of single releases, `b` only a
/// listing. A page is fresh for a minute.
fn server() -> Server {
    let of_release = |request: &Request, version: &str| {
        let filename = format!("a-{version}-py3-none-any.whl");
        let hash = Sha256::of(&wheel("a", version, &["c"]));
        let url = format!("../../../../files/{filename}");
        Response::ok(
            "application/json",
            format!(
                r#"{{"info": {{"name": "a", "version": "{version}"}}, "rounds": {}, "urls": [
                {{"filename": "{filename}", "url": "{url}", "digests": {{"sha256": "{hash}"}}}}]}}"#,
                request.earlier
            ),
        )
    };
    let all = [entry("b-1-py3-none-any.whl", b"1", ""), entry("b-2-py3-none-any.whl", b"2", "")];
    let skipped = entry("b-odd-py3-none-any.whl", b"3", "");
    let listing = page(&[&all[..], &[skipped]].concat()).replace(r#""name": "a""#, r#""name": "b""#);
    Server::answering(move |request| {
        let reply = match request.path.as_str() {
            "/pypi/a/json" => {
                let more = "x".repeat(3 << 20);
                Response::ok(
                    "application/json",
                    format!(r#"{{"info": {{"name": "a", "version": "2"}}, "more": "{more}"}}"#),
                )
            }
            "/pypi/a/1/json" => of_release(request, "1"),
            "/pypi/a/2/json" => of_release(request, "2"),
            "/simple/b/" => Response::json(listing.clone()),
            "/files/a-1-py3-none-any.whl.metadata" => Response::ok("text/plain", metadata("a", "1", &["c"])),
            _ => Response::status(404),
        };
        reply.header("Cache-Control", "max-age=60")
    })
}

fn version(text: &str) -> pinfast_packaging::Version {
    text.parse().unwrap()
}

/// A run that pins the first releases, knows the newest, and saves a snapshot.
fn run_and_save(seconds: u64, config: IndexConfig, folder: &Path) -> Client {
    let client = run(seconds, config, folder);
    client.load_snapshot(Path::new(LOCK));
    let release = client.release_listing(&name("a"), &version("1")).unwrap();
    client.metadata(&release.files(0)[0], Trust::File).unwrap();
    client.newest_listing(&name("a")).unwrap();
    client.listing(&name("b")).unwrap().unwrap();
    let (a, b, one) = (name("a"), name("b"), version("1"));
    client.save_snapshot(Path::new(LOCK), [(&a, &one), (&b, &one)].into_iter());
    client
}

/// A later run with the snapshot of the first.
fn run_with_snapshot(seconds: u64, config: IndexConfig, folder: &Path) -> Client {
    let client = run(seconds, config, folder);
    client.load_snapshot(Path::new(LOCK));
    client
}

/// The files of both projects in the snapshot: of the pinned release, then of the newest.
fn in_snapshot(client: &Client) -> Vec<String> {
    let mut filenames = Vec::new();
    for project in [name("a"), name("b")] {
        let pinned = client.snapshot.release(&project, &version("1"));
        for release in pinned.into_iter().chain(client.snapshot.newest(&project)) {
            filenames.extend(release.listing.all_files().map(|file| file.filename.to_string()));
        }
    }
    filenames
}

const ALL: [&str; 4] =
    ["a-1-py3-none-any.whl", "a-2-py3-none-any.whl", "b-1-py3-none-any.whl", "b-2-py3-none-any.whl"];
const NONE: [&str; 0] = [];

#[test]
fn a_snapshot_answers_for_pins_and_their_metadata_without_requests() {
    let (server, folder) = (server(), tempfile::tempdir().unwrap());
    let before = run_and_save(0, config(&server), folder.path());
    let requests = server.requests().len();
    std::fs::remove_dir_all(folder.path().join("metadata-v4")).unwrap();
    let client = run_with_snapshot(1, config(&server), folder.path());
    assert_eq!(in_snapshot(&client), ALL);
    let release = client.release_listing(&name("a"), &version("1")).unwrap();
    let file = &release.files(0)[0];
    assert!(client.prefetch.is_in_snapshot(&IndexQuery::Metadata(file.clone(), Trust::Release)));
    let (first, again) =
        (before.metadata(file, Trust::File).unwrap(), client.metadata(file, Trust::Release).unwrap());
    assert_eq!((first.requires.len(), &first), (1, &again));
    assert_eq!(versions(&client.newest_listing(&name("a")).unwrap()), ["2"]);
    assert_eq!(
        client.release_listing(&name("b"), &version("1")).unwrap().warnings.len(),
        1,
        "the warning of its page"
    );
    assert_eq!(server.requests().len(), requests);
}

#[test]
fn a_snapshot_has_only_the_pinned_and_the_newest_release() {
    let (server, folder) = (server(), tempfile::tempdir().unwrap());
    drop(run_and_save(0, config(&server), folder.path()));
    let client = run_with_snapshot(1, config(&server), folder.path());
    assert!(client.snapshot.release(&name("a"), &version("3")).is_none());
    let is_in_snapshot =
        |number| client.prefetch.is_in_snapshot(&IndexQuery::Release(name("a"), version(number)));
    assert_eq!(
        ["1", "2", "3"].map(is_in_snapshot),
        [true, true, false],
        "a release that is not in it is prefetched"
    );
    assert!(client.snapshot.release(&name("c"), &version("1")).is_none());
    assert!(
        !client.prefetch.is_in_snapshot(&IndexQuery::Listing(name("a"))),
        "only the page has all releases"
    );
    assert_eq!(versions(&client.listing(&name("b")).unwrap().unwrap()), ["1", "2"]);
}

#[test]
fn a_stale_snapshot_entry_is_requested_again() {
    let (server, folder) = (server(), tempfile::tempdir().unwrap());
    drop(run_and_save(0, config(&server), folder.path()));
    assert_eq!(in_snapshot(&run_with_snapshot(59, config(&server), folder.path())), ALL);
    let client = run_with_snapshot(60, config(&server), folder.path());
    assert_eq!(in_snapshot(&client), NONE);
    assert!(!client.prefetch.is_in_snapshot(&IndexQuery::Newest(name("a"))));
    client.newest_listing(&name("a")).unwrap();
    assert_eq!(server.count("/pypi/a/json"), 2);
    let offline = IndexConfig { cache_mode: CacheMode::Offline, ..config(&server) };
    let still = in_snapshot(&run_with_snapshot(1_000_000, offline, folder.path()));
    assert_eq!(still, [ALL[0], ALL[2], ALL[3]], "the newest release has another record now");
    let refreshed = IndexConfig { cache_mode: CacheMode::Refresh, ..config(&server) };
    assert_eq!(in_snapshot(&run_with_snapshot(1, refreshed, folder.path())), NONE);
}

#[test]
fn a_snapshot_entry_with_a_changed_page_is_not_used() {
    let (server, folder) = (server(), tempfile::tempdir().unwrap());
    drop(run_and_save(0, config(&server), folder.path()));
    let refreshed = IndexConfig { cache_mode: CacheMode::Refresh, ..config(&server) };
    run(1, refreshed, folder.path()).listing(&name("b")).unwrap().unwrap();
    let client = run_with_snapshot(2, config(&server), folder.path());
    assert_eq!(in_snapshot(&client), ALL[..2], "b has another record now");
    std::fs::remove_dir_all(folder.path().join("pages-v4")).unwrap();
    let client = run_with_snapshot(2, config(&server), folder.path());
    assert_eq!(in_snapshot(&client), NONE);
}

#[test]
fn a_snapshot_is_not_used_for_another_lock_or_index() {
    let (server, folder) = (server(), tempfile::tempdir().unwrap());
    drop(run_and_save(0, config(&server), folder.path()));
    let of = |config: IndexConfig, lock: &str| {
        let client = run(1, config, folder.path());
        client.load_snapshot(Path::new(lock));
        in_snapshot(&client)
    };
    assert_eq!(of(config(&server), LOCK), ALL);
    assert_eq!(of(config(&server), "/other/requirements.txt"), NONE);
    assert_eq!(of(config_of(&[server.url("/root/simple")]), LOCK), NONE);
    assert_eq!(of(config_of(&[server.url("/simple").replacen("//", "//zoroaster:x@", 1)]), LOCK), NONE);
    let several = || config_of(&[server.url("/simple"), server.url("/simple")]);
    assert_eq!(of(several(), LOCK), NONE);
    let other = tempfile::tempdir().unwrap();
    let client = run(0, several(), other.path());
    client.listing(&name("b")).unwrap().unwrap();
    client.save_snapshot(Path::new(LOCK), [(&name("b"), &version("1"))].into_iter());
    assert!(
        !other.path().join("snapshots-v1").exists(),
        "which of them has a project is found out each time"
    );
}

/// The one snapshot in the cache.
fn snapshot(cache: &Path) -> PathBuf {
    let records = std::fs::read_dir(cache.join("snapshots-v1")).unwrap();
    let [path] = records.map(|entry| entry.unwrap().path()).collect::<Vec<_>>().try_into().unwrap();
    path
}

/// Which of the records it was that lie there one after the other.
fn stamp(client: &Client) -> Option<RecordStamp> {
    let key = client.snapshot_key(Path::new(LOCK)).unwrap();
    match client.records.cache().unwrap().read(Bucket::Snapshots, &key) {
        CacheLookup::Hit(record) => record.stamp(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_snapshot_with_most_pins_is_not_rewritten() {
    let server = Server::answering(|request| {
        let project = request.path.trim_start_matches("/simple/").trim_matches('/').to_owned();
        let files = ["1", "2"].map(|version| entry(&format!("{project}-{version}.tar.gz"), b"x", ""));
        let listing = page(&files).replace(r#""name": "a""#, &format!(r#""name": "{project}""#));
        if request.path.starts_with("/simple/") { Response::json(listing) } else { Response::status(404) }
    });
    let (folder, one, three) = (tempfile::tempdir().unwrap(), version("1"), version("3"));
    let names: Vec<_> = (0..9).map(|number| name(&format!("p{number}"))).collect();
    // A run that pins of so many a release that is not there.
    let run_with = |others: usize| {
        let client = run_with_snapshot(1, config(&server), folder.path());
        let pins: Vec<_> =
            names.iter().zip((0..9).map(|at| if at < others { &three } else { &one })).collect();
        for (name, version) in &pins[others..] {
            client.release_listing(name, version).or_else(|| client.listing(name).unwrap()).unwrap();
        }
        client.save_snapshot(Path::new(LOCK), pins.into_iter());
        stamp(&client)
    };
    let first = run_with(0);
    assert_eq!(run_with(0), first);
    assert_eq!(run_with(1), first);
    assert_ne!(run_with(2), first);
}

#[test]
fn newest_is_saved_only_from_the_page_that_named_it() {
    for asks_for_newest_first in [true, false] {
        let (server, folder) = (server(), tempfile::tempdir().unwrap());
        let client = run(0, config(&server), folder.path());
        let (a, two) = (name("a"), version("2"));
        if asks_for_newest_first {
            client.newest_listing(&a).unwrap();
        }
        client.release_listing(&a, &two).unwrap();
        client.newest_listing(&a).unwrap();
        client.save_snapshot(Path::new(LOCK), [(&a, &two)].into_iter());
        let later = run_with_snapshot(1, config(&server), folder.path());
        assert!(later.snapshot.release(&a, &two).is_some());
        // Else there is but the release's own page, which does not know of others.
        assert_eq!(later.snapshot.newest(&a).is_some(), asks_for_newest_first);
        assert_eq!(later.prefetch.is_in_snapshot(&IndexQuery::Newest(a)), asks_for_newest_first);
    }
}

#[test]
fn a_damaged_snapshot_is_ignored_and_removed() {
    let (server, folder) = (server(), tempfile::tempdir().unwrap());
    drop(run_and_save(0, config(&server), folder.path()));
    let path = snapshot(folder.path());
    let whole = std::fs::read(&path).unwrap();
    for at in (0..whole.len()).step_by(7) {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        std::fs::write(&path, bytes).unwrap();
        let client = run_with_snapshot(1, config(&server), folder.path());
        assert_eq!(in_snapshot(&client), NONE, "byte {at}");
        assert!(!path.exists(), "the warning comes once");
    }
}

#[test]
fn a_malformed_snapshot_never_panics() {
    let (server, folder) = (server(), tempfile::tempdir().unwrap());
    drop(run_and_save(0, config(&server), folder.path()));
    let key = run_with_snapshot(1, config(&server), folder.path()).snapshot_key(Path::new(LOCK)).unwrap();
    let cache = Cache::new(folder.path().to_owned());
    let CacheLookup::Hit(whole) = cache.read(Bucket::Snapshots, &key) else { panic!() };
    for at in 0..whole.len() {
        let mut damaged = whole.to_vec();
        damaged[at] ^= 0x55;
        for contents in [&*damaged, &whole[..at]] {
            // Written anew, so that its checksum is right.
            cache.write(Bucket::Snapshots, &key, contents).unwrap();
            let client = run_with_snapshot(1, config(&server), folder.path());
            in_snapshot(&client);
            client.newest_listing(&name("a"));
            let release = client.release_listing(&name("a"), &version("1"));
            if let Some(file) = release.as_ref().and_then(|release| release.files(0).first()) {
                let _ = client.metadata(file, Trust::File);
            }
        }
    }
}

#[test]
fn a_release_with_local_variants_is_left_out_of_the_snapshot() {
    let files = ["b-1+x-py3-none-any.whl", "b-1-py3-none-any.whl", "b-2-py3-none-any.whl"];
    let files = files.map(|filename| entry(filename, filename.as_bytes(), ""));
    let listing = page(&files).replace(r#""name": "a""#, r#""name": "b""#);
    let server = Server::answering(move |request| match request.path.as_str() {
        "/simple/b/" => Response::json(listing.clone()),
        _ => Response::status(404),
    });
    let folder = tempfile::tempdir().unwrap();
    let client = run(0, config(&server), folder.path());
    client.listing(&name("b")).unwrap().unwrap();
    let (b, one, local, two) = (name("b"), version("1"), version("1+x"), version("2"));
    client.save_snapshot(Path::new(LOCK), [(&b, &one), (&b, &local), (&b, &two)].into_iter());
    let later = run_with_snapshot(1, config(&server), folder.path());
    let saved = [one, local, two].map(|version| later.snapshot.release(&b, &version).is_some());
    assert_eq!(saved, [false, false, true]);
}

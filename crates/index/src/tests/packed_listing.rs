//! A listing that is packed and read back has the same content.

use std::path::PathBuf;
use std::sync::Arc;

use super::name;
use crate::formats::{LinkScope, PageFormat, parse_page, validate};
use crate::page_cache::{pack_listing, read_listing};
use ::url::Url;
use pinfast_cache::CacheRecord;
use pinfast_packaging::{DistFile, Listing};

fn recorded() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../testdata/index/pypi")
}

fn read(project: &str, format: PageFormat, body: &str) -> Listing {
    let base = Url::parse("https://index.example/simple/a/").unwrap();
    let page = parse_page(format, body.as_bytes(), &name(project), &base).unwrap();
    validate(&name(project), page, &base, LinkScope::Network)
}

fn repacked(listing: &Listing) -> Listing {
    let record = pack_listing(listing).unwrap();
    let whole = 0..record.len();
    read_listing(&listing.name, Arc::new(CacheRecord::from(record)), whole).unwrap()
}

/// All of a listing as text.
fn describe(listing: &Listing) -> String {
    let file = |file: &Arc<DistFile>| format!("{file:?} {:?}\n", file.dist.version().to_string());
    let release = |number: usize| {
        let files: String = listing.files(number).iter().map(file).collect();
        format!("{} {:?}\n{files}", listing.version(number), listing.summaries(number))
    };
    let pythons =
        (0..).take(listing.requires_pythons()).map(|python| listing.requires_python(python).to_string());
    let tags = (0..).take(listing.tag_sets()).map(|tags| listing.tag_set(tags).to_string());
    let (pythons, tags): (Vec<_>, Vec<_>) = (pythons.collect(), tags.collect());
    let releases: String = (0..listing.len()).map(release).collect();
    let Listing { name, info, warnings, .. } = listing;
    format!("{name} {info:?} {warnings:?} {tags:?} {pythons:?}\n{releases}")
}

#[test]
fn every_recorded_listing_survives_packing() {
    let mut files = 0;
    for project in std::fs::read_dir(recorded()).unwrap() {
        let project = project.unwrap();
        let body = std::fs::read_to_string(project.path().join("json")).unwrap();
        let listing = read(project.file_name().to_str().unwrap(), PageFormat::JsonApi, &body);
        assert_eq!(describe(&repacked(&listing)), describe(&listing));
        files += listing.all_files().count();
    }
    assert!(files > 1_000, "{files} files");
}

const UNUSUAL: &str = r#"{"meta": {"api-version": "1.0"}, "name": "a", "files": [
    {"filename": "a-1.0-py3-none-any.whl", "url": "../x%20y/a.whl?sig=1", "hashes": {}, "yanked": "", "core-metadata": true},
    {"filename": "a-1-2b-py3-none-any.whl", "url": "https://u:p@h/ab/cd/0123/a-1-2b-py3-none-any.whl",
     "hashes": {"sha256": "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"}, "yanked": "bad\nidea"},
    {"filename": "a-1-10-py3-none-any.whl", "url": "/ab/cd/00112233445566778899aabbccddeeff00112233445566778899aabbccdd/a-1-10-py3-none-any.whl",
     "requires-python": ">=3.8, <4", "size": 7, "upload-time": "1969-12-31T23:59:59.5Z",
     "core-metadata": {"sha256": "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"}},
    {"filename": "a-2.zip", "url": "a-2.zip", "hashes": {}, "requires-python": "<4,>=3.8"},
    {"filename": "a-2+local.1.tar.gz", "url": "a-2%2Blocal.1.tar.gz", "hashes": {}},
    {"filename": "a-nonsense.whl", "url": "x", "hashes": {}}]}"#;

#[test]
fn unusual_files_survive_packing() {
    let listing = read("a", PageFormat::SimpleJson, UNUSUAL);
    let again = repacked(&listing);
    assert_eq!(describe(&again), describe(&listing));
    assert_eq!((again.len(), again.all_files().count(), again.warnings.len()), (3, 5, 1));
    assert_eq!(again.files(0)[0].dist.version().to_string(), "1", "as its name spells it");
    assert_eq!(describe(&repacked(&again)), describe(&listing), "a record made from a record");
}

#[test]
fn a_cut_or_extended_record_is_rejected() {
    let record = pack_listing(&read("a", PageFormat::SimpleJson, UNUSUAL)).unwrap();
    let open =
        |bytes: &[u8]| read_listing(&name("a"), Arc::new(CacheRecord::from(bytes.to_vec())), 0..bytes.len());
    for length in 0..record.len() {
        assert!(open(&record[..length]).is_none(), "cut at {length}");
    }
    assert!(open(&[&record[..], b"x"].concat()).is_none());
}

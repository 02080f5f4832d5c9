//! Records: read back, replaced, damaged, written by many at once.

use std::fs;

use super::*;

fn cache() -> (tempfile::TempDir, Cache) {
    let folder = tempfile::tempdir().unwrap();
    let cache = Cache::new(folder.path().join("cache"));
    (folder, cache)
}

#[test]
fn a_record_is_read_back_until_it_is_replaced_or_removed() {
    let (_folder, cache) = cache();
    let key = CacheKey::of(&["a", "b"]);
    assert_eq!(cache.read(Bucket::Pages, &key), CacheLookup::Miss);
    for contents in [b"one".as_slice(), b"", b"two"] {
        cache.write(Bucket::Pages, &key, contents).unwrap();
        assert_eq!(cache.read(Bucket::Pages, &key), CacheLookup::Hit(contents.to_vec().into()));
    }
    for contents in [vec![1; 10], vec![2; 100_000]] {
        let (begin, end) = contents.split_at(7);
        let written = cache.write_and_map(Bucket::Pages, &key, &[begin, end]).unwrap();
        assert!(*written == *contents);
        assert_eq!(cache.read(Bucket::Pages, &key), CacheLookup::Hit(written));
    }
    assert_eq!(cache.read(Bucket::Metadata, &key), CacheLookup::Miss);
    cache.remove(Bucket::Pages, &key).unwrap();
    cache.remove(Bucket::Pages, &key).unwrap();
    assert_eq!(cache.read(Bucket::Pages, &key), CacheLookup::Miss);
}

/// A byte of `key`'s record is changed, and the record cut there.
fn damage_is_noticed(cache: &Cache, key: &CacheKey, whole: &[u8], at: usize) {
    let path = cache.path(Bucket::Pages, key);
    let mut bytes = whole.to_vec();
    bytes[at] ^= 1;
    fs::write(&path, &bytes).unwrap();
    assert!(matches!(cache.read(Bucket::Pages, key), CacheLookup::Damaged(_)), "byte {at}");
    fs::write(&path, &whole[..at]).unwrap();
    assert!(matches!(cache.read(Bucket::Pages, key), CacheLookup::Damaged(_)), "cut at {at}");
}

#[test]
fn any_damage_is_noticed() {
    let (_folder, cache) = cache();
    let (key, other) = (CacheKey::of(&["a"]), CacheKey::of(&["b"]));
    cache.write(Bucket::Pages, &key, b"contents").unwrap();
    let path = cache.path(Bucket::Pages, &key);
    let whole = fs::read(&path).unwrap();
    for at in 0..whole.len() {
        damage_is_noticed(&cache, &key, &whole, at);
    }
    fs::create_dir_all(cache.path(Bucket::Pages, &other).parent().unwrap()).unwrap();
    fs::write(cache.path(Bucket::Pages, &other), &whole).unwrap();
    assert!(matches!(cache.read(Bucket::Pages, &other), CacheLookup::Damaged(_)), "another key's record");
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert!(matches!(cache.read(Bucket::Pages, &key), CacheLookup::Unreadable(_)), "a folder");
}

#[test]
fn damage_to_a_large_record_is_noticed() {
    let (_folder, cache) = cache();
    let key = CacheKey::of(&["a"]);
    let contents: Vec<u8> = (0..200_000_u32).map(|n| n.to_le_bytes()[0]).collect();
    cache.write(Bucket::Pages, &key, &contents).unwrap();
    assert_eq!(cache.read(Bucket::Pages, &key), CacheLookup::Hit(contents.into()));
    let path = cache.path(Bucket::Pages, &key);
    let whole = fs::read(&path).unwrap();
    for at in [0, 20, 45, 50, 60, 70_000, whole.len() - 1] {
        damage_is_noticed(&cache, &key, &whole, at);
    }
}

#[test]
fn the_newest_records_are_kept() {
    let (_folder, cache) = cache();
    let keys = ["a", "b", "c"].map(|name| CacheKey::of(&[name]));
    for key in &keys {
        cache.write(Bucket::Snapshots, key, b"contents").unwrap();
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    for (count, left) in [(3, [true, true, true]), (2, [false, true, true]), (1, [false, false, true])] {
        cache.keep_newest(Bucket::Snapshots, count).unwrap();
        assert_eq!(keys.map(|key| cache.contains(Bucket::Snapshots, &key)), left);
    }
}

#[test]
fn a_replaced_or_removed_record_has_another_stamp() {
    let (_folder, cache) = cache();
    let key = CacheKey::of(&["a"]);
    let written = cache.write_and_map(Bucket::Pages, &key, &[b"contents"]).unwrap().stamp().unwrap();
    let CacheLookup::Hit(read) = cache.read(Bucket::Pages, &key) else { panic!() };
    assert_eq!(read.stamp(), Some(written));
    assert!(cache.is_unchanged(Bucket::Pages, &key, &written));
    assert!(!cache.is_unchanged(Bucket::Metadata, &key, &written));
    cache.write(Bucket::Pages, &key, b"contents").unwrap();
    assert!(!cache.is_unchanged(Bucket::Pages, &key, &written), "of the same length");
    cache.remove(Bucket::Pages, &key).unwrap();
    assert!(!cache.is_unchanged(Bucket::Pages, &key, &written));
}

#[test]
fn many_writers_leave_one_whole_record() {
    let (_folder, cache) = cache();
    let key = CacheKey::of(&["a"]);
    std::thread::scope(|scope| {
        for number in 0..8_u8 {
            let cache = &cache;
            scope.spawn(move || {
                for _ in 0..20 {
                    cache.write(Bucket::Pages, &key, &vec![number; 10_000]).unwrap();
                    let CacheLookup::Hit(bytes) = cache.read(Bucket::Pages, &key) else { panic!() };
                    assert!(bytes.len() == 10_000 && bytes.iter().all(|byte| *byte == bytes[0]));
                }
            });
        }
    });
    assert_eq!(cache.size().unwrap().records, 1, "no temporary file is left");
}

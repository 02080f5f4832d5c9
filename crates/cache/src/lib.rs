//! The cache on disk: records under keys, each whole or not there.
//!
//! A record is written to a temporary file and renamed, so many processes may share the folder; it carries
//! its key and a checksum, so that damage is noticed and never believed. What a record means is the
//! business of whoever wrote it. Losing the folder loses time only.

mod record;
mod upkeep;

use std::fmt;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use record::Unread;
pub use record::{Record, Stamp};
use serde::{Deserialize, Serialize};
pub use upkeep::{Pruned, Usage};

use pinfast_packaging::Sha256;

/// A cache in a folder. Made without I/O; the folder comes into being with the first record.
#[derive(Clone, Debug)]
pub struct Cache {
    root: PathBuf,
}

/// A kind of record. Its folder's name carries the version of its format: another version is not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bucket {
    /// Listings of projects, with what HTTP says of their freshness.
    Pages,
    /// Metadata of files, by the file's hash.
    Metadata,
    /// Metadata that a build told, by the hash of what was built and what built it.
    Built,
    /// From which indexes a lock came and what was told of it, by the lock's text.
    Locks,
    /// What a run learnt of the releases that it pinned, by where its lock lies.
    Snapshots,
}

/// What a record is found by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "[u8; 32]", into = "[u8; 32]")]
pub struct Key(Sha256);

/// What lies under a key.
#[derive(Debug, PartialEq, Eq)]
pub enum Found {
    /// This.
    Record(Record),
    /// Nothing.
    Nothing,
    /// Something that cannot be believed, and why.
    Damaged(String),
    /// Something that the system does not let be read, and why.
    Unreadable(String),
}

impl Bucket {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Pages, Self::Metadata, Self::Built, Self::Locks, Self::Snapshots];

    /// The name of its folder.
    #[must_use]
    pub fn folder(self) -> &'static str {
        match self {
            Self::Pages => "pages-v4",
            Self::Metadata => "metadata-v4",
            Self::Built => "built-v3",
            Self::Locks => "locks-v2",
            Self::Snapshots => "snapshots-v1",
        }
    }
}

impl Key {
    /// The key of these parts in this order; nothing of them can be read from it.
    #[must_use]
    pub fn of(parts: &[&str]) -> Self {
        let lengths: Vec<_> = parts.iter().map(|part| format!("{}:", part.len())).collect();
        Self(Sha256::of_parts(lengths.iter().zip(parts).flat_map(|(length, part)| [length, *part])))
    }
}

impl From<[u8; 32]> for Key {
    fn from(bytes: [u8; 32]) -> Self {
        Self(Sha256(bytes))
    }
}

impl From<Key> for [u8; 32] {
    fn from(key: Key) -> Self {
        key.0.0
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Cache {
    /// The cache in the folder `root`.
    #[must_use]
    pub fn new(root: PathBuf) -> Self {
        Self { root }
    }

    /// Its folder.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// What lies under `key`.
    #[must_use]
    pub fn read(&self, bucket: Bucket, key: &Key) -> Found {
        let opened = fs::File::open(self.path(bucket, key)).map_err(Unread::Io);
        match opened.and_then(|file| record::read(file, key)) {
            Ok(record) => Found::Record(record),
            Err(Unread::Damaged(why)) => Found::Damaged(why.to_owned()),
            Err(Unread::Io(error)) if error.kind() == io::ErrorKind::NotFound => Found::Nothing,
            Err(Unread::Io(error)) => Found::Unreadable(error.to_string()),
        }
    }

    /// Puts `contents` under `key`, instead of what was there.
    ///
    /// # Errors
    /// When it cannot be written; then what was there is still there.
    pub fn write(&self, bucket: Bucket, key: &Key, contents: &[u8]) -> io::Result<()> {
        self.write_parts(bucket, key, &[contents])
    }

    /// The same with contents in parts, one after the other.
    ///
    /// # Errors
    /// As above.
    pub fn write_parts(&self, bucket: Bucket, key: &Key, parts: &[&[u8]]) -> io::Result<()> {
        self.put(bucket, key, parts).map(drop)
    }

    /// The same, and the record as it lies there: a large one takes no memory of its own.
    ///
    /// # Errors
    /// As above.
    pub fn write_and_map(&self, bucket: Bucket, key: &Key, parts: &[&[u8]]) -> io::Result<Record> {
        Ok(record::written(&self.put(bucket, key, parts)?, parts))
    }

    fn put(&self, bucket: Bucket, key: &Key, parts: &[&[u8]]) -> io::Result<fs::File> {
        let path = self.path(bucket, key);
        let folder = self.root.join(bucket.folder());
        let begin = || tempfile::Builder::new().prefix(TEMPORARY).tempfile_in(&folder);
        let mut file = match begin() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.make(&folder)?;
                begin()?
            }
            begun => begun?,
        };
        record::wrap(parts, key, |part| file.write_all(part))?;
        Ok(file.persist(&path)?)
    }

    /// Whether something lies under `key`.
    #[must_use]
    pub fn holds(&self, bucket: Bucket, key: &Key) -> bool {
        self.path(bucket, key).is_file()
    }

    /// Whether what lies under `key` is still the record of this stamp.
    #[must_use]
    pub fn still_holds(&self, bucket: Bucket, key: &Key, stamp: &Stamp) -> bool {
        let found = fs::metadata(self.path(bucket, key)).ok();
        found.and_then(|metadata| Stamp::of(&metadata)).as_ref() == Some(stamp)
    }

    /// Removes all but the newest `count` records of a bucket.
    ///
    /// # Errors
    /// When its folder cannot be read, or one cannot be removed.
    pub fn keep_newest(&self, bucket: Bucket, count: usize) -> io::Result<()> {
        let mut records = Vec::new();
        for entry in fs::read_dir(self.root.join(bucket.folder()))? {
            let entry = entry?;
            records.push((entry.metadata()?.modified()?, entry.path()));
        }
        let Some(surplus) = records.len().checked_sub(count) else { return Ok(()) };
        records.sort();
        records.iter().take(surplus).try_for_each(|(_, path)| fs::remove_file(path))
    }

    /// Removes what lies under `key`.
    ///
    /// # Errors
    /// When it is there and cannot be removed.
    pub fn remove(&self, bucket: Bucket, key: &Key) -> io::Result<()> {
        match fs::remove_file(self.path(bucket, key)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    fn path(&self, bucket: Bucket, key: &Key) -> PathBuf {
        self.root.join(bucket.folder()).join(key.to_string())
    }

    /// Makes a folder of the cache, and marks the cache as one: backups pass it over, git ignores it.
    fn make(&self, folder: &Path) -> io::Result<()> {
        fs::create_dir_all(folder)?;
        for (name, text) in [("CACHEDIR.TAG", TAG), (".gitignore", "*\n")] {
            let path = self.root.join(name);
            if !path.exists() {
                fs::write(path, text)?;
            }
        }
        Ok(())
    }
}

/// How the names of half-written records begin.
const TEMPORARY: &str = ".new-";

/// The text by which backup programs know a cache.
const TAG: &str = "Signature: 8a477f597d28d172789f06886806bc55\n# The cache of pinfast; it may be deleted.\n";

#[cfg(test)]
mod tests {
    use super::*;

    fn cache() -> (tempfile::TempDir, Cache) {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::new(folder.path().join("cache"));
        (folder, cache)
    }

    #[test]
    fn a_record_is_read_back_until_it_is_replaced_or_removed() {
        let (_folder, cache) = cache();
        let key = Key::of(&["a", "b"]);
        assert_eq!(cache.read(Bucket::Pages, &key), Found::Nothing);
        for contents in [b"one".as_slice(), b"", b"two"] {
            cache.write(Bucket::Pages, &key, contents).unwrap();
            assert_eq!(cache.read(Bucket::Pages, &key), Found::Record(contents.to_vec().into()));
        }
        for contents in [vec![1; 10], vec![2; 100_000]] {
            let (begin, end) = contents.split_at(7);
            let written = cache.write_and_map(Bucket::Pages, &key, &[begin, end]).unwrap();
            assert!(*written == *contents);
            assert_eq!(cache.read(Bucket::Pages, &key), Found::Record(written));
        }
        assert_eq!(cache.read(Bucket::Metadata, &key), Found::Nothing);
        cache.remove(Bucket::Pages, &key).unwrap();
        cache.remove(Bucket::Pages, &key).unwrap();
        assert_eq!(cache.read(Bucket::Pages, &key), Found::Nothing);
    }

    #[test]
    fn keys_tell_their_parts_apart() {
        assert_ne!(Key::of(&["ab", "c"]), Key::of(&["a", "bc"]));
        assert_ne!(Key::of(&["a", ""]), Key::of(&["a"]));
    }

    /// A byte of `key`'s record is changed, and the record cut there.
    fn damage_is_noticed(cache: &Cache, key: &Key, whole: &[u8], at: usize) {
        let path = cache.path(Bucket::Pages, key);
        let mut bytes = whole.to_vec();
        bytes[at] ^= 1;
        fs::write(&path, &bytes).unwrap();
        assert!(matches!(cache.read(Bucket::Pages, key), Found::Damaged(_)), "byte {at}");
        fs::write(&path, &whole[..at]).unwrap();
        assert!(matches!(cache.read(Bucket::Pages, key), Found::Damaged(_)), "cut at {at}");
    }

    #[test]
    fn any_damage_is_noticed() {
        let (_folder, cache) = cache();
        let (key, other) = (Key::of(&["a"]), Key::of(&["b"]));
        cache.write(Bucket::Pages, &key, b"contents").unwrap();
        let path = cache.path(Bucket::Pages, &key);
        let whole = fs::read(&path).unwrap();
        for at in 0..whole.len() {
            damage_is_noticed(&cache, &key, &whole, at);
        }
        fs::create_dir_all(cache.path(Bucket::Pages, &other).parent().unwrap()).unwrap();
        fs::write(cache.path(Bucket::Pages, &other), &whole).unwrap();
        assert!(matches!(cache.read(Bucket::Pages, &other), Found::Damaged(_)), "another key's record");
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        assert!(matches!(cache.read(Bucket::Pages, &key), Found::Unreadable(_)), "a folder");
    }

    #[test]
    fn damage_to_a_large_record_is_noticed() {
        let (_folder, cache) = cache();
        let key = Key::of(&["a"]);
        let contents: Vec<u8> = (0..200_000_u32).map(|n| n.to_le_bytes()[0]).collect();
        cache.write(Bucket::Pages, &key, &contents).unwrap();
        assert_eq!(cache.read(Bucket::Pages, &key), Found::Record(contents.into()));
        let path = cache.path(Bucket::Pages, &key);
        let whole = fs::read(&path).unwrap();
        for at in [0, 20, 45, 50, 60, 70_000, whole.len() - 1] {
            damage_is_noticed(&cache, &key, &whole, at);
        }
    }

    #[test]
    fn the_newest_records_are_kept() {
        let (_folder, cache) = cache();
        let keys = ["a", "b", "c"].map(|name| Key::of(&[name]));
        for key in &keys {
            cache.write(Bucket::Snapshots, key, b"contents").unwrap();
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        for (count, left) in [(3, [true, true, true]), (2, [false, true, true]), (1, [false, false, true])] {
            cache.keep_newest(Bucket::Snapshots, count).unwrap();
            assert_eq!(keys.map(|key| cache.holds(Bucket::Snapshots, &key)), left);
        }
    }

    #[test]
    fn a_stamp_tells_a_record_from_what_takes_its_place() {
        let (_folder, cache) = cache();
        let key = Key::of(&["a"]);
        let written = cache.write_and_map(Bucket::Pages, &key, &[b"contents"]).unwrap().stamp().unwrap();
        let Found::Record(read) = cache.read(Bucket::Pages, &key) else { panic!() };
        assert_eq!(read.stamp(), Some(written));
        assert!(cache.still_holds(Bucket::Pages, &key, &written));
        assert!(!cache.still_holds(Bucket::Metadata, &key, &written));
        cache.write(Bucket::Pages, &key, b"contents").unwrap();
        assert!(!cache.still_holds(Bucket::Pages, &key, &written), "of the same length");
        cache.remove(Bucket::Pages, &key).unwrap();
        assert!(!cache.still_holds(Bucket::Pages, &key, &written));
    }

    #[test]
    fn many_writers_leave_one_whole_record() {
        let (_folder, cache) = cache();
        let key = Key::of(&["a"]);
        std::thread::scope(|scope| {
            for number in 0..8_u8 {
                let cache = &cache;
                scope.spawn(move || {
                    for _ in 0..20 {
                        cache.write(Bucket::Pages, &key, &vec![number; 10_000]).unwrap();
                        let Found::Record(bytes) = cache.read(Bucket::Pages, &key) else { panic!() };
                        assert!(bytes.len() == 10_000 && bytes.iter().all(|byte| *byte == bytes[0]));
                    }
                });
            }
        });
        assert_eq!(cache.size().unwrap().records, 1, "no temporary file is left");
    }
}

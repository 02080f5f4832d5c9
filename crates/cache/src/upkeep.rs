//! How large a cache is, and how it is made smaller.
//!
//! Only what pinfast put there is touched: a `--cache-dir` that names the wrong folder loses nothing.

use std::fs::{self, DirEntry};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::{Bucket, Cache, TEMPORARY};

/// How large a cache is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Records: pages, metadata, unpacked wheels, answers of interpreters.
    pub records: u64,
    /// The bytes of their files.
    pub bytes: u64,
}

/// What was removed and what remains.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Removed.
    pub removed: Usage,
    /// Left.
    pub left: Usage,
}

/// A half-written record this old belongs to no run that is still going on.
const ABANDONED: Duration = Duration::from_secs(24 * 3600);

/// The folders that other rooms keep in the cache, whose entries are one record each: unpacked wheels, what
/// their pins are, unfinished ones, interpreters' answers, and the fixes of failed runs.
const ROOMS: [&str; 5] = ["wheels", "pins", HALF_DONE, "python", "fixes"];
const HALF_DONE: &str = "tmp";

/// A record on disk: a file, or a folder that is one as a whole.
struct Unit {
    /// The folder of the cache that it is in.
    room: String,
    path: PathBuf,
    usage: Usage,
    written: SystemTime,
}

impl Cache {
    /// How large it is.
    ///
    /// # Errors
    /// When its folders cannot be read.
    pub fn size(&self) -> io::Result<Usage> {
        let mut usage = Usage::default();
        self.units()?.iter().for_each(|unit| usage.add(unit.usage));
        Ok(usage)
    }

    /// Removes every record.
    ///
    /// # Errors
    /// When one cannot be removed.
    pub fn clear(&self) -> io::Result<Usage> {
        Ok(self.remove_if(|_| true)?.removed)
    }

    /// Removes records written more than `age` before `now`, those in other versions' formats, and what
    /// interrupted runs left half-written.
    ///
    /// # Errors
    /// When one cannot be removed.
    pub fn prune(&self, now: SystemTime, age: Duration) -> io::Result<Pruned> {
        self.remove_if(|unit| {
            let old = now.duration_since(unit.written).unwrap_or_default();
            let named = |name: &std::ffi::OsStr| name.to_string_lossy().starts_with(TEMPORARY);
            let half = unit.room == HALF_DONE || unit.path.file_name().is_some_and(named);
            is_foreign(&unit.room) || old > age || (half && old > ABANDONED)
        })
    }

    fn remove_if(&self, unwanted: impl Fn(&Unit) -> bool) -> io::Result<Pruned> {
        let mut pruned = Pruned::default();
        for unit in self.units()? {
            if !unwanted(&unit) {
                pruned.left.add(unit.usage);
                continue;
            }
            pruned.removed.add(unit.usage);
            gone(if unit.path.is_dir() {
                fs::remove_dir_all(&unit.path)
            } else {
                fs::remove_file(&unit.path)
            })?;
            // A folder goes when it is empty; else it stays.
            let _ = unit.path.parent().map(fs::remove_dir);
        }
        for (_, folder) in self.rooms()? {
            let _ = fs::remove_dir(folder);
        }
        Ok(pruned)
    }

    fn units(&self) -> io::Result<Vec<Unit>> {
        let mut units = Vec::new();
        for (room, folder) in self.rooms()? {
            let (shards, records): (Vec<_>, Vec<_>) =
                entries(&folder)?.partition(|entry| is_foreign(&room) && is_folder(entry));
            units.extend(units_of(&room, records.into_iter()));
            // Up to pages-v3 and its like, records lay in folders of the bucket's.
            for shard in shards {
                units.extend(units_of(&room, entries(&shard.path())?));
            }
        }
        Ok(units)
    }

    /// The folders that are named as those of this or another version are.
    fn rooms(&self) -> io::Result<Vec<(String, PathBuf)>> {
        let named = entries(self.root())?.filter(is_folder).filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            (ROOMS.contains(&name.as_str()) || is_bucket(&name)).then(|| (name, entry.path()))
        });
        Ok(named.collect())
    }
}

impl Usage {
    fn add(&mut self, other: Self) {
        self.records += other.records;
        self.bytes += other.bytes;
    }
}

/// The records that these `entries` are. One that another process has just removed is none.
fn units_of(room: &str, entries: impl Iterator<Item = DirEntry>) -> Vec<Unit> {
    let unit = |entry: DirEntry| {
        let metadata = entry.metadata().ok()?;
        let bytes = if metadata.is_dir() { bytes_under(&entry.path()) } else { metadata.len() };
        let usage = Usage { records: 1, bytes };
        let written = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
        Some(Unit { room: room.to_owned(), path: entry.path(), usage, written })
    };
    entries.filter_map(unit).collect()
}

/// The bytes of all files under `folder`; links are not followed.
fn bytes_under(folder: &Path) -> u64 {
    let (mut bytes, mut folders) = (0, vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in entries(&folder).into_iter().flatten() {
            match entry.metadata() {
                Ok(metadata) if metadata.is_dir() => folders.push(entry.path()),
                Ok(metadata) => bytes += metadata.len(),
                Err(_) => {}
            }
        }
    }
    bytes
}

fn is_folder(entry: &DirEntry) -> bool {
    entry.file_type().is_ok_and(|kind| kind.is_dir())
}

/// Whether a folder is a bucket's of this version or another.
fn is_bucket(name: &str) -> bool {
    let Some((kind, version)) = name.rsplit_once("-v") else { return false };
    version.parse::<u32>().is_ok()
        && Bucket::ALL
            .iter()
            .any(|bucket| bucket.folder().rsplit_once("-v").is_some_and(|(own, _)| own == kind))
}

/// Whether a folder is a bucket's of another version.
fn is_foreign(name: &str) -> bool {
    is_bucket(name) && Bucket::ALL.iter().all(|bucket| bucket.folder() != name)
}

/// The entries of a folder; of one that is not there, none.
fn entries(folder: &Path) -> io::Result<impl Iterator<Item = DirEntry> + use<>> {
    let found = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        found => Some(found?),
    };
    Ok(found.into_iter().flatten().filter_map(Result::ok))
}

fn gone(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Key;

    #[test]
    fn sizes_are_counted_and_clearing_spares_what_is_not_ours() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::new(folder.path().to_owned());
        assert_eq!(cache.size().unwrap(), Usage::default());
        fs::create_dir_all(folder.path().join("precious")).unwrap();
        fs::write(folder.path().join("precious/data"), "x").unwrap();
        fs::write(folder.path().join("pages-v4.txt"), "x").unwrap();
        for text in ["a", "b"] {
            cache.write(Bucket::Pages, &Key::of(&[text]), b"12345").unwrap();
        }
        fs::create_dir_all(folder.path().join("wheels/abc/files/a")).unwrap();
        fs::write(folder.path().join("wheels/abc/files/a/b.py"), [0; 1000]).unwrap();
        let usage = cache.size().unwrap();
        assert_eq!((usage.records, usage.bytes > 1010), (3, true));
        assert_eq!(cache.clear().unwrap(), usage);
        assert_eq!(cache.size().unwrap(), Usage::default());
        assert!(folder.path().join("precious/data").exists() && folder.path().join("pages-v4.txt").exists());
        assert!(
            !folder.path().join(Bucket::Pages.folder()).exists() && !folder.path().join("wheels").exists()
        );
    }

    #[test]
    fn pruning_removes_the_old_the_foreign_and_the_half_written() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::new(folder.path().to_owned());
        cache.write(Bucket::Pages, &Key::of(&["a"]), b"12345").unwrap();
        let (now, day) = (SystemTime::now(), Duration::from_secs(24 * 3600));
        fs::write(folder.path().join(Bucket::Pages.folder()).join(".new-x"), "half").unwrap();
        fs::create_dir_all(folder.path().join("pages-v0/aa")).unwrap();
        fs::write(folder.path().join("pages-v0/aa/x"), "foreign").unwrap();
        fs::create_dir_all(folder.path().join("pages-v99")).unwrap();
        fs::write(folder.path().join("pages-v99/x"), "foreign").unwrap();
        let pruned = cache.prune(now, 30 * day).unwrap();
        assert_eq!((pruned.removed.records, pruned.left.records), (2, 2));
        let pruned = cache.prune(now + 2 * day, 30 * day).unwrap();
        assert_eq!((pruned.removed.records, pruned.left.records), (1, 1));
        let pruned = cache.prune(now + 31 * day, 30 * day).unwrap();
        assert_eq!((pruned.removed.records, pruned.left.records), (1, 0));
    }
}

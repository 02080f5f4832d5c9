//! `pinfast cache size|prune|clear`: how large a cache is, and how it is made smaller.
//!
//! Only folders of the table are touched, in this or another version's form: a `--cache-dir` that names the
//! wrong folder loses nothing.

use std::fs::{self, DirEntry};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::write::TEMPORARY;
use super::{Bucket, Cache};

/// How large a cache is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CacheUsage {
    /// Records of all buckets; an unpacked wheel counts as one.
    pub records: u64,
    /// The bytes of their files.
    pub bytes: u64,
}

/// What `prune` removed and what remains.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PruneReport {
    /// What was removed.
    pub removed: CacheUsage,
    /// What is left.
    pub left: CacheUsage,
}

/// A half-written record this old belongs to no run that is still going on.
const ABANDONED: Duration = Duration::from_secs(24 * 3600);

/// A folder of the cache that the table knows.
struct BucketFolder {
    bucket: Bucket,
    path: PathBuf,
    format: Format,
}

/// Whether this version reads the records of a folder.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Format {
    Current,
    Other,
}

/// A record on disk: a file, or a folder that is one as a whole.
struct StoredRecord {
    bucket: Bucket,
    format: Format,
    path: PathBuf,
    usage: CacheUsage,
    written: SystemTime,
}

impl Cache {
    /// How large it is.
    ///
    /// # Errors
    /// When its folders cannot be read.
    pub fn size(&self) -> io::Result<CacheUsage> {
        let mut usage = CacheUsage::default();
        self.stored()?.iter().for_each(|record| usage.add(record.usage));
        Ok(usage)
    }

    /// Removes every record.
    ///
    /// # Errors
    /// When one cannot be removed.
    pub fn clear(&self) -> io::Result<CacheUsage> {
        Ok(self.remove_if(|_| true)?.removed)
    }

    /// Removes records written more than `age` before `now`, those in other versions' formats, and what
    /// interrupted runs left half-written.
    ///
    /// # Errors
    /// When one cannot be removed.
    pub fn prune(&self, now: SystemTime, age: Duration) -> io::Result<PruneReport> {
        self.remove_if(|record| {
            // A record from the future, written under another clock, counts as new.
            let old = now.duration_since(record.written).unwrap_or_default();
            record.format == Format::Other || old > age || (record.is_half_written() && old > ABANDONED)
        })
    }

    /// Removes what killed runs left in the scratch folder more than a day ago.
    pub fn sweep(&self) {
        let Ok(entries) = entries(&self.folder(Bucket::Scratch)) else { return };
        let yesterday = SystemTime::now() - ABANDONED;
        for entry in entries {
            let old = entry.metadata().and_then(|found| found.modified()).is_ok_and(|time| time < yesterday);
            if old {
                // Another run may be sweeping, too; and what stays costs room only.
                let _ = remove(&entry.path());
            }
        }
    }

    fn remove_if(&self, unwanted: impl Fn(&StoredRecord) -> bool) -> io::Result<PruneReport> {
        let mut report = PruneReport::default();
        for record in self.stored()? {
            if !unwanted(&record) {
                report.left.add(record.usage);
                continue;
            }
            report.removed.add(record.usage);
            remove(&record.path)?;
            // `remove_dir` removes empty folders only, so this needs no look before.
            let _ = record.path.parent().map(fs::remove_dir);
        }
        for folder in self.bucket_folders()? {
            let _ = fs::remove_dir(folder.path);
        }
        Ok(report)
    }

    fn stored(&self) -> io::Result<Vec<StoredRecord>> {
        let mut records = Vec::new();
        for folder in self.bucket_folders()? {
            let (shards, files): (Vec<_>, Vec<_>) =
                entries(&folder.path)?.partition(|entry| folder.format == Format::Other && is_folder(entry));
            records.extend(folder.records(files.into_iter()));
            // Up to `pages-v3` and its like, records lay in folders of the bucket's.
            for shard in shards {
                records.extend(folder.records(entries(&shard.path())?));
            }
        }
        Ok(records)
    }

    fn bucket_folders(&self) -> io::Result<Vec<BucketFolder>> {
        let folders = entries(self.root())?.filter(is_folder).filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let bucket = Bucket::of_folder(&name)?;
            let format = if name == bucket.folder() { Format::Current } else { Format::Other };
            Some(BucketFolder { bucket, path: entry.path(), format })
        });
        Ok(folders.collect())
    }
}

impl BucketFolder {
    /// The records that these `entries` are. One that another process has just removed is none.
    fn records(&self, entries: impl Iterator<Item = DirEntry>) -> Vec<StoredRecord> {
        let record = |entry: DirEntry| {
            let metadata = entry.metadata().ok()?;
            let bytes = if metadata.is_dir() { bytes_under(&entry.path()) } else { metadata.len() };
            Some(StoredRecord {
                bucket: self.bucket,
                format: self.format,
                path: entry.path(),
                usage: CacheUsage { records: 1, bytes },
                written: metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH),
            })
        };
        entries.filter_map(record).collect()
    }
}

impl StoredRecord {
    fn is_half_written(&self) -> bool {
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        self.bucket == Bucket::Scratch || name.starts_with(TEMPORARY)
    }
}

impl CacheUsage {
    fn add(&mut self, other: Self) {
        self.records += other.records;
        self.bytes += other.bytes;
    }
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

/// The entries of a folder; of one that is not there, none.
fn entries(folder: &Path) -> io::Result<impl Iterator<Item = DirEntry> + use<>> {
    let found = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        found => Some(found?),
    };
    Ok(found.into_iter().flatten().filter_map(Result::ok))
}

/// Removes a file or a folder, following no link; it is no error if it is gone already.
fn remove(path: &Path) -> io::Result<()> {
    // `is_dir` follows a link, but `remove_dir_all` does not: it removes the link itself.
    let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CacheKey;

    #[test]
    fn sizes_are_counted_and_clearing_spares_what_is_not_ours() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::new(folder.path().to_owned());
        assert_eq!(cache.size().unwrap(), CacheUsage::default());
        fs::create_dir_all(folder.path().join("precious")).unwrap();
        fs::write(folder.path().join("precious/data"), "x").unwrap();
        fs::write(folder.path().join("pages-v4.txt"), "x").unwrap();
        for text in ["a", "b"] {
            cache.write(Bucket::Pages, &CacheKey::of(&[text]), b"12345").unwrap();
        }
        fs::create_dir_all(folder.path().join("wheels/abc/files/a")).unwrap();
        fs::write(folder.path().join("wheels/abc/files/a/b.py"), [0; 1000]).unwrap();
        let usage = cache.size().unwrap();
        assert_eq!((usage.records, usage.bytes > 1010), (3, true));
        assert_eq!(cache.clear().unwrap(), usage);
        assert_eq!(cache.size().unwrap(), CacheUsage::default());
        assert!(folder.path().join("precious/data").exists() && folder.path().join("pages-v4.txt").exists());
        assert!(
            !folder.path().join(Bucket::Pages.folder()).exists() && !folder.path().join("wheels").exists()
        );
    }

    #[test]
    fn pruning_removes_the_old_the_foreign_and_the_half_written() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::new(folder.path().to_owned());
        cache.write(Bucket::Pages, &CacheKey::of(&["a"]), b"12345").unwrap();
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

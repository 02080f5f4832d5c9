//! How large a cache is, and how it is made smaller.
//!
//! Only what pinfast put there is touched: a `--cache-dir` that names the wrong folder loses nothing.

use std::fs::{self, DirEntry, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::{Bucket, Cache, TEMPORARY};

/// How large a cache is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Records.
    pub records: u64,
    /// Their bytes.
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

impl Cache {
    /// How large it is.
    ///
    /// # Errors
    /// When its folders cannot be read.
    pub fn size(&self) -> io::Result<Usage> {
        let mut usage = Usage::default();
        self.each(&mut |_, _, metadata| {
            usage.add(metadata);
            Ok(())
        })?;
        Ok(usage)
    }

    /// Removes every record.
    ///
    /// # Errors
    /// When one cannot be removed.
    pub fn clear(&self) -> io::Result<Usage> {
        Ok(self.remove_if(|_, _, _| true)?.removed)
    }

    /// Removes records written more than `age` before `now`, those in other versions' formats, and what
    /// interrupted runs left half-written.
    ///
    /// # Errors
    /// When one cannot be removed.
    pub fn prune(&self, now: SystemTime, age: Duration) -> io::Result<Pruned> {
        self.remove_if(|bucket, path, metadata| {
            let written = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
            let old = now.duration_since(written).unwrap_or_default();
            let half = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(TEMPORARY));
            let known = Bucket::ALL.iter().any(|known| known.folder() == bucket);
            !known || old > age || (half && old > ABANDONED)
        })
    }

    fn remove_if(&self, unwanted: impl Fn(&str, &Path, &Metadata) -> bool) -> io::Result<Pruned> {
        let mut pruned = Pruned::default();
        self.each(&mut |bucket, path, metadata| {
            if !unwanted(bucket, path, metadata) {
                pruned.left.add(metadata);
                return Ok(());
            }
            pruned.removed.add(metadata);
            gone(fs::remove_file(path))?;
            // It goes when it is empty; else it stays.
            let _ = path.parent().map(fs::remove_dir);
            Ok(())
        })?;
        for (_, folder) in self.buckets()? {
            let _ = fs::remove_dir(folder);
        }
        Ok(pruned)
    }

    /// Calls `visit` with the bucket's name and each of its files.
    fn each(&self, visit: &mut dyn FnMut(&str, &Path, &Metadata) -> io::Result<()>) -> io::Result<()> {
        for (bucket, folder) in self.buckets()? {
            for shard in entries(&folder)?.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())) {
                for file in entries(&shard.path())? {
                    // A record that another process has just removed is no longer there.
                    match file.metadata() {
                        Ok(metadata) if metadata.is_file() => visit(&bucket, &file.path(), &metadata)?,
                        _ => {}
                    }
                }
            }
        }
        Ok(())
    }

    /// The folders that are named as buckets of this or another version are.
    fn buckets(&self) -> io::Result<Vec<(String, PathBuf)>> {
        let named = entries(self.root())?.filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let folder = entry.file_type().ok()?.is_dir() && is_bucket(&name);
            folder.then(|| (name, entry.path()))
        });
        Ok(named.collect())
    }
}

impl Usage {
    fn add(&mut self, metadata: &Metadata) {
        self.records += 1;
        self.bytes += metadata.len();
    }
}

fn is_bucket(name: &str) -> bool {
    let Some((kind, version)) = name.rsplit_once("-v") else { return false };
    version.parse::<u32>().is_ok()
        && Bucket::ALL
            .iter()
            .any(|bucket| bucket.folder().rsplit_once("-v").is_some_and(|(own, _)| own == kind))
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
    use crate::cache::Key;

    #[test]
    fn sizes_are_counted_and_clearing_spares_what_is_not_ours() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::new(folder.path().to_owned());
        assert_eq!(cache.size().unwrap(), Usage::default());
        fs::create_dir_all(folder.path().join("precious")).unwrap();
        fs::write(folder.path().join("precious/data"), "x").unwrap();
        fs::write(folder.path().join("pages-v1.txt"), "x").unwrap();
        for text in ["a", "b"] {
            cache.write(Bucket::Pages, &Key::of(&[text]), b"12345").unwrap();
        }
        let usage = cache.size().unwrap();
        assert_eq!((usage.records, usage.bytes > 10), (2, true));
        assert_eq!(cache.clear().unwrap(), usage);
        assert_eq!(cache.size().unwrap(), Usage::default());
        assert!(folder.path().join("precious/data").exists() && folder.path().join("pages-v1.txt").exists());
        assert!(!folder.path().join("pages-v1").exists());
    }

    #[test]
    fn pruning_removes_the_old_the_foreign_and_the_half_written() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::new(folder.path().to_owned());
        cache.write(Bucket::Pages, &Key::of(&["a"]), b"12345").unwrap();
        let (now, day) = (SystemTime::now(), Duration::from_secs(24 * 3600));
        let shard = fs::read_dir(folder.path().join("pages-v1")).unwrap().next().unwrap().unwrap().path();
        fs::write(shard.join(".new-x"), "half").unwrap();
        fs::create_dir_all(folder.path().join("pages-v0/aa")).unwrap();
        fs::write(folder.path().join("pages-v0/aa/x"), "foreign").unwrap();
        let pruned = cache.prune(now, 30 * day).unwrap();
        assert_eq!((pruned.removed.records, pruned.left.records), (1, 2));
        let pruned = cache.prune(now + 2 * day, 30 * day).unwrap();
        assert_eq!((pruned.removed.records, pruned.left.records), (1, 1));
        let pruned = cache.prune(now + 31 * day, 30 * day).unwrap();
        assert_eq!((pruned.removed.records, pruned.left.records), (1, 0));
    }
}

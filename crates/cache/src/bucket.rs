//! The one table of what lies in the cache: each bucket's folder, key, encoding and format counter.
//!
//! `docs/cache.md` draws the same table for people; a test compares the two.

use pinfast_packaging::Sha256;

use super::CacheKey;

/// A kind of record, and the folder of the cache that holds all records of that kind.
///
/// Each variant draws its tree on disk. `KEY` is a [`CacheKey`]: 64 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bucket {
    /// Listings of projects, with their HTTP freshness (RFC 9111).
    ///
    /// ```text
    /// pages-v4/
    /// └── KEY            of the page's URL and the user that was logged in
    /// ```
    Pages,
    /// Core metadata of distribution files.
    ///
    /// ```text
    /// metadata-v4/
    /// └── KEY            of the file's SHA-256
    /// ```
    Metadata,
    /// Core metadata that a build backend made from a source distribution.
    ///
    /// ```text
    /// built-v3/
    /// └── KEY            of the sdist's SHA-256, the target's label and the builder's version
    /// ```
    Built,
    /// Which indexes a lock came from, and what its run reported.
    ///
    /// ```text
    /// locks-v2/
    /// └── KEY            of the lock's text
    /// ```
    Locks,
    /// Index data of the pinned releases of one lock, in one record.
    ///
    /// ```text
    /// snapshots-v1/
    /// └── KEY            of the lock's path and its main index
    /// ```
    Snapshots,
    /// Unpacked wheels: environments link or copy their files from here.
    ///
    /// ```text
    /// wheels/
    /// └── KEY/           the wheel's SHA-256; for a built wheel, the digest of all that went into the build
    ///     ├── manifest   each file's path, digest and stamp
    ///     └── files/     the unpacked archive, read-only
    /// ```
    Wheels,
    /// Which file of a release each hash of a pin belongs to.
    ///
    /// ```text
    /// pins/
    /// └── KEY            of the pin's name, version and hashes
    /// ```
    Pins,
    /// Answers of interpreters to the probe.
    ///
    /// ```text
    /// python/
    /// └── KEY.json       of the interpreter's path
    /// ```
    Interpreters,
    /// Fixes that a failed `pinfast lock` offered, for `--fix N`.
    ///
    /// ```text
    /// fixes/
    /// └── KEY.json       of the folder and the arguments of the run
    /// ```
    Fixes,
    /// Files and folders that are being written; finished ones are renamed into their bucket.
    ///
    /// ```text
    /// tmp/
    /// ├── file-XXXXXX    a download
    /// ├── wheel-XXXXXX/  a wheel that is being unpacked
    /// ├── build-XXXXXX/  a wheel that is being built
    /// └── old-XXXXXX/    an evicted wheel that is being removed
    /// ```
    Scratch,
}

/// How the records of a bucket lie on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    /// `KEY`: a frame with the key, the length and a CRC-32 of the contents. The folder's name carries the
    /// format counter.
    Framed,
    /// `KEY`: a magic word, the SHA-256 of the contents, the contents. The word's last digit is the format
    /// counter.
    Sealed(&'static [u8; 8]),
    /// `KEY/manifest`, sealed like the above, beside the folder `KEY/files`.
    Tree(&'static [u8; 8]),
    /// `KEY.json`: the contents alone. JSON that is cut does not parse, and the record repeats its key or a
    /// digest, which its reader compares.
    Json,
    /// Temporary names.
    Temporary,
}

/// What the key of a record is the digest of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum KeyRule {
    /// This label and the parts.
    Parts(&'static str),
    /// This label, the format counter and the parts.
    FormatAndParts(&'static str),
    /// Its writer's own digest.
    Digest,
}

/// A row of the table.
struct BucketRow {
    folder: &'static str,
    encoding: Encoding,
    key: KeyRule,
}

const fn row(folder: &'static str, encoding: Encoding, key: KeyRule) -> BucketRow {
    BucketRow { folder, encoding, key }
}

impl Bucket {
    /// All buckets.
    pub const ALL: [Self; 10] = [
        Self::Pages,
        Self::Metadata,
        Self::Built,
        Self::Locks,
        Self::Snapshots,
        Self::Wheels,
        Self::Pins,
        Self::Interpreters,
        Self::Fixes,
        Self::Scratch,
    ];

    /// The table. To change a record's form, raise its one counter here: in the folder's name (`-v4`) or in
    /// the magic word (`pinfile2`).
    const fn row(self) -> BucketRow {
        match self {
            Self::Pages => row("pages-v4", Encoding::Framed, KeyRule::Parts("page")),
            Self::Metadata => row("metadata-v4", Encoding::Framed, KeyRule::Parts("metadata")),
            Self::Built => row("built-v3", Encoding::Framed, KeyRule::Parts("built")),
            Self::Locks => row("locks-v2", Encoding::Framed, KeyRule::FormatAndParts("lock")),
            Self::Snapshots => row("snapshots-v1", Encoding::Framed, KeyRule::FormatAndParts("snapshot")),
            Self::Wheels => row("wheels", Encoding::Tree(b"pinfast1"), KeyRule::Digest),
            Self::Pins => row("pins", Encoding::Sealed(b"pinfile2"), KeyRule::Digest),
            Self::Interpreters => row("python", Encoding::Json, KeyRule::Digest),
            Self::Fixes => row("fixes", Encoding::Json, KeyRule::Digest),
            Self::Scratch => row("tmp", Encoding::Temporary, KeyRule::Digest),
        }
    }

    /// The name of its folder, below that of the cache.
    #[must_use]
    pub const fn folder(self) -> &'static str {
        self.row().folder
    }

    /// The format counter of its records. A record with another counter is never read.
    #[must_use]
    pub fn format(self) -> u32 {
        let digits = match self.row().encoding {
            Encoding::Sealed(magic) | Encoding::Tree(magic) => std::str::from_utf8(&magic[7..]).ok(),
            _ => version_suffix(self.folder()).map(|(_, version)| version),
        };
        // The first format of a bucket may go without a number.
        digits.and_then(|digits| digits.parse().ok()).unwrap_or(1)
    }

    /// The key of the record that these `parts` identify, in this order.
    #[must_use]
    pub fn key(self, parts: &[&str]) -> CacheKey {
        match self.row().key {
            KeyRule::Parts(label) => CacheKey::of(&[&[label], parts].concat()),
            KeyRule::FormatAndParts(label) => {
                CacheKey::of(&[&[label, &self.format().to_string()], parts].concat())
            }
            KeyRule::Digest => CacheKey::from(Sha256::of_parts(parts.iter().copied())),
        }
    }

    pub(super) const fn encoding(self) -> Encoding {
        self.row().encoding
    }

    /// The bucket whose folder has this name in this or another version of pinfast.
    pub(super) fn of_folder(name: &str) -> Option<Self> {
        let stem = |name| version_suffix(name).map(|(stem, _)| stem);
        let is_same = |bucket: &Self| {
            let counted = stem(bucket.folder());
            bucket.folder() == name || (counted.is_some() && counted == stem(name))
        };
        Self::ALL.into_iter().find(is_same)
    }
}

/// `pages-v4` -> (`pages`, `4`)
fn version_suffix(folder: &str) -> Option<(&str, &str)> {
    folder.rsplit_once("-v").filter(|(_, version)| version.parse::<u32>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Folders, counters and keys as of today: changing one loses the caches of all users.
    #[test]
    fn the_table_still_finds_the_records_of_released_versions() {
        let table: Vec<_> = Bucket::ALL
            .iter()
            .map(|bucket| {
                let key = bucket.key(&["a", "b"]).to_string();
                (bucket.folder(), bucket.format(), key[..8].to_owned())
            })
            .collect();
        let expected: [(&str, u32, &str); 10] = [
            ("pages-v4", 4, "8b0d308c"),
            ("metadata-v4", 4, "4c3cf098"),
            ("built-v3", 3, "db180061"),
            ("locks-v2", 2, "aec954a8"),
            ("snapshots-v1", 1, "3586ab62"),
            ("wheels", 1, "fb8e20fc"),
            ("pins", 2, "fb8e20fc"),
            ("python", 1, "fb8e20fc"),
            ("fixes", 1, "fb8e20fc"),
            ("tmp", 1, "fb8e20fc"),
        ];
        assert_eq!(table, expected.map(|(folder, format, key)| (folder, format, key.to_owned())));
    }

    #[test]
    fn the_page_on_the_cache_has_a_row_and_a_folder_for_each_bucket() {
        let page = include_str!("../../../docs/cache.md");
        let table = page.split("| bucket |").nth(1).unwrap().split("\n\n").next().unwrap();
        let rows: Vec<&str> =
            table.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
        assert_eq!(rows, Bucket::ALL.map(Bucket::folder));
        let tree = page.split("CACHE/").nth(1).unwrap().split("```").next().unwrap();
        let folders: Vec<&str> =
            tree.lines().filter_map(|line| line.split("── ").nth(1)?.strip_suffix('/')).collect();
        assert_eq!(folders, Bucket::ALL.map(Bucket::folder));
    }

    #[test]
    fn a_folder_of_another_version_belongs_to_its_bucket() {
        for (name, bucket) in [
            ("pages-v4", Some(Bucket::Pages)),
            ("pages-v3", Some(Bucket::Pages)),
            ("pages-v99", Some(Bucket::Pages)),
            ("pages", None),
            ("pages-vx", None),
            ("python", Some(Bucket::Interpreters)),
            ("python-v2", None),
            ("precious", None),
        ] {
            assert_eq!(Bucket::of_folder(name), bucket, "{name}");
        }
    }
}

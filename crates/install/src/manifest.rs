//! The manifest of an unpacked wheel in the cache: all that an installation needs to know of it.
//!
//! It holds each file's stamp from the moment when its content had just been checked, so that an installation
//! hashes nothing: a file that somebody changed since has another stamp.

use serde::{Deserialize, Serialize};

use super::entry_points::EntryPoint;
use super::wheel::LibraryScheme;
use pinfast_cache::FileStamp;

/// An unpacked wheel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Manifest {
    /// The normalised name.
    pub(super) name: String,
    /// The version in normal form.
    pub(super) version: String,
    /// The stem of its `.dist-info` and `.data` folders.
    pub(super) stem: String,
    /// Where the files outside `.data` go.
    pub(super) root: LibraryScheme,
    /// METADATA's Requires-Python.
    pub(super) requires_python: Option<String>,
    /// The scripts to be made.
    pub(super) scripts: Vec<EntryPoint>,
    /// The files, RECORD left out, since an installation writes its own.
    pub(super) files: Vec<CachedFile>,
}

/// One unpacked file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct CachedFile {
    /// Its path in the archive.
    pub(super) path: String,
    /// Its hash as RECORD spells it; empty for a signature of RECORD.
    pub(super) digest: String,
    /// How it gets into an environment.
    pub(super) kind: FileKind,
    /// How the disk showed it when its content had just been checked.
    pub(super) stamp: FileStamp,
}

impl CachedFile {
    /// The folder of the archive that it is in; empty for the outermost.
    pub(super) fn folder(&self) -> &str {
        self.path.rsplit_once('/').map_or("", |(folder, _)| folder)
    }
}

/// How a file gets into an environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum FileKind {
    /// As it is.
    Plain,
    /// With the interpreter's path in its first line, which is `#!python`.
    Script,
}

impl Manifest {
    /// The contents of its record in the cache; [`Manifest::decode`] reads them.
    pub(super) fn encode(&self) -> Vec<u8> {
        postcard::to_stdvec(self).expect("a manifest is made of strings and numbers")
    }

    /// Reads the contents of a record; `None` if they are another format's.
    pub(super) fn decode(contents: &[u8]) -> Option<Self> {
        postcard::from_bytes(contents).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pinfast_cache::{Bucket, Cache, CacheLookup};
    use pinfast_packaging::Sha256;

    #[test]
    fn a_damaged_manifest_is_not_read() {
        let manifest = Manifest {
            name: "a".to_owned(),
            version: "1".to_owned(),
            stem: "a-1".to_owned(),
            root: LibraryScheme::Purelib,
            requires_python: Some(">=3.9".to_owned()),
            scripts: Vec::new(),
            files: Vec::new(),
        };
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::new(folder.path().to_owned());
        cache.prepare().unwrap();
        let key = Sha256::of(b"").into();
        let read = || match cache.read(Bucket::Wheels, &key) {
            CacheLookup::Hit(contents) => Manifest::decode(&contents),
            _ => None,
        };
        let tree = cache.begin_tree().unwrap();
        let found = cache.commit_tree(tree, Bucket::Wheels, &key, &manifest.encode(), read).unwrap();
        assert_eq!(found, manifest);
        let path = cache.path(Bucket::Wheels, &key);
        let whole = std::fs::read(&path).unwrap();
        assert!(whole.starts_with(b"pinfast1"));
        for at in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[at] ^= 1;
            std::fs::write(&path, damaged).unwrap();
            assert_eq!(read(), None, "byte {at}");
        }
        std::fs::write(&path, &whole[..20]).unwrap();
        assert_eq!(read(), None);
    }
}

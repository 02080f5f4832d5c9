//! The manifest of an unpacked wheel in the cache: all that an installation needs to know of it, and
//! the marks by which a file that somebody changed is told from one that is as it was.

use std::fs::Metadata as FileMetadata;
use std::os::unix::fs::MetadataExt;

use serde::{Deserialize, Serialize};

use super::entry_points::Script;
use super::wheel::Root;
use pinfast_packaging::Sha256;

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
    pub(super) root: Root,
    /// METADATA's Requires-Python.
    pub(super) requires_python: Option<String>,
    /// The scripts to be made.
    pub(super) scripts: Vec<Script>,
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
    pub(super) stamp: Stamp,
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

/// What changes when somebody edits a file in place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stamp {
    pub(super) size: u64,
    inode: u64,
    seconds: i64,
    nanoseconds: i64,
    mode: u32,
}

impl Stamp {
    pub(super) fn of(metadata: &FileMetadata) -> Self {
        Self {
            size: metadata.size(),
            inode: metadata.ino(),
            seconds: metadata.mtime(),
            nanoseconds: metadata.mtime_nsec(),
            mode: metadata.mode(),
        }
    }

    /// The same of what a call of the system's told.
    #[cfg_attr(
        target_os = "linux",
        expect(clippy::unnecessary_cast, reason = "elsewhere a mode has fewer bits")
    )]
    pub(super) fn of_stat(stat: &rustix::fs::Stat) -> Self {
        Self {
            size: stat.st_size as u64,
            inode: stat.st_ino,
            seconds: stat.st_mtime,
            nanoseconds: stat.st_mtime_nsec as i64,
            mode: stat.st_mode as u32,
        }
    }

    /// The file's mode bits.
    pub(super) fn mode(&self) -> u32 {
        self.mode
    }
}

/// The first bytes of a manifest; the digit is the version of its form.
const MAGIC: &[u8; 8] = b"pinfast1";

impl Manifest {
    /// As bytes that [`Manifest::decode`] reads.
    pub(super) fn encode(&self) -> Vec<u8> {
        let body = postcard::to_stdvec(self).expect("a manifest is made of strings and numbers");
        seal(MAGIC, &body)
    }

    /// Reads bytes; `None` where they are damaged or of another form.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        postcard::from_bytes(unseal(MAGIC, bytes)?).ok()
    }
}

/// `body` behind a magic word and its own hash.
pub(super) fn seal(magic: &[u8; 8], body: &[u8]) -> Vec<u8> {
    [magic.as_slice(), &Sha256::of(body).0, body].concat()
}

/// The body, where magic word and hash are right.
pub(super) fn unseal<'a>(magic: &[u8; 8], bytes: &'a [u8]) -> Option<&'a [u8]> {
    let (hash, body) = bytes.strip_prefix(magic)?.split_at_checked(32)?;
    (Sha256::of(body).0 == hash).then_some(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_manifest_is_none() {
        let manifest = Manifest {
            name: "a".to_owned(),
            version: "1".to_owned(),
            stem: "a-1".to_owned(),
            root: Root::Purelib,
            requires_python: Some(">=3.9".to_owned()),
            scripts: Vec::new(),
            files: Vec::new(),
        };
        let bytes = manifest.encode();
        assert_eq!(Manifest::decode(&bytes), Some(manifest));
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1;
            assert_eq!(Manifest::decode(&damaged), None, "byte {at}");
        }
        assert_eq!(Manifest::decode(&bytes[..20]), None);
    }
}

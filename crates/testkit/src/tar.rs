//! Gzipped tar archives, such as source distributions.

use tar::{Builder, Header};

use crate::gzip;

pub use tar::EntryType;

/// A gzipped tar archive of these files, each a path and its content.
#[must_use]
pub fn tar_gz(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = Builder::new(Vec::new());
    for (path, content) in files {
        archive.append_data(&mut header(content.len()), path, *content).unwrap();
    }
    gzip(&archive.into_inner().unwrap())
}

/// A member of an archive: its kind, its path, the target of a link, the content of a file. Path and target have at most
/// 100 bytes, may be absolute, and may lead out of the archive.
pub type TarMember<'a> = (EntryType, &'a str, &'a str, &'a str);

/// A gzipped tar archive of these members.
#[must_use]
pub fn tar_gz_of_members(members: &[TarMember<'_>]) -> Vec<u8> {
    let mut archive = Builder::new(Vec::new());
    for (kind, path, target, content) in members {
        let mut header = header(content.len());
        header.set_entry_type(*kind);
        // The library's own setters refuse hostile names.
        let raw = header.as_old_mut();
        raw.name[..path.len()].copy_from_slice(path.as_bytes());
        raw.linkname[..target.len()].copy_from_slice(target.as_bytes());
        header.set_cksum();
        archive.append(&header, content.as_bytes()).unwrap();
    }
    gzip(&archive.into_inner().unwrap())
}

fn header(size: usize) -> Header {
    let mut header = Header::new_gnu();
    header.set_size(size as u64);
    header.set_mode(0o644);
    header
}

/// The source distribution `NAME-VERSION.tar.gz`: these files in the folder `NAME-VERSION`.
#[must_use]
pub fn sdist(name: &str, version: &str, files: &[(&str, &str)]) -> Vec<u8> {
    let paths: Vec<String> = files.iter().map(|(path, _)| format!("{name}-{version}/{path}")).collect();
    let files: Vec<(&str, &[u8])> =
        paths.iter().zip(files).map(|(path, (_, text))| (path.as_str(), text.as_bytes())).collect();
    tar_gz(&files)
}

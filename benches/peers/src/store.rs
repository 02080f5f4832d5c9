//! The recorded index on disk: each response once, compressed as it is sent.

use std::collections::HashMap;
use std::fs;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result};
use bytes::Bytes;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::page;
use crate::resource::Resource;

/// A folder of responses; those that were requested are in memory, too.
pub(crate) struct RecordedIndex {
    root: PathBuf,
    held: Mutex<HashMap<Resource, Arc<RecordedResponse>>>,
    origins: Mutex<Vec<String>>,
    /// By project and path.
    sizes: Mutex<HashMap<String, HashMap<String, u64>>>,
}

/// The recorded response for a resource.
pub(crate) enum RecordedResponse {
    /// The index had nothing there.
    Absent,
    /// The body as it is sent, and its strong validator.
    Body { body: Bytes, etag: String },
}

impl RecordedIndex {
    pub(crate) fn open(root: &Path) -> Result<Self> {
        fs::create_dir_all(root).with_context(|| format!("cannot make {}", root.display()))?;
        let origins = fs::read_to_string(root.join(ORIGINS)).unwrap_or_default();
        let origins = origins.lines().map(str::to_owned).collect();
        Ok(Self {
            root: root.to_owned(),
            held: Mutex::default(),
            origins: Mutex::new(origins),
            sizes: Mutex::default(),
        })
    }

    /// The recorded response for `resource`; `None` where there is none.
    pub(crate) fn get(&self, resource: &Resource) -> Option<Arc<RecordedResponse>> {
        if let Some(kept) = lock(&self.held).get(resource) {
            return Some(kept.clone());
        }
        let path = self.root.join(resource.place());
        let kept = match fs::read(&path) {
            Ok(body) => RecordedResponse::of(body),
            Err(_) if absent(&path).exists() => RecordedResponse::Absent,
            Err(_) => return None,
        };
        let kept = Arc::new(kept);
        lock(&self.held).insert(resource.clone(), kept.clone());
        Some(kept)
    }

    /// The body of `resource`, decompressed.
    pub(crate) fn plain(&self, resource: &Resource) -> Option<Vec<u8>> {
        match &*self.get(resource)? {
            RecordedResponse::Absent => None,
            RecordedResponse::Body { body, .. } if resource.is_page() => {
                let mut plain = Vec::new();
                GzDecoder::new(body.as_ref()).read_to_end(&mut plain).ok()?;
                Some(plain)
            }
            RecordedResponse::Body { body, .. } => Some(body.to_vec()),
        }
    }

    /// Records `body`, which is not compressed.
    pub(crate) fn put(&self, resource: &Resource, body: &[u8]) -> Result<()> {
        let packed = if resource.is_page() { packed(body)? } else { body.to_vec() };
        self.write(&self.root.join(resource.place()), &packed)?;
        lock(&self.held).insert(resource.clone(), Arc::new(RecordedResponse::of(packed)));
        Ok(())
    }

    /// Records that there is nothing.
    pub(crate) fn put_absent(&self, resource: &Resource) -> Result<()> {
        self.write(&absent(&self.root.join(resource.place())), b"")?;
        lock(&self.held).insert(resource.clone(), Arc::new(RecordedResponse::Absent));
        Ok(())
    }

    /// The JSON API's page of a project.
    pub(crate) fn project(&self, name: &str) -> Option<Value> {
        serde_json::from_slice(&self.plain(&Resource::Project(name.to_owned()))?).ok()
    }

    /// Makes the page of a release from the page of its `project` and the METADATA of one of its wheels.
    pub(crate) fn make_release(&self, project: &Value, name: &str, version: &str) -> Result<()> {
        let resource = Resource::Release(name.to_owned(), version.to_owned());
        let metadata = page::wheels_of(project, version)
            .find_map(|wheel| self.plain(&Resource::Metadata(wheel.to_owned())));
        match metadata.and_then(|metadata| page::release(project, version, &metadata)) {
            Some(page) => self.put(&resource, &serde_json::to_vec(&page)?),
            None => self.put_absent(&resource),
        }
    }

    /// Makes the page of each release whose METADATA is recorded.
    pub(crate) fn make_releases(&self) -> Result<()> {
        for entry in fs::read_dir(self.root.join("project"))? {
            let file = entry?.file_name();
            let Some(name) = file.to_str().and_then(|file| file.strip_suffix(".json.gz")) else { continue };
            let Some(project) = self.project(name) else { continue };
            for version in page::versions(&project) {
                let lacks = self.get(&Resource::Release(name.to_owned(), version.clone())).is_none();
                let recorded = |wheel: &str| self.get(&Resource::Metadata(wheel.to_owned())).is_some();
                if lacks && page::wheels_of(&project, version).any(recorded) {
                    self.make_release(&project, name, version)?;
                }
            }
        }
        Ok(())
    }

    /// The size of the file at `path`, from the page of its project.
    pub(crate) fn size(&self, path: &str) -> Option<u64> {
        let name = path.rsplit('/').next()?.split('-').next()?.to_lowercase().replace(['_', '.'], "-");
        let mut sizes = lock(&self.sizes);
        if !sizes.contains_key(&name) {
            let project = self.project(&name)?;
            let all = page::sizes(&project).map(|(path, size)| (path.to_owned(), size)).collect();
            sizes.insert(name.clone(), all);
        }
        sizes[&name].get(path).copied()
    }

    /// Whether the note `name` was made.
    pub(crate) fn is_noted(&self, name: &str) -> bool {
        self.root.join("notes").join(name).exists()
    }

    /// Makes the note `name`.
    pub(crate) fn note(&self, name: &str) -> Result<()> {
        self.write(&self.root.join("notes").join(name), b"")
    }

    /// The number by which the store's paths name a server of files, such as `https://files.example`.
    pub(crate) fn origin_number(&self, origin: &str) -> Result<usize> {
        let mut origins = lock(&self.origins);
        if let Some(number) = origins.iter().position(|known| known == origin) {
            return Ok(number);
        }
        origins.push(origin.to_owned());
        self.write(&self.root.join(ORIGINS), origins.join("\n").as_bytes())?;
        Ok(origins.len() - 1)
    }

    /// The server of files with that number.
    pub(crate) fn origin(&self, number: usize) -> Option<String> {
        lock(&self.origins).get(number).cloned()
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> Result<()> {
        let folder = path.parent().unwrap_or(&self.root);
        let write = || -> std::io::Result<()> {
            fs::create_dir_all(folder)?;
            let mut file = tempfile::NamedTempFile::new_in(folder)?;
            file.write_all(bytes)?;
            file.persist(path)?;
            Ok(())
        };
        write().with_context(|| format!("cannot write {}", path.display()))
    }
}

/// The file with the servers of files, one a line.
const ORIGINS: &str = "origins";

impl RecordedResponse {
    fn of(body: Vec<u8>) -> Self {
        let digest = Sha256::digest(&body);
        let etag: String = digest[..12].iter().map(|byte| format!("{byte:02x}")).collect();
        Self::Body { body: body.into(), etag: format!("\"{etag}\"") }
    }
}

fn packed(body: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::new(6));
    encoder.write_all(body)?;
    Ok(encoder.finish()?)
}

fn absent(path: &Path) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(".absent");
    path.into()
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_is_got_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let (page, file) = (Resource::Project("a".into()), Resource::Metadata("0/a.whl".into()));
        let store = RecordedIndex::open(folder.path()).expect("a store");
        assert!(store.get(&page).is_none());
        store.put(&page, b"page").expect("a disk");
        store.put(&file, b"file").expect("a disk");
        store.put_absent(&Resource::Project("b".into())).expect("a disk");
        assert_eq!(store.origin_number("https://files.example").expect("a disk"), 0);
        let again = RecordedIndex::open(folder.path()).expect("a store");
        assert_eq!(again.plain(&page).as_deref(), Some(b"page".as_slice()));
        assert_eq!(again.plain(&file).as_deref(), Some(b"file".as_slice()));
        assert!(matches!(
            again.get(&Resource::Project("b".into())).as_deref(),
            Some(RecordedResponse::Absent)
        ));
        assert_eq!(again.origin(0).as_deref(), Some("https://files.example"));
        assert_eq!(again.origin_number("https://other.example").expect("a disk"), 1);
    }
}

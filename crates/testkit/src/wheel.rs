//! Wheels (PyPA's binary distribution format), sound unless a test says otherwise.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use crate::zip::{ZipEntry, zip};

/// A wheel under construction.
#[derive(Clone, Debug)]
pub struct Wheel {
    /// The name, as it stands in the file name.
    pub name: String,
    /// The version, as it stands in the file name.
    pub version: String,
    /// The compatibility tag, such as `py3-none-any`; a build number may stand before it.
    pub tag: String,
    /// What it holds besides METADATA, WHEEL and RECORD.
    pub entries: Vec<ZipEntry>,
    /// The text of METADATA; an empty one is left out.
    pub metadata: String,
    /// The text of WHEEL; an empty one is left out.
    pub wheel: String,
    /// The content of RECORD, where it is not [the one that fits](Self::fitting_record).
    pub record: Option<Vec<u8>>,
}

impl Wheel {
    /// A wheel with no file but its metadata, for every Python 3.
    #[must_use]
    pub fn new(name: &str, version: &str) -> Self {
        Self {
            name: name.to_owned(),
            version: version.to_owned(),
            tag: "py3-none-any".to_owned(),
            entries: Vec::new(),
            metadata: format!("Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"),
            wheel: "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
                .to_owned(),
            record: None,
        }
    }

    /// With this file.
    #[must_use]
    pub fn file(self, name: &str, content: impl Into<Vec<u8>>) -> Self {
        self.entry(ZipEntry::new(name, content))
    }

    /// With this entry.
    #[must_use]
    pub fn entry(mut self, entry: ZipEntry) -> Self {
        self.entries.push(entry);
        self
    }

    /// With a package of its own name that knows its version.
    #[must_use]
    pub fn module(self) -> Self {
        let (path, text) =
            (format!("{}/__init__.py", self.name), format!("__version__ = '{}'\n", self.version));
        self.file(&path, text)
    }

    /// With this file in its `.dist-info` folder.
    #[must_use]
    pub fn info(self, name: &str, content: impl Into<Vec<u8>>) -> Self {
        let path = self.info_path(name);
        self.file(&path, content)
    }

    /// With these lines at the end of METADATA, such as `Requires-Dist: b>1`.
    #[must_use]
    pub fn metadata_lines(mut self, lines: &str) -> Self {
        self.metadata.push_str(lines);
        self.metadata.push('\n');
        self
    }

    /// With this RECORD.
    #[must_use]
    pub fn record(self, record: impl Into<Vec<u8>>) -> Self {
        Self { record: Some(record.into()), ..self }
    }

    /// `NAME-VERSION`.
    #[must_use]
    pub fn stem(&self) -> String {
        format!("{}-{}", self.name, self.version)
    }

    /// `NAME-VERSION-TAG.whl`.
    #[must_use]
    pub fn filename(&self) -> String {
        format!("{}-{}.whl", self.stem(), self.tag)
    }

    fn info_path(&self, name: &str) -> String {
        format!("{}.dist-info/{name}", self.stem())
    }

    /// The RECORD with the true hash and size of each file.
    #[must_use]
    pub fn fitting_record(&self) -> String {
        let files = self.entries_with_metadata().into_iter().filter(|entry| !entry.name.ends_with(b"/"));
        let rows: String = files.map(|entry| record_row(&entry)).collect();
        format!("{rows}{},,\r\n", self.info_path("RECORD"))
    }

    fn entries_with_metadata(&self) -> Vec<ZipEntry> {
        let mut entries = self.entries.clone();
        for (name, content) in [("METADATA", &self.metadata), ("WHEEL", &self.wheel)] {
            if !content.is_empty() {
                entries.push(ZipEntry::new(&self.info_path(name), content.as_bytes()));
            }
        }
        entries
    }

    /// The bytes of the file.
    #[must_use]
    pub fn build(&self) -> Vec<u8> {
        let mut entries = self.entries_with_metadata();
        let record = self.record.clone().unwrap_or_else(|| self.fitting_record().into_bytes());
        entries.push(ZipEntry::new(&self.info_path("RECORD"), record));
        zip(&entries)
    }
}

fn record_row(entry: &ZipEntry) -> String {
    let digest = URL_SAFE_NO_PAD.encode(Sha256::digest(&entry.content));
    let name = String::from_utf8_lossy(&entry.name).into_owned();
    // RECORD is CSV: such a name is quoted.
    let name = if name.contains([',', '"']) { format!("\"{}\"", name.replace('"', "\"\"")) } else { name };
    format!("{name},sha256={digest},{}\r\n", entry.content.len())
}

//! Reads zip archives as if an attacker had made them (APPNOTE, PKWARE's specification).
//!
//! Every name, type, size and header is checked before anything is unpacked. Anything ambiguous is refused, never
//! skipped: two readers might understand it in two ways.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use rustc_hash::FxHashMap;
use zip::ZipArchive;
use zip::result::ZipError;

/// How much an archive may hold.
#[derive(Clone, Copy, Debug)]
pub struct WheelLimits {
    /// Entries.
    pub entries: usize,
    /// Bytes of all entries together, unpacked, for an archive of any size.
    pub unpacked: u64,
    /// How many times the archive's own size its contents may be. Honest single files exceed 200 times, whole
    /// wheels hardly 10.
    pub ratio: u64,
    /// Bytes that are allowed beyond the ratio.
    pub free: u64,
    /// Bytes of one path.
    pub path: usize,
}

impl Default for WheelLimits {
    fn default() -> Self {
        Self { entries: 200_000, unpacked: 32 << 30, ratio: 100, free: 64 << 20, path: 1024 }
    }
}

/// Why an archive cannot be unpacked.
#[derive(Debug)]
pub(super) enum WheelError {
    /// The archive is bad: a clause that goes on after its name.
    Bad(String),
    /// The disk refuses.
    Disk(io::Error),
}

impl WheelError {
    pub(super) fn bad(what: impl Into<String>) -> Self {
        Self::Bad(what.into())
    }
}

impl From<io::Error> for WheelError {
    fn from(error: io::Error) -> Self {
        // Errors of the operating system have a number; those of the decoders have none.
        if error.raw_os_error().is_some() {
            Self::Disk(error)
        } else {
            Self::Bad(format!("is broken: {error}"))
        }
    }
}

impl From<ZipError> for WheelError {
    fn from(error: ZipError) -> Self {
        match error {
            ZipError::Io(error) => error.into(),
            other => Self::Bad(format!("is broken: {other}")),
        }
    }
}

/// An archive with a checked directory. Cloning is cheap, and clones read independently.
#[derive(Clone)]
pub(super) struct WheelArchive {
    zip: ZipArchive<SharedFile>,
    entries: Arc<[ArchiveEntry]>,
}

/// One file of an archive.
#[derive(Clone, Debug)]
pub(super) struct ArchiveEntry {
    index: usize,
    /// Its path: relative, with `/`, no `.` or `..`, unique whatever the case.
    pub(super) path: String,
    /// Its size in the directory; reading yields exactly this many bytes or fails.
    pub(super) size: u64,
    /// Whether it has an x bit.
    pub(super) executable: bool,
}

impl WheelArchive {
    /// Opens an archive and checks its whole directory.
    pub(super) fn open(file: File, limits: &WheelLimits) -> Result<Self, WheelError> {
        let shared = SharedFile::new(file)?;
        let length = shared.length;
        let mut zip = ZipArchive::new(shared)?;
        // Data in front makes offsets ambiguous: a reader may count from the start of the file or of the archive.
        if zip.offset() != 0 {
            return Err(WheelError::bad("has other data before its first entry"));
        }
        if zip.len() > limits.entries {
            return Err(WheelError::bad(format!("has {} entries, more than {}", zip.len(), limits.entries)));
        }
        if zip.has_duplicate_names() {
            return Err(WheelError::bad("holds a name twice"));
        }
        // Some readers trust the directory, others the headers in front of the contents; both must say the same.
        zip.validate_header_consistency()?;
        let entries = entries(&zip, limits)?;
        check_sizes(&entries, length, limits)?;
        check_clashes(&entries)?;
        Ok(Self { zip, entries: entries.into() })
    }

    /// Its files, in the order of its directory.
    pub(super) fn entries(&self) -> &Arc<[ArchiveEntry]> {
        &self.entries
    }

    /// The entry with this path.
    pub(super) fn entry(&self, path: &str) -> Option<&ArchiveEntry> {
        self.entries.iter().find(|entry| entry.path == path)
    }

    /// The whole content of a small file.
    pub(super) fn read(&mut self, entry: &ArchiveEntry, limit: u64) -> Result<Vec<u8>, WheelError> {
        if entry.size > limit {
            return Err(WheelError::bad(format!("has a `{}` larger than {limit} bytes", entry.path)));
        }
        let mut bytes = Vec::new();
        self.stream(entry, |chunk| {
            bytes.extend_from_slice(chunk);
            Ok(())
        })?;
        Ok(bytes)
    }

    /// Passes the contents of a file to `sink`, piece by piece; checks its length and CRC.
    pub(super) fn stream(
        &mut self,
        entry: &ArchiveEntry,
        mut sink: impl FnMut(&[u8]) -> Result<(), WheelError>,
    ) -> Result<(), WheelError> {
        let mut reader = self.zip.by_index(entry.index)?;
        // One byte more than the size, so that surplus content shows at once.
        let mut buffer = vec![0; usize::try_from(entry.size + 1).unwrap_or(usize::MAX).min(128 << 10)];
        let mut left = entry.size;
        loop {
            let count = match reader.read(&mut buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(broken_entry(entry, error)),
                Ok(count) => count,
            };
            if count == 0 && left == 0 {
                return Ok(());
            }
            if count == 0 || count as u64 > left {
                return Err(WheelError::bad(format!(
                    "holds `{}` with another size than it says",
                    entry.path
                )));
            }
            left -= count as u64;
            sink(&buffer[..count])?;
        }
    }
}

fn broken_entry(entry: &ArchiveEntry, error: io::Error) -> WheelError {
    match WheelError::from(error) {
        WheelError::Bad(what) => WheelError::Bad(format!("{what} (in `{}`)", entry.path)),
        disk => disk,
    }
}

/// The files of the directory. Folders are checked and dropped, since files imply them.
fn entries(zip: &ZipArchive<SharedFile>, limits: &WheelLimits) -> Result<Vec<ArchiveEntry>, WheelError> {
    let mut entries = Vec::with_capacity(zip.len());
    for index in 0..zip.len() {
        let data = zip.by_index_data(index)?;
        let ascii = data.flags().as_u16() & UTF8_FLAG == 0;
        let path = read_name(data.name_raw(), ascii)?;
        let (file, folder) = match path.strip_suffix('/') {
            Some(folder) => (folder, true),
            None => (path, false),
        };
        check_path(file, limits)?;
        check_kind(file, folder, data.external_attributes())?;
        if data.encrypted() {
            return Err(WheelError::bad(format!("holds `{file}` encrypted")));
        }
        if folder {
            if data.size() != 0 {
                return Err(WheelError::bad(format!("holds data in the folder `{file}`")));
            }
            continue;
        }
        // Unix permissions are in the upper half (APPNOTE 4.4.15, as Info-ZIP uses it).
        let executable = (data.external_attributes() >> 16) & 0o111 != 0;
        entries.push(ArchiveEntry { index, path: path.to_owned(), size: data.size(), executable });
    }
    Ok(entries)
}

/// Bit 11 of an entry's flags: its name is UTF-8, not code page 437.
const UTF8_FLAG: u16 = 1 << 11;

fn read_name(raw: &[u8], ascii: bool) -> Result<&str, WheelError> {
    let name = std::str::from_utf8(raw).ok().filter(|name| !ascii || name.is_ascii());
    name.ok_or_else(|| {
        WheelError::bad(format!(
            "holds a name that is not UTF-8: `{}`",
            String::from_utf8_lossy(raw).escape_debug()
        ))
    })
}

/// Refuses each path that another reader or platform might understand in another way.
pub(super) fn check_path(path: &str, limits: &WheelLimits) -> Result<(), WheelError> {
    let bad = |what: &str| Err(WheelError::bad(format!("holds a path that {what}: `{}`", excerpt(path))));
    if path.len() > limits.path {
        return bad("is too long");
    }
    // `C:` is absolute on Windows, and no honest wheel needs it.
    if path.starts_with('/') || path.as_bytes().get(1) == Some(&b':') {
        return bad("is absolute");
    }
    if path.contains('\\') || path.chars().any(char::is_control) {
        return bad("has a backslash or a control character");
    }
    for component in path.split('/') {
        match component {
            ".." => return bad("leads out of its folder"),
            "" | "." => return bad("is not in its plain form"),
            // The longest name of a file on the usual disks.
            long if long.len() > 255 => return bad("is too long"),
            _ => {}
        }
    }
    Ok(())
}

fn excerpt(text: &str) -> String {
    text.chars().take(120).flat_map(char::escape_debug).collect()
}

/// Refuses links, devices and all else that is neither a file nor a folder. Archives of some builders have no
/// type bits at all.
fn check_kind(path: &str, folder: bool, attributes: u32) -> Result<(), WheelError> {
    let what = match (attributes >> 16) & 0o170_000 {
        0 => return Ok(()),
        0o100_000 if !folder => return Ok(()),
        0o040_000 if folder => return Ok(()),
        0o120_000 => "a link",
        0o100_000 | 0o040_000 => "a file that is a folder",
        _ => "a special file",
    };
    Err(WheelError::bad(format!("holds {what}: `{path}`")))
}

fn check_sizes(entries: &[ArchiveEntry], length: u64, limits: &WheelLimits) -> Result<(), WheelError> {
    // Checked: forged sizes may exceed 64 bits together.
    let total = entries.iter().try_fold(0_u64, |total, entry| total.checked_add(entry.size));
    let allowed = limits.free.saturating_add(length.saturating_mul(limits.ratio)).min(limits.unpacked);
    match total {
        Some(total) if total <= allowed => Ok(()),
        _ => Err(WheelError::bad(format!(
            "of {length} bytes would unpack to {}, more than the {allowed} that are allowed",
            total.map_or_else(|| "more than can be counted".to_owned(), |total| total.to_string())
        ))),
    }
}

/// Refuses names that differ by case only, and a file where another one needs a folder: on some disks one would
/// overwrite the other.
fn check_clashes(entries: &[ArchiveEntry]) -> Result<(), WheelError> {
    let folded: Vec<String> = entries.iter().map(|entry| entry.path.to_lowercase()).collect();
    let mut seen = FxHashMap::default();
    for (entry, folded) in entries.iter().zip(&folded) {
        if let Some(other) = seen.insert(folded.as_str(), entry) {
            return Err(WheelError::bad(format!(
                "holds `{}` and `{}`, which differ by case only",
                other.path, entry.path
            )));
        }
    }
    for (entry, folded) in entries.iter().zip(&folded) {
        for (at, _) in folded.match_indices('/') {
            if let Some(file) = seen.get(&folded[..at]) {
                return Err(WheelError::bad(format!(
                    "holds `{}` as a file and as a folder of `{}`",
                    file.path, entry.path
                )));
            }
        }
    }
    Ok(())
}

/// A file that many threads read at once, each with its own position and buffer: `pread` needs no lock.
struct SharedFile {
    file: Arc<File>,
    length: u64,
    position: u64,
    buffer: Vec<u8>,
    /// The position in the file at which `buffer` begins.
    start: u64,
}

impl SharedFile {
    fn new(file: File) -> io::Result<Self> {
        let length = file.metadata()?.len();
        Ok(Self { file: Arc::new(file), length, position: 0, buffer: Vec::new(), start: 0 })
    }

    /// What is in the buffer from the position on.
    fn buffered(&self) -> &[u8] {
        let from = self.position.checked_sub(self.start).and_then(|from| usize::try_from(from).ok());
        from.and_then(|from| self.buffer.get(from..)).unwrap_or_default()
    }

    fn fill(&mut self) -> io::Result<()> {
        // Directories and headers are read in many small pieces; contents come in larger ones.
        const BUFFER: usize = 16 << 10;
        self.buffer.resize(BUFFER, 0);
        self.start = self.position;
        let count = self.file.read_at(&mut self.buffer, self.position);
        self.buffer.truncate(*count.as_ref().unwrap_or(&0));
        count.map(drop)
    }
}

impl Clone for SharedFile {
    fn clone(&self) -> Self {
        // Without the buffer: a clone reads elsewhere.
        Self { file: self.file.clone(), buffer: Vec::new(), start: 0, ..*self }
    }
}

impl Read for SharedFile {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.buffered().is_empty() {
            self.fill()?;
        }
        let available = self.buffered();
        let count = available.len().min(out.len());
        out[..count].copy_from_slice(&available[..count]);
        self.position += count as u64;
        Ok(count)
    }
}

impl Seek for SharedFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::End(offset) => self.length.checked_add_signed(offset),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
        };
        self.position = position.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        Ok(self.position)
    }
}

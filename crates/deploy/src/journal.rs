//! The journal on the disk: an append-only file of JSON lines, each synced before its action starts. A last
//! line that was cut off counts as not written.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::disk::sync_folder;
use super::history::History;
use super::journal_entry::{JOURNAL_SCHEMA, JournalEntry, JournalEvent, JournalHeader};
use super::root::DeployRoot;
use pinfast_base::error::{Error, Result};
use pinfast_files::{is_absent, path_error};

/// The journal of a run that holds the root's lock.
pub(super) struct ReleaseJournal {
    path: PathBuf,
    file: File,
    by: String,
    history: History,
}

/// Replays the journal at `root`, which may not exist. Changes nothing and needs no lock.
pub(super) fn read_history(root: &DeployRoot) -> Result<History> {
    let text = read_bytes(&journal_path(root))?;
    let (_, entries) = parse(&text, &journal_path(root))?;
    Ok(History::replay(&entries))
}

fn journal_path(root: &DeployRoot) -> PathBuf {
    root.state_folder().join("journal")
}

fn read_bytes(path: &Path) -> Result<Vec<u8>> {
    match fs::read(path) {
        Err(error) if is_absent(&error) => Ok(Vec::new()),
        text => text.map_err(|error| path_error("read", path, error)),
    }
}

/// The length of the complete lines, and their entries.
fn parse(text: &[u8], path: &Path) -> Result<(usize, Vec<JournalEntry>)> {
    let complete = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let mut lines = text[..complete].split_inclusive(|byte| *byte == b'\n').enumerate();
    let Some((_, header)) = lines.next() else { return Ok((complete, Vec::new())) };
    match serde_json::from_slice::<JournalHeader>(header) {
        Ok(JournalHeader { schema }) if schema <= JOURNAL_SCHEMA => {}
        Ok(_) => {
            return Err(Error::no_answer(format!("{} was written by a newer pinfast", path.display()))
                .hint("use that version"));
        }
        Err(error) => return Err(damaged(path, 1, error)),
    }
    let entry = |(at, line): (usize, &[u8])| {
        serde_json::from_slice(line).map_err(|error| damaged(path, at + 1, error))
    };
    Ok((complete, lines.map(entry).collect::<Result<_>>()?))
}

fn damaged(path: &Path, line: usize, error: serde_json::Error) -> Error {
    Error::no_answer(format!("{}:{line} cannot be read", path.display()))
        .because(error)
        .hint("pinfast changes nothing until the journal can be read: repair or remove this line by hand")
}

impl ReleaseJournal {
    /// Opens the journal at `root` to append to it in the name of `by`, and replays it.
    pub(super) fn open(root: &DeployRoot, by: &str) -> Result<Self> {
        let path = journal_path(root);
        let (complete, entries) = parse(&read_bytes(&path)?, &path)?;
        let history = History::replay(&entries);
        let open = || -> io::Result<File> {
            let file = OpenOptions::new().create(true).append(true).open(&path)?;
            // Drops a line that was cut off: the next one would continue it.
            file.set_len(complete as u64)?;
            Ok(file)
        };
        let file = open().map_err(|error| path_error("write", &path, error))?;
        let mut journal = Self { path, file, by: by.to_owned(), history };
        if complete == 0 {
            journal.append(&JournalHeader { schema: JOURNAL_SCHEMA })?;
            sync_folder(&root.state_folder())?;
        }
        Ok(journal)
    }

    /// The history up to the last line.
    pub(super) fn history(&self) -> &History {
        &self.history
    }

    /// Appends an event; returns when it is on the disk.
    ///
    /// # Errors
    /// No answer: the disk refuses. The event then counts as not written.
    pub(super) fn record(&mut self, event: JournalEvent) -> Result<()> {
        let at = Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let entry = JournalEntry { at, by: self.by.clone(), event };
        self.append(&entry)?;
        // Only after the append: an event that is not on the disk did not happen.
        self.history.apply(&entry);
        Ok(())
    }

    fn append(&mut self, line: &impl serde::Serialize) -> Result<()> {
        let before = self.file.metadata().map(|metadata| metadata.len());
        let write = |file: &mut File| -> io::Result<()> {
            let mut text = serde_json::to_vec(line)?;
            text.push(b'\n');
            file.write_all(&text)?;
            file.sync_data()
        };
        write(&mut self.file).map_err(|error| {
            // Half a line would spoil the next one. If this fails too, the next run drops it.
            if let Ok(before) = before {
                let _ = self.file.set_len(before);
            }
            path_error("write", &self.path, error)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::history::ReleaseState;
    use super::super::journal_entry::ReleaseManifest;
    use super::*;

    fn begin(release: &str) -> JournalEvent {
        JournalEvent::Begin(ReleaseManifest {
            release: release.parse().unwrap(),
            commit: "c".to_owned(),
            lock_file: "requirements.txt".to_owned(),
            lock: "0".to_owned(),
            venv: ".venv".to_owned(),
            smoke: vec!["import bot".to_owned()],
        })
    }

    fn root() -> (tempfile::TempDir, DeployRoot) {
        let folder = tempfile::tempdir().unwrap();
        let root = DeployRoot::new(folder.path().to_owned());
        root.create().unwrap();
        (folder, root)
    }

    fn states(root: &DeployRoot) -> Vec<(String, ReleaseState)> {
        let history = read_history(root).unwrap();
        history.newest_first().map(|it| (it.id().to_string(), it.state(None))).collect()
    }

    #[test]
    fn recorded_events_are_replayed() {
        let (_folder, root) = root();
        assert!(states(&root).is_empty());
        let mut journal = ReleaseJournal::open(&root, "t").unwrap();
        journal.record(begin("one")).unwrap();
        journal.record(JournalEvent::Ready { release: "one".parse().unwrap() }).unwrap();
        drop(journal);
        ReleaseJournal::open(&root, "t").unwrap().record(begin("two")).unwrap();
        let expected = [("two".to_owned(), ReleaseState::Building), ("one".to_owned(), ReleaseState::Ready)];
        assert_eq!(states(&root), expected);
    }

    /// Whatever a power failure leaves of the last line, the lines before it count, and the next one can
    /// be read.
    #[test]
    fn a_line_that_was_cut_off_counts_as_not_written() {
        let (_folder, root) = root();
        let mut journal = ReleaseJournal::open(&root, "t").unwrap();
        journal.record(begin("one")).unwrap();
        journal.record(begin("two")).unwrap();
        drop(journal);
        let whole = fs::read(journal_path(&root)).unwrap();
        let lines: Vec<usize> =
            whole.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at).collect();
        for length in 0..whole.len() {
            fs::write(journal_path(&root), &whole[..length]).unwrap();
            let complete = lines.iter().filter(|end| **end < length).count().saturating_sub(1);
            assert_eq!(states(&root).len(), complete, "{length}");
            ReleaseJournal::open(&root, "t").unwrap().record(begin("next")).unwrap();
            assert_eq!(states(&root).len(), complete + 1, "{length}");
        }
    }

    #[test]
    fn an_unreadable_journal_stops_every_run() {
        let (_folder, root) = root();
        ReleaseJournal::open(&root, "t").unwrap().record(begin("one")).unwrap();
        let whole = fs::read_to_string(journal_path(&root)).unwrap();
        for (text, message) in [
            (whole.replace("\"schema\":1", "\"schema\":2"), "was written by a newer pinfast"),
            (whole.replace("\"one\"", "\"../one\""), "journal:2 cannot be read"),
            (format!("{whole}\0\0\0\n"), "journal:3 cannot be read"),
            (whole.replace("begin", "beginn"), "journal:2 cannot be read"),
        ] {
            fs::write(journal_path(&root), &text).unwrap();
            let error = read_history(&root).unwrap_err();
            assert!(error.message.contains(message), "{}", error.message);
            assert_eq!(error.kind, pinfast_base::error::ErrorKind::NoAnswer);
            assert!(ReleaseJournal::open(&root, "t").is_err());
            assert_eq!(fs::read_to_string(journal_path(&root)).unwrap(), text);
        }
    }
}

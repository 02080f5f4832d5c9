//! The journal on the disk: lines of JSON that are only ever added, each synced before what it tells of is
//! done. A last line that was cut off counts as not written.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::history::History;
use super::record::{Entry, Head, SCHEMA, What};
use super::root::{Root, failed, is_absent, sync_folder};
use pinfast_base::error::{Error, Result};

/// The journal of a run that holds the lock.
pub(super) struct Journal {
    path: PathBuf,
    file: File,
    by: String,
    history: History,
}

/// What the journal at `root` says; nothing where there is none. Nothing is changed.
pub(super) fn read(root: &Root) -> Result<History> {
    let text = text(&path(root))?;
    let (_, entries) = parse(&text, &path(root))?;
    Ok(History::of(&entries))
}

fn path(root: &Root) -> PathBuf {
    root.notes().join("journal")
}

fn text(path: &Path) -> Result<Vec<u8>> {
    match fs::read(path) {
        Err(error) if is_absent(&error) => Ok(Vec::new()),
        text => text.map_err(|error| failed("read", path, error)),
    }
}

/// The length of what is whole, and the lines in it.
fn parse(text: &[u8], path: &Path) -> Result<(usize, Vec<Entry>)> {
    let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let mut lines = text[..whole].split_inclusive(|byte| *byte == b'\n').enumerate();
    let Some((_, head)) = lines.next() else { return Ok((whole, Vec::new())) };
    match serde_json::from_slice::<Head>(head) {
        Ok(Head { schema }) if schema <= SCHEMA => {}
        Ok(_) => {
            return Err(Error::no_answer(format!("{} was written by a newer pinfast", path.display()))
                .hint("run that one"));
        }
        Err(error) => return Err(damaged(path, 1, error)),
    }
    let entry = |(at, line): (usize, &[u8])| {
        serde_json::from_slice(line).map_err(|error| damaged(path, at + 1, error))
    };
    Ok((whole, lines.map(entry).collect::<Result<_>>()?))
}

fn damaged(path: &Path, line: usize, error: serde_json::Error) -> Error {
    Error::no_answer(format!("{}:{line} cannot be read", path.display()))
        .because(error)
        .hint("nothing is changed without a journal that can be read: mend or remove this line by hand")
}

impl Journal {
    /// Opens the journal at `root` to add to it, in the name of `by`.
    pub(super) fn open(root: &Root, by: &str) -> Result<Self> {
        let path = path(root);
        let (whole, entries) = parse(&text(&path)?, &path)?;
        let history = History::of(&entries);
        let open = || -> io::Result<File> {
            let file = OpenOptions::new().create(true).append(true).open(&path)?;
            // What was cut off is taken away, so that the next line stands for itself.
            file.set_len(whole as u64)?;
            Ok(file)
        };
        let file = open().map_err(|error| failed("write", &path, error))?;
        let mut journal = Self { path, file, by: by.to_owned(), history };
        if whole == 0 {
            journal.add(&Head { schema: SCHEMA })?;
            sync_folder(&root.notes())?;
        }
        Ok(journal)
    }

    /// What it says so far.
    pub(super) fn history(&self) -> &History {
        &self.history
    }

    /// Adds a line, and returns when it is on the disk.
    ///
    /// # Errors
    /// No answer: the disk refuses; the line then counts as not written.
    pub(super) fn note(&mut self, what: What) -> Result<()> {
        let at = Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let entry = Entry { at, by: self.by.clone(), what };
        self.add(&entry)?;
        self.history.take(&entry);
        Ok(())
    }

    fn add(&mut self, line: &impl serde::Serialize) -> Result<()> {
        let before = self.file.metadata().map(|metadata| metadata.len());
        let write = |file: &mut File| -> io::Result<()> {
            let mut text = serde_json::to_vec(line)?;
            text.push(b'\n');
            file.write_all(&text)?;
            file.sync_data()
        };
        write(&mut self.file).map_err(|error| {
            // Half a line would spoil the next one; where even this fails, the next run takes it away.
            if let Ok(before) = before {
                let _ = self.file.set_len(before);
            }
            failed("write", &self.path, error)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::history::State;
    use super::super::record::Begin;
    use super::*;

    fn begin(release: &str) -> What {
        What::Begin(Begin {
            release: release.parse().unwrap(),
            commit: "c".to_owned(),
            lock_file: "requirements.txt".to_owned(),
            lock: "0".to_owned(),
            venv: ".venv".to_owned(),
            smoke: vec!["import bot".to_owned()],
        })
    }

    fn root() -> (tempfile::TempDir, Root) {
        let folder = tempfile::tempdir().unwrap();
        let root = Root::new(folder.path().to_owned());
        root.create().unwrap();
        (folder, root)
    }

    fn states(root: &Root) -> Vec<(String, State)> {
        let history = read(root).unwrap();
        history.newest_first().map(|it| (it.id().to_string(), it.state(None))).collect()
    }

    #[test]
    fn what_is_noted_is_read() {
        let (_folder, root) = root();
        assert!(states(&root).is_empty());
        let mut journal = Journal::open(&root, "t").unwrap();
        journal.note(begin("one")).unwrap();
        journal.note(What::Ready { release: "one".parse().unwrap() }).unwrap();
        drop(journal);
        Journal::open(&root, "t").unwrap().note(begin("two")).unwrap();
        let told = [("two".to_owned(), State::Building), ("one".to_owned(), State::Ready)];
        assert_eq!(states(&root), told);
    }

    /// Whatever a power failure leaves of the last line, the lines before it count, and the next one can
    /// be read.
    #[test]
    fn a_line_that_was_cut_off_was_not_written() {
        let (_folder, root) = root();
        let mut journal = Journal::open(&root, "t").unwrap();
        journal.note(begin("one")).unwrap();
        journal.note(begin("two")).unwrap();
        drop(journal);
        let whole = fs::read(path(&root)).unwrap();
        let lines: Vec<usize> =
            whole.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at).collect();
        for length in 0..whole.len() {
            fs::write(path(&root), &whole[..length]).unwrap();
            let told = lines.iter().filter(|end| **end < length).count().saturating_sub(1);
            assert_eq!(states(&root).len(), told, "{length}");
            Journal::open(&root, "t").unwrap().note(begin("next")).unwrap();
            assert_eq!(states(&root).len(), told + 1, "{length}");
        }
    }

    #[test]
    fn what_cannot_be_read_stops_everything() {
        let (_folder, root) = root();
        Journal::open(&root, "t").unwrap().note(begin("one")).unwrap();
        let whole = fs::read_to_string(path(&root)).unwrap();
        for (text, said) in [
            (whole.replace("\"schema\":1", "\"schema\":2"), "was written by a newer pinfast"),
            (whole.replace("\"one\"", "\"../one\""), "journal:2 cannot be read"),
            (format!("{whole}\0\0\0\n"), "journal:3 cannot be read"),
            (whole.replace("begin", "beginn"), "journal:2 cannot be read"),
        ] {
            fs::write(path(&root), &text).unwrap();
            let error = read(&root).unwrap_err();
            assert!(error.message.contains(said), "{}", error.message);
            assert_eq!(error.kind, pinfast_base::error::ErrorKind::NoAnswer);
            assert!(Journal::open(&root, "t").is_err());
            assert_eq!(fs::read_to_string(path(&root)).unwrap(), text);
        }
    }
}

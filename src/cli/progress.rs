//! The state of the progress line: events go in, a [`BarState`] comes out. indicatif draws it, and knows the rate.

use pinfast_base::event::Event;

/// A template of indicatif for a line without a bar.
const MESSAGE: &str = "{spinner} {prefix} {msg}";
/// Files, before any byte has arrived: files of a folder never have bytes.
const FILES: &str = "{spinner} {prefix} {bar:20} {pos} of {len} files";
/// Files, while the size of some is unknown.
const BYTES: &str = "{spinner} {prefix} {bar:20} {msg}, {decimal_bytes}, {decimal_bytes_per_sec}";
/// Files of known size.
const BYTES_OF_TOTAL: &str =
    "{spinner} {prefix} {bar:20} {msg}, {decimal_bytes} of {decimal_total_bytes}, {decimal_bytes_per_sec}";

/// What indicatif needs to draw the line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct BarState {
    pub(super) template: &'static str,
    /// Bytes, or files in a template that shows no bytes.
    pub(super) position: u64,
    pub(super) length: u64,
    pub(super) message: String,
}

impl BarState {
    /// A line without a bar.
    pub(super) fn message(message: String) -> Self {
        Self { template: MESSAGE, position: 0, length: 0, message }
    }

    /// Whether the line has a bar.
    pub(super) fn has_bar(&self) -> bool {
        self.template != MESSAGE
    }
}

/// Counts the files of packages that are downloaded.
#[derive(Clone, Debug, Default)]
pub(super) struct FileProgress {
    wanted: u64,
    begun: u64,
    /// How many of the begun files have a known size; `size` is their sum.
    sized: u64,
    size: u64,
    /// The size of all files, if the caller knew it in advance.
    whole: Option<u64>,
    done: u64,
    bytes: u64,
}

impl FileProgress {
    /// Counts an event; most events do not matter here.
    pub(super) fn count(&mut self, event: &Event) {
        match event {
            Event::FilesWanted { files, bytes } => {
                *self = Self { wanted: *files as u64, whole: *bytes, ..Self::default() };
            }
            Event::FileBegun { size } => {
                self.begun += 1;
                self.sized += u64::from(size.is_some());
                self.size += size.unwrap_or_default();
            }
            Event::FileDone => self.done += 1,
            Event::FileBytesReceived(bytes) => self.bytes += bytes,
            _ => {}
        }
    }

    /// The line for the files, once one has begun.
    pub(super) fn bar(&self) -> Option<BarState> {
        if self.begun == 0 {
            return None;
        }
        let (template, position, length) = match self.total() {
            // Bytes of a failed try count again, so the sum can exceed the total.
            Some(total) => (BYTES_OF_TOTAL, self.bytes.min(total), total),
            None if self.bytes == 0 => (FILES, self.done, self.all()),
            // Here the bar means files, but indicatif takes it and the rate from one position, the bytes.
            // So the length is what makes the bytes the same share of it as the finished files are of all.
            None => (
                BYTES,
                self.bytes,
                self.bytes.saturating_mul(self.all()).checked_div(self.done).unwrap_or(u64::MAX),
            ),
        };
        Some(BarState {
            template,
            position,
            length,
            message: format!("{} of {} files", self.done, self.all()),
        })
    }

    fn all(&self) -> u64 {
        self.wanted.max(self.begun)
    }

    /// The size of all files, once it is known.
    fn total(&self) -> Option<u64> {
        self.whole.or_else(|| (self.sized >= self.all()).then_some(self.size)).filter(|total| *total > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bar_after(events: &[Event]) -> Option<BarState> {
        let mut files = FileProgress::default();
        events.iter().for_each(|event| files.count(event));
        files.bar()
    }

    #[test]
    fn a_total_is_shown_as_soon_as_it_is_known() {
        let begun = |size| Event::FileBegun { size };
        let wanted = |bytes| Event::FilesWanted { files: 2, bytes };
        let got = Event::FileBytesReceived;
        let done = || Event::FileDone;
        for (events, template, position, length, message) in [
            (vec![wanted(None), begun(Some(4_000))], FILES, 0, 2, "0 of 2 files"),
            (vec![wanted(None), begun(None), begun(Some(4_000)), done()], FILES, 1, 2, "1 of 2 files"),
            (vec![wanted(None), begun(Some(4_000)), got(3_000)], BYTES, 3_000, u64::MAX, "0 of 2 files"),
            (vec![wanted(None), begun(None), got(3_000), done()], BYTES, 3_000, 6_000, "1 of 2 files"),
            (
                vec![wanted(None), begun(Some(6_000)), begun(Some(4_000)), got(5_000)],
                BYTES_OF_TOTAL,
                5_000,
                10_000,
                "0 of 2 files",
            ),
            (
                vec![wanted(Some(8_000)), begun(None), got(2_000)],
                BYTES_OF_TOTAL,
                2_000,
                8_000,
                "0 of 2 files",
            ),
            (
                vec![wanted(Some(8_000)), begun(None), got(9_000)],
                BYTES_OF_TOTAL,
                8_000,
                8_000,
                "0 of 2 files",
            ),
            (vec![begun(Some(8_000)), got(8_000), done()], BYTES_OF_TOTAL, 8_000, 8_000, "1 of 1 files"),
        ] {
            let bar = BarState { template, position, length, message: message.to_owned() };
            assert_eq!(bar_after(&events), Some(bar), "{events:?}");
        }
    }

    #[test]
    fn no_bar_before_the_first_file() {
        assert_eq!(bar_after(&[Event::FilesWanted { files: 2, bytes: None }]), None);
    }

    #[test]
    fn indicatif_reads_every_template() {
        for template in [MESSAGE, FILES, BYTES, BYTES_OF_TOTAL] {
            indicatif::ProgressStyle::with_template(template).unwrap();
        }
    }
}

//! The progress of file downloads as one line: a bar, files, bytes and speed.

use std::fmt::{Display, Formatter};
use std::time::Instant;

use super::byte_count::ByteCount;
use pinfast_base::event::Event;

/// Counts the files of packages that are downloaded.
#[derive(Clone, Debug, Default)]
pub(super) struct FileProgress {
    wanted: usize,
    begun: usize,
    /// How many of the begun files have a known size; `size` is their sum.
    sized: usize,
    size: u64,
    /// The size of all files, if it was known in advance.
    whole: Option<u64>,
    done: usize,
    bytes: u64,
    /// When the first file was begun.
    since: Option<Instant>,
}

impl FileProgress {
    /// Counts an event; most events do not matter here.
    pub(super) fn count(&mut self, event: &Event) {
        match event {
            Event::FilesWanted { files, bytes } => {
                *self = Self { wanted: *files, whole: *bytes, ..Self::default() };
            }
            Event::FileBegun { size } => {
                self.begun += 1;
                self.sized += usize::from(size.is_some());
                self.size += size.unwrap_or_default();
                self.since.get_or_insert_with(Instant::now);
            }
            Event::FileDone => self.done += 1,
            Event::FileBytesReceived(bytes) => self.bytes += bytes,
            _ => {}
        }
    }

    /// Whether a file was begun.
    pub(super) fn is_under_way(&self) -> bool {
        self.since.is_some()
    }

    fn all(&self) -> usize {
        self.wanted.max(self.begun)
    }

    /// The size of all files, once it is known.
    fn total(&self) -> Option<u64> {
        self.whole.or_else(|| (self.sized >= self.all()).then_some(self.size))
    }

    /// The fraction that is downloaded, from 0 to 1.
    fn fraction(&self) -> f64 {
        let fraction = match self.total() {
            Some(total) if total > 0 => self.bytes as f64 / total as f64,
            _ => self.done as f64 / self.all().max(1) as f64,
        };
        fraction.min(1.0)
    }
}

/// The width of the bar in characters.
const WIDTH: usize = 20;

/// `━━━━━╌╌╌╌╌ 3 of 8 files, 1.2 MB of 4.0 MB, 2.0 MB/s`.
impl Display for FileProgress {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        let filled = (self.fraction() * WIDTH as f64) as usize;
        let bar = "━".repeat(filled) + &"╌".repeat(WIDTH - filled);
        write!(f, "{bar} {} of {} files, ", self.done, self.all())?;
        match self.total() {
            // Bytes of a failed try count again, so the sum can exceed the total.
            Some(total) => write!(f, "{} of {}", ByteCount(self.bytes.min(total)), ByteCount(total))?,
            None => write!(f, "{}", ByteCount(self.bytes))?,
        }
        let seconds = self.since.map_or(0.0, |since| since.elapsed().as_secs_f64()).max(0.1);
        write!(f, ", {}/s", ByteCount((self.bytes as f64 / seconds) as u64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(events: &[Event]) -> String {
        let mut files = FileProgress::default();
        events.iter().for_each(|event| files.count(event));
        // The speed depends on the clock.
        let text = files.to_string();
        text.rsplit_once(", ").unwrap().0.trim_start_matches(['━', '╌']).trim().to_owned()
            + &format!(" ({})", text.chars().filter(|c| *c == '━').count())
    }

    #[test]
    fn a_total_is_shown_as_soon_as_it_is_known() {
        let begun = |size| Event::FileBegun { size };
        let wanted = |bytes| Event::FilesWanted { files: 2, bytes };
        let got = Event::FileBytesReceived;
        for (events, told) in [
            (vec![wanted(None), begun(Some(4_000))], "0 of 2 files, 0 B (0)"),
            (vec![wanted(None), begun(Some(4_000)), got(3_000)], "0 of 2 files, 3 kB (0)"),
            (vec![wanted(None), begun(None), begun(Some(4_000)), Event::FileDone], "1 of 2 files, 0 B (10)"),
            (
                vec![wanted(None), begun(Some(6_000)), begun(Some(4_000)), got(5_000)],
                "0 of 2 files, 5 kB of 10 kB (10)",
            ),
            (vec![wanted(Some(8_000)), begun(None), got(2_000)], "0 of 2 files, 2 kB of 8 kB (5)"),
            (vec![wanted(Some(8_000)), begun(None), got(9_000)], "0 of 2 files, 8 kB of 8 kB (20)"),
            (vec![begun(Some(8_000)), got(8_000), Event::FileDone], "1 of 1 files, 8 kB of 8 kB (20)"),
        ] {
            assert_eq!(after(&events), told, "{events:?}");
        }
    }
}

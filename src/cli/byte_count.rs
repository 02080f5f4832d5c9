//! Prints a number of bytes: `12 B`, `34 kB`, `5.6 MB`.

use std::fmt::Display;

/// A number of bytes, printed in B, kB or MB.
pub(crate) struct ByteCount(pub(crate) u64);

impl Display for ByteCount {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            bytes @ 0..1_000 => write!(f, "{bytes} B"),
            bytes @ 1_000..1_000_000 => write!(f, "{} kB", bytes / 1_000),
            bytes => write!(f, "{}.{} MB", bytes / 1_000_000, bytes % 1_000_000 / 100_000),
        }
    }
}

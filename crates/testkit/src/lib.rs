//! What the tests of every crate share: an HTTP server that misbehaves on demand, wheels and archives.
//!
//! This crate uses no other crate of pinfast, so that the unit tests of each of them can use it. What needs
//! pinfast's types, such as the pages of a made-up index, stands in `tests/support/`.
//!
//! - [`server`]: HTTP/1.1 on 127.0.0.1. It serves a folder, pages in memory or the result of a function
//! - [`zip`]: zip archives, whose headers may lie
//! - [`wheel`]: wheels with a RECORD that fits
//! - [`tar`]: gzipped tar archives, such as sdists
//!
//! A test may panic, and so may this crate: its functions return no errors.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

pub mod server;
pub mod tar;
pub mod wheel;
pub mod zip;

use sha2::{Digest as _, Sha256};

/// The SHA-256 of `bytes`, in lower-case hexadecimal digits.
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// `bytes` as a gzip stream.
#[must_use]
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

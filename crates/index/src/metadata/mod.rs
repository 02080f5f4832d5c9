//! The metadata of files and releases: from the cheapest source that can be trusted.
//!
//! In: a file of a listing. Out: its core metadata. For a wheel, these sources are tried in turn:
//!
//! 1. The metadata file beside the wheel (PEP 658), `….whl.metadata`: by its hash, or where it states the wheel's
//!    name and version.
//! 2. Ranged reads of the wheel: its tail holds the zip directory and mostly METADATA itself, so one request is
//!    enough.
//! 3. The whole wheel, hash-checked.
//!
//! An sdist is always downloaded whole. Everything that a file states is cached under the file's hash, for good.
//!
//! [`ReleaseMetadata`] is a shortcut: the JSON API's `info` of a release. It may describe another file of the
//! release, so the solver confirms its result with the files' own metadata.
//!
//! A failed source leads to the next one; a wrong hash ends the run. Whether a server has metadata files that its
//! index does not announce, and whether it serves ranges, is learnt once per server (`servers`).
//!
//! - `files`: the order of sources; `siblings`, `ranges`, `wheel`: one source each
//! - `archive`: one member of a zip archive, from a few pieces of it

mod archive;
mod files;
mod ranges;
mod release;
mod requests;
mod servers;
mod siblings;
mod wheel;

pub(crate) use files::{FileMetadata, MetadataStore};
pub(crate) use release::ReleaseMetadata;

//! Core metadata as a file or an index states it, before it is trusted.
//!
//! In: the METADATA of a wheel, an sdist, or the JSON API's `info`. Out: a
//! [`Metadata`](pinfast_packaging::Metadata) of exactly that release.
//!
//! - `raw`: the relevant text of one file, as the cache stores it
//! - `sdist`: PKG-INFO and pyproject.toml out of an sdist; `pyproject`: a static `[project]` table (PEP 621)
//! - `release`: the JSON API's `info`

mod pyproject;
mod raw;
mod release;
mod sdist;

pub(crate) use raw::RawMetadata;
pub(crate) use release::metadata_of_release;
pub(crate) use sdist::read_sdist;

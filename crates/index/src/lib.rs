//! Package indexes, over the network and on disk: listings, metadata, files.
//!
//! In: an [`IndexConfig`] (which indexes, which cache, which limits). Out: a [`Client`], which answers the solver's
//! questions ([`pinfast_solve::Index`]) and downloads files.
//!
//! Each module owns one concern and takes what it depends on as arguments. From the top down:
//!
//! | module | what it does |
//! |---|---|
//! | `client` | makes the owners below, and passes questions on |
//! | `prefetch` | begins with what the solver will ask soon |
//! | `metadata` | a file's metadata: sibling (PEP 658), ranged reads, whole wheel, sdist; a release's from the JSON API |
//! | `listings` | a project's releases: which index has it, the newest release alone, find-links |
//! | `lock_snapshot` | one cache record with all that the last run learnt about a lock's pins |
//! | `downloads` | whole files, hashed on the way |
//! | `page_cache` | HTTP caching of pages (RFC 9111), and listings in packed form |
//! | `raw_metadata` | METADATA, PKG-INFO, pyproject.toml -> metadata |
//! | `formats` | page bytes -> listing: JSON API, Simple API in JSON and HTML |
//! | `transport` | one resource over HTTP: attempts, redirects, limits, credentials; the runtime and the CPU pool |
//! | `once_map` | one answer for each question of a run |
//! | `failure`, `limits`, `config`, `url`, `text` | the vocabulary |

mod client;
mod config;
mod downloads;
mod failure;
mod formats;
mod limits;
mod listings;
mod lock_snapshot;
mod metadata;
mod once_map;
mod page_cache;
mod prefetch;
mod raw_metadata;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod text;
mod transport;
mod url;

pub use client::Client;
pub use config::{ApiOrder, CacheMode, IndexConfig};
pub use limits::{
    FILE_VARIABLE, Limits, METADATA_VARIABLE, PAGE_VARIABLE, REDIRECTS_VARIABLE, REQUESTS_VARIABLE,
    RETRIES_VARIABLE, TIME_VARIABLE,
};
pub use url::IndexUrl;

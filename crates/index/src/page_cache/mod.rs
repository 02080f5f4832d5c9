//! The cache of index pages, by the rules of HTTP caching (RFC 9111).
//!
//! In: a page's listing and its response headers. Out: a [`CachedListing`], in this run or a later one, as long as
//! the rules allow.
//!
//! - **Key** (section 2): a hash of the URL and the user's name, since two users may see different pages.
//! - **Storing** (section 3): a response with `no-store` is not stored, and removes what was stored before. This is
//!   a private cache: `private` responses are stored.
//! - **Freshness** (section 4.2): a page is fresh for its lifetime, from `max-age` or `Expires`, less its `Age`. We
//!   do not guess a lifetime from `Last-Modified`: a page that was stable for a year may change today. A page
//!   without any such header is fresh for ten minutes.
//! - **Validation** (section 4.3): a stale page is requested with `If-None-Match` or `If-Modified-Since`. After a
//!   304, it is fresh again.
//! - **Negative caching**: "this project has no page here" is stored for ten minutes too. It decides which of
//!   several indexes is asked. It is checked once more before a project is reported as unknown, since it may just
//!   have been published.
//!
//! What is stored is not the response body but the parsed listing in a compact form that is read lazily: see
//! `packed`. A listing from the network is packed and read back as well, so a run behaves the same whether the
//! cache was warm or cold, and it needs less memory.
//!
//! - `policy`: freshness and validators, from headers
//! - `records`: reading and writing the files, with at most one warning
//! - `pages`: both together

mod packed;
mod pages;
mod policy;
mod records;

pub(crate) use packed::{pack_listing, read_listing, record_count};
pub(crate) use pages::{CacheRef, CachedListing, NegativeCaching, PageCache, StoredPage};
pub(crate) use policy::{PageFreshness, PageStatus};
pub(crate) use records::RecordCache;

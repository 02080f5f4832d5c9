//! Which releases and files a project has.
//!
//! In: a project's name. Out: its listing, from the first index that knows the project. A later index adds nothing
//! to it: else an attacker could publish a private project's name on a public index (dependency confusion).
//! Find-links are searched beside the indexes, as pip does.
//!
//! There are three questions, each answered once a run:
//!
//! - [`Listings`]: all releases of a project. One page, often some megabytes.
//! - [`Releases::newest`]: the newest release only. The JSON API's page begins with it, so we stop reading there.
//! - [`Releases::release`]: one release only, from its own small page `/pypi/NAME/VERSION/json`.
//!
//! The small answers save most of the bytes of a cold run, since a solver mostly takes the newest release. Where an
//! index has no such pages, the whole listing answers all three.
//!
//! - `registry`, `capabilities`: an index's URLs, and what the run has learnt about it; `index_set`: all of them
//! - `pages`: request, parse and store one page; `projects`, `releases`: the questions; `known_releases`: what is
//!   answered by now
//! - `local`: an index in a folder; `flat_index`: find-links; `project_names`: the names for "did you mean"

mod capabilities;
mod flat_index;
mod index_set;
mod known_releases;
mod local;
mod pages;
mod project_names;
mod projects;
mod registry;
mod releases;
mod requests;

pub(crate) use flat_index::FlatIndexes;
pub(crate) use index_set::IndexSet;
pub(crate) use pages::PageFetcher;
pub(crate) use project_names::project_names;
pub(crate) use projects::Listings;
pub(crate) use releases::Releases;

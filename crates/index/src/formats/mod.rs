//! The formats of index pages.
//!
//! In: the bytes of a page. Out: a [`RawPage`], which borrows from them, and then a validated
//! [`Listing`](pinfast_packaging::Listing) that is the same whichever format it came from. These are pure
//! functions, without network or disk.
//!
//! | module | page | specification |
//! |---|---|---|
//! | `json_api` | `/pypi/NAME/json`, `/pypi/NAME/VERSION/json` | PyPI's JSON API |
//! | `simple_json` | `/simple/NAME/` as JSON | PEP 691, PEP 700, PEP 714 |
//! | `html` | `/simple/NAME/` as HTML, and find-links pages | PEP 503, 592, 629, 658, 714 |
//! | `project_list` | `/simple/` | PEP 503, PEP 691 |
//!
//! An unreadable entry is skipped, with a warning. Only a page that is unreadable as a whole is an error.
//!
//! Pages are large: thousands of files, 30 MB for a few projects. So a page is parsed in one pass that borrows its
//! texts, and `memo` recognises names and URLs that differ in little from earlier ones.

mod html;
mod json;
mod json_api;
mod memo;
mod page;
mod parse;
mod project_list;
mod simple_json;
mod validate;

pub(crate) use html::is_closed_html;
pub(crate) use json_api::leading_info;
pub(crate) use page::{PageFormat, RawFile, RawHash, RawPage, is_distribution};
pub(crate) use parse::{parse_links, parse_page};
pub(crate) use project_list::parse_project_list;
pub(crate) use validate::{LinkScope, merge, release_info, validate};

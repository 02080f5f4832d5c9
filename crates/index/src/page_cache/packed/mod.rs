//! A listing in packed form: read lazily, straight from the cache record.
//!
//! Most runs look at a file or two of a project that has thousands. So what decides between releases comes first,
//! and the files of a release are decoded when somebody looks at them. A record is mapped into memory, not read.
//!
//! ```text
//! ListingHeader        postcard: info, warnings, versions, tag sets, Requires-Pythons, URL roots, releases
//! FileSummary × files  fixed size: tags, Requires-Python, upload time, yanked; release by release
//! FileDetails × files  postcard: name, URL, hash, size; release by release
//! ```
//!
//! Texts that many files share (tag sets, Requires-Pythons, the beginnings of URLs) are stored once and named by
//! number.
//!
//! - `layout`: the parts of a record; `write`: listing -> record; `read`: record -> listing
//! - `file_url`: URLs without what is known otherwise; `lines`: a table of texts

mod file_url;
mod layout;
mod lines;
mod read;
mod write;

pub(crate) use layout::record_count;
pub(crate) use read::read_listing;
pub(crate) use write::pack_listing;

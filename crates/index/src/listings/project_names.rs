//! The names of an index's projects, to suggest one for a misspelt name. Failures only leave suggestions out.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use super::index_set::IndexSet;
use super::local;
use super::registry::RegistryIndex;
use super::requests::ACCEPT_SIMPLE;
use crate::config::CacheMode;
use crate::failure::FetchResult;
use crate::formats::parse_project_list;
use crate::limits::PAGE_VARIABLE;
use crate::transport::{Decode, HttpRequest, SizeLimit, Transport};
use pinfast_packaging::PackageName;

/// The longest project list, in bytes. That of a public index is far longer, and not worth the wait.
const LONGEST: u64 = 1 << 20;

/// The deadline for a project list.
const TIME: Duration = Duration::from_secs(3);

/// The projects of all `indexes`.
pub(crate) fn project_names(indexes: &IndexSet, transport: &Transport, mode: CacheMode) -> Vec<PackageName> {
    let names = |index: &RegistryIndex| match &index.folder {
        Some(folder) => local::project_names(folder),
        None if mode == CacheMode::Offline => Vec::new(),
        None => transport.block_on(pin!(fetch_names(index, transport))).unwrap_or_default(),
    };
    indexes.indexes.iter().flat_map(names).collect()
}

async fn fetch_names(index: &RegistryIndex, transport: &Transport) -> FetchResult<Vec<PackageName>> {
    let limit = SizeLimit { bytes: LONGEST, what: "a list of projects", variable: PAGE_VARIABLE };
    let request = HttpRequest::new(index.url.folder(), ACCEPT_SIMPLE, limit, transport.limits());
    let request = HttpRequest { time: request.time.min(TIME), ..request };
    let read: Decode<Vec<PackageName>> = Arc::new(|response| Ok(parse_project_list(&response.body)));
    transport.get(&request, &read).await
}

//! The indexes of a run.

use rustc_hash::FxHashMap;

use super::registry::RegistryIndex;
use crate::config::{ApiOrder, IndexConfig};
use pinfast_packaging::PackageName;

/// The indexes in order, and the projects that come from one index only.
pub(crate) struct IndexSet {
    pub(super) indexes: Vec<RegistryIndex>,
    pub(super) sources: FxHashMap<PackageName, RegistryIndex>,
    has_find_links: bool,
    pub(super) api_order: ApiOrder,
}

impl IndexSet {
    pub(crate) fn new(config: &IndexConfig) -> Self {
        let source = |(name, url): (&PackageName, _)| (name.clone(), RegistryIndex::new(url));
        Self {
            indexes: config.indexes.iter().map(RegistryIndex::new).collect(),
            sources: config.sources.iter().map(source).collect(),
            has_find_links: !config.find_links.is_empty(),
            api_order: config.api_order,
        }
    }

    /// The one place that `name` can come from; `None` where several must be searched, or where it has its own
    /// index.
    pub(crate) fn only_index_of(&self, name: &PackageName) -> Option<&RegistryIndex> {
        match &*self.indexes {
            [index] if !self.has_find_links && !self.sources.contains_key(name) => Some(index),
            _ => None,
        }
    }

    /// The one place, on the network, that every project comes from.
    pub(crate) fn only_index(&self) -> Option<&RegistryIndex> {
        match &*self.indexes {
            [index] if !self.has_find_links && self.sources.is_empty() && index.folder.is_none() => {
                Some(index)
            }
            _ => None,
        }
    }

    /// Whether nothing but find-links is searched (`--no-index`).
    pub(crate) fn is_empty(&self) -> bool {
        self.indexes.is_empty() && self.sources.is_empty()
    }

    /// Whether a listing is one cache record, or a request: no folder needs to be read for it.
    pub(crate) fn is_remote_only(&self) -> bool {
        let mut indexes = self.indexes.iter().chain(self.sources.values());
        !self.has_find_links && indexes.all(|index| index.folder.is_none())
    }
}

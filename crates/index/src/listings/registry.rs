//! One index: the URLs of its pages.

use std::path::PathBuf;

use url::Url;

use super::capabilities::IndexCapabilities;
use crate::config::ApiOrder;
use crate::url::IndexUrl;
use pinfast_packaging::{PackageName, Version};

/// One index, on the network or in a folder.
pub(crate) struct RegistryIndex {
    pub(crate) url: IndexUrl,
    /// The folder of an index on disk.
    pub(crate) folder: Option<PathBuf>,
    /// `…/simple/`, the root of the Simple API.
    simple_root: Url,
    /// `…/`, the root of the JSON API, where the other is `…/simple/`.
    json_root: Option<Url>,
    pub(super) capabilities: IndexCapabilities,
}

/// An API of an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum IndexApi {
    Json,
    Simple,
}

impl RegistryIndex {
    pub(super) fn new(url: &IndexUrl) -> Self {
        let simple_root = url.folder();
        // Registries serve the JSON API beside `/simple/`. Elsewhere each project would cost one more 404.
        let beside = simple_root.path().ends_with("/simple/").then(|| simple_root.join("..").ok());
        Self {
            url: url.clone(),
            folder: url.path(),
            json_root: beside.flatten(),
            simple_root,
            capabilities: IndexCapabilities::default(),
        }
    }

    /// The APIs to ask, in order.
    pub(super) fn likely_apis(&self, order: ApiOrder) -> Vec<IndexApi> {
        if self.capabilities.may_have_json_api() { self.possible_apis(order) } else { vec![IndexApi::Simple] }
    }

    /// All APIs of the index, in order: the cache may have pages of any.
    pub(super) fn possible_apis(&self, order: ApiOrder) -> Vec<IndexApi> {
        if self.json_root.is_none() {
            return vec![IndexApi::Simple];
        }
        match order {
            ApiOrder::JsonFirst => vec![IndexApi::Json, IndexApi::Simple],
            ApiOrder::SimpleFirst => vec![IndexApi::Simple, IndexApi::Json],
        }
    }

    /// Whether the JSON API may name a project's newest release.
    pub(super) fn may_have_newest(&self) -> bool {
        self.folder.is_none() && self.capabilities.may_have_json_api()
    }

    /// Whether the JSON API may have pages of single releases.
    pub(super) fn may_have_release_pages(&self) -> bool {
        self.folder.is_none() && self.capabilities.may_have_release_pages()
    }

    /// The URL of a project's page.
    pub(super) fn page(&self, api: IndexApi, name: &PackageName) -> Option<Url> {
        match api {
            IndexApi::Json => self.json_root.as_ref()?.join(&format!("pypi/{name}/json")).ok(),
            IndexApi::Simple => self.simple_root.join(&format!("{name}/")).ok(),
        }
    }

    /// The URL of the page of one release.
    pub(super) fn release_page(&self, name: &PackageName, version: &Version) -> Option<Url> {
        self.json_root.as_ref()?.join(&format!("pypi/{name}/{version}/json")).ok()
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn the_json_api_is_beside_the_simple_api() {
        let name = PackageName::new("a.b").unwrap();
        for (url, json, simple) in [
            (
                "https://index.example/simple",
                Some("https://index.example/pypi/a-b/json"),
                "https://index.example/simple/a-b/",
            ),
            (
                "https://index.example/api/pypi/x/simple/",
                Some("https://index.example/api/pypi/x/pypi/a-b/json"),
                "https://index.example/api/pypi/x/simple/a-b/",
            ),
            ("https://index.example/root/+simple/", None, "https://index.example/root/+simple/a-b/"),
        ] {
            let index = RegistryIndex::new(&IndexUrl::parse(url, Path::new("/")).unwrap());
            assert_eq!(index.page(IndexApi::Json, &name).as_ref().map(Url::as_str), json, "{url}");
            assert_eq!(index.page(IndexApi::Simple, &name).unwrap().as_str(), simple, "{url}");
            assert_eq!(index.likely_apis(ApiOrder::JsonFirst).len(), if json.is_some() { 2 } else { 1 });
            index.capabilities.note_no_json_api();
            assert_eq!(index.likely_apis(ApiOrder::SimpleFirst), [IndexApi::Simple]);
        }
    }
}

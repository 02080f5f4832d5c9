//! One index: where its pages are, and what a run has learnt of it.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use url::Url;

use super::config::ApiOrder;
use super::once::OnceMap;
use super::url::IndexUrl;
use pinfast_packaging::{PackageName, Version};

/// One index.
pub(super) struct Site {
    pub(super) url: IndexUrl,
    /// The folder of an index on disk.
    pub(super) folder: Option<PathBuf>,
    /// `…/simple/`, below which the pages of the Simple API are.
    simple: Url,
    /// `…/` of `…/simple/`, below which those of the JSON API are.
    json_root: Option<Url>,
    /// Set once a project that the Simple API knows was not on the JSON API.
    no_json: AtomicBool,
    /// Set once the page of a release was not there.
    no_releases: AtomicBool,
    /// Answered once a page of a release has shown whether there are such.
    pub(super) probe: OnceMap<(), ()>,
    /// Set once a page of the JSON API named a project's newest release.
    names_newest: AtomicBool,
    /// Set once the Simple API did not list a project's files in JSON: HTML tells less.
    no_files: AtomicBool,
}

/// An API of an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Api {
    Json,
    Simple,
}

impl Site {
    pub(super) fn new(url: &IndexUrl) -> Self {
        let simple = url.folder();
        let beside = simple.path().ends_with("/simple/").then(|| simple.join("..").ok());
        Self {
            url: url.clone(),
            folder: url.path(),
            json_root: beside.flatten(),
            simple,
            no_json: AtomicBool::new(false),
            no_releases: AtomicBool::new(false),
            probe: OnceMap::new(),
            names_newest: AtomicBool::new(false),
            no_files: AtomicBool::new(false),
        }
    }

    /// The APIs to ask, in order.
    pub(super) fn apis(&self, order: ApiOrder) -> Vec<Api> {
        if self.no_json.load(Ordering::Relaxed) { vec![Api::Simple] } else { self.all_apis(order) }
    }

    /// The APIs that there may be, in order.
    pub(super) fn all_apis(&self, order: ApiOrder) -> Vec<Api> {
        if self.json_root.is_none() {
            return vec![Api::Simple];
        }
        match order {
            ApiOrder::JsonFirst => vec![Api::Json, Api::Simple],
            ApiOrder::SimpleFirst => vec![Api::Simple, Api::Json],
        }
    }

    /// Remembers that there is no JSON API.
    pub(super) fn has_no_json(&self) {
        self.no_json.store(true, Ordering::Relaxed);
    }

    /// Whether pages of the JSON API are worth asking for their beginning.
    pub(super) fn may_name_newest(&self) -> bool {
        self.folder.is_none() && !self.no_json.load(Ordering::Relaxed)
    }

    /// Whether pages of single releases are worth asking for.
    pub(super) fn may_tell_releases(&self) -> bool {
        self.may_name_newest() && !self.no_releases.load(Ordering::Relaxed)
    }

    /// Remembers that the JSON API names a project's newest release at the beginning of its page.
    pub(super) fn has_named_newest(&self) {
        self.names_newest.store(true, Ordering::Relaxed);
    }

    /// Remembers that the Simple API does not list files in JSON.
    pub(super) fn has_no_files(&self) {
        self.no_files.store(true, Ordering::Relaxed);
    }

    /// Whether all files of a project are better told by the Simple API in JSON: it has fewer bytes for them and more
    /// to say, and what the JSON API has besides was at the beginning of its page.
    pub(super) fn lists_briefly(&self) -> bool {
        self.names_newest.load(Ordering::Relaxed) && !self.no_files.load(Ordering::Relaxed)
    }

    /// Remembers that there are no pages of single releases.
    pub(super) fn has_no_releases(&self) {
        self.no_releases.store(true, Ordering::Relaxed);
    }

    /// The page of the release `version` of `name`.
    pub(super) fn release_page(&self, name: &PackageName, version: &Version) -> Option<Url> {
        self.json_root.as_ref()?.join(&format!("pypi/{name}/{version}/json")).ok()
    }

    /// The page of `name`.
    pub(super) fn page(&self, api: Api, name: &PackageName) -> Option<Url> {
        match api {
            Api::Json => self.json_root.as_ref()?.join(&format!("pypi/{name}/json")).ok(),
            Api::Simple => self.simple.join(&format!("{name}/")).ok(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn the_json_api_is_beside_the_simple_api() {
        let name = PackageName::new("a.b").unwrap();
        for (index, json, simple) in [
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
            let site = Site::new(&IndexUrl::parse(index, Path::new("/")).unwrap());
            assert_eq!(site.page(Api::Json, &name).as_ref().map(Url::as_str), json, "{index}");
            assert_eq!(site.page(Api::Simple, &name).unwrap().as_str(), simple, "{index}");
            assert_eq!(site.apis(ApiOrder::JsonFirst).len(), if json.is_some() { 2 } else { 1 });
            site.has_no_json();
            assert_eq!(site.apis(ApiOrder::SimpleFirst), [Api::Simple]);
        }
    }
}

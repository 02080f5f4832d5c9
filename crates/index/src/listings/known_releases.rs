//! What the run knows about releases by now. Nothing here sends a request or waits for one.

use std::sync::Arc;

use super::releases::{LatestRelease, Releases};
use crate::page_cache::{CacheRef, CachedListing};
use pinfast_packaging::{Listing, PackageName, Version};

impl Releases {
    /// The listing that has the release, where one is there already: that of the release, else the project's.
    pub(crate) fn known_listing(&self, name: &PackageName, version: &Version) -> Option<CachedListing> {
        let own = self.releases.get(&(name.clone(), version.clone())).and_then(|release| release.ok()?);
        own.or_else(|| self.listings.get(name)?.ok()?)
    }

    /// Whether the listing of the newest release is there already, or that of its project.
    pub(crate) fn is_newest_listed(&self, name: &PackageName, newest: &LatestRelease) -> bool {
        let own =
            self.releases.get(&(name.clone(), newest.version.clone())).and_then(|release| release.ok()?);
        own.is_some() || self.listings.get(name).is_some()
    }

    /// A listing of this release alone, where the run knows it and the cache holds it.
    pub(crate) fn known_release(
        &self,
        name: &PackageName,
        version: &Version,
    ) -> Option<(CacheRef, Arc<Listing>)> {
        let CachedListing { listing, stored } = self.known_listing(name, version)?;
        let (number, stored) = (listing.position(version)?, stored?);
        if listing.len() == 1 {
            return Some((stored, listing));
        }
        // Alone in a listing, this release would hide variants that the same pin admits.
        if has_local_variant(&listing, number) {
            return None;
        }
        let release = (listing.version(number).clone(), listing.files(number).to_vec());
        let info = listing.info.clone().filter(|info| info.version == *version);
        let single = Listing::new(name.clone(), vec![release]).with(info, listing.warnings.clone());
        Some((stored, Arc::new(single)))
    }

    /// The newest stable release, if a page that the run read shows it.
    pub(crate) fn known_newest(&self, name: &PackageName) -> Option<Version> {
        let named = self.newest.get(name).and_then(|newest| newest.ok()?);
        if let Some(newest) = named {
            return Some(newest.version.clone());
        }
        let CachedListing { listing, .. } = self.listings.get(name)?.ok()??;
        let is_stable = |number: &usize| !listing.version(*number).any_prerelease();
        (0..listing.len()).rev().find(is_stable).map(|number| listing.version(number).clone())
    }

    /// Whether `stored` is the release's own page, which does not know whether the release is the newest.
    pub(crate) fn is_own_page(&self, stored: &CacheRef, name: &PackageName, version: &Version) -> bool {
        // Pages of single releases are only requested where there is one index.
        let own = self.indexes.indexes.first().and_then(|index| index.release_page(name, version));
        own.is_some_and(|url| self.fetcher.cache.key(&url) == stored.key)
    }
}

/// Whether the releases beside this one differ from it only in the local version (PEP 440): a pin without a local
/// version admits them too.
fn has_local_variant(listing: &Listing, number: usize) -> bool {
    let public = |number: usize| listing.version(number).clone().without_local();
    let beside = [number.checked_sub(1), Some(number + 1).filter(|next| *next < listing.len())];
    beside.into_iter().flatten().any(|other| public(other) == public(number))
}

//! The trait between the solver and the package indexes: listings and metadata on request, and prefetching.
//!
//! The solver does no I/O. The `index` crate implements [`Index`] over the network, the cache and local folders;
//! `universe.rs` implements it in memory for tests.

use std::sync::Arc;

use pinfast_base::error::Error;
use pinfast_packaging::{DirectUrl, DistFile, Listing, Metadata, PackageName, Sha256, Version};

/// A source of listings and metadata.
///
/// A method that returns something blocks until its answer is there. The same question gets the same answer, however
/// often and from whatever thread it is asked.
pub trait Index: Send + Sync {
    /// The project's listing: all of its releases with their files. `None` where no index has the project (404 or
    /// 410).
    ///
    /// # Errors
    /// When an index does not answer. That is never reported as a missing project.
    fn listing(&self, name: &PackageName) -> Result<Option<Arc<Listing>>, Error>;

    /// A listing that holds only the release `version`, with the same content as the project's full listing has for
    /// it.
    ///
    /// `None` where the full listing is no dearer to get, and where fetching failed: the full listing then reports the
    /// failure.
    fn release_listing(&self, name: &PackageName, version: &Version) -> Option<Arc<Listing>> {
        let _ = (name, version);
        None
    }

    /// A listing that holds only the release that the index calls the project's newest; `None` as for
    /// [`Index::release_listing`].
    fn newest_listing(&self, name: &PackageName) -> Option<Arc<Listing>> {
        let _ = name;
        None
    }

    /// Metadata of the newest release, as long as the index has sent that but not yet the release's files. The
    /// prefetcher follows its requirements without waiting for the files. Blocks until the metadata is there.
    fn newest_metadata(&self, name: &PackageName) -> Option<Arc<Metadata>> {
        let _ = name;
        None
    }

    /// The metadata of a listed file.
    ///
    /// # Errors
    /// See [`MetadataFailure`].
    fn metadata(&self, file: &Arc<DistFile>, trust: Trust) -> Result<Arc<Metadata>, MetadataFailure>;

    /// A listing of the one file at the URL of a `name @ URL` requirement (PEP 508). The file is downloaded and hashed.
    ///
    /// # Errors
    /// When the file cannot be fetched, does not match its `#sha256=`, or is not a distribution of `name`.
    fn direct_url_listing(&self, name: &PackageName, url: &DirectUrl) -> Result<Arc<Listing>, Error>;

    /// The hash of a file. One that its listing gives no hash for is downloaded and hashed.
    ///
    /// # Errors
    /// When the file cannot be fetched.
    fn sha256(&self, file: &Arc<DistFile>) -> Result<Sha256, Error>;

    /// Starts fetching what will be needed soon. Returns at once.
    fn prefetch(&self, queries: &[IndexQuery]);

    /// Starts fetching what may be needed, unless that would open the run's first connection. Returns at once.
    ///
    /// A warm run should stay offline: a guess is not worth a connection that nothing else needs.
    fn prefetch_speculative(&self, queries: &[IndexQuery]) {
        self.prefetch(queries);
    }

    /// Where projects are looked up.
    fn search_scope(&self) -> SearchScope {
        SearchScope::Indexes
    }

    /// Names of existing projects, as far as they are known without asking the network. They serve to suggest a
    /// spelling.
    fn project_names(&self) -> Vec<PackageName> {
        Vec::new()
    }

    /// How many prefetching threads pay off at present: 0 where answers take no time. The number may grow during a
    /// solve.
    fn prefetch_concurrency(&self) -> usize {
        0
    }
}

/// Where projects are looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SearchScope {
    /// In indexes, and in find-links places if there are any.
    Indexes,
    /// In find-links places alone (`--no-index`).
    FindLinks,
}

/// Which source of a file's metadata is good enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Trust {
    /// What the index's JSON API says of the release, where that is at hand; else the file's own metadata. An index
    /// may describe another file of the release, so the solver confirms its result with [`Trust::File`].
    Release,
    /// Only the file's own metadata: its `.metadata` sibling (PEP 658), the wheel or the sdist.
    File,
}

/// A question to an index, to be prefetched.
#[derive(Clone, Debug)]
pub enum IndexQuery {
    /// [`Index::listing`].
    Listing(PackageName),
    /// [`Index::release_listing`].
    Release(PackageName, Version),
    /// [`Index::newest_listing`].
    Newest(PackageName),
    /// [`Index::metadata`].
    Metadata(Arc<DistFile>, Trust),
}

/// Why a file has no metadata. Each text is a sentence without a full stop.
#[derive(Debug)]
pub enum MetadataFailure {
    /// The file is at fault: unreadable metadata, another name inside, a broken archive. Excludes the candidate.
    Invalid(String),
    /// Only a build can produce it. Excludes the candidate, unless a wrapping index builds it.
    NeedsBuild(String),
    /// Only a build could produce it, and the user forbids builds. Excludes the candidate.
    BuildForbidden(String),
    /// Network, disk or index failed: the run ends with this error.
    Fatal(Error),
}

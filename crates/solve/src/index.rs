//! What the solver asks of the world: the one trait between it and the indexes.

use std::sync::Arc;

use pinfast_base::error::Error;
use pinfast_packaging::{DirectUrl, DistFile, Listing, Metadata, PackageName, Sha256, Version};

/// A source of listings and metadata. All calls that return something block until it is there; the
/// answers are the same however often and from whatever thread one asks.
pub trait Index: Send + Sync {
    /// The project's listing; `None` where no index knows the project.
    ///
    /// # Errors
    /// When an index gives no answer: never told as "no such project".
    fn listing(&self, name: &PackageName) -> Result<Option<Arc<Listing>>, Error>;

    /// A listing of the one release `version`, as the project's would have it, where that takes less than the
    /// project's; `None` where the project's has to be looked at. Trouble is `None` too: the project's listing
    /// tells it.
    fn release(&self, name: &PackageName, version: &Version) -> Option<Arc<Listing>> {
        let _ = (name, version);
        None
    }

    /// A listing of the one release that the index calls the project's newest, likewise.
    fn newest(&self, name: &PackageName) -> Option<Arc<Listing>> {
        let _ = name;
        None
    }

    /// What the index says of that release, where it has said so much and not yet which files it has: whoever looks
    /// ahead need not wait for them. Blocks until it has.
    fn foretold(&self, name: &PackageName) -> Option<Arc<Metadata>> {
        let _ = name;
        None
    }

    /// The metadata of a file of a listing.
    ///
    /// # Errors
    /// See [`MetadataFailure`].
    fn metadata(&self, file: &Arc<DistFile>, trust: Trust) -> Result<Arc<Metadata>, MetadataFailure>;

    /// A listing of the one file at the URL of a `name @ URL` requirement, hashed whole.
    ///
    /// # Errors
    /// When the file cannot be had, does not match its `#sha256=`, or is not a distribution of `name`.
    fn direct(&self, name: &PackageName, url: &DirectUrl) -> Result<Arc<Listing>, Error>;

    /// The hash of a file whose index tells none: the file is downloaded whole.
    ///
    /// # Errors
    /// When the file cannot be had.
    fn sha256(&self, file: &Arc<DistFile>) -> Result<Sha256, Error>;

    /// Says what will be asked soon, so that it is under way by then; waits for no answer.
    fn prefetch(&self, wants: &[Want]);

    /// Says what may be asked, likewise: it is under way by then, unless that would take the first connection of the run.
    fn foresee(&self, wants: &[Want]) {
        self.prefetch(wants);
    }

    /// Where projects are looked for.
    fn reach(&self) -> Reach {
        Reach::Indexes
    }

    /// Names of projects that there are, as far as that can be told in a moment: for one that was misspelt.
    fn names(&self) -> Vec<PackageName> {
        Vec::new()
    }

    /// How many threads that look ahead of the solver pay off at present: none where answers take no time. They may
    /// become more during a solve.
    fn scouts(&self) -> usize {
        0
    }
}

/// Where projects are looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// In indexes, and perhaps in find-links places too.
    Indexes,
    /// In find-links places alone (`--no-index`).
    FindLinks,
}

/// Whose word about a file's metadata will do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Trust {
    /// The index's word for the release, where that is at hand; else the file's own.
    Release,
    /// Only the file's own.
    File,
}

/// Something that will be asked soon.
#[derive(Clone, Debug)]
pub enum Want {
    /// A project's listing.
    Listing(PackageName),
    /// What the project's listing says of one release.
    Release(PackageName, Version),
    /// What the project's listing says of the newest release.
    Newest(PackageName),
    /// A file's metadata.
    Metadata(Arc<DistFile>, Trust),
}

/// Why there is no metadata.
#[derive(Debug)]
pub enum MetadataFailure {
    /// The file itself is at fault (unreadable metadata, another name inside, a broken archive): it bars
    /// the candidate. A sentence without a full stop.
    Unusable(String),
    /// Only a build can tell: it bars the candidate, unless somebody builds it. A sentence likewise.
    NeedsBuild(String),
    /// Only a build could tell, and the user forbids it: it bars the candidate. A sentence likewise.
    Forbidden(String),
    /// The world is at fault: the run ends with this error.
    Trouble(Error),
}

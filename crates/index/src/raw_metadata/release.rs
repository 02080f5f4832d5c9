//! Metadata in the JSON API's `info`.

use pinfast_packaging::{Metadata, PackageName, ReleaseInfo};

/// The metadata of a release of `name`. `None` where `requires_dist` is `null`, which may mean "none" or "unknown",
/// or where it is unreadable: then the file itself is asked.
pub(crate) fn metadata_of_release(name: &PackageName, info: &ReleaseInfo) -> Option<Metadata> {
    let (requires, python) = (info.requires_dist.as_ref()?, info.requires_python.as_deref());
    Metadata::of_release(name, &info.version, requires, python, &info.provides_extra).ok()
}

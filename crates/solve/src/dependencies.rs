//! What a candidate depends on, as sets of ordinals: the edges that pubgrub works on.
//!
//! `provider/dependencies.rs` computes them from metadata; the search caches them over its restarts.

use std::sync::Arc;

use pubgrub::DependencyConstraints;

use super::candidates::ExclusionReason;
use super::interner::PackageId;
use super::ordinal_set::OrdinalSet;

/// The dependencies of one candidate: one entry a package, ordered by package. Shared, since restarts read them again.
pub(super) type DependencySets = Arc<[(PackageId, OrdinalSet)]>;

/// The same in the form that pubgrub takes.
pub(super) type PubGrubDependencies = DependencyConstraints<PackageId, OrdinalSet>;

/// What is known of a candidate once its metadata was read.
#[derive(Clone, Debug)]
pub(super) enum CandidateDependencies {
    /// It depends on these.
    Available(DependencySets),
    /// It cannot be chosen, for this reason.
    Unavailable(ExclusionReason),
}

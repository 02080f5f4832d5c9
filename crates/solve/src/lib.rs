//! The solver: a [`Problem`] and an [`Index`] -> a [`Resolution`], or the [`Proof`] that there is none.
//!
//! # The algorithm
//!
//! It is PubGrub (Weizenbaum 2018), a relative of CDCL SAT solving, in the implementation of the crate `pubgrub`. That
//! crate does unit propagation and conflict resolution. This one decides what is tried in which order, fetches as little
//! as possible for it, and runs pubgrub again when it has learned something better.
//!
//! ## One run, by an example
//!
//! ```text
//! requirements.in        index
//! app                    app 1 (needs lib<2)   app 2 (needs lib>=2)
//! base<2                 lib 1   lib 2 (needs base>=2)
//!                        base 1   base 2
//! ```
//!
//! 1. **Prefetch** (`prefetcher.rs`). Threads ask for `app` and `base`, then for what their likeliest releases require.
//! 2. **Root**. The two lines become the dependencies of pubgrub's root package: any `app`, and `base<2`.
//! 3. **Lazy candidates** (`lazy_candidates.rs`). Of `app` only release 2 is evaluated, as ordinal 0, and pubgrub hears
//!    that any ordinal would do. `base<2` excludes the newest `base`, so all releases of it are evaluated: the line
//!    permits ordinal 0 of {1, 2}.
//! 4. **Decisions** (`provider.rs`). pubgrub decides the package with the highest priority. `base` has one candidate left
//!    and goes first: `base 1`. Then `app 2`, whose dependency is any `lib`, since `lib 2` fits. Then `lib 2`.
//! 5. **Conflict**. `lib 2` depends on `base` {2}, against the decision `base 1`. pubgrub learns that `lib` ordinal 0 is
//!    impossible. So `lib` has to be *widened*: the rest of this run only looks for more such packages.
//! 6. **Next run**. All releases of `lib` are candidates: `app 2` depends on `lib` {2}, which is impossible as before. Now
//!    `app` is widened as well.
//! 7. **Last run**. `app 2` fails, `app 1` depends on `lib` {1}: the decisions `app 1`, `lib 1`, `base 1` are a solution.
//!    They become a [`Resolution`]: pins with their dependents. Where no decision is left, pubgrub's derivation becomes a
//!    [`Proof`] instead.
//!
//! ## What makes it fast
//!
//! - **Ordinals** (`ordinal_set.rs`, `candidates.rs`): the candidates of a package are numbered by version, so a set of
//!   versions is a few ranges of integers. `interner.rs` does the same for package names.
//! - **Restarts** (`search.rs`, `conflicts.rs`): when the candidates of one package are rejected one after the other, the
//!   run stops. The next one decides that package first, and the package in its way last.
//! - **Galloping search** (`galloping.rs`): in a long series of rejected releases, each next try is twice as far back.
//! - **Release data first** ([`Trust`]): metadata may come from the index's JSON API; the result is confirmed with the
//!   files' own metadata before it is returned.
//!
//! ## What steers it
//!
//! - **Preferences** ([`Preferences`]): the versions of an older lock are tried first, within the best [`Tier`].
//! - **Policy** ([`Policy`]): newest or oldest, pre-releases, upload times, formats. `evaluator.rs` applies it.
//! - **Universal** ([`universal`]): one resolution for each region of the space of environments.
//!
//! The result depends on the problem and the index's answers, never on timing or on the order of the inputs' lines.

mod candidates;
mod conflicts;
mod dependencies;
mod evaluator;
mod galloping;
mod index;
mod interner;
mod lazy_candidates;
mod once_value;
mod ordinal_set;
mod package;
mod policy;
mod prefetcher;
mod problem;
mod proof;
mod provider;
mod requirements;
mod resolution;
mod search;
mod solver;
mod solver_index;
pub mod universal;
pub mod universe;

pub use candidates::{Candidate, Candidates, ExclusionReason, ProjectLookup, Tier};
pub use index::{Index, IndexQuery, MetadataFailure, SearchScope, Trust};
pub use ordinal_set::{Ordinal, OrdinalSet};
pub use package::Package;
pub use policy::{PackageSet, Policy, Preferences, PrereleaseMode, ResolutionMode};
pub use problem::Problem;
pub use proof::{Fact, Proof, ProofStep};
pub use requirements::{base_requirements, extra_requirements};
pub use resolution::{Dependent, Resolution, ResolvedPin};
pub use solver::{NoSolution, SolveError, solve, solve_with_index};
pub use solver_index::SolverIndex;

#[cfg(test)]
mod tests;

//! What a line of the user's inputs does: pip's requirements and constraints, uv's overrides.

use serde::Serialize;

/// What a line of the inputs does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Asks for a package.
    Requirement,
    /// Restricts a package without asking for it (`-c`).
    Constraint,
    /// Replaces every requirement on its package (`--override`).
    Override,
}

//! What a record is found by.

use std::fmt;

use pinfast_packaging::Sha256;
use serde::{Deserialize, Serialize};

/// The name of a record in its bucket: a SHA-256, so that neither URLs nor paths can be read from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "[u8; 32]", into = "[u8; 32]")]
pub struct CacheKey(Sha256);

impl CacheKey {
    /// The digest of these parts in this order. Their lengths are part of it: `ab, c` is not `a, bc`.
    pub(super) fn of(parts: &[&str]) -> Self {
        let lengths: Vec<_> = parts.iter().map(|part| format!("{}:", part.len())).collect();
        Self(Sha256::of_parts(lengths.iter().zip(parts).flat_map(|(length, part)| [length, *part])))
    }

    pub(super) fn bytes(&self) -> &[u8; 32] {
        &self.0.0
    }
}

impl From<Sha256> for CacheKey {
    fn from(digest: Sha256) -> Self {
        Self(digest)
    }
}

impl From<[u8; 32]> for CacheKey {
    fn from(bytes: [u8; 32]) -> Self {
        Self(Sha256(bytes))
    }
}

impl From<CacheKey> for [u8; 32] {
    fn from(key: CacheKey) -> Self {
        key.0.0
    }
}

impl fmt::Display for CacheKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_with_other_boundaries_have_another_key() {
        assert_ne!(CacheKey::of(&["ab", "c"]), CacheKey::of(&["a", "bc"]));
        assert_ne!(CacheKey::of(&["a", ""]), CacheKey::of(&["a"]));
    }
}

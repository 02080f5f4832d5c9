//! The name of a release: `<UTC time>-<commit>`, and a number if that is taken.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The number of digits of a commit's hash in the name of a release.
const SHORT_HASH: usize = 10;

/// The name of a release and of its folder: letters, digits and dashes only, so that no journal can lead out of
/// `releases/`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ReleaseId(String);

impl ReleaseId {
    /// The first name for `commit` at `time` that is not `taken`.
    #[must_use]
    pub fn next(time: Timestamp, commit: &str, taken: impl Fn(&str) -> bool) -> Self {
        let name = format!("{}-{}", time.strftime("%Y%m%dT%H%M%SZ"), short_hash(commit));
        if !taken(&name) {
            return Self(name);
        }
        let mut suffix = 2_u64;
        loop {
            let suffixed = format!("{name}-{suffix}");
            if !taken(&suffixed) {
                return Self(suffixed);
            }
            suffix += 1;
        }
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The first digits of a hash, for people.
#[must_use]
pub fn short_hash(hash: &str) -> &str {
    hash.get(..SHORT_HASH).unwrap_or(hash)
}

impl FromStr for ReleaseId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let fits = |c: char| c.is_ascii_alphanumeric() || c == '-';
        match !text.is_empty() && text.len() <= 128 && text.chars().all(fits) {
            true => Ok(Self(text.to_owned())),
            false => Err(format!("`{}` is not the name of a release", text.escape_debug())),
        }
    }
}

impl TryFrom<String> for ReleaseId {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<ReleaseId> for String {
    fn from(id: ReleaseId) -> Self {
        id.0
    }
}

impl fmt::Display for ReleaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_name_gets_a_number() {
        let time = Timestamp::from_second(1_800_000_000).unwrap();
        let commit = "3f2a1bc9d8e7f6a5b4c3d2e1f0a9b8c7d6e5f4a3";
        let mut taken = Vec::new();
        for name in
            ["20270115T080000Z-3f2a1bc9d8", "20270115T080000Z-3f2a1bc9d8-2", "20270115T080000Z-3f2a1bc9d8-3"]
        {
            let id = ReleaseId::next(time, commit, |name| taken.iter().any(|taken| taken == name));
            assert_eq!(id.as_str(), name);
            taken.push(name.to_owned());
        }
    }

    #[test]
    fn a_name_that_leads_elsewhere_is_rejected() {
        for text in ["", ".", "..", "a/b", "a\0", "a b", "../../etc", &"a".repeat(129)] {
            assert!(text.parse::<ReleaseId>().is_err(), "{text}");
        }
        assert!(serde_json::from_str::<ReleaseId>("\"../x\"").is_err());
    }
}

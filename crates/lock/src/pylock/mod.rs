//! A lock as `pylock.toml` (PyPA "pylock.toml Specification", PEP 751).
//!
//! The specification asks for a `url` or a `path` of every file, so here, unlike in a requirements
//! file, hosts are named; credentials never are. `upload-time` is left out: a lock holds no date.
//! What the header of a requirements file says stands in `[tool.pinfast]`, who wants a package in its
//! `[packages.tool.pinfast]`.

mod read;
mod write;

#[cfg(test)]
mod tests;

use pinfast_packaging::{Marker, SpecifierSet};

pub(crate) use read::read;

/// The line of the digest; the rest of it is the hash and a quotation mark.
const DIGEST: &str = "digest = \"sha256:";

/// What a `pylock.toml` says beyond the lock.
#[derive(Clone, Debug, Default)]
pub struct PylockCompatibility {
    /// The Python versions that it was made for.
    pub requires_python: Option<SpecifierSet>,
    /// The environments that it was made for; empty for no statement.
    pub environments: Vec<Marker>,
}

/// Whether a file of this name, of whatever folder, is a `pylock.toml`: `pylock.toml` or
/// `pylock.NAME.toml`, NAME without a dot.
#[must_use]
pub fn is_pylock(file: &str) -> bool {
    let name = file.rsplit(['/', '\\']).next().unwrap_or(file);
    let Some(middle) = name.strip_prefix("pylock.").and_then(|rest| rest.strip_suffix("toml")) else {
        return false;
    };
    middle.is_empty() || middle.strip_suffix('.').is_some_and(|name| !name.is_empty() && !name.contains('.'))
}

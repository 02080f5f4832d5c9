//! A lock as `pylock.toml` (PyPA "pylock.toml Specification", PEP 751).
//!
//! The specification requires a `url` or a `path` for every file, so hosts are named here, unlike in a requirements
//! file; credentials never are. `upload-time` is left out: a lock holds no date. `[tool.pinfast]` holds the header of the
//! requirements file (`format`, `digest`, `targets`, `inputs`, `options`, `builds`); `[packages.tool.pinfast]` the
//! `via`.

mod read;
mod write;

#[cfg(test)]
mod tests;

use pinfast_packaging::{Marker, SpecifierSet};

pub(crate) use read::read;

/// How the line of the digest begins; the hash and a quotation mark follow.
const DIGEST: &str = "digest = \"sha256:";

/// The environments that a `pylock.toml` is compatible with: its top-level keys of these names.
#[derive(Clone, Debug, Default)]
pub struct PylockCompatibility {
    /// `requires-python`
    pub requires_python: Option<SpecifierSet>,
    /// `environments`, as markers; the key is left out if there are none.
    pub environments: Vec<Marker>,
}

/// Whether the path `file` has the name of a pylock: `pylock.toml`, or `pylock.NAME.toml` with no dot in NAME.
#[must_use]
pub fn is_pylock(file: &str) -> bool {
    let name = file.rsplit(['/', '\\']).next().unwrap_or(file);
    let Some(middle) = name.strip_prefix("pylock.").and_then(|rest| rest.strip_suffix("toml")) else {
        return false;
    };
    middle.is_empty() || middle.strip_suffix('.').is_some_and(|name| !name.is_empty() && !name.contains('.'))
}

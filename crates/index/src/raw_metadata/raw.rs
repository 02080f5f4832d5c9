//! What a file states about its metadata, as text. A file never changes, so the cache keeps this for good.

use serde::{Deserialize, Serialize};

use super::pyproject;
use crate::failure::FetchFailure;
use pinfast_packaging::{DistFile, Metadata, MetadataHint, Sha256};

/// The relevant text of one wheel or sdist.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum RawMetadata {
    /// The relevant headers of a wheel's METADATA, and the hash of the whole text.
    Wheel { sha256: [u8; 32], headers: Vec<u8> },
    /// The relevant headers of an sdist's PKG-INFO that is static (PEP 643).
    PkgInfo(Vec<u8>),
    /// An sdist's pyproject.toml, where PKG-INFO is not static.
    Pyproject(Vec<u8>),
    /// An sdist with neither.
    Nothing,
}

impl RawMetadata {
    /// From a METADATA text.
    pub(crate) fn of_wheel(text: Vec<u8>) -> Self {
        Self::Wheel { sha256: Sha256::of(&text).0, headers: Metadata::headers(&text) }
    }

    /// From the files of an sdist.
    pub(crate) fn of_sdist(pkg_info: Option<Vec<u8>>, pyproject: Option<Vec<u8>>) -> Self {
        // A PKG-INFO that cannot be parsed is kept: `parse` then reports why.
        let is_dynamic = |text: &Vec<u8>| matches!(Metadata::parse_static(text), Ok(None));
        match (pkg_info.filter(|text| !is_dynamic(text)), pyproject) {
            (Some(text), _) => Self::PkgInfo(Metadata::headers(&text)),
            (None, Some(text)) => Self::Pyproject(text),
            (None, None) => Self::Nothing,
        }
    }

    /// Parses it as the metadata of `file`.
    ///
    /// # Errors
    /// `Invalid` when it cannot be parsed or is about another release, `NeedsBuild` when it is not static.
    pub(crate) fn parse(&self, file: &DistFile) -> Result<Metadata, FetchFailure> {
        let metadata = match self {
            Self::Wheel { headers: text, .. } | Self::PkgInfo(text) => Metadata::parse(text),
            Self::Pyproject(text) => {
                let parsed = pyproject::parse_static(text, file.dist.name(), file.dist.version());
                parsed.ok_or_else(needs_build)?
            }
            Self::Nothing => return Err(needs_build()),
        };
        check_release(file, metadata.map_err(|error| FetchFailure::invalid(error.message))?)
    }

    /// Whether it is an sdist's. An sdist's is stored even where a build is needed: that saves the next download.
    pub(crate) fn is_of_sdist(&self) -> bool {
        !matches!(self, Self::Wheel { .. })
    }

    /// Whether it is the very text that the index announced, where the index gave its hash.
    pub(crate) fn matches_hint(&self, hint: MetadataHint) -> bool {
        match (self, hint) {
            (Self::Wheel { sha256, .. }, MetadataHint::Hashed(announced)) => announced.0 == *sha256,
            _ => true,
        }
    }
}

fn needs_build() -> FetchFailure {
    FetchFailure::needs_build(
        "its metadata needs a build: neither its PKG-INFO nor its pyproject.toml is static",
    )
}

/// Fails unless the name and version inside are those of the file's name.
fn check_release(file: &DistFile, metadata: Metadata) -> Result<Metadata, FetchFailure> {
    if metadata.name != *file.dist.name() {
        return Err(FetchFailure::invalid(format!("its metadata is about `{}`", metadata.name)));
    }
    if metadata.version != *file.dist.version() {
        return Err(FetchFailure::invalid(format!("its metadata is about version {}", metadata.version)));
    }
    Ok(metadata)
}

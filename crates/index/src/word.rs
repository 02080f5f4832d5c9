//! What a file itself says of its metadata, as text: fit to be kept, since it changes never.

use serde::{Deserialize, Serialize};

use super::failure::Failure;
use super::sdist;
use pinfast_packaging::{DistFile, Metadata, MetadataHint, Sha256};

/// A file's own word.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Word {
    /// The headers of a wheel's METADATA that matter, and the hash of all of it.
    Metadata { sha256: [u8; 32], headers: Vec<u8> },
    /// Those of an sdist's static PKG-INFO.
    PkgInfo(Vec<u8>),
    /// An sdist's pyproject.toml, where PKG-INFO is not static.
    Project(Vec<u8>),
    /// An sdist without either.
    Silent,
}

impl Word {
    /// The word of a METADATA text.
    pub(super) fn metadata(text: Vec<u8>) -> Self {
        Self::Metadata { sha256: Sha256::of(&text).0, headers: Metadata::headers(&text) }
    }

    /// The word of an sdist with these files.
    pub(super) fn sdist(pkg_info: Option<Vec<u8>>, pyproject: Option<Vec<u8>>) -> Self {
        let dynamic = |text: &Vec<u8>| matches!(Metadata::parse_static(text), Ok(None));
        match (pkg_info.filter(|text| !dynamic(text)), pyproject) {
            (Some(text), _) => Self::PkgInfo(Metadata::headers(&text)),
            (None, Some(text)) => Self::Project(text),
            (None, None) => Self::Silent,
        }
    }

    /// The metadata that it tells of `file`.
    ///
    /// # Errors
    /// When it is not about that file, or cannot be read: it bars the candidate.
    pub(super) fn believe(&self, file: &DistFile) -> Result<Metadata, Failure> {
        let metadata = match self {
            Self::Metadata { headers: text, .. } | Self::PkgInfo(text) => Metadata::parse(text),
            Self::Project(text) => {
                let read = sdist::of_project(text, file.dist.name(), file.dist.version());
                read.ok_or_else(needs_build)?
            }
            Self::Silent => return Err(needs_build()),
        };
        same(file, metadata.map_err(|error| Failure::unusable(error.message))?)
    }

    /// Whether it may be kept although nothing can be learnt from it.
    pub(super) fn is_of_sdist(&self) -> bool {
        !matches!(self, Self::Metadata { .. })
    }

    /// Whether it is the very text of which the index told this hash, if it told one.
    pub(super) fn is_as_told(&self, told: MetadataHint) -> bool {
        match (self, told) {
            (Self::Metadata { sha256, .. }, MetadataHint::Hashed(told)) => told.0 == *sha256,
            _ => true,
        }
    }
}

fn needs_build() -> Failure {
    Failure::needs_build("its metadata needs a build: neither its PKG-INFO nor its pyproject.toml is static")
}

/// Name and version inside must be the file's own.
fn same(file: &DistFile, metadata: Metadata) -> Result<Metadata, Failure> {
    if metadata.name != *file.dist.name() {
        return Err(Failure::unusable(format!("its metadata is about `{}`", metadata.name)));
    }
    if metadata.version != *file.dist.version() {
        return Err(Failure::unusable(format!("its metadata is about version {}", metadata.version)));
    }
    Ok(metadata)
}

//! The source tree of a build (PEP 517): the unpacked source distribution, in a temporary folder.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::build_system::BuildSystem;
use super::failure::BuildFailure;
use super::unpack::{SdistLimits, unpack};
use pinfast_base::error::Error;
use pinfast_packaging::{DistFile, DistFilename};

/// An unpacked source distribution, removed when dropped.
pub(super) struct SourceTree {
    temporary: TempDir,
    /// The folder with `pyproject.toml`.
    pub(super) root: PathBuf,
    pub(super) build_system: BuildSystem,
}

impl SourceTree {
    /// Unpacks the `archive` of `file`, and reads its build system.
    pub(super) fn unpack(file: &DistFile, archive: File) -> Result<Self, BuildFailure> {
        let DistFilename::Sdist { format, .. } = file.dist else {
            return Err(BuildFailure::Candidate("it is not a source distribution".to_owned()));
        };
        let temporary = tempfile::Builder::new().prefix("pinfast-build-").tempdir().map_err(|error| {
            Error::no_answer("cannot create a temporary folder for a build").because(error)
        })?;
        let unpacked = temporary.path().join("source");
        fs::create_dir(&unpacked)
            .map_err(|error| Error::no_answer("cannot create a folder for a build").because(error))?;
        let root = unpack(archive, format, &unpacked, SdistLimits::default())?;
        let build_system = BuildSystem::of_source_tree(&root)?;
        Ok(Self { temporary, root, build_system })
    }

    /// A folder for the backend's files and results.
    pub(super) fn scratch(&self) -> &Path {
        self.temporary.path()
    }

    /// The place of the build environment, which does not exist yet.
    pub(super) fn environment(&self) -> PathBuf {
        self.temporary.path().join("environment")
    }
}

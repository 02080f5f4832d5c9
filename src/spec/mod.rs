//! The PyPA specifications as plain types; every other room speaks in them.
//!
//! Pure data: nothing here opens a file or a socket, reads a clock or an environment variable.

mod hash;
mod listing;
mod location;
mod metadata;
mod name;
mod requirement;
mod target;
mod version;
mod wheel;

pub use hash::{Sha256, Sha256Error};
pub use listing::{DistFile, Listing, MetadataHint, Release, ReleaseInfo};
pub use location::Location;
pub use metadata::{Metadata, MetadataError, MetadataSource};
pub use name::{ExtraName, NameError, PackageName};
pub use requirement::{DirectUrl, Marker, Requirement, RequirementError, Source};
pub use target::{MarkerValues, Platform, PlatformError, Target};
pub use version::{Specifiers, SpecifiersError, Version};
pub use wheel::{DistName, DistNameError, SdistFormat, Tag, Tags, WheelName};

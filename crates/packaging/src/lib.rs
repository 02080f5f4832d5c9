//! The PyPA specifications as plain types: names, versions, markers, tags, metadata, listings.
//!
//! Texts go in, values come out: nothing here opens a file or a socket, or reads a clock or an environment variable.

mod distinguishing;
mod file_url;
mod filename;
mod hash;
mod interpreter;
mod listing;
mod location;
mod logical_lines;
mod marker;
mod metadata;
mod name;
mod platform;
mod region;
mod requirement;
mod role;
mod tags;
mod target;
mod version;

pub use file_url::FileUrl;
pub use filename::{DistFilename, DistFilenameError, DistFilenameErrorKind, SdistFormat, WheelFilename};
pub use hash::{Sha256, Sha256Error};
pub use interpreter::{CPythonBuild, Implementation, InterpreterFacts, Threading, supported_tags};
pub use listing::{DistFile, DistKind, FileSummary, LazyListing, Listing, MetadataHint, ReleaseInfo};
pub use location::Location;
pub use logical_lines::{CommentLine, LineEnds, LogicalLine, LogicalLines, ScannedLine, SourceSpan};
pub use marker::Marker;
pub use metadata::{Metadata, MetadataError, MetadataSource};
pub use name::{ExtraName, NameError, PackageName};
pub use platform::{Platform, PlatformError};
pub use region::{Cut, NEWEST_MINOR, Point, Region, Space, Truth, WheelScope};
pub use requirement::{DirectUrl, Requirement, RequirementError, RequirementSource};
pub use role::Role;
pub use tags::{SupportedTags, Tag, TagSet, TagSetError};
pub use target::{MarkerValues, Target};
pub use version::{SpecifierSet, SpecifierSetError, Version};

/// The first `most` characters of a text from outside, without control characters: fit for one line of a message.
fn excerpt(text: &str, most: usize) -> String {
    let mut short: String =
        text.chars().take(most).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if text.chars().nth(most).is_some() {
        short.push('…');
    }
    short
}

//! The PyPA specifications as plain types; every other room speaks in them.
//!
//! Pure data: nothing here opens a file or a socket, reads a clock or an environment variable.

mod file_url;
mod hash;
mod interpreter;
mod listing;
mod location;
mod marker;
mod metadata;
mod name;
mod platform;
mod region;
mod requirement;
mod role;
mod tags;
mod target;
mod telling;
mod version;
mod wheel;

pub use file_url::FileUrl;
pub use hash::{Sha256, Sha256Error};
pub use interpreter::{Build, Implementation, InterpreterFacts, Threading, tags_for};
pub use listing::{DistFile, Form, Listing, MetadataHint, Outline, ReleaseInfo, Shelf};
pub use location::Location;
pub use marker::Marker;
pub use metadata::{Metadata, MetadataError, MetadataSource};
pub use name::{ExtraName, NameError, PackageName};
pub use platform::{Platform, PlatformError};
pub use region::{Cut, Fit, NEWEST_MINOR, Point, Region, Space, Verdict};
pub use requirement::{DirectUrl, Requirement, RequirementError, Source};
pub use role::Role;
pub use tags::{Tag, TagSet, TagSetError, Tags};
pub use target::{MarkerValues, Target};
pub use version::{Specifiers, SpecifiersError, Version};
pub use wheel::{DistName, DistNameError, DistNameErrorKind, SdistFormat, WheelName};

/// The beginning of a foreign text of any length, fit for one line of a message.
fn excerpt(text: &str, most: usize) -> String {
    let mut short: String =
        text.chars().take(most).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if text.chars().nth(most).is_some() {
        short.push('…');
    }
    short
}

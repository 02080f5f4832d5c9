//! A listing -> its record.

use super::file_url::{PackedUrl, UrlRoots};
use super::layout::{FileDetails, ListingHeader, PackedInfo, PackedRelease, record_count};
use super::lines::join_lines;
use crate::text::BorrowedText;
use pinfast_packaging::{DistFile, DistFilename, Listing, ReleaseInfo, Version};

/// Packs `listing`.
///
/// # Errors
/// When it has more than a record can hold, or a text in it has a line break.
pub(crate) fn pack_listing(listing: &Listing) -> postcard::Result<Vec<u8>> {
    // The details are packed before the header, which needs their lengths and the roots of their URLs.
    let mut roots = UrlRoots::default();
    let mut details = Vec::new();
    let mut releases = Vec::with_capacity(listing.len());
    for (number, version) in listing.versions().enumerate() {
        let before = details.len();
        let files = listing.files(number);
        for file in files {
            details = postcard::to_extend(&FileDetails::new(file, version, &mut roots), details)?;
        }
        let details_length = record_count(details.len() - before)?;
        releases.push(PackedRelease { files: record_count(files.len())?, details_length });
    }
    let header = ListingHeader {
        info: listing.info.as_ref().map(PackedInfo::new),
        warnings: listing.warnings.iter().map(|warning| warning.as_str().into()).collect(),
        versions: join_lines(listing.versions())?,
        tag_sets: join_lines((0..record_count(listing.tag_sets())?).map(|tags| listing.tag_set(tags)))?,
        requires_pythons: join_lines(
            (0..record_count(listing.requires_pythons())?).map(|python| listing.requires_python(python)),
        )?,
        url_roots: roots.0.into_iter().map(BorrowedText::from).collect(),
        releases,
    };
    let mut record = postcard::to_stdvec(&header)?;
    for number in 0..listing.len() {
        for summary in &*listing.summaries(number) {
            record.extend_from_slice(&summary.to_bytes());
        }
    }
    record.extend_from_slice(&details);
    Ok(record)
}

impl<'a> FileDetails<'a> {
    fn new(file: &'a DistFile, version: &Version, roots: &mut UrlRoots) -> Self {
        let build = match &file.dist {
            DistFilename::Wheel(wheel) => wheel.build.as_ref(),
            DistFilename::Sdist { .. } => None,
        };
        // Equal versions differ in spelling only by trailing zeros of the release: `1` and `1.0`.
        let own = file.dist.version();
        let is_spelled_alike = own == version && own.release() == version.release();
        Self {
            filename: (*file.filename).into(),
            url: PackedUrl::new(file.url.as_text(), &file.filename, roots),
            sha256: file.sha256,
            size: file.size,
            metadata: file.metadata,
            yanked: file.yanked.as_deref().map(BorrowedText::from),
            build: build.map(|(number, rest)| (*number, (**rest).into())),
            // A file keeps its own spelling, so the listing reads back as it was packed.
            version: (!is_spelled_alike).then(|| own.to_string().into()),
        }
    }
}

impl<'a> PackedInfo<'a> {
    fn new(info: &'a ReleaseInfo) -> Self {
        let texts = |texts: &'a [String]| texts.iter().map(|text| text.as_str().into()).collect();
        Self {
            version: info.version.to_string().into(),
            requires_dist: info.requires_dist.as_deref().map(texts),
            requires_python: info.requires_python.as_deref().map(BorrowedText::from),
            provides_extra: texts(&info.provides_extra),
        }
    }
}

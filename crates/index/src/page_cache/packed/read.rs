//! A record -> its listing. Most of it is decoded later.

use std::ops::Range;
use std::sync::Arc;

use super::layout::{FileDetails, ListingHeader, PackedInfo, PackedRelease};
use super::lines::LineTable;
use crate::text::BorrowedText;
use pinfast_cache::CacheRecord;
use pinfast_packaging::{
    DistFile, DistFilename, DistKind, FileSummary, LazyListing, Listing, PackageName, ReleaseInfo,
    SdistFormat, SpecifierSet, TagSet, Version, WheelFilename,
};

/// The listing of `name` in these bytes of `record`; `None` where it cannot be decoded.
pub(crate) fn read_listing(
    name: &PackageName,
    record: Arc<CacheRecord>,
    bytes: Range<usize>,
) -> Option<Listing> {
    let end = bytes.end;
    let (header, rest) = postcard::take_from_bytes::<ListingHeader<'_>>(record.get(bytes)?).ok()?;
    // The counts may be forged; `checked_mul` and the split reject a sum that does not fit.
    let files = header.releases.iter().map(|release| release.files as usize).sum::<usize>();
    let (summaries, details) = rest.split_at_checked(files.checked_mul(FileSummary::BYTES)?)?;
    let (summaries_start, details_start) = (end - rest.len(), end - details.len());
    let (releases, details_end) = release_offsets(&header.releases, details_start)?;
    let [versions, tag_sets, pythons] =
        [&header.versions, &header.tag_sets, &header.requires_pythons].map(|text| LineTable::new(text));
    let counts = (tag_sets.len(), pythons.len());
    let is_within = |summary| FileSummary::from_bytes(summary).is_within(counts.0, counts.1);
    // Checked here, once: what is decoded later has no caller to report an error to.
    if details_end != end
        || versions.len() != releases.len()
        || !summaries.as_chunks().0.iter().all(is_within)
    {
        return None;
    }
    let info = match header.info {
        Some(info) => Some(info.read()?),
        None => None,
    };
    let warnings = header.warnings.iter().map(|warning| warning.to_string()).collect();
    let url_roots = header.url_roots.iter().map(|root| root.to_string()).collect();
    let count = releases.len();
    let record = Arc::clone(&record);
    let packed = PackedListing { record, summaries_start, releases, url_roots, versions, tag_sets, pythons };
    Some(Listing::lazy(name.clone(), count, counts, Arc::new(packed)).with(info, warnings))
}

/// Where each release begins, and where the last one ends.
fn release_offsets(releases: &[PackedRelease], details_start: usize) -> Option<(Vec<ReleaseOffset>, usize)> {
    let (mut first_summary, mut details) = (0_u32, details_start);
    let mut offsets = Vec::with_capacity(releases.len());
    for PackedRelease { files, details_length } in releases {
        // Offsets have 32 bits, to be small: pages are limited to far less.
        offsets.push(ReleaseOffset { first_summary, files: *files, details: u32::try_from(details).ok()? });
        first_summary = first_summary.checked_add(*files)?;
        details = details.checked_add(*details_length as usize)?;
    }
    Some((offsets, details))
}

/// An opened record.
struct PackedListing {
    record: Arc<CacheRecord>,
    /// The offset of the first summary in the record.
    summaries_start: usize,
    releases: Vec<ReleaseOffset>,
    url_roots: Vec<String>,
    versions: LineTable,
    tag_sets: LineTable,
    pythons: LineTable,
}

/// Where a release is in a record.
struct ReleaseOffset {
    /// The number of its first summary.
    first_summary: u32,
    /// The number of its files.
    files: u32,
    /// The offset of its first file's details in the record.
    details: u32,
}

impl std::fmt::Debug for PackedListing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PackedListing({} bytes)", self.record.len())
    }
}

/// The record's checksum was verified, and the values below were written from valid ones. Where one cannot be
/// decoded all the same, that is a bug of pinfast; a harmless value stands in.
impl LazyListing for PackedListing {
    fn version(&self, number: usize) -> Version {
        self.versions.line(number).parse().unwrap_or_else(|_| Version::new([0]))
    }

    fn summaries(&self, number: usize) -> Vec<FileSummary> {
        let ReleaseOffset { first_summary, files, .. } = self.releases[number];
        let start = self.summaries_start + first_summary as usize * FileSummary::BYTES;
        let summaries = &self.record[start..start + files as usize * FileSummary::BYTES];
        summaries.as_chunks().0.iter().map(FileSummary::from_bytes).collect()
    }

    fn tag_set(&self, tags: usize) -> TagSet {
        TagSet::from_compressed(self.tag_sets.line(tags)).unwrap_or_else(TagSet::incompatible)
    }

    fn requires_python(&self, python: usize) -> SpecifierSet {
        self.pythons.line(python).parse().unwrap_or_default()
    }

    fn files(&self, listing: &Listing, number: usize) -> Box<[Arc<DistFile>]> {
        // Not cut at the release's end: `summaries` has the number of its files.
        let mut rest = &self.record[self.releases[number].details as usize..];
        let summaries = self.summaries(number);
        let mut files = Vec::with_capacity(summaries.len());
        for summary in &summaries {
            let Ok((details, after)) = postcard::take_from_bytes::<FileDetails<'_>>(rest) else { break };
            rest = after;
            files.extend(self.file(listing, listing.version(number), summary, &details).map(Arc::new));
        }
        files.into()
    }
}

impl PackedListing {
    fn file(
        &self,
        listing: &Listing,
        version: &Version,
        summary: &FileSummary,
        details: &FileDetails<'_>,
    ) -> Option<DistFile> {
        let name = listing.name.clone();
        let version = match &details.version {
            Some(own) => own.parse().ok()?,
            None => version.clone(),
        };
        let dist = match summary.kind() {
            DistKind::Sdist => {
                let is_zip = details.filename.ends_with(".zip");
                let format = if is_zip { SdistFormat::Zip } else { SdistFormat::TarGz };
                DistFilename::Sdist { name, version, format }
            }
            DistKind::Wheel { tags, .. } => DistFilename::Wheel(WheelFilename {
                name,
                version,
                build: details.build.as_ref().map(|(number, rest)| (*number, (**rest).into())),
                tags: listing.tag_set(tags).clone(),
            }),
        };
        Some(DistFile {
            filename: (*details.filename).into(),
            dist,
            url: details.url.expand(&self.url_roots, &details.filename)?,
            sha256: details.sha256,
            requires_python: summary.python().map(|python| listing.requires_python(python).clone()),
            yanked: details.yanked.as_ref().map(|why| (**why).into()),
            uploaded: summary.uploaded(),
            size: details.size,
            metadata: details.metadata,
        })
    }
}

impl PackedInfo<'_> {
    fn read(self) -> Option<ReleaseInfo> {
        let texts = |texts: Vec<BorrowedText<'_>>| texts.iter().map(|text| text.to_string()).collect();
        Some(ReleaseInfo {
            version: self.version.parse().ok()?,
            requires_dist: self.requires_dist.map(texts),
            requires_python: self.requires_python.map(|text| text.to_string()),
            provides_extra: texts(self.provides_extra),
        })
    }
}

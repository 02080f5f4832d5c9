//! METADATA out of a whole wheel, and which member of an archive that is.

use super::archive::{ArchiveStep, PartialArchive, ZipReadError};
use crate::downloads::{Download, read_range};
use crate::failure::FetchFailure;
use crate::limits::METADATA_VARIABLE;
use pinfast_base::error::Error;
use pinfast_packaging::{PackageName, Version, WheelFilename};

/// The METADATA text, of at most `most` bytes. `what` names the wheel in messages.
pub(super) fn read_whole_wheel(
    download: &Download,
    wheel: &WheelFilename,
    most: u64,
    what: &str,
) -> Result<Vec<u8>, FetchFailure> {
    let mut file = download.open().map_err(unreadable)?;
    let mut archive = PartialArchive::new(file.metadata().map_err(unreadable)?.len(), most);
    loop {
        let step = archive.read(&|path| is_metadata(path, wheel));
        match step.map_err(|error| archive_failure(error, what, most))? {
            ArchiveStep::Need(range) => {
                let bytes = read_range(&mut file, &range).map_err(unreadable)?;
                archive.add(range.start, bytes);
            }
            ArchiveStep::Done(None) => return Err(FetchFailure::invalid("it holds no metadata")),
            ArchiveStep::Done(Some(text)) => return Ok(text),
        }
    }
}

/// Whether `path` is `NAME-VERSION.dist-info/METADATA` of that wheel, however name and version are spelled.
pub(super) fn is_metadata(path: &[u8], wheel: &WheelFilename) -> bool {
    let Some(folder) =
        std::str::from_utf8(path).ok().and_then(|path| path.strip_suffix(".dist-info/METADATA"))
    else {
        return false;
    };
    let Some((name, version)) = folder.rsplit_once('-') else { return false };
    PackageName::new(name).as_ref() == Ok(&wheel.name)
        && version.replace('_', "-").parse::<Version>().as_ref() == Ok(&wheel.version)
}

/// A broken archive excludes its candidate; a limit ends the run.
pub(super) fn archive_failure(error: ZipReadError, what: &str, most: u64) -> FetchFailure {
    match error {
        ZipReadError::Broken(why) => FetchFailure::invalid(format!("its archive is broken: {why}")),
        ZipReadError::TooLarge => FetchFailure::fatal(
            Error::no_answer(format!("the metadata of {what} has more than {most} bytes"))
                .hint(format!("{METADATA_VARIABLE}=BYTES raises the limit")),
        ),
    }
}

pub(super) fn unreadable(error: std::io::Error) -> FetchFailure {
    FetchFailure::fatal(Error::no_answer("cannot read a downloaded file").because(error))
}

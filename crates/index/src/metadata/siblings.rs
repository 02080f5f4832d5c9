//! The metadata file beside a wheel, `….whl.metadata` (PEP 658), on a server or in a folder.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;
use std::sync::Arc;

use url::Url;

use super::requests::metadata_request;
use super::servers::FileServers;
use crate::downloads::check_hash;
use crate::failure::{FailureKind, FetchFailure, FetchResult};
use crate::limits::METADATA_VARIABLE;
use crate::raw_metadata::RawMetadata;
use crate::transport::{BodyEnd, Decode, DecodeError, HttpResponse, Transport};
use crate::url::redacted;
use pinfast_base::error::Error;
use pinfast_packaging::{DistFile, MetadataHint, Sha256};

/// Requests the metadata file of the wheel `file`. With a hash it must match that; without one it must state the
/// wheel's name and version.
pub(super) async fn fetch_sibling(
    transport: &Transport,
    servers: &FileServers,
    file: &DistFile,
    hash: Option<Sha256>,
) -> FetchResult<Vec<u8>> {
    let url = sibling_url(file);
    let request = metadata_request(url.clone(), transport.limits());
    let own = file.clone();
    let read: Decode<Vec<u8>> = Arc::new(move |response: HttpResponse| {
        match hash {
            Some(_) => check_hash(&url, hash, Sha256::of(&response.body)).map_err(DecodeError::Fatal)?,
            None => check_unhashed(&response, &own)?,
        }
        Ok(response.body)
    });
    let result = transport.get(&request, &read).await;
    servers.note_sibling(&file.url, file.metadata, &result);
    result
}

/// Reads the metadata file beside a wheel in a folder; `None` where there is none.
pub(super) fn local_sibling(file: &DistFile, wheel: &Path, most: u64) -> FetchResult<Option<Vec<u8>>> {
    let mut path = wheel.as_os_str().to_owned();
    path.push(".metadata");
    let Some(text) = read_bounded(Path::new(&path), most)? else { return Ok(None) };
    if let MetadataHint::Hashed(hash) = file.metadata {
        check_hash(&sibling_url(file), Some(hash), Sha256::of(&text))?;
    }
    Ok(Some(text))
}

fn sibling_url(file: &DistFile) -> Url {
    let mut url = Url::clone(&file.url);
    url.set_path(&format!("{}.metadata", file.url.path()));
    url
}

/// Without a hash, the text must at least be whole and about the file; else the wheel itself is read.
fn check_unhashed(response: &HttpResponse, file: &DistFile) -> Result<(), DecodeError> {
    if response.end == BodyEnd::Unframed {
        return Err("it may be cut: the server does not say where it ends".to_owned().into());
    }
    RawMetadata::of_wheel(response.body.clone()).parse(file).map(|_| ()).map_err(|failure| {
        let why = format!("{}: {}", redacted(&response.url), failure.message());
        DecodeError::Fatal(FetchFailure::new(FailureKind::Transfer, Error::no_answer(why)))
    })
}

/// The bytes of a file of at most `most` bytes; `None` where it does not exist.
fn read_bounded(path: &Path, most: u64) -> Result<Option<Vec<u8>>, FetchFailure> {
    let failed = |error: io::Error| {
        FetchFailure::fatal(Error::no_answer(format!("cannot read {}", path.display())).because(error))
    };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    let mut bytes = Vec::new();
    // One byte more than allowed shows that there is more.
    file.take(most + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > most {
        let message = format!("{} is larger than {} MB", path.display(), most >> 20);
        let error = Error::no_answer(message).hint(format!("raise the limit: {METADATA_VARIABLE}"));
        return Err(FetchFailure::fatal(error));
    }
    Ok(Some(bytes))
}

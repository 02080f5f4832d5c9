//! A lock as the text of its file: a requirements file, or PEP 751 where the file's name says so.

use std::path::Path;

use super::fingerprint::{file_name, relative};
use super::lock::LockRequest;
use super::request::LockPlace;
use super::session::Session;
use pinfast_base::error::Result;
use pinfast_inputs::Inputs;
use pinfast_lock::{Annotations, FileLocation, Lock, PylockCompatibility, WriteOptions, is_pylock};
use pinfast_packaging::{Marker, Target};

/// The text of `lock`, which was made from `inputs`; of `targets`, if it is not for every environment.
pub(super) fn written(
    lock: &Lock,
    request: &LockRequest,
    inputs: &Inputs,
    targets: &[Target],
    session: &Session,
) -> Result<String> {
    let options = options(request, session);
    if !is_pylock(&options.output) {
        return Ok(lock.write(&options));
    }
    let facts = PylockCompatibility {
        requires_python: inputs.requires_python.clone(),
        environments: targets.iter().filter_map(environment).collect(),
    };
    let folder = session.env.current_dir().join(&options.output);
    let mut lock = lock.clone();
    place_files(&mut lock, folder.parent().unwrap_or(session.env.current_dir()));
    lock.write_pylock(&facts, options.annotations)
}

/// Whether `text`, whose digest is right, is what [`written`] makes of `lock`.
pub(super) fn is_written(
    text: &str,
    lock: &Lock,
    request: &LockRequest,
    inputs: &Inputs,
    targets: &[Target],
    session: &Session,
) -> bool {
    let options = options(request, session);
    if is_pylock(&options.output) {
        return written(lock, request, inputs, targets, session).is_ok_and(|written| written == text);
    }
    lock.is_written_as(text, &options)
}

/// Files in folders stand in a lock as seen from it.
fn place_files(lock: &mut Lock, folder: &Path) {
    for file in lock.files_mut() {
        if let Some(FileLocation::Url(url)) = &file.location
            && let Some(path) = (url.scheme() == "file").then(|| url.to_file_path().ok()).flatten()
        {
            file.location = Some(FileLocation::Path(relative(&path, folder).into()));
        }
    }
}

/// Whether each pin says who wants it.
pub(super) fn annotations(request: &LockRequest, session: &Session) -> Annotations {
    let by_settings = session.settings.annotate.as_ref().map(|annotate| match annotate.value {
        true => Annotations::Via,
        false => Annotations::Off,
    });
    request.annotations.or(by_settings).unwrap_or(Annotations::Via)
}

fn options(request: &LockRequest, session: &Session) -> WriteOptions {
    WriteOptions {
        annotations: annotations(request, session),
        output: match &request.place {
            LockPlace::File(path) => file_name(&path.to_string_lossy(), session),
            LockPlace::StandardOutput => "-".to_owned(),
        },
    }
}

/// The marker of a target's kind: what markers in metadata tell apart.
fn environment(target: &Target) -> Option<Marker> {
    let values = target.marker_values();
    let is = |variable: &str, value: &str| format!("{variable} == \"{value}\"");
    let parts = [
        is("implementation_name", &values.implementation_name),
        is("platform_machine", &values.platform_machine),
        is("python_version", &values.python_version),
        is("sys_platform", &values.sys_platform),
    ];
    parts.join(" and ").parse().ok()
}

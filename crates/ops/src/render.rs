//! A lock -> the text of its file: a requirements file, or PEP 751 if the file's name says so.

use std::path::Path;

use super::lock_inputs::LockInputs;
use super::paths::file_name;
use super::request::LockPlace;
use super::session::Session;
use pinfast_base::error::Result;
use pinfast_files::relative_path;
use pinfast_lock::{FileLocation, Lock, PylockCompatibility, WriteOptions, is_pylock};
use pinfast_packaging::{Marker, Target};

/// Renders `lock`, made from `inputs`. `targets` is empty for a universal lock.
pub(super) fn render(
    lock: &Lock,
    inputs: &LockInputs,
    targets: &[Target],
    session: &Session,
) -> Result<String> {
    let options = options(inputs, session);
    if !is_pylock(&options.output) {
        return Ok(lock.write(&options));
    }
    let facts = PylockCompatibility {
        requires_python: inputs.inputs.requires_python.clone(),
        environments: targets.iter().filter_map(environment).collect(),
    };
    let folder = session.env.current_dir().join(&options.output);
    let mut lock = lock.clone();
    place_files(&mut lock, folder.parent().unwrap_or(session.env.current_dir()));
    lock.write_pylock(&facts, options.annotations)
}

/// Whether [`render`] turns `lock` into `text`, whose digest is known to be right.
pub(super) fn is_rendering(
    text: &str,
    lock: &Lock,
    inputs: &LockInputs,
    targets: &[Target],
    session: &Session,
) -> bool {
    let options = options(inputs, session);
    if is_pylock(&options.output) {
        return render(lock, inputs, targets, session).is_ok_and(|rendered| rendered == text);
    }
    lock.is_written_as(text, &options)
}

/// Makes the paths of local files relative to the lock's `folder`.
fn place_files(lock: &mut Lock, folder: &Path) {
    for file in lock.files_mut() {
        if let Some(FileLocation::Url(url)) = &file.location
            && let Some(path) = (url.scheme() == "file").then(|| url.to_file_path().ok()).flatten()
        {
            file.location = Some(FileLocation::Path(relative_path(&path, folder).into()));
        }
    }
}

fn options(inputs: &LockInputs, session: &Session) -> WriteOptions {
    WriteOptions {
        annotations: inputs.settings.writing.annotations.value,
        output: match &inputs.place {
            LockPlace::File(path) => file_name(&path.to_string_lossy(), session),
            LockPlace::StandardOutput => "-".to_owned(),
        },
    }
}

/// A PEP 751 environment marker for `target`: the variables that dependency markers use.
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

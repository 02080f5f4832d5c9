//! The paths of files as a lock names them.

use std::path::{Component, Path};

use super::session::Session;

/// The name of an input file in a lock: relative to the current folder, with `/`.
pub(super) fn file_name(file: &str, session: &Session) -> String {
    let path = Path::new(file);
    if !path.is_absolute() {
        return file.replace('\\', "/");
    }
    relative(path, session.env.current_dir())
}

/// The path that leads from the folder `from` to `path`, both absolute, with `/`.
pub(super) fn relative(path: &Path, from: &Path) -> String {
    let shared = from.components().zip(path.components()).take_while(|(a, b)| a == b).count();
    let up = from.components().skip(shared).map(|_| "..".to_owned());
    let down = path.components().skip(shared).map(|part| match part {
        Component::Normal(name) => name.to_string_lossy().into_owned(),
        other => other.as_os_str().to_string_lossy().into_owned(),
    });
    up.chain(down).collect::<Vec<_>>().join("/")
}

//! A path relative to a folder, by its text alone.

use std::borrow::Cow;
use std::path::Path;

/// The path from the folder `from` to `path`, both absolute, with `/` between components, as locks and RECORD have it.
#[must_use]
pub fn relative_path(path: &Path, from: &Path) -> String {
    let (path, from): (Vec<_>, Vec<_>) = (path.components().collect(), from.components().collect());
    let common = path.iter().zip(&from).take_while(|(a, b)| a == b).count();
    let up = std::iter::repeat_n("..".into(), from.len() - common);
    let down = path[common..].iter().map(|component| component.as_os_str().to_string_lossy());
    up.chain(down).collect::<Vec<Cow<'_, str>>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_outside_the_folder_leads_up() {
        for (path, from, relative) in [
            ("/v/lib/a/b.py", "/v/lib", "a/b.py"),
            ("/v/bin/x", "/v/lib/python3.11/site-packages", "../../../bin/x"),
        ] {
            assert_eq!(relative_path(Path::new(path), Path::new(from)), relative);
        }
    }
}

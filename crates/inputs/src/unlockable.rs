//! Requirements that pip can install but no lock can hold: their bytes are not fixed, or only this machine has them.
//!
//! `name @ file:///…` is refused, too: the lock would hold a path, and differ between machines. `--find-links` names a
//! folder of files instead.

use super::diagnostic::Diagnostic;
use super::paths;

/// Why something cannot be locked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unlockable {
    /// `-e`, `--editable`
    Editable,
    /// `git+https://…` and its kin.
    Vcs,
    /// A folder or file of this machine.
    Path,
    /// `file:///…`
    FileUrl,
    /// A URL without a name.
    Unnamed,
    /// A URL that is neither http nor https.
    Scheme,
}

const FIND_LINKS: &str =
    "put its wheel into a folder, name the folder with `--find-links`, and write `name==VERSION`";

impl Unlockable {
    /// The diagnostic for the characters `start..start + len`; `shown` is the text, if messages may quote it.
    pub(super) fn diagnostic(self, start: usize, len: usize, shown: Option<&str>) -> Diagnostic {
        let diagnostic = Diagnostic::new(start, len, self.message());
        match self {
            Self::Editable => diagnostic
                .hint("for the dependencies of the project itself, give its pyproject.toml as an input; install the project apart with `pip install --no-deps -e .`"),
            Self::Vcs => diagnostic.hint(
                "require a released version, or build its wheel once and write `name @ https://…/NAME-VERSION-py3-none-any.whl`",
            ),
            Self::Path => diagnostic
                .hint(FIND_LINKS)
                .hint("for the dependencies of a project, give its pyproject.toml as an input"),
            Self::FileUrl => diagnostic.hint(FIND_LINKS),
            Self::Unnamed => diagnostic.hint(match shown.and_then(named) {
                Some(named) => format!("write `{named}`"),
                None => "write `name @ URL`".to_owned(),
            }),
            Self::Scheme => diagnostic.hint("use an https URL"),
        }
    }

    fn message(self) -> &'static str {
        match self {
            Self::Editable => "an editable install cannot be locked: its files have no hash",
            Self::Vcs => "a version control checkout cannot be locked: it is no file with a hash",
            Self::Path => "a path cannot be locked: it is found on this machine only",
            Self::FileUrl => "a `file:` URL cannot be locked: it is found on this machine only",
            Self::Unnamed => "this URL lacks the name of the package",
            Self::Scheme => "only http and https URLs can be locked",
        }
    }
}

/// Why the requirement `text` cannot be locked, and from which character on; `None` if it can.
pub(super) fn unlockable(text: &str) -> Option<(Unlockable, usize)> {
    if let Some((name, target)) = text.split_once('@')
        && name.chars().all(|c| c.is_alphanumeric() || c.is_whitespace() || "-_.[],".contains(c))
    {
        let target = target.trim_start();
        let start = text[..text.len() - target.len()].chars().count();
        return of_target(name.trim_end(), target).map(|unlockable| (unlockable, start));
    }
    of_bare(text).map(|unlockable| (unlockable, 0))
}

/// Of `name @ target`.
fn of_target(name: &str, target: &str) -> Option<Unlockable> {
    match paths::scheme(target) {
        _ if name == "git" => Some(Unlockable::Vcs),
        Some(scheme) => of_scheme(scheme),
        None => looks_like_path(target).then_some(Unlockable::Path),
    }
}

fn of_scheme(scheme: &str) -> Option<Unlockable> {
    match scheme.to_ascii_lowercase().as_str() {
        "http" | "https" => None,
        "file" => Some(Unlockable::FileUrl),
        "git" | "ssh" => Some(Unlockable::Vcs),
        scheme if scheme.contains('+') => Some(Unlockable::Vcs),
        _ => Some(Unlockable::Scheme),
    }
}

/// Of something without a name.
fn of_bare(text: &str) -> Option<Unlockable> {
    match paths::scheme(text) {
        Some(scheme) if paths::is_url(text) => Some(of_scheme(scheme).unwrap_or(Unlockable::Unnamed)),
        Some("file") => Some(Unlockable::FileUrl),
        _ => looks_like_path(text).then_some(Unlockable::Path),
    }
}

fn looks_like_path(text: &str) -> bool {
    let word = text.split(|c: char| c.is_whitespace() || ";,<>=!".contains(c)).next().unwrap_or_default();
    let word = word.split('[').next().unwrap_or_default();
    let archive =
        [".whl", ".tar.gz", ".zip"].iter().any(|ending| word.to_ascii_lowercase().ends_with(ending));
    matches!(word, "." | "..") || word.contains(['/', '\\']) || archive
}

/// `name @ URL`, if the URL names the package: by `#egg=` or by its file name.
fn named(url: &str) -> Option<String> {
    let (url, marker) = url.split_once(|c: char| c.is_whitespace()).unwrap_or((url, ""));
    let (url, fragment) = url.split_once('#').unwrap_or((url, ""));
    let egg = fragment.split('&').find_map(|part| part.strip_prefix("egg="));
    let file = paths::file_name(url.split('?').next().unwrap_or(url));
    let stem = file.split('-').next().filter(|stem| *stem != file);
    let name = egg.or(stem).filter(|name| pinfast_packaging::PackageName::new(name).is_ok())?;
    let hash = fragment.split('&').find(|part| part.starts_with("sha256="));
    let hash = hash.map(|hash| format!("#{hash}")).unwrap_or_default();
    let marker = if marker.is_empty() { String::new() } else { format!(" {marker}") };
    Some(format!("{name} @ {url}{hash}{marker}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_unlockable_form_is_recognized() {
        for (text, refused) in [
            ("foo", None),
            ("foo>=1,<2 ; python_version < '3'", None),
            ("foo @ https://files.example/foo-1-py3-none-any.whl", None),
            ("foo[bar]@https://files.example/foo-1-py3-none-any.whl ; os_name == 'a/b'", None),
            ("foo ; os_name == 'a/b'", None),
            ("foo==1.0 ; platform_version == 'a@./b'", None),
            (".", Some((Unlockable::Path, 0))),
            (".[dev]", Some((Unlockable::Path, 0))),
            ("./libs/foo", Some((Unlockable::Path, 0))),
            ("libs/foo[a] ; os_name == 'nt'", Some((Unlockable::Path, 0))),
            ("C:\\libs\\foo", Some((Unlockable::Path, 0))),
            ("foo-1.0-py3-none-any.whl", Some((Unlockable::Path, 0))),
            ("git+https://git.example/foo.git@main", Some((Unlockable::Vcs, 0))),
            ("git@git.example:me/foo.git", Some((Unlockable::Vcs, 4))),
            ("ssh://git@git.example/foo.git", Some((Unlockable::Vcs, 0))),
            ("foo @ git+https://git.example/foo.git@main", Some((Unlockable::Vcs, 6))),
            ("foo[a]@hg+ssh://hg.example/foo", Some((Unlockable::Vcs, 7))),
            ("https://files.example/foo-1-py3-none-any.whl", Some((Unlockable::Unnamed, 0))),
            ("file:///libs/foo", Some((Unlockable::FileUrl, 0))),
            ("file:libs/foo", Some((Unlockable::FileUrl, 0))),
            ("foo @ file:///libs/foo", Some((Unlockable::FileUrl, 6))),
            ("foo @ ../foo", Some((Unlockable::Path, 6))),
            ("foo @ ftp://files.example/foo.zip", Some((Unlockable::Scheme, 6))),
            ("foo@1.0", None),
            ("foo@https://files.example/foo-1-py3-none-any.whl", None),
            ("https://me@files.example/foo-1-py3-none-any.whl", Some((Unlockable::Unnamed, 0))),
            ("./libs@2/foo", Some((Unlockable::Path, 0))),
        ] {
            assert_eq!(unlockable(text), refused, "{text}");
        }
    }

    #[test]
    fn a_url_is_named_by_its_egg_or_file_name() {
        for (url, shown) in [
            (
                "https://f.example/foo_bar-1.0-py3-none-any.whl",
                Some("foo_bar @ https://f.example/foo_bar-1.0-py3-none-any.whl"),
            ),
            ("https://f.example/x.zip#egg=foo&sha256=00", Some("foo @ https://f.example/x.zip#sha256=00")),
            (
                "https://f.example/foo-1.tar.gz ; os_name == 'nt'",
                Some("foo @ https://f.example/foo-1.tar.gz ; os_name == 'nt'"),
            ),
            ("https://f.example/main.zip", None),
        ] {
            assert_eq!(named(url).as_deref(), shown);
        }
    }
}

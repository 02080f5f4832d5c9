//! Paths inside inputs: relative to the file that refers, shown as one would type them from here.

/// A file to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct InputPath {
    /// What to open: exact, since `link/..` need not be the folder that `link` is in.
    pub(super) exact: String,
    /// How messages show it: without `.` and `name/..`.
    pub(super) shown: String,
}

impl InputPath {
    /// A file that the user named.
    pub(super) fn named(name: &str) -> Self {
        Self { exact: name.to_owned(), shown: name.to_owned() }
    }

    /// A file named in this one.
    pub(super) fn beside(&self, path: &str) -> Self {
        if is_url(path) {
            return Self::named(path);
        }
        Self { exact: join(&self.exact, path), shown: tidy(&join(&self.shown, path)) }
    }

    /// Equal for two spellings of one path.
    pub(super) fn key(&self) -> String {
        tidy(&self.shown)
    }
}

/// The last part of a path.
pub(super) fn file_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

/// Whether this is a URL rather than a path.
pub(super) fn is_url(text: &str) -> bool {
    scheme(text).is_some_and(|scheme| text[scheme.len()..].starts_with("://"))
}

/// The scheme of a URL (RFC 3986, section 3.1). A single letter is a drive, not a scheme.
pub(super) fn scheme(text: &str) -> Option<&str> {
    let (scheme, _) = text.split_once(':')?;
    let mut bytes = scheme.bytes();
    let first = bytes.next()?.is_ascii_alphabetic();
    let rest = bytes.all(|byte| byte.is_ascii_alphanumeric() || b"+.-".contains(&byte));
    (first && rest && scheme.len() > 1).then_some(scheme)
}

/// `path` as seen from where `base` is a file.
pub(super) fn join(base: &str, path: &str) -> String {
    let folder = base.rfind(['/', '\\']).map_or("", |at| &base[..=at]);
    if is_absolute(path) { path.to_owned() } else { format!("{folder}{path}") }
}

/// Whether a path starts at a root, a drive or a home.
pub(super) fn is_absolute(path: &str) -> bool {
    path.starts_with(['/', '\\', '~']) || path.as_bytes().get(1) == Some(&b':')
}

/// Without `.` and `name/..`.
fn tidy(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "." => {}
            ".." if parts.last().is_some_and(|last| !matches!(*last, "" | "..")) => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_relative_to_the_file_that_refers() {
        for (base, path, exact, shown) in [
            ("requirements.in", "dev.in", "dev.in", "dev.in"),
            ("-", "dev.in", "dev.in", "dev.in"),
            ("requirements/dev.in", "base.in", "requirements/base.in", "requirements/base.in"),
            ("requirements/dev.in", "../base.in", "requirements/../base.in", "base.in"),
            ("requirements/dev.in", "./x/./base.in", "requirements/./x/./base.in", "requirements/x/base.in"),
            ("../a/dev.in", "../../b.in", "../a/../../b.in", "../../b.in"),
            ("a/dev.in", "/etc/b.in", "/etc/b.in", "/etc/b.in"),
            ("/dev.in", "../b.in", "/../b.in", "/../b.in"),
            ("a/dev.in", "C:\\b.in", "C:\\b.in", "C:\\b.in"),
        ] {
            let file = InputPath::named(base).beside(path);
            assert_eq!((file.exact.as_str(), file.shown.as_str()), (exact, shown), "{base} {path}");
        }
        assert_eq!(InputPath::named("./a/../b.in").key(), "b.in");
    }

    #[test]
    fn urls_have_a_scheme() {
        for (text, yes) in [
            ("https://x", true),
            ("git+ssh://x", true),
            ("C:\\x", false),
            ("C://x", false),
            ("a/b", false),
            ("x y://z", false),
        ] {
            assert_eq!(is_url(text), yes, "{text}");
        }
    }
}

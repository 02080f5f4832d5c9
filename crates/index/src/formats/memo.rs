//! Memoized parsing of file names and URLs.
//!
//! The names and URLs of a project's thousands of files share their parts. Where every part of a name was parsed
//! before on the same page, the parsed parts are put together again; so is a URL that continues a known root with
//! plain letters. All others are parsed in full. Both ways give the same result.

use rustc_hash::{FxHashMap, FxHashSet};
use url::{Position, Url};

use pinfast_packaging::{DistFilename, FileUrl, PackageName, TagSet, Version, WheelFilename};

/// The parts parsed so far on one page.
#[derive(Default)]
pub(super) struct ParseMemo<'p> {
    names: FxHashSet<&'p str>,
    versions: FxHashMap<&'p str, Version>,
    tags: FxHashMap<&'p str, TagSet>,
    /// `https://host/`, from a URL on the page that is written in its canonical form.
    root: Option<String>,
    /// `https://host` of the page itself, where it came from the network.
    origin: Option<String>,
}

/// Longer names are always parsed in full: whether they are valid depends on their length.
const LONGEST: usize = 255;

impl<'p> ParseMemo<'p> {
    /// An empty memo for a page with links relative to `base`.
    pub(super) fn new(base: &Url) -> Self {
        let is_http = matches!(base.scheme(), "http" | "https") && base.has_host();
        let origin = is_http.then(|| base[..Position::BeforePath].to_owned());
        Self { origin, ..Self::default() }
    }

    /// The parsed name of a wheel, where [`ParseMemo::add`] has each part of it.
    pub(super) fn wheel(&self, filename: &str, project: &PackageName) -> Option<DistFilename> {
        let (name, version, tags) = parts(filename)?;
        // Several spellings of a project's name are valid; each is checked once by the full parser.
        self.names.contains(name).then_some(())?;
        let (version, tags) = (self.versions.get(version)?.clone(), self.tags.get(tags)?.clone());
        Some(DistFilename::Wheel(WheelFilename { name: project.clone(), version, build: None, tags }))
    }

    /// Adds the parts of a wheel's parsed name.
    pub(super) fn add(&mut self, filename: &'p str, dist: &DistFilename) {
        let (Some((name, version, tags)), DistFilename::Wheel(wheel)) = (parts(filename), dist) else {
            return;
        };
        self.names.insert(name);
        self.versions.insert(version, wheel.version.clone());
        self.tags.insert(tags, wheel.tags.clone());
    }

    /// The URL of `text`, where plain letters follow a known root or a single `/`.
    pub(super) fn url(&self, text: &str) -> Option<FileUrl> {
        if let Some(rest) = text.strip_prefix('/') {
            // `//host/path` leads to another host.
            let is_path = !rest.starts_with('/') && is_plain(rest);
            return is_path.then(|| Some(FileUrl::lazy(&format!("{}{text}", self.origin.as_deref()?))))?;
        }
        let rest = text.strip_prefix(self.root.as_deref()?)?;
        is_plain(rest).then(|| FileUrl::lazy(text))
    }

    /// Adds the root of `url`, which was parsed from `text`.
    pub(super) fn add_url(&mut self, text: &str, url: &Url) {
        // Only a text that parsing left unchanged proves that its root is canonical.
        if self.root.is_none() && url.as_str() == text && url.query().is_none() {
            let root = text.strip_suffix(url.path()).map(|origin| format!("{origin}/"));
            self.root = root;
        }
    }
}

/// The name, the version and the tags of a wheel without a build tag.
fn parts(filename: &str) -> Option<(&str, &str, &str)> {
    let stem = filename.strip_suffix(".whl").filter(|stem| stem.len() <= LONGEST)?;
    let (name, rest) = stem.split_once('-')?;
    let (version, tags) = rest.split_once('-')?;
    // Three dashes would mean a build tag; too few files have one to be worth it.
    (tags.bytes().filter(|byte| *byte == b'-').count() == 2).then_some((name, version, tags))
}

/// Whether parsing leaves a path unchanged: no letter is escaped, and no segment begins with a dot.
fn is_plain(path: &str) -> bool {
    let mut before = b'/';
    path.bytes().all(|byte| {
        let starts_with_dot = (before, byte) == (b'/', b'.');
        before = byte;
        PLAIN[usize::from(byte)] && !starts_with_dot
    })
}

/// The bytes that need no escape in a URL's path. A page has millions of them, so a table decides.
const PLAIN: [bool; 256] = {
    let mut plain = [false; 256];
    let mut byte = 0;
    while byte < 128u8 {
        let is_mark = matches!(byte, b'/' | b'-' | b'_' | b'.' | b'+' | b'~');
        plain[byte as usize] = byte.is_ascii_alphanumeric() || is_mark;
        byte += 1;
    }
    plain
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_memoized_wheel_name_equals_the_parsed_one() {
        let project = PackageName::new("a.b").unwrap();
        let mut memo = ParseMemo::default();
        for filename in
            ["A_b-1.0-py3-none-any.whl", "a.b-2-1-cp39-abi3-linux_x86_64.whl", "a_b-2-cp39-abi3-win32.whl"]
        {
            memo.add(filename, &DistFilename::parse(filename, &project).unwrap());
        }
        for (name, is_known) in [
            ("A_b-2-py3-none-any.whl", true),
            ("a_b-1.0-cp39-abi3-win32.whl", true),
            ("a_b-2-1-cp39-abi3-win32.whl", false),
            ("a_b-3-py3-none-any.whl", false),
            ("c-2-py3-none-any.whl", false),
            ("a_b-2-py3-none.whl", false),
            ("a_b-2.tar.gz", false),
        ] {
            let quick = memo.wheel(name, &project);
            assert_eq!(quick.is_some(), is_known, "{name}");
            assert!(quick.is_none() || quick == DistFilename::parse(name, &project).ok(), "{name}");
        }
    }

    #[test]
    fn a_memoized_url_equals_the_parsed_one() {
        let base = Url::parse("https://u@h:8/simple/a/").unwrap();
        let mut memo = ParseMemo::new(&base);
        assert!(memo.url("https://h/a").is_none());
        for (text, _) in
            [("https://H/a", ()), ("../a", ()), ("https://h/a?b", ()), ("https://u@h:8/p/a.whl", ())]
        {
            memo.add_url(text, &base.join(text).unwrap());
        }
        for (text, plain) in [
            ("https://u@h:8/p/ab/a-1+l.2~3_4.whl", true),
            ("https://u@h:8/p/../a.whl", false),
            ("https://u@h:8/.a", false),
            ("https://u@h:8/a b", false),
            ("https://u@h:8/a%20b", false),
            ("https://u@h:8/a#b", false),
            ("https://u@h:80/a", false),
            ("http://u@h:8/a", false),
            ("/p/a.whl", true),
            ("/", true),
            ("//h/a", false),
            ("/a%20b", false),
            ("/../a", false),
            ("a.whl", false),
        ] {
            let quick = memo.url(text);
            assert_eq!(quick.is_some(), plain, "{text}");
            assert!(
                quick.is_none_or(|quick| **quick.as_text() == *base.join(text).unwrap().as_str()),
                "{text}"
            );
        }
    }
}

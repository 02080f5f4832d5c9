//! What a page says again and again: the names and URLs of thousands of files differ in little.
//!
//! A file is read the long way unless each part of it was read before on the same page; either way it says the
//! same.

use rustc_hash::{FxHashMap, FxHashSet};
use url::{Position, Url};

use pinfast_packaging::{DistFilename, FileUrl, PackageName, TagSet, Version, WheelFilename};

/// The parts of the names and URLs read so far.
#[derive(Default)]
pub(super) struct Seen<'p> {
    names: FxHashSet<&'p str>,
    versions: FxHashMap<&'p str, Version>,
    tags: FxHashMap<&'p str, TagSet>,
    /// `https://host/`: how a URL began that stood on the page as it is written.
    root: Option<String>,
    /// `https://host`, of the page itself, where it came from the network.
    origin: Option<String>,
}

/// Names that are longer are always read the long way.
const SHORT: usize = 255;

impl<'p> Seen<'p> {
    /// Nothing seen yet of a page whose links are relative to `base`.
    pub(super) fn new(base: &Url) -> Self {
        let is_http = matches!(base.scheme(), "http" | "https") && base.has_host();
        let origin = is_http.then(|| base[..Position::BeforePath].to_owned());
        Self { origin, ..Self::default() }
    }

    /// What the name of a wheel says, if it is made of parts that were seen; see [`Seen::add`].
    pub(super) fn wheel(&self, filename: &str, project: &PackageName) -> Option<DistFilename> {
        let (name, version, tags) = parts(filename)?;
        self.names.contains(name).then_some(())?;
        let (version, tags) = (self.versions.get(version)?.clone(), self.tags.get(tags)?.clone());
        Some(DistFilename::Wheel(WheelFilename { name: project.clone(), version, build: None, tags }))
    }

    /// Takes note of what the name of a wheel was found to say.
    pub(super) fn add(&mut self, filename: &'p str, dist: &DistFilename) {
        let (Some((name, version, tags)), DistFilename::Wheel(wheel)) = (parts(filename), dist) else {
            return;
        };
        self.names.insert(name);
        self.versions.insert(version, wheel.version.clone());
        self.tags.insert(tags, wheel.tags.clone());
    }

    /// The URL that `text` is, if it only has plain letters after a root that was seen or after a `/`.
    pub(super) fn url(&self, text: &str) -> Option<FileUrl> {
        if let Some(rest) = text.strip_prefix('/') {
            let is_path = !rest.starts_with('/') && is_plain(rest);
            return is_path.then(|| Some(FileUrl::lazy(&format!("{}{text}", self.origin.as_deref()?))))?;
        }
        let rest = text.strip_prefix(self.root.as_deref()?)?;
        is_plain(rest).then(|| FileUrl::lazy(text))
    }

    /// Takes note of the URL that `text` was found to be.
    pub(super) fn add_url(&mut self, text: &str, url: &Url) {
        if self.root.is_none() && url.as_str() == text && url.query().is_none() {
            let root = text.strip_suffix(url.path()).map(|origin| format!("{origin}/"));
            self.root = root;
        }
    }
}

/// The name, the version and the tags of a wheel without a build tag.
fn parts(filename: &str) -> Option<(&str, &str, &str)> {
    let stem = filename.strip_suffix(".whl").filter(|stem| stem.len() <= SHORT)?;
    let (name, rest) = stem.split_once('-')?;
    let (version, tags) = rest.split_once('-')?;
    (tags.bytes().filter(|byte| *byte == b'-').count() == 2).then_some((name, version, tags))
}

/// Whether a path stays as it is when it is read as a URL's: no letter is escaped, no segment is one or two dots.
fn is_plain(path: &str) -> bool {
    let mut before = b'/';
    path.bytes().all(|byte| {
        let begins_with_dot = (before, byte) == (b'/', b'.');
        before = byte;
        PLAIN[usize::from(byte)] && !begins_with_dot
    })
}

/// The bytes that stand in a URL's path as they are. A page has millions of them.
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
    fn what_was_seen_says_the_same_as_what_is_read() {
        let project = PackageName::new("a.b").unwrap();
        let mut seen = Seen::default();
        for known in
            ["A_b-1.0-py3-none-any.whl", "a.b-2-1-cp39-abi3-linux_x86_64.whl", "a_b-2-cp39-abi3-win32.whl"]
        {
            seen.add(known, &DistFilename::parse(known, &project).unwrap());
        }
        for (name, found) in [
            ("A_b-2-py3-none-any.whl", true),
            ("a_b-1.0-cp39-abi3-win32.whl", true),
            ("a_b-2-1-cp39-abi3-win32.whl", false),
            ("a_b-3-py3-none-any.whl", false),
            ("c-2-py3-none-any.whl", false),
            ("a_b-2-py3-none.whl", false),
            ("a_b-2.tar.gz", false),
        ] {
            let quick = seen.wheel(name, &project);
            assert_eq!(quick.is_some(), found, "{name}");
            assert!(quick.is_none() || quick == DistFilename::parse(name, &project).ok(), "{name}");
        }
    }

    #[test]
    fn a_plain_url_is_not_taken_apart() {
        let base = Url::parse("https://u@h:8/simple/a/").unwrap();
        let mut seen = Seen::new(&base);
        assert!(seen.url("https://h/a").is_none());
        for (text, _) in
            [("https://H/a", ()), ("../a", ()), ("https://h/a?b", ()), ("https://u@h:8/p/a.whl", ())]
        {
            seen.add_url(text, &base.join(text).unwrap());
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
            let quick = seen.url(text);
            assert_eq!(quick.is_some(), plain, "{text}");
            assert!(
                quick.is_none_or(|quick| **quick.as_text() == *base.join(text).unwrap().as_str()),
                "{text}"
            );
        }
    }
}

//! The URL of a file, parsed on first use.

use std::cmp::Ordering;
use std::fmt;
use std::ops::Deref;
use std::str::FromStr;
use std::sync::{Arc, OnceLock};

use url::Url;

/// The URL of a file. A lock names thousands of files and a run fetches few, so a URL from the cache stays text until it is
/// used.
#[derive(Clone)]
pub struct FileUrl {
    text: Arc<str>,
    url: OnceLock<Box<Url>>,
}

impl FileUrl {
    /// From the text of a [`Url`], which is parsed on first use.
    #[must_use]
    pub fn lazy(text: &str) -> Self {
        Self { text: text.into(), url: OnceLock::new() }
    }

    /// The text. It may hold credentials: never print it.
    #[must_use]
    pub fn as_text(&self) -> &Arc<str> {
        &self.text
    }
}

impl From<Url> for FileUrl {
    fn from(url: Url) -> Self {
        Self { text: url.as_str().into(), url: Box::new(url).into() }
    }
}

impl FromStr for FileUrl {
    type Err = url::ParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Url::parse(text).map(Self::from)
    }
}

impl Deref for FileUrl {
    type Target = Url;

    fn deref(&self) -> &Url {
        // The text of a `Url` always parses again. A damaged cache must not panic all the same: nothing is at `file:///`.
        let nowhere = || Url::from_file_path("/").unwrap_or_else(|()| unreachable!("an absolute path"));
        self.url.get_or_init(|| Box::new(Url::parse(&self.text).unwrap_or_else(|_| nowhere())))
    }
}

impl PartialEq for FileUrl {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for FileUrl {}

impl PartialOrd for FileUrl {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for FileUrl {
    fn cmp(&self, other: &Self) -> Ordering {
        self.text.cmp(&other.text)
    }
}

impl fmt::Debug for FileUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

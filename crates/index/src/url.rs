//! URLs of indexes and files, with their credentials split off, so that no message can show them.

use std::fmt;
use std::path::{Path, PathBuf};

use percent_encoding::percent_decode_str;
use url::Url;

use pinfast_base::error::Error;

/// The location of an index or of find-links: an `http`, `https` or `file` URL, and its credentials apart.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct IndexUrl {
    url: Url,
    login: Option<Login>,
}

/// A user and a password. Its `Debug` hides both.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Login {
    pub(crate) user: String,
    pub(crate) password: String,
}

/// An origin (RFC 6454): the scheme, host and port that credentials and a server's capabilities belong to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct UrlOrigin {
    scheme: String,
    host: String,
    port: u16,
}

impl IndexUrl {
    /// Parses a URL or a path; a relative path is resolved against `folder`.
    ///
    /// # Errors
    /// `Usage` when it is neither an `http`, `https` or `file` URL nor a path.
    pub fn parse(text: &str, folder: &Path) -> Result<Self, Error> {
        let url = match Url::parse(text) {
            Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => url,
            Ok(url) if url.scheme() == "file" && url.to_file_path().is_ok() => url,
            // `C:\folder` and `name:x` parse as URLs too, so only `://` proves that one was meant.
            Ok(url) if text.contains("://") => return Err(not_an_index(&redacted(&url))),
            _ => Url::from_file_path(folder.join(text)).map_err(|()| not_an_index(&redacted_text(text)))?,
        };
        Ok(Self::new(url))
    }

    /// Splits the credentials off `url`.
    #[must_use]
    pub fn new(mut url: Url) -> Self {
        let login = take_login(&mut url);
        url.set_fragment(None);
        Self { url, login }
    }

    /// The URL without credentials.
    #[must_use]
    pub fn as_url(&self) -> &Url {
        &self.url
    }

    /// The path of a `file` URL.
    #[must_use]
    pub fn path(&self) -> Option<PathBuf> {
        (self.url.scheme() == "file").then(|| self.url.to_file_path().ok()).flatten()
    }

    pub(crate) fn login(&self) -> Option<&Login> {
        self.login.as_ref()
    }

    /// The URL as a folder: its path ends with a slash.
    pub(crate) fn folder(&self) -> Url {
        let mut url = self.url.clone();
        if !url.path().ends_with('/') {
            url.set_path(&format!("{}/", self.url.path()));
        }
        url
    }
}

/// Without credentials and query, fit for messages.
impl fmt::Display for IndexUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&redacted(&self.url))
    }
}

impl fmt::Debug for IndexUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IndexUrl({self})")
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Login(…)")
    }
}

impl UrlOrigin {
    /// The origin of an `http` or `https` URL.
    pub(crate) fn of(url: &Url) -> Option<Self> {
        let port = url.port_or_known_default()?;
        Some(Self { scheme: url.scheme().to_owned(), host: url.host_str()?.to_owned(), port })
    }

    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// Whether this is `https` on port 443: a netrc entry, which names a host only, holds for that.
    pub(crate) fn is_plain_https(&self) -> bool {
        self.scheme == "https" && self.port == 443
    }
}

/// Removes user and password from `url`.
pub(crate) fn take_login(url: &mut Url) -> Option<Login> {
    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let user = decoded(url.username());
    let password = url.password().map(decoded);
    // These fail for URLs that cannot hold credentials, such as `file:`.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    (!user.is_empty() || password.is_some()).then(|| Login { user, password: password.unwrap_or_default() })
}

/// `url` fit for messages: without credentials, and without a query, which may hold a signature.
pub(crate) fn redacted(url: &Url) -> String {
    let mut url = url.clone();
    take_login(&mut url);
    url.set_query(None);
    url.set_fragment(None);
    url.into()
}

/// A text that is no URL, without what precedes an `@`: that may be a password.
fn redacted_text(text: &str) -> String {
    match text.rsplit_once('@') {
        Some((_, rest)) => format!("…@{rest}"),
        None => text.to_owned(),
    }
}

fn not_an_index(text: &str) -> Error {
    Error::usage(format!("`{text}` is not an http, https or file URL, nor a folder"))
        .hint("name an index such as https://index.example/simple, or a folder")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_split_off_and_hidden_from_debug() {
        let index = IndexUrl::parse("https://me:p%40ss@index.example/simple?t=1", Path::new("/x")).unwrap();
        let login = index.login().unwrap();
        assert_eq!((login.user.as_str(), login.password.as_str()), ("me", "p@ss"));
        assert_eq!(index.to_string(), "https://index.example/simple");
        for text in [format!("{index:?}"), format!("{login:?}"), index.as_url().to_string()] {
            assert!(!text.contains("p@ss") && !text.contains("p%40ss") && !text.contains("me:"), "{text}");
        }
    }

    #[test]
    fn a_path_is_a_file_url_and_another_scheme_is_a_usage_error() {
        let index = IndexUrl::parse("wheels", Path::new("/srv/app")).unwrap();
        assert_eq!(index.path().unwrap(), Path::new("/srv/app/wheels"));
        assert_eq!(index.folder().as_str(), "file:///srv/app/wheels/");
        let error = IndexUrl::parse("ftp://me:secret@index.example/x", Path::new("/")).unwrap_err();
        assert_eq!(error.kind, pinfast_base::error::ErrorKind::Usage);
        assert!(!error.message.contains("secret"));
        let error = IndexUrl::parse("https://", Path::new("/")).unwrap_or_else(|_| panic!("a path"));
        assert!(error.path().is_some());
    }

    #[test]
    fn origins_compare_with_their_default_port() {
        let of = |text: &str| UrlOrigin::of(&Url::parse(text).unwrap());
        assert_eq!(of("https://a.example/x"), of("https://a.example:443/y"));
        assert_ne!(of("https://a.example/x"), of("http://a.example/x"));
        assert_ne!(of("https://a.example/x"), of("https://a.example:8443/x"));
        assert_eq!(of("file:///x"), None);
    }
}

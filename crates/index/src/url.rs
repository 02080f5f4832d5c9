//! URLs of indexes and files: credentials split off, text that may be shown.

use std::fmt;
use std::path::{Path, PathBuf};

use percent_encoding::percent_decode_str;
use url::Url;

use pinfast_base::error::Error;

/// Where an index or a find-links page is: an `http`, `https` or `file` URL and its credentials, apart.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct IndexUrl {
    url: Url,
    login: Option<Login>,
}

/// A user and a password. Never shown.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Login {
    pub(super) user: String,
    pub(super) password: String,
}

/// The scheme, host and port that credentials and a server's habits belong to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Origin {
    scheme: String,
    host: String,
    port: u16,
}

impl IndexUrl {
    /// Reads a URL or a path; a relative path is one under `folder`.
    ///
    /// # Errors
    /// When it is neither an `http`, `https` or `file` URL nor a path.
    pub fn parse(text: &str, folder: &Path) -> Result<Self, Error> {
        let url = match Url::parse(text) {
            Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => url,
            Ok(url) if url.scheme() == "file" && url.to_file_path().is_ok() => url,
            Ok(url) if text.contains("://") => return Err(not_an_index(&shown(&url))),
            _ => Url::from_file_path(folder.join(text)).map_err(|()| not_an_index(&blot(text)))?,
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

    /// The folder of a `file` URL.
    #[must_use]
    pub fn path(&self) -> Option<PathBuf> {
        (self.url.scheme() == "file").then(|| self.url.to_file_path().ok()).flatten()
    }

    pub(super) fn login(&self) -> Option<&Login> {
        self.login.as_ref()
    }

    /// The URL as a folder: its path ends with a slash.
    pub(super) fn folder(&self) -> Url {
        let mut url = self.url.clone();
        if !url.path().ends_with('/') {
            url.set_path(&format!("{}/", self.url.path()));
        }
        url
    }
}

/// Without credentials and query.
impl fmt::Display for IndexUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&shown(&self.url))
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

impl Origin {
    /// The origin of an `http` or `https` URL.
    pub(super) fn of(url: &Url) -> Option<Self> {
        let port = url.port_or_known_default()?;
        Some(Self { scheme: url.scheme().to_owned(), host: url.host_str()?.to_owned(), port })
    }

    pub(super) fn host(&self) -> &str {
        &self.host
    }

    /// Whether this is `https` on its own port: what a netrc entry, which names a host only, stands for.
    pub(super) fn is_plain_https(&self) -> bool {
        self.scheme == "https" && self.port == 443
    }
}

/// Takes user and password out of `url`.
pub(super) fn take_login(url: &mut Url) -> Option<Login> {
    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let user = decoded(url.username());
    let password = url.password().map(decoded);
    // These fail only for URLs that cannot hold credentials at all.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    (!user.is_empty() || password.is_some()).then(|| Login { user, password: password.unwrap_or_default() })
}

/// `url` as people may see it: no credentials, and no query, which may hold a signature.
pub(super) fn shown(url: &Url) -> String {
    let mut url = url.clone();
    take_login(&mut url);
    url.set_query(None);
    url.set_fragment(None);
    url.into()
}

/// A text that failed to parse as a URL, without what stands before an `@`.
fn blot(text: &str) -> String {
    match text.rsplit_once('@') {
        Some((_, rest)) => format!("…@{rest}"),
        None => text.to_owned(),
    }
}

fn not_an_index(shown: &str) -> Error {
    Error::usage(format!("`{shown}` is not an http, https or file URL, nor a folder"))
        .hint("name an index such as https://index.example/simple, or a folder")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_split_off_and_never_shown() {
        let index = IndexUrl::parse("https://me:p%40ss@index.example/simple?t=1", Path::new("/x")).unwrap();
        let login = index.login().unwrap();
        assert_eq!((login.user.as_str(), login.password.as_str()), ("me", "p@ss"));
        assert_eq!(index.to_string(), "https://index.example/simple");
        for text in [format!("{index:?}"), format!("{login:?}"), index.as_url().to_string()] {
            assert!(!text.contains("p@ss") && !text.contains("p%40ss") && !text.contains("me:"), "{text}");
        }
    }

    #[test]
    fn a_path_is_a_file_url_and_nonsense_is_a_wrong_question() {
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
    fn origins_know_their_default_port() {
        let of = |text: &str| Origin::of(&Url::parse(text).unwrap());
        assert_eq!(of("https://a.example/x"), of("https://a.example:443/y"));
        assert_ne!(of("https://a.example/x"), of("http://a.example/x"));
        assert_ne!(of("https://a.example/x"), of("https://a.example:8443/x"));
        assert_eq!(of("file:///x"), None);
    }
}

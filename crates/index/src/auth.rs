//! Which credentials go to which origin.
//!
//! Credentials go only to the scheme, host and port that they were given for. A netrc entry names a host
//! only: it stands for `https` on the usual port, and for the origins of the indexes that the user named.

use netrc::Netrc;
use rustc_hash::FxHashMap;
use url::Url;

use super::url::{IndexUrl, Login, Origin};

/// The credentials of a run.
#[derive(Default)]
pub(super) struct Credentials {
    logins: FxHashMap<Origin, Login>,
    netrc: Netrc,
}

impl Credentials {
    /// From the URLs that the user gave, the first of an origin wins, and the text of a netrc file.
    ///
    /// # Errors
    /// When the netrc text cannot be read; nothing of it is repeated.
    pub(super) fn new<'a>(
        urls: impl Iterator<Item = &'a IndexUrl>,
        netrc: Option<&str>,
    ) -> Result<Self, &'static str> {
        let netrc: Netrc = netrc.unwrap_or_default().parse().map_err(|_| "it is not in netrc's format")?;
        let mut logins = FxHashMap::default();
        for url in urls {
            let Some(origin) = Origin::of(url.as_url()) else { continue };
            if let Some(login) = url.login().cloned().or_else(|| of_host(&netrc, &origin)) {
                logins.entry(origin).or_insert(login);
            }
        }
        Ok(Self { logins, netrc })
    }

    /// What goes to the origin of `url`.
    pub(super) fn login(&self, url: &Url) -> Option<Login> {
        let origin = Origin::of(url)?;
        let named = self.logins.get(&origin).cloned();
        named.or_else(|| origin.is_plain_https().then(|| of_host(&self.netrc, &origin)).flatten())
    }
}

/// The entry of exactly that host: `default` entries would send a password to every server there is.
fn of_host(netrc: &Netrc, origin: &Origin) -> Option<Login> {
    let entry = netrc.hosts.get(origin.host())?;
    Some(Login { user: entry.login.clone(), password: entry.password.clone() })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn user_for(credentials: &Credentials, url: &str) -> Option<String> {
        credentials.login(&Url::parse(url).unwrap()).map(|login| login.user)
    }

    #[test]
    fn credentials_stay_with_their_origin() {
        let index = IndexUrl::parse("https://a:1@index.example/simple", Path::new("/")).unwrap();
        let credentials = Credentials::new([&index].into_iter(), None).unwrap();
        assert_eq!(user_for(&credentials, "https://index.example/files/x.whl").as_deref(), Some("a"));
        for other in ["http://index.example/", "https://index.example:8443/", "https://files.example/"] {
            assert_eq!(user_for(&credentials, other), None, "{other}");
        }
    }

    #[test]
    fn netrc_serves_https_and_the_named_origins() {
        let text = "machine index.example login n password 1\ndefault login d password 2\n";
        let index = IndexUrl::parse("http://index.example:8080/simple", Path::new("/")).unwrap();
        let credentials = Credentials::new([&index].into_iter(), Some(text)).unwrap();
        for (url, user) in [
            ("http://index.example:8080/x", Some("n")),
            ("https://index.example/x", Some("n")),
            ("http://index.example/x", None),
            ("https://index.example:99/x", None),
            ("https://files.example/x", None),
        ] {
            assert_eq!(user_for(&credentials, url).as_deref(), user, "{url}");
        }
    }
}

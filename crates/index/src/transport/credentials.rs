//! Which credentials go to which origin.
//!
//! In: the credentials in the URLs that the user named, and a netrc file. Out: the login for a URL. Credentials go
//! only to the scheme, host and port that they were given for. A netrc entry names a host only: it holds for
//! `https` on port 443, and for the origins of the indexes that the user named.

use std::sync::{Arc, OnceLock};

use netrc::Netrc;
use rustc_hash::FxHashMap;
use url::Url;

use crate::config::IndexConfig;
use crate::url::{IndexUrl, Login, UrlOrigin};
use pinfast_base::event::{Event, Watcher};

/// The credentials of a run. The netrc file is read when the first login is looked up.
pub(crate) struct Credentials {
    config: Arc<IndexConfig>,
    watcher: Arc<dyn Watcher>,
    logins: OnceLock<Logins>,
}

#[derive(Default)]
struct Logins {
    by_origin: FxHashMap<UrlOrigin, Login>,
    netrc: Netrc,
}

impl Credentials {
    pub(crate) fn new(config: Arc<IndexConfig>, watcher: Arc<dyn Watcher>) -> Self {
        Self { config, watcher, logins: OnceLock::new() }
    }

    /// The login for the origin of `url`.
    pub(crate) fn login(&self, url: &Url) -> Option<Login> {
        self.logins.get_or_init(|| self.load()).get(url)
    }

    /// A netrc file that cannot be read is no reason to stop: most servers need no login.
    fn load(&self) -> Logins {
        let text = self.config.netrc.as_deref().map(std::fs::read).and_then(Result::ok);
        let text = text.as_deref().map(String::from_utf8_lossy);
        Logins::new(self.config.urls(), text.as_deref()).unwrap_or_else(|why| {
            let path = self.config.netrc.clone().unwrap_or_default();
            self.watcher.on(Event::Warning(format!("the netrc file {} is ignored: {why}", path.display())));
            // The logins in URLs still hold.
            Logins::new(self.config.urls(), None).unwrap_or_default()
        })
    }
}

impl Logins {
    /// The first URL of an origin wins.
    ///
    /// # Errors
    /// When the netrc text cannot be parsed; the message quotes nothing of it.
    fn new<'a>(urls: impl Iterator<Item = &'a IndexUrl>, netrc: Option<&str>) -> Result<Self, &'static str> {
        let netrc: Netrc = netrc.unwrap_or_default().parse().map_err(|_| "it is not in netrc's format")?;
        let mut by_origin = FxHashMap::default();
        for url in urls {
            let Some(origin) = UrlOrigin::of(url.as_url()) else { continue };
            if let Some(login) = url.login().cloned().or_else(|| of_host(&netrc, &origin)) {
                // An extra index on the same origin must not replace the login of the main one.
                by_origin.entry(origin).or_insert(login);
            }
        }
        Ok(Self { by_origin, netrc })
    }

    fn get(&self, url: &Url) -> Option<Login> {
        let origin = UrlOrigin::of(url)?;
        let named = self.by_origin.get(&origin).cloned();
        named.or_else(|| origin.is_plain_https().then(|| of_host(&self.netrc, &origin)).flatten())
    }
}

/// The netrc entry of exactly that host. A `default` entry would send a password to every server there is.
fn of_host(netrc: &Netrc, origin: &UrlOrigin) -> Option<Login> {
    let entry = netrc.hosts.get(origin.host())?;
    Some(Login { user: entry.login.clone(), password: entry.password.clone() })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn user_for(logins: &Logins, url: &str) -> Option<String> {
        logins.get(&Url::parse(url).unwrap()).map(|login| login.user)
    }

    #[test]
    fn credentials_stay_with_their_origin() {
        let index = IndexUrl::parse("https://a:1@index.example/simple", Path::new("/")).unwrap();
        let logins = Logins::new([&index].into_iter(), None).unwrap();
        assert_eq!(user_for(&logins, "https://index.example/files/x.whl").as_deref(), Some("a"));
        for other in ["http://index.example/", "https://index.example:8443/", "https://files.example/"] {
            assert_eq!(user_for(&logins, other), None, "{other}");
        }
    }

    #[test]
    fn netrc_serves_https_and_the_named_origins() {
        let text = "machine index.example login n password 1\ndefault login d password 2\n";
        let index = IndexUrl::parse("http://index.example:8080/simple", Path::new("/")).unwrap();
        let logins = Logins::new([&index].into_iter(), Some(text)).unwrap();
        for (url, user) in [
            ("http://index.example:8080/x", Some("n")),
            ("https://index.example/x", Some("n")),
            ("http://index.example/x", None),
            ("https://index.example:99/x", None),
            ("https://files.example/x", None),
        ] {
            assert_eq!(user_for(&logins, url).as_deref(), user, "{url}");
        }
    }
}

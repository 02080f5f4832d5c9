//! What the network needs, started when something first needs it: TLS, a runtime, a client.

use std::path::Path;
use std::sync::{Arc, Mutex, Once};

use reqwest::Certificate;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::Semaphore;

use super::auth::Credentials;
use super::config::Config;
use super::failure::{Failure, Outcome};
use super::http::Http;
use super::once::unpoisoned;
use super::workers::Workers;
use pinfast_base::error::Error;
use pinfast_base::event::{Event, Watcher};

/// The network of a run.
pub(super) struct Net {
    pub(super) http: Http,
    pub(super) handle: Handle,
    runtime: Mutex<Option<Runtime>>,
}

impl Net {
    pub(super) fn start(
        config: &Config,
        credentials: Arc<Credentials>,
        workers: Arc<Workers>,
        watcher: Arc<dyn Watcher>,
    ) -> Outcome<Self> {
        let start = || -> Result<Self, Error> {
            let http = Http {
                client: client(config, Window::Wide)?,
                glancing: client(config, Window::Narrow)?,
                permits: Semaphore::new(config.limits.requests),
                widened: Once::new(),
                limits: config.limits,
                credentials,
                workers,
                watcher,
            };
            let runtime = Builder::new_multi_thread()
                .worker_threads(2)
                .thread_name("index-net")
                .enable_all()
                .build()
                .map_err(|error| Error::no_answer("cannot start the network's threads").because(error))?;
            Ok(Self { http, handle: runtime.handle().clone(), runtime: Mutex::new(Some(runtime)) })
        };
        start().map_err(|error| Arc::new(Failure::last(error)))
    }

    /// Ends what is under way without waiting for it.
    pub(super) fn stop(&self) {
        if let Some(runtime) = unpoisoned(self.runtime.lock()).take() {
            runtime.shutdown_background();
        }
    }
}

impl Drop for Net {
    fn drop(&mut self) {
        self.stop();
    }
}

/// How much of a body a server sends before it is told that the beginning was read (RFC 9113, section 5.2).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Window {
    /// As much as is good for whole pages and files.
    Wide,
    /// Little more than what is read when only the beginning is.
    Narrow,
}

/// Where a project's page says its newest release is a matter of three kilobytes, seldom of more than twelve.
const NARROW: u32 = 16 << 10;

fn client(config: &Config, window: Window) -> Result<reqwest::Client, Error> {
    // Another part of the process may have installed one: then that one serves.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = reqwest::Client::builder()
        .user_agent(concat!("pinfast/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .no_gzip()
        .connect_timeout(config.limits.silence)
        .read_timeout(config.limits.silence);
    if window == Window::Narrow {
        builder = builder.http2_initial_stream_window_size(NARROW);
    }
    if let Some(bundle) = &config.ca_bundle {
        builder = builder.tls_certs_only(certificates(bundle)?);
    }
    if let Some(path) = &config.client_cert {
        builder = builder.identity(identity(path)?);
    }
    if let Some(url) = &config.proxy {
        // What is wrong with it is not told: it may hold a password.
        let wrong = |_| Error::usage("the proxy in pip's configuration is not the URL of a proxy");
        builder = builder.proxy(reqwest::Proxy::all(url).map_err(wrong)?);
    }
    builder.build().map_err(|error| Error::no_answer("cannot start TLS").because(error))
}

/// The certificate and key in a PEM file.
fn identity(path: &Path) -> Result<reqwest::Identity, Error> {
    let unusable = |error: Box<dyn std::error::Error + Send + Sync>| {
        Error::usage(format!("cannot use {} as a client certificate", path.display())).because(error)
    };
    let pem = std::fs::read(path).map_err(|error| unusable(error.into()))?;
    reqwest::Identity::from_pem(&pem).map_err(|error| unusable(error.into()))
}

/// The certificates of a PEM file, or of every PEM file in a folder.
fn certificates(bundle: &Path) -> Result<Vec<Certificate>, Error> {
    let unreadable = |error: std::io::Error| {
        Error::no_answer(format!("cannot read the certificates in {}", bundle.display())).because(error)
    };
    if !bundle.is_dir() {
        let pem = std::fs::read(bundle).map_err(unreadable)?;
        return Certificate::from_pem_bundle(&pem).map_err(|error| {
            Error::no_answer(format!("{} is not a PEM file of certificates", bundle.display())).because(error)
        });
    }
    let mut found = Vec::new();
    for entry in std::fs::read_dir(bundle).map_err(unreadable)? {
        let pem = std::fs::read(entry.map_err(unreadable)?.path()).unwrap_or_default();
        found.extend(Certificate::from_pem_bundle(&pem).unwrap_or_default());
    }
    Ok(found)
}

/// A netrc file that cannot be read is no reason to stop: most servers need none.
pub(super) fn credentials(config: &Config, watcher: &dyn Watcher) -> Credentials {
    let text = config.netrc.as_deref().map(std::fs::read).and_then(Result::ok);
    let text = text.as_deref().map(String::from_utf8_lossy);
    Credentials::new(config.urls(), text.as_deref()).unwrap_or_else(|why| {
        let path = config.netrc.as_deref().unwrap_or(Path::new("")).display();
        watcher.on(Event::Warning(format!("the netrc file {path} is ignored: {why}")));
        Credentials::new(config.urls(), None).unwrap_or_default()
    })
}

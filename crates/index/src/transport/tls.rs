//! The HTTP clients: TLS, certificates, proxy, timeouts.

use std::path::Path;

use reqwest::Certificate;

use crate::config::IndexConfig;
use pinfast_base::error::Error;

/// How much of a body a server sends before it must wait for us (RFC 9113, section 5.2).
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum StreamWindow {
    /// Good for whole pages and files.
    Wide,
    /// Little more than the beginning of a page.
    Narrow,
}

/// A project's page names its newest release within three kilobytes, seldom within more than twelve.
const NARROW_WINDOW: u32 = 16 << 10;

/// An HTTP client as `config` asks for.
///
/// # Errors
/// When a certificate, a client certificate or the proxy cannot be used.
pub(super) fn http_client(config: &IndexConfig, window: StreamWindow) -> Result<reqwest::Client, Error> {
    // Another part of the process may have installed a provider first; then that one serves.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = reqwest::Client::builder()
        .user_agent(concat!("pinfast/", env!("CARGO_PKG_VERSION")))
        // `http` follows redirects itself, to decide about credentials.
        .redirect(reqwest::redirect::Policy::none())
        // `body` decompresses on the CPU pool, and limits the size.
        .no_gzip()
        // Each wait has its own limit; `http` limits all of them together.
        .connect_timeout(config.limits.silence)
        .read_timeout(config.limits.silence);
    if window == StreamWindow::Narrow {
        // A server may send as much before it hears that we have stopped reading.
        builder = builder.http2_initial_stream_window_size(NARROW_WINDOW);
    }
    if let Some(bundle) = &config.ca_bundle {
        // The bundle replaces the system's certificates, as with pip.
        builder = builder.tls_certs_only(certificates(bundle)?);
    }
    if let Some(path) = &config.client_cert {
        builder = builder.identity(identity(path)?);
    }
    if let Some(url) = &config.proxy {
        // The cause is not shown: it may quote a password.
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

/// The certificates in a PEM file, or in every PEM file of a folder.
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
    let mut certificates = Vec::new();
    for entry in std::fs::read_dir(bundle).map_err(unreadable)? {
        // A folder of certificates holds other files too, such as links to files that are gone.
        let pem = std::fs::read(entry.map_err(unreadable)?.path()).unwrap_or_default();
        certificates.extend(Certificate::from_pem_bundle(&pem).unwrap_or_default());
    }
    Ok(certificates)
}

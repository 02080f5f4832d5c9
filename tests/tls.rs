//! Which certificates pinfast trusts: those in the variables that other tools honour, too.

#[path = "support/universe.rs"]
mod universe;

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::process::{Command, Output};
use std::sync::Arc;
use std::thread;

use pinfast_testkit::server::Server;
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// An index behind TLS, with a certificate of its own making.
struct Site {
    plain: Server,
    url: String,
    folder: tempfile::TempDir,
}

impl Site {
    fn new() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("a certificate");
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("own.pem"), made.cert.pem()).expect("a disk");
        let other = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("a certificate");
        std::fs::write(folder.path().join("other.pem"), other.cert.pem()).expect("a disk");
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).expect("a key");
        let config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .expect("a certificate and its key");
        let plain = Server::empty();
        plain.put_all(universe::pages("a 1.0\n"));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let url = format!("https://{}/simple/", listener.local_addr().expect("an address"));
        let behind = plain.url("").replace("http://", "");
        let config = Arc::new(config);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (config, behind) = (config.clone(), behind.clone());
                // A client that does not trust the certificate breaks off.
                thread::spawn(move || drop(pass_on(stream, config, &behind)));
            }
        });
        Self { plain, url, folder }
    }

    fn lock(&self, variables: &[(&str, &str)]) -> Output {
        let folder = self.folder.path();
        std::fs::write(folder.join("requirements.in"), "a\n").expect("a disk");
        let mut command = Command::new(env!("CARGO_BIN_EXE_pinfast"));
        for name in ["PIP_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR"] {
            command.env_remove(name);
        }
        command
            .current_dir(folder)
            .args(["lock", "-o", "-", "--python-version", "3.11", "--platform", "linux", "--refresh"])
            .args(["--cache-dir", "cache", "--index-url", &self.url])
            .env("PIP_CONFIG_FILE", "/dev/null")
            .env("PINFAST_HTTP_RETRIES", "0")
            .envs(variables.iter().map(|(name, file)| (name, folder.join(file))))
            .output()
            .expect("the program runs")
    }
}

/// One request of a TLS connection, answered by the server at `behind`.
fn pass_on(stream: TcpStream, config: Arc<ServerConfig>, behind: &str) -> io::Result<()> {
    let session = ServerConnection::new(config).map_err(io::Error::other)?;
    let mut tls = StreamOwned::new(session, stream);
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        tls.read_exact(&mut byte)?;
        head.extend(byte);
    }
    let mut plain = TcpStream::connect(behind)?;
    plain.write_all(&head)?;
    plain.shutdown(Shutdown::Write)?;
    let mut answer = Vec::new();
    plain.read_to_end(&mut answer)?;
    let first = answer.iter().position(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    answer.splice(first..first, *b"Connection: close\r\n");
    tls.write_all(&answer)?;
    tls.conn.send_close_notify();
    tls.flush()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn each_certificate_variable_is_honoured() {
    let site = Site::new();
    for name in ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "PIP_CERT"] {
        let output = site.lock(&[(name, "own.pem")]);
        assert!(output.status.success(), "{name}: {}", said(&output));
        assert!(String::from_utf8_lossy(&output.stdout).contains("a==1.0"), "{name}");
    }
    assert!(site.plain.count("*") > 0);
}

#[test]
fn the_more_specific_certificate_variable_wins() {
    let site = Site::new();
    for (weak, strong) in [("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"), ("REQUESTS_CA_BUNDLE", "PIP_CERT")] {
        let output = site.lock(&[(weak, "other.pem"), (strong, "own.pem")]);
        assert!(output.status.success(), "{strong} over {weak}: {}", said(&output));
        let output = site.lock(&[(weak, "own.pem"), (strong, "other.pem")]);
        assert_eq!(output.status.code(), Some(3), "{weak} over {strong}");
    }
}

#[test]
fn an_untrusted_certificate_is_refused() {
    let site = Site::new();
    for variables in [vec![], vec![("SSL_CERT_FILE", "other.pem")]] {
        let output = site.lock(&variables);
        assert_eq!(output.status.code(), Some(3), "{}", said(&output));
        assert_eq!(site.plain.count("*"), 0, "a request was sent");
    }
}

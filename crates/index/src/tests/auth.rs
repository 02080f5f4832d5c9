//! Credentials go only to the origin that they were given for.

use super::*;

const SECRET: &str = "s3cret";

fn with_login(url: &str) -> String {
    url.replacen("http://", &format!("http://user:{SECRET}@"), 1)
}

fn has_credentials(request: &Request) -> bool {
    // user:s3cret
    request.header("authorization") == Some("Basic dXNlcjpzM2NyZXQ=")
}

#[test]
fn credentials_go_to_the_index_and_not_to_another_origin() {
    let files = Server::answering(|_| Response::ok("x", "1"));
    let elsewhere = files.url("/files/a-1-py3-none-any.whl");
    let server =
        Server::answering(move |request| match request.path.as_str() {
            "/simple/a/" => Response::json(page(&[entry("a-1-py3-none-any.whl", b"1", "")
                .replace("../../files/a-1-py3-none-any.whl", &elsewhere)])),
            _ => Response::status(404),
        });
    let client = client(config_of(&[with_login(&server.url("/simple"))]));
    let file = only_file(&client);
    client.fetch_file(&file, &tempfile::tempdir().unwrap().path().join("a.whl")).unwrap();
    assert!(server.requests().iter().all(has_credentials));
    assert!(!files.requests().is_empty());
    assert!(files.requests().iter().all(|request| request.header("authorization").is_none()));
}

#[test]
fn a_redirect_to_another_origin_drops_credentials_and_one_back_restores_them() {
    let server = Server::answering(|_| Response::status(404));
    let home = server.url("/back");
    let other = Server::answering(move |_| Response::redirect(&home));
    let away = other.url("/away");
    let first = Server::answering(move |_| Response::redirect(&away));
    let client = client(config_of(&[with_login(&first.url("/simple")), with_login(&server.url("/simple"))]));
    assert!(client.listing(&name("a")).unwrap().is_none());
    assert!(first.requests().iter().all(has_credentials));
    assert!(other.requests().iter().all(|request| request.header("authorization").is_none()));
    assert!(!other.requests().is_empty());
    assert!(server.requests().iter().all(has_credentials), "they were given for this origin too");
}

#[test]
fn credentials_in_a_file_url_are_sent_for_that_file() {
    let server = Server::answering(|request| {
        if has_credentials(request) { Response::ok("x", "1") } else { Response::status(401) }
    });
    let url = with_login(&server.url("/files/a-1-py3-none-any.whl"));
    let index = Server::answering(move |request| match request.path.as_str() {
        "/simple/a/" => Response::json(page(&[
            entry("a-1-py3-none-any.whl", b"1", "").replace("../../files/a-1-py3-none-any.whl", &url)
        ])),
        _ => Response::status(404),
    });
    let client = client(config(&index));
    client.fetch_file(&only_file(&client), &tempfile::tempdir().unwrap().path().join("x")).unwrap();
}

#[test]
fn netrc_credentials_are_sent_to_a_named_index() {
    let folder = tempfile::tempdir().unwrap();
    let netrc = folder.path().join("netrc");
    std::fs::write(&netrc, format!("machine 127.0.0.1 login user password {SECRET}\n")).unwrap();
    let server = Server::answering(|_| Response::status(404));
    let client = client(IndexConfig { netrc: Some(netrc), ..config(&server) });
    assert!(client.listing(&name("a")).unwrap().is_none());
    assert!(server.requests().iter().all(has_credentials));
}

#[test]
fn no_error_and_no_event_shows_a_secret() {
    for status in [401, 500, 302] {
        let server = Server::answering(move |request| {
            let to = format!("http://user:{SECRET}@127.0.0.1:1/x?token={SECRET}");
            if request.earlier > 0 {
                Response::status(500)
            } else {
                Response::status(status).header("Location", &to)
            }
        });
        let events = Arc::new(EventRecorder::default());
        let client = Client::new(config_of(&[with_login(&server.url("/simple"))]), events.clone());
        let error = client.listing(&name("a")).unwrap_err();
        let text = format!("{error:?} {error} {:?}", events.0.lock().unwrap());
        assert!(!text.contains(SECRET) && !text.contains("user:"), "{text}");
    }
}

#[test]
fn a_proxy_gets_every_request_and_its_password_stays_out_of_errors() {
    let proxy = Server::answering(|request| match request.path.as_str() {
        "http://index.example/simple/a/" => Response::json(page(&[entry("a-1-py3-none-any.whl", b"1", "")])),
        _ => Response::status(404),
    });
    let through = |proxy: String| {
        client(IndexConfig { proxy: Some(proxy), ..config_of(&["http://index.example/simple"]) })
    };
    let listing = through(proxy.url("")).listing(&name("a")).unwrap().unwrap();
    assert_eq!(versions(&listing), ["1"]);
    let error = through("http://me:secret@:no/".to_owned()).listing(&name("a")).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Usage);
    assert!(!format!("{error:?}").contains("secret"), "{error:?}");
}

#[test]
fn a_missing_client_certificate_is_a_usage_error() {
    let server = Server::answering(|_| Response::status(404));
    let missing = IndexConfig { client_cert: Some("/no/such.pem".into()), ..config(&server) };
    assert_eq!(kind_of(client(missing).listing(&name("a"))), ErrorKind::Usage);
}

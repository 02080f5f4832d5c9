//! Credentials go only where they were given for, and nowhere else.

use super::*;

const SECRET: &str = "s3cret";

fn with_login(url: &str) -> String {
    url.replacen("http://", &format!("http://user:{SECRET}@"), 1)
}

fn authorised(request: &Request) -> bool {
    // user:s3cret
    request.header("authorization") == Some("Basic dXNlcjpzM2NyZXQ=")
}

#[test]
fn the_index_gets_its_credentials_and_another_origin_does_not() {
    let files = Server::start(|_| Reply::ok("x", "1"));
    let elsewhere = files.url("/files/a-1-py3-none-any.whl");
    let server =
        Server::start(move |request| match request.path.as_str() {
            "/simple/a/" => Reply::json(page(&[entry("a-1-py3-none-any.whl", b"1", "")
                .replace("../../files/a-1-py3-none-any.whl", &elsewhere)])),
            _ => Reply::status(404),
        });
    let client = client(config_of(&[with_login(&server.url("/simple"))]));
    let file = only_file(&client);
    client.fetch_file(&file, &tempfile::tempdir().unwrap().path().join("a.whl")).unwrap();
    assert!(server.requests().iter().all(authorised));
    assert!(!files.requests().is_empty());
    assert!(files.requests().iter().all(|request| request.header("authorization").is_none()));
}

#[test]
fn a_redirect_to_another_origin_loses_them_and_one_back_regains_them() {
    let server = Server::start(|_| Reply::status(404));
    let home = server.url("/back");
    let other = Server::start(move |_| Reply::redirect(&home));
    let away = other.url("/away");
    let first = Server::start(move |_| Reply::redirect(&away));
    let client = client(config_of(&[with_login(&first.url("/simple")), with_login(&server.url("/simple"))]));
    assert!(client.listing(&name("a")).unwrap().is_none());
    assert!(first.requests().iter().all(authorised));
    assert!(other.requests().iter().all(|request| request.header("authorization").is_none()));
    assert!(!other.requests().is_empty());
    assert!(server.requests().iter().all(authorised), "they were given for this origin too");
}

#[test]
fn a_file_url_s_own_credentials_go_to_that_file() {
    let server =
        Server::start(|request| if authorised(request) { Reply::ok("x", "1") } else { Reply::status(401) });
    let url = with_login(&server.url("/files/a-1-py3-none-any.whl"));
    let index = Server::start(move |request| match request.path.as_str() {
        "/simple/a/" => Reply::json(page(&[
            entry("a-1-py3-none-any.whl", b"1", "").replace("../../files/a-1-py3-none-any.whl", &url)
        ])),
        _ => Reply::status(404),
    });
    let client = client(config(&index));
    client.fetch_file(&only_file(&client), &tempfile::tempdir().unwrap().path().join("x")).unwrap();
}

#[test]
fn a_netrc_file_serves_the_indexes_named() {
    let folder = tempfile::tempdir().unwrap();
    let netrc = folder.path().join("netrc");
    std::fs::write(&netrc, format!("machine 127.0.0.1 login user password {SECRET}\n")).unwrap();
    let server = Server::start(|_| Reply::status(404));
    let client = client(IndexConfig { netrc: Some(netrc), ..config(&server) });
    assert!(client.listing(&name("a")).unwrap().is_none());
    assert!(server.requests().iter().all(authorised));
}

#[test]
fn no_error_and_no_event_shows_a_secret() {
    for status in [401, 500, 302] {
        let server = Server::start(move |request| {
            let to = format!("http://user:{SECRET}@127.0.0.1:1/x?token={SECRET}");
            if request.before > 0 { Reply::status(500) } else { Reply::status(status).with("Location", &to) }
        });
        let witness = Arc::new(Witness::default());
        let client = Client::new(config_of(&[with_login(&server.url("/simple"))]), witness.clone());
        let error = client.listing(&name("a")).unwrap_err();
        let said = format!("{error:?} {error} {:?}", witness.0.lock().unwrap());
        assert!(!said.contains(SECRET) && !said.contains("user:"), "{said}");
    }
}

#[test]
fn a_proxy_is_asked_for_everything_and_its_password_is_told_nobody() {
    let proxy = Server::start(|request| match request.path.as_str() {
        "http://index.example/simple/a/" => Reply::json(page(&[entry("a-1-py3-none-any.whl", b"1", "")])),
        _ => Reply::status(404),
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
fn a_client_certificate_that_is_none_is_a_wrong_setting() {
    let server = Server::start(|_| Reply::status(404));
    let missing = IndexConfig { client_cert: Some("/no/such.pem".into()), ..config(&server) };
    assert_eq!(kind_of(client(missing).listing(&name("a"))), ErrorKind::Usage);
}

//! What the server serves when nothing goes wrong: a folder index, and pages in memory in place of its own.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use super::{Request, Response};
use crate::{gzip, sha256};

/// The content type of the Simple API in JSON (PEP 691).
pub(super) const SIMPLE_JSON: &str = "application/vnd.pypi.simple.v1+json";

/// The caching headers of a response (RFC 9111).
#[derive(Clone, Copy, Debug, Default)]
pub enum Caching {
    /// No validator, no lifetime.
    #[default]
    Silent,
    /// An `ETag` and `no-cache`: the client revalidates each time.
    Validated,
    /// An `ETag` and a lifetime of so many seconds.
    Fresh(u32),
}

/// The files, and how they are served.
#[derive(Default)]
pub(super) struct Site {
    root: Option<PathBuf>,
    put: BTreeMap<String, Vec<u8>>,
    pub(super) caching: Caching,
    pub(super) releases: ReleasePages,
    pub(super) projects: ProjectPages,
}

/// How long the projects' pages of the JSON API, `/pypi/NAME/json`, are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ProjectPages {
    /// As recorded: so short that a client reads them whole.
    #[default]
    Short,
    /// Padded at the end, so that a client gains by reading the beginning alone.
    Long,
}

/// By how many bytes a long page is longer.
const PADDING: usize = 3 << 19;

/// Whether the JSON API has pages of single releases, `/pypi/NAME/VERSION/json`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReleasePages {
    /// Made of the projects' pages.
    #[default]
    Served,
    /// `404`.
    Absent,
}

impl Site {
    /// The site of the folder `root`, if there is one.
    pub(super) fn new(root: Option<PathBuf>) -> Self {
        Self { root, ..Self::default() }
    }

    /// Serves `body` at `path`.
    pub(super) fn put(&mut self, path: &str, body: Vec<u8>) {
        self.put.insert(path.to_owned(), body);
    }

    /// The right response.
    pub(super) fn respond(&self, request: &Request) -> Response {
        let path = request.path.split('?').next().unwrap_or_default();
        let path = percent_decode_str(path).decode_utf8_lossy();
        if path.split('/').any(|segment| segment == "..") || !path.starts_with('/') {
            return Response::status(400);
        }
        if path.starts_with("/simple/") && !path.ends_with('/') && !path.contains("/index.") {
            return Response::status(301).header("Location", &format!("{path}/"));
        }
        let found = candidates(&path, request).find_map(|(path, kind)| Some((self.body(&path)?, kind)));
        match found {
            Some((body, kind)) if self.is_long(&path) => {
                // In gzip the padding would vanish.
                self.cached(&request.without("accept-encoding"), kind, &lengthened(body))
            }
            Some((body, kind)) => self.cached(request, kind, &body),
            None => Response::status(404),
        }
    }

    fn is_long(&self, path: &str) -> bool {
        let is_project = path.starts_with("/pypi/") && path.matches('/').count() == 3;
        self.projects == ProjectPages::Long && is_project
    }

    fn body(&self, path: &str) -> Option<Vec<u8>> {
        let from_folder = || fs::read(self.root.as_ref()?.join(&path[1..])).ok();
        self.put.get(path).cloned().or_else(from_folder).or_else(|| self.release(path))
    }

    /// The page of one release, made of the project's.
    fn release(&self, path: &str) -> Option<Vec<u8>> {
        let parts: Vec<_> = path.strip_prefix("/pypi/")?.split('/').collect();
        let ([name, version, "json"], ReleasePages::Served) = (&*parts, self.releases) else { return None };
        let mut page: Value = serde_json::from_slice(&self.body(&format!("/pypi/{name}/json"))?).ok()?;
        let mut files = page["releases"].get(version)?.clone();
        for file in files.as_array_mut()? {
            // The page lies one folder deeper.
            file["url"] = file["url"].as_str()?.replacen("../../", "../../../", 1).into();
        }
        let newest = page["info"].take();
        let is_newest = newest["version"] == *version;
        // Only of the newest release does the project's page have the whole `info`.
        let info = if is_newest { newest } else { json!({"name": newest["name"], "version": version}) };
        Some(json!({"info": info, "urls": files}).to_string().into_bytes())
    }

    /// `body` with the caching headers, the range of it that `request` names, or `304` where its `ETag` matches.
    fn cached(&self, request: &Request, kind: &str, body: &[u8]) -> Response {
        let lifetime = match self.caching {
            Caching::Silent => return encoded(request, kind, body),
            Caching::Validated => "no-cache".to_owned(),
            Caching::Fresh(seconds) => format!("max-age={seconds}"),
        };
        let tag = format!("\"{}\"", sha256(body));
        let matches = request.header("if-none-match").is_some_and(|tags| tags.contains(&tag));
        let response = if matches { Response::status(304) } else { encoded(request, kind, body) };
        response.header("ETag", &tag).header("Cache-Control", &lifetime)
    }
}

/// The files that `path` may stand for, the preferred first, each with its content type.
fn candidates(path: &str, request: &Request) -> impl Iterator<Item = (String, &'static str)> {
    let json = (format!("{path}index.json"), SIMPLE_JSON);
    let html = (format!("{path}index.html"), "text/html");
    let files = if !path.ends_with('/') {
        vec![(path.to_owned(), content_type(path))]
    } else if prefers_json(request.header("accept").unwrap_or_default()) {
        vec![json, html]
    } else {
        vec![html]
    };
    files.into_iter()
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit(['/', '.']).next() {
        Some("json") if path.starts_with("/simple/") => SIMPLE_JSON,
        Some("json") => "application/json",
        Some("html") => "text/html",
        _ => "application/octet-stream",
    }
}

/// Whether JSON has the greatest weight of the Simple API's types in `accept` (PEP 691, content negotiation).
fn prefers_json(accept: &str) -> bool {
    let weight = |wanted: &[&str]| {
        let of = |part: &str| {
            let (kind, rest) = part.split_once(';').unwrap_or((part, ""));
            let weight = rest.trim().strip_prefix("q=").map_or(1.0, |q| q.parse().unwrap_or(0.0));
            if wanted.contains(&kind.trim()) { weight } else { 0.0_f32 }
        };
        accept.split(',').map(of).fold(0.0, f32::max)
    };
    let json = weight(&[SIMPLE_JSON, "application/vnd.pypi.simple.latest+json"]);
    json > 0.0 && json >= weight(&["text/html", "application/vnd.pypi.simple.v1+html"])
}

/// The range that `request` names, or the whole; a page in gzip where the client accepts it.
fn encoded(request: &Request, kind: &str, body: &[u8]) -> Response {
    if request.header("range").is_some() {
        return Response::ok(kind, body).ranged(request);
    }
    let accepts_gzip = request.header("accept-encoding").is_some_and(|encodings| encodings.contains("gzip"));
    let response = Response::ok(kind, body).header("Accept-Ranges", "bytes");
    if !accepts_gzip || kind == "application/octet-stream" {
        return response;
    }
    Response { body: gzip(body), ..response }
        .header("Content-Encoding", "gzip")
        .header("Vary", "Accept-Encoding")
}

/// The page of a project with padding at its end.
fn lengthened(mut page: Vec<u8>) -> Vec<u8> {
    page.truncate(page.trim_ascii_end().len() - 1);
    page.extend_from_slice(br#","padding":""#);
    page.resize(page.len() + PADDING, b'x');
    page.extend_from_slice(br#""}"#);
    page
}

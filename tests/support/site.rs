//! What the server serves when nothing goes wrong: a folder index, with pages in memory over it.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::PathBuf;

use flate2::Compression;
use flate2::write::GzEncoder;
use percent_encoding::percent_decode_str;
use pinfast::packaging::Sha256;

use serde_json::{Value, json};

use super::answer::Answer;
use super::connection::Request;

const SIMPLE_JSON: &str = "application/vnd.pypi.simple.v1+json";

/// What an answer says of caching.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum Caching {
    /// Nothing: no validator, no lifetime.
    #[default]
    Silent,
    /// An `ETag`, to be asked again each time.
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
pub(crate) enum ProjectPages {
    /// As they were recorded: so short that they are read whole.
    #[default]
    Short,
    /// So long, with something at the end that nobody knows, that their beginning is worth reading alone.
    Long,
}

/// How much longer long pages are, in bytes.
const MORE: usize = 3 << 19;

/// Whether there are pages of single releases, `/pypi/NAME/VERSION/json`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum ReleasePages {
    /// They are made of the projects' pages.
    #[default]
    Served,
    /// There are none.
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

    /// The right answer.
    pub(super) fn answer(&self, request: &Request) -> Answer {
        let path = request.path.split('?').next().unwrap_or_default();
        let path = percent_decode_str(path).decode_utf8_lossy();
        if path.split('/').any(|segment| segment == "..") || !path.starts_with('/') {
            return Answer::status(400);
        }
        if path.starts_with("/simple/") && !path.ends_with('/') && !path.contains("/index.") {
            return Answer::status(301).header("Location", &format!("{path}/"));
        }
        let found = candidates(&path, request).find_map(|(path, kind)| Some((self.body(&path)?, kind)));
        match found {
            Some((body, kind)) if self.is_long(&path) => {
                // Packed it would be short again.
                self.headed(&request.without("accept-encoding"), kind, &lengthened(body))
            }
            Some((body, kind)) => self.headed(request, kind, &body),
            None => Answer::status(404),
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
        let told = page["info"].take();
        let is_newest = told["version"] == *version;
        let info = if is_newest { told } else { json!({"name": told["name"], "version": version}) };
        Some(json!({"info": info, "urls": files}).to_string().into_bytes())
    }

    /// The answer with `body`, or the part of it that was asked for, or the news that it is the same as before.
    fn headed(&self, request: &Request, kind: &str, body: &[u8]) -> Answer {
        let lifetime = match self.caching {
            Caching::Silent => return encoded(request, kind, body),
            Caching::Validated => "no-cache".to_owned(),
            Caching::Fresh(seconds) => format!("max-age={seconds}"),
        };
        let tag = format!("\"{}\"", Sha256::of(body));
        let known = request.header("if-none-match").is_some_and(|known| known.contains(&tag));
        let answer = if known { Answer::status(304) } else { encoded(request, kind, body) };
        answer.header("ETag", &tag).header("Cache-Control", &lifetime)
    }
}

/// The files that could be meant by `path`, the preferred first, each with its content type.
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

/// Whether JSON has the greatest weight of the types of the Simple API in `accept`.
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

/// The range that was asked for, or the whole: pages in gzip, where that is welcome.
fn encoded(request: &Request, kind: &str, body: &[u8]) -> Answer {
    if let Some(range) = request.header("range") {
        return part(range, kind, body);
    }
    let accepts_gzip = request.header("accept-encoding").is_some_and(|encodings| encodings.contains("gzip"));
    let answer = Answer::ok(kind, body).header("Accept-Ranges", "bytes");
    if !accepts_gzip || kind == "application/octet-stream" {
        return answer;
    }
    Answer { body: gzip(body), ..answer }.header("Content-Encoding", "gzip").header("Vary", "Accept-Encoding")
}

/// The page of a project with more at its end.
fn lengthened(mut page: Vec<u8>) -> Vec<u8> {
    page.truncate(page.trim_ascii_end().len() - 1);
    page.extend_from_slice(br#","more":""#);
    page.resize(page.len() + MORE, b'x');
    page.extend_from_slice(br#""}"#);
    page
}

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(body).and_then(|()| encoder.finish()).expect("memory can be written to")
}

/// One range: `bytes=A-B`, `bytes=A-` or `bytes=-LAST`.
fn part(range: &str, kind: &str, body: &[u8]) -> Answer {
    let ends = range.strip_prefix("bytes=").and_then(|range| range.split_once('-'));
    let span = ends.and_then(|(first, last)| match (first.parse::<usize>(), last.parse::<usize>()) {
        (Ok(first), Ok(last)) => Some((first, last.saturating_add(1).min(body.len()))),
        (Ok(first), Err(_)) => Some((first, body.len())),
        (Err(_), Ok(count)) => Some((body.len().saturating_sub(count), body.len())),
        _ => None,
    });
    match span {
        Some((start, end)) if start < end => {
            let told = format!("bytes {start}-{}/{}", end - 1, body.len());
            Answer { status: 206, ..Answer::ok(kind, &body[start..end]) }.header("Content-Range", &told)
        }
        _ => Answer::status(416).header("Content-Range", &format!("bytes */{}", body.len())),
    }
}

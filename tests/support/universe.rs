//! Made-up packages: real little wheels, and the pages that list them.

use std::collections::BTreeMap;
use std::io::{Cursor, Write};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use pinfast::packaging::Sha256;
use serde_json::{Value, json};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// One release of the text.
struct Release<'a> {
    name: &'a str,
    version: &'a str,
    requires: Vec<&'a str>,
    python: Option<&'a str>,
    /// When it was uploaded; `None` where the index does not tell.
    uploaded: Option<&'a str>,
}

/// The paths of the pages and files of the universe `text`, and what is there.
pub(super) fn pages(text: &str) -> Vec<(String, Vec<u8>)> {
    let mut projects: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for release in releases(text) {
        projects.entry(release.name).or_default().push(release);
    }
    let names: Vec<_> = projects.keys().map(|name| json!({ "name": name })).collect();
    let list = bytes(&json!({ "meta": { "api-version": "1.1" }, "projects": names }));
    let mut pages = vec![("/simple/index.json".to_owned(), list)];
    pages.extend(projects.iter().flat_map(|(name, releases)| project(name, releases)));
    pages
}

fn releases(text: &str) -> Vec<Release<'_>> {
    let mut releases: Vec<Release<'_>> = Vec::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        if !line.starts_with(' ') {
            let (name, version) = line.trim().split_once(' ').expect("a release is NAME VERSION");
            let uploaded = Some("2026-01-01T00:00:00Z");
            releases.push(Release { name, version, requires: Vec::new(), python: None, uploaded });
            continue;
        }
        let release = releases.last_mut().expect("a requirement stands under a release");
        match line.trim().split_once(' ') {
            Some(("python", specifiers)) => release.python = Some(specifiers),
            Some(("uploaded", "unknown")) => release.uploaded = None,
            Some(("uploaded", instant)) => release.uploaded = Some(instant),
            _ => release.requires.push(line.trim()),
        }
    }
    releases
}

fn project(name: &str, releases: &[Release<'_>]) -> Vec<(String, Vec<u8>)> {
    let mut served = Vec::new();
    let mut files = Vec::new();
    for release in releases {
        let wheel = release.wheel();
        let path = format!("/files/{name}/{}", release.filename());
        files.push(release.entry(&wheel));
        served.push((format!("{path}.metadata"), release.metadata().into_bytes()));
        served.push((path, wheel));
    }
    served.push((format!("/simple/{name}/index.json"), bytes(&simple(name, releases, &files))));
    served.push((format!("/simple/{name}/index.html"), html(&files).into_bytes()));
    served.push((format!("/pypi/{name}/json"), bytes(&json_api(name, releases, &files))));
    served
}

fn bytes(value: &Value) -> Vec<u8> {
    value.to_string().into_bytes()
}

impl Release<'_> {
    fn stem(&self) -> String {
        format!("{}-{}", self.name.replace('-', "_"), self.version)
    }

    fn filename(&self) -> String {
        format!("{}-py3-none-any.whl", self.stem())
    }

    fn metadata(&self) -> String {
        let mut text = format!("Metadata-Version: 2.1\nName: {}\nVersion: {}\n", self.name, self.version);
        text.extend(self.python.map(|python| format!("Requires-Python: {python}\n")));
        text.extend(self.requires.iter().map(|requirement| format!("Requires-Dist: {requirement}\n")));
        text
    }

    fn wheel(&self) -> Vec<u8> {
        let module = self.name.replace('-', "_");
        let info = format!("{}.dist-info", self.stem());
        let mut files = vec![
            (format!("{module}.py"), format!("VERSION = \"{}\"\n", self.version)),
            (format!("{info}/METADATA"), self.metadata()),
            (
                format!("{info}/WHEEL"),
                "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n".to_owned(),
            ),
        ];
        let row = |(name, text): &(String, String)| {
            let hash = BASE64_URL_SAFE_NO_PAD.encode(Sha256::of(text.as_bytes()).0);
            format!("{name},sha256={hash},{}\n", text.len())
        };
        let record: String = files.iter().map(row).collect();
        files.push((format!("{info}/RECORD"), format!("{record}{info}/RECORD,,\n")));
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, text) in files {
            zip.start_file(name, SimpleFileOptions::default()).expect("a file can be added");
            zip.write_all(text.as_bytes()).expect("memory can be written to");
        }
        zip.finish().expect("memory can be written to").into_inner()
    }

    /// The file as the Simple API tells of it; the JSON API's fields stand beside them.
    fn entry(&self, wheel: &[u8]) -> Value {
        let sha256 = Sha256::of(wheel).to_string();
        json!({
            "filename": self.filename(),
            "url": format!("../../files/{}/{}", self.name, self.filename()),
            "hashes": { "sha256": sha256 },
            "digests": { "sha256": sha256 },
            "requires-python": self.python,
            "requires_python": self.python,
            "size": wheel.len(),
            "upload-time": self.uploaded,
            "upload_time_iso_8601": self.uploaded,
            "yanked": false,
            "core-metadata": { "sha256": Sha256::of(self.metadata().as_bytes()).to_string() },
        })
    }
}

fn simple(name: &str, releases: &[Release<'_>], files: &[Value]) -> Value {
    let versions: Vec<_> = releases.iter().map(|release| release.version).collect();
    json!({ "meta": { "api-version": "1.1" }, "name": name, "versions": versions, "files": files })
}

fn json_api(name: &str, releases: &[Release<'_>], files: &[Value]) -> Value {
    let newest = releases.last().expect("a project has a release");
    let info = json!({
        "name": name,
        "version": newest.version,
        "requires_dist": newest.requires,
        "requires_python": newest.python,
        "provides_extra": null,
        "yanked": false,
    });
    let told = releases.iter().zip(files).map(|(release, file)| (release.version.to_owned(), json!([file])));
    json!({ "info": info, "releases": Value::Object(told.collect()), "urls": [files.last()] })
}

fn html(files: &[Value]) -> String {
    let link = |file: &Value| {
        let text = |key: &str| file[key].as_str().unwrap_or_default();
        let sha256 = |key: &str| file[key]["sha256"].as_str().unwrap_or_default();
        let python = text("requires-python").replace('<', "&lt;").replace('>', "&gt;");
        format!(
            "<a href=\"{}#sha256={}\" data-requires-python=\"{python}\" data-core-metadata=\"sha256={}\">{}</a><br>\n",
            text("url"),
            sha256("hashes"),
            sha256("core-metadata"),
            text("filename"),
        )
    };
    format!("<!DOCTYPE html><html><body>\n{}</body></html>\n", files.iter().map(link).collect::<String>())
}

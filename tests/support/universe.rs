//! The pages and wheels of a made-up index, for a server or a folder. The text form is that of
//! `pinfast::solve::universe`: what the solver's tests resolve in memory, these tests install.

use std::sync::Arc;

use pinfast::packaging::{DistFile, Metadata, Version};
use pinfast::solve::universe::Universe;
use pinfast::solve::{Index as _, Trust};
use pinfast_testkit::sha256;
use pinfast_testkit::wheel::Wheel;
use serde_json::{Value, json};

/// A release with its one wheel.
struct WheelRelease {
    version: Version,
    file: Arc<DistFile>,
    metadata: Arc<Metadata>,
}

/// The paths and contents of all pages and files of the universe that `text` describes.
pub(crate) fn pages(text: &str) -> Vec<(String, Vec<u8>)> {
    let universe = Universe::parse(text).unwrap_or_else(|error| panic!("{error}"));
    let names: Vec<_> =
        universe.project_names().iter().map(|name| json!({ "name": name.as_str() })).collect();
    let list = bytes(&json!({ "meta": { "api-version": "1.1" }, "projects": names }));
    let mut pages = vec![("/simple/index.json".to_owned(), list)];
    for name in universe.project_names() {
        let listing = universe.listing(&name).ok().flatten().expect("a universe lists its projects");
        let files = listing.all_files().map(|file| WheelRelease {
            version: file.dist.version().clone(),
            file: file.clone(),
            metadata: universe.metadata(file, Trust::File).expect("a served file has sound metadata"),
        });
        pages.extend(project(name.as_str(), &files.collect::<Vec<_>>()));
    }
    pages
}

fn project(name: &str, releases: &[WheelRelease]) -> Vec<(String, Vec<u8>)> {
    let mut served = Vec::new();
    let mut files = Vec::new();
    for release in releases {
        let wheel = release.wheel().build();
        let path = format!("/files/{name}/{}", release.file.filename);
        files.push(release.entry(&wheel));
        served.push((format!("{path}.metadata"), release.wheel().metadata.into_bytes()));
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

impl WheelRelease {
    fn wheel(&self) -> Wheel {
        let module = self.metadata.name.as_str().replace('-', "_");
        let mut wheel = Wheel::new(&module, &self.version.to_string());
        assert_eq!(*self.file.filename, wheel.filename(), "a served release has one wheel for all Pythons");
        wheel.metadata = wheel.metadata.replacen(&module, self.metadata.name.as_str(), 1);
        if let Some(python) = &self.metadata.requires_python {
            wheel = wheel.metadata_lines(&format!("Requires-Python: {python}"));
        }
        for extra in &self.metadata.extras {
            wheel = wheel.metadata_lines(&format!("Provides-Extra: {extra}"));
        }
        for requirement in &self.metadata.requires {
            wheel = wheel.metadata_lines(&format!("Requires-Dist: {requirement}"));
        }
        wheel.file(&format!("{module}.py"), format!("VERSION = \"{}\"\n", self.version))
    }

    fn requires_python(&self) -> Option<String> {
        self.metadata.requires_python.as_ref().map(ToString::to_string)
    }

    /// The file in the fields of both APIs: the Simple API's and the JSON API's have different names.
    fn entry(&self, wheel: &[u8]) -> Value {
        let hash = sha256(wheel);
        let uploaded = self.file.uploaded.map(|time| time.to_string());
        json!({
            "filename": &*self.file.filename,
            "url": format!("../../files/{}/{}", self.metadata.name.as_str(), self.file.filename),
            "hashes": { "sha256": hash },
            "digests": { "sha256": hash },
            "requires-python": self.requires_python(),
            "requires_python": self.requires_python(),
            "size": wheel.len(),
            "upload-time": uploaded,
            "upload_time_iso_8601": uploaded,
            "yanked": false,
            "core-metadata": { "sha256": sha256(self.wheel().metadata.as_bytes()) },
        })
    }
}

fn simple(name: &str, releases: &[WheelRelease], files: &[Value]) -> Value {
    let versions: Vec<_> = releases.iter().map(|release| release.version.to_string()).collect();
    json!({ "meta": { "api-version": "1.1" }, "name": name, "versions": versions, "files": files })
}

fn json_api(name: &str, releases: &[WheelRelease], files: &[Value]) -> Value {
    let newest = releases.last().expect("a project has a release");
    let requires: Vec<_> = newest.metadata.requires.iter().map(ToString::to_string).collect();
    let info = json!({
        "name": name,
        "version": newest.version.to_string(),
        "requires_dist": requires,
        "requires_python": newest.requires_python(),
        "provides_extra": null,
        "yanked": false,
    });
    let by_version =
        releases.iter().zip(files).map(|(release, file)| (release.version.to_string(), json!([file])));
    json!({ "info": info, "releases": Value::Object(by_version.collect()), "urls": [files.last()] })
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

#[cfg(test)]
mod tests {
    #[test]
    fn a_release_has_a_page_entry_a_wheel_and_its_metadata() {
        use super::*;
        let pages = pages("a-b 1.0\n    c[x]>=2\n    requires-python: >=3.9\na-b 2.0\nc 2.0\n");
        let body = |path: &str| {
            let page = pages.iter().find(|(other, _)| other == path);
            &page.unwrap_or_else(|| panic!("{path} is missing")).1
        };
        let json = |path: &str| -> Value { serde_json::from_slice(body(path)).expect("JSON") };
        let file = json("/simple/a-b/index.json")["files"][0].clone();
        assert_eq!(file["filename"], "a_b-1.0-py3-none-any.whl");
        assert_eq!(file["requires-python"], ">=3.9");
        assert_eq!(json("/pypi/a-b/json")["info"]["version"], "2.0");
        let wheel = body("/files/a-b/a_b-1.0-py3-none-any.whl");
        assert_eq!(file["hashes"]["sha256"], sha256(wheel));
        let metadata = body("/files/a-b/a_b-1.0-py3-none-any.whl.metadata");
        let text = String::from_utf8_lossy(metadata);
        assert!(text.contains("Name: a-b\n"), "{text}");
        assert!(text.ends_with("Requires-Python: >=3.9\nRequires-Dist: c[x]>=2\n"), "{text}");
        let mut inside = Vec::new();
        let mut wheel = zip::ZipArchive::new(std::io::Cursor::new(wheel)).expect("an archive");
        let mut member = wheel.by_name("a_b-1.0.dist-info/METADATA").expect("METADATA");
        std::io::Read::read_to_end(&mut member, &mut inside).expect("readable");
        assert_eq!(&inside, metadata);
        let html = String::from_utf8_lossy(body("/simple/c/index.html"));
        assert!(html.contains("../../files/c/c-2.0-py3-none-any.whl#sha256="), "{html}");
    }
}

//! Pages as they are recorded: file URLs of the store's own, keys sorted as the public index sorts them, and what the
//! index lacks made from what it has.

use std::collections::HashMap;

use anyhow::{Context as _, Result};
use serde_json::{Map, Value, json};
use url::Url;

use crate::store::RecordedIndex;

/// The fields of METADATA that `info` holds under the same name with `_`, one value each.
const TEXTS: [&str; 13] = [
    "Author",
    "Author-email",
    "Description-Content-Type",
    "Home-page",
    "Keywords",
    "License",
    "License-Expression",
    "Maintainer",
    "Maintainer-email",
    "Name",
    "Requires-Python",
    "Summary",
    "Version",
];

/// The fields with several values, and their names in `info`.
const LISTS: [(&str, &str); 4] = [
    ("Classifier", "classifiers"),
    ("Dynamic", "dynamic"),
    ("Provides-Extra", "provides_extra"),
    ("Requires-Dist", "requires_dist"),
];

/// Replaces the URL of each file in a page that came from `base`, of either API, by a path of the store.
pub(crate) fn localise(page: &mut Value, base: &Url, store: &RecordedIndex) -> Result<()> {
    for file in files_mut(page) {
        let Some(Value::String(url)) = file.get_mut("url") else { continue };
        let full = base.join(url).with_context(|| format!("{base} lists `{url}`"))?;
        let number = store.origin_number(&full.origin().ascii_serialization())?;
        *url = format!("/files/{number}{}", full.path());
    }
    Ok(())
}

/// Says of each wheel on a Simple page, under both of their names, that its core metadata can be had, as the
/// public index does; with the hash where the page of the JSON API tells it.
pub(crate) fn tell_core_metadata(simple: &mut Value, project: &Value) {
    let told: HashMap<_, _> = files(project)
        .filter_map(|file| Some((file.get("filename")?.as_str()?, file.get("core-metadata")?)))
        .filter(|(_, told)| told.get("sha256").is_some())
        .collect();
    for file in files_mut(simple).filter_map(Value::as_object_mut) {
        let Some(name) = file.get("filename").and_then(Value::as_str).map(str::to_owned) else { continue };
        if name.ends_with(".whl") {
            let told = told.get(name.as_str()).map_or(Value::Bool(true), |&told| told.clone());
            for name in ["core-metadata", "data-dist-info-metadata"] {
                file.entry(name).or_insert_with(|| told.clone());
            }
        }
    }
}

/// The Simple page as HTML.
pub(crate) fn html(simple: &Value) -> String {
    let name = simple.get("name").and_then(Value::as_str).unwrap_or_default();
    let mut html = format!(
        "<!DOCTYPE html>\n<html>\n<head><meta name=\"pypi:repository-version\" content=\"1.1\">\
         <title>Links for {name}</title></head>\n<body>\n<h1>Links for {name}</h1>\n"
    );
    for file in files(simple) {
        let text = |field: &str| file.get(field).and_then(Value::as_str);
        let hash =
            |field: &str| file.get(field).and_then(|hashes| hashes.get("sha256")).and_then(Value::as_str);
        let mut link = format!("<a href=\"{}", text("url").unwrap_or_default());
        link.extend(hash("hashes").map(|hash| format!("#sha256={hash}")));
        link.push('"');
        link.extend(
            text("requires-python").map(|python| format!(" data-requires-python=\"{}\"", escaped(python))),
        );
        link.extend(hash("core-metadata").map(|hash| format!(" data-core-metadata=\"sha256={hash}\"")));
        if file.get("yanked").is_some_and(|yanked| *yanked != Value::Bool(false)) {
            link.push_str(&format!(" data-yanked=\"{}\"", escaped(text("yanked").unwrap_or_default())));
        }
        html.push_str(&format!("{link}>{}</a><br />\n", text("filename").unwrap_or_default()));
    }
    html.push_str("</body>\n</html>\n");
    html
}

/// The page of one release: the project's page of the JSON API without `releases`, with the `info` of that
/// release, from its METADATA.
pub(crate) fn release(project: &Value, version: &str, metadata: &[u8]) -> Option<Value> {
    let files = release_files(project, version)?;
    let info = project.get("info")?;
    let own = info.get("version").and_then(Value::as_str) == Some(version);
    let info = if own { info.clone() } else { info_of(info, metadata, files) };
    Some(json!({
        "info": info,
        "last_serial": project.get("last_serial"),
        "urls": files,
        "vulnerabilities": [],
    }))
}

/// The path in the store of a wheel of that release.
pub(crate) fn wheels_of<'a>(project: &'a Value, version: &str) -> impl Iterator<Item = &'a str> {
    let files = release_files(project, version).and_then(Value::as_array).into_iter().flatten();
    files
        .filter_map(|file| file.get("url")?.as_str()?.strip_prefix("/files/"))
        .filter(|path| path.ends_with(".whl"))
}

/// The releases that a page of the JSON API lists.
pub(crate) fn versions(project: &Value) -> impl Iterator<Item = &String> {
    project.get("releases").and_then(Value::as_object).into_iter().flat_map(Map::keys)
}

/// Each file of a page: its path in the store and its size.
pub(crate) fn sizes(page: &Value) -> impl Iterator<Item = (&str, u64)> {
    files(page).filter_map(|file| {
        Some((file.get("url")?.as_str()?.strip_prefix("/files/")?, file.get("size")?.as_u64()?))
    })
}

fn release_files<'a>(project: &'a Value, version: &str) -> Option<&'a Value> {
    project.get("releases")?.get(version).filter(|files| files.as_array().is_some_and(|all| !all.is_empty()))
}

/// The public index's `info` for METADATA; `newest` has the fields that METADATA does not tell.
fn info_of(newest: &Value, metadata: &[u8], files: &Value) -> Value {
    let text = String::from_utf8_lossy(metadata).replace("\r\n", "\n");
    let (head, body) = text.split_once("\n\n").unwrap_or((&text, ""));
    let fields = fields(head);
    let values = |name: &'static str| fields.iter().filter(move |(key, _)| key.eq_ignore_ascii_case(name));
    let mut info = newest.as_object().cloned().unwrap_or_default();
    for name in TEXTS {
        let value = values(name).next().map(|(_, value)| value.as_str());
        info.insert(name.to_ascii_lowercase().replace('-', "_"), value.into());
    }
    for (name, key) in LISTS {
        let all: Vec<_> = values(name).map(|(_, value)| value.as_str()).collect();
        let value = if all.is_empty() && name != "Classifier" { Value::Null } else { all.into() };
        info.insert(key.to_owned(), value);
    }
    let urls = values("Project-URL").filter_map(|(_, value)| value.split_once(','));
    let urls: Map<_, _> = urls.map(|(key, url)| (key.trim().to_owned(), url.trim().into())).collect();
    info.insert("project_urls".to_owned(), urls.into());
    let described = values("Description").next().map_or(body, |(_, value)| value.as_str());
    info.insert("description".to_owned(), described.into());
    let yanked = files.as_array().is_some_and(|files| {
        files.iter().all(|file| file.get("yanked").and_then(Value::as_bool).unwrap_or_default())
    });
    info.insert("yanked".to_owned(), yanked.into());
    Value::Object(info)
}

/// The fields of the head of METADATA, continued lines joined.
fn fields(head: &str) -> Vec<(String, String)> {
    let mut fields: Vec<(String, String)> = Vec::new();
    for line in head.lines() {
        match (line.starts_with([' ', '\t']), line.split_once(':')) {
            (true, _) => {
                if let Some((_, value)) = fields.last_mut() {
                    value.push('\n');
                    value.push_str(line.trim());
                }
            }
            (false, Some((key, value))) => fields.push((key.to_owned(), value.trim().to_owned())),
            (false, None) => {}
        }
    }
    fields
}

/// The files of a page of either API; of the JSON API those of all releases.
fn files(page: &Value) -> impl Iterator<Item = &Value> {
    let simple = page.get("files").and_then(Value::as_array).into_iter().flatten();
    let releases = page.get("releases").and_then(Value::as_object).into_iter().flat_map(Map::values);
    simple.chain(releases.filter_map(Value::as_array).flatten())
}

fn files_mut(page: &mut Value) -> impl Iterator<Item = &mut Value> {
    let mut lists = Vec::new();
    for (key, value) in page.as_object_mut().into_iter().flatten() {
        match (key.as_str(), value) {
            ("files" | "urls", Value::Array(files)) => lists.push(files),
            ("releases", Value::Object(releases)) => {
                lists.extend(releases.iter_mut().filter_map(|(_, files)| files.as_array_mut()));
            }
            _ => {}
        }
    }
    lists.into_iter().flatten()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project() -> Value {
        json!({
            "info": {"name": "a", "version": "2", "requires_dist": ["b"], "description": "new"},
            "last_serial": 7,
            "releases": {
                "1": [{"filename": "a-1-py3-none-any.whl", "url": "https://f.example/p/a-1-py3-none-any.whl",
                       "size": 5, "yanked": false, "core-metadata": {"sha256": "00"}}],
                "2": [],
            },
            "urls": [],
        })
    }

    #[test]
    fn a_page_is_localised_and_told() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = RecordedIndex::open(folder.path()).expect("a store");
        let base = Url::parse("https://index.example/pypi/a/json").expect("a URL");
        let mut page = project();
        localise(&mut page, &base, &store).expect("readable URLs");
        assert_eq!(sizes(&page).collect::<Vec<_>>(), [("0/p/a-1-py3-none-any.whl", 5)]);
        assert_eq!(wheels_of(&page, "1").collect::<Vec<_>>(), ["0/p/a-1-py3-none-any.whl"]);
        let mut simple = json!({"name": "a", "files": [
            {"filename": "a-1-py3-none-any.whl", "url": "/files/0/p/a-1-py3-none-any.whl",
             "hashes": {"sha256": "11"}, "requires-python": ">=3", "yanked": "bad"},
            {"filename": "a-2-py3-none-any.whl"}, {"filename": "a-2.tar.gz"}]});
        tell_core_metadata(&mut simple, &page);
        assert_eq!(simple["files"][0]["core-metadata"]["sha256"], "00");
        assert_eq!(simple["files"][1]["core-metadata"], true);
        assert_eq!(simple["files"][2].get("core-metadata"), None);
        let html = html(&simple);
        assert!(
            html.contains(
                "<a href=\"/files/0/p/a-1-py3-none-any.whl#sha256=11\" data-requires-python=\"&gt;=3\" \
                 data-core-metadata=\"sha256=00\" data-yanked=\"bad\">a-1-py3-none-any.whl</a>"
            ),
            "{html}"
        );
    }

    #[test]
    fn a_release_is_made_from_its_metadata() {
        let metadata =
            b"Metadata-Version: 2.1\nName: a\nVersion: 1\nRequires-Dist: c\nRequires-Dist: d\n\nold";
        let page = release(&project(), "1", metadata).expect("a release");
        assert_eq!(page["info"]["requires_dist"], json!(["c", "d"]));
        assert_eq!(page["info"]["version"], "1");
        assert_eq!(page["info"]["description"], "old");
        assert_eq!(page["urls"].as_array().map(Vec::len), Some(1));
        assert_eq!(release(&project(), "2", metadata), None, "a release without files");
        assert_eq!(release(&project(), "3", metadata), None);
    }
}

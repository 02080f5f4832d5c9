//! A static `[project]` table (PEP 621) -> metadata.
//!
//! It counts only where dependencies, extras and Requires-Python are all static, and name and version are the
//! release's.

use pinfast_packaging::{Metadata, MetadataError, PackageName, Version};

/// The metadata of the release `version` of `name`; `None` where it is not static.
pub(super) fn parse_static(
    text: &[u8],
    name: &PackageName,
    version: &Version,
) -> Option<Result<Metadata, MetadataError>> {
    let document: toml::Table = std::str::from_utf8(text).ok()?.parse().ok()?;
    let project = document.get("project")?.as_table()?;
    let dynamic = strings(project.get("dynamic"))?;
    let is_static = |field: &str| !dynamic.iter().any(|name| name == field);
    if !["dependencies", "optional-dependencies", "requires-python"].into_iter().all(is_static) {
        return None;
    }
    // The name may not be dynamic (PEP 621), so a table without one is broken.
    if PackageName::new(project.get("name")?.as_str()?).as_ref() != Ok(name) {
        return None;
    }
    // Another version may come from a forgotten edit; only a build can tell.
    match project.get("version") {
        Some(text) if text.as_str()?.parse::<Version>().as_ref() == Ok(version) => {}
        None if !is_static("version") => {}
        _ => return None,
    }
    let (requires, extras) = requirements(project)?;
    let python = project.get("requires-python").map(toml::Value::as_str);
    // It is there, but is no string.
    if python == Some(None) {
        return None;
    }
    Some(Metadata::of_release(name, version, &requires, python.flatten(), &extras).map(as_file_metadata))
}

/// `dependencies` and `optional-dependencies` as `Requires-Dist` and `Provides-Extra`.
fn requirements(project: &toml::Table) -> Option<(Vec<String>, Vec<String>)> {
    let mut requires = strings(project.get("dependencies"))?;
    let mut extras = Vec::new();
    if let Some(optional) = project.get("optional-dependencies") {
        for (extra, texts) in optional.as_table()? {
            for text in strings(Some(texts))? {
                requires.push(under_extra(&text, extra));
            }
            extras.push(extra.clone());
        }
    }
    Some((requires, extras))
}

/// A requirement of an extra (PEP 508). After `;` comes its marker; a space ends a URL.
fn under_extra(text: &str, extra: &str) -> String {
    let name =
        pinfast_packaging::ExtraName::new(extra).map_or_else(|_| extra.to_owned(), |name| name.to_string());
    match text.split_once(';') {
        Some((requirement, marker)) => format!("{requirement}; ({marker}) and extra == '{name}'"),
        None => format!("{text} ; extra == '{name}'"),
    }
}

/// An array of strings; a missing one is empty, and anything else is `None`.
fn strings(value: Option<&toml::Value>) -> Option<Vec<String>> {
    let Some(value) = value else { return Some(Vec::new()) };
    value.as_array()?.iter().map(|text| text.as_str().map(str::to_owned)).collect()
}

/// Marks the metadata as the file's own statement, which no later check needs to confirm.
fn as_file_metadata(metadata: Metadata) -> Metadata {
    Metadata { source: pinfast_packaging::MetadataSource::File, ..metadata }
}

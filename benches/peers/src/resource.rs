//! What an index serves: the path of a URL as a value, and its place in the recorded index.

use std::path::{Component, Path, PathBuf};

/// One thing that the index serves.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Resource {
    /// `/simple/NAME/` as JSON (PEP 691).
    Simple(String),
    /// The same as HTML (PEP 503).
    Html(String),
    /// `/pypi/NAME/json`
    Project(String),
    /// `/pypi/NAME/VERSION/json`
    Release(String, String),
    /// `/files/PATH.metadata`, by the path of its wheel.
    Metadata(String),
    /// `/files/PATH`
    File(String),
}

impl Resource {
    /// The resource at `path` for a client that accepts `accept`; `None` where an index has nothing.
    pub(crate) fn at(path: &str, accept: &str) -> Option<Self> {
        if Path::new(path).components().any(|part| part == Component::ParentDir) {
            return None;
        }
        if let Some(file) = path.strip_prefix("/files/") {
            return Some(match file.strip_suffix(".metadata") {
                Some(wheel) => Self::Metadata(wheel.to_owned()),
                None => Self::File(file.to_owned()),
            });
        }
        let words: Vec<_> = path.trim_matches('/').split('/').map(str::to_owned).collect();
        match words.as_slice() {
            [simple, name] if simple == "simple" && accept.contains("simple.v1+json") => {
                Some(Self::Simple(name.clone()))
            }
            [simple, name] if simple == "simple" => Some(Self::Html(name.clone())),
            [pypi, name, json] if pypi == "pypi" && json == "json" => Some(Self::Project(name.clone())),
            [pypi, name, version, json] if pypi == "pypi" && json == "json" => {
                Some(Self::Release(name.clone(), version.clone()))
            }
            _ => None,
        }
    }

    /// Its file in the recorded index; pages are gzip.
    pub(crate) fn place(&self) -> PathBuf {
        match self {
            Self::Simple(name) => format!("simple/{name}.json.gz").into(),
            Self::Html(name) => format!("simple/{name}.html.gz").into(),
            Self::Project(name) => format!("project/{name}.json.gz").into(),
            Self::Release(name, version) => format!("release/{name}/{version}.json.gz").into(),
            Self::Metadata(wheel) => format!("files/{wheel}.metadata").into(),
            Self::File(file) => format!("files/{file}").into(),
        }
    }

    /// Whether it is a page, which may change and is gzip, or a file.
    pub(crate) fn is_page(&self) -> bool {
        !matches!(self, Self::Metadata(_) | Self::File(_))
    }

    pub(crate) fn content_type(&self) -> &'static str {
        match self {
            Self::Simple(_) => "application/vnd.pypi.simple.v1+json",
            Self::Html(_) => "text/html; charset=utf-8",
            Self::Project(_) | Self::Release(..) => "application/json",
            Self::Metadata(_) | Self::File(_) => "application/octet-stream",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_a_thing() {
        let json = "application/vnd.pypi.simple.v1+json, text/html;q=0.1";
        for (path, accept, resource) in [
            ("/simple/a/", json, Some(Resource::Simple("a".into()))),
            ("/simple/a/", "text/html", Some(Resource::Html("a".into()))),
            ("/pypi/a/json", "*/*", Some(Resource::Project("a".into()))),
            ("/pypi/a/1.0/json", "*/*", Some(Resource::Release("a".into(), "1.0".into()))),
            ("/files/0/p/a-1.whl", "*/*", Some(Resource::File("0/p/a-1.whl".into()))),
            ("/files/0/p/a-1.whl.metadata", "*/*", Some(Resource::Metadata("0/p/a-1.whl".into()))),
            ("/files/../x", "*/*", None),
            ("/", "*/*", None),
        ] {
            assert_eq!(Resource::at(path, accept), resource, "{path}");
        }
    }
}

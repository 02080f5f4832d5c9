//! The build system of a source tree: the table `[build-system]` of its `pyproject.toml` (PEP 517, PEP 518).

use std::io::Read as _;
use std::path::{Component, Path, PathBuf};

use super::failure::BuildFailure;
use pinfast_packaging::Requirement;

/// The largest `pyproject.toml`, in bytes.
const MAX_PYPROJECT_BYTES: u64 = 16 << 20;

/// What builds a source tree.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct BuildSystem {
    /// `build-backend`, such as `setuptools.build_meta`.
    pub(super) backend: String,
    /// `backend-path`: folders in the source tree to import the backend from, as absolute paths.
    pub(super) backend_path: Vec<PathBuf>,
    /// `requires`: what must be installed before the backend can be imported.
    pub(super) requires: Vec<Requirement>,
}

impl BuildSystem {
    /// Reads the build system of the source tree at `folder`.
    pub(super) fn of_source_tree(folder: &Path) -> Result<Self, BuildFailure> {
        let bad = |why: &str| BuildFailure::candidate(format!("its pyproject.toml cannot be used: {why}"));
        let path = folder.join("pyproject.toml");
        // A link, a pipe or a device does not count: reading it could leave the tree or block.
        if !path.symlink_metadata().is_ok_and(|metadata| metadata.is_file()) {
            return Self::parse("", folder).map_err(|why| bad(&why));
        }
        let mut text = String::new();
        let file = std::fs::File::open(&path).map_err(|error| bad(&error.to_string()))?;
        let length = file
            .take(MAX_PYPROJECT_BYTES)
            .read_to_string(&mut text)
            .map_err(|error| bad(&error.to_string()))?;
        if length as u64 == MAX_PYPROJECT_BYTES {
            return Err(bad("it is too large"));
        }
        Self::parse(&text, folder).map_err(|why| bad(&why))
    }

    fn parse(text: &str, folder: &Path) -> Result<Self, String> {
        let document: toml::Table =
            text.parse().map_err(|error: toml::de::Error| error.message().to_owned())?;
        let Some(table) = document.get("build-system") else { return Self::new(None, None, None, folder) };
        let table = table.as_table().ok_or("`build-system` is not a table")?;
        let backend = match table.get("build-backend") {
            None => None,
            Some(backend) => Some(backend.as_str().ok_or("`build-backend` is not a string")?),
        };
        let requires = strings(table, "requires")?.ok_or("`build-system` has no `requires`")?;
        Self::new(backend, strings(table, "backend-path")?, Some(requires), folder)
    }

    fn new(
        backend: Option<&str>,
        path: Option<Vec<&str>>,
        requires: Option<Vec<&str>>,
        folder: &Path,
    ) -> Result<Self, String> {
        let path = path.unwrap_or_default();
        if backend.is_none() && !path.is_empty() {
            return Err("it has a `backend-path` without a `build-backend`".to_owned());
        }
        Ok(Self {
            backend: backend.unwrap_or(LEGACY_BACKEND).to_owned(),
            backend_path: path.into_iter().map(|path| inside(folder, path)).collect::<Result<_, _>>()?,
            requires: parse_requirements(requires.unwrap_or_else(|| vec!["setuptools"]))?,
        })
    }
}

/// The backend of a source tree without `build-backend`, as PEP 517 has it: setuptools with `setup.py`.
const LEGACY_BACKEND: &str = "setuptools.build_meta:__legacy__";

fn strings<'t>(table: &'t toml::Table, key: &str) -> Result<Option<Vec<&'t str>>, String> {
    let Some(value) = table.get(key) else { return Ok(None) };
    let all: Option<Vec<_>> = value.as_array().and_then(|all| all.iter().map(toml::Value::as_str).collect());
    all.map(Some).ok_or_else(|| format!("`{key}` is not a list of strings"))
}

fn inside(folder: &Path, path: &str) -> Result<PathBuf, String> {
    let plain = |part: Component<'_>| matches!(part, Component::Normal(_) | Component::CurDir);
    if Path::new(path).components().all(plain) {
        Ok(folder.join(path))
    } else {
        Err(format!("its backend-path `{path}` leads out of the source"))
    }
}

/// Parses requirements that a source tree or its backend names.
pub(super) fn parse_requirements<'t>(
    texts: impl IntoIterator<Item = &'t str>,
) -> Result<Vec<Requirement>, String> {
    let parse = |text| {
        Requirement::parse_lenient(text).map_err(|error| format!("`{text}` is not a requirement: {error}"))
    };
    texts.into_iter().map(parse).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<BuildSystem, String> {
        BuildSystem::parse(text, Path::new("/s"))
    }

    #[test]
    fn a_tree_without_a_backend_is_built_by_setuptools() {
        for text in ["", "[project]\nname = 'a'\n"] {
            let system = parse(text).unwrap();
            assert_eq!(system.backend, "setuptools.build_meta:__legacy__");
            assert_eq!(system.requires, parse_requirements(["setuptools"]).unwrap());
        }
        let system = parse("[build-system]\nrequires = ['a>1']\n").unwrap();
        assert_eq!((system.backend.as_str(), system.requires.len()), (LEGACY_BACKEND, 1));
        assert_eq!(system.requires, parse_requirements(["a>1"]).unwrap());
    }

    #[test]
    fn a_backend_path_must_stay_in_the_source() {
        let of = |path: &str| {
            parse(&format!("[build-system]\nrequires = []\nbuild-backend = 'b'\nbackend-path = ['{path}']\n"))
        };
        assert_eq!(of("x/y").unwrap().backend_path, [PathBuf::from("/s/x/y")]);
        for path in ["/etc", "..", "x/../../y"] {
            assert!(of(path).unwrap_err().contains("leads out of the source"), "{path}");
        }
    }

    #[test]
    fn a_wrong_build_system_is_an_error() {
        for (text, why) in [
            ("[build-system]\n", "no `requires`"),
            ("build-system = 1\n", "not a table"),
            ("[build-system]\nrequires = 'a'\n", "not a list"),
            ("[build-system]\nrequires = ['=']\n", "not a requirement"),
            ("[build-system]\nrequires = []\nbuild-backend = 1\n", "not a string"),
            ("[build-system]\nrequires = []\nbackend-path = ['.']\n", "without a `build-backend`"),
            ("[", ""),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}

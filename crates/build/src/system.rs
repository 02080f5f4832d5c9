//! How an sdist wants to be built: the `[build-system]` table of its `pyproject.toml` (PEP 517, PEP 518).

use std::io::Read as _;
use std::path::{Component, Path, PathBuf};

use super::Fault;
use pinfast_packaging::Requirement;

/// The most bytes of a `pyproject.toml`.
const MOST: u64 = 16 << 20;

/// What builds an sdist.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct System {
    /// `build-backend`, such as `setuptools.build_meta`.
    pub(super) backend: String,
    /// `backend-path`, absolute, inside of the source.
    pub(super) path: Vec<PathBuf>,
    /// `requires`
    pub(super) requires: Vec<Requirement>,
}

impl System {
    /// Reads that of the source in `folder`.
    pub(super) fn of(folder: &Path) -> Result<Self, Fault> {
        let bad = |why: &str| Fault::candidate(format!("its pyproject.toml cannot be used: {why}"));
        let path = folder.join("pyproject.toml");
        // A link, a pipe or a device is none.
        if !path.symlink_metadata().is_ok_and(|found| found.is_file()) {
            return Self::read("", folder).map_err(|why| bad(&why));
        }
        let mut text = String::new();
        let file = std::fs::File::open(&path).map_err(|error| bad(&error.to_string()))?;
        let read = file.take(MOST).read_to_string(&mut text).map_err(|error| bad(&error.to_string()))?;
        if read as u64 == MOST {
            return Err(bad("it is too large"));
        }
        Self::read(&text, folder).map_err(|why| bad(&why))
    }

    fn read(text: &str, folder: &Path) -> Result<Self, String> {
        let document: toml::Table =
            text.parse().map_err(|error: toml::de::Error| error.message().to_owned())?;
        let Some(table) = document.get("build-system") else { return Self::new(None, None, None, folder) };
        let table = table.as_table().ok_or("`build-system` is no table")?;
        let backend = match table.get("build-backend") {
            None => None,
            Some(backend) => Some(backend.as_str().ok_or("`build-backend` is no text")?),
        };
        let requires = texts(table, "requires")?.ok_or("`build-system` has no `requires`")?;
        Self::new(backend, texts(table, "backend-path")?, Some(requires), folder)
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
            backend: backend.unwrap_or(LEGACY).to_owned(),
            path: path.into_iter().map(|path| inside(folder, path)).collect::<Result<_, _>>()?,
            requires: requirements(requires.unwrap_or_else(|| vec!["setuptools"]))?,
        })
    }
}

/// What builds a source that does not say what builds it.
const LEGACY: &str = "setuptools.build_meta:__legacy__";

fn texts<'t>(table: &'t toml::Table, key: &str) -> Result<Option<Vec<&'t str>>, String> {
    let Some(value) = table.get(key) else { return Ok(None) };
    let all: Option<Vec<_>> = value.as_array().and_then(|all| all.iter().map(toml::Value::as_str).collect());
    all.map(Some).ok_or_else(|| format!("`{key}` is no list of texts"))
}

fn inside(folder: &Path, path: &str) -> Result<PathBuf, String> {
    let plain = |part: Component<'_>| matches!(part, Component::Normal(_) | Component::CurDir);
    if Path::new(path).components().all(plain) {
        Ok(folder.join(path))
    } else {
        Err(format!("its backend-path `{path}` leads out of it"))
    }
}

/// Reads requirements that a source or its backend names.
pub(super) fn requirements<'t>(texts: impl IntoIterator<Item = &'t str>) -> Result<Vec<Requirement>, String> {
    let read = |text| {
        Requirement::parse_lenient(text).map_err(|error| format!("`{text}` is no requirement: {error}"))
    };
    texts.into_iter().map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<System, String> {
        System::read(text, Path::new("/s"))
    }

    #[test]
    fn what_says_nothing_is_built_by_setuptools() {
        for text in ["", "[project]\nname = 'a'\n"] {
            let system = read(text).unwrap();
            assert_eq!(system.backend, "setuptools.build_meta:__legacy__");
            assert_eq!(system.requires, requirements(["setuptools"]).unwrap());
        }
        let system = read("[build-system]\nrequires = ['a>1']\n").unwrap();
        assert_eq!((system.backend.as_str(), system.requires.len()), (LEGACY, 1));
        assert_eq!(system.requires, requirements(["a>1"]).unwrap());
    }

    #[test]
    fn a_backend_in_the_tree_stays_in_it() {
        let of = |path: &str| {
            read(&format!("[build-system]\nrequires = []\nbuild-backend = 'b'\nbackend-path = ['{path}']\n"))
        };
        assert_eq!(of("x/y").unwrap().path, [PathBuf::from("/s/x/y")]);
        for path in ["/etc", "..", "x/../../y"] {
            assert!(of(path).unwrap_err().contains("leads out of it"), "{path}");
        }
    }

    #[test]
    fn nonsense_is_said() {
        for (text, why) in [
            ("[build-system]\n", "no `requires`"),
            ("build-system = 1\n", "no table"),
            ("[build-system]\nrequires = 'a'\n", "no list"),
            ("[build-system]\nrequires = ['=']\n", "no requirement"),
            ("[build-system]\nrequires = []\nbuild-backend = 1\n", "no text"),
            ("[build-system]\nrequires = []\nbackend-path = ['.']\n", "without a `build-backend`"),
            ("[", ""),
        ] {
            let said = read(text).unwrap_err();
            assert!(said.contains(why), "{text}: {said}");
        }
    }
}

//! The project's settings: `pinfast.toml`, or `[tool.pinfast]` of `pyproject.toml`.
//!
//! The current folder is looked at first, then its parents up to the root of the project (the folder
//! that holds `.git`) or of the file system; the first settings found are all that counts, nothing is
//! merged. In one folder `pinfast.toml` wins. Relative paths in it stand in its own folder.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::ProcessEnv;
use super::deploy::Deploy;
use super::indexes::{Layer, Missing, Said};
use super::section::{Item, Place, Placed, Section, TextOrTable};
use pinfast_base::error::{Error, Result};
use pinfast_inputs::FormatControl;
use pinfast_packaging::{PackageName, Platform, Version};

/// What the project's settings say; each value knows its place. A text that another room understands
/// (a resolution mode, a date) is kept as it is, to be read with [`Placed::parse`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// The file, where there is one.
    pub file: Option<PathBuf>,
    /// The folder in which the file's relative paths stand.
    pub folder: PathBuf,
    /// `index-url`
    pub index_url: Option<Placed<String>>,
    /// `extra-index-url`
    pub extra_index_urls: Vec<Placed<String>>,
    /// `find-links`
    pub find_links: Vec<Placed<String>>,
    /// `no-index`
    pub no_index: Option<Placed<bool>>,
    /// `indexes`: names of indexes and their URLs.
    pub indexes: BTreeMap<String, Placed<String>>,
    /// `sources`: the one index that a package is taken from: a name of `indexes`, a URL or a folder.
    pub sources: BTreeMap<PackageName, Placed<String>>,
    /// `python`
    pub python: Option<Placed<String>>,
    /// `targets`, each a pair of Python version and platform.
    pub targets: Vec<Placed<DeclaredTarget>>,
    /// `python-version`
    pub python_versions: Vec<Placed<Version>>,
    /// `platform`
    pub platforms: Vec<Placed<Platform>>,
    /// `universal`
    pub universal: Option<Placed<bool>>,
    /// `constraints`: files.
    pub constraints: Vec<Placed<String>>,
    /// `overrides`: files.
    pub overrides: Vec<Placed<String>>,
    /// `extras`
    pub extras: Vec<Placed<String>>,
    /// `all-extras`
    pub all_extras: Option<Placed<bool>>,
    /// `groups`
    pub groups: Vec<Placed<String>>,
    /// `resolution`
    pub resolution: Option<Placed<String>>,
    /// `prerelease`, for all packages
    pub prerelease: Option<Placed<String>>,
    /// `prerelease`, for single packages
    pub prerelease_of: BTreeMap<PackageName, Placed<String>>,
    /// `exclude-newer`, for all packages
    pub exclude_newer: Option<Placed<String>>,
    /// `exclude-newer`, for single packages
    pub exclude_newer_of: BTreeMap<PackageName, Placed<String>>,
    /// `hashes`
    pub hashes: Option<Placed<String>>,
    /// `no-binary`
    pub no_binary: Option<Placed<FormatControl>>,
    /// `only-binary`
    pub only_binary: Option<Placed<FormatControl>>,
    /// `no-build`
    pub no_build: Option<Placed<bool>>,
    /// `allow-build`
    pub allow_build: Vec<Placed<String>>,
    /// `offline`
    pub offline: Option<Placed<bool>>,
    /// `annotate`
    pub annotate: Option<Placed<bool>>,
    /// `cache-dir`
    pub cache_dir: Option<Placed<String>>,
    /// `deploy`
    pub deploy: Option<Deploy>,
    /// What a person should know, each a sentence without a full stop.
    pub warnings: Vec<String>,
}

/// A pair of Python version and platform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeclaredTarget {
    /// The Python version.
    pub python: Version,
    /// The platform.
    pub platform: Platform,
}

/// The settings' own file.
const OWN: &str = "pinfast.toml";
/// The file that may hold a `[tool.pinfast]`.
const SHARED: &str = "pyproject.toml";

impl Settings {
    /// The settings that hold in the current folder; empty where there are none.
    ///
    /// # Errors
    /// Usage: a file that cannot be read or is not TOML, an unknown key, a value that makes no sense.
    pub fn find(env: &ProcessEnv) -> Result<Self> {
        for (depth, folder) in env.project_folders().enumerate() {
            let up = "../".repeat(depth);
            let own = read(&folder.join(OWN), &format!("{up}{OWN}"))?;
            let shared = in_pyproject(&folder.join(SHARED), &format!("{up}{SHARED}"))?;
            let passed_over = own.is_some() && shared.is_some();
            let found = own.map(|own| (OWN, own)).or(shared.map(|shared| (SHARED, shared)));
            if let Some((name, section)) = found {
                let mut settings = Self::of(section)?;
                settings.file = Some(folder.join(name));
                folder.clone_into(&mut settings.folder);
                if passed_over {
                    settings.warnings.push(format!("{up}{OWN} counts, not [tool.pinfast] of {up}{SHARED}"));
                }
                return Ok(settings);
            }
        }
        Ok(Self { folder: env.current_dir().to_owned(), ..Self::default() })
    }

    /// Reads the settings in a table.
    ///
    /// # Errors
    /// Usage: an unknown key, a value that makes no sense.
    pub fn of(mut section: Section) -> Result<Self> {
        let (prerelease, prerelease_of) = by_package(section.text_or_table("prerelease")?)?;
        let (exclude_newer, exclude_newer_of) = by_package(section.text_or_table("exclude-newer")?)?;
        let (_, sources) = by_package((None, section.text_table("sources")?))?;
        let indexes = section.text_table("indexes")?;
        let settings = Self {
            index_url: section.text("index-url")?,
            extra_index_urls: section.texts("extra-index-url")?,
            find_links: section.texts("find-links")?,
            no_index: section.flag("no-index")?,
            indexes: indexes.into_iter().map(|(name, (_, url))| (name, url)).collect(),
            sources,
            python: section.text("python")?,
            targets: section.items("targets")?.into_iter().map(target).collect::<Result<_>>()?,
            python_versions: parsed(section.texts("python-version")?)?,
            platforms: parsed(section.texts("platform")?)?,
            universal: section.flag("universal")?,
            constraints: section.texts("constraints")?,
            overrides: section.texts("overrides")?,
            extras: section.texts("extras")?,
            all_extras: section.flag("all-extras")?,
            groups: section.texts("groups")?,
            resolution: section.text("resolution")?,
            prerelease,
            prerelease_of,
            exclude_newer,
            exclude_newer_of,
            hashes: section.text("hashes")?,
            no_binary: format_control(section.texts("no-binary")?)?,
            only_binary: format_control(section.texts("only-binary")?)?,
            no_build: section.flag("no-build")?,
            allow_build: section.texts("allow-build")?,
            offline: section.flag("offline")?,
            annotate: section.flag("annotate")?,
            cache_dir: section.text("cache-dir")?,
            deploy: section.table("deploy")?.map(Deploy::of).transpose()?,
            ..Self::default()
        };
        section.finish()?;
        settings.check_sources()?;
        settings.check_targets()?;
        Ok(settings)
    }

    /// A path in the settings, seen from the folder in which they stand.
    #[must_use]
    pub fn path(&self, path: &Placed<String>, env: &ProcessEnv) -> PathBuf {
        env.expand(&path.value, &self.folder)
    }

    /// What the settings say of indexes.
    #[must_use]
    pub fn index_layer(&self) -> Layer {
        let no_index = self.no_index.as_ref().filter(|no_index| no_index.value);
        Layer {
            index_url: self.index_url.as_ref().map(|url| self.said(url)),
            extra_index_urls: self.extra_index_urls.iter().map(|url| self.said(url)).collect(),
            find_links: self.find_links.iter().map(|place| self.said(place)).collect(),
            no_index: no_index.map(|no_index| no_index.place.location().to_string()),
        }
    }

    /// The index that `package` must be taken from, if `sources` names one.
    #[must_use]
    pub fn source_of(&self, package: &PackageName) -> Option<Said> {
        let source = self.sources.get(package)?;
        Some(self.said(self.indexes.get(&source.value).unwrap_or(source)))
    }

    fn said(&self, text: &Placed<String>) -> Said {
        Said {
            text: text.value.clone(),
            said_by: text.place.location().to_string(),
            bases: vec![self.folder.clone()],
            missing: Missing::Wrong,
        }
    }

    /// Targets are said in one way.
    fn check_targets(&self) -> Result<()> {
        let other = (self.python_versions.first().map(|version| (&version.place, "python-version")))
            .or(self.platforms.first().map(|platform| (&platform.place, "platform")))
            .or(self.universal.as_ref().filter(|on| on.value).map(|on| (&on.place, "universal")));
        match other.filter(|_| !self.targets.is_empty()) {
            Some((place, key)) => {
                Err(place.error(format_args!("both `targets` and `{key}` say what to lock for")))
            }
            None => Ok(()),
        }
    }

    /// A source that is a plain word must be the name of an index.
    fn check_sources(&self) -> Result<()> {
        let is_word = |text: &str| !text.contains([':', '/', '\\']) && !text.starts_with('.');
        let lost = self
            .sources
            .values()
            .find(|source| is_word(&source.value) && !self.indexes.contains_key(&source.value));
        lost.map_or(Ok(()), |source| {
            let message = format_args!("no index is called `{}`", source.value);
            Err(source.place.error(message).hint(format!(
                "name it under `indexes`: indexes = {{ {} = \"URL\" }}; or give its URL here",
                source.value
            )))
        })
    }
}

fn read(file: &Path, name: &str) -> Result<Option<Section>> {
    match fs::read_to_string(file) {
        Ok(text) => Section::read(name, text).map(Some),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(Error::usage(format!("{name} cannot be read")).because(error)),
    }
}

/// `[tool.pinfast]`, if there is one; a file that does not even hold that word is not parsed.
fn in_pyproject(file: &Path, name: &str) -> Result<Option<Section>> {
    let mentions = fs::read(file).is_ok_and(|text| text.windows(7).any(|word| word == b"pinfast"));
    if !mentions {
        return Ok(None);
    }
    let Some(mut document) = read(file, name)? else {
        return Ok(None);
    };
    let Some(mut tool) = document.table("tool")? else {
        return Ok(None);
    };
    tool.table("pinfast")
}

/// `3.11 linux`, or a table of `python` and `platform`.
fn target(item: Item) -> Result<Placed<DeclaredTarget>> {
    let (python, platform, place) = match item {
        Item::Text(text) => {
            let words: Vec<_> = text.value.split_whitespace().collect();
            let [python, platform] = words[..] else {
                return Err(text
                    .place
                    .error("a target is a Python version and a platform, such as `3.11 linux`"));
            };
            let placed = |word: &str| Placed { value: word.to_owned(), place: text.place.clone() };
            (placed(python), placed(platform), text.place.clone())
        }
        Item::Table(mut table) => {
            let (python, platform) = (table.text("python")?, table.text("platform")?);
            let place = table.place().clone();
            table.finish()?;
            let (Some(python), Some(platform)) = (python, platform) else {
                return Err(place.error("a target has both `python` and `platform`"));
            };
            (python, platform, place)
        }
    };
    let (python, platform) = (python.parse()?.value, platform.parse()?.value);
    Ok(Placed { value: DeclaredTarget { python, platform }, place })
}

fn parsed<T: std::str::FromStr<Err: std::fmt::Display>>(
    texts: Vec<Placed<String>>,
) -> Result<Vec<Placed<T>>> {
    texts.iter().map(Placed::parse).collect()
}

type ByPackage = (Option<Placed<String>>, BTreeMap<PackageName, Placed<String>>);

fn by_package((all, single): TextOrTable) -> Result<ByPackage> {
    let named = |(name, (key, text)): (String, (Place, Placed<String>))| {
        PackageName::new(&name).map(|name| (name, text)).map_err(|error| key.error(error))
    };
    Ok((all, single.into_iter().map(named).collect::<Result<_>>()?))
}

/// `:all:`, `:none:` or names; like pip, a special word undoes what stands before it.
fn format_control(texts: Vec<Placed<String>>) -> Result<Option<Placed<FormatControl>>> {
    let Some(place) = texts.first().map(|text| text.place.clone()) else {
        return Ok(None);
    };
    let mut control = FormatControl::Packages(Vec::new());
    for text in &texts {
        match (text.value.as_str(), &mut control) {
            (":all:", _) => control = FormatControl::All,
            (":none:", _) => control = FormatControl::None,
            (name, FormatControl::Packages(names)) => names.push(package(name, text)?),
            (_, FormatControl::All) => {}
            (name, FormatControl::None) => control = FormatControl::Packages(vec![package(name, text)?]),
        }
    }
    Ok(Some(Placed { value: control, place }))
}

fn package(name: &str, text: &Placed<String>) -> Result<PackageName> {
    PackageName::new(name).map_err(|error| text.place.error(error))
}

#[cfg(test)]
mod tests;

//! The project's settings: `pinfast.toml`, or `[tool.pinfast]` in `pyproject.toml`.
//!
//! The search begins in the current folder and goes up to the project's root (the folder with `.git`). The first
//! file found is used alone; files are not merged. In one folder, `pinfast.toml` wins. A relative path in the
//! file starts from the file's folder.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::ProcessEnv;
use super::deploy_settings::DeploySettings;
use super::indexes::{IndexOptions, IndexReference, MissingFolder};
use super::settings_table::{ListItem, Setting, SettingsTable, TextOrTable, TomlSpan};
use pinfast_base::error::{Error, Result};
use pinfast_inputs::FormatControl;
use pinfast_packaging::{PackageName, Platform, Version};

/// The project's settings; each value knows its place in the file.
///
/// Values that a higher crate defines, such as a resolution mode, stay text; [`Setting::parse`] reads them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// The file; `None` if there is none.
    pub file: Option<PathBuf>,
    /// The folder that the file's relative paths start from.
    pub folder: PathBuf,
    /// `index-url`
    pub index_url: Option<Setting<String>>,
    /// `extra-index-url`
    pub extra_index_urls: Vec<Setting<String>>,
    /// `find-links`
    pub find_links: Vec<Setting<String>>,
    /// `no-index`
    pub no_index: Option<Setting<bool>>,
    /// `indexes`: the URL of each named index.
    pub indexes: BTreeMap<String, Setting<String>>,
    /// `sources`: the only index that provides a package, as a key of `indexes`, a URL or a folder.
    pub sources: BTreeMap<PackageName, Setting<String>>,
    /// `python`
    pub python: Option<Setting<String>>,
    /// `targets`
    pub targets: Vec<Setting<DeclaredTarget>>,
    /// `python-version`
    pub python_versions: Vec<Setting<Version>>,
    /// `platform`
    pub platforms: Vec<Setting<Platform>>,
    /// `universal`
    pub universal: Option<Setting<bool>>,
    /// `constraints`: files.
    pub constraints: Vec<Setting<String>>,
    /// `overrides`: files.
    pub overrides: Vec<Setting<String>>,
    /// `extras`
    pub extras: Vec<Setting<String>>,
    /// `all-extras`
    pub all_extras: Option<Setting<bool>>,
    /// `groups`
    pub groups: Vec<Setting<String>>,
    /// `resolution`
    pub resolution: Option<Setting<String>>,
    /// `prerelease`, for all packages
    pub prerelease: Option<Setting<String>>,
    /// `prerelease`, for single packages
    pub prerelease_of: BTreeMap<PackageName, Setting<String>>,
    /// `exclude-newer`, for all packages
    pub exclude_newer: Option<Setting<String>>,
    /// `exclude-newer`, for single packages
    pub exclude_newer_of: BTreeMap<PackageName, Setting<String>>,
    /// `hashes`
    pub hashes: Option<Setting<String>>,
    /// `no-binary`
    pub no_binary: Option<Setting<FormatControl>>,
    /// `only-binary`
    pub only_binary: Option<Setting<FormatControl>>,
    /// `no-build`
    pub no_build: Option<Setting<bool>>,
    /// `allow-build`
    pub allow_build: Vec<Setting<String>>,
    /// `offline`
    pub offline: Option<Setting<bool>>,
    /// `annotate`
    pub annotate: Option<Setting<bool>>,
    /// `cache-dir`
    pub cache_dir: Option<Setting<String>>,
    /// `deploy`
    pub deploy: Option<DeploySettings>,
    /// Sentences without a full stop.
    pub warnings: Vec<String>,
}

/// A target environment: a Python version on a platform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeclaredTarget {
    /// The Python version.
    pub python: Version,
    /// The platform.
    pub platform: Platform,
}

/// The file that holds only settings.
const PINFAST_TOML: &str = "pinfast.toml";
/// The file in which `[tool.pinfast]` holds settings.
const PYPROJECT_TOML: &str = "pyproject.toml";

impl Settings {
    /// Finds and reads the settings for the current folder; without a file they are empty.
    ///
    /// # Errors
    /// `Usage` for a file that cannot be read or is not TOML, an unknown key, or an invalid value.
    pub fn find(env: &ProcessEnv) -> Result<Self> {
        for (depth, folder) in env.project_folders().enumerate() {
            let up = "../".repeat(depth);
            let own = read(&folder.join(PINFAST_TOML), &format!("{up}{PINFAST_TOML}"))?;
            let shared = in_pyproject(&folder.join(PYPROJECT_TOML), &format!("{up}{PYPROJECT_TOML}"))?;
            let is_shadowed = own.is_some() && shared.is_some();
            let found = own.map(|own| (PINFAST_TOML, own)).or(shared.map(|shared| (PYPROJECT_TOML, shared)));
            if let Some((name, section)) = found {
                let mut settings = Self::of(section)?;
                settings.file = Some(folder.join(name));
                folder.clone_into(&mut settings.folder);
                if is_shadowed {
                    settings.warnings.push(format!(
                        "{up}{PINFAST_TOML} is used; [tool.pinfast] of {up}{PYPROJECT_TOML} is ignored"
                    ));
                }
                return Ok(settings);
            }
        }
        Ok(Self { folder: env.current_dir().to_owned(), ..Self::default() })
    }

    /// Reads the settings from a table.
    ///
    /// # Errors
    /// `Usage` for an unknown key or an invalid value.
    pub fn of(mut section: SettingsTable) -> Result<Self> {
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
            deploy: section.table("deploy")?.map(DeploySettings::of).transpose()?,
            ..Self::default()
        };
        section.finish()?;
        settings.check_sources()?;
        settings.check_targets()?;
        Ok(settings)
    }

    /// The path of a setting: `~/` is the home folder, and a relative path starts from the settings' folder.
    #[must_use]
    pub fn path(&self, path: &Setting<String>, env: &ProcessEnv) -> PathBuf {
        env.expand(&path.value, &self.folder)
    }

    /// The options that name indexes.
    #[must_use]
    pub fn index_options(&self) -> IndexOptions {
        let no_index = self.no_index.as_ref().filter(|no_index| no_index.value);
        IndexOptions {
            index_url: self.index_url.as_ref().map(|url| self.reference(url)),
            extra_index_urls: self.extra_index_urls.iter().map(|url| self.reference(url)).collect(),
            find_links: self.find_links.iter().map(|place| self.reference(place)).collect(),
            no_index: no_index.map(Setting::origin),
        }
    }

    /// The only index that may provide `package`, if `sources` names one.
    #[must_use]
    pub fn source_of(&self, package: &PackageName) -> Option<IndexReference> {
        let source = self.sources.get(package)?;
        Some(self.reference(self.indexes.get(&source.value).unwrap_or(source)))
    }

    fn reference(&self, text: &Setting<String>) -> IndexReference {
        IndexReference {
            text: text.value.clone(),
            origin: text.origin(),
            bases: vec![self.folder.clone()],
            missing: MissingFolder::Refused,
        }
    }

    /// `targets` excludes every other key that names targets.
    fn check_targets(&self) -> Result<()> {
        let other = (self.python_versions.first().map(|version| (&version.place, "python-version")))
            .or(self.platforms.first().map(|platform| (&platform.place, "platform")))
            .or(self.universal.as_ref().filter(|on| on.value).map(|on| (&on.place, "universal")));
        match other.filter(|_| !self.targets.is_empty()) {
            Some((place, key)) => {
                Err(place.error(format_args!("`targets` and `{key}` both set the targets: use one of them")))
            }
            None => Ok(()),
        }
    }

    /// A source such as `internal`, without `:`, `/` or `\`, must be a key of `indexes`.
    fn check_sources(&self) -> Result<()> {
        let is_key = |text: &str| !text.contains([':', '/', '\\']) && !text.starts_with('.');
        let unknown = self
            .sources
            .values()
            .find(|source| is_key(&source.value) && !self.indexes.contains_key(&source.value));
        unknown.map_or(Ok(()), |source| {
            let message = format_args!("no index is called `{}`", source.value);
            Err(source.place.error(message).hint(format!(
                "name it under `indexes`: indexes = {{ {} = \"URL\" }}; or give its URL here",
                source.value
            )))
        })
    }
}

fn read(file: &Path, name: &str) -> Result<Option<SettingsTable>> {
    match fs::read_to_string(file) {
        Ok(text) => SettingsTable::read(name, text).map(Some),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(Error::usage(format!("{name} cannot be read")).because(error)),
    }
}

/// `[tool.pinfast]`, if there is one. A file without the letters `pinfast` is not parsed: that is faster.
fn in_pyproject(file: &Path, name: &str) -> Result<Option<SettingsTable>> {
    let mentions = fs::read(file).is_ok_and(|text| text.windows(7).any(|bytes| bytes == b"pinfast"));
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
fn target(item: ListItem) -> Result<Setting<DeclaredTarget>> {
    let (python, platform, place) = match item {
        ListItem::Text(text) => {
            let parts: Vec<_> = text.value.split_whitespace().collect();
            let [python, platform] = parts[..] else {
                return Err(text
                    .place
                    .error("a target is a Python version and a platform, such as `3.11 linux`"));
            };
            let part = |part: &str| Setting { value: part.to_owned(), place: text.place.clone() };
            (part(python), part(platform), text.place.clone())
        }
        ListItem::Table(mut table) => {
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
    Ok(Setting { value: DeclaredTarget { python, platform }, place })
}

fn parsed<T: std::str::FromStr<Err: std::fmt::Display>>(
    texts: Vec<Setting<String>>,
) -> Result<Vec<Setting<T>>> {
    texts.iter().map(Setting::parse).collect()
}

type ByPackage = (Option<Setting<String>>, BTreeMap<PackageName, Setting<String>>);

fn by_package((all, single): TextOrTable) -> Result<ByPackage> {
    let named = |(name, (key, text)): (String, (TomlSpan, Setting<String>))| {
        PackageName::new(&name).map(|name| (name, text)).map_err(|error| key.error(error))
    };
    Ok((all, single.into_iter().map(named).collect::<Result<_>>()?))
}

/// `:all:`, `:none:` or names. As with pip, `:all:` and `:none:` discard what precedes them.
fn format_control(texts: Vec<Setting<String>>) -> Result<Option<Setting<FormatControl>>> {
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
    Ok(Some(Setting { value: control, place }))
}

fn package(name: &str, text: &Setting<String>) -> Result<PackageName> {
    PackageName::new(name).map_err(|error| text.place.error(error))
}

#[cfg(test)]
mod tests;

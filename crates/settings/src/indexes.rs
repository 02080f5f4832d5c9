//! Which index is meant: the one place that answers it.
//!
//! Layers, the strongest first: flags, requirement files, settings, pip's own configuration. The first
//! that names an index wins; extra indexes and link folders of all layers add up; `no-index` in any of
//! them holds. Where no layer names one: the index that the builder baked in, then the one that the
//! target interpreter's pip uses, which alone costs the start of an interpreter and so comes last.

use std::fmt;
use std::path::{Path, PathBuf};

use url::Url;

use super::ProcessEnv;
use pinfast_base::error::{Error, Result};
use pinfast_inputs::{FileOption, FileOptionKind};

/// What one source of options says of indexes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layer {
    /// `--index-url`
    pub index_url: Option<Said>,
    /// `--extra-index-url`
    pub extra_index_urls: Vec<Said>,
    /// `--find-links`
    pub find_links: Vec<Said>,
    /// Who said `--no-index`, if somebody did.
    pub no_index: Option<String>,
}

/// A URL or path as somebody wrote it.
#[derive(Clone, PartialEq, Eq)]
pub struct Said {
    /// The text as written; it may hold credentials.
    pub text: String,
    /// Who: a flag, a variable, `FILE:LINE`.
    pub said_by: String,
    /// The folders in which a relative path may stand, the first in which it exists counts.
    pub bases: Vec<PathBuf>,
    /// What becomes of a folder of links that does not exist.
    pub missing: Missing,
}

/// What becomes of a folder of links that does not exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// An error: it was named for this project.
    Wrong,
    /// It is passed over, like an empty one: it was named for everything that pip does.
    Ignored,
}

/// The indexes to ask.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IndexChoice {
    /// The index; `None` only where `--no-index` was said.
    pub index: Option<Chosen>,
    /// Further indexes, the strongest first.
    pub extra: Vec<Chosen>,
    /// Folders or pages of links, the strongest first.
    pub find_links: Vec<Chosen>,
    /// Details for `--verbose`: who named what, and what was passed over; no credentials.
    pub details: Vec<String>,
}

/// An index or a source of links.
#[derive(Clone, PartialEq, Eq)]
pub struct Chosen {
    /// Where: `http`, `https` or `file`; a folder ends in `/`. It may hold credentials, so it is never
    /// printed as it is.
    pub url: Url,
    /// Who said so.
    pub said_by: String,
}

impl Layer {
    /// What requirement files say. Like pip, the last `--index-url` counts, and a folder of links may
    /// stand beside the file or in the current folder.
    #[must_use]
    pub fn of_files(options: &[FileOption], env: &ProcessEnv) -> Self {
        let mut layer = Self::default();
        for option in options {
            let said = |text: &String| Said {
                text: text.clone(),
                said_by: option.at.to_string(),
                bases: bases(&option.at.file, env),
                missing: Missing::Wrong,
            };
            match &option.kind {
                FileOptionKind::IndexUrl(url) => layer.index_url = Some(said(url)),
                FileOptionKind::ExtraIndexUrl(url) => layer.extra_index_urls.push(said(url)),
                FileOptionKind::FindLinks(place) => layer.find_links.push(said(place)),
                FileOptionKind::NoIndex => layer.no_index = Some(option.at.to_string()),
                _ => {}
            }
        }
        layer
    }
}

impl Said {
    /// What a flag of the command line says.
    #[must_use]
    pub fn flag(flag: &str, text: &str, env: &ProcessEnv) -> Self {
        let bases = vec![env.current_dir().to_owned()];
        Self { text: text.to_owned(), said_by: flag.to_owned(), bases, missing: Missing::Wrong }
    }
}

fn bases(file: &str, env: &ProcessEnv) -> Vec<PathBuf> {
    let current = env.current_dir().to_owned();
    let beside = current.join(file).parent().map(Path::to_owned);
    beside.into_iter().filter(|_| file != "-").chain([current]).collect()
}

/// Chooses the indexes. `baked` is what the builder baked in (see [`baked_in`]); `interpreter` tells
/// the index that the target interpreter's pip uses, and is asked only if nothing else answers.
///
/// # Errors
/// Usage: something named is neither a URL nor a folder, or nothing names an index. Whatever
/// `interpreter` fails with.
pub fn choose(
    layers: &[Layer],
    env: &ProcessEnv,
    baked: Option<&str>,
    interpreter: impl FnOnce() -> Result<Option<String>>,
) -> Result<IndexChoice> {
    let mut choice = IndexChoice::default();
    for said in layers.iter().flat_map(|layer| &layer.find_links) {
        choice.add_links(said, env)?;
    }
    if let Some(who) = layers.iter().find_map(|layer| layer.no_index.as_ref()) {
        choice.details.push(format!("no index is asked ({who})"));
        return Ok(choice);
    }
    let index = match layers.iter().find_map(|layer| layer.index_url.as_ref()) {
        Some(said) => said.index(env)?,
        None => by_default(env, baked, interpreter)?,
    };
    choice.details.push(format!("the index is {index}"));
    choice.index = Some(index);
    for said in layers.iter().flat_map(|layer| &layer.extra_index_urls) {
        choice.add_extra(said.index(env)?);
    }
    Ok(choice)
}

/// The index that the builder baked in at compile time through `PINFAST_DEFAULT_INDEX`.
#[must_use]
pub fn baked_in() -> Option<&'static str> {
    option_env!("PINFAST_DEFAULT_INDEX").filter(|url| !url.is_empty())
}

fn by_default(
    env: &ProcessEnv,
    baked: Option<&str>,
    interpreter: impl FnOnce() -> Result<Option<String>>,
) -> Result<Chosen> {
    if let Some(url) = baked {
        return Said::flag("PINFAST_DEFAULT_INDEX when pinfast was built", url, env).index(env);
    }
    match interpreter()? {
        Some(url) => Said::flag("the interpreter's pip", &url, env).index(env),
        None => Err(Error::usage("no index is named, and the interpreter has no pip that would name one")
            .hint("name one with `--index-url URL`, `index-url` in pinfast.toml, or PIP_INDEX_URL")
            .hint("to use folders of files alone, say `--no-index --find-links DIR`")),
    }
}

impl IndexChoice {
    fn add_extra(&mut self, extra: Chosen) {
        let known = self.index.iter().chain(&self.extra).any(|chosen| chosen.url == extra.url);
        if !known {
            self.details.push(format!("an extra index is {extra}"));
            self.extra.push(extra);
        }
    }

    fn add_links(&mut self, said: &Said, env: &ProcessEnv) -> Result<()> {
        match said.links(env)? {
            Links::At(chosen) if self.find_links.iter().any(|known| known.url == chosen.url) => {}
            Links::At(chosen) => {
                self.details.push(format!("links come from {chosen}"));
                self.find_links.push(chosen);
            }
            Links::PassedOver(why) => self.details.push(why),
        }
        Ok(())
    }
}

enum Links {
    At(Chosen),
    PassedOver(String),
}

/// Where a text points.
enum Place {
    Url(Url),
    Path(PathBuf),
    Nowhere,
}

impl Said {
    /// This as an index.
    ///
    /// # Errors
    /// Usage: it is neither a URL of a known scheme nor a folder.
    pub fn index(&self, env: &ProcessEnv) -> Result<Chosen> {
        match self.place(env) {
            Place::Url(url) => Ok(self.chosen(url)),
            Place::Path(path) if path.is_dir() => self.of_path(&path),
            Place::Path(_) | Place::Nowhere => Err(self.wrong("an index", "a URL or a folder")),
        }
    }

    fn links(&self, env: &ProcessEnv) -> Result<Links> {
        match self.place(env) {
            Place::Url(url) => Ok(Links::At(self.chosen(url))),
            Place::Path(path) if self.missing == Missing::Ignored && is_empty(&path) => {
                let shown = path.display();
                Ok(Links::PassedOver(format!(
                    "`{shown}` holds nothing and is passed over ({})",
                    self.said_by
                )))
            }
            Place::Path(path) => self.of_path(&path).map(Links::At),
            Place::Nowhere if self.missing == Missing::Ignored => Ok(Links::PassedOver(format!(
                "{} does not exist and is passed over ({})",
                self.shown(),
                self.said_by
            ))),
            Place::Nowhere => Err(self.wrong("a source of links", "a URL, a folder or a file")),
        }
    }

    fn place(&self, env: &ProcessEnv) -> Place {
        if self.text.is_empty() {
            return Place::Nowhere;
        }
        if let Ok(url) = Url::parse(&self.text) {
            match url.scheme() {
                "http" | "https" if url.has_host() => return Place::Url(url),
                "file" => {
                    return url
                        .to_file_path()
                        .ok()
                        .filter(|p| p.exists())
                        .map_or(Place::Nowhere, Place::Path);
                }
                // One letter is a drive of Windows.
                scheme if scheme.len() > 1 => return Place::Nowhere,
                _ => {}
            }
        }
        let places = self.bases.iter().map(|base| env.expand(&self.text, base));
        places.into_iter().find(|path| path.exists()).map_or(Place::Nowhere, Place::Path)
    }

    fn of_path(&self, path: &Path) -> Result<Chosen> {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let url = if path.is_dir() { Url::from_directory_path(&path) } else { Url::from_file_path(&path) };
        url.map(|url| self.chosen(url)).map_err(|()| self.wrong("an index", "a path that a URL can spell"))
    }

    fn chosen(&self, url: Url) -> Chosen {
        Chosen { url, said_by: self.said_by.clone() }
    }

    fn wrong(&self, what: &str, expected: &str) -> Error {
        Error::usage(format!(
            "{} names {what} that does not exist or is not {expected}: {}",
            self.said_by,
            self.shown()
        ))
        .hint("an index is an `https://`, `http://` or `file://` URL, or a folder")
    }

    /// The text, unless it might hold credentials.
    fn shown(&self) -> String {
        match Url::parse(&self.text) {
            Ok(url) if url.has_host() => format!("`{}`", without_credentials(&url)),
            _ if self.text.contains('@') => "(not shown, since it may hold a password)".to_owned(),
            _ => format!("`{}`", self.text),
        }
    }
}

fn is_empty(path: &Path) -> bool {
    path.read_dir().is_ok_and(|mut entries| entries.next().is_none())
}

fn without_credentials(url: &Url) -> Url {
    let mut url = url.clone();
    // A URL that cannot hold credentials has none to remove.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url
}

/// Without credentials.
impl fmt::Display for Chosen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", without_credentials(&self.url), self.said_by)
    }
}

impl fmt::Debug for Chosen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Chosen({self})")
    }
}

impl fmt::Debug for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Said({} by {})", self.shown(), self.said_by)
    }
}

#[cfg(test)]
mod tests;

//! Chooses the indexes from the options of all sources.
//!
//! Each source gives one [`IndexOptions`]. The order, the strongest first: arguments, input files, the settings
//! file, pip's configuration. Three rules combine them:
//!
//! - `index-url`: the strongest source that sets it wins.
//! - `extra-index-url` and `find-links`: those of all sources are used.
//! - `no-index`: it holds if any source sets it.
//!
//! If no source sets `index-url`, the index is the one compiled in, else the one of the interpreter's pip.
//! The latter comes last because it needs a running interpreter.

use std::fmt;
use std::path::{Path, PathBuf};

use url::Url;

use super::{Origin, ProcessEnv};
use pinfast_base::error::{Error, Result};
use pinfast_inputs::{FileOption, FileOptionKind};

/// The index options of one source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IndexOptions {
    /// `--index-url`
    pub index_url: Option<IndexReference>,
    /// `--extra-index-url`
    pub extra_index_urls: Vec<IndexReference>,
    /// `--find-links`
    pub find_links: Vec<IndexReference>,
    /// `--no-index`, if it is set: who set it.
    pub no_index: Option<Origin>,
}

/// A URL or a path as a source wrote it.
#[derive(Clone, PartialEq, Eq)]
pub struct IndexReference {
    /// The text as written; it may hold credentials.
    pub text: String,
    /// Who wrote it.
    pub origin: Origin,
    /// The folders that a relative path may start from. The first one in which the path exists counts.
    pub bases: Vec<PathBuf>,
    /// What to do if the path does not exist.
    pub missing: MissingFolder,
}

/// What to do with a `find-links` folder that does not exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MissingFolder {
    /// Fail: the user named it for this project.
    Refused,
    /// Ignore it, also if it is empty: pip's configuration names it for every project.
    Ignored,
}

/// The indexes to use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IndexChoice {
    /// The index; `None` only under `--no-index`.
    pub index: Option<IndexLocation>,
    /// Further indexes, the strongest first.
    pub extra: Vec<IndexLocation>,
    /// Folders or pages of links, the strongest first.
    pub find_links: Vec<IndexLocation>,
    /// Lines for `--verbose`, without credentials: which source named what, and what was ignored.
    pub details: Vec<String>,
}

/// The URL of an index or of a page of links.
#[derive(Clone, PartialEq, Eq)]
pub struct IndexLocation {
    /// An `http`, `https` or `file` URL; that of a folder ends in `/`. It may hold credentials, so only
    /// [`fmt::Display`] of this type prints it.
    pub url: Url,
    /// Who named it.
    pub origin: Origin,
}

impl IndexOptions {
    /// The options inside input files. As with pip, the last `--index-url` wins, and a relative path starts
    /// from the file's folder or the current one.
    #[must_use]
    pub fn of_files(options: &[FileOption], env: &ProcessEnv) -> Self {
        let mut found = Self::default();
        for option in options {
            let origin = Origin::InputFile(option.at.clone());
            let reference = |text: &String| IndexReference {
                text: text.clone(),
                origin: origin.clone(),
                bases: bases(&option.at.file, env),
                missing: MissingFolder::Refused,
            };
            match &option.kind {
                FileOptionKind::IndexUrl(url) => found.index_url = Some(reference(url)),
                FileOptionKind::ExtraIndexUrl(url) => found.extra_index_urls.push(reference(url)),
                FileOptionKind::FindLinks(place) => found.find_links.push(reference(place)),
                FileOptionKind::NoIndex => found.no_index = Some(origin),
                _ => {}
            }
        }
        found
    }
}

/// `-` is standard input: it has no folder.
fn bases(file: &str, env: &ProcessEnv) -> Vec<PathBuf> {
    let current = env.current_dir().to_owned();
    let beside = current.join(file).parent().map(Path::to_owned);
    beside.into_iter().filter(|_| file != "-").chain([current]).collect()
}

/// Chooses the indexes from `sources`, the strongest first.
///
/// `built_in` is the index compiled in (see [`built_in_index`]). `interpreter_index` starts the target
/// interpreter; it is called only if no other source names an index.
///
/// # Errors
/// `Usage` if a reference is neither a URL nor a folder, or nothing names an index. Also the error of
/// `interpreter_index`.
pub fn choose_indexes(
    sources: &[IndexOptions],
    env: &ProcessEnv,
    built_in: Option<&str>,
    interpreter_index: impl FnOnce() -> Result<Option<String>>,
) -> Result<IndexChoice> {
    let mut choice = IndexChoice::default();
    for links in sources.iter().flat_map(|source| &source.find_links) {
        choice.add_links(links, env)?;
    }
    if let Some(origin) = sources.iter().find_map(|source| source.no_index.as_ref()) {
        choice.details.push(format!("no index is used ({origin})"));
        return Ok(choice);
    }
    let index = match sources.iter().find_map(|source| source.index_url.as_ref()) {
        Some(reference) => reference.index(env)?,
        None => default_index(env, built_in, interpreter_index)?,
    };
    choice.details.push(format!("the index is {index}"));
    choice.index = Some(index);
    for extra in sources.iter().flat_map(|source| &source.extra_index_urls) {
        choice.add_extra(extra.index(env)?);
    }
    Ok(choice)
}

/// The index that `PINFAST_DEFAULT_INDEX` named when pinfast was compiled.
#[must_use]
pub fn built_in_index() -> Option<&'static str> {
    option_env!("PINFAST_DEFAULT_INDEX").filter(|url| !url.is_empty())
}

fn default_index(
    env: &ProcessEnv,
    built_in: Option<&str>,
    interpreter_index: impl FnOnce() -> Result<Option<String>>,
) -> Result<IndexLocation> {
    if let Some(url) = built_in {
        return IndexReference::new(url, Origin::BuiltIn, env).index(env);
    }
    match interpreter_index()? {
        Some(url) => IndexReference::new(&url, Origin::InterpreterPip, env).index(env),
        None => Err(Error::usage("no index is named, and the interpreter has no pip that would name one")
            .hint("name one: `--index-url URL`, `index-url` in pinfast.toml, or PIP_INDEX_URL")
            .hint("to use only folders of files: `--no-index --find-links DIR`")),
    }
}

impl IndexChoice {
    fn add_extra(&mut self, extra: IndexLocation) {
        let is_known = self.index.iter().chain(&self.extra).any(|known| known.url == extra.url);
        if !is_known {
            self.details.push(format!("an extra index is {extra}"));
            self.extra.push(extra);
        }
    }

    fn add_links(&mut self, reference: &IndexReference, env: &ProcessEnv) -> Result<()> {
        match reference.links(env)? {
            Links::At(location) if self.find_links.iter().any(|known| known.url == location.url) => {}
            Links::At(location) => {
                self.details.push(format!("links come from {location}"));
                self.find_links.push(location);
            }
            Links::Ignored(why) => self.details.push(why),
        }
        Ok(())
    }
}

/// A `find-links` reference after a look at the disk.
enum Links {
    At(IndexLocation),
    /// It is ignored, for this reason.
    Ignored(String),
}

/// What a reference points to.
enum Referent {
    Url(Url),
    Path(PathBuf),
    Nothing,
}

impl IndexReference {
    /// A reference whose relative path starts from the current folder and must exist.
    #[must_use]
    pub fn new(text: &str, origin: Origin, env: &ProcessEnv) -> Self {
        let bases = vec![env.current_dir().to_owned()];
        Self { text: text.to_owned(), origin, bases, missing: MissingFolder::Refused }
    }

    /// Resolves the reference to the location of an index.
    ///
    /// # Errors
    /// `Usage` if it is neither a URL of a known scheme nor a folder.
    pub fn index(&self, env: &ProcessEnv) -> Result<IndexLocation> {
        match self.referent(env) {
            Referent::Url(url) => Ok(self.located(url)),
            Referent::Path(path) if path.is_dir() => self.of_path(&path),
            Referent::Path(_) | Referent::Nothing => Err(self.wrong("an index", "a URL or a folder")),
        }
    }

    fn links(&self, env: &ProcessEnv) -> Result<Links> {
        let origin = &self.origin;
        match self.referent(env) {
            Referent::Url(url) => Ok(Links::At(self.located(url))),
            Referent::Path(path) if self.missing == MissingFolder::Ignored && is_empty(&path) => {
                Ok(Links::Ignored(format!("`{}` is empty and is ignored ({origin})", path.display())))
            }
            Referent::Path(path) => self.of_path(&path).map(Links::At),
            Referent::Nothing if self.missing == MissingFolder::Ignored => {
                Ok(Links::Ignored(format!("{} does not exist and is ignored ({origin})", self.shown())))
            }
            Referent::Nothing => Err(self.wrong("a source of links", "a URL, a folder or a file")),
        }
    }

    fn referent(&self, env: &ProcessEnv) -> Referent {
        if self.text.is_empty() {
            return Referent::Nothing;
        }
        if let Ok(url) = Url::parse(&self.text) {
            match url.scheme() {
                "http" | "https" if url.has_host() => return Referent::Url(url),
                "file" => {
                    let path = url.to_file_path().ok().filter(|path| path.exists());
                    return path.map_or(Referent::Nothing, Referent::Path);
                }
                // `C:\wheels` parses as a URL of scheme `c`.
                scheme if scheme.len() > 1 => return Referent::Nothing,
                _ => {}
            }
        }
        let paths = self.bases.iter().map(|base| env.expand(&self.text, base));
        paths.into_iter().find(|path| path.exists()).map_or(Referent::Nothing, Referent::Path)
    }

    fn of_path(&self, path: &Path) -> Result<IndexLocation> {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let url = if path.is_dir() { Url::from_directory_path(&path) } else { Url::from_file_path(&path) };
        url.map(|url| self.located(url)).map_err(|()| self.wrong("an index", "a path that fits into a URL"))
    }

    fn located(&self, url: Url) -> IndexLocation {
        IndexLocation { url, origin: self.origin.clone() }
    }

    fn wrong(&self, what: &str, expected: &str) -> Error {
        Error::usage(format!(
            "{} names {what} that does not exist or is not {expected}: {}",
            self.origin,
            self.shown()
        ))
        .hint("an index is an `https://`, `http://` or `file://` URL, or a folder")
    }

    /// The text without credentials.
    fn shown(&self) -> String {
        match Url::parse(&self.text) {
            Ok(url) if url.has_host() => format!("`{}`", without_credentials(&url)),
            // `me:secret@host` is no URL, but it holds a password.
            _ if self.text.contains('@') => "(hidden: it may hold a password)".to_owned(),
            _ => format!("`{}`", self.text),
        }
    }
}

fn is_empty(path: &Path) -> bool {
    path.read_dir().is_ok_and(|mut entries| entries.next().is_none())
}

fn without_credentials(url: &Url) -> Url {
    let mut url = url.clone();
    // Both fail only for URLs that cannot hold credentials.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url
}

/// Without credentials.
impl fmt::Display for IndexLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", without_credentials(&self.url), self.origin)
    }
}

impl fmt::Debug for IndexLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IndexLocation({self})")
    }
}

impl fmt::Debug for IndexReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IndexReference({} by {})", self.shown(), self.origin)
    }
}

#[cfg(test)]
mod tests;

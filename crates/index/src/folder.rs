//! Indexes and find-links that are folders or files on this machine.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use url::Url;

use super::failure::{Cause, Failure};
use super::page::{self, Digest, Entry, Format, Hint, Page, Scope};
use pinfast_base::error::Error;
use pinfast_packaging::{Listing, PackageName};

/// What an index in `root` says of `name`. `root` holds `simple/NAME/` and perhaps `pypi/NAME/json`, or is
/// the `simple` folder itself; `NAME/` holds `index.html`, `index.json`, or the files themselves.
pub(super) fn listing(root: &Path, name: &PackageName) -> Result<Option<Listing>, Failure> {
    for (path, format) in pages(root, name) {
        let Some(body) = read(&path)? else { continue };
        let at = file_url(&path)?;
        let page = page::read(format, &body, name, &at)
            .map_err(|why| broken(&format!("cannot read {}: {why}", path.display())))?;
        return Ok(Some(page::listing(name, page, &at, Scope::Disk)));
    }
    for folder in simple_folders(root, name) {
        if folder.is_dir() {
            let page = Page { entries: files(&folder)?, ..Page::default() };
            return Ok(Some(page::listing(name, page, &file_url(&folder)?, Scope::Disk)));
        }
    }
    if root.is_dir() {
        return Ok(None);
    }
    Err(broken(&format!("the index {} is no folder", root.display())))
}

/// The projects of an index in `root`, sorted; none where it cannot be read.
pub(super) fn names(root: &Path) -> Vec<PackageName> {
    let folders = [root.join("simple"), root.to_owned()];
    let entries = folders.iter().filter_map(|folder| std::fs::read_dir(folder).ok()).flatten().flatten();
    let projects = entries.filter(|entry| entry.path().is_dir());
    let mut names: Vec<PackageName> =
        projects.filter_map(|entry| PackageName::new(entry.file_name().to_str()?).ok()).collect();
    names.sort();
    names.dedup();
    names
}

fn simple_folders(root: &Path, name: &PackageName) -> [PathBuf; 2] {
    [root.join("simple").join(name.as_str()), root.join(name.as_str())]
}

fn pages(root: &Path, name: &PackageName) -> Vec<(PathBuf, Format)> {
    let json = |root: &Path| (root.join("pypi").join(name.as_str()).join("json"), Format::Api);
    let mut pages = vec![json(root)];
    if root.ends_with("simple") {
        pages.extend(root.parent().map(json));
    }
    for folder in simple_folders(root, name) {
        pages.push((folder.join("index.json"), Format::SimpleJson));
        pages.push((folder.join("index.html"), Format::Html));
    }
    pages
}

/// What a find-links place on this machine holds: a folder of files, a page of links, or one file.
pub(super) fn loose(place: &Path) -> Result<Vec<Entry<'static>>, Failure> {
    if place.is_dir() {
        return files(place);
    }
    let name = place.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    if page::is_dist(&name) && place.is_file() {
        return Ok(vec![entry(name, &file_url(place)?)]);
    }
    let body =
        read(place)?.ok_or_else(|| broken(&format!("cannot read {}: it is not there", place.display())))?;
    let page = page::read_links(&body, &file_url(place)?)
        .map_err(|why| broken(&format!("cannot read {}: {why}", place.display())))?;
    Ok(page.entries)
}

/// The distributions that lie in `folder`, sorted by name.
fn files(folder: &Path) -> Result<Vec<Entry<'static>>, Failure> {
    let unreadable = |error| broken_by(folder, error);
    let mut entries = Vec::new();
    for file in std::fs::read_dir(folder).map_err(unreadable)? {
        let name = file.map_err(unreadable)?.file_name();
        // A name that is no Unicode is no distribution's.
        let Some(name) = name.to_str().filter(|name| page::is_dist(name)) else { continue };
        entries.push(entry(name.to_owned(), &file_url(&folder.join(name))?));
    }
    entries.sort_by(|a, b| a.filename.cmp(&b.filename));
    Ok(entries)
}

fn entry(filename: String, url: &Url) -> Entry<'static> {
    Entry {
        filename: filename.into(),
        url: url.as_str().to_owned().into(),
        sha256: Digest::None,
        requires_python: None,
        yanked: None,
        uploaded: None,
        size: None,
        metadata: Hint::Unknown,
    }
}

/// The bytes of a file; `None` where there is none.
fn read(path: &Path) -> Result<Option<Vec<u8>>, Failure> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(broken_by(path, error)),
    }
}

fn file_url(path: &Path) -> Result<Url, Failure> {
    Url::from_file_path(path).map_err(|()| broken(&format!("{} is not an absolute path", path.display())))
}

fn broken(why: &str) -> Failure {
    Failure::new(Cause::Final, Error::no_answer(why))
}

fn broken_by(path: &Path, error: std::io::Error) -> Failure {
    Failure::new(Cause::Final, Error::no_answer(format!("cannot read {}", path.display())).because(error))
}

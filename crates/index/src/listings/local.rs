//! Indexes and find-links on this machine: folders, pages and files.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use url::Url;

use crate::failure::FetchFailure;
use crate::formats::{
    LinkScope, PageFormat, RawFile, RawHash, RawPage, is_distribution, parse_links, parse_page, validate,
};
use pinfast_base::error::Error;
use pinfast_packaging::{Listing, MetadataHint, PackageName};

/// The listing of `name` in the index in the folder `root`; `None` where it has no such project.
///
/// `root` holds `simple/NAME/` and perhaps `pypi/NAME/json`, or is the `simple` folder itself. `NAME/` holds
/// `index.html`, `index.json`, or the files themselves.
pub(super) fn listing(root: &Path, name: &PackageName) -> Result<Option<Listing>, FetchFailure> {
    for (path, format) in pages(root, name) {
        let Some(body) = read(&path)? else { continue };
        let at = file_url(&path)?;
        let page = parse_page(format, &body, name, &at)
            .map_err(|why| broken(&format!("cannot read {}: {why}", path.display())))?;
        return Ok(Some(validate(name, page, &at, LinkScope::Disk)));
    }
    for folder in simple_folders(root, name) {
        if folder.is_dir() {
            let page = RawPage { files: files(&folder)?, ..RawPage::default() };
            return Ok(Some(validate(name, page, &file_url(&folder)?, LinkScope::Disk)));
        }
    }
    // A missing folder is a wrong setting, and no index without the project.
    if root.is_dir() {
        return Ok(None);
    }
    Err(broken(&format!("the index {} is no folder", root.display())))
}

/// The projects of the index in `root`, sorted; none where it cannot be read.
pub(super) fn project_names(root: &Path) -> Vec<PackageName> {
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

fn pages(root: &Path, name: &PackageName) -> Vec<(PathBuf, PageFormat)> {
    let json = |root: &Path| (root.join("pypi").join(name.as_str()).join("json"), PageFormat::JsonApi);
    let mut pages = vec![json(root)];
    // The user named the `simple` folder; the JSON API's folder lies beside it.
    if root.ends_with("simple") {
        pages.extend(root.parent().map(json));
    }
    for folder in simple_folders(root, name) {
        pages.push((folder.join("index.json"), PageFormat::SimpleJson));
        pages.push((folder.join("index.html"), PageFormat::Html));
    }
    pages
}

/// The files of a flat index on this machine: a folder of files, a page of links, or one file.
pub(super) fn flat_files(path: &Path) -> Result<Vec<RawFile<'static>>, FetchFailure> {
    if path.is_dir() {
        return files(path);
    }
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    if is_distribution(&name) && path.is_file() {
        return Ok(vec![raw_file(name, &file_url(path)?)]);
    }
    let body =
        read(path)?.ok_or_else(|| broken(&format!("cannot read {}: it is not there", path.display())))?;
    let page = parse_links(&body, &file_url(path)?)
        .map_err(|why| broken(&format!("cannot read {}: {why}", path.display())))?;
    Ok(page.files)
}

/// The distributions in `folder`, sorted by name.
fn files(folder: &Path) -> Result<Vec<RawFile<'static>>, FetchFailure> {
    let unreadable = |error| broken_by(folder, error);
    let mut files = Vec::new();
    for file in std::fs::read_dir(folder).map_err(unreadable)? {
        let name = file.map_err(unreadable)?.file_name();
        // No distribution has a name that is not Unicode.
        let Some(name) = name.to_str().filter(|name| is_distribution(name)) else { continue };
        files.push(raw_file(name.to_owned(), &file_url(&folder.join(name))?));
    }
    files.sort_by(|a, b| a.filename.cmp(&b.filename));
    Ok(files)
}

fn raw_file(filename: String, url: &Url) -> RawFile<'static> {
    RawFile {
        filename: filename.into(),
        url: url.as_str().to_owned().into(),
        sha256: RawHash::None,
        requires_python: None,
        yanked: None,
        uploaded: None,
        size: None,
        metadata: MetadataHint::Unknown,
    }
}

/// The bytes of a file; `None` where it does not exist.
fn read(path: &Path) -> Result<Option<Vec<u8>>, FetchFailure> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(broken_by(path, error)),
    }
}

fn file_url(path: &Path) -> Result<Url, FetchFailure> {
    Url::from_file_path(path).map_err(|()| broken(&format!("{} is not an absolute path", path.display())))
}

fn broken(why: &str) -> FetchFailure {
    FetchFailure::fatal(Error::no_answer(why))
}

fn broken_by(path: &Path, error: std::io::Error) -> FetchFailure {
    FetchFailure::fatal(Error::no_answer(format!("cannot read {}", path.display())).because(error))
}

//! Where each file of a wheel goes in an environment, and what is written besides: all that an
//! installation will do, known before it does anything.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::disk::{self, Mode};
use super::environment::Environment;
use super::manifest::{CachedFile, FileKind};
use super::record::{self, Algorithm, Digest, Row};
use super::run::Content;
use super::scripts;
use super::store::CachedWheel;
use super::wheel::Root;
use pinfast_base::error::{Error, Result};
use pinfast_lock::Pin;
use pinfast_packaging::Sha256;

/// A wheel and its place.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    pub(super) wheel: CachedWheel,
    /// Its normalised name.
    pub(super) name: String,
    /// The site folder, which RECORD's paths start from.
    pub(super) site: PathBuf,
    /// Its `.dist-info` folder.
    pub(super) info: PathBuf,
    /// The files that come from the cache as they are.
    pub(super) links: Vec<Link>,
    /// The files that are written.
    pub(super) writes: Vec<Write>,
    /// The rows of its RECORD.
    pub(super) rows: Vec<Row>,
    /// The text of its RECORD.
    pub(super) record: Vec<u8>,
}

/// A file that comes from the cache.
#[derive(Clone, Debug)]
pub(super) struct Link {
    /// Which of the wheel's files it is.
    pub(super) file: usize,
    /// Where it goes, in plain form.
    pub(super) to: PathBuf,
}

/// A file that is written.
#[derive(Clone, Debug)]
pub(super) struct Write {
    pub(super) to: PathBuf,
    pub(super) content: Vec<u8>,
    /// The hash of the content, as RECORD spells it.
    pub(super) digest: String,
    pub(super) mode: Mode,
}

/// What an installation notes besides the wheel.
#[derive(Clone, Copy, Debug)]
pub(super) struct Extras<'a> {
    /// Whether the user asked for it, rather than another package.
    pub(super) requested: Requested,
    /// The pin, which may have a URL.
    pub(super) pin: &'a Pin,
}

/// Whether the user asked for a distribution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Requested {
    ByUser,
    ByPackage,
}

/// Why there is no layout.
#[derive(Debug)]
pub(super) enum NoLayout {
    /// The cache is damaged.
    Damaged,
    /// The wheel is not to be installed here.
    Refused(Error),
}

/// Lays `wheel` out in `environment`, whose links have been resolved.
pub(super) fn layout(
    wheel: CachedWheel,
    environment: &Environment,
    extras: Extras<'_>,
) -> Result<Layout, NoLayout> {
    let manifest = &wheel.manifest;
    let site = match manifest.root {
        Root::Purelib => environment.scheme.purelib.clone(),
        Root::Platlib => environment.scheme.platlib.clone(),
    };
    let info = site.join(format!("{}.dist-info", manifest.stem));
    let name = extras.pin.name.to_string();
    let mut layout = Layout {
        name,
        site,
        info,
        links: Vec::new(),
        writes: Vec::new(),
        rows: Vec::new(),
        record: Vec::new(),
        wheel,
    };
    layout.place_files(environment)?;
    layout.add_scripts(environment);
    layout.add_notes(extras);
    layout.rows.push(Row::bare(layout.record_path(&layout.info.join("RECORD"))));
    layout.seal();
    layout.check(environment).map_err(NoLayout::Refused)?;
    Ok(layout)
}

impl Layout {
    /// Assigns each file of the wheel its place.
    fn place_files(&mut self, environment: &Environment) -> Result<(), NoLayout> {
        let data = format!("{}.data/", self.wheel.manifest.stem);
        let wheel = self.wheel.clone();
        self.links.reserve(wheel.manifest.files.len());
        self.rows.reserve(wheel.manifest.files.len() + 8);
        for (at, file) in wheel.manifest.files.iter().enumerate() {
            let Some((scheme, rest)) = file.path.strip_prefix(&data).and_then(|path| path.split_once('/'))
            else {
                self.links.push(Link { file: at, to: self.site.join(&file.path) });
                self.rows.push(row(file.path.clone(), file));
                continue;
            };
            if scheme == "scripts" && self.is_made(rest) {
                continue;
            }
            let to = match scheme {
                "purelib" => environment.scheme.purelib.join(rest),
                "platlib" => environment.scheme.platlib.join(rest),
                "scripts" => environment.scheme.scripts.join(rest),
                "headers" => environment.headers_of(&self.name).join(rest),
                _ => environment.scheme.data.join(rest),
            };
            match file.kind {
                FileKind::Plain => {
                    self.rows.push(row(self.record_path(&to), file));
                    self.links.push(Link { file: at, to });
                }
                FileKind::Script => {
                    let text = read_checked(&wheel.files.join(&file.path), file)?;
                    self.write(to, scripts::with_interpreter(&text, &environment.python), Mode::Executable);
                }
            }
        }
        Ok(())
    }

    /// Whether a script of the wheel is one that its entry points make anyway.
    fn is_made(&self, script: &str) -> bool {
        let name = script.strip_suffix("-script.py").unwrap_or(script);
        self.wheel.manifest.scripts.iter().any(|made| made.name == name)
    }

    fn add_scripts(&mut self, environment: &Environment) {
        for script in self.wheel.manifest.scripts.clone() {
            let to = environment.scheme.scripts.join(&script.name);
            self.write(to, scripts::launcher(&script, &environment.python), Mode::Executable);
        }
    }

    fn add_notes(&mut self, extras: Extras<'_>) {
        self.write(self.info.join("INSTALLER"), b"pinfast\n".to_vec(), Mode::Plain);
        if extras.requested == Requested::ByUser {
            self.write(self.info.join("REQUESTED"), Vec::new(), Mode::Plain);
        }
        if let Some(url) = &extras.pin.url {
            let text = direct_url(&url.to_string(), &self.wheel.key.archive);
            self.write(self.info.join("direct_url.json"), text.into_bytes(), Mode::Plain);
        }
    }

    fn write(&mut self, to: PathBuf, content: Vec<u8>, mode: Mode) {
        let row = Row::of(self.record_path(&to), &content);
        self.writes.push(Write { to, content, digest: row.digest.clone(), mode });
        self.rows.push(row);
    }

    /// How RECORD spells a path.
    pub(super) fn record_path(&self, path: &Path) -> String {
        disk::relative(path, &self.site)
    }

    /// Makes the text of RECORD from its rows.
    pub(super) fn seal(&mut self) {
        self.rows.sort();
        self.record = record::write(&self.rows);
    }

    /// Where it will have files, RECORD left out.
    pub(super) fn targets(&self) -> impl Iterator<Item = &Path> {
        let links = self.links.iter().map(|link| link.to.as_path());
        links.chain(self.writes.iter().map(|write| write.to.as_path()))
    }

    /// The entries of the site folder that it has files in.
    pub(super) fn tops(&self) -> BTreeSet<String> {
        let rows = self.rows.iter().map(|row| row.path.split('/').next().unwrap_or_default());
        let tops: BTreeSet<&str> = rows.filter(|top| *top != "..").collect();
        tops.into_iter().map(str::to_owned).collect()
    }

    /// Its files, each with its size; see [`Content`].
    pub(super) fn contents(&self, root: &Path) -> impl Iterator<Item = Content> {
        let from_cache =
            self.links.iter().map(|link| (&link.to, self.wheel.manifest.files[link.file].stamp.size));
        let written = self.writes.iter().map(|write| (&write.to, write.content.len() as u64));
        from_cache.chain(written).map(move |(to, size)| {
            let path = to.strip_prefix(&self.site).or_else(|_| to.strip_prefix(root)).unwrap_or(to);
            Content { path: path.to_owned(), size }
        })
    }

    /// Refuses a file that would overwrite what makes the environment one, or leave it.
    fn check(&self, environment: &Environment) -> Result<()> {
        // Below the folders of the scheme, what holds for one file of a folder holds for all.
        let mut last = OsStr::new("");
        let bad = self.targets().find(|to| {
            let folder = to.parent().unwrap_or(to);
            let known = folder.as_os_str() == last && !environment.is_base(folder);
            last = folder.as_os_str();
            !known && (environment.is_reserved(to) || !environment.is_inside(to))
        });
        match bad {
            None => Ok(()),
            Some(path) => Err(Error::refused(format!(
                "{} {} wants to write {}, which belongs to the environment itself",
                self.name,
                self.wheel.manifest.version,
                path.display()
            ))
            .hint("nothing was installed; do not trust this package")),
        }
    }
}

fn row(path: String, file: &CachedFile) -> Row {
    if file.digest.is_empty() {
        return Row::bare(path);
    }
    Row { path, digest: file.digest.clone(), size: file.stamp.size.to_string() }
}

/// A file of the cache that is read rather than linked.
fn read_checked(path: &Path, file: &CachedFile) -> Result<Vec<u8>, NoLayout> {
    let content = disk::read(path, file.stamp.size).map_err(|_| NoLayout::Damaged)?;
    let promise = Digest::parse(&file.digest);
    let algorithm = promise.as_ref().map_or(Algorithm::Sha256, |promise| promise.algorithm);
    let (found, _) = record::hash(content.as_slice(), algorithm).map_err(|_| NoLayout::Damaged)?;
    if promise == Some(found) { Ok(content) } else { Err(NoLayout::Damaged) }
}

/// The text of `direct_url.json` (PyPA "Recording the direct URL origin").
fn direct_url(url: &str, sha256: &Sha256) -> String {
    let url = serde_json::Value::from(url);
    format!(
        "{{\"archive_info\": {{\"hash\": \"sha256={sha256}\", \"hashes\": {{\"sha256\": \"{sha256}\"}}}}, \"url\": {url}}}"
    )
}

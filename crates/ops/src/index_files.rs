//! Fetches the files of a lock from the indexes.
//!
//! The indexes are chosen at the first fetch: an installation from the cache needs none.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use super::lock_settings::{IndexLocations, IndexRequest, IndexSettings};
use super::metadata_builds;
use super::session::Session;
use pinfast_base::error::Result;
use pinfast_base::event::Event;
use pinfast_base::sync::unpoisoned;
use pinfast_build as build;
use pinfast_index::Client;
use pinfast_inputs::FileOption;
use pinfast_install::venv::BasePython;
use pinfast_install::{FileSource, WheelBuildRequest};
use pinfast_packaging::{DirectUrl, DistFile, PackageName, Version};
use pinfast_python::InterpreterRequest;

pub(super) struct IndexFiles<'a> {
    indexes: IndexSettings,
    interpreter: InterpreterRequest,
    session: &'a Session,
    client: Mutex<Option<Arc<Client>>>,
    /// Held while a build is under way, so they go one by one.
    building: Mutex<()>,
}

impl<'a> IndexFiles<'a> {
    pub(super) fn new(
        indexes: &IndexRequest,
        options: &[FileOption],
        python: Option<&str>,
        session: &'a Session,
    ) -> Self {
        Self {
            indexes: IndexSettings::merge(indexes, options, session),
            interpreter: session.interpreter_request(python).value,
            session,
            client: Mutex::default(),
            building: Mutex::default(),
        }
    }

    fn client(&self) -> Result<Arc<Client>> {
        let mut client = unpoisoned(self.client.lock());
        if let Some(client) = &*client {
            return Ok(client.clone());
        }
        let made =
            IndexLocations::choose(&self.indexes, &self.interpreter, self.session)?.client(self.session)?;
        Ok(client.insert(made).clone())
    }
}

impl FileSource for IndexFiles<'_> {
    fn files(&self, name: &PackageName, version: &Version) -> Result<Vec<Arc<DistFile>>> {
        self.client()?.files(name, version)
    }

    fn direct(&self, name: &PackageName, url: &DirectUrl) -> Result<Arc<DistFile>> {
        FileSource::direct(&*self.client()?, name, url)
    }

    fn fetch(&self, file: &DistFile, path: &Path) -> Result<()> {
        let client = self.client()?;
        let watcher = &self.session.watcher;
        watcher.on(Event::FileBegun { size: file.size });
        let fetched = FileSource::fetch(&*client, file, path);
        watcher.on(Event::FileDone);
        fetched
    }

    fn build(&self, request: &WheelBuildRequest<'_>) -> Result<PathBuf> {
        let _one_by_one = unpoisoned(self.building.lock());
        // The interpreter of the environment: the session found it before the first fetch.
        let base = BasePython::of(&self.session.interpreter(&self.interpreter)?.probe)?;
        let builder = build::WheelBuilder {
            base: &base,
            files: self,
            path: self.session.env.variable("PATH").unwrap_or_default(),
            timeout: metadata_builds::timeout(self.session)?,
            watcher: &*self.session.watcher,
        };
        build::build_wheel(request, &builder)
    }
}

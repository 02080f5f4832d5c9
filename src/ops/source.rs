//! The indexes as a source of the files of a lock. What the cache holds needs no index, so they are
//! chosen when the first file is asked for.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use super::indexes;
use super::request::IndexRequest;
use super::session::Session;
use crate::error::Result;
use crate::event::Event;
use crate::index::Client;
use crate::inputs::FileOption;
use crate::install::Files;
use crate::spec::{DirectUrl, DistFile, PackageName, Version};

pub(super) struct Source<'a> {
    request: &'a IndexRequest,
    options: &'a [FileOption],
    /// The word of `--python`.
    python: Option<&'a str>,
    session: &'a Session,
    client: Mutex<Option<Arc<Client>>>,
}

impl<'a> Source<'a> {
    pub(super) fn new(
        request: &'a IndexRequest,
        options: &'a [FileOption],
        python: Option<&'a str>,
        session: &'a Session,
    ) -> Self {
        Self { request, options, python, session, client: Mutex::default() }
    }

    fn client(&self) -> Result<Arc<Client>> {
        let mut client = self.client.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = &*client {
            return Ok(client.clone());
        }
        let places = indexes::places(self.request, self.options, self.python, self.session)?;
        let made = indexes::client(self.request, &places, self.session)?;
        Ok(client.insert(made).clone())
    }
}

impl Files for Source<'_> {
    fn files(&self, name: &PackageName, version: &Version) -> Result<Vec<Arc<DistFile>>> {
        self.client()?.files(name, version)
    }

    fn direct(&self, name: &PackageName, url: &DirectUrl) -> Result<Arc<DistFile>> {
        Files::direct(&*self.client()?, name, url)
    }

    fn fetch(&self, file: &DistFile, path: &Path) -> Result<()> {
        let client = self.client()?;
        let watcher = &self.session.watcher;
        watcher.on(Event::FileBegun { size: file.size });
        let fetched = Files::fetch(&*client, file, path);
        watcher.on(Event::FileDone);
        fetched
    }
}

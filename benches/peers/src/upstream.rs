//! The index to record: the one that pip is configured for. Each URL is requested once.

use std::collections::HashMap;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use reqwest::header::{ACCEPT, RANGE};
use reqwest::{RequestBuilder, Response, StatusCode};
use serde_json::Value;
use tokio::sync::{OnceCell, Semaphore};
use url::Url;

use crate::page;
use crate::resource::Resource;
use crate::store::RecordedIndex;
use crate::wheel::{MetadataStep, PartialFile};

/// The most requests under way: the index serves others too.
const REQUESTS: usize = 8;
const TRIES: u32 = 5;
/// Bytes of a wheel in one range request.
const BLOCK: u64 = 64 << 10;
/// After so many wheels without a metadata file, and none with one, the index has no such files.
const PATIENCE: usize = 10;
const ACCEPT_SIMPLE: &str = "application/vnd.pypi.simple.v1+json";

/// Asks pip's own configuration, as `pip download` would.
const ASK_PIP: &str = "
import os, subprocess, sys
def told():
    if os.environ.get('PIP_INDEX_URL'):
        return os.environ['PIP_INDEX_URL']
    for scope in ('global', 'install', 'download'):
        command = [sys.executable, '-m', 'pip', 'config', 'get', scope + '.index-url']
        answer = subprocess.run(command, capture_output=True, text=True)
        if answer.returncode == 0 and answer.stdout.strip():
            return answer.stdout.strip()
    from pip._internal.models.index import PyPI
    return PyPI.simple_url
print(told())
";

/// The index that is recorded.
pub(crate) struct Upstream {
    client: reqwest::Client,
    /// `…/` of `…/simple/`
    root: Url,
    store: Arc<RecordedIndex>,
    permits: Semaphore,
    claims: Mutex<HashMap<String, Arc<OnceCell<()>>>>,
    without_sibling: AtomicUsize,
    with_sibling: AtomicUsize,
}

impl Upstream {
    /// The index that the pip of `python` is configured for.
    pub(crate) fn configured(python: &str, store: Arc<RecordedIndex>) -> Result<Self> {
        let output = Command::new(python).args(["-c", ASK_PIP]).output();
        let output = output.with_context(|| format!("cannot run {python}"))?;
        let told = String::from_utf8_lossy(&output.stdout).trim().trim_end_matches('/').to_owned();
        let Some(root) = told.strip_suffix("simple") else {
            bail!("the configured index has no JSON API beside its Simple API");
        };
        Ok(Self {
            client: reqwest::Client::builder().timeout(Duration::from_secs(120)).build()?,
            root: Url::parse(root).context("the configured index is no URL")?,
            store,
            permits: Semaphore::new(REQUESTS),
            claims: Mutex::default(),
            without_sibling: AtomicUsize::new(0),
            with_sibling: AtomicUsize::new(0),
        })
    }

    /// Records `resource`, once however many requests need it.
    pub(crate) async fn record(&self, resource: &Resource) -> Result<()> {
        match resource {
            Resource::Simple(name) | Resource::Html(name) | Resource::Project(name) => {
                self.once(format!("project {name}"), self.project(name)).await
            }
            Resource::Metadata(wheel) => self.once(format!("file {wheel}"), self.metadata(wheel)).await,
            Resource::Release(name, version) => {
                self.once(format!("project {name}"), self.project(name)).await?;
                self.once(format!("release {name} {version}"), self.release(name, version)).await
            }
            Resource::File(path) => self.once(format!("file {path}"), self.file(path)).await,
        }
    }

    async fn once(&self, what: String, work: impl Future<Output = Result<()>>) -> Result<()> {
        let cell = {
            let mut claims = self.claims.lock().unwrap_or_else(PoisonError::into_inner);
            claims.entry(what).or_default().clone()
        };
        cell.get_or_try_init(|| work).await.copied()
    }

    /// Both pages of a project.
    async fn project(&self, name: &str) -> Result<()> {
        let (simple, project) = (Resource::Simple(name.to_owned()), Resource::Project(name.to_owned()));
        if self.store.get(&simple).is_some() && self.store.get(&project).is_some() {
            return Ok(());
        }
        let at = self.root.join(&format!("pypi/{name}/json"))?;
        let project_page = self.page(&at, "application/json").await?;
        let at = self.root.join(&format!("simple/{name}/"))?;
        let mut simple_page = self.page(&at, ACCEPT_SIMPLE).await?;
        if let (Some(page), Some(project)) = (&mut simple_page, &project_page) {
            page::tell_core_metadata(page, project);
        }
        let html = simple_page.as_ref().map(page::html);
        self.keep(&Resource::Html(name.to_owned()), html.map(String::into_bytes))?;
        self.keep(&project, project_page.as_ref().map(serde_json::to_vec).transpose()?)?;
        self.keep(&simple, simple_page.as_ref().map(serde_json::to_vec).transpose()?)
    }

    async fn page(&self, at: &Url, accept: &'static str) -> Result<Option<Value>> {
        let ask = || self.client.get(at.clone()).header(ACCEPT, accept);
        let Some(answer) = self.get(&ask).await? else { return Ok(None) };
        let base = answer.url().clone();
        let mut page = serde_json::from_slice(&answer.bytes().await?)
            .with_context(|| format!("{} is no JSON", at.path()))?;
        page::localise(&mut page, &base, &self.store)?;
        Ok(Some(page))
    }

    /// The METADATA of a wheel: its sibling, else out of the wheel itself.
    async fn metadata(&self, wheel: &str) -> Result<()> {
        let resource = Resource::Metadata(wheel.to_owned());
        if self.store.get(&resource).is_some() {
            return Ok(());
        }
        let url = self.url_of(wheel)?;
        let text = match self.sibling(&url).await? {
            Some(text) => Some(text),
            None => {
                self.out_of_wheel(&url).await.with_context(|| format!("no METADATA of {}", url.path()))?
            }
        };
        self.keep(&resource, text)
    }

    async fn sibling(&self, wheel: &Url) -> Result<Option<Vec<u8>>> {
        if self.with_sibling.load(Ordering::Relaxed) == 0
            && self.without_sibling.load(Ordering::Relaxed) > PATIENCE
        {
            return Ok(None);
        }
        let mut url = wheel.clone();
        url.set_path(&format!("{}.metadata", wheel.path()));
        let answer = self.get(&|| self.client.get(url.clone())).await?;
        let count = if answer.is_some() { &self.with_sibling } else { &self.without_sibling };
        count.fetch_add(1, Ordering::Relaxed);
        match answer {
            Some(answer) => Ok(Some(answer.bytes().await?.to_vec())),
            None => Ok(None),
        }
    }

    /// METADATA by ranged requests; `None` where there is no such wheel.
    async fn out_of_wheel(&self, url: &Url) -> Result<Option<Vec<u8>>> {
        let ranged = |range: String| move || self.client.get(url.clone()).header(RANGE, range.clone());
        let Some(answer) = self.get(&ranged(format!("bytes=-{BLOCK}"))).await? else { return Ok(None) };
        if answer.status() != StatusCode::PARTIAL_CONTENT {
            bail!("the index does not answer ranges");
        }
        let told = answer.headers().get("content-range").and_then(|value| value.to_str().ok());
        let len = told.and_then(|text| text.rsplit('/').next()?.parse().ok());
        let len: u64 = len.context("a range of unknown length")?;
        let mut sparse = PartialFile::new(len);
        let tail = answer.bytes().await?;
        sparse.give(len - tail.len() as u64, tail.to_vec());
        loop {
            match sparse.metadata(BLOCK)? {
                MetadataStep::Metadata(text) => return Ok(Some(text)),
                MetadataStep::Need(range) => {
                    let asked = ranged(format!("bytes={}-{}", range.start, range.end - 1));
                    let answer = self.get(&asked).await?.context("it has gone")?;
                    sparse.give(range.start, answer.bytes().await?.to_vec());
                }
            }
        }
    }

    /// The page of a release, made of its project's page and the METADATA of one of its wheels.
    async fn release(&self, name: &str, version: &str) -> Result<()> {
        let resource = Resource::Release(name.to_owned(), version.to_owned());
        let Some(project) = self.store.project(name) else { return self.keep(&resource, None) };
        let recorded = |wheel: &&str| self.store.plain(&Resource::Metadata((*wheel).to_owned())).is_some();
        let wheel = page::wheels_of(&project, version).find(recorded);
        if let Some(wheel) = wheel.or_else(|| page::wheels_of(&project, version).next()) {
            self.once(format!("file {wheel}"), self.metadata(wheel)).await?;
        }
        self.store.make_release(&project, name, version)
    }

    /// A whole file.
    async fn file(&self, path: &str) -> Result<()> {
        let url = self.url_of(path)?;
        let answer = self.get(&|| self.client.get(url.clone())).await?;
        let body = match answer {
            Some(answer) => Some(answer.bytes().await?.to_vec()),
            None => None,
        };
        self.keep(&Resource::File(path.to_owned()), body)
    }

    fn keep(&self, resource: &Resource, body: Option<Vec<u8>>) -> Result<()> {
        match body {
            Some(body) => self.store.put(resource, &body),
            None => self.store.put_absent(resource),
        }
    }

    /// Where the store's path came from.
    fn url_of(&self, path: &str) -> Result<Url> {
        let (number, rest) = path.split_once('/').context("a path without a server")?;
        let origin = number.parse().ok().and_then(|number| self.store.origin(number));
        Ok(Url::parse(&origin.context("a path of an unknown server")?)?.join(&format!("/{rest}"))?)
    }

    /// The answer; `None` where there is nothing. Trouble in transit is tried again.
    async fn get(&self, ask: &(dyn Fn() -> RequestBuilder + Sync)) -> Result<Option<Response>> {
        let _permit = self.permits.acquire().await?;
        let mut attempt = 0;
        loop {
            let trouble = match ask().send().await {
                Ok(answer) if answer.status().is_success() => return Ok(Some(answer)),
                Ok(answer) if matches!(answer.status().as_u16(), 404 | 410) => return Ok(None),
                Ok(answer) => format!("the index says {}", answer.status()),
                Err(error) => error.without_url().to_string(),
            };
            attempt += 1;
            if attempt == TRIES {
                bail!("{trouble} (tried {TRIES} times)");
            }
            tokio::time::sleep(Duration::from_millis(250 << attempt)).await;
        }
    }
}

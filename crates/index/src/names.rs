//! The names of the projects that indexes have, for one that was misspelt. Only a help: whatever goes wrong, there
//! are fewer names.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use super::folder;
use super::http::{Ask, Decode, Most};
use super::limits::PAGE_VARIABLE;
use super::listing::ACCEPT_SIMPLE;
use super::page;
use super::site::Site;
use super::{Freshness, Shared};
use pinfast_packaging::PackageName;

/// How long a server's list of projects may be; that of a public index is far longer, and not worth the wait.
const LONGEST: u64 = 1 << 20;

/// How long a server may take.
const TIME: Duration = Duration::from_secs(3);

impl Shared {
    pub(super) fn names(&self) -> Vec<PackageName> {
        self.sites.iter().flat_map(|site| self.names_of(site)).collect()
    }

    fn names_of(&self, site: &Site) -> Vec<PackageName> {
        match &site.folder {
            Some(folder) => folder::names(folder),
            None if self.config.freshness == Freshness::Offline => Vec::new(),
            None => self.block_on(pin!(self.listed_names(site))).unwrap_or_default(),
        }
    }

    async fn listed_names(&self, site: &Site) -> super::failure::Outcome<Vec<PackageName>> {
        let most = Most { bytes: LONGEST, what: "a list of projects", variable: PAGE_VARIABLE };
        let ask = Ask::new(site.url.folder(), ACCEPT_SIMPLE, most, &self.config.limits);
        let ask = Ask { time: ask.time.min(TIME), ..ask };
        let read: Decode<Vec<PackageName>> = Arc::new(|answer| Ok(page::names(&answer.body)));
        Ok(self.http(&ask.url).await?.get(&ask, &read).await?)
    }
}

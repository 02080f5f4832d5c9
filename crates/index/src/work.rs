//! Work on answers: it begins on the thread of whoever asks, which is enough for what lies on disk, and goes on in the
//! runtime where it turns out to need the network.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use tokio::runtime::Handle;
use url::Url;

use super::Shared;
use super::config::Freshness;
use super::failure::{Cause, Failure, Outcome};
use super::http::Http;
use super::net::Net;
use super::url::shown;
use pinfast_base::error::Error;

impl Shared {
    /// Begins `work`; nobody waits for it here.
    pub(super) fn launch(&self, work: impl Future<Output = ()> + Send + 'static) {
        let mut work = Box::pin(work);
        if begun(work.as_mut()).is_pending()
            && let Ok(net) = self.net()
        {
            net.handle.spawn(work);
        }
    }

    /// What comes of `work`; the thread sleeps until it is there.
    pub(super) fn block_on<T>(&self, mut work: Pin<&mut impl Future<Output = Outcome<T>>>) -> Outcome<T> {
        match begun(work.as_mut()) {
            Poll::Ready(result) => result,
            Poll::Pending => self.net()?.handle.block_on(work),
        }
    }

    /// The network, for what is at `url`; work that began elsewhere goes on in the runtime from here.
    pub(super) async fn http(&self, url: &Url) -> Outcome<&Http> {
        if self.config.freshness == Freshness::Offline {
            let what = shown(url);
            let error =
                Error::no_answer(format!("{what} is not in the cache, and --offline forbids to get it"));
            return Err(Failure::new(Cause::Transit, error.hint("run once without --offline")).into());
        }
        let net = self.net()?;
        std::future::poll_fn(|_| if Handle::try_current().is_ok() { Poll::Ready(()) } else { Poll::Pending })
            .await;
        Ok(&net.http)
    }

    /// Whether as many requests are in flight as there may be.
    pub(super) fn is_busy(&self) -> bool {
        self.net
            .get()
            .is_some_and(|net| net.as_ref().is_ok_and(|net| net.http.permits.available_permits() == 0))
    }

    fn net(&self) -> Outcome<&Net> {
        let start = || {
            let (workers, watcher) = (self.workers.clone(), self.watcher.clone());
            Net::start(&self.config, self.credentials().clone(), workers, watcher)
        };
        self.net.get_or_init(start).as_ref().map_err(Arc::clone)
    }
}

/// How far `work` comes on this thread.
fn begun<T>(work: Pin<&mut impl Future<Output = T>>) -> Poll<T> {
    work.poll(&mut Context::from_waker(Waker::noop()))
}

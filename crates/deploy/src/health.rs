//! Whether a release that is live works: its URL answers, or its command succeeds, within a limit.

use std::pin::pin;
use std::time::{Duration, Instant};

use futures_util::future::select;

use super::process::{Attention, Children, Ending, Log, Manner, Setting, run};
use pinfast_base::error::{Error, Result};
use pinfast_process::SignalDeferral;
use pinfast_settings::{HealthCheck, TimedCommand};

/// How long one look may take: a service that is just starting may lose a question.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long to wait between two looks.
const PAUSE: Duration = Duration::from_millis(200);

/// Looks until the health is good, or its limit is over.
///
/// # Errors
/// No answer: nothing can be asked at all.
pub(super) fn check(health: &HealthCheck, setting: &Setting, log: &mut Log) -> Result<Ending> {
    match health {
        HealthCheck::Url { url, within } => ask(url, *within),
        HealthCheck::Command(timed) => command(timed, setting, log),
    }
}

/// Runs the command until it succeeds: a service may take a moment to be there.
fn command(timed: &TimedCommand, setting: &Setting, log: &mut Log) -> Result<Ending> {
    let deferred = SignalDeferral::start();
    let deadline = Instant::now() + timed.within;
    let mut last = None;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let manner = Manner { within: left, children: Children::End, attention: Attention::Signals };
        let ending = run(setting.shell(&timed.command), &timed.command, manner, log)?;
        let Ending::Bad(why) = ending else { return Ok(ending) };
        let left = deadline.saturating_duration_since(Instant::now());
        // A look that ended by itself tells more than one that was cut off at the limit.
        let why = if left.is_zero() { last.unwrap_or(why) } else { why };
        if left <= PAUSE {
            return Ok(Ending::Bad(format!("{why}, for {} s", timed.within.as_secs_f64())));
        }
        last = Some(why);
        std::thread::sleep(PAUSE);
        if let Some(signal) = deferred.received() {
            return Ok(Ending::Interrupted(signal));
        }
    }
}

fn ask(url: &url::Url, within: Duration) -> Result<Ending> {
    let cannot = |error: String| Error::no_answer("the health cannot be asked for").because(error);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| cannot(error.to_string()))?;
    let client = client(url).map_err(|error| cannot(error.to_string()))?;
    Ok(runtime.block_on(asked(&client, url, within)))
}

/// Asks again and again; a signal is looked for meanwhile.
async fn asked(client: &reqwest::Client, url: &url::Url, within: Duration) -> Ending {
    let deferred = SignalDeferral::start();
    let deadline = tokio::time::Instant::now() + within;
    let mut last = "does not answer".to_owned();
    let ended = {
        let looks = pin!(look(client, url, &mut last));
        let signal = pin!(signalled(&deferred));
        let either = async { select(looks, signal).await.factor_first().0 };
        tokio::time::timeout_at(deadline, either).await
    };
    ended.unwrap_or_else(|_| Ending::Bad(format!("{last}, for {} s", within.as_secs_f64())))
}

/// Ends when the URL answers well; until then, `last` is what is wrong.
async fn look(client: &reqwest::Client, url: &url::Url, last: &mut String) -> Ending {
    loop {
        match client.get(url.clone()).send().await {
            Ok(answer) if answer.status().is_success() => return Ending::Good,
            Ok(answer) => *last = format!("answers {}", answer.status()),
            Err(error) => *last = format!("does not answer: {}", root_cause(&error)),
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Ends when a signal comes.
async fn signalled(deferred: &SignalDeferral) -> Ending {
    loop {
        if let Some(signal) = deferred.received() {
            return Ending::Interrupted(signal);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn client(url: &url::Url) -> reqwest::Result<reqwest::Client> {
    // Another part of the process may have installed one: then that one serves.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = reqwest::Client::builder()
        .user_agent(concat!("pinfast/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        // Each look is a new one: a connection to the process that is going away tells nothing.
        .pool_max_idle_per_host(0)
        .timeout(PATIENCE);
    let local = match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    if local { builder.no_proxy().build() } else { builder.build() }
}

/// The end of the chain of causes, which says it plainly: `Connection refused`.
fn root_cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;

    /// Answers one connection with each status, then ends.
    fn serve(statuses: &'static [&'static str]) -> url::Url {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/health", listener.local_addr().unwrap()).parse().unwrap();
        std::thread::spawn(move || {
            for status in statuses {
                let (mut stream, _) = listener.accept().unwrap();
                let _ = stream.read(&mut [0; 1024]);
                write!(stream, "HTTP/1.1 {status}\r\nContent-Length: 0\r\nLocation: /\r\n\r\n").unwrap();
            }
        });
        url
    }

    #[test]
    fn a_service_may_take_a_moment() {
        let url = serve(&["503 Service Unavailable", "302 Found", "204 No Content"]);
        assert_eq!(ask(&url, Duration::from_secs(60)).unwrap(), Ending::Good);
    }

    #[test]
    fn what_does_not_answer_well_is_told() {
        let url = serve(&["500 Internal Server Error"; 100]);
        let ending = ask(&url, Duration::from_secs(2)).unwrap();
        assert_eq!(ending, Ending::Bad("answers 500 Internal Server Error, for 2 s".to_owned()));
        let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let url = format!("http://{closed}/").parse().unwrap();
        let Ending::Bad(why) = ask(&url, Duration::from_secs(2)).unwrap() else { panic!() };
        assert!(why.starts_with("does not answer: Connection refused"), "{why}");
    }
}

//! The health check of a live release: within a time limit, its URL answers with a status from 200 to 299, or
//! its command exits with 0. A service may need a moment to start, so both are polled.

use std::pin::pin;
use std::time::{Duration, Instant};

use futures_util::future::select;

use super::command::{
    CommandEnv, CommandLog, CommandOutcome, Descendants, OnSignal, RunOptions, run_command,
};
use pinfast_base::error::{Error, Result};
use pinfast_process::SignalDeferral;
use pinfast_settings::{HealthCheck, TimedCommand};

/// The limit of one request: a service that is just starting may accept a connection and never answer it.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
/// The pause between two polls.
const POLL_INTERVAL: Duration = Duration::from_millis(200);

/// Polls until the health check passes, its limit is over, or a signal comes.
///
/// # Errors
/// No answer: no poll is possible at all.
pub(super) fn wait_until_healthy(
    health: &HealthCheck,
    env: &CommandEnv,
    log: &mut CommandLog,
) -> Result<CommandOutcome> {
    match health {
        HealthCheck::Url { url, within } => poll_url(url, *within),
        HealthCheck::Command(timed) => poll_command(timed, env, log),
    }
}

fn poll_command(timed: &TimedCommand, env: &CommandEnv, log: &mut CommandLog) -> Result<CommandOutcome> {
    let deferral = SignalDeferral::start();
    let deadline = Instant::now() + timed.within;
    let mut last = None;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let options = RunOptions { within: left, descendants: Descendants::Kill, on_signal: OnSignal::Stop };
        let outcome = run_command(env.shell(&timed.command), &timed.command, options, log)?;
        let CommandOutcome::Failure(why) = outcome else { return Ok(outcome) };
        let left = deadline.saturating_duration_since(Instant::now());
        // A poll that failed by itself explains more than one that the limit cut off.
        let why = if left.is_zero() { last.unwrap_or(why) } else { why };
        if left <= POLL_INTERVAL {
            return Ok(CommandOutcome::Failure(format!("{why}, for {} s", timed.within.as_secs_f64())));
        }
        last = Some(why);
        std::thread::sleep(POLL_INTERVAL);
        if let Some(signal) = deferral.received() {
            return Ok(CommandOutcome::Interrupted(signal));
        }
    }
}

fn poll_url(url: &url::Url, within: Duration) -> Result<CommandOutcome> {
    let cannot = |error: String| Error::no_answer("the health check cannot be run").because(error);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| cannot(error.to_string()))?;
    let client = client(url).map_err(|error| cannot(error.to_string()))?;
    Ok(runtime.block_on(first_end(&client, url, within)))
}

/// Whichever comes first: a good answer, a signal, or the end of the limit.
async fn first_end(client: &reqwest::Client, url: &url::Url, within: Duration) -> CommandOutcome {
    let deferral = SignalDeferral::start();
    let deadline = tokio::time::Instant::now() + within;
    let mut last = "does not answer".to_owned();
    let ended = {
        let answer = pin!(good_answer(client, url, &mut last));
        let signal = pin!(signal(&deferral));
        let either = async { select(answer, signal).await.factor_first().0 };
        tokio::time::timeout_at(deadline, either).await
    };
    ended.unwrap_or_else(|_| CommandOutcome::Failure(format!("{last}, for {} s", within.as_secs_f64())))
}

/// Returns when the URL answers well. Until then, `last` is the last failure.
async fn good_answer(client: &reqwest::Client, url: &url::Url, last: &mut String) -> CommandOutcome {
    loop {
        match client.get(url.clone()).send().await {
            Ok(answer) if answer.status().is_success() => return CommandOutcome::Success,
            Ok(answer) => *last = format!("answers {}", answer.status()),
            Err(error) => *last = format!("does not answer: {}", root_cause(&error)),
        }
        tokio::time::sleep(POLL_INTERVAL).await;
    }
}

async fn signal(deferral: &SignalDeferral) -> CommandOutcome {
    loop {
        if let Some(signal) = deferral.received() {
            return CommandOutcome::Interrupted(signal);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn client(url: &url::Url) -> reqwest::Result<reqwest::Client> {
    // It fails if the index client has installed one before; that one serves as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = reqwest::Client::builder()
        .user_agent(concat!("pinfast/", env!("CARGO_PKG_VERSION")))
        // A redirect is no success: it may lead to a login page or another service.
        .redirect(reqwest::redirect::Policy::none())
        // A kept connection could lead to the old process while it shuts down.
        .pool_max_idle_per_host(0)
        .timeout(REQUEST_TIMEOUT);
    let local = match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    // A proxy does not reach the loopback interface of this host.
    if local { builder.no_proxy().build() } else { builder.build() }
}

/// The last cause in the chain, such as `Connection refused`: the ones above it only repeat the URL.
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
    fn a_check_passes_after_failed_polls() {
        let url = serve(&["503 Service Unavailable", "302 Found", "204 No Content"]);
        assert_eq!(poll_url(&url, Duration::from_secs(60)).unwrap(), CommandOutcome::Success);
    }

    #[test]
    fn the_last_failed_poll_is_reported() {
        let url = serve(&["500 Internal Server Error"; 100]);
        let ending = poll_url(&url, Duration::from_secs(2)).unwrap();
        assert_eq!(ending, CommandOutcome::Failure("answers 500 Internal Server Error, for 2 s".to_owned()));
        let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let url = format!("http://{closed}/").parse().unwrap();
        let CommandOutcome::Failure(why) = poll_url(&url, Duration::from_secs(2)).unwrap() else { panic!() };
        assert!(why.starts_with("does not answer: Connection refused"), "{why}");
    }
}

//! Getting one resource over HTTP, whatever the server does.
//!
//! In: an [`HttpRequest`] and a function that decodes a body. Out: the decoded value, or a
//! [`FetchFailure`](crate::failure::FetchFailure) with its kind, which decides whether another source may be tried.
//!
//! A resource passes these stages. After the permit, they share one deadline (`Limits::time`):
//!
//! 1. A permit. At most `Limits::requests` resources are in flight; over HTTP/2, where they share a connection,
//!    `Limits::streams`.
//! 2. Attempts. A failed attempt is repeated `Limits::retries` times, after an exponential backoff or the server's
//!    `Retry-After` (RFC 9110, section 10.2.3).
//! 3. Redirects (RFC 9110, section 15.4). We follow them here and not in the HTTP library, so that credentials stay
//!    with their origin and `https` never becomes `http`.
//! 4. The status. 404 and 410 mean "absent", 401, 403 and 407 "denied". Every other status outside 2xx is repeated:
//!    a proxy's error page must never look like a missing project.
//! 5. The body: its size limit, its gzip (RFC 1952), and whether its end is known (RFC 9112, section 6.3). A body
//!    that ends with the connection may have been cut.
//! 6. Decoding, on the CPU pool. A malformed body counts as a failed attempt, like a broken connection.
//!
//! **Lazy start.** A run that finds everything in the cache needs no TLS, no runtime and no thread; together they
//! cost some milliseconds of ten. So work starts on the thread that asks. [`Transport`] builds the client and the
//! runtime when the first request is really sent, and the work then continues in the runtime.
//!
//! - `request`, `response`, `attempt`: the vocabulary
//! - `http`: permits, attempts, redirects; with `status`, `body` and `prefix` (stop reading once the beginning is
//!   enough)
//! - `lazy`: the transport itself; `tls`: the two HTTP clients; `executor`: the runtime; `cpu_pool`: threads that parse
//!   and hash
//! - `credentials`: what may be sent to whom; the limits are in `limits.rs` of this crate

mod attempt;
mod body;
mod cpu_pool;
mod credentials;
mod executor;
mod http;
mod lazy;
mod prefix;
mod request;
mod response;
mod status;
mod tls;

pub(crate) use credentials::Credentials;
pub(crate) use http::BodySink;
#[cfg(test)]
pub(crate) use http::HttpClient;
pub(crate) use lazy::Transport;
pub(crate) use request::{BodyEncoding, HttpRequest, SizeLimit};
pub(crate) use response::{BodyEnd, Decode, DecodeError, HttpResponse};

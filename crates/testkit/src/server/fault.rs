//! How a response goes wrong, and which one does.

use std::time::Duration;

use super::{Delivery, Request, Response};

/// What happens to a response, or instead of it.
#[derive(Clone, Debug)]
pub enum Fault {
    /// This status, with a short text.
    Status(u16),
    /// This status with a `Retry-After` of so many seconds.
    RetryAfter(u16, u32),
    /// The response, after so long.
    Delay(Duration),
    /// The response announces its length, and breaks off after so many bytes of the body.
    Cut(usize),
    /// The response, with the last byte of its body changed.
    Corrupt,
    /// This body, of this content type.
    Body(&'static str, Vec<u8>),
    /// `302` to this URL or path.
    Redirect(String),
    /// A body that claims to be gzip and is not.
    GarbageGzip,
    /// The connection closes without a response.
    Drop,
    /// The whole file, although the request names a range.
    NoRanges,
    /// `401`, unless the request carries this user and password.
    Login(&'static str, &'static str),
}

impl Fault {
    /// The response to `request` with this fault, where `respond` gives the right one.
    pub(super) fn apply(self, request: &Request, respond: impl FnOnce(&Request) -> Response) -> Response {
        match self {
            Self::Status(status) => Response::status(status),
            Self::RetryAfter(status, seconds) => {
                Response::status(status).header("Retry-After", &seconds.to_string())
            }
            Self::Delay(time) => {
                std::thread::sleep(time);
                respond(request)
            }
            Self::Cut(bytes) => respond(request).delivered(Delivery::CutAt(bytes)),
            Self::Corrupt => respond(request).corrupted(),
            Self::Body(content_type, body) => Response::ok(content_type, body),
            Self::Redirect(to) => Response::redirect(&to),
            Self::GarbageGzip => Response::ok("text/html", *b"no gzip").header("Content-Encoding", "gzip"),
            Self::Drop => Response::default().delivered(Delivery::HangUp),
            Self::NoRanges => respond(&request.without("range")),
            Self::Login(user, password) if request.is_from(user, password) => respond(request),
            Self::Login(..) => Response::status(401).header("WWW-Authenticate", "Basic realm=\"index\""),
        }
    }
}

/// Which requests go wrong, and how.
#[derive(Default)]
pub(super) struct Rules(Vec<Rule>);

struct Rule {
    path: String,
    fault: Fault,
    left: usize,
}

impl Rules {
    /// From now on, for `times` requests.
    pub(super) fn add(&mut self, path: &str, fault: Fault, times: usize) {
        self.0.push(Rule { path: path.to_owned(), fault, left: times });
    }

    /// The fault for a request of `path`; its rule then applies once less.
    pub(super) fn take(&mut self, path: &str) -> Option<Fault> {
        let rule = self.0.iter_mut().rev().find(|rule| rule.left > 0 && matches(&rule.path, path))?;
        rule.left -= 1;
        Some(rule.fault.clone())
    }
}

/// Whether `path` is `pattern`, or begins with what stands before its `*`.
pub(super) fn matches(pattern: &str, path: &str) -> bool {
    pattern.strip_suffix('*').map_or(pattern == path, |stem| path.starts_with(stem))
}

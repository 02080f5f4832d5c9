//! How an answer goes wrong, and which does.

use std::time::Duration;

use super::answer::Answer;
use super::connection::Request;

/// What happens instead of the answer, or to it.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// This status, with a short text.
    Status(u16),
    /// This status with a `Retry-After` of so many seconds.
    RetryAfter(u16, u32),
    /// The answer, after so long.
    Delay(Duration),
    /// The answer announces its length, and breaks off after so many bytes of the body.
    Cut(usize),
    /// The answer, with the last byte of its body changed.
    Corrupt,
    /// This body, of this content type.
    Body(&'static str, Vec<u8>),
    /// `302` to this URL or path.
    Redirect(String),
    /// A body that claims to be gzip and is not.
    GarbageGzip,
    /// The connection is closed without a word.
    Drop,
    /// The whole file, whatever range was asked for.
    NoRanges,
    /// `401`, unless the request brings these: user, password.
    Login(&'static str, &'static str),
}

impl Fault {
    /// What becomes of `answer`, the right one; `None` closes the connection.
    pub(super) fn apply(self, request: &Request, answer: impl FnOnce(&Request) -> Answer) -> Option<Answer> {
        Some(match self {
            Self::Status(status) => Answer::status(status),
            Self::RetryAfter(status, seconds) => {
                Answer::status(status).header("Retry-After", &seconds.to_string())
            }
            Self::Delay(time) => {
                std::thread::sleep(time);
                answer(request)
            }
            Self::Cut(bytes) => Answer { cut: Some(bytes), ..answer(request) },
            Self::Corrupt => answer(request).corrupted(),
            Self::Body(content_type, body) => Answer::ok(content_type, body),
            Self::Redirect(to) => Answer::status(302).header("Location", &to),
            Self::GarbageGzip => Answer::ok("text/html", *b"no gzip").header("Content-Encoding", "gzip"),
            Self::Drop => return None,
            Self::NoRanges => answer(&request.without("range")),
            Self::Login(user, password) if request.is_from(user, password) => answer(request),
            Self::Login(..) => Answer::status(401).header("WWW-Authenticate", "Basic realm=\"index\""),
        })
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

    /// The fault for a request of `path`, which is one the fewer.
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

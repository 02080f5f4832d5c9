//! The URL of a file as a record has it: many begin alike, and what they hold beside that is mostly known.

use serde::{Deserialize, Serialize};

use crate::page::Text;
use pinfast_packaging::{FileUrl, Sha256};

/// A URL in parts: a root, perhaps a digest as `aa/bb/cc…/`, and the rest.
#[derive(Serialize, Deserialize)]
pub(super) struct Place<'a> {
    root: u32,
    digest: Option<[u8; 32]>,
    /// `None` is the file's name.
    #[serde(borrow)]
    rest: Option<Text<'a>>,
}

/// The beginnings of URLs, each once.
#[derive(Default)]
pub(super) struct Roots(pub(super) Vec<String>);

impl Roots {
    fn place_of(&mut self, root: &str) -> u32 {
        let known = self.0.iter().rposition(|known| known == root);
        let place = known.unwrap_or_else(|| {
            self.0.push(root.to_owned());
            self.0.len() - 1
        });
        u32::try_from(place).unwrap_or(u32::MAX)
    }
}

impl<'a> Place<'a> {
    /// `url`, of the file of this name; its root is added to `roots` where it is new.
    pub(super) fn of(url: &'a str, filename: &str, roots: &mut Roots) -> Self {
        let start = url.rfind('/').map_or(0, |slash| slash + 1);
        let (head, rest) = url.split_at(start);
        let (root, digest) = match digest_at_end(head) {
            Some((root, digest)) => (root, Some(digest)),
            None => (head, None),
        };
        let rest = (rest != filename).then(|| Text::from(rest));
        Self { root: roots.place_of(root), digest, rest }
    }

    /// The URL again; `None` where its root is missing.
    pub(super) fn read(&self, roots: &[String], filename: &str) -> Option<FileUrl> {
        let mut url = roots.get(self.root as usize)?.clone();
        if let Some(digest) = self.digest {
            let digits = Sha256(digest).to_string();
            for part in [&digits[..2], &digits[2..4], &digits[4..]] {
                url.push_str(part);
                url.push('/');
            }
        }
        url.push_str(self.rest.as_deref().unwrap_or(filename));
        Some(FileUrl::lazy(&url))
    }
}

/// The digest at the end of `aa/bb/cc…/`, and what is before it.
fn digest_at_end(head: &str) -> Option<(&str, [u8; 32])> {
    const LENGTH: usize = 2 + 1 + 2 + 1 + 60 + 1;
    let (root, end) = head.split_at_checked(head.len().checked_sub(LENGTH)?)?;
    let parts = [
        (end.get(..2)?, end.get(2..3)?),
        (end.get(3..5)?, end.get(5..6)?),
        (end.get(6..66)?, end.get(66..)?),
    ];
    let mut digits = String::with_capacity(64);
    for (part, slash) in parts {
        if slash != "/" || part.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return None;
        }
        digits.push_str(part);
    }
    let Sha256(digest) = digits.parse().ok()?;
    Some((root, digest))
}

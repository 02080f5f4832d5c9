//! File URLs in short: `ROOT aa/bb/cc… FILENAME`, as public indexes build them from a hash.
//!
//! The roots are stored once, a digest in the path as 32 bytes, and the file's own name not at all.

use serde::{Deserialize, Serialize};

use crate::text::BorrowedText;
use pinfast_packaging::{FileUrl, Sha256};

/// A URL in parts: the number of its root, a digest written `aa/bb/cc…/`, and the rest.
#[derive(Serialize, Deserialize)]
pub(super) struct PackedUrl<'a> {
    root: u32,
    digest: Option<[u8; 32]>,
    /// `None` means the file's name.
    #[serde(borrow)]
    rest: Option<BorrowedText<'a>>,
}

/// The roots of URLs, each once.
#[derive(Default)]
pub(super) struct UrlRoots(pub(super) Vec<String>);

impl UrlRoots {
    fn number_of(&mut self, root: &str) -> u32 {
        // From the end: files that follow each other mostly share their root.
        let earlier = self.0.iter().rposition(|earlier| earlier == root);
        let number = earlier.unwrap_or_else(|| {
            self.0.push(root.to_owned());
            self.0.len() - 1
        });
        u32::try_from(number).unwrap_or(u32::MAX)
    }
}

impl<'a> PackedUrl<'a> {
    /// Packs the URL of the file `filename`; a new root is added to `roots`.
    pub(super) fn new(url: &'a str, filename: &str, roots: &mut UrlRoots) -> Self {
        // The last segment is mostly the file's name, which the details have anyway.
        let start = url.rfind('/').map_or(0, |slash| slash + 1);
        let (head, rest) = url.split_at(start);
        let (root, digest) = match digest_at_end(head) {
            Some((root, digest)) => (root, Some(digest)),
            None => (head, None),
        };
        let rest = (rest != filename).then(|| BorrowedText::from(rest));
        Self { root: roots.number_of(root), digest, rest }
    }

    /// The whole URL; `None` where its root is missing.
    pub(super) fn expand(&self, roots: &[String], filename: &str) -> Option<FileUrl> {
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

/// Splits a head that ends with a digest as `aa/bb/cc…/`.
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
        // `expand` writes lower case, so a digest in upper case would come back changed.
        if slash != "/" || part.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return None;
        }
        digits.push_str(part);
    }
    let Sha256(digest) = digits.parse().ok()?;
    Some((root, digest))
}

//! The Simple API's HTML (PEP 503, 592, 629, 658, 714), and find-links pages.

use html5gum::{StartTag, Token, Tokenizer};
use percent_encoding::percent_decode_str;
use url::Url;

use super::json::check_version;
use super::page::{RawFile, RawHash, RawPage, announced_metadata, is_distribution};
use crate::text::{BorrowedText, quoted};
use pinfast_packaging::MetadataHint;

/// Parses the anchors of the page at the URL `at`.
///
/// # Errors
/// When it is no HTML, or has a form or a script but no file: a log-in page, for example.
pub(super) fn parse(body: &[u8], at: &Url) -> Result<RawPage<'static>, String> {
    // A byte order mark may come first.
    if body.iter().find(|byte| !byte.is_ascii_whitespace() && !b"\xef\xbb\xbf".contains(byte)) != Some(&b'<')
    {
        return Err("the page is no HTML".to_owned());
    }
    let mut parser =
        AnchorParser { base: at.clone(), page: RawPage::default(), anchor: None, is_interactive: false };
    for Ok(token) in Tokenizer::new(body) {
        parser.push(token)?;
    }
    parser.finish_anchor();
    // Taken for a project without files, a log-in page would make the solver drop the project.
    if parser.page.files.is_empty() && parser.page.warnings.is_empty() && parser.is_interactive {
        return Err("the page has forms or scripts but no files".to_owned());
    }
    Ok(parser.page)
}

/// Whether a page ends with `</html>`, so that it cannot have been cut.
pub(crate) fn is_closed_html(body: &[u8]) -> bool {
    // Only white space may follow, so there is no need to search the whole page.
    let tail = &body[body.len().saturating_sub(64)..];
    String::from_utf8_lossy(tail).to_ascii_lowercase().trim_end().ends_with("</html>")
}

struct AnchorParser {
    base: Url,
    page: RawPage<'static>,
    /// The open anchor, and its text so far.
    anchor: Option<(StartTag<()>, String)>,
    /// Whether there is a form, a script or a forward.
    is_interactive: bool,
}

impl AnchorParser {
    fn push(&mut self, token: Token) -> Result<(), String> {
        match token {
            Token::StartTag(tag) => self.start(tag)?,
            Token::EndTag(tag) if tag.name.as_slice() == b"a" => self.finish_anchor(),
            Token::String(text) => {
                if let Some((_, label)) = &mut self.anchor {
                    label.push_str(&String::from_utf8_lossy(&text));
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn start(&mut self, tag: StartTag<()>) -> Result<(), String> {
        match tag.name.as_slice() {
            b"a" => {
                // Anchors do not nest: one without an end tag ends where the next begins.
                self.finish_anchor();
                self.anchor = Some((tag, String::new()));
            }
            b"base" => {
                if let Some(base) = attribute(&tag, "href").and_then(|href| self.base.join(href.trim()).ok())
                {
                    self.base = base;
                }
            }
            b"meta" if attribute(&tag, "name").as_deref() == Some("pypi:repository-version") => {
                check_version(attribute(&tag, "content").as_deref().unwrap_or_default())?;
            }
            b"form" | b"input" | b"script" => self.is_interactive = true,
            b"meta"
                if attribute(&tag, "http-equiv").is_some_and(|what| what.eq_ignore_ascii_case("refresh")) =>
            {
                self.is_interactive = true;
            }
            _ => {}
        }
        Ok(())
    }

    fn finish_anchor(&mut self) {
        let Some((tag, label)) = self.anchor.take() else { return };
        let Some(href) = attribute(&tag, "href") else { return };
        match self.base.join(href.trim()) {
            Ok(url) => self.page.files.extend(raw_file(&tag, url, label.trim())),
            Err(_) if is_distribution(label.trim()) => self.page.warnings.push(format!(
                "{} is skipped: its URL {} is unreadable",
                quoted(label.trim()),
                quoted(&href)
            )),
            // A broken link to something else, a home page say, hides no file.
            Err(_) => {}
        }
    }
}

/// The distribution that an anchor links to; `None` where it links to something else.
fn raw_file(tag: &StartTag<()>, mut url: Url, label: &str) -> Option<RawFile<'static>> {
    let fragment = url.fragment().unwrap_or_default().to_owned();
    // The hash is kept apart, and equal files should have equal URLs.
    url.set_fragment(None);
    let last = url.path_segments().and_then(|mut segments| segments.next_back()).unwrap_or_default();
    let last = percent_decode_str(last).decode_utf8_lossy().into_owned();
    // Some indexes serve files under a digest, so that only the label has the file name.
    let filename = [last.as_str(), label].into_iter().find(|name| is_distribution(name))?.to_owned();
    let python = attribute(tag, "data-requires-python").filter(|text| !text.trim().is_empty());
    Some(RawFile {
        filename: filename.into(),
        url: String::from(url).into(),
        sha256: RawHash::parse(fragment.split('&').find_map(|part| part.strip_prefix("sha256="))),
        requires_python: python.map(BorrowedText::from),
        yanked: attribute(tag, "data-yanked").map(BorrowedText::from),
        // PEP 503 has neither upload times nor sizes.
        uploaded: None,
        size: None,
        metadata: metadata_hint(tag),
    })
}

/// `data-core-metadata`, or its name before PEP 714.
fn metadata_hint(tag: &StartTag<()>) -> MetadataHint {
    let value = attribute(tag, "data-core-metadata").or_else(|| attribute(tag, "data-dist-info-metadata"));
    match value.as_deref() {
        None | Some("false") => MetadataHint::Unknown,
        Some(value) => announced_metadata(value.strip_prefix("sha256=")),
    }
}

fn attribute(tag: &StartTag<()>, name: &str) -> Option<String> {
    tag.attributes.get(name.as_bytes()).map(|value| String::from_utf8_lossy(value).into_owned())
}

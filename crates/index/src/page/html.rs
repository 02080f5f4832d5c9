//! The Simple API's HTML (PEP 503, 592, 629, 658, 714) and pages of links.

use html5gum::{StartTag, Token, Tokenizer};
use percent_encoding::percent_decode_str;
use url::Url;

use super::json::check_version;
use super::text::{Text, quoted};
use super::{Digest, Entry, Hint, Page, is_dist};

/// Reads the anchors of a page that came from `at`.
///
/// # Errors
/// When it is no HTML, or nothing but a form or a script: a log-in page that stands in the way, say.
pub(super) fn read(body: &[u8], at: &Url) -> Result<Page<'static>, String> {
    if body.iter().find(|byte| !byte.is_ascii_whitespace() && !b"\xef\xbb\xbf".contains(byte)) != Some(&b'<')
    {
        return Err("the page is no HTML".to_owned());
    }
    let mut reader = Reader { base: at.clone(), page: Page::default(), anchor: None, interactive: false };
    for Ok(token) in Tokenizer::new(body) {
        reader.take(token)?;
    }
    reader.finish_anchor();
    if reader.page.entries.is_empty() && reader.page.warnings.is_empty() && reader.interactive {
        return Err("the page has forms or scripts but no files".to_owned());
    }
    Ok(reader.page)
}

/// Whether a page says where it ends, so that it cannot have been cut.
pub(crate) fn is_closed(body: &[u8]) -> bool {
    let tail = &body[body.len().saturating_sub(64)..];
    String::from_utf8_lossy(tail).to_ascii_lowercase().trim_end().ends_with("</html>")
}

struct Reader {
    base: Url,
    page: Page<'static>,
    /// The link whose text is being read.
    anchor: Option<(StartTag<()>, String)>,
    interactive: bool,
}

impl Reader {
    fn take(&mut self, token: Token) -> Result<(), String> {
        match token {
            Token::StartTag(tag) => self.start(tag)?,
            Token::EndTag(tag) if tag.name.as_slice() == b"a" => self.finish_anchor(),
            Token::String(text) => {
                if let Some((_, said)) = &mut self.anchor {
                    said.push_str(&String::from_utf8_lossy(&text));
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn start(&mut self, tag: StartTag<()>) -> Result<(), String> {
        match tag.name.as_slice() {
            b"a" => {
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
            b"form" | b"input" | b"script" => self.interactive = true,
            b"meta"
                if attribute(&tag, "http-equiv").is_some_and(|what| what.eq_ignore_ascii_case("refresh")) =>
            {
                self.interactive = true;
            }
            _ => {}
        }
        Ok(())
    }

    fn finish_anchor(&mut self) {
        let Some((tag, said)) = self.anchor.take() else { return };
        let Some(href) = attribute(&tag, "href") else { return };
        match self.base.join(href.trim()) {
            Ok(url) => self.page.entries.extend(entry(&tag, url, said.trim())),
            Err(_) if is_dist(said.trim()) => self.page.warnings.push(format!(
                "{} is barred: its URL {} is unreadable",
                quoted(said.trim()),
                quoted(&href)
            )),
            Err(_) => {}
        }
    }
}

/// The file that a link leads to; none where it leads elsewhere.
fn entry(tag: &StartTag<()>, mut url: Url, said: &str) -> Option<Entry<'static>> {
    let fragment = url.fragment().unwrap_or_default().to_owned();
    url.set_fragment(None);
    let last = url.path_segments().and_then(|mut segments| segments.next_back()).unwrap_or_default();
    let last = percent_decode_str(last).decode_utf8_lossy().into_owned();
    let filename = [last.as_str(), said].into_iter().find(|name| is_dist(name))?.to_owned();
    let python = attribute(tag, "data-requires-python").filter(|text| !text.trim().is_empty());
    Some(Entry {
        filename: filename.into(),
        url: String::from(url).into(),
        sha256: Digest::read(fragment.split('&').find_map(|part| part.strip_prefix("sha256="))),
        requires_python: python.map(Text::from),
        yanked: attribute(tag, "data-yanked").map(Text::from),
        uploaded: None,
        size: None,
        metadata: hint(tag),
    })
}

fn hint(tag: &StartTag<()>) -> Hint {
    let value = attribute(tag, "data-core-metadata").or_else(|| attribute(tag, "data-dist-info-metadata"));
    match value.as_deref() {
        None | Some("false") => Hint::Unknown,
        Some(value) => Hint::read(value.strip_prefix("sha256=")),
    }
}

fn attribute(tag: &StartTag<()>, name: &str) -> Option<String> {
    tag.attributes.get(name.as_bytes()).map(|value| String::from_utf8_lossy(value).into_owned())
}

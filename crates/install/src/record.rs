//! `RECORD`: the files of a wheel or of an installed distribution, as CSV (PyPA "Recording installed projects",
//! "Binary distribution format").

use std::io::{self, Read};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::Digest as _;

use super::disk;

/// One row of a `RECORD`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct RecordRow {
    /// The file, with `/` between components; usually relative to the site folder.
    pub(super) path: String,
    /// Its hash, unparsed; empty for files such as `RECORD` itself.
    pub(super) digest: String,
    /// Its size in bytes, unparsed; may be empty.
    pub(super) size: String,
}

impl RecordRow {
    /// The row of a file with this content.
    pub(super) fn of(path: String, content: &[u8]) -> Self {
        let mut hasher = RecordHasher::new(HashAlgorithm::Sha256);
        hasher.update(content);
        Self { path, digest: hasher.finish().to_string(), size: content.len().to_string() }
    }

    /// The row of a file without a hash.
    pub(super) fn bare(path: String) -> Self {
        Self { path, digest: String::new(), size: String::new() }
    }
}

/// The hash functions that a `RECORD` may use: SHA-256 or stronger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HashAlgorithm {
    Sha256,
    Sha384,
    Sha512,
}

/// A hash in RECORD's form: `sha256=` and unpadded URL-safe base64.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RecordDigest {
    pub(super) algorithm: HashAlgorithm,
    bytes: Vec<u8>,
}

impl RecordDigest {
    /// Parses `ALGORITHM=BASE64`; `None` for an unreadable or weak one.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (name, value) = text.split_once('=')?;
        let (algorithm, length) = match name {
            "sha256" => (HashAlgorithm::Sha256, 32),
            "sha384" => (HashAlgorithm::Sha384, 48),
            "sha512" => (HashAlgorithm::Sha512, 64),
            _ => return None,
        };
        // Some tools pad, although the specification says not to.
        let bytes = URL_SAFE_NO_PAD.decode(value.trim_end_matches('=')).ok()?;
        (bytes.len() == length).then_some(Self { algorithm, bytes })
    }
}

impl std::fmt::Display for RecordDigest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = match self.algorithm {
            HashAlgorithm::Sha256 => "sha256",
            HashAlgorithm::Sha384 => "sha384",
            HashAlgorithm::Sha512 => "sha512",
        };
        write!(f, "{name}={}", URL_SAFE_NO_PAD.encode(&self.bytes))
    }
}

/// Hashes with one of the functions.
pub(super) enum RecordHasher {
    Sha256(sha2::Sha256),
    Sha384(sha2::Sha384),
    Sha512(sha2::Sha512),
}

impl RecordHasher {
    pub(super) fn new(algorithm: HashAlgorithm) -> Self {
        match algorithm {
            HashAlgorithm::Sha256 => Self::Sha256(sha2::Sha256::new()),
            HashAlgorithm::Sha384 => Self::Sha384(sha2::Sha384::new()),
            HashAlgorithm::Sha512 => Self::Sha512(sha2::Sha512::new()),
        }
    }

    pub(super) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha256(hasher) => hasher.update(bytes),
            Self::Sha384(hasher) => hasher.update(bytes),
            Self::Sha512(hasher) => hasher.update(bytes),
        }
    }

    pub(super) fn finish(self) -> RecordDigest {
        match self {
            Self::Sha256(h) => {
                RecordDigest { algorithm: HashAlgorithm::Sha256, bytes: h.finalize().to_vec() }
            }
            Self::Sha384(h) => {
                RecordDigest { algorithm: HashAlgorithm::Sha384, bytes: h.finalize().to_vec() }
            }
            Self::Sha512(h) => {
                RecordDigest { algorithm: HashAlgorithm::Sha512, bytes: h.finalize().to_vec() }
            }
        }
    }
}

/// The digest and the size of all that `reader` yields.
pub(super) fn hash(reader: impl Read, algorithm: HashAlgorithm) -> io::Result<(RecordDigest, u64)> {
    let (mut hasher, mut size) = (RecordHasher::new(algorithm), 0);
    disk::pieces(reader, |piece| {
        hasher.update(piece);
        size += piece.len() as u64;
    })?;
    Ok((hasher.finish(), size))
}

/// Parses a `RECORD`: comma-separated values, fields quoted or not, LF or CRLF.
pub(super) fn parse(text: &[u8]) -> Result<Vec<RecordRow>, String> {
    let text = std::str::from_utf8(text).map_err(|_| "it is not UTF-8".to_owned())?;
    let mut rows = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (fields, after) = fields(rest).map_err(|what| format!("line {}: {what}", rows.len() + 1))?;
        rest = after;
        let mut fields = fields.into_iter();
        match (fields.next(), fields.next(), fields.next(), fields.next()) {
            // An empty line.
            (Some(path), None, ..) if path.is_empty() => {}
            (Some(path), digest, size, None) => rows.push(RecordRow {
                path,
                digest: digest.unwrap_or_default(),
                size: size.unwrap_or_default(),
            }),
            _ => return Err(format!("line {}: it has more than three fields", rows.len() + 1)),
        }
    }
    Ok(rows)
}

/// Splits off the fields of the first line.
fn fields(text: &str) -> Result<(Vec<String>, &str), String> {
    let mut fields = Vec::new();
    let mut rest = text;
    loop {
        let (field, after) = field(rest)?;
        fields.push(field);
        rest = after;
        if let Some(after) = rest.strip_prefix(',') {
            rest = after;
        } else if rest.is_empty() {
            return Ok((fields, rest));
        } else if let Some(after) = rest.strip_prefix("\r\n").or_else(|| rest.strip_prefix(['\n', '\r'])) {
            return Ok((fields, after));
        } else {
            return Err("text follows a closing quote".to_owned());
        }
    }
}

/// Splits off the first field; a comma, a line end or nothing follows.
fn field(text: &str) -> Result<(String, &str), String> {
    let Some(mut rest) = text.strip_prefix('"') else {
        let end = text.find([',', '\n', '\r']).unwrap_or(text.len());
        return Ok((text[..end].to_owned(), &text[end..]));
    };
    let mut value = String::new();
    loop {
        let end = rest.find('"').ok_or_else(|| "a quote is not closed".to_owned())?;
        value.push_str(&rest[..end]);
        rest = &rest[end + 1..];
        match rest.strip_prefix('"') {
            Some(after) => {
                value.push('"');
                rest = after;
            }
            None => return Ok((value, rest)),
        }
    }
}

/// Writes a `RECORD` of these rows, which are sorted. Lines end in CRLF, as those of Python's `csv` module do.
pub(super) fn write(rows: &[RecordRow]) -> Vec<u8> {
    let mut out = String::with_capacity(rows.len() * 128);
    for row in rows {
        for (field, end) in [(&row.path, ","), (&row.digest, ","), (&row.size, "\r\n")] {
            push_field(&mut out, field);
            out.push_str(end);
        }
    }
    out.into_bytes()
}

fn push_field(out: &mut String, field: &str) {
    if field.contains([',', '"', '\r', '\n']) {
        out.push('"');
        out.push_str(&field.replace('"', "\"\""));
        out.push('"');
    } else {
        out.push_str(field);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(path: &str, digest: &str, size: &str) -> RecordRow {
        RecordRow { path: path.to_owned(), digest: digest.to_owned(), size: size.to_owned() }
    }

    #[test]
    fn rows_are_read_back_as_they_were_written() {
        let rows = vec![row("a,b", "sha256=x", "1"), row("q\"\n", "", ""), row("z", "", "")];
        let text = write(&rows);
        assert_eq!(text, b"\"a,b\",sha256=x,1\r\n\"q\"\"\n\",,\r\nz,,\r\n");
        assert_eq!(parse(&text).unwrap(), rows);
        assert_eq!(parse(b"a,b,1\n\nc,d,2").unwrap(), [row("a", "b", "1"), row("c", "d", "2")]);
        assert_eq!(parse(b"only").unwrap(), [row("only", "", "")]);
    }

    #[test]
    fn a_malformed_record_is_an_error_with_its_line() {
        for (text, error) in [
            (&b"a,b,c,d"[..], "line 1: it has more than three fields"),
            (b"x,,\n\"a", "line 2: a quote is not closed"),
            (b"\"a\"b,,", "line 1: text follows a closing quote"),
            (b"\xff", "it is not UTF-8"),
        ] {
            assert_eq!(parse(text).unwrap_err(), error);
        }
    }

    #[test]
    fn weak_or_cut_digests_are_not_parsed() {
        let good = "sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU";
        assert_eq!(RecordDigest::parse(good).unwrap().to_string(), good);
        assert_eq!(RecordDigest::parse(&format!("{good}=")).unwrap().to_string(), good);
        assert_eq!(hash(&b""[..], HashAlgorithm::Sha256).unwrap().0.to_string(), good);
        for bad in ["", "sha256", "md5=1B2M2Y8AsgTpgAmY7PhCfg", "sha256=AAAA", "sha256=!"] {
            assert!(RecordDigest::parse(bad).is_none(), "{bad}");
        }
    }
}

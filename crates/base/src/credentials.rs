//! Credentials in URLs: found and masked before a person or a file gets to see the text.

use std::ops::Range;

/// What replaces the credentials of a URL.
pub(crate) const MASK: &str = "****";

/// `text` with the user information of every URL in it (RFC 3986, section 3.2.1) replaced by `****`.
///
/// `${USER}:${TOKEN}` stays: it names variables and holds no secret.
#[must_use]
pub fn mask(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut done = 0;
    for secret in secrets(text) {
        masked.push_str(&text[done..secret.start]);
        masked.push_str(MASK);
        done = secret.end;
    }
    masked.push_str(&text[done..]);
    masked
}

/// The bytes of `text` that are the user information of a URL.
pub(crate) fn secrets(text: &str) -> Vec<Range<usize>> {
    let mut secrets = Vec::new();
    for (scheme, mark) in text.match_indices("://") {
        let start = scheme + mark.len();
        let rest = &text[start..];
        let authority =
            rest.find(|c: char| c.is_whitespace() || "/?#\"'<>\\".contains(c)).unwrap_or(rest.len());
        // A password may hold a bare `@`, so the last one ends it.
        if let Some(len) = rest[..authority].rfind('@')
            && !only_variables(&rest[..len])
        {
            secrets.push(start..start + len);
        }
    }
    secrets
}

/// Whether this is `${NAME}` or `${NAME}:${NAME}`.
fn only_variables(userinfo: &str) -> bool {
    let is_name_byte = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    userinfo.split(':').all(|part| {
        part.strip_prefix("${")
            .and_then(|part| part.strip_suffix('}'))
            .is_some_and(|name| name.bytes().all(is_name_byte))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_masked_and_variables_are_not() {
        for (text, shown) in [
            ("a @ https://user:pw@host.example/a.whl", "a @ https://****@host.example/a.whl"),
            ("https://token@host.example", "https://****@host.example"),
            ("https://p@ss:w@host.example/x@y", "https://****@host.example/x@y"),
            ("https://${USER}:${TOKEN}@host.example", "https://${USER}:${TOKEN}@host.example"),
            ("https://${USER}:pw@host.example", "https://****@host.example"),
            (
                "https://host.example/a@b https://u@h.example",
                "https://host.example/a@b https://****@h.example",
            ),
            ("no url, me@host.example", "no url, me@host.example"),
        ] {
            assert_eq!(mask(text), shown);
        }
    }
}

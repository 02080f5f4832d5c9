//! Keeping credentials out of what people and files get to see.

use std::ops::Range;

/// What stands in a URL where its credentials stood.
const MASK: &str = "****";

/// `text` with the credentials of every URL in it replaced by `****`; credentials that are nothing but
/// `${VARIABLES}` are no secret and stay.
pub(super) fn masked(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for secret in secrets(text) {
        out.push_str(&text[done..secret.start]);
        out.push_str(MASK);
        done = secret.end;
    }
    out.push_str(&text[done..]);
    out
}

/// The bytes of `text` that are credentials in a URL.
pub(super) fn secrets(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for (scheme, mark) in text.match_indices("://") {
        let start = scheme + mark.len();
        let rest = &text[start..];
        let authority =
            rest.find(|c: char| c.is_whitespace() || "/?#\"'<>\\".contains(c)).unwrap_or(rest.len());
        if let Some(len) = rest[..authority].rfind('@')
            && !only_variables(&rest[..len])
        {
            found.push(start..start + len);
        }
    }
    found
}

/// Whether this is `${NAME}` or `${NAME}:${NAME}`.
fn only_variables(userinfo: &str) -> bool {
    userinfo.split(':').all(|part| {
        part.strip_prefix("${")
            .and_then(|part| part.strip_suffix('}'))
            .is_some_and(|name| name.bytes().all(super::variables::is_name_byte))
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
            assert_eq!(masked(text), shown);
        }
    }
}

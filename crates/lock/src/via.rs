//! The `# via` lines below a pin -> dependents, in the styles of pinfast, pip-compile and uv.
//!
//! ```text
//! # via aiogram                  one
//! # via                          several
//! #   -r requirements.in
//! #   google-genai (>=2.47.0)    with its specifiers: pinfast's addition
//! #   app (pyproject.toml)       a project's own file
//! # via -r requirements.in, foo  pip-compile's line style
//! ```

use std::sync::Arc;

use pinfast_packaging::PackageName;

use super::Via;
use super::escape::{escape, unescape};

/// The text after `via`, if the comment opens a list.
pub(crate) fn opened(comment: &str) -> Option<&str> {
    let rest = comment.trim_start().strip_prefix("via")?;
    (rest.is_empty() || rest.starts_with(char::is_whitespace)).then_some(rest)
}

/// The entries on the line of `via` itself.
pub(crate) fn entries(text: &str) -> impl Iterator<Item = Via> {
    text.split(", ").filter_map(entry)
}

/// One entry; `None` for anything else: annotations only inform, so a strange one is no problem.
pub(crate) fn entry(text: &str) -> Option<Via> {
    let text = text.trim();
    if let Some(file) = text.strip_prefix("-r ") {
        return Some(Via::Input(unescape(file.trim_start()).into()));
    }
    if let Some(file) = text.strip_prefix("-c ") {
        return Some(Via::Constraint(unescape(file.trim_start()).into()));
    }
    let (name, inside) = match text.split_once(" (") {
        Some((name, rest)) => (name, rest.strip_suffix(')')?),
        None => (text, ""),
    };
    let name = PackageName::new(name.split('[').next()?).ok()?;
    Some(match inside {
        file if names_a_file(file) => Via::Input(unescape(file).into()),
        wants => Via::Package { wants: readable(&name, wants), name },
    })
}

/// `app (pyproject.toml)`, `app (setup.py)`, `app (pyproject.toml:dev)`.
fn names_a_file(inside: &str) -> bool {
    inside.starts_with(|c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '/' | '_' | '-'))
}

/// `wants`, if `{name}{wants}` is a requirement; else nothing.
fn readable(name: &PackageName, wants: &str) -> Arc<str> {
    Via::specifiers(name, wants).map_or_else(|| "".into(), |_| wants.into())
}

/// As it stands after `# via`.
impl std::fmt::Display for Via {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The reader splits entries at a comma and a space.
        let path = |file: &str| escape(file).replace(", ", r"\u{2c} ");
        match self {
            Self::Input(file) => write!(f, "-r {}", path(file)),
            Self::Constraint(file) => write!(f, "-c {}", path(file)),
            Self::Package { name, wants } if wants.is_empty() => write!(f, "{name}"),
            Self::Package { name, wants } => write!(f, "{name} ({})", escape(wants)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, wants: &str) -> Via {
        Via::Package { name: PackageName::new(name).unwrap(), wants: wants.into() }
    }

    #[test]
    fn entries_of_all_styles_are_read() {
        let input = |file: &str| Via::Input(file.into());
        for (comment, expected) in [
            (" via aiogram", vec![package("aiogram", "")]),
            (" via -r requirements.in", vec![input("requirements.in")]),
            (
                " via -r a.in, -c c.txt, Foo_Bar",
                vec![input("a.in"), Via::Constraint("c.txt".into()), package("foo-bar", "")],
            ),
            (" via app (pyproject.toml)", vec![input("pyproject.toml")]),
            (" via genai (>=2.47.0,<3)", vec![package("genai", ">=2.47.0,<3")]),
            (" via genai ([grpc]>=1)", vec![package("genai", "[grpc]>=1")]),
            (" via genai (>>)", vec![package("genai", "")]),
            (" via foo[bar]", vec![package("foo", "")]),
            (" via", vec![]),
            (" via a b, (x, ???", vec![]),
        ] {
            let entries: Vec<_> = opened(comment).map(entries).into_iter().flatten().collect();
            assert_eq!(entries, expected, "{comment}");
        }
        assert_eq!(opened(" viable"), None);
    }

    #[test]
    fn an_entry_comes_back() {
        for via in [
            Via::Input("a, b.in".into()),
            Via::Input("x\u{2028}y\n".into()),
            Via::Constraint(r"dir\c.txt".into()),
            package("a", ""),
            package("a", "[x,y]>=1,<2"),
        ] {
            assert_eq!(entries(&via.to_string()).collect::<Vec<_>>(), [via]);
        }
    }
}

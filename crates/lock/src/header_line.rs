//! A normalized line of an input, as the header records it -> role and requirement.
//!
//! `aiogram>=3.4`, `-c urllib3<2`, `--override x==1`, `--pre`.

use pinfast_packaging::{PackageName, Requirement, Role};

/// The role and the requirement of a line; `None` for an option, and for a line that cannot be read.
///
/// A URL is recorded as a digest, so its requirement allows any version. Hashes are left out.
pub(super) fn requirement(line: &str) -> Option<(Role, Requirement)> {
    let (role, text) = split(line)?;
    let text = text.split(" --hash=").next()?;
    let requirement = match text.split_once(" @ ") {
        Some((name, rest)) => match rest.split_once(" ; ") {
            Some((_, marker)) => format!("{name} ; {marker}").parse(),
            None => name.parse(),
        },
        None => text.parse(),
    };
    Some((role, requirement.ok()?))
}

/// What a line has in common with its earlier self: equal keys make a change, not an addition and a removal.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum LineKey<'a> {
    /// A requirement on the package in the role.
    Package(Role, PackageName),
    /// An option, or a line that cannot be read, by its first word.
    Option(&'a str),
}

/// The key of a line.
pub(super) fn line_key(line: &str) -> LineKey<'_> {
    let package = |(role, text): (Role, &str)| {
        let end =
            text.find(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c))).unwrap_or(text.len());
        Some(LineKey::Package(role, PackageName::new(&text[..end]).ok()?))
    };
    let word = || LineKey::Option(line.split([' ', '=']).next().unwrap_or_default());
    split(line).and_then(package).unwrap_or_else(word)
}

fn split(line: &str) -> Option<(Role, &str)> {
    if let Some(constraint) = line.strip_prefix("-c ") {
        Some((Role::Constraint, constraint))
    } else if let Some(replacement) = line.strip_prefix("--override ") {
        Some((Role::Override, replacement))
    } else {
        (!line.starts_with('-')).then_some((Role::Requirement, line))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_normalized_line_is_read_as_role_and_requirement() {
        for (line, expected) in [
            ("a>=1", Some((Role::Requirement, "a>=1"))),
            ("-c a<2 ; os_name == 'nt'", Some((Role::Constraint, "a<2 ; os_name == 'nt'"))),
            ("--override a==1 --hash=sha256:00", Some((Role::Override, "a==1"))),
            ("a[x] @ sha256:0123456789ab", Some((Role::Requirement, "a[x]"))),
            (
                "a @ sha256:0123456789ab#sha256=00 ; os_name == 'nt'",
                Some((Role::Requirement, "a ; os_name == 'nt'")),
            ),
            ("--pre", None),
            ("???", None),
        ] {
            let found = requirement(line).map(|(role, requirement)| (role, requirement.to_string()));
            assert_eq!(found, expected.map(|(role, text)| (role, text.to_owned())), "{line}");
        }
    }
}

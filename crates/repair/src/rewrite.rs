//! A requirement of the user and a version -> the requirement that admits it, in the user's own spelling.
//!
//! An exact pin stays an exact pin; bounds that hold stay, and so do the spacing, the extras and the marker.

use std::ops::Range;

use pinfast_packaging::{ExtraName, PackageName, Requirement, SpecifierSet, Version};

/// `text` changed so that it admits `version`; `None` where no change does. Where a lower bound is lowered, an upper bound
/// keeps out the releases from `next` on.
pub(super) fn admitting(text: &str, version: &Version, next: Option<&Version>) -> Option<String> {
    let (name, rest, _) = split(text);
    let bounds = &text[rest.clone()];
    let gap = if bounds.contains(", ") { ", " } else { "," };
    let mut clauses: Vec<String> = Vec::new();
    let mut lowered = false;
    for clause in bounds.split(',').map(str::trim).filter(|clause| !clause.is_empty()) {
        match clause_admitting(clause, version)? {
            ClauseChange::Kept => clauses.push(clause.to_owned()),
            ClauseChange::Removed => {}
            ClauseChange::Lowered(new) => {
                lowered = true;
                clauses.push(new);
            }
            ClauseChange::Replaced(new) => clauses.push(new),
        }
    }
    let is_open = !clauses.iter().any(|clause| clause.starts_with(['<', '=', '~']));
    if let (true, true, Some(next), Some(first)) =
        (lowered && version.is_stable(), is_open, next, clauses.first())
    {
        clauses.push(format!("<{}{}", space(first), with_release_len(next, release_len(first))));
    }
    let new = format!("{}{}{}", &text[..rest.start], clauses.join(gap), &text[rest.end..]);
    let parsed: Requirement = new.parse().ok()?;
    (parsed.name.as_str() == name && parsed.specifiers().contains(version)).then_some(new)
}

/// `text` without its versions or URL.
pub(super) fn without_bounds(text: &str) -> String {
    let (_, _, all) = split(text);
    let marker = text[all.end..].trim_start();
    let gap = if marker.is_empty() { "" } else { " " };
    format!("{}{gap}{marker}", text[..all.start].trim_end())
}

/// `text` without one of its extras.
pub(super) fn without_extra(text: &str, extra: &ExtraName) -> Option<String> {
    let open = text.find('[')?;
    let close = open + text[open..].find(']')?;
    let same = |other: &str| ExtraName::new(other).is_ok_and(|other| other == *extra);
    let kept: Vec<&str> =
        text[open + 1..close].split(',').map(str::trim).filter(|other| !same(other)).collect();
    let extras = if kept.is_empty() { String::new() } else { format!("[{}]", kept.join(",")) };
    Some(format!("{}{extras}{}", &text[..open], &text[close + 1..]))
}

/// The normalised name; the range of the bounds without parentheses; the range of all that is neither name, extras nor
/// marker.
fn split(text: &str) -> (String, Range<usize>, Range<usize>) {
    let name_end =
        text.find(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c))).unwrap_or(text.len());
    let name = PackageName::new(&text[..name_end]);
    let name = name.map_or_else(|_| String::new(), |name| name.as_str().to_owned());
    let rest = text[name_end..].trim_start();
    let start = match rest.strip_prefix('[').and_then(|extras| extras.find(']')) {
        Some(close) => text.len() - rest.len() + close + 2,
        None => name_end,
    };
    let is_url = text[start..].trim_start().starts_with('@');
    let end = if is_url { text[start..].find(" ;") } else { text[start..].find(';') };
    let end = end.map_or(text.len(), |at| start + at);
    let all = start..start + text[start..end].trim_end().len();
    let bounds = text[all.clone()].trim_start();
    let inner =
        bounds.strip_prefix('(').and_then(|bounds| bounds.strip_suffix(')')).map_or(bounds, str::trim);
    let from = inner.as_ptr() as usize - text.as_ptr() as usize;
    (name, from..from + inner.len(), all)
}

/// What becomes of one version clause.
enum ClauseChange {
    Kept,
    Removed,
    /// A lower bound that was lowered.
    Lowered(String),
    Replaced(String),
}

fn clause_admitting(clause: &str, version: &Version) -> Option<ClauseChange> {
    if clause.parse::<SpecifierSet>().ok()?.contains(version) {
        return Some(ClauseChange::Kept);
    }
    let operator = &clause[..clause.find(|c: char| !"=<>!~".contains(c))?];
    let old: Version = clause[operator.len()..].trim().trim_end_matches(".*").parse().ok()?;
    let space = space(clause);
    let whole = |operator: &str| format!("{operator}{space}{version}");
    let as_long = |operator: &str, star: &str| {
        let parts =
            version.release().iter().take(release_len(clause)).map(u64::to_string).collect::<Vec<_>>();
        let new = format!("{operator}{space}{}{star}", parts.join("."));
        let admits = new.parse::<SpecifierSet>().is_ok_and(|new| new.contains(version));
        if admits { new } else { whole(operator) }
    };
    let star = if clause.ends_with(".*") { ".*" } else { "" };
    Some(match operator {
        "==" if star.is_empty() => ClauseChange::Replaced(whole(operator)),
        "===" => ClauseChange::Replaced(whole(operator)),
        "==" => ClauseChange::Replaced(as_long(operator, star)),
        "~=" if *version < old => ClauseChange::Lowered(as_long(operator, "")),
        "~=" => ClauseChange::Replaced(as_long(operator, "")),
        ">=" | ">" => {
            ClauseChange::Lowered(format!(">={space}{}", with_release_len(version, release_len(clause))))
        }
        "<=" => ClauseChange::Replaced(whole(operator)),
        "<" => ClauseChange::Replaced(format!("<{space}{}", upper_bound_above(version, clause)?)),
        "!=" => ClauseChange::Removed,
        _ => return None,
    })
}

/// The user's space between operator and version.
fn space(clause: &str) -> &'static str {
    if clause.trim_start_matches(|c: char| "=<>!~".contains(c)).starts_with(' ') { " " } else { "" }
}

/// How many numbers the release segment of a clause has.
fn release_len(clause: &str) -> usize {
    clause.trim_end_matches(".*").matches('.').count() + 1
}

/// `version` with a release segment of `len` numbers, or more as far as they are not zero.
fn with_release_len(version: &Version, len: usize) -> String {
    let release = version.release();
    let needed = release.iter().rposition(|part| *part != 0).map_or(1, |last| last + 1);
    if !version.is_stable() || version.is_post() || version.is_local() || version.epoch() != 0 {
        return version.to_string();
    }
    let mut kept: Vec<u64> = release.iter().copied().take(len.max(needed)).collect();
    kept.resize(len.max(needed), 0);
    kept.iter().map(u64::to_string).collect::<Vec<_>>().join(".")
}

/// The next upper bound above `version` of the kind that `clause` is: `<3.0` bounds the major version, `<2.5` the minor one.
fn upper_bound_above(version: &Version, clause: &str) -> Option<String> {
    let old: Version = clause.trim_start_matches(['<', ' ']).parse().ok()?;
    let significant = old.release().iter().rposition(|part| *part != 0).map_or(1, |last| last + 1);
    let mut release: Vec<u64> =
        version.release().iter().copied().chain(std::iter::repeat(0)).take(significant).collect();
    let last = release.last_mut()?;
    *last = last.saturating_add(1);
    release.resize(release_len(clause).max(significant), 0);
    let epoch = if version.epoch() == 0 { String::new() } else { format!("{}!", version.epoch()) };
    Some(format!("{epoch}{}", release.iter().map(u64::to_string).collect::<Vec<_>>().join(".")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_requirement_keeps_the_users_spelling() {
        for (text, version, next, new) in [
            ("google-auth==2.38.0", "2.49.1", None, "google-auth==2.49.1"),
            (
                "Google_Auth == 2.38.0 ; python_version > '3.8'",
                "2.49.1",
                None,
                "Google_Auth == 2.49.1 ; python_version > '3.8'",
            ),
            ("a===1.0", "2.0", None, "a===2.0"),
            ("a==1.*", "2.3.4", None, "a==2.*"),
            ("a==1.2.*", "2.3.4", None, "a==2.3.*"),
            ("a~=1.2", "3.4.5", None, "a~=3.4"),
            ("google-genai>=1.60", "1.56.0", Some("1.57.0"), "google-genai>=1.56,<1.57"),
            ("a>=1.60, <2", "1.56.2", Some("1.57.0"), "a>=1.56.2, <2"),
            ("a >= 3", "2.9.1", Some("3.0.1"), "a >= 2.9.1,< 3.0.1"),
            ("a>=3", "2.9.1", None, "a>=2.9.1"),
            ("a>1.5", "1.4", Some("1.5"), "a>=1.4,<1.5"),
            ("a<2", "2.3.5", None, "a<3"),
            ("a<2.5", "3.1.4", None, "a<3.2"),
            ("a<3.0", "3.1.4", None, "a<4.0"),
            ("a<=2.5", "3.1.4", None, "a<=3.1.4"),
            ("a[x,y] (>=1,<2)", "2.1", None, "a[x,y] (>=1,<3)"),
            ("a>=1,!=1.5", "1.5", None, "a>=1"),
            ("a>=1!2.0", "1!1.5", None, "a>=1!1.5"),
            ("a>=2.0", "2.0rc1", Some("2.0"), "a>=2.0rc1"),
        ] {
            let (version, next) = (version.parse().unwrap(), next.map(|next: &str| next.parse().unwrap()));
            assert_eq!(admitting(text, &version, next.as_ref()).as_deref(), Some(new), "{text}");
        }
    }

    #[test]
    fn bounds_and_extras_are_removed_alone() {
        let fast = ExtraName::new("fast").unwrap();
        assert_eq!(without_bounds("a [x] >=1 ;python_version>'3'"), "a [x] ;python_version>'3'");
        assert_eq!(
            without_bounds("a @ https://files.example/a-1.zip ; os_name == 'nt'"),
            "a ; os_name == 'nt'"
        );
        assert_eq!(without_extra("a[Fast, x]>=1", &fast).unwrap(), "a[x]>=1");
        assert_eq!(without_extra("a[fast]>=1", &fast).unwrap(), "a>=1");
        assert_eq!(without_extra("a>=1", &fast), None);
    }
}

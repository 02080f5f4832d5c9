//! One warning for all unusable entries of project pages.
//!
//! Old projects have files whose names no tool reads any more. The user cannot repair them, so one line is enough.

use std::collections::BTreeMap;

use super::session::Session;
use pinfast_base::text::{first_few, join_with_and};
use pinfast_packaging::PackageName;

/// The entries of projects' pages that were skipped or repaired, each a sentence.
pub(super) type SkippedEntries = BTreeMap<PackageName, Vec<String>>;

/// How many projects are named.
const NAMED: usize = 4;

/// One warning of them all; the details go to the session.
pub(super) fn warning(skipped: &SkippedEntries, session: &Session) -> Option<String> {
    let skipped: Vec<_> = skipped.iter().filter(|(_, entries)| !entries.is_empty()).collect();
    let entries: Vec<&String> = skipped.iter().flat_map(|(_, entries)| *entries).collect();
    if let [only] = entries.as_slice() {
        return Some((*only).clone());
    }
    entries.iter().for_each(|entry| session.detail((*entry).clone()));
    let names: Vec<String> = skipped.iter().map(|(name, _)| name.to_string()).collect();
    let pages = if names.len() == 1 { "the page" } else { "the pages" };
    (!names.is_empty()).then(|| {
        let count = entries.len();
        format!("{count} entries on {pages} of {} cannot be used (--verbose lists them)", list_names(&names))
    })
}

/// `a, b and c`; of many, the first few and how many more.
fn list_names(names: &[String]) -> String {
    let most = if names.len() > NAMED + 1 { NAMED } else { names.len() };
    join_with_and(first_few(names.to_vec(), most))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_listed_as_people_do() {
        let names = |count: usize| (1..=count).map(|n| format!("p{n}")).collect::<Vec<_>>();
        for (count, expected) in
            [(1, "p1"), (2, "p1 and p2"), (5, "p1, p2, p3, p4 and p5"), (6, "p1, p2, p3, p4 and 2 more")]
        {
            assert_eq!(list_names(&names(count)), expected);
        }
    }
}

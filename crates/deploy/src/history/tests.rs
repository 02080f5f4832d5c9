//! The decisions, as tables: a journal in a few words, what is live, and what follows.

use super::*;

fn id(name: &str) -> ReleaseId {
    name.parse().unwrap()
}

fn begin(name: &str) -> What {
    What::Begin(Begin {
        release: id(name),
        commit: "c".to_owned(),
        lock_file: "requirements.txt".to_owned(),
        lock: "0".to_owned(),
        venv: ".venv".to_owned(),
        smoke: Vec::new(),
    })
}

/// What a word of a journal stands for: `a` is a deploy of `a` that went well, `<a` a rollback to it, and
/// `a:live` all of a deploy up to the line of that name.
fn lines(word: &str) -> Vec<What> {
    let (name, last) = word.split_once(':').unwrap_or((word, "passed"));
    let (way, name) = name.strip_prefix('<').map_or((Way::Forth, name), |name| (Way::Back, name));
    let release = id(name);
    let mut all =
        if way == Way::Forth { vec![begin(name), What::Ready { release: release.clone() }] } else { vec![] };
    all.push(What::Switch { release: release.clone(), way });
    all.push(What::Live { release: release.clone() });
    let failed = What::Failed { release: release.clone(), why: "w".to_owned() };
    match last {
        "passed" => all.push(What::Passed { release }),
        // Its health was not good, and it was switched back.
        "back" => all.push(What::Back { release }),
        "failed" if way == Way::Forth => all.extend([What::Back { release }, failed]),
        "removed" => all = vec![What::Remove { release: release.clone() }, What::Removed { release }],
        "removing" => all = vec![What::Remove { release }],
        // A smoke test failed.
        "smoked" => all = vec![begin(name), failed],
        "given-up" => all = vec![failed],
        "begin" => all.truncate(1),
        "ready" => all.truncate(2),
        "switch" => all.truncate(all.len() - 1),
        "live" => {}
        other => panic!("{other}"),
    }
    all
}

fn history(journal: &str) -> History {
    let entry = |what| Entry { at: String::new(), by: String::new(), what };
    let entries: Vec<_> = journal.split_whitespace().flat_map(lines).map(entry).collect();
    History::of(&entries)
}

fn live(name: &str) -> Option<ReleaseId> {
    (name != "-").then(|| id(name))
}

#[test]
fn a_rollback_goes_ever_further_back() {
    for (journal, current, back) in [
        ("", "-", None),
        ("a", "a", None),
        ("a b", "b", Some("a")),
        ("a b c", "c", Some("b")),
        // A second one goes further, and never forth.
        ("a b c <b", "b", Some("a")),
        ("a b c <b <a", "a", None),
        // What was rolled away from is out of the line.
        ("a b c <b d", "d", Some("b")),
        ("a b c <a d", "d", Some("a")),
        // Unless it is named.
        ("a b c <b <c", "c", Some("b")),
        ("a b c <a <c <b", "b", Some("c")),
        // What failed is no target, however far it came.
        ("a b:smoked", "a", None),
        ("a b:failed", "a", None),
        ("a b:failed c", "c", Some("a")),
        ("a b c <b:back", "c", Some("b")),
        // Nor what never passed.
        ("a b:live", "b", Some("a")),
        ("a b:live c", "c", Some("a")),
        ("a b:live c <b", "b", Some("a")),
        // The run died before it could note what it had done.
        ("a b:switch", "b", Some("a")),
        ("a b:switch", "a", None),
        ("a b:live", "a", None),
        ("a b c <b:switch", "b", Some("a")),
        ("a b c <b:switch", "c", Some("b")),
        ("a b c <b:live", "c", Some("b")),
        // Nor what is gone, or going.
        ("a b c b:removed", "c", Some("a")),
        ("a b c b:removing a:removed", "c", None),
        // Nothing live of ours: the last good one.
        ("a b", "-", Some("b")),
        ("a b", "foreign", Some("b")),
    ] {
        let current = live(current);
        let found = history(journal).before(current.as_ref()).map(|release| release.id().to_string());
        assert_eq!(found.as_deref(), back, "{journal}, {current:?} is live");
    }
}

#[test]
fn the_link_alone_tells_what_is_live() {
    use State::{Building, Failed, Live, Ready, Retired};
    for (journal, current, states) in [
        ("a b", "b", vec![Live, Retired]),
        ("a b", "a", vec![Retired, Live]),
        ("a b", "-", vec![Retired, Retired]),
        ("a b:begin", "a", vec![Building, Live]),
        ("a b:ready", "a", vec![Ready, Live]),
        ("a b:switch", "a", vec![Ready, Live]),
        ("a b:switch", "b", vec![Live, Retired]),
        ("a b:failed", "a", vec![Failed, Live]),
        ("a b <a", "a", vec![Retired, Live]),
        ("a b:failed", "b", vec![Live, Retired]),
        ("a b a:removed", "b", vec![Live]),
        ("a b a:removing", "b", vec![Live]),
    ] {
        let (history, current) = (history(journal), live(current));
        let found: Vec<_> = history.newest_first().map(|release| release.state(current.as_ref())).collect();
        assert_eq!(found, states, "{journal}, {current:?} is live");
    }
}

#[test]
fn what_a_dead_run_left_is_found() {
    use LeftOver::{Half, Removing, Unproven, Unused};
    for (journal, current, left) in [
        ("a b", "b", vec![]),
        ("a b:failed", "a", vec![]),
        ("a b:begin", "a", vec![Half(id("b"))]),
        ("a b:ready", "a", vec![Unused(id("b"))]),
        ("a b:switch", "a", vec![Unused(id("b"))]),
        ("a b:switch", "b", vec![Unproven(id("b"))]),
        ("a b:live", "b", vec![Unproven(id("b"))]),
        ("a b:live", "a", vec![Unused(id("b"))]),
        ("a:live", "-", vec![Unused(id("a"))]),
        ("a b <a:switch", "b", vec![Unused(id("a"))]),
        ("a b <a:switch", "a", vec![Unproven(id("a"))]),
        ("a b <a:back", "b", vec![]),
        ("a b c a:removing", "c", vec![Removing(id("a"))]),
        ("a b:begin a:removing", "a", vec![Half(id("b"))]),
        // Once it is dealt with, it is not found again.
        ("a b:ready b:given-up", "a", vec![]),
        ("a b:switch b:given-up", "a", vec![]),
        ("a b:live b:given-up", "a", vec![]),
    ] {
        let current = live(current);
        assert_eq!(history(journal).left_over(current.as_ref()), left, "{journal}, {current:?} is live");
    }
    assert!(history("a b <a:switch").was_good(&id("a")), "a rollback that came to nothing fails nothing");
    assert!(!history("a b:live").was_good(&id("b")));
}

#[test]
fn prune_keeps_what_may_be_needed() {
    for (journal, current, keep, gone) in [
        ("a b c", "c", 5, ""),
        ("a b c", "c", 3, ""),
        ("a b c", "c", 2, "a"),
        // The one to go back to stays, however few are kept.
        ("a b c", "c", 1, "a"),
        ("a b c <a", "a", 1, "b"),
        ("a b c <b", "b", 1, ""),
        // Live, though it is none of the newest.
        ("a b c d", "a", 1, "c b"),
        // Failed ones are counted apart.
        ("a b:smoked c:smoked d:failed e", "e", 1, "b"),
        ("a b:smoked c:smoked d:smoked", "a", 1, "b"),
        ("a b:live c:live d:live e", "e", 1, "b"),
        // What is being built is none of its business.
        ("a b:begin c", "c", 1, ""),
        ("a b c a:removed", "c", 1, ""),
        // What was not removed to its end is tried again.
        ("a b c d b:removing", "d", 3, "b"),
        ("a b c d b:removing", "d", 2, "b a"),
    ] {
        let current = live(current);
        let surplus = history(journal).surplus(current.as_ref(), keep);
        let surplus: Vec<_> = surplus.iter().map(ReleaseId::as_str).collect();
        assert_eq!(surplus.join(" "), gone, "{journal}, {current:?} is live, keep {keep}");
    }
}

/// The clock went back between two deploys: the journal's order counts, not that of the names or times.
#[test]
fn order_is_the_journals_alone() {
    let history = history("20260101T000000Z-c 20250101T000000Z-c 20240101T000000Z-c");
    let names: Vec<_> = history.newest_first().map(|release| release.id().to_string()).collect();
    assert_eq!(names, ["20240101T000000Z-c", "20250101T000000Z-c", "20260101T000000Z-c"]);
    let current = Some(id("20240101T000000Z-c"));
    assert_eq!(history.before(current.as_ref()).unwrap().id().as_str(), "20250101T000000Z-c");
    assert_eq!(history.surplus(current.as_ref(), 2), [id("20260101T000000Z-c")]);
}

#[test]
fn strangers_are_named() {
    let listing = ["a", "b", "backup"].map(str::to_owned);
    assert_eq!(history("a b b:removed").strangers(&listing), ["backup"]);
}

/// A plan tells what would go if all went well.
#[test]
fn what_is_imagined_is_as_if_it_had_happened() {
    let mut history = history("a b");
    let What::Begin(next) = begin("c") else { panic!() };
    history.imagine(next);
    assert_eq!(history.surplus(Some(&id("c")), 1), [id("a")]);
}

//! The decisions as tables: a journal in shorthand, the live release, and what follows.

use super::*;

fn id(name: &str) -> ReleaseId {
    name.parse().unwrap()
}

fn begin(name: &str) -> JournalEvent {
    JournalEvent::Begin(ReleaseManifest {
        release: id(name),
        commit: "c".to_owned(),
        lock_file: "requirements.txt".to_owned(),
        lock: "0".to_owned(),
        venv: ".venv".to_owned(),
        smoke: Vec::new(),
    })
}

/// The events of one shorthand item: `a` is a deploy of `a` that went well, `<a` a rollback to it, and `a:live` a
/// deploy up to the event of that name.
fn events(item: &str) -> Vec<JournalEvent> {
    let (name, last) = item.split_once(':').unwrap_or((item, "passed"));
    let (direction, name) =
        name.strip_prefix('<').map_or((Direction::Forward, name), |name| (Direction::Back, name));
    let release = id(name);
    let mut all = if direction == Direction::Forward {
        vec![begin(name), JournalEvent::Ready { release: release.clone() }]
    } else {
        vec![]
    };
    all.push(JournalEvent::Switch { release: release.clone(), direction });
    all.push(JournalEvent::Live { release: release.clone() });
    let failed = JournalEvent::Failed { release: release.clone(), reason: "w".to_owned() };
    match last {
        "passed" => all.push(JournalEvent::Healthy { release }),
        // Its health check failed, and it was switched back.
        "back" => all.push(JournalEvent::SwitchedBack { release }),
        "failed" if direction == Direction::Forward => {
            all.extend([JournalEvent::SwitchedBack { release }, failed])
        }
        "removed" => {
            all = vec![JournalEvent::Remove { release: release.clone() }, JournalEvent::Removed { release }]
        }
        "removing" => all = vec![JournalEvent::Remove { release }],
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
    let entry = |event| JournalEntry { at: String::new(), by: String::new(), event };
    let entries: Vec<_> = journal.split_whitespace().flat_map(events).map(entry).collect();
    History::replay(&entries)
}

fn live(name: &str) -> Option<ReleaseId> {
    (name != "-").then(|| id(name))
}

#[test]
fn each_rollback_goes_further_back() {
    for (journal, current, back) in [
        ("", "-", None),
        ("a", "a", None),
        ("a b", "b", Some("a")),
        ("a b c", "c", Some("b")),
        // A second rollback goes further back, never forward.
        ("a b c <b", "b", Some("a")),
        ("a b c <b <a", "a", None),
        // A release that was rolled back is popped from the stack.
        ("a b c <b d", "d", Some("b")),
        ("a b c <a d", "d", Some("a")),
        // Unless a rollback names it.
        ("a b c <b <c", "c", Some("b")),
        ("a b c <a <c <b", "b", Some("c")),
        // A failed release is no target, in whichever phase it failed.
        ("a b:smoked", "a", None),
        ("a b:failed", "a", None),
        ("a b:failed c", "c", Some("a")),
        ("a b c <b:back", "c", Some("b")),
        // Nor one that never passed its health check.
        ("a b:live", "b", Some("a")),
        ("a b:live c", "c", Some("a")),
        ("a b:live c <b", "b", Some("a")),
        // The run died before it recorded what it had done.
        ("a b:switch", "b", Some("a")),
        ("a b:switch", "a", None),
        ("a b:live", "a", None),
        ("a b c <b:switch", "b", Some("a")),
        ("a b c <b:switch", "c", Some("b")),
        ("a b c <b:live", "c", Some("b")),
        // Nor one that is removed, or being removed.
        ("a b c b:removed", "c", Some("a")),
        ("a b c b:removing a:removed", "c", None),
        // If no release of the journal is live: the last good one.
        ("a b", "-", Some("b")),
        ("a b", "foreign", Some("b")),
    ] {
        let current = live(current);
        let found =
            history(journal).rollback_target(current.as_ref()).map(|release| release.id().to_string());
        assert_eq!(found.as_deref(), back, "{journal}, {current:?} is live");
    }
}

#[test]
fn current_alone_decides_what_is_live() {
    use ReleaseState::{Building, Failed, Live, Ready, Retired};
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
fn a_run_that_died_leaves_recovery_tasks() {
    use RecoveryTask::{FinishRemoval, RecordLive, RecordUnused, RemovePartialBuild};
    for (journal, current, left) in [
        ("a b", "b", vec![]),
        ("a b:failed", "a", vec![]),
        ("a b:begin", "a", vec![RemovePartialBuild(id("b"))]),
        ("a b:ready", "a", vec![RecordUnused(id("b"))]),
        ("a b:switch", "a", vec![RecordUnused(id("b"))]),
        ("a b:switch", "b", vec![RecordLive(id("b"))]),
        ("a b:live", "b", vec![RecordLive(id("b"))]),
        ("a b:live", "a", vec![RecordUnused(id("b"))]),
        ("a:live", "-", vec![RecordUnused(id("a"))]),
        ("a b <a:switch", "b", vec![RecordUnused(id("a"))]),
        ("a b <a:switch", "a", vec![RecordLive(id("a"))]),
        ("a b <a:back", "b", vec![]),
        ("a b c a:removing", "c", vec![FinishRemoval(id("a"))]),
        ("a b:begin a:removing", "a", vec![RemovePartialBuild(id("b"))]),
        // A recorded recovery is not repeated.
        ("a b:ready b:given-up", "a", vec![]),
        ("a b:switch b:given-up", "a", vec![]),
        ("a b:live b:given-up", "a", vec![]),
    ] {
        let current = live(current);
        assert_eq!(history(journal).recovery_tasks(current.as_ref()), left, "{journal}, {current:?} is live");
    }
    assert!(
        history("a b <a:switch").was_healthy(&id("a")),
        "a rollback that died does not mark its target as failed"
    );
    assert!(!history("a b:live").was_healthy(&id("b")));
}

#[test]
fn pruning_keeps_the_live_release_and_its_rollback_target() {
    for (journal, current, keep, gone) in [
        ("a b c", "c", 5, ""),
        ("a b c", "c", 3, ""),
        ("a b c", "c", 2, "a"),
        // The rollback target stays, however low `keep` is.
        ("a b c", "c", 1, "a"),
        ("a b c <a", "a", 1, "b"),
        ("a b c <b", "b", 1, ""),
        // The live release stays although it is not among the newest.
        ("a b c d", "a", 1, "c b"),
        // Failed releases are counted separately.
        ("a b:smoked c:smoked d:failed e", "e", 1, "b"),
        ("a b:smoked c:smoked d:smoked", "a", 1, "b"),
        ("a b:live c:live d:live e", "e", 1, "b"),
        // A release that is being built is left alone.
        ("a b:begin c", "c", 1, ""),
        ("a b c a:removed", "c", 1, ""),
        // A removal that was cut short is tried again.
        ("a b c d b:removing", "d", 3, "b"),
        ("a b c d b:removing", "d", 2, "b a"),
    ] {
        let current = live(current);
        let prunable = history(journal).prunable(current.as_ref(), keep);
        let prunable: Vec<_> = prunable.iter().map(ReleaseId::as_str).collect();
        assert_eq!(prunable.join(" "), gone, "{journal}, {current:?} is live, keep {keep}");
    }
}

/// The clock went back between the deploys: only the order of the journal counts.
#[test]
fn a_clock_that_goes_back_does_not_change_the_order() {
    let history = history("20260101T000000Z-c 20250101T000000Z-c 20240101T000000Z-c");
    let names: Vec<_> = history.newest_first().map(|release| release.id().to_string()).collect();
    assert_eq!(names, ["20240101T000000Z-c", "20250101T000000Z-c", "20260101T000000Z-c"]);
    let current = Some(id("20240101T000000Z-c"));
    assert_eq!(history.rollback_target(current.as_ref()).unwrap().id().as_str(), "20250101T000000Z-c");
    assert_eq!(history.prunable(current.as_ref(), 2), [id("20260101T000000Z-c")]);
}

#[test]
fn names_unknown_to_the_journal_are_listed() {
    let listing = ["a", "b", "backup"].map(str::to_owned);
    assert_eq!(history("a b b:removed").unknown_names(&listing), ["backup"]);
}

#[test]
fn a_simulated_deploy_shows_what_it_would_prune() {
    let mut history = history("a b");
    let JournalEvent::Begin(next) = begin("c") else { panic!() };
    history.simulate_deploy(next);
    assert_eq!(history.prunable(Some(&id("c")), 1), [id("a")]);
}

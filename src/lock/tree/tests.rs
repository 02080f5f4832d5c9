use insta::assert_snapshot;
use proptest::prelude::*;

use super::*;
use crate::lock::WriteOptions;
use crate::lock::samples::{any_lock, by, lock, name, pin};

fn graph() -> Graph {
    Graph::of(&lock()).unwrap()
}

fn tree(graph: &Graph, options: &TreeOptions) -> String {
    graph.tree(options).unwrap().to_text()
}

#[test]
fn a_tree_grows_from_the_inputs() {
    assert_snapshot!(tree(&graph(), &TreeOptions::default()), @"");
}

#[test]
fn an_inverted_tree_grows_to_the_inputs() {
    let options = TreeOptions { direction: Direction::NeededBy, ..TreeOptions::default() };
    assert_snapshot!(tree(&graph(), &options), @"");
}

#[test]
fn a_tree_may_be_cut_and_rooted() {
    let cut = TreeOptions { depth: Some(1), root: Some(name("google-genai")), ..TreeOptions::default() };
    assert_snapshot!(tree(&graph(), &cut), @"");
    let nowhere = TreeOptions { root: Some(name("nowhere")), ..TreeOptions::default() };
    let error = graph().tree(&nowhere).unwrap_err();
    assert_eq!(error.message, "`nowhere` is not in the lock: nothing needs it");
}

#[test]
fn a_cycle_is_marked() {
    let pins = vec![
        pin("a==1", &[by("b", ""), Via::Input("r.in".into())]),
        pin("b==1", &[by("a", ">=1"), by("b", "[x]")]),
    ];
    let graph = Graph::of(&Lock { header: None, pins }).unwrap();
    assert_snapshot!(tree(&graph, &TreeOptions::default()), @"");
    assert_eq!(graph.why(&name("b")).unwrap().chains.len(), 2);
}

#[test]
fn why_tells_each_chain_and_what_binds() {
    let graph = graph();
    assert_snapshot!(graph.why(&name("certifi")).unwrap().to_text(), @"");
    assert_snapshot!(graph.why(&name("httpx")).unwrap().to_text(), @"");
    assert!(graph.why(&name("nowhere")).is_err());
}

#[test]
fn why_works_on_the_lock_of_another_tool() {
    let graph = Graph::of(&Lock::parse(&crate::lock::samples::pip_compile(), "r.txt").unwrap()).unwrap();
    assert_snapshot!(graph.why(&name("anyio")).unwrap().to_text(), @"");
    assert_snapshot!(graph.why(&name("colorama")).unwrap().to_text(), @"");
}

#[test]
fn a_graph_is_dot() {
    assert_snapshot!(graph().to_dot(), @"");
}

#[test]
fn a_graph_is_a_document() {
    let mut small = lock();
    small.pins.retain(|pin| ["httpx", "colorama"].contains(&pin.name.as_str()));
    let report = Graph::of(&small).unwrap().report();
    assert_snapshot!(serde_json::to_string_pretty(&report).unwrap(), @"");
}

#[test]
fn a_lock_without_annotations_has_no_graph() {
    let mut bare = lock();
    bare.pins.iter_mut().for_each(|pin| pin.via.clear());
    let error = Graph::of(&bare).unwrap_err();
    assert_eq!(error.message, "the lock does not say who wants what: it has no `# via` lines");
    assert!(Graph::of(&Lock::default()).unwrap().tree(&TreeOptions::default()).unwrap().rows.is_empty());
}

#[test]
fn a_deep_lock_is_cut() {
    let deep = |i: usize| pin(&format!("p{i}==1"), &[by(&format!("p{}", i + 1), "")]);
    let mut pins: Vec<_> = (0..5000).map(deep).collect();
    pins.push(pin("p5000==1", &[Via::Input("r.in".into())]));
    let graph = Graph::of(&Lock { header: None, pins }).unwrap();
    let rows = graph.tree(&TreeOptions::default()).unwrap().rows;
    assert_eq!((rows.len(), rows.last().unwrap().rest), (DEEPEST + 1, Rest::Cut));
    assert_eq!(graph.why(&name("p0")).unwrap().chains[0].steps.len(), 5000);
}

proptest! {
    #[test]
    fn a_tree_shows_each_edge_once(lock in any_lock()) {
        let text = lock.write(&WriteOptions::default());
        let Ok(graph) = Graph::of(&Lock::parse(&text, "f").unwrap()) else { return Ok(()) };
        for (name, node) in graph.nodes() {
            let options = TreeOptions { root: Some(name.clone()), ..TreeOptions::default() };
            let rows = graph.tree(&options).unwrap().rows;
            let below = rows.iter().skip(1).filter(|row| row.depth == 1).count();
            prop_assert_eq!(below, node.needs.len());
            prop_assert_eq!(graph.why(name).unwrap().chains.len(), node.tops.len() + node.needed_by.len());
        }
        let _ = (tree(&graph, &TreeOptions::default()), graph.to_dot());
    }
}

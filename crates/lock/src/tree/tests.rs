use insta::assert_snapshot;
use proptest::prelude::*;

use super::*;
use crate::WriteOptions;
use crate::samples::{any_lock, by, lock, name, pin};
use crate::{Lock, Via};

fn graph() -> DependencyGraph {
    DependencyGraph::of(&lock()).unwrap()
}

fn tree(graph: &DependencyGraph, options: &TreeOptions) -> String {
    graph.tree(options).unwrap().to_text()
}

#[test]
fn a_tree_goes_from_inputs_to_dependencies() {
    assert_snapshot!(tree(&graph(), &TreeOptions::default()), @r"
    dev.in
    └── house 1.0 (@ sha256:0123456789ab)
    requirements.in
    ├── certifi 2026.1.4
    └── google-genai 1.60.0 (>=1.50)
        ├── google-auth 2.47.0 (>=2.47.0,<3)
        │   └── certifi 2026.1.4
        └── httpx 0.28.1 ([socks]>=0.28)
            ├── certifi 2026.1.4
            └── colorama 0.4.6
    ");
}

#[test]
fn an_inverted_tree_goes_from_dependencies_to_inputs() {
    let options = TreeOptions { direction: TreeDirection::NeededBy, ..TreeOptions::default() };
    assert_snapshot!(tree(&graph(), &options), @r"
    certifi 2026.1.4
    ├── requirements.in
    ├── google-auth 2.47.0
    │   └── google-genai 1.60.0 (>=2.47.0,<3)
    │       └── requirements.in (>=1.50)
    └── httpx 0.28.1
        └── google-genai 1.60.0 ([socks]>=0.28) (*)
    colorama 0.4.6
    └── httpx 0.28.1 (*)
    house 1.0
    └── dev.in (@ sha256:0123456789ab)
    ");
}

#[test]
fn depth_cuts_a_tree_and_root_starts_it() {
    let cut = TreeOptions { depth: Some(1), root: Some(name("google-genai")), ..TreeOptions::default() };
    assert_snapshot!(tree(&graph(), &cut), @r"
    google-genai 1.60.0
    ├── google-auth 2.47.0 (>=2.47.0,<3) …
    └── httpx 0.28.1 ([socks]>=0.28) …
    ");
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
    let graph = DependencyGraph::of(&Lock { pins, ..Lock::default() }).unwrap();
    assert_snapshot!(tree(&graph, &TreeOptions::default()), @r"
    r.in
    └── a 1
        └── b 1 (>=1)
            ├── a 1 (*)
            └── b 1 ([x]) (*)
    ");
    assert_eq!(graph.why(&name("b")).unwrap().chains.len(), 2);
}

#[test]
fn why_shows_each_chain_and_the_constraints() {
    let graph = graph();
    assert_snapshot!(graph.why(&name("certifi")).unwrap().to_text(), @r"
    certifi 2026.1.4
      requirements.in asks for `certifi`
      requirements.in asks for `google-genai>=1.50`
        google-genai 1.60.0 asks for `google-auth>=2.47.0,<3`
          google-auth 2.47.0 asks for `certifi`
      requirements.in asks for `google-genai>=1.50`
        google-genai 1.60.0 asks for `httpx[socks]>=0.28`
          httpx 0.28.1 asks for `certifi`
    ");
    assert_snapshot!(graph.why(&name("httpx")).unwrap().to_text(), @r"
    httpx 0.28.1
      requirements.in asks for `google-genai>=1.50`
        google-genai 1.60.0 asks for `httpx[socks]>=0.28`
      c.txt binds it: `httpx<1`
    ");
    assert!(graph.why(&name("nowhere")).is_err());
}

#[test]
fn why_works_on_the_lock_of_another_tool() {
    let graph = DependencyGraph::of(&Lock::parse(&crate::samples::pip_compile(), "r.txt").unwrap()).unwrap();
    assert_snapshot!(graph.why(&name("anyio")).unwrap().to_text(), @r"
    anyio 4.6.0
      httpx asks for `anyio`
      starlette asks for `anyio`
    ");
    assert_snapshot!(graph.why(&name("colorama")).unwrap().to_text(), @r"
    colorama 0.4.6
      requirements.in asks for it
    ");
}

#[test]
fn a_graph_is_dot() {
    assert_snapshot!(graph().to_dot(), @r#"
    digraph lock {
        rankdir=LR
        "file dev.in" [label="dev.in", shape=box]
        "file requirements.in" [label="requirements.in", shape=box]
        "certifi" [label="certifi 2026.1.4"]
        "file requirements.in" -> "certifi"
        "colorama" [label="colorama 0.4.6"]
        "google-auth" [label="google-auth 2.47.0"]
        "google-auth" -> "certifi"
        "google-genai" [label="google-genai 1.60.0"]
        "file requirements.in" -> "google-genai" [label=">=1.50"]
        "google-genai" -> "google-auth" [label=">=2.47.0,<3"]
        "google-genai" -> "httpx" [label="[socks]>=0.28"]
        "house" [label="house 1.0"]
        "file dev.in" -> "house" [label="@ sha256:0123456789ab"]
        "httpx" [label="httpx 0.28.1"]
        "httpx" -> "certifi"
        "httpx" -> "colorama"
    }
    "#);
}

#[test]
fn a_graph_is_a_json_document() {
    let mut small = lock();
    small.pins.retain(|pin| ["httpx", "colorama"].contains(&pin.name.as_str()));
    let report = DependencyGraph::of(&small).unwrap().report();
    assert_snapshot!(serde_json::to_string_pretty(&report).unwrap(), @r#"
    {
      "schema": 1,
      "packages": [
        {
          "name": "colorama",
          "versions": [
            "0.4.6"
          ],
          "inputs": [],
          "constraints": [],
          "needs": []
        },
        {
          "name": "google-genai",
          "versions": [],
          "inputs": [],
          "constraints": [],
          "needs": [
            {
              "name": "httpx",
              "wants": "[socks]>=0.28"
            }
          ]
        },
        {
          "name": "httpx",
          "versions": [
            "0.28.1"
          ],
          "inputs": [],
          "constraints": [
            {
              "file": "c.txt",
              "line": "-c httpx<1"
            }
          ],
          "needs": [
            {
              "name": "colorama",
              "wants": ""
            }
          ]
        }
      ]
    }
    "#);
}

#[test]
fn a_lock_without_annotations_is_a_usage_error() {
    let mut bare = lock();
    bare.pins.iter_mut().for_each(|pin| pin.via.clear());
    let error = DependencyGraph::of(&bare).unwrap_err();
    assert_eq!(error.message, "the lock does not record what depends on what: it has no `# via` lines");
    assert!(
        DependencyGraph::of(&Lock::default()).unwrap().tree(&TreeOptions::default()).unwrap().rows.is_empty()
    );
}

#[test]
fn a_tree_deeper_than_the_limit_is_cut() {
    let deep = |i: usize| pin(&format!("p{i}==1"), &[by(&format!("p{}", i + 1), "")]);
    let mut pins: Vec<_> = (0..5000).map(deep).collect();
    pins.push(pin("p5000==1", &[Via::Input("r.in".into())]));
    let graph = DependencyGraph::of(&Lock { pins, ..Lock::default() }).unwrap();
    let rows = graph.tree(&TreeOptions::default()).unwrap().rows;
    assert_eq!((rows.len(), rows.last().unwrap().subtree), (super::rows::MAX_DEPTH + 1, Subtree::Cut));
    assert_eq!(graph.why(&name("p0")).unwrap().chains[0].links.len(), 5000);
}

proptest! {
    #[test]
    fn a_tree_shows_each_edge_once(lock in any_lock()) {
        let text = lock.write(&WriteOptions::default());
        let Ok(graph) = DependencyGraph::of(&Lock::parse(&text, "f").unwrap()) else { return Ok(()) };
        for (name, node) in graph.nodes() {
            let options = TreeOptions { root: Some(name.clone()), ..TreeOptions::default() };
            let rows = graph.tree(&options).unwrap().rows;
            let below = rows.iter().skip(1).filter(|row| row.depth == 1).count();
            prop_assert_eq!(below, node.needs.len());
            prop_assert_eq!(graph.why(name).unwrap().chains.len(), node.direct.len() + node.needed_by.len());
        }
        let _ = (tree(&graph, &TreeOptions::default()), graph.to_dot());
    }
}

//! The lines at fault, each with the chain that leads from it to the collision.

use rustc_hash::FxHashSet;

use super::CauseLine;
use super::cause::{Cause, Culprit};
use super::core::Role;
use super::sentences;
use super::wrap::wrapped;
use crate::spec::PackageName;

/// What a package needs of another, and what that one needs in turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Branch {
    /// Such as `google-genai 1.60.0 needs google-auth>=2.47.0`.
    pub text: String,
    /// What the package needed needs in turn, as far as it matters.
    pub needs: Vec<Branch>,
}

/// How deep a chain is drawn.
const DEEPEST: usize = 24;

/// The lines at fault, each with what its package needs; each need stands once.
pub(super) fn lines(cause: &Cause) -> Vec<CauseLine> {
    let mut seen = FxHashSet::default();
    cause.culprits.iter().map(|culprit| line(cause, culprit, &mut seen)).collect()
}

fn line(cause: &Cause, culprit: &Culprit, seen: &mut FxHashSet<usize>) -> CauseLine {
    let needs = match culprit.role {
        Role::Requirement => branches(cause, &culprit.line.requirement.name, seen, 0),
        Role::Constraint | Role::Override => Vec::new(),
    };
    CauseLine { role: culprit.role, at: culprit.line.at.clone(), text: culprit.line.text.clone(), needs }
}

fn branches(cause: &Cause, name: &PackageName, seen: &mut FxHashSet<usize>, depth: usize) -> Vec<Branch> {
    let mut branches = Vec::new();
    for (place, told) in cause.told.iter().enumerate() {
        if told.from.name() != Some(name) || depth > DEEPEST || !seen.insert(place) {
            continue;
        }
        let mut texts: Vec<String> = sentences::needs(cause, told);
        let last = texts.pop();
        branches.extend(texts.into_iter().map(|text| Branch { text, needs: Vec::new() }));
        let needs = branches_of(cause, &told.to, seen, depth);
        match last {
            Some(text) => branches.push(Branch { text, needs }),
            None => branches.extend(needs),
        }
    }
    branches
}

fn branches_of(cause: &Cause, to: &PackageName, seen: &mut FxHashSet<usize>, depth: usize) -> Vec<Branch> {
    branches(cause, to, seen, depth + 1)
}

/// The lines as text: the places in one column, what they say in another, below it what follows from it.
pub(super) fn drawn(lines: &[CauseLine], width: usize) -> Vec<String> {
    let places: Vec<String> = lines.iter().map(|line| line.at.to_string()).collect();
    let column = places.iter().map(|place| place.chars().count()).max().unwrap_or(0);
    let mut drawn = Vec::new();
    for (line, place) in lines.iter().zip(&places) {
        let role = match line.role {
            Role::Requirement => "",
            Role::Constraint => "  (constraint)",
            Role::Override => "  (override)",
        };
        drawn.push(format!("  {place:column$}  {}{role}", line.text));
        draw(&line.needs, &" ".repeat(column + 4), width, &mut drawn);
    }
    drawn
}

fn draw(branches: &[Branch], indent: &str, width: usize, drawn: &mut Vec<String>) {
    for (n, branch) in branches.iter().enumerate() {
        let (fork, under) = if n + 1 == branches.len() { ("└─ ", "   ") } else { ("├─ ", "│  ") };
        let under = format!("{indent}{under}");
        drawn.extend(wrapped(&branch.text, &format!("{indent}{fork}"), &under, width));
        draw(&branch.needs, &under, width, drawn);
    }
}

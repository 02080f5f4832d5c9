//! A conflict -> a tree: the lines at fault, each with the dependencies that lead from it to the clash.

use rustc_hash::FxHashSet;
use serde::Serialize;

use super::CauseLine;
use super::conflict::{Conflict, Culprit};
use super::sentences;
use pinfast_base::text::wrap;
use pinfast_packaging::{PackageName, Role};

/// A dependency, and those of the package that it needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Branch {
    /// Such as `google-genai 1.60.0 needs google-auth>=2.47.0`.
    pub text: String,
    /// The dependencies of the needed package, as far as the conflict needs them.
    pub needs: Vec<Branch>,
}

/// Chains are drawn no deeper than this.
const MAX_DEPTH: usize = 24;

/// The lines at fault, each with the dependencies of its package; each dependency appears once.
pub(super) fn cause_lines(conflict: &Conflict) -> Vec<CauseLine> {
    let mut seen = FxHashSet::default();
    let line = |Culprit { role, line }: &Culprit| CauseLine {
        role: *role,
        at: line.at.clone(),
        text: line.text.clone(),
        needs: match role {
            Role::Requirement => branches(conflict, &line.requirement.name, &mut seen, 0),
            Role::Constraint | Role::Override => Vec::new(),
        },
    };
    conflict.culprits.iter().map(line).collect()
}

fn branches(
    conflict: &Conflict,
    name: &PackageName,
    seen: &mut FxHashSet<usize>,
    depth: usize,
) -> Vec<Branch> {
    let mut branches = Vec::new();
    for (n, dependency) in conflict.dependencies.iter().enumerate() {
        if dependency.from.name() != Some(name) || depth > MAX_DEPTH || !seen.insert(n) {
            continue;
        }
        let mut texts = sentences::dependency_sentences(conflict, dependency);
        let last = texts.pop().unwrap_or_default();
        branches.extend(texts.into_iter().map(|text| Branch { text, needs: Vec::new() }));
        branches
            .push(Branch { text: last, needs: self::branches(conflict, &dependency.to, seen, depth + 1) });
    }
    branches
}

/// A line of text, and how much it matters.
struct CauseRow {
    text: String,
    weight: Weight,
}

/// What a row is, the least important first: these are left out where there is no room.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Weight {
    /// A link of a chain.
    Link,
    /// The end of a chain.
    End,
    /// A line of the user.
    Line,
}

/// The lines as text: locations in one column, requirements in another, below each its tree. Where that is more than `most`
/// lines of text, links in the middle of chains are left out.
pub(super) fn draw(lines: &[CauseLine], width: usize, most: usize) -> Vec<String> {
    let places: Vec<String> = lines.iter().map(|line| line.at.to_string()).collect();
    let column = places.iter().map(|place| place.chars().count()).max().unwrap_or(0);
    let mut rows = Vec::new();
    for (line, place) in lines.iter().zip(&places) {
        let role = match line.role {
            Role::Requirement => "",
            Role::Constraint => "  (constraint)",
            Role::Override => "  (override)",
        };
        let text = format!("  {place:column$}  {}{role}", line.text);
        rows.push(CauseRow { text, weight: Weight::Line });
        draw_branches(&line.needs, &" ".repeat(column + 4), width, &mut rows);
    }
    shortened(&rows, most)
}

fn draw_branches(branches: &[Branch], indent: &str, width: usize, rows: &mut Vec<CauseRow>) {
    for (n, branch) in branches.iter().enumerate() {
        let (fork, under) = if n + 1 == branches.len() { ("└─ ", "   ") } else { ("├─ ", "│  ") };
        let under = format!("{indent}{under}");
        let weight = if branch.needs.is_empty() { Weight::End } else { Weight::Link };
        let texts = wrap(&branch.text, &format!("{indent}{fork}"), &under, width);
        rows.extend(texts.into_iter().map(|text| CauseRow { text, weight }));
        draw_branches(&branch.needs, &under, width, rows);
    }
}

/// Leaves out links, then ends, the last ones first, until `most` lines are left.
fn shortened(rows: &[CauseRow], most: usize) -> Vec<String> {
    let mut least: Vec<usize> = (0..rows.len()).rev().filter(|&n| rows[n].weight < Weight::Line).collect();
    least.sort_by_key(|&n| rows[n].weight);
    let mut tries = (0..least.len()).map(|out| without(rows, &least[..out]));
    tries.find(|texts| texts.len() <= most).unwrap_or_else(|| without(rows, &least))
}

/// The rows that are not in `out`; a marker stands for each gap.
fn without(rows: &[CauseRow], out: &[usize]) -> Vec<String> {
    let text = |(n, row): (usize, &CauseRow)| match (out.contains(&n), n > 0 && out.contains(&(n - 1))) {
        (false, _) => Some(row.text.clone()),
        (true, false) => {
            let indent: String = row.text.chars().take_while(|c| " │".contains(*c)).collect();
            Some(format!("{indent}… (--verbose shows each step)"))
        }
        (true, true) => None,
    };
    rows.iter().enumerate().filter_map(text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use pinfast_packaging::Location;

    #[test]
    fn a_long_chain_loses_its_middle() {
        let chain = (1..20)
            .rev()
            .fold(Vec::new(), |needs, n| vec![Branch { text: format!("p{n} needs p{}", n + 1), needs }]);
        let line = |number, text: &str, needs| CauseLine {
            role: Role::Requirement,
            at: Location::new("in.txt", number, 1),
            text: text.into(),
            needs,
        };
        let lines = [line(1, "p1", chain), line(2, "p20<1", Vec::new())];
        let drawn = draw(&lines, 100, 7);
        assert_eq!(drawn.len(), 7, "{drawn:#?}");
        assert_eq!(drawn[0], "  in.txt:1  p1");
        assert_eq!(drawn[1], "            └─ p1 needs p2");
        assert!(drawn[5].ends_with("└─ p19 needs p20"), "{drawn:#?}");
        assert_eq!(drawn[6], "  in.txt:2  p20<1");
    }
}

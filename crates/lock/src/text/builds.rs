//! The source distributions that may be built, and what each build requires: comments, so that pip and uv
//! pass them over, at the end of the file, so that its digest covers them.
//!
//! ```text
//! # build: docopt==0.6.2
//! #     setuptools==80.9.0
//! #         --hash=sha256:…
//! ```

use std::fmt;

use super::problem::LockProblems;
use super::read;
use super::scan::Spot;
use super::twins::find_twins;
use crate::{PermittedBuild, Pin};
use pinfast_packaging::Requirement;

/// How the first line of a section begins.
pub(super) const BUILD: &str = "# build: ";
const PIN: &str = "#     ";
const HASH: &str = "#         --hash=";

pub(super) fn write(text: &mut impl fmt::Write, builds: &[PermittedBuild]) -> fmt::Result {
    for build in builds {
        writeln!(text, "\n{BUILD}{}=={}", build.name, build.version)?;
        for pin in &build.pins {
            writeln!(text, "{PIN}{}", pin.requirement())?;
            pin.hashes.iter().try_for_each(|hash| writeln!(text, "{HASH}sha256:{hash}"))?;
        }
    }
    Ok(())
}

/// Reads the builds of `text`, which was in `file` from its line `first` on; a section whose first line makes no
/// sense permits nothing.
pub(super) fn read(text: &str, first: u32, file: &str, problems: &mut LockProblems) -> Vec<PermittedBuild> {
    let (heads, inner) = sections(text, first);
    let (pins, found) = read::pins(&inner, first, file);
    problems.append(found);
    let mut of_heads: Vec<Vec<(Pin, Spot<'_>)>> = vec![Vec::new(); heads.len()];
    for (pin, spot) in pins {
        let head = heads.partition_point(|(line, _)| *line < spot.at.line).saturating_sub(1);
        of_heads[head].push((pin, spot));
    }
    let build = |((_, head), pins): (&(u32, &str), Vec<(Pin, Spot<'_>)>)| {
        find_twins(&pins, problems);
        let requirement: Requirement = head.parse().ok()?;
        let version = requirement.specifiers().pinned()?.clone();
        Some(PermittedBuild {
            name: requirement.name,
            version,
            pins: pins.into_iter().map(|(pin, _)| pin).collect(),
        })
    };
    heads.iter().zip(of_heads).filter_map(build).collect()
}

/// The first line of each section, with its number, and what stands below all of them as requirements at the
/// very places where they stand in `text`.
fn sections(text: &str, first: u32) -> (Vec<(u32, &str)>, String) {
    let mut heads = Vec::new();
    let mut inner = String::new();
    let mut lines = (first..).zip(text.lines()).peekable();
    let mut inside = false;
    while let Some((number, line)) = lines.next() {
        if let Some(head) = line.strip_prefix(BUILD) {
            heads.push((number, head));
            inside = true;
        } else if inside && line.starts_with(PIN) {
            inner.push(' ');
            inner.push_str(&line[1..]);
            if lines.peek().is_some_and(|(_, next)| next.starts_with(HASH)) {
                inner.push_str(" \\");
            }
        } else {
            inside = false;
        }
        inner.push('\n');
    }
    (heads, inner)
}

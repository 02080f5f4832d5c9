//! The source distributions that may be built, and what each build requires.
//!
//! They are comments, so that pip and uv pass them over, at the end of the file, so that its digest covers them:
//!
//! ```text
//! # build: docopt==0.6.2
//! #     setuptools==80.9.0
//! #         --hash=sha256:…
//! ```

use std::fmt;

use super::pins;
use crate::duplicates::find_duplicates;
use crate::problem::LockFileProblems;
use crate::{PermittedBuild, Pin};
use pinfast_packaging::{Requirement, SourceSpan};

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

/// Reads the builds of `text`, which begins with line `first` of `file`. A section permits nothing if its first line
/// cannot be read.
pub(super) fn read(
    text: &str,
    first: u32,
    file: &str,
    problems: &mut LockFileProblems,
) -> Vec<PermittedBuild> {
    let (heads, uncommented) = sections(text, first);
    let (pins, found) = pins::read(&uncommented, first, file);
    problems.append(found);
    let mut by_head: Vec<Vec<(Pin, SourceSpan<'_>)>> = vec![Vec::new(); heads.len()];
    for (pin, span) in pins {
        let head = heads.partition_point(|(line, _)| *line < span.at.line).saturating_sub(1);
        by_head[head].push((pin, span));
    }
    let build = |((_, head), pins): (&(u32, &str), Vec<(Pin, SourceSpan<'_>)>)| {
        find_duplicates(&pins, problems);
        let requirement: Requirement = head.parse().ok()?;
        let version = requirement.specifiers().pinned()?.clone();
        let pins = pins.into_iter().map(|(pin, _)| pin).collect();
        Some(PermittedBuild { name: requirement.name, version, pins })
    };
    heads.iter().zip(by_head).filter_map(build).collect()
}

/// The first line of each section, with its number, and the text of all sections as requirements, each at the line and
/// column where it stands in `text`.
fn sections(text: &str, first: u32) -> (Vec<(u32, &str)>, String) {
    let mut heads = Vec::new();
    let mut uncommented = String::new();
    let mut lines = (first..).zip(text.lines()).peekable();
    let mut inside = false;
    while let Some((number, line)) = lines.next() {
        if let Some(head) = line.strip_prefix(BUILD) {
            heads.push((number, head));
            inside = true;
        } else if inside && line.starts_with(PIN) {
            // A space for the `#` keeps the columns.
            uncommented.push(' ');
            uncommented.push_str(&line[1..]);
            if lines.peek().is_some_and(|(_, next)| next.starts_with(HASH)) {
                uncommented.push_str(" \\");
            }
        } else {
            inside = false;
        }
        uncommented.push('\n');
    }
    (heads, uncommented)
}

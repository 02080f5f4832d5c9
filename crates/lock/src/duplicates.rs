//! Packages that are pinned twice for one environment.

use super::Pin;
use super::problem::LockFileProblems;
use pinfast_packaging::SourceSpan;

/// How many pins of one name are compared with one another: each pair of markers is a proof.
const MAX_COMPARED: usize = 64;

const ONE_PIN: &str = "keep one of them, or give them markers that never hold together";

/// Adds to `problems` each pin that shares an environment with an earlier pin of its name.
pub(crate) fn find_duplicates(pins: &[(Pin, SourceSpan<'_>)], problems: &mut LockFileProblems) {
    let mut order: Vec<&(Pin, SourceSpan<'_>)> = pins.iter().collect();
    order.sort_by(|(a, _), (b, _)| a.name.cmp(&b.name));
    for group in order.chunk_by(|(a, _), (b, _)| a.name == b.name) {
        for (i, (pin, span)) in group.iter().take(MAX_COMPARED).enumerate() {
            let earlier = group[..i].iter().find(|(earlier, _)| !earlier.marker.excludes(&pin.marker));
            if let Some((_, first)) = earlier {
                let line = first.at.line;
                let message =
                    format!("`{}` is pinned on line {line} too, for the same environments", pin.name);
                problems.push(span, message, ONE_PIN);
            }
        }
    }
}

//! Names that are pinned twice for one environment.

use super::problem::LockProblems;
use super::scan::Spot;
use crate::Pin;

/// How many pins of one name are compared with one another.
const MOST_OF_A_NAME: usize = 64;

const ONE_PIN: &str = "keep one of them, or give them markers that never hold together";

/// Tells `problems` of each pin that shares an environment with an earlier pin of its name.
pub(crate) fn find_twins(pins: &[(Pin, Spot<'_>)], problems: &mut LockProblems) {
    let mut order: Vec<&(Pin, Spot<'_>)> = pins.iter().collect();
    order.sort_by(|(a, _), (b, _)| a.name.cmp(&b.name));
    for group in order.chunk_by(|(a, _), (b, _)| a.name == b.name) {
        for (i, (pin, spot)) in group.iter().take(MOST_OF_A_NAME).enumerate() {
            let twin = group[..i].iter().find(|(twin, _)| !twin.marker.excludes(&pin.marker));
            if let Some((_, first)) = twin {
                let line = first.at.line;
                let message =
                    format!("`{}` is pinned on line {line} too, for the same environments", pin.name);
                problems.push(spot.clone(), message, ONE_PIN);
            }
        }
    }
}

//! A specifier -> the interval of final releases that satisfy it, for the algebra of markers.
//!
//! A final release, such as `3.11.4`, has no epoch, no pre-, post- or development release and no local version label.

use super::{Operator, Specifier, SpecifierSet, Version};

/// A set of final releases; the bounds are final releases, too.
#[derive(Clone, Debug, PartialEq)]
pub enum Interval {
    /// Every release.
    All,
    /// No release.
    None,
    /// This one.
    Is(Version),
    /// All but this one.
    IsNot(Version),
    /// All below.
    Below(Version),
    /// All below and this one.
    UpTo(Version),
    /// All above.
    Above(Version),
    /// This one and all above.
    From(Version),
    /// From the first to below the second.
    Within(Version, Version),
    /// Below the first, or the second and all above.
    Outside(Version, Version),
}

/// Larger numbers count as infinite, so that arithmetic does not overflow.
const MAX_NUMBER: u64 = 1 << 30;

impl SpecifierSet {
    /// The intervals of the specifiers; the set holds on their intersection.
    pub fn intervals(&self) -> impl Iterator<Item = Interval> {
        self.0.iter().flat_map(|specifier| match specifier {
            // `~=` is prefix matching and a lower bound.
            Specifier::Ordered(Operator::Compatible, bound) => {
                let prefix = Version::new(&bound.release()[..bound.release().len() - 1]);
                [
                    interval(Operator::StartsWith, &prefix.with_epoch(bound.epoch())),
                    interval(Operator::GreaterOrEqual, bound),
                ]
            }
            Specifier::Ordered(operator, bound) => [interval(*operator, bound), Interval::All],
            // Markers compare such texts as texts, so this one does not occur.
            Specifier::Arbitrary(..) => [Interval::None, Interval::All],
        })
    }
}

fn interval(operator: Operator, bound: &Version) -> Interval {
    if bound.epoch() > 0 || bound.release().iter().any(|part| *part > MAX_NUMBER) {
        return above_all(operator);
    }
    let plain = Version::new(significant(bound.release()));
    let is_plain = !bound.any_prerelease() && !bound.is_post() && !bound.is_local();
    // A bound that is not final lies just below or just above the final release of its release segment.
    let is_below = bound.any_prerelease() && !(bound.is_post() && bound.pre().is_none());
    match operator {
        Operator::StartsWith => within(bound.release(), Interval::Within),
        Operator::StartsNotWith => within(bound.release(), Interval::Outside),
        Operator::Equal if is_plain => Interval::Is(plain),
        Operator::NotEqual if is_plain => Interval::IsNot(plain),
        Operator::Equal => Interval::None,
        Operator::NotEqual => Interval::All,
        Operator::Less if is_plain || is_below => Interval::Below(plain),
        Operator::LessOrEqual if is_below => Interval::Below(plain),
        Operator::Less | Operator::LessOrEqual => Interval::UpTo(plain),
        Operator::GreaterOrEqual | Operator::Compatible if is_plain || is_below => Interval::From(plain),
        Operator::Greater if is_below => Interval::From(plain),
        Operator::Greater | Operator::GreaterOrEqual | Operator::Compatible => Interval::Above(plain),
    }
}

/// The release segment without trailing zeros.
fn significant(release: &[u64]) -> &[u64] {
    let end = release.iter().rposition(|part| *part > 0).unwrap_or(0);
    &release[..=end]
}

fn within(prefix: &[u64], interval: fn(Version, Version) -> Interval) -> Interval {
    let (lower, upper) = prefix_bounds(prefix);
    interval(lower, upper)
}

/// The first release that begins with `prefix`, and the first after all that do.
fn prefix_bounds(prefix: &[u64]) -> (Version, Version) {
    let mut next = prefix.to_vec();
    if let Some(last) = next.last_mut() {
        *last += 1;
    }
    (Version::new(significant(prefix)), Version::new(next))
}

/// The interval of a bound that is above every version of Python.
fn above_all(operator: Operator) -> Interval {
    match operator {
        Operator::NotEqual | Operator::StartsNotWith | Operator::Less | Operator::LessOrEqual => {
            Interval::All
        }
        _ => Interval::None,
    }
}

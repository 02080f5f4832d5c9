//! What a specifier says of final releases (`3.11.4`; no epoch, pre-, post- or local part): an
//! interval, which is what the algebra of markers needs.

use super::{Operator, Specifier, SpecifierSet, Version};

/// A condition on a final release; every bound is one as well.
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

/// No release number of a Python is larger; beyond it, arithmetic might overflow.
const LARGEST_PART: u64 = 1 << 30;

impl SpecifierSet {
    /// What each specifier says of final releases.
    pub fn intervals(&self) -> impl Iterator<Item = Interval> {
        self.0.iter().flat_map(|specifier| match specifier {
            // All of a prefix, from the bound on.
            Specifier::Ordered(Operator::Compatible, bound) => {
                let prefix = Version::new(&bound.release()[..bound.release().len() - 1]);
                [
                    interval(Operator::StartsWith, &prefix.with_epoch(bound.epoch())),
                    interval(Operator::GreaterOrEqual, bound),
                ]
            }
            Specifier::Ordered(operator, bound) => [interval(*operator, bound), Interval::All],
            // Not met in markers, which compare texts as texts.
            Specifier::Arbitrary(..) => [Interval::None, Interval::All],
        })
    }
}

fn interval(operator: Operator, bound: &Version) -> Interval {
    if bound.epoch() > 0 || bound.release().iter().any(|part| *part > LARGEST_PART) {
        return above_all(operator);
    }
    let plain = Version::new(significant(bound.release()));
    let is_plain = !bound.any_prerelease() && !bound.is_post() && !bound.is_local();
    // A bound that is not final itself lies just below the final release of its numbers, or just above.
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

/// The release numbers without the zeros at their end.
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

/// What a bound says that is above every Python's version.
fn above_all(operator: Operator) -> Interval {
    match operator {
        Operator::NotEqual | Operator::StartsNotWith | Operator::Less | Operator::LessOrEqual => {
            Interval::All
        }
        _ => Interval::None,
    }
}

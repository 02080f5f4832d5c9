//! Whether a version satisfies a specifier (PEP 440, "Version specifiers"). Allocates nothing, for it runs millions of times.

use super::{Operator, Specifier, Version};

impl Specifier {
    /// Whether `version` satisfies it.
    pub(super) fn contains(&self, version: &Version) -> bool {
        match self {
            Self::Ordered(operator, bound) => matches(*operator, version, bound),
            Self::Arbitrary(text, _) => version.to_string() == **text,
        }
    }

    /// Whether `version` is not below everything that matches.
    pub(super) fn lower_side_contains(&self, version: &Version) -> bool {
        match self {
            Self::Ordered(Operator::Greater, bound) => greater(version, bound),
            _ => self.lower_bound().is_none_or(|bound| version >= bound),
        }
    }

    /// The lowest version that may match, if there is a bound.
    pub(super) fn lower_bound(&self) -> Option<&Version> {
        match self {
            Self::Ordered(
                Operator::Equal
                | Operator::StartsWith
                | Operator::Compatible
                | Operator::Greater
                | Operator::GreaterOrEqual,
                bound,
            ) => Some(bound),
            Self::Ordered(..) => None,
            Self::Arbitrary(_, version) => version.as_ref(),
        }
    }
}

fn matches(operator: Operator, version: &Version, bound: &Version) -> bool {
    match operator {
        Operator::Equal => equal(version, bound),
        Operator::NotEqual => !equal(version, bound),
        Operator::StartsWith => starts_with(version, bound, bound.release()),
        Operator::StartsNotWith => !starts_with(version, bound, bound.release()),
        Operator::Compatible => {
            let prefix = bound.release().split_last().map_or(&[][..], |(_, prefix)| prefix);
            version >= bound && starts_with(version, bound, prefix)
        }
        Operator::Less => less(version, bound),
        Operator::LessOrEqual => version <= bound || same_public(version, bound),
        Operator::Greater => greater(version, bound),
        Operator::GreaterOrEqual => version >= bound,
    }
}

/// Version matching: a bound without a local version label ignores that of the version.
fn equal(version: &Version, bound: &Version) -> bool {
    version == bound || (!bound.is_local() && same_public(version, bound))
}

/// Exclusive ordered comparison: below the bound, and no pre-release of it unless the bound is one.
fn less(version: &Version, bound: &Version) -> bool {
    if version >= bound {
        return false;
    }
    if bound.any_prerelease() || !same_release(version, bound) {
        return true;
    }
    // The pre-releases of a post-release are its own development releases.
    bound.is_post() && !(version.pre().is_none() && version.post() == bound.post() && version.is_dev())
}

/// Exclusive ordered comparison: above the bound, no local version of it, and no post-release of it unless the bound is one.
fn greater(version: &Version, bound: &Version) -> bool {
    if version <= bound {
        return false;
    }
    if !same_release(version, bound) || version.pre() != bound.pre() {
        return true;
    }
    if bound.is_dev() || bound.is_post() {
        return !same_public(version, bound);
    }
    // Above a final or pre-release in the same release segment are only its local versions and post-releases.
    false
}

/// Prefix matching: whether the release segment, padded with zeros, begins with `prefix`.
fn starts_with(version: &Version, bound: &Version, prefix: &[u64]) -> bool {
    version.epoch() == bound.epoch()
        && prefix.iter().enumerate().all(|(i, part)| version.release().get(i).unwrap_or(&0) == part)
}

fn same_release(a: &Version, b: &Version) -> bool {
    let parts = a.release().len().max(b.release().len());
    let part = |version: &Version, i: usize| version.release().get(i).copied().unwrap_or(0);
    a.epoch() == b.epoch() && (0..parts).all(|i| part(a, i) == part(b, i))
}

/// Whether the public versions are equal, whatever the local version labels.
fn same_public(a: &Version, b: &Version) -> bool {
    (a.pre(), a.post(), a.dev()) == (b.pre(), b.post(), b.dev()) && same_release(a, b)
}

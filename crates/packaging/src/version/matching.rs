//! Whether one version matches one specifier, without allocating.

use super::{Operator, Specifier, Version};

impl Specifier {
    pub(super) fn contains(&self, version: &Version) -> bool {
        match self {
            Self::Ordered(operator, bound) => matches(*operator, version, bound),
            Self::Arbitrary(text, _) => version.to_string() == **text,
        }
    }

    /// Whether `version` is not below what matches.
    pub(super) fn lower_side_contains(&self, version: &Version) -> bool {
        match self {
            Self::Ordered(Operator::Greater, bound) => greater(version, bound),
            _ => self.lower_bound().is_none_or(|bound| version >= bound),
        }
    }

    /// The version from which on it may match.
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

/// A bound without a local part is also matched by the versions that have one.
fn equal(version: &Version, bound: &Version) -> bool {
    version == bound || (!bound.is_local() && same_public(version, bound))
}

/// Below the bound, and not a pre-release of it unless it is one itself.
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

/// Above the bound, and neither a local version of it nor, unless it is one itself, a post-release of it.
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
    // What is left above a final or pre-release of the same name is its local versions and post-releases.
    false
}

/// Whether the release numbers begin with `prefix`, padded with zeros where they are shorter.
fn starts_with(version: &Version, bound: &Version, prefix: &[u64]) -> bool {
    version.epoch() == bound.epoch()
        && prefix.iter().enumerate().all(|(i, part)| version.release().get(i).unwrap_or(&0) == part)
}

fn same_release(a: &Version, b: &Version) -> bool {
    let parts = a.release().len().max(b.release().len());
    let part = |version: &Version, i: usize| version.release().get(i).copied().unwrap_or(0);
    a.epoch() == b.epoch() && (0..parts).all(|i| part(a, i) == part(b, i))
}

/// Whether they differ in nothing but their local part.
fn same_public(a: &Version, b: &Version) -> bool {
    (a.pre(), a.post(), a.dev()) == (b.pre(), b.post(), b.dev()) && same_release(a, b)
}

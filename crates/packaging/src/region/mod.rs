//! The space of all environments that a lock may meet, and regions of it.
//!
//! Markers go in; regions in which each marker is constant, a target for each, and markers for sets of regions come out.
//!
//! A point is a Python version and a value in each of a few [dimensions](dimension): system, machine, implementation, and the
//! rarer marker variables. Values that belong together (`sys_platform`, `platform_system`, `os_name`) are one value of one
//! dimension, so an impossible environment is no point. A [`Region`] is a box: a span of Python versions and a set of values
//! in each dimension. Beside the values that markers name, each dimension has one for "any other".
//!
//! - `python`: spans of Python versions
//! - `dimension`: the other dimensions and their values
//! - `truth`: whether a marker holds in all, none or a part of a region: three-valued logic
//! - `representative`: a [`Target`](super::Target) that represents a region
//! - `minimize`: the simplest marker for a set of regions: two-level logic minimisation
//!
//! The space has only final releases of one major version of Python. A pre-release of 3.15.0 lies just below it, and there
//! `python_full_version` and `python_version` may disagree.

mod dimension;
mod minimize;
mod python;
mod representative;
#[cfg(test)]
mod tests;
mod truth;

use self::dimension::{DIMENSIONS, Dimension};
use self::python::{PythonRelease, Span};
use self::representative::TagsCache;
use super::{Marker, Version};

pub use self::python::NEWEST_MINOR;
pub use self::representative::WheelScope;
pub use self::truth::Truth;

/// All environments from a Python version up, and the values that markers have distinguished so far.
#[derive(Clone, Debug)]
pub struct Space {
    python: Span,
    dimensions: [Dimension; DIMENSIONS],
    tags_cache: TagsCache,
}

/// A box in a [`Space`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Region {
    python: Span,
    values: [Values; DIMENSIONS],
}

/// One environment of a [`Space`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Point {
    python: PythonRelease,
    values: [usize; DIMENSIONS],
}

/// A hyperplane that splits a region in two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// Below this Python version, and from it on.
    Python(PythonRelease),
    /// These values of a dimension on one side, the others on the other.
    Values {
        /// The dimension.
        dimension: usize,
        /// The values, a bit each.
        bits: u128,
    },
}

/// A set of values of a dimension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Values {
    bits: u128,
    /// How many values the dimension had when the set was made. Values added later were part of "any other" then.
    known: usize,
}

impl Space {
    /// All environments with this version of Python or a later one of the same major version.
    #[must_use]
    pub fn from_python(first: &Version) -> Self {
        Self {
            python: Span::from_version(first),
            dimensions: dimension::all(),
            tags_cache: TagsCache::default(),
        }
    }

    /// The region of the whole space.
    #[must_use]
    pub fn whole(&self) -> Region {
        let full =
            |dimension: &Dimension| Values { bits: dimension.all_bits(), known: dimension.values.len() };
        Region {
            python: self.python,
            values: std::array::from_fn(|dimension| full(&self.dimensions[dimension])),
        }
    }

    /// Adds the values that `marker` names. After that, every region in use must be [widened](Self::widen).
    pub fn add_values(&mut self, marker: &Marker) {
        if let Some(expression) = marker.expression() {
            self.add_values_of_expression(expression);
        }
    }

    fn add_values_of_expression(&mut self, expression: &super::marker::Expression) {
        use super::marker::Expression::{All, Any, Comparison};
        match expression {
            All(parts) | Any(parts) => parts.iter().for_each(|part| self.add_values_of_expression(part)),
            Comparison(test) => {
                self.dimensions.iter_mut().for_each(|dimension| dimension.add_values_of(test))
            }
        }
    }

    /// Adds to `region` the values that were added to the space since it was made, if it has "any other".
    pub fn widen(&self, region: &mut Region) {
        for (values, dimension) in region.values.iter_mut().zip(&self.dimensions) {
            if values.has(dimension::OTHER) {
                values.bits |= dimension.all_bits() & !bits_below(values.known);
            }
            values.known = dimension.values.len();
        }
    }
}

impl Region {
    /// Whether `point` is in it.
    #[must_use]
    pub fn contains(&self, point: &Point) -> bool {
        self.python.contains(point.python)
            && self.values.iter().zip(point.values).all(|(values, value)| values.has(value))
    }

    /// The parts on either side of `cut`.
    #[must_use]
    pub fn split(&self, cut: Cut) -> (Self, Self) {
        let (mut a, mut b) = (self.clone(), self.clone());
        match cut {
            Cut::Python(at) => {
                a.python.end = at;
                b.python.first = at;
            }
            Cut::Values { dimension, bits } => {
                a.values[dimension].bits &= bits;
                b.values[dimension].bits &= !bits;
            }
        }
        (a, b)
    }

    fn overlaps(&self, other: &Self) -> bool {
        self.python.overlaps(other.python)
            && self.values.iter().zip(&other.values).all(|(a, b)| a.bits & b.bits != 0)
    }

    fn covers(&self, other: &Self) -> bool {
        self.python.covers(other.python)
            && self.values.iter().zip(&other.values).all(|(a, b)| b.bits & !a.bits == 0)
    }
}

impl Values {
    fn has(self, value: usize) -> bool {
        self.bits & bit(value) != 0
    }

    fn iter(self) -> impl Iterator<Item = usize> + Clone {
        (0..dimension::MAX_VALUES).filter(move |value| self.has(*value))
    }
}

fn bit(value: usize) -> u128 {
    1 << value
}

fn bits_below(count: usize) -> u128 {
    if count >= dimension::MAX_VALUES { u128::MAX } else { bit(count) - 1 }
}

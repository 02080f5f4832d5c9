//! The space of all environments that a lock may meet, and regions of it.
//!
//! A point is a PythonRelease version and a value on each of a few [dimensions](dimension): the system, the machine, the
//! implementation, and the rarer marker variables. Values that belong together (`sys_platform`,
//! `platform_system` and `os_name`) are one value of one dimension, so what cannot exist is no point. A
//! [`Region`] is a box: a span of PythonRelease versions and a set of values on each dimension. Each dimension holds one
//! value for "any other" besides those that a marker has named.
//!
//! - `python`: spans of PythonRelease versions
//! - `dimension`: the other dimensions and their values
//! - `truth`: what a marker comes to in a region
//! - `representative`: a [`Target`](super::Target) that stands for a region
//! - `wording`: the simplest marker that holds in some regions and in no other
//!
//! The space is that of final releases of one major version of PythonRelease: a pre-release of 3.15.0 stands
//! just before it, and a marker on `python_full_version` may see it otherwise than one on
//! `python_version` does.

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

/// All environments from a PythonRelease version up, and the values that markers told apart so far.
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

/// Where a region falls into two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// Below this PythonRelease version, and from it on.
    Python(PythonRelease),
    /// These values of an dimension, and the others.
    Values {
        /// The dimension.
        dimension: usize,
        /// The values, a bit each.
        bits: u128,
    },
}

/// A set of values of an dimension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Values {
    bits: u128,
    /// How many values the dimension had when the set was made: later ones were part of "any other" then.
    known: usize,
}

impl Space {
    /// All environments with this version of PythonRelease or a later one of the same major version.
    #[must_use]
    pub fn from_python(first: &Version) -> Self {
        Self {
            python: Span::from_version(first),
            dimensions: dimension::all(),
            tags_cache: TagsCache::default(),
        }
    }

    /// All of it.
    #[must_use]
    pub fn whole(&self) -> Region {
        let full =
            |dimension: &Dimension| Values { bits: dimension.all_bits(), known: dimension.values.len() };
        Region {
            python: self.python,
            values: std::array::from_fn(|dimension| full(&self.dimensions[dimension])),
        }
    }

    /// Takes in the values that `marker` names. Then every region in use must be
    /// [widened](Self::widen).
    pub fn add_values(&mut self, marker: &Marker) {
        if let Some(expression) = marker.expression() {
            self.add_values_of_expression(expression);
        }
    }

    fn add_values_of_expression(&mut self, expression: &super::marker::Expression) {
        use super::marker::Expression::{All, Any, Test};
        match expression {
            All(parts) | Any(parts) => parts.iter().for_each(|part| self.add_values_of_expression(part)),
            Test(test) => self.dimensions.iter_mut().for_each(|dimension| dimension.add_values_of(test)),
        }
    }

    /// Gives values learnt since the region was made to it where they were part of its "any other".
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

    /// The two parts on either side of a cut through it.
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

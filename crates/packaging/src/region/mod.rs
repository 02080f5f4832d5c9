//! The space of all environments that a lock may meet, and regions of it.
//!
//! A point is a Python version and a value on each of a few [axes](axis): the system, the machine, the
//! implementation, and the rarer marker variables. Values that belong together (`sys_platform`,
//! `platform_system` and `os_name`) are one value of one axis, so what cannot exist is no point. A
//! [`Region`] is a box: a span of Python versions and a set of values on each axis. Each axis holds one
//! value for "any other" besides those that a marker has named.
//!
//! - `python`: spans of Python versions
//! - `axis`: the other axes and their values
//! - `verdict`: what a marker comes to in a region
//! - `stand_in`: a [`Target`](super::Target) that stands for a region
//! - `wording`: the simplest marker that holds in some regions and in no other
//!
//! The space is that of final releases of one major version of Python: a pre-release of 3.15.0 stands
//! just before it, and a marker on `python_full_version` may see it otherwise than one on
//! `python_version` does.

mod axis;
mod python;
mod stand_in;
#[cfg(test)]
mod tests;
mod verdict;
mod wording;

use self::axis::{AXES, Axis};
use self::python::{Python, Span};
use self::stand_in::Shelf;
use super::{Marker, Version};

pub use self::python::NEWEST_MINOR;
pub use self::stand_in::Fit;
pub use self::verdict::Verdict;

/// All environments from a Python version up, and the values that markers told apart so far.
#[derive(Clone, Debug)]
pub struct Space {
    python: Span,
    axes: [Axis; AXES],
    shelf: Shelf,
}

/// A box in a [`Space`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Region {
    python: Span,
    values: [Values; AXES],
}

/// One environment of a [`Space`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Point {
    python: Python,
    values: [usize; AXES],
}

/// Where a region falls into two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// Below this Python version, and from it on.
    Python(Python),
    /// These values of an axis, and the others.
    Values {
        /// The axis.
        axis: usize,
        /// The values, a bit each.
        bits: u128,
    },
}

/// A set of values of an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Values {
    bits: u128,
    /// How many values the axis had when the set was made: later ones were part of "any other" then.
    known: usize,
}

impl Space {
    /// All environments with this version of Python or a later one of the same major version.
    #[must_use]
    pub fn from_python(first: &Version) -> Self {
        Self { python: Span::from_version(first), axes: axis::all(), shelf: Shelf::default() }
    }

    /// All of it.
    #[must_use]
    pub fn whole(&self) -> Region {
        let full = |axis: &Axis| Values { bits: axis.all_bits(), known: axis.values.len() };
        Region { python: self.python, values: std::array::from_fn(|axis| full(&self.axes[axis])) }
    }

    /// Takes in the values that `marker` names. Then every region in use must be
    /// [widened](Self::widen).
    pub fn learn(&mut self, marker: &Marker) {
        if let Some(expression) = marker.expression() {
            self.learn_expression(expression);
        }
    }

    fn learn_expression(&mut self, expression: &super::marker::Expression) {
        use super::marker::Expression::{All, Any, Test};
        match expression {
            All(parts) | Any(parts) => parts.iter().for_each(|part| self.learn_expression(part)),
            Test(test) => self.axes.iter_mut().for_each(|axis| axis.learn(test)),
        }
    }

    /// Gives values learnt since the region was made to it where they were part of its "any other".
    pub fn widen(&self, region: &mut Region) {
        for (values, axis) in region.values.iter_mut().zip(&self.axes) {
            if values.has(axis::OTHER) {
                values.bits |= axis.all_bits() & !bits_below(values.known);
            }
            values.known = axis.values.len();
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
    pub fn parted(&self, cut: Cut) -> (Self, Self) {
        let (mut a, mut b) = (self.clone(), self.clone());
        match cut {
            Cut::Python(at) => {
                a.python.end = at;
                b.python.first = at;
            }
            Cut::Values { axis, bits } => {
                a.values[axis].bits &= bits;
                b.values[axis].bits &= !bits;
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
        (0..axis::MOST).filter(move |value| self.has(*value))
    }
}

fn bit(value: usize) -> u128 {
    1 << value
}

fn bits_below(count: usize) -> u128 {
    if count >= axis::MOST { u128::MAX } else { bit(count) - 1 }
}

//! What a marker comes to in a region.

use super::{Cut, Region, Space, python};
use crate::marker::{Expression, Key, Test};
use crate::{ExtraName, Marker, SpecifierSet};

/// What a condition comes to in a region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Truth {
    /// It holds in all of it.
    Always,
    /// It holds nowhere in it.
    Never,
    /// It may hold in one part and not in the other.
    Depends(Cut),
}

impl Space {
    /// What `marker` comes to in `region` when `extra` is on. The space must have
    /// [taken in](Self::add_values) the values of the marker.
    ///
    /// `Depends` may be said of a condition that in truth is the same on both sides of the cut; in the
    /// smallest regions nothing depends.
    #[must_use]
    pub fn truth(&self, marker: &Marker, region: &Region, extra: Option<&ExtraName>) -> Truth {
        let evaluator = RegionEvaluator { space: self, region, extra };
        marker.expression().map_or(Truth::Always, |expression| evaluator.of(expression))
    }

    /// What the lower bounds of a Requires-PythonRelease come to in `region`.
    #[must_use]
    pub fn lower_bounds_truth(&self, requires_python: &SpecifierSet, region: &Region) -> Truth {
        let holds = |python| requires_python.lower_bounds_contain(&python::version(python));
        truth_of_python(region, python::places(Key::PythonFullVersion, requires_python), holds)
    }
}

struct RegionEvaluator<'a> {
    space: &'a Space,
    region: &'a Region,
    extra: Option<&'a ExtraName>,
}

impl RegionEvaluator<'_> {
    fn of(&self, expression: &Expression) -> Truth {
        match expression {
            Expression::All(parts) => self.joined(parts, Truth::Always, Truth::Never),
            Expression::Any(parts) => self.joined(parts, Truth::Never, Truth::Always),
            Expression::Test(test) => self.of_test(test),
        }
    }

    /// `decisive` where one part is; else the first part that depends; else `neutral`.
    fn joined(&self, parts: &[Expression], neutral: Truth, decisive: Truth) -> Truth {
        let mut joined = neutral;
        for part in parts {
            match self.of(part) {
                truth if truth == decisive => return decisive,
                truth @ Truth::Depends(_) if joined == neutral => joined = truth,
                _ => {}
            }
        }
        joined
    }

    fn of_test(&self, test: &Test) -> Truth {
        match test {
            Test::Extra { name, wanted } => {
                certain(self.extra.is_some_and(|extra| extra.as_str() == &**name) == *wanted)
            }
            Test::Never => Truth::Never,
            Test::Version(key @ (Key::PythonVersion | Key::PythonFullVersion), specifiers) => {
                let holds = |python| specifiers.contains(&python::value(*key, python));
                truth_of_python(self.region, python::places(*key, specifiers), holds)
            }
            Test::Text {
                key: key @ (Key::PythonVersion | Key::PythonFullVersion),
                relation,
                text,
                wanted,
            } => {
                let holds =
                    |python| relation.holds(&python::value(*key, python).to_string(), text) == *wanted;
                truth_of_python(self.region, python::places_of_text(*key, *relation, text), holds)
            }
            test => self.of_dimension_test(test),
        }
    }

    fn of_dimension_test(&self, test: &Test) -> Truth {
        let matching =
            |dimension: usize| self.space.dimensions[dimension].matching(test).map(|bits| (dimension, bits));
        let Some((dimension, bits)) = (0..self.space.dimensions.len()).find_map(matching) else {
            return Truth::Never;
        };
        let own = self.region.values[dimension].bits;
        match own & bits {
            0 => Truth::Never,
            all if all == own => Truth::Always,
            bits => Truth::Depends(Cut::Values { dimension, bits }),
        }
    }
}

fn certain(holds: bool) -> Truth {
    if holds { Truth::Always } else { Truth::Never }
}

fn truth_of_python(
    region: &Region,
    places: Vec<python::PythonRelease>,
    holds: impl Fn(python::PythonRelease) -> bool,
) -> Truth {
    let span = region.python;
    match span.change(places, &holds) {
        Some(at) => Truth::Depends(Cut::Python(at)),
        None => certain(holds(span.first)),
    }
}

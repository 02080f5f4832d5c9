//! A marker and a region -> whether it holds in all, none or a part of the region: Kleene's three-valued logic, where
//! "unknown" carries the cut that decides.

use super::{Cut, Region, Space, python};
use crate::marker::{Comparison, Expression, MarkerVariable};
use crate::{ExtraName, Marker, SpecifierSet};

/// The truth value of a condition over a region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Truth {
    /// It holds everywhere in the region.
    Always,
    /// It holds nowhere in the region.
    Never,
    /// It may hold on one side of the cut only.
    Depends(Cut),
}

impl Space {
    /// The truth value of `marker` over `region` with `extra`. The space must have the marker's
    /// [values](Self::add_values).
    ///
    /// `Depends` is conservative: the condition may be the same on both sides of the cut. In the smallest regions nothing
    /// depends.
    #[must_use]
    pub fn truth(&self, marker: &Marker, region: &Region, extra: Option<&ExtraName>) -> Truth {
        let evaluator = RegionEvaluator { space: self, region, extra };
        marker.expression().map_or(Truth::Always, |expression| evaluator.evaluate(expression))
    }

    /// The truth value of the lower bounds of a Requires-Python over `region`.
    #[must_use]
    pub fn lower_bounds_truth(&self, requires_python: &SpecifierSet, region: &Region) -> Truth {
        let holds = |python| requires_python.lower_bounds_contain(&python::version(python));
        truth_of_python(region, python::places(MarkerVariable::PythonFullVersion, requires_python), holds)
    }
}

struct RegionEvaluator<'a> {
    space: &'a Space,
    region: &'a Region,
    extra: Option<&'a ExtraName>,
}

impl RegionEvaluator<'_> {
    fn evaluate(&self, expression: &Expression) -> Truth {
        match expression {
            Expression::All(parts) => self.combine(parts, Truth::Always, Truth::Never),
            Expression::Any(parts) => self.combine(parts, Truth::Never, Truth::Always),
            Expression::Comparison(test) => self.of_test(test),
        }
    }

    /// `decisive` if one part is; else the first part that depends; else `neutral`.
    fn combine(&self, parts: &[Expression], neutral: Truth, decisive: Truth) -> Truth {
        let mut joined = neutral;
        for part in parts {
            match self.evaluate(part) {
                truth if truth == decisive => return decisive,
                truth @ Truth::Depends(_) if joined == neutral => joined = truth,
                _ => {}
            }
        }
        joined
    }

    fn of_test(&self, test: &Comparison) -> Truth {
        match test {
            Comparison::Extra { name, wanted } => {
                certain(self.extra.is_some_and(|extra| extra.as_str() == &**name) == *wanted)
            }
            Comparison::Never => Truth::Never,
            Comparison::Version(
                key @ (MarkerVariable::PythonVersion | MarkerVariable::PythonFullVersion),
                specifiers,
            ) => {
                let holds = |python| specifiers.contains(&python::value(*key, python));
                truth_of_python(self.region, python::places(*key, specifiers), holds)
            }
            Comparison::Text {
                key: key @ (MarkerVariable::PythonVersion | MarkerVariable::PythonFullVersion),
                relation,
                text,
                wanted,
            } => {
                let holds =
                    |python| relation.holds(&python::value(*key, python).to_string(), text) == *wanted;
                truth_of_python(self.region, python::places_of_text(*key, *relation, text), holds)
            }
            test => self.of_dimension_comparison(test),
        }
    }

    fn of_dimension_comparison(&self, test: &Comparison) -> Truth {
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

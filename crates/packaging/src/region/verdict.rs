//! What a marker comes to in a region.

use super::{Cut, Region, Space, python};
use crate::marker::{Expression, Key, Test};
use crate::{ExtraName, Marker, Specifiers};

/// What a condition comes to in a region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It holds in all of it.
    Always,
    /// It holds nowhere in it.
    Never,
    /// It may hold in one part and not in the other.
    Depends(Cut),
}

impl Space {
    /// What `marker` comes to in `region` when `extra` is on. The space must have
    /// [learnt](Self::learn) the marker.
    ///
    /// `Depends` may be said of a condition that in truth is the same on both sides of the cut; in the
    /// smallest regions nothing depends.
    #[must_use]
    pub fn verdict(&self, marker: &Marker, region: &Region, extra: Option<&ExtraName>) -> Verdict {
        let judge = Judge { space: self, region, extra };
        marker.expression().map_or(Verdict::Always, |expression| judge.of(expression))
    }

    /// What the lower bounds of a Requires-Python come to in `region`.
    #[must_use]
    pub fn lower_bounds_verdict(&self, requires_python: &Specifiers, region: &Region) -> Verdict {
        let holds = |python| requires_python.lower_bounds_contain(&python::version(python));
        verdict_of_python(region, python::places(Key::PythonFullVersion, requires_python), holds)
    }
}

struct Judge<'a> {
    space: &'a Space,
    region: &'a Region,
    extra: Option<&'a ExtraName>,
}

impl Judge<'_> {
    fn of(&self, expression: &Expression) -> Verdict {
        match expression {
            Expression::All(parts) => self.joined(parts, Verdict::Always, Verdict::Never),
            Expression::Any(parts) => self.joined(parts, Verdict::Never, Verdict::Always),
            Expression::Test(test) => self.of_test(test),
        }
    }

    /// `decisive` where one part is; else the first part that depends; else `neutral`.
    fn joined(&self, parts: &[Expression], neutral: Verdict, decisive: Verdict) -> Verdict {
        let mut joined = neutral;
        for part in parts {
            match self.of(part) {
                verdict if verdict == decisive => return decisive,
                verdict @ Verdict::Depends(_) if joined == neutral => joined = verdict,
                _ => {}
            }
        }
        joined
    }

    fn of_test(&self, test: &Test) -> Verdict {
        match test {
            Test::Extra { name, wanted } => {
                certain(self.extra.is_some_and(|extra| extra.as_str() == &**name) == *wanted)
            }
            Test::Never => Verdict::Never,
            Test::Version(key @ (Key::PythonVersion | Key::PythonFullVersion), specifiers) => {
                let holds = |python| specifiers.contains(&python::value(*key, python));
                verdict_of_python(self.region, python::places(*key, specifiers), holds)
            }
            Test::Text {
                key: key @ (Key::PythonVersion | Key::PythonFullVersion),
                relation,
                text,
                wanted,
            } => {
                let holds =
                    |python| relation.holds(&python::value(*key, python).to_string(), text) == *wanted;
                verdict_of_python(self.region, python::places_of_text(*key, *relation, text), holds)
            }
            test => self.of_axis_test(test),
        }
    }

    fn of_axis_test(&self, test: &Test) -> Verdict {
        let matching = |axis: usize| self.space.axes[axis].matching(test).map(|bits| (axis, bits));
        let Some((axis, bits)) = (0..self.space.axes.len()).find_map(matching) else { return Verdict::Never };
        let own = self.region.values[axis].bits;
        match own & bits {
            0 => Verdict::Never,
            all if all == own => Verdict::Always,
            bits => Verdict::Depends(Cut::Values { axis, bits }),
        }
    }
}

fn certain(holds: bool) -> Verdict {
    if holds { Verdict::Always } else { Verdict::Never }
}

fn verdict_of_python(
    region: &Region,
    places: Vec<python::Python>,
    holds: impl Fn(python::Python) -> bool,
) -> Verdict {
    let span = region.python;
    match span.change(places, &holds) {
        Some(at) => Verdict::Depends(Cut::Python(at)),
        None => certain(holds(span.first)),
    }
}

//! Some of the regions of a space -> the simplest marker that holds in exactly these.
//!
//! This is two-level logic minimisation, as Espresso does it: each region is expanded as far as it meets no unwanted region
//! (what lies outside of the space is "don't care"), and a greedy cover chooses among the expanded boxes.

use super::dimension::{DIMENSIONS, Dimension, IMPLEMENTATION, MACHINE, OTHER, SYSTEM};
use super::python::PythonRelease;
use super::{Region, Space, bit};
use crate::Marker;
use crate::marker::{Comparison, MarkerVariable};

/// The order in which dimensions are expanded: the rarest first, so that conditions on usual ones remain.
const EXPANSION_ORDER: [usize; DIMENSIONS] = [5, 4, 3, IMPLEMENTATION, MACHINE, SYSTEM];

impl Space {
    /// The marker that holds in exactly those of `regions` for which `wanted` holds. Together, `regions` must be the whole
    /// space.
    #[must_use]
    pub fn marker(&self, regions: &[Region], wanted: impl Fn(usize) -> bool) -> Marker {
        let (mut inside, mut outside) = (Vec::new(), Vec::new());
        for (place, region) in regions.iter().enumerate() {
            if wanted(place) { inside.push(region) } else { outside.push(region) }
        }
        let boundaries = Boundaries::of(self, regions);
        let mut boxes: Vec<Region> = Vec::new();
        for region in &inside {
            let expanded = self.expanded(region, &outside, &boundaries);
            if !boxes.contains(&expanded) {
                boxes.push(expanded);
            }
        }
        let mut left = inside;
        let mut marker = Marker::default().negate();
        while !left.is_empty() {
            let gain = |b: &&Region| left.iter().filter(|region| b.covers(region)).count();
            // `max_by_key` takes the last of equals: `rev` makes that the first.
            let Some(best) = boxes.iter().rev().max_by_key(gain) else { break };
            left.retain(|region| !best.covers(region));
            marker = marker.or(&self.condition(best));
        }
        marker
    }

    /// A label for a region: the marker that holds in it alone; for the whole space, its Python versions.
    #[must_use]
    pub fn describe(&self, region: &Region) -> String {
        match self.condition(region) {
            all if all.is_always() => from(self.python.first),
            condition => condition.to_string(),
        }
    }

    /// `region` expanded as far as it meets none of `outside`.
    fn expanded(&self, region: &Region, outside: &[&Region], boundaries: &Boundaries) -> Region {
        let mut grown = region.clone();
        let mut try_to = |change: &dyn Fn(&mut Region)| {
            let mut larger = grown.clone();
            change(&mut larger);
            let fits = !outside.iter().any(|other| larger.overlaps(other));
            if fits {
                grown = larger;
            }
            fits
        };
        for dimension in EXPANSION_ORDER {
            if !try_to(&|larger| larger.values[dimension].bits = self.dimensions[dimension].all_bits()) {
                boundaries.classes[dimension].iter().for_each(|class| {
                    try_to(&|larger| larger.values[dimension].bits |= class);
                });
            }
        }
        for place in &boundaries.python {
            let _ = try_to(&|larger| larger.python.first = larger.python.first.min(*place));
            let _ = try_to(&|larger| larger.python.end = larger.python.end.max(*place));
        }
        grown
    }

    /// The marker that holds in `region` alone.
    fn condition(&self, region: &Region) -> Marker {
        let mut marker = Marker::default();
        if region.python.first > self.python.first {
            marker = marker.and(&parsed(&from(region.python.first)));
        }
        if region.python.end < self.python.end {
            marker = marker.and(&parsed(&from(region.python.end)).negate());
        }
        for (dimension, values) in self.dimensions.iter().zip(&region.values) {
            if values.bits & dimension.all_bits() != dimension.all_bits() {
                marker = marker.and(&condition_of_dimension(dimension, values.bits));
            }
        }
        marker
    }
}

/// Where the regions of a space meet: an expansion can only end there.
struct Boundaries {
    /// The first and the end of each span: upwards, then downwards.
    python: Vec<PythonRelease>,
    /// The classes of values of each dimension that no region separates.
    classes: [Vec<u128>; DIMENSIONS],
}

impl Boundaries {
    fn of(space: &Space, regions: &[Region]) -> Self {
        let mut python: Vec<PythonRelease> =
            regions.iter().flat_map(|region| [region.python.first, region.python.end]).collect();
        python.sort_unstable();
        python.dedup();
        // The lowest firsts and the highest ends are tried before those between: the largest box that fits wins.
        let mut outermost = Vec::with_capacity(python.len() * 2);
        outermost.extend(python.iter());
        outermost.extend(python.iter().rev());
        let classes =
            std::array::from_fn(|dimension| classes(&space.dimensions[dimension], dimension, regions));
        Self { python: outermost, classes }
    }
}

fn classes(dimension: &Dimension, place: usize, regions: &[Region]) -> Vec<u128> {
    let mut classes = vec![dimension.all_bits()];
    for region in regions {
        let bits = region.values[place].bits;
        classes = classes.into_iter().flat_map(|class| [class & bits, class & !bits]).collect();
        classes.retain(|class| *class != 0);
    }
    classes
}

/// The marker for a set of values of a dimension.
fn condition_of_dimension(dimension: &Dimension, bits: u128) -> Marker {
    if dimension.is_free() {
        return condition_of_tests(dimension, bits);
    }
    let positive = bits & bit(OTHER) == 0;
    let named = (0..dimension.values.len()).filter(|value| (bits & bit(*value) != 0) == positive);
    let any = named
        .filter_map(|value| dimension.distinguishing(value))
        .fold(Marker::default().negate(), |any, (key, text)| any.or(&parsed(&equality(key, text))));
    if positive { any } else { any.negate() }
}

/// The marker for a set of values of a free dimension: for each value, the truth of each comparison.
fn condition_of_tests(dimension: &Dimension, bits: u128) -> Marker {
    let of_value = |value: usize| {
        let sided = |test: &Comparison| {
            let marker = parsed(&test.to_string());
            let holds = dimension.matching(test).is_some_and(|matching| matching & bit(value) != 0);
            if holds { marker } else { marker.negate() }
        };
        dimension.tests.iter().map(sided).fold(Marker::default(), |all, one| all.and(&one))
    };
    let own = (0..dimension.values.len()).filter(|value| bits & bit(*value) != 0);
    own.map(of_value).fold(Marker::default().negate(), |any, one| any.or(&one))
}

fn from((major, minor, patch): PythonRelease) -> String {
    match patch {
        0 => format!("python_version >= '{major}.{minor}'"),
        patch => format!("python_full_version >= '{major}.{minor}.{patch}'"),
    }
}

fn equality(key: MarkerVariable, text: &str) -> String {
    let quote = if text.contains('\'') { '"' } else { '\'' };
    format!("{} == {quote}{text}{quote}", key.as_str())
}

/// A marker whose text was written here, or comes from another marker: it parses.
fn parsed(text: &str) -> Marker {
    text.parse().unwrap_or_default()
}

//! The simplest marker that holds in some regions and in no other.

use super::dimension::{DIMENSIONS, Dimension, IMPLEMENTATION, MACHINE, OTHER, SYSTEM};
use super::python::PythonRelease;
use super::{Region, Space, bit};
use crate::Marker;
use crate::marker::{Key, Test};

/// In which order conditions are left out where they need not be said: the rarest first.
const ORDER: [usize; DIMENSIONS] = [5, 4, 3, IMPLEMENTATION, MACHINE, SYSTEM];

impl Space {
    /// A marker that holds in exactly those of `regions` for which `wanted` holds. `regions` part the space
    /// among them. What lies outside of the space counts as either.
    #[must_use]
    pub fn marker(&self, regions: &[Region], wanted: impl Fn(usize) -> bool) -> Marker {
        let (mut inside, mut outside) = (Vec::new(), Vec::new());
        for (place, region) in regions.iter().enumerate() {
            if wanted(place) { inside.push(region) } else { outside.push(region) }
        }
        let boundaries = Boundaries::of(self, regions);
        let mut boxes: Vec<Region> = Vec::new();
        for region in &inside {
            let grown = self.grown(region, &outside, &boundaries);
            if !boxes.contains(&grown) {
                boxes.push(grown);
            }
        }
        let mut left = inside;
        let mut marker = Marker::default().negate();
        while !left.is_empty() {
            let gain = |b: &&Region| left.iter().filter(|region| b.covers(region)).count();
            // The first of the greatest gain.
            let Some(best) = boxes.iter().rev().max_by_key(gain) else { break };
            left.retain(|region| !best.covers(region));
            marker = marker.or(&self.condition(best));
        }
        marker
    }

    /// A region in words: the marker that holds in it alone; of the whole space, its PythonRelease versions.
    #[must_use]
    pub fn describe(&self, region: &Region) -> String {
        match self.condition(region) {
            all if all.is_always() => from(self.python.first),
            condition => condition.to_string(),
        }
    }

    /// `region` grown as far as it can without meeting one of `outside`.
    fn grown(&self, region: &Region, outside: &[&Region], boundaries: &Boundaries) -> Region {
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
        for dimension in ORDER {
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

/// Where the regions of a space meet.
struct Boundaries {
    /// Each first and each end of a span; the outermost first.
    python: Vec<PythonRelease>,
    /// The values of each dimension that no region tells apart.
    classes: [Vec<u128>; DIMENSIONS],
}

impl Boundaries {
    fn of(space: &Space, regions: &[Region]) -> Self {
        let mut python: Vec<PythonRelease> =
            regions.iter().flat_map(|region| [region.python.first, region.python.end]).collect();
        python.sort_unstable();
        python.dedup();
        // The lowest firsts and the highest ends are tried before what lies between.
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

/// The condition that an dimension has one of some values.
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

/// For each value, what each of the tests comes to.
fn condition_of_tests(dimension: &Dimension, bits: u128) -> Marker {
    let of_value = |value: usize| {
        let sided = |test: &Test| {
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

fn equality(key: Key, text: &str) -> String {
    let quote = if text.contains('\'') { '"' } else { '\'' };
    format!("{} == {quote}{text}{quote}", key.as_str())
}

/// A condition that is written here, or was read from a marker.
fn parsed(text: &str) -> Marker {
    text.parse().unwrap_or_default()
}

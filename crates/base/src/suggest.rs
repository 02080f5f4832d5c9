//! "Did you mean": the known names closest to one that is not known, by Levenshtein distance (`strsim`).

/// Longer names are cut here, since the distance takes time in the product of both lengths and a name may come from a
/// hostile file.
const MAX_CHARS: usize = 64;

/// `known`, the closest to `name` first; ties keep their order.
pub fn closest_first<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let mut ranked: Vec<_> = known.into_iter().map(|other| (distance(name, other), other)).collect();
    ranked.sort_by_key(|(distance, _)| *distance);
    ranked.into_iter().map(|(_, other)| other).collect()
}

/// The closest of `known`, if `name` can be a slip of the pen for it: one edit, and one more for every four characters.
pub fn closest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let closest = closest_first(name, known).first().copied()?;
    (distance(name, closest) <= 1 + name.chars().count() / 4).then_some(closest)
}

fn distance(one: &str, other: &str) -> usize {
    strsim::levenshtein(start(one), start(other))
}

/// The first [`MAX_CHARS`] characters of `name`.
fn start(name: &str) -> &str {
    name.char_indices().nth(MAX_CHARS).map_or(name, |(end, _)| &name[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distance_counts_edits_and_is_symmetric() {
        for (one, other, edits) in
            [("", "abc", 3), ("abc", "abc", 0), ("test", "tests", 1), ("kitten", "sitting", 3), ("é", "e", 1)]
        {
            assert_eq!(distance(one, other), edits);
            assert_eq!(distance(other, one), edits);
        }
        let long = "é".repeat(1000);
        assert_eq!(distance(&long, ""), MAX_CHARS);
    }

    #[test]
    fn only_a_close_name_is_suggested() {
        assert_eq!(closest_first("tset", ["docs", "test", "x"]), ["test", "docs", "x"]);
        assert_eq!(closest("tests", ["docs", "test"]), Some("test"));
        assert_eq!(closest("zzz", ["docs", "test"]), None);
    }
}

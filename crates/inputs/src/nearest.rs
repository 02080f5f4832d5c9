//! "Did you mean": which known names are near to one that is not.

/// `known`, the nearest to `name` first, equally near ones in their order.
pub(super) fn nearest_first<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let mut ranked: Vec<_> = known.into_iter().map(|other| (distance(name, other), other)).collect();
    ranked.sort_by_key(|(distance, _)| *distance);
    ranked.into_iter().map(|(_, other)| other).collect()
}

/// The nearest of `known`, if it is near enough to be meant.
pub fn meant<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let nearest = nearest_first(name, known).first().copied()?;
    (distance(name, nearest) <= 1 + name.chars().count() / 4).then_some(nearest)
}

/// How many characters must be put in, taken out or replaced to get from one to the other. Names longer
/// than 64 characters are cut there.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().take(64).collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.chars().take(64).enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, b) in other.iter().enumerate() {
            let replaced = diagonal + usize::from(a != *b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        for (one, other, steps) in
            [("", "abc", 3), ("abc", "abc", 0), ("test", "tests", 1), ("kitten", "sitting", 3)]
        {
            assert_eq!(distance(one, other), steps);
            assert_eq!(distance(other, one), steps);
        }
        assert_eq!(nearest_first("tset", ["docs", "test", "x"]), ["test", "docs", "x"]);
        assert_eq!(meant("tests", ["docs", "test"]), Some("test"));
        assert_eq!(meant("zzz", ["docs", "test"]), None);
    }
}

use super::*;

fn version(text: &str) -> Version {
    text.parse().unwrap()
}

fn specifiers(text: &str) -> Specifiers {
    text.parse().unwrap()
}

/// The truth table of PyPA `packaging`: its versions, and its lines of specifier and bits.
fn truth() -> (Vec<Version>, Vec<(&'static str, &'static str)>) {
    let table = include_str!("../../../testdata/spec/specifiers.txt");
    let mut lines = table.lines().filter(|line| !line.starts_with('#'));
    let versions = lines.next().unwrap().split(' ').map(version).collect();
    (versions, lines.map(|line| line.split_once(' ').unwrap()).collect())
}

#[test]
fn matching_is_what_packaging_says() {
    let (versions, rows) = truth();
    let mut wrong = Vec::new();
    for (text, bits) in &rows {
        let specifiers = specifiers(text);
        for (version, bit) in versions.iter().zip(bits.chars()) {
            if specifiers.contains(version) != (bit == '1') {
                wrong.push(format!("{text} {version}: packaging says {bit}"));
            }
        }
        assert_eq!(bits.len(), versions.len(), "{text}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(rows.len() * versions.len() > 8000);
}

#[test]
fn versions_are_ordered_as_packaging_orders_them() {
    let (versions, _) = truth();
    assert!(versions.is_sorted());
    assert!(versions.windows(2).filter(|pair| pair[0] < pair[1]).count() > 60);
}

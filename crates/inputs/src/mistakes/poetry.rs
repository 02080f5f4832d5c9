//! Poetry's version constraints (`^1.2`, `~1.2`, `*`) -> PyPA version specifiers.

/// The specifiers for a value in Poetry's tables.
pub(super) fn comparison(value: &str) -> String {
    let value = value.trim();
    let ranged = ["^", "~"].into_iter().find_map(|operator| range(operator, value.strip_prefix(operator)?));
    match ranged {
        Some(range) => range,
        None if value == "*" => String::new(),
        None if value.starts_with(|c: char| c.is_ascii_digit()) => format!("=={value}"),
        None => value.to_owned(),
    }
}

/// `^` or `~` and a version as a range: at least the version, and less than the version with one of its
/// parts raised.
pub(super) fn range(operator: &str, version: &str) -> Option<String> {
    let version = version.trim();
    let parts: Vec<u64> = version.split('.').map(|part| part.parse().ok()).collect::<Option<_>>()?;
    let raised = if operator == "^" {
        // The first part that is not zero may not change.
        parts.iter().position(|part| *part != 0).unwrap_or(parts.len() - 1)
    } else {
        // The second part may not change, or the first, if it is alone.
        usize::from(parts.len() > 1)
    };
    let mut upper: Vec<String> = parts[..raised].iter().map(u64::to_string).collect();
    upper.push(parts[raised].checked_add(1)?.to_string());
    Some(format!(">={version},<{}", upper.join(".")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn caret_and_tilde_become_ranges() {
        for (value, meant) in [
            ("^1.2.3", ">=1.2.3,<2"),
            ("^1", ">=1,<2"),
            ("^0.2.3", ">=0.2.3,<0.3"),
            ("^0.0.3", ">=0.0.3,<0.0.4"),
            ("^0.0", ">=0.0,<0.1"),
            ("^0", ">=0,<1"),
            ("~1.2.3", ">=1.2.3,<1.3"),
            ("~1.2", ">=1.2,<1.3"),
            ("~1", ">=1,<2"),
            ("~=1.2", "~=1.2"),
            ("1.2", "==1.2"),
            ("*", ""),
            (">=1,<2", ">=1,<2"),
        ] {
            assert_eq!(comparison(value), meant, "{value}");
        }
    }
}

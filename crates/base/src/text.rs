//! Lists and wrapped lines for messages.

/// `a`, `a and b`, `a, b and c`
pub fn join_with_and<T: ToString>(items: impl IntoIterator<Item = T>) -> String {
    let texts: Vec<String> = items.into_iter().map(|item| item.to_string()).collect();
    match texts.as_slice() {
        [first @ .., last] if !first.is_empty() => format!("{} and {last}", first.join(", ")),
        texts => texts.concat(),
    }
}

/// The first `most` of `all`, then `N more` if there are more.
pub fn first_few(mut all: Vec<String>, most: usize) -> Vec<String> {
    let more = all.len().saturating_sub(most);
    all.truncate(most);
    all.extend((more > 0).then(|| format!("{more} more")));
    all
}

/// `text` in lines of at most `width` characters, the first one after `first`, the others after `rest`. Lines break only at
/// spaces outside of backquotes, so a quoted line of the user stays whole.
pub fn wrap(text: &str, first: &str, rest: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = first.to_owned();
    let mut is_empty = true;
    for word in words(text) {
        let length = line.chars().count() + usize::from(!is_empty) + word.chars().count();
        if !is_empty && length > width {
            lines.push(std::mem::replace(&mut line, rest.to_owned()));
            is_empty = true;
        }
        if !is_empty {
            line.push(' ');
        }
        line.push_str(word);
        is_empty = false;
    }
    lines.push(line);
    lines
}

/// The characters with which a version bound begins.
const BOUNDS: [char; 5] = ['<', '>', '=', '!', '~'];

/// The words of `text`. A text in backquotes is one word, and so is a name with the bound after it.
fn words(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let (mut start, mut quoted) = (0, false);
    for (at, c) in text.char_indices() {
        quoted ^= c == '`';
        if c == ' ' && !quoted && !text[at + 1..].starts_with(BOUNDS) {
            words.push(&text[start..at]);
            start = at + 1;
        }
    }
    words.push(&text[start..]);
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::wrap;

    #[test]
    fn lines_break_at_spaces_outside_of_backquotes() {
        let text = "it needs `google-auth >= 2.47.0 ; python_version > '3.8'`, says pip";
        let lines = wrap(text, "- ", "  ", 30);
        assert_eq!(
            lines,
            ["- it needs", "  `google-auth >= 2.47.0 ; python_version > '3.8'`,", "  says pip"]
        );
        assert_eq!(wrap("a b", "", "", 80), ["a b"]);
        assert_eq!(wrap("of Python >=3.11", "", "", 12), ["of", "Python >=3.11"]);
        assert_eq!(wrap("averylongword", "> ", "", 4), ["> averylongword"]);
    }
}

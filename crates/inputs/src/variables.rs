//! `${VARIABLE}`, expanded as by pip: only this form, only names of `A-Z0-9_`, only if the variable has a value.

use super::source::SourceChar;

/// A byte that the name of a variable may have.
fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_'
}

/// A text with its variables filled in.
pub(super) struct ExpandedText {
    /// The characters; those of a value stand for the whole `${NAME}`.
    pub(super) chars: Vec<SourceChar>,
    /// Whether a value was filled in: it may be a secret, so no message quotes `chars`.
    pub(super) filled_in: bool,
    /// The variables that have no value, so that they stay as they are.
    pub(super) unset: Vec<String>,
}

/// Fills in the variables of `raw`.
pub(super) fn expand(raw: &[SourceChar], variable: &dyn Fn(&str) -> Option<String>) -> ExpandedText {
    let mut out = ExpandedText { chars: Vec::with_capacity(raw.len()), filled_in: false, unset: Vec::new() };
    let mut rest = raw;
    while let [first, tail @ ..] = rest {
        let Some(name) = variable_name(rest) else {
            out.chars.push(*first);
            rest = tail;
            continue;
        };
        let (whole, behind) = rest.split_at(name.len() + "${}".len());
        match variable(&name).filter(|value| !value.is_empty()) {
            Some(value) => {
                let end = whole[whole.len() - 1].end;
                out.chars.extend(value.chars().map(|ch| SourceChar { ch, start: first.start, end }));
                out.filled_in = true;
            }
            None => {
                out.chars.extend(whole);
                out.unset.push(name);
            }
        }
        rest = behind;
    }
    out
}

/// The name, if `${NAME}` stands at the start.
fn variable_name(chars: &[SourceChar]) -> Option<String> {
    let [SourceChar { ch: '$', .. }, SourceChar { ch: '{', .. }, rest @ ..] = chars else { return None };
    let is_name = |char: &&SourceChar| u8::try_from(char.ch).is_ok_and(is_name_byte);
    let name: String = rest.iter().take_while(is_name).map(|char| char.ch).collect();
    let closed = rest.get(name.len()).is_some_and(|char| char.ch == '}');
    (closed && !name.is_empty()).then_some(name)
}

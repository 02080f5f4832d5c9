//! `${VARIABLE}`, as pip expands it: only this form, only names of `A-Z0-9_`, only where there is a value.

use super::InputFiles;
use super::source::Placed;

/// A byte that the name of a variable may have.
pub(super) fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_'
}

/// A text with its variables filled in.
pub(super) struct Expanded {
    /// The characters; those of a value stand for the whole `${NAME}`.
    pub(super) chars: Vec<Placed>,
    /// Whether anything was filled in: then no part of `chars` may be shown.
    pub(super) secret: bool,
    /// The variables that have no value, so that they stay as they are.
    pub(super) unset: Vec<String>,
}

/// Fills in the variables of `raw`.
pub(super) fn expand(raw: &[Placed], files: &dyn InputFiles) -> Expanded {
    let mut out = Expanded { chars: Vec::with_capacity(raw.len()), secret: false, unset: Vec::new() };
    let mut rest = raw;
    while let [first, tail @ ..] = rest {
        let Some(name) = variable(rest) else {
            out.chars.push(*first);
            rest = tail;
            continue;
        };
        let (whole, behind) = rest.split_at(name.len() + "${}".len());
        match files.variable(&name).filter(|value| !value.is_empty()) {
            Some(value) => {
                let end = whole[whole.len() - 1].end;
                out.chars.extend(value.chars().map(|ch| Placed { ch, start: first.start, end }));
                out.secret = true;
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
fn variable(chars: &[Placed]) -> Option<String> {
    let [Placed { ch: '$', .. }, Placed { ch: '{', .. }, rest @ ..] = chars else { return None };
    let is_name = |placed: &&Placed| u8::try_from(placed.ch).is_ok_and(is_name_byte);
    let name: String = rest.iter().take_while(is_name).map(|placed| placed.ch).collect();
    let closed = rest.get(name.len()).is_some_and(|placed| placed.ch == '}');
    (closed && !name.is_empty()).then_some(name)
}

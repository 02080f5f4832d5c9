//! The options of a requirements file: which there are, and how a line is cut into them.

use super::problem::Finding;
use super::source::{Placed, text_of};
use pinfast_base::suggest;

/// What an option is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flag {
    Requirement,
    Constraint,
    IndexUrl,
    ExtraIndexUrl,
    FindLinks,
    NoIndex,
    NoBinary,
    OnlyBinary,
    Pre,
    RequireHashes,
    Hash,
    Editable,
    /// Means nothing here; why.
    Ignored(&'static str),
}

/// Whether an option takes a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Takes {
    Nothing,
    /// A value of this kind.
    A(&'static str),
}

struct Known {
    names: &'static [&'static str],
    flag: Flag,
    takes: Takes,
}

const fn known(names: &'static [&'static str], flag: Flag, takes: Takes) -> Known {
    Known { names, flag, takes }
}

const BUILD: Flag = Flag::Ignored("no options are passed to builds");

/// Every option that pip takes in a requirements file.
static KNOWN: &[Known] = &[
    known(&["-r", "--requirement"], Flag::Requirement, Takes::A("a file")),
    known(&["-c", "--constraint"], Flag::Constraint, Takes::A("a file")),
    known(&["-e", "--editable"], Flag::Editable, Takes::A("a folder")),
    known(&["-i", "--index-url", "--pypi-url"], Flag::IndexUrl, Takes::A("a URL")),
    known(&["--extra-index-url"], Flag::ExtraIndexUrl, Takes::A("a URL")),
    known(&["-f", "--find-links"], Flag::FindLinks, Takes::A("a URL or a folder")),
    known(&["--no-index"], Flag::NoIndex, Takes::Nothing),
    known(&["--no-binary"], Flag::NoBinary, Takes::A("names or `:all:`")),
    known(&["--only-binary"], Flag::OnlyBinary, Takes::A("names or `:all:`")),
    known(&["--pre"], Flag::Pre, Takes::Nothing),
    known(&["--require-hashes"], Flag::RequireHashes, Takes::Nothing),
    known(&["--hash"], Flag::Hash, Takes::A("`sha256:` and 64 hexadecimal digits")),
    known(
        &["--prefer-binary"],
        Flag::Ignored("the newest release that fits is taken, wheel or not; see `--only-binary`"),
        Takes::Nothing,
    ),
    known(&["--trusted-host"], Flag::Ignored("certificates are always checked"), Takes::A("a host")),
    known(
        &["--use-feature"],
        Flag::Ignored("it turns on a feature of pip's own"),
        Takes::A("a feature of pip"),
    ),
    known(&["--config-settings", "--config-setting", "-C"], BUILD, Takes::A("KEY=VALUE")),
    known(&["--global-option"], BUILD, Takes::A("an option")),
    known(&["--install-option"], BUILD, Takes::A("an option")),
];

/// An option as it stands in a line.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) flag: Flag,
    /// Its name as written.
    pub(super) name: String,
    /// Its value; empty if it takes none.
    pub(super) value: Vec<Placed>,
    /// Its characters in the line, from its name to the end of its value.
    pub(super) start: usize,
    pub(super) end: usize,
}

/// A word of a line, quotes and escapes taken off.
struct Word {
    chars: Vec<Placed>,
    start: usize,
    end: usize,
}

/// Where the options of a line start: at the first word that begins with `-`.
pub(super) fn start(chars: &[Placed]) -> usize {
    (0..chars.len())
        .find(|&at| chars[at].ch == '-' && (at == 0 || chars[at - 1].ch.is_whitespace()))
        .unwrap_or(chars.len())
}

/// Cuts `chars[from..]` into options.
///
/// # Errors
/// An option that is unknown, lacks its value or has one too many, at its place in `chars`.
pub(super) fn parse(chars: &[Placed], from: usize) -> Result<Vec<Found>, Finding> {
    let mut words = words(chars, from)?.into_iter();
    let mut found = Vec::new();
    while let Some(word) = words.next() {
        let (option, joined) = recognise(&word)?;
        let mut end = word.end;
        let value = match (option.takes, joined) {
            (Takes::Nothing, None) => Vec::new(),
            (Takes::Nothing, Some(at)) => return Err(no_value(&word, at)),
            (Takes::A(_), Some(at)) => word.chars[at..].to_vec(),
            (Takes::A(what), None) => {
                let next = words.next().ok_or_else(|| lacks_value(&word, what))?;
                end = next.end;
                next.chars
            }
        };
        if let (Takes::A(what), true) = (option.takes, value.is_empty()) {
            return Err(lacks_value(&word, what));
        }
        let name = name_of(&word);
        found.push(Found { flag: option.flag, name, value, start: word.start, end });
    }
    Ok(found)
}

/// The option that a word is or starts with, and where in the word its value starts.
fn recognise(word: &Word) -> Result<(&'static Known, Option<usize>), Finding> {
    let text = text_of(&word.chars);
    if !text.starts_with('-') {
        return Err(left_over(word));
    }
    let (name, joined) = match text.split_once('=') {
        Some((name, _)) if text.starts_with("--") => (name, Some(name.chars().count() + 1)),
        _ => (text.as_str(), None),
    };
    if let Some(option) = KNOWN.iter().find(|option| option.names.contains(&name)) {
        return Ok((option, joined));
    }
    let short = KNOWN.iter().find(|option| {
        option
            .names
            .iter()
            .any(|short| short.len() == 2 && !text.starts_with("--") && text.starts_with(short))
    });
    short.map(|option| (option, Some(2))).ok_or_else(|| unknown(word, name))
}

fn name_of(word: &Word) -> String {
    let text = text_of(&word.chars);
    if text.starts_with("--") {
        text.split('=').next().unwrap_or_default().to_owned()
    } else {
        text.chars().take(2).collect()
    }
}

fn unknown(word: &Word, name: &str) -> Finding {
    let finding = Finding::new(word.start, word.end - word.start, "this is no option of a requirements file");
    if matches!(name, "-" | "--" | "—") {
        return finding.hint("write one requirement a line, with nothing before it");
    }
    let names = || KNOWN.iter().flat_map(|option| option.names.iter().copied());
    let longer = (name.len() > 3).then(|| names().find(|known| known.starts_with(name))).flatten();
    match longer.or_else(|| suggest::closest(name, names())) {
        Some(meant) => finding.hint(format!("did you mean `{meant}`?")),
        None => finding,
    }
}

fn left_over(word: &Word) -> Finding {
    Finding::new(word.start, word.end - word.start, "expected an option")
        .hint("write one requirement a line, and quote a value that holds spaces")
}

fn lacks_value(word: &Word, what: &str) -> Finding {
    let name = name_of(word);
    Finding::new(word.end, 1, format!("expected {what} after `{name}`"))
}

fn no_value(word: &Word, at: usize) -> Finding {
    let name = name_of(word);
    Finding::new(
        word.start + at,
        word.end.saturating_sub(word.start + at),
        format!("`{name}` takes no value"),
    )
}

/// Cuts into words as a shell does: white space parts them, unless quoted or escaped.
fn words(chars: &[Placed], from: usize) -> Result<Vec<Word>, Finding> {
    let mut words = Vec::new();
    let mut at = from;
    while at < chars.len() {
        if chars[at].ch.is_whitespace() {
            at += 1;
            continue;
        }
        let word = word(chars, at)?;
        at = word.end;
        words.push(word);
    }
    Ok(words)
}

fn word(chars: &[Placed], start: usize) -> Result<Word, Finding> {
    let mut word = Word { chars: Vec::new(), start, end: start };
    let mut quote: Option<(char, usize)> = None;
    while let Some(placed) = chars.get(word.end) {
        let next = chars.get(word.end + 1);
        match (placed.ch, quote, next) {
            (ch, None, _) if ch.is_whitespace() => return Ok(word),
            (ch @ ('"' | '\''), None, _) => quote = Some((ch, word.end)),
            (ch, Some((open, _)), _) if ch == open => quote = None,
            ('\\', None, Some(next)) => {
                word.chars.push(*next);
                word.end += 1;
            }
            ('\\', Some(('"', _)), Some(next)) if matches!(next.ch, '"' | '\\') => {
                word.chars.push(*next);
                word.end += 1;
            }
            _ => word.chars.push(*placed),
        }
        word.end += 1;
    }
    match quote {
        None => Ok(word),
        Some((open, at)) => Err(Finding::new(at, 1, format!("this `{open}` is not closed"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Source;

    fn parsed(text: &str) -> Result<Vec<(Flag, String)>, String> {
        let source = Source::new("f", text.to_owned());
        let chars: Vec<_> = source.chars(0..text.len()).collect();
        let from = start(&chars);
        parse(&chars, from)
            .map(|all| all.iter().map(|found| (found.flag, text_of(&found.value))).collect())
            .map_err(|finding| format!("{}+{} {}", finding.start, finding.len, finding.message))
    }

    #[test]
    fn options_are_cut_as_pip_cuts_them() {
        for (text, flag, value) in [
            ("-r base.in", Flag::Requirement, "base.in"),
            ("-rbase.in", Flag::Requirement, "base.in"),
            ("--requirement=base.in", Flag::Requirement, "base.in"),
            ("--requirement base.in", Flag::Requirement, "base.in"),
            ("-c  'my file.in'", Flag::Constraint, "my file.in"),
            ("-f \"a \\\"b\"", Flag::FindLinks, "a \"b"),
            ("-f a\\ b", Flag::FindLinks, "a b"),
            ("--pre", Flag::Pre, ""),
            ("name --hash=sha256:00", Flag::Hash, "sha256:00"),
            ("name --hash  sha256:00", Flag::Hash, "sha256:00"),
        ] {
            assert_eq!(parsed(text), Ok(vec![(flag, value.to_owned())]), "{text}");
        }
        assert_eq!(
            parsed("-i https://a.example/ --no-index"),
            Ok(vec![(Flag::IndexUrl, "https://a.example/".to_owned()), (Flag::NoIndex, String::new())])
        );
    }

    #[test]
    fn wrong_options_are_told_at_their_place() {
        for (text, error) in [
            ("-r", "2+1 expected a file after `-r`"),
            ("--requirement=", "14+1 expected a file after `--requirement`"),
            ("--pre=yes", "6+3 `--pre` takes no value"),
            ("--pre foo", "6+3 expected an option"),
            ("--per", "0+5 this is no option of a requirements file"),
            ("-f 'a b", "3+1 this `'` is not closed"),
            ("- foo", "0+1 this is no option of a requirements file"),
        ] {
            assert_eq!(parsed(text), Err(error.to_owned()), "{text}");
        }
    }
}

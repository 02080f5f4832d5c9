//! The options of a requirements file: a table of them, and how pip splits a line into them (`shlex`, then `optparse`).

use super::diagnostic::Diagnostic;
use super::source::{SourceChar, text_of};
use pinfast_base::suggest;

/// The options by what they do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OptionKind {
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
    /// It has no effect here, and why.
    Ignored(&'static str),
}

/// Whether an option takes a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum OptionArgument {
    None,
    /// A value of this kind.
    Required(&'static str),
}

struct OptionSpec {
    names: &'static [&'static str],
    kind: OptionKind,
    value: OptionArgument,
}

const fn option(names: &'static [&'static str], kind: OptionKind, value: OptionArgument) -> OptionSpec {
    OptionSpec { names, kind, value }
}

const BUILD: OptionKind = OptionKind::Ignored("no options are passed to builds");

/// Every option that pip takes in a requirements file.
static OPTIONS: &[OptionSpec] = &[
    option(&["-r", "--requirement"], OptionKind::Requirement, OptionArgument::Required("a file")),
    option(&["-c", "--constraint"], OptionKind::Constraint, OptionArgument::Required("a file")),
    option(&["-e", "--editable"], OptionKind::Editable, OptionArgument::Required("a folder")),
    option(&["-i", "--index-url", "--pypi-url"], OptionKind::IndexUrl, OptionArgument::Required("a URL")),
    option(&["--extra-index-url"], OptionKind::ExtraIndexUrl, OptionArgument::Required("a URL")),
    option(&["-f", "--find-links"], OptionKind::FindLinks, OptionArgument::Required("a URL or a folder")),
    option(&["--no-index"], OptionKind::NoIndex, OptionArgument::None),
    option(&["--no-binary"], OptionKind::NoBinary, OptionArgument::Required("names or `:all:`")),
    option(&["--only-binary"], OptionKind::OnlyBinary, OptionArgument::Required("names or `:all:`")),
    option(&["--pre"], OptionKind::Pre, OptionArgument::None),
    option(&["--require-hashes"], OptionKind::RequireHashes, OptionArgument::None),
    option(&["--hash"], OptionKind::Hash, OptionArgument::Required("`sha256:` and 64 hexadecimal digits")),
    option(
        &["--prefer-binary"],
        OptionKind::Ignored("the newest release that fits is taken, wheel or not; see `--only-binary`"),
        OptionArgument::None,
    ),
    option(
        &["--trusted-host"],
        OptionKind::Ignored("certificates are always checked"),
        OptionArgument::Required("a host"),
    ),
    option(
        &["--use-feature"],
        OptionKind::Ignored("it turns on a feature of pip's own"),
        OptionArgument::Required("a feature of pip"),
    ),
    option(&["--config-settings", "--config-setting", "-C"], BUILD, OptionArgument::Required("KEY=VALUE")),
    option(&["--global-option"], BUILD, OptionArgument::Required("an option")),
    option(&["--install-option"], BUILD, OptionArgument::Required("an option")),
];

/// An option as it stands in a line.
#[derive(Debug)]
pub(super) struct ParsedOption {
    pub(super) kind: OptionKind,
    /// Its name as written.
    pub(super) name: String,
    /// Its value; empty if it takes none.
    pub(super) value: Vec<SourceChar>,
    /// Its characters in the line, from its name to the end of its value.
    pub(super) start: usize,
    pub(super) end: usize,
}

/// A word of a line, without quotes and escapes.
struct ShellWord {
    chars: Vec<SourceChar>,
    start: usize,
    end: usize,
}

/// Where the options of a line start: at the first word that begins with `-`.
pub(super) fn start(chars: &[SourceChar]) -> usize {
    (0..chars.len())
        .find(|&at| chars[at].ch == '-' && (at == 0 || chars[at - 1].ch.is_whitespace()))
        .unwrap_or(chars.len())
}

/// Parses `chars[from..]` as options.
///
/// # Errors
/// An option that is unknown, lacks its value or has one too many, at its place in `chars`.
pub(super) fn parse(chars: &[SourceChar], from: usize) -> Result<Vec<ParsedOption>, Diagnostic> {
    let mut words = words(chars, from)?.into_iter();
    let mut options = Vec::new();
    while let Some(word) = words.next() {
        let (option, joined) = find_option(&word)?;
        let mut end = word.end;
        let value = match (option.value, joined) {
            (OptionArgument::None, None) => Vec::new(),
            (OptionArgument::None, Some(at)) => return Err(no_value(&word, at)),
            (OptionArgument::Required(_), Some(at)) => word.chars[at..].to_vec(),
            (OptionArgument::Required(what), None) => {
                let next = words.next().ok_or_else(|| lacks_value(&word, what))?;
                end = next.end;
                next.chars
            }
        };
        if let (OptionArgument::Required(what), true) = (option.value, value.is_empty()) {
            return Err(lacks_value(&word, what));
        }
        let name = name_of(&word);
        options.push(ParsedOption { kind: option.kind, name, value, start: word.start, end });
    }
    Ok(options)
}

/// The option that a word is or starts with, and where in the word its value starts.
fn find_option(word: &ShellWord) -> Result<(&'static OptionSpec, Option<usize>), Diagnostic> {
    let text = text_of(&word.chars);
    if !text.starts_with('-') {
        return Err(left_over(word));
    }
    let (name, joined) = match text.split_once('=') {
        Some((name, _)) if text.starts_with("--") => (name, Some(name.chars().count() + 1)),
        _ => (text.as_str(), None),
    };
    if let Some(option) = OPTIONS.iter().find(|option| option.names.contains(&name)) {
        return Ok((option, joined));
    }
    let short = OPTIONS.iter().find(|option| {
        option
            .names
            .iter()
            .any(|short| short.len() == 2 && !text.starts_with("--") && text.starts_with(short))
    });
    short.map(|option| (option, Some(2))).ok_or_else(|| unknown(word, name))
}

fn name_of(word: &ShellWord) -> String {
    let text = text_of(&word.chars);
    if text.starts_with("--") {
        text.split('=').next().unwrap_or_default().to_owned()
    } else {
        text.chars().take(2).collect()
    }
}

fn unknown(word: &ShellWord, name: &str) -> Diagnostic {
    let diagnostic =
        Diagnostic::new(word.start, word.end - word.start, "this is no option of a requirements file");
    if matches!(name, "-" | "--" | "—") {
        return diagnostic.hint("write one requirement a line, with nothing before it");
    }
    let names = || OPTIONS.iter().flat_map(|option| option.names.iter().copied());
    let longer = (name.len() > 3).then(|| names().find(|known| known.starts_with(name))).flatten();
    match longer.or_else(|| suggest::closest(name, names())) {
        Some(meant) => diagnostic.hint(format!("did you mean `{meant}`?")),
        None => diagnostic,
    }
}

fn left_over(word: &ShellWord) -> Diagnostic {
    Diagnostic::new(word.start, word.end - word.start, "expected an option")
        .hint("write one requirement a line, and quote a value that holds spaces")
}

fn lacks_value(word: &ShellWord, what: &str) -> Diagnostic {
    let name = name_of(word);
    Diagnostic::new(word.end, 1, format!("expected {what} after `{name}`"))
}

fn no_value(word: &ShellWord, at: usize) -> Diagnostic {
    let name = name_of(word);
    Diagnostic::new(
        word.start + at,
        word.end.saturating_sub(word.start + at),
        format!("`{name}` takes no value"),
    )
}

/// Splits into words as a POSIX shell does: at white space that is neither quoted nor escaped.
fn words(chars: &[SourceChar], from: usize) -> Result<Vec<ShellWord>, Diagnostic> {
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

fn word(chars: &[SourceChar], start: usize) -> Result<ShellWord, Diagnostic> {
    let mut word = ShellWord { chars: Vec::new(), start, end: start };
    let mut quote: Option<(char, usize)> = None;
    while let Some(char) = chars.get(word.end) {
        let next = chars.get(word.end + 1);
        match (char.ch, quote, next) {
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
            _ => word.chars.push(*char),
        }
        word.end += 1;
    }
    match quote {
        None => Ok(word),
        Some((open, at)) => Err(Diagnostic::new(at, 1, format!("this `{open}` is not closed"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::InputText;

    fn parsed(text: &str) -> Result<Vec<(OptionKind, String)>, String> {
        let source = InputText::new("f", text.to_owned());
        let chars: Vec<_> = source.chars(0..text.len()).collect();
        let from = start(&chars);
        parse(&chars, from)
            .map(|all| all.iter().map(|found| (found.kind, text_of(&found.value))).collect())
            .map_err(|diagnostic| format!("{}+{} {}", diagnostic.start, diagnostic.len, diagnostic.message))
    }

    #[test]
    fn options_are_split_as_pip_splits_them() {
        for (text, kind, value) in [
            ("-r base.in", OptionKind::Requirement, "base.in"),
            ("-rbase.in", OptionKind::Requirement, "base.in"),
            ("--requirement=base.in", OptionKind::Requirement, "base.in"),
            ("--requirement base.in", OptionKind::Requirement, "base.in"),
            ("-c  'my file.in'", OptionKind::Constraint, "my file.in"),
            ("-f \"a \\\"b\"", OptionKind::FindLinks, "a \"b"),
            ("-f a\\ b", OptionKind::FindLinks, "a b"),
            ("--pre", OptionKind::Pre, ""),
            ("name --hash=sha256:00", OptionKind::Hash, "sha256:00"),
            ("name --hash  sha256:00", OptionKind::Hash, "sha256:00"),
        ] {
            assert_eq!(parsed(text), Ok(vec![(kind, value.to_owned())]), "{text}");
        }
        assert_eq!(
            parsed("-i https://a.example/ --no-index"),
            Ok(vec![
                (OptionKind::IndexUrl, "https://a.example/".to_owned()),
                (OptionKind::NoIndex, String::new())
            ])
        );
    }

    #[test]
    fn a_wrong_option_is_an_error_at_its_place() {
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

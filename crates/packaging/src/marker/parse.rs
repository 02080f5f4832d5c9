//! The grammar of markers, with errors that say what was expected and where.

use super::expression::{Expression, Key, Relation, Test};
use crate::{RequirementError, SpecifierSet, excerpt};

/// Parentheses may be nested so deep; the limit on nesting is part of the contract.
const DEEPEST: usize = 128;
/// A marker may have so many comparisons; real ones have some dozens.
const MOST_TESTS: usize = 512;

/// Reads a marker; the second part is what cannot be evaluated, as sentences.
pub(super) fn parse(text: &str) -> Result<(Expression, Vec<String>), RequirementError> {
    let mut parser = Parser { text, at: 0, depth: 0, tests: 0, warnings: Vec::new() };
    let expression = parser.alternatives()?;
    if let Some(odd) = parser.peek() {
        let len = odd.len();
        return Err(parser.error(len, "expected `and`, `or` or the end of the marker"));
    }
    if super::tree::is_too_complex(&expression) {
        parser.at = 0;
        return Err(parser.error(text.len(), "the marker combines too many comparisons"));
    }
    Ok((expression, parser.warnings))
}

struct Parser<'a> {
    text: &'a str,
    /// The byte from which on nothing is read yet.
    at: usize,
    depth: usize,
    tests: usize,
    warnings: Vec<String>,
}

/// One side of a comparison.
#[derive(Clone, Copy)]
enum Operand<'a> {
    Key(Key),
    /// `extra`
    Extra,
    /// `extras` (PEP 751)
    Extras,
    /// `dependency_groups` (PEP 751)
    Groups,
    Text(&'a str),
}

#[derive(Clone, Copy, PartialEq)]
enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Compatible,
    Arbitrary,
    In,
    NotIn,
}

impl<'a> Parser<'a> {
    /// `and`s joined by `or`
    fn alternatives(&mut self) -> Result<Expression, RequirementError> {
        let mut parts = vec![self.conjunction()?];
        while self.take_word("or") {
            parts.push(self.conjunction()?);
        }
        Ok(alone_or(parts, Expression::Any))
    }

    /// comparisons joined by `and`
    fn conjunction(&mut self) -> Result<Expression, RequirementError> {
        let mut parts = vec![self.comparison_or_group()?];
        while self.take_word("and") {
            parts.push(self.comparison_or_group()?);
        }
        Ok(alone_or(parts, Expression::All))
    }

    fn comparison_or_group(&mut self) -> Result<Expression, RequirementError> {
        if self.peek() != Some("(") {
            return self.comparison().map(Expression::Test);
        }
        if self.depth == DEEPEST {
            return Err(self.error(1, "parentheses are nested too deep"));
        }
        let open = self.at;
        self.at += 1;
        self.depth += 1;
        let inner = self.alternatives()?;
        self.depth -= 1;
        match self.peek() {
            Some(")") => self.at += 1,
            Some(odd) => {
                let len = odd.len();
                return Err(self.error(len, "expected `and`, `or` or `)`"));
            }
            None => {
                self.at = open;
                return Err(self.error(1, "this `(` is not closed"));
            }
        }
        Ok(inner)
    }

    fn comparison(&mut self) -> Result<Test, RequirementError> {
        self.skip_space();
        let start = self.at;
        if self.tests == MOST_TESTS {
            return Err(self.error(1, "the marker has too many comparisons"));
        }
        self.tests += 1;
        let left = self.operand()?;
        let operator = self.operator()?;
        let right = self.operand()?;
        let text = &self.text[start..self.at];
        Ok(compare(left, operator, right).unwrap_or_else(|why| {
            self.warnings.push(format!("`{}` is taken as false: {why}", excerpt(text, 100)));
            Test::Never
        }))
    }

    fn operand(&mut self) -> Result<Operand<'a>, RequirementError> {
        let Some(token) = self.peek() else {
            return Err(self.error(1, "expected an environment marker or a text in quotes, found the end"));
        };
        if token.starts_with(['\'', '"']) {
            let Some(text) = token[1..].strip_suffix(&token[..1]) else {
                let len = token.len();
                return Err(self.error(len, "the quote is not closed"));
            };
            self.at += token.len();
            return Ok(Operand::Text(text));
        }
        let Some(operand) = named(token) else {
            let message = format!(
                "expected an environment marker such as `python_version`, or a text in quotes, found `{}`",
                excerpt(token, 40)
            );
            return Err(self.error(token.len(), &message));
        };
        self.at += token.len();
        Ok(operand)
    }

    fn operator(&mut self) -> Result<Operator, RequirementError> {
        let token = self.peek().unwrap_or_default();
        let operator = match token {
            "==" => Operator::Equal,
            "!=" => Operator::NotEqual,
            "<" => Operator::Less,
            "<=" => Operator::LessOrEqual,
            ">" => Operator::Greater,
            ">=" => Operator::GreaterOrEqual,
            "~=" => Operator::Compatible,
            "===" => Operator::Arbitrary,
            "in" => Operator::In,
            "not" => {
                self.at += token.len();
                if !self.take_word("in") {
                    return Err(self.error(1, "expected `in` after `not`"));
                }
                return Ok(Operator::NotIn);
            }
            _ => {
                let message = format!(
                    "expected `==`, `!=`, `<`, `<=`, `>`, `>=`, `~=`, `in` or `not in`, found {}",
                    if token.is_empty() { "the end".to_owned() } else { format!("`{}`", excerpt(token, 40)) }
                );
                return Err(self.error(token.len(), &message));
            }
        };
        self.at += token.len();
        Ok(operator)
    }

    /// The next token, if there is one: a parenthesis, a text in quotes (whose closing one may be missing),
    /// a word, a run of operator characters, or one odd character.
    fn peek(&mut self) -> Option<&'a str> {
        self.skip_space();
        let rest = &self.text[self.at..];
        let first = rest.chars().next()?;
        let run = |belongs: fn(char) -> bool| rest.find(|c| !belongs(c)).unwrap_or(rest.len());
        let len = match first {
            '\'' | '"' => rest[1..].find(first).map_or(rest.len(), |end| end + 2),
            '<' | '>' | '=' | '!' | '~' => run(|c| matches!(c, '<' | '>' | '=' | '!' | '~')),
            c if is_word(c) => run(is_word),
            c => c.len_utf8(),
        };
        Some(&rest[..len])
    }

    /// Reads `word` if it is next.
    fn take_word(&mut self, word: &str) -> bool {
        let is_next = self.peek() == Some(word);
        if is_next {
            self.at += word.len();
        }
        is_next
    }

    fn skip_space(&mut self) {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start().len();
    }

    /// An error about the next `len` bytes.
    fn error(&self, len: usize, message: &str) -> RequirementError {
        RequirementError::at_bytes(self.text, self.at, len, message.to_owned())
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '.')
}

fn alone_or(mut parts: Vec<Expression>, join: fn(Vec<Expression>) -> Expression) -> Expression {
    match parts.len() {
        1 => parts.remove(0),
        _ => join(parts),
    }
}

/// The names of PEP 508, and those that came before (PEP 345) and after it.
fn named(word: &str) -> Option<Operand<'static>> {
    Some(Operand::Key(match word {
        "implementation_name" => Key::ImplementationName,
        "implementation_version" => Key::ImplementationVersion,
        "os_name" | "os.name" => Key::OsName,
        "platform_machine" | "platform.machine" => Key::PlatformMachine,
        "platform_python_implementation" | "platform.python_implementation" | "python_implementation" => {
            Key::PlatformPythonImplementation
        }
        "platform_release" => Key::PlatformRelease,
        "platform_system" => Key::PlatformSystem,
        "platform_version" | "platform.version" => Key::PlatformVersion,
        "python_full_version" => Key::PythonFullVersion,
        "python_version" => Key::PythonVersion,
        "sys_platform" | "sys.platform" => Key::SysPlatform,
        "extra" => return Some(Operand::Extra),
        "extras" => return Some(Operand::Extras),
        "dependency_groups" => return Some(Operand::Groups),
        _ => return None,
    }))
}

/// The test that a comparison comes to, or why it cannot be evaluated.
fn compare(left: Operand<'_>, operator: Operator, right: Operand<'_>) -> Result<Test, &'static str> {
    match (left, right) {
        (Operand::Key(key), Operand::Text(text)) => compare_key(key, operator, text),
        (Operand::Text(text), Operand::Key(key)) => compare_reversed(text, operator, key),
        (Operand::Extra, Operand::Text(text)) | (Operand::Text(text), Operand::Extra) => match operator {
            Operator::Equal => Ok(extra(text, true)),
            Operator::NotEqual => Ok(extra(text, false)),
            _ => Err("an extra is compared with `==` and `!=` only"),
        },
        (Operand::Text(text), Operand::Extras) => match operator {
            Operator::In => Ok(extra(text, true)),
            Operator::NotIn => Ok(extra(text, false)),
            _ => Err("`extras` goes only after `in` and `not in`"),
        },
        (Operand::Groups, _) | (_, Operand::Groups) => Err("dependency groups are not told apart here"),
        (Operand::Text(_), Operand::Text(_)) => Err("it compares two texts"),
        _ => Err("it compares two environment markers"),
    }
}

fn extra(text: &str, wanted: bool) -> Test {
    let name = crate::ExtraName::new(text).map_or(text.into(), |name| name.as_str().into());
    Test::Extra { name, wanted }
}

/// `key operator text`: by the rules of versions where the key is one and `operator text` is a
/// specifier, else as texts.
fn compare_key(key: Key, operator: Operator, text: &str) -> Result<Test, &'static str> {
    if key.is_version()
        && let Some(symbol) = operator.symbol()
        && let Ok(specifiers) = one_specifier(symbol, text)
    {
        return Ok(Test::Version(key, specifiers));
    }
    let test = |relation, wanted| Ok(Test::Text { key, relation, text: text.into(), wanted });
    match operator {
        Operator::Equal => test(Relation::Equal, true),
        Operator::Arbitrary if key.is_version() => test(Relation::Equal, true),
        Operator::NotEqual => test(Relation::Equal, false),
        Operator::In => test(Relation::In, true),
        Operator::NotIn => test(Relation::In, false),
        _ if key.is_version() => Err("it does not compare with a version"),
        // Texts have no order: what is left of `<=` and `>=` is the equality.
        Operator::LessOrEqual | Operator::GreaterOrEqual => test(Relation::Equal, true),
        Operator::Less | Operator::Greater => Err("texts have no order"),
        Operator::Compatible | Operator::Arbitrary => Err("only versions compare like that"),
    }
}

/// `text operator key`, which says the same as the comparison the other way round as long as neither
/// version is a pre-release.
fn compare_reversed(text: &str, operator: Operator, key: Key) -> Result<Test, &'static str> {
    let operator = match operator {
        Operator::In | Operator::NotIn => {
            let wanted = operator == Operator::In;
            return Ok(Test::Text { key, relation: Relation::Contains, text: text.into(), wanted });
        }
        Operator::Less => Operator::Greater,
        Operator::LessOrEqual => Operator::GreaterOrEqual,
        Operator::Greater => Operator::Less,
        Operator::GreaterOrEqual => Operator::LessOrEqual,
        Operator::Compatible => return Err("`~=` needs the version on its right"),
        same => same,
    };
    if key.is_version() && text.contains('*') {
        return Err("a version with `.*` goes only on the right");
    }
    compare_key(key, operator, text)
}

/// `symbol text` as a set of exactly one specifier, `text` being the version.
fn one_specifier(symbol: &str, text: &str) -> Result<SpecifierSet, ()> {
    if text.contains([',', '=']) || text.trim().is_empty() {
        return Err(());
    }
    format!("{symbol}{text}").parse().map_err(|_| ())
}

impl Operator {
    /// How version specifiers spell it; they have no `in`, and `===` compares texts.
    fn symbol(self) -> Option<&'static str> {
        Some(match self {
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::Compatible => "~=",
            Self::Arbitrary | Self::In | Self::NotIn => return None,
        })
    }
}

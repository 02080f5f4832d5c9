//! Marker text -> expression, by the grammar of PEP 508; errors name what was expected, and where.

use super::expression::{Comparison, Expression, MarkerVariable, TextRelation};
use crate::{RequirementError, SpecifierSet, excerpt};

/// The deepest nesting of parentheses; the contract with the users names it.
const MAX_DEPTH: usize = 128;
/// The most comparisons of a marker; real ones have some dozens.
const MAX_COMPARISONS: usize = 512;

/// Parses a marker; returns the comparisons that cannot be evaluated as sentences, too.
pub(super) fn parse(text: &str) -> Result<(Expression, Vec<String>), RequirementError> {
    let mut parser = MarkerParser { text, at: 0, depth: 0, comparisons: 0, warnings: Vec::new() };
    let expression = parser.alternatives()?;
    if let Some(odd) = parser.peek() {
        let len = odd.len();
        return Err(parser.error(len, "expected `and`, `or` or the end of the marker"));
    }
    if super::complexity::is_too_complex(&expression) {
        parser.at = 0;
        return Err(parser.error(text.len(), "the marker combines too many comparisons"));
    }
    Ok((expression, parser.warnings))
}

struct MarkerParser<'a> {
    text: &'a str,
    /// The offset of the next byte to parse.
    at: usize,
    depth: usize,
    comparisons: usize,
    warnings: Vec<String>,
}

/// One side of a comparison.
#[derive(Clone, Copy)]
enum Operand<'a> {
    MarkerVariable(MarkerVariable),
    /// `extra`
    Extra,
    /// `extras` (PEP 751)
    Extras,
    /// `dependency_groups` (PEP 751)
    Groups,
    Text(&'a str),
}

#[derive(Clone, Copy, PartialEq)]
enum ComparisonOperator {
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

impl<'a> MarkerParser<'a> {
    /// Conjunctions joined by `or`.
    fn alternatives(&mut self) -> Result<Expression, RequirementError> {
        let mut parts = vec![self.conjunction()?];
        while self.take_word("or") {
            parts.push(self.conjunction()?);
        }
        Ok(alone_or(parts, Expression::Any))
    }

    /// Comparisons and groups joined by `and`.
    fn conjunction(&mut self) -> Result<Expression, RequirementError> {
        let mut parts = vec![self.comparison_or_group()?];
        while self.take_word("and") {
            parts.push(self.comparison_or_group()?);
        }
        Ok(alone_or(parts, Expression::All))
    }

    fn comparison_or_group(&mut self) -> Result<Expression, RequirementError> {
        if self.peek() != Some("(") {
            return self.comparison().map(Expression::Comparison);
        }
        if self.depth == MAX_DEPTH {
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

    fn comparison(&mut self) -> Result<Comparison, RequirementError> {
        self.skip_space();
        let start = self.at;
        if self.comparisons == MAX_COMPARISONS {
            return Err(self.error(1, "the marker has too many comparisons"));
        }
        self.comparisons += 1;
        let left = self.operand()?;
        let operator = self.operator()?;
        let right = self.operand()?;
        let text = &self.text[start..self.at];
        Ok(compare(left, operator, right).unwrap_or_else(|why| {
            self.warnings.push(format!("`{}` is taken as false: {why}", excerpt(text, 100)));
            Comparison::Never
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

    fn operator(&mut self) -> Result<ComparisonOperator, RequirementError> {
        let token = self.peek().unwrap_or_default();
        let operator = match token {
            "==" => ComparisonOperator::Equal,
            "!=" => ComparisonOperator::NotEqual,
            "<" => ComparisonOperator::Less,
            "<=" => ComparisonOperator::LessOrEqual,
            ">" => ComparisonOperator::Greater,
            ">=" => ComparisonOperator::GreaterOrEqual,
            "~=" => ComparisonOperator::Compatible,
            "===" => ComparisonOperator::Arbitrary,
            "in" => ComparisonOperator::In,
            "not" => {
                self.at += token.len();
                if !self.take_word("in") {
                    return Err(self.error(1, "expected `in` after `not`"));
                }
                return Ok(ComparisonOperator::NotIn);
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

    /// Skips `word`, if it is next.
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

/// The variables of PEP 508 and PEP 751, with the old spellings of PEP 345.
fn named(word: &str) -> Option<Operand<'static>> {
    Some(Operand::MarkerVariable(match word {
        "implementation_name" => MarkerVariable::ImplementationName,
        "implementation_version" => MarkerVariable::ImplementationVersion,
        "os_name" | "os.name" => MarkerVariable::OsName,
        "platform_machine" | "platform.machine" => MarkerVariable::PlatformMachine,
        "platform_python_implementation" | "platform.python_implementation" | "python_implementation" => {
            MarkerVariable::PlatformPythonImplementation
        }
        "platform_release" => MarkerVariable::PlatformRelease,
        "platform_system" => MarkerVariable::PlatformSystem,
        "platform_version" | "platform.version" => MarkerVariable::PlatformVersion,
        "python_full_version" => MarkerVariable::PythonFullVersion,
        "python_version" => MarkerVariable::PythonVersion,
        "sys_platform" | "sys.platform" => MarkerVariable::SysPlatform,
        "extra" => return Some(Operand::Extra),
        "extras" => return Some(Operand::Extras),
        "dependency_groups" => return Some(Operand::Groups),
        _ => return None,
    }))
}

/// The comparison of two operands, or why it cannot be evaluated.
fn compare(
    left: Operand<'_>,
    operator: ComparisonOperator,
    right: Operand<'_>,
) -> Result<Comparison, &'static str> {
    match (left, right) {
        (Operand::MarkerVariable(key), Operand::Text(text)) => compare_key(key, operator, text),
        (Operand::Text(text), Operand::MarkerVariable(key)) => compare_reversed(text, operator, key),
        (Operand::Extra, Operand::Text(text)) | (Operand::Text(text), Operand::Extra) => match operator {
            ComparisonOperator::Equal => Ok(extra(text, true)),
            ComparisonOperator::NotEqual => Ok(extra(text, false)),
            _ => Err("an extra is compared with `==` and `!=` only"),
        },
        (Operand::Text(text), Operand::Extras) => match operator {
            ComparisonOperator::In => Ok(extra(text, true)),
            ComparisonOperator::NotIn => Ok(extra(text, false)),
            _ => Err("`extras` goes only after `in` and `not in`"),
        },
        (Operand::Groups, _) | (_, Operand::Groups) => Err("dependency groups are not told apart here"),
        (Operand::Text(_), Operand::Text(_)) => Err("it compares two texts"),
        _ => Err("it compares two environment markers"),
    }
}

fn extra(text: &str, wanted: bool) -> Comparison {
    let name = crate::ExtraName::new(text).map_or(text.into(), |name| name.as_str().into());
    Comparison::Extra { name, wanted }
}

/// `key operator text`: as versions if the variable is one and `operator text` is a valid specifier, else as texts.
fn compare_key(
    key: MarkerVariable,
    operator: ComparisonOperator,
    text: &str,
) -> Result<Comparison, &'static str> {
    if key.is_version()
        && let Some(symbol) = operator.symbol()
        && let Ok(specifiers) = one_specifier(symbol, text)
    {
        return Ok(Comparison::Version(key, specifiers));
    }
    let test = |relation, wanted| Ok(Comparison::Text { key, relation, text: text.into(), wanted });
    match operator {
        ComparisonOperator::Equal => test(TextRelation::Equal, true),
        ComparisonOperator::Arbitrary if key.is_version() => test(TextRelation::Equal, true),
        ComparisonOperator::NotEqual => test(TextRelation::Equal, false),
        ComparisonOperator::In => test(TextRelation::In, true),
        ComparisonOperator::NotIn => test(TextRelation::In, false),
        _ if key.is_version() => Err("it does not compare with a version"),
        // Texts have no order, so only the equality of `<=` and `>=` remains.
        ComparisonOperator::LessOrEqual | ComparisonOperator::GreaterOrEqual => {
            test(TextRelation::Equal, true)
        }
        ComparisonOperator::Less | ComparisonOperator::Greater => Err("texts have no order"),
        ComparisonOperator::Compatible | ComparisonOperator::Arbitrary => {
            Err("only versions compare like that")
        }
    }
}

/// `text operator key`: the comparison the other way round, which means the same unless a version is a pre-release.
fn compare_reversed(
    text: &str,
    operator: ComparisonOperator,
    key: MarkerVariable,
) -> Result<Comparison, &'static str> {
    let operator = match operator {
        ComparisonOperator::In | ComparisonOperator::NotIn => {
            let wanted = operator == ComparisonOperator::In;
            return Ok(Comparison::Text { key, relation: TextRelation::Contains, text: text.into(), wanted });
        }
        ComparisonOperator::Less => ComparisonOperator::Greater,
        ComparisonOperator::LessOrEqual => ComparisonOperator::GreaterOrEqual,
        ComparisonOperator::Greater => ComparisonOperator::Less,
        ComparisonOperator::GreaterOrEqual => ComparisonOperator::LessOrEqual,
        ComparisonOperator::Compatible => return Err("`~=` needs the version on its right"),
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

impl ComparisonOperator {
    /// The operator of a version specifier; `None` for `in`, and for `===`, which compares texts here.
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

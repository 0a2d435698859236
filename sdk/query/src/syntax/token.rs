//! Tokens of a query.

use super::tree::{Operator, Span};

/// A token with its place in the text.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    pub(super) span: Span,
}

/// The kind of a token. Keywords are words, because most of them are also names of properties.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum TokenKind {
    /// A name or a keyword.
    Word,
    /// A text in quotes, without its escapes.
    Text(String),
    /// Digits, with or without a fraction.
    Number,
    /// `/pattern/` or `/pattern/i`.
    Regex { pattern: String, ignore_case: bool },
    /// `date(…)`, with the text in the parentheses.
    Date(String),
    /// `${param.name}`, with the name.
    Parameter(String),
    /// `[odd-name]`, with the name.
    Bracket(String),
    /// A symbol of J1QL.
    Symbol(Symbol),
    /// A character or symbol that is not part of J1QL.
    Foreign,
    /// The end of the text.
    End,
}

/// A symbol of J1QL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Symbol {
    Open,
    Close,
    Comma,
    Dot,
    Star,
    Hash,
    Pipe,
    Question,
    Bang,
    Forward,
    Backward,
    Plus,
    Minus,
    Slash,
    Caret,
    Compare(Operator),
}

impl Symbol {
    /// Returns the symbol as written.
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Open => "(",
            Self::Close => ")",
            Self::Comma => ",",
            Self::Dot => ".",
            Self::Star => "*",
            Self::Hash => "#",
            Self::Pipe => "|",
            Self::Question => "?",
            Self::Bang => "!",
            Self::Forward => ">>",
            Self::Backward => "<<",
            Self::Plus => "+",
            Self::Minus => "-",
            Self::Slash => "/",
            Self::Caret => "^",
            Self::Compare(operator) => operator.text(),
        }
    }
}

impl Operator {
    /// Returns the operator as written.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::Contains => "~=",
            Self::StartsWith => "^=",
            Self::EndsWith => "$=",
            Self::NotContains => "!~=",
            Self::NotStartsWith => "!^=",
            Self::NotEndsWith => "!$=",
        }
    }
}

/// Returns the symbol at the start of a text, or the length of a foreign symbol that other languages have there.
pub(super) fn symbol(text: &str) -> Result<Symbol, usize> {
    use Operator::{
        Contains, EndsWith, Equal, Greater, GreaterOrEqual, Less, LessOrEqual, NotContains, NotEndsWith, NotEqual,
        NotStartsWith, StartsWith,
    };
    /// The longer symbols come first.
    const SYMBOLS: [Symbol; 27] = [
        Symbol::Compare(NotContains),
        Symbol::Compare(NotStartsWith),
        Symbol::Compare(NotEndsWith),
        Symbol::Compare(NotEqual),
        Symbol::Compare(Contains),
        Symbol::Compare(StartsWith),
        Symbol::Compare(EndsWith),
        Symbol::Compare(LessOrEqual),
        Symbol::Compare(GreaterOrEqual),
        Symbol::Forward,
        Symbol::Backward,
        Symbol::Compare(Equal),
        Symbol::Compare(Less),
        Symbol::Compare(Greater),
        Symbol::Bang,
        Symbol::Open,
        Symbol::Close,
        Symbol::Comma,
        Symbol::Dot,
        Symbol::Star,
        Symbol::Hash,
        Symbol::Pipe,
        Symbol::Question,
        Symbol::Plus,
        Symbol::Minus,
        Symbol::Slash,
        Symbol::Caret,
    ];
    /// Symbols of SQL, Cypher, and programming languages that would otherwise be two symbols of J1QL.
    const FOREIGN: [&str; 9] = ["===", "!==", "==", "<>", "=~", "=>", "=<", "||", "->"];
    if let Some(foreign) = FOREIGN.into_iter().find(|foreign| text.starts_with(foreign)) {
        return Err(foreign.len());
    }
    if text.starts_with("&&") {
        return Err(2);
    }
    SYMBOLS
        .into_iter()
        .find(|symbol| text.starts_with(symbol.text()))
        .ok_or_else(|| text.chars().next().map_or(0, char::len_utf8))
}

//! The parser: tokens → syntax tree, by recursive descent.
//!
//! A function of the parser returns `Err(Reported)` after it has recorded a diagnostic. The function of the clause
//! catches it, skips to the next clause, and continues, so that one text gives several errors. Errors in the skipped
//! tokens are not reported.

mod condition;
mod expression;
mod help;
mod operand;
mod query;
mod traversal;

use crate::diagnostic::{Diagnostic, Diagnostics};

use super::error::{self, MAX_ERRORS};
use super::expected::{Expected, Owner, label};
use super::keyword::{Keyword, is_reserved};
use super::lexer::{Lexed, lex};
use super::token::{Symbol, Token, TokenKind};
use super::tree::{Name, Query, Span, Spanned};

/// The greatest depth of nested parentheses and optional parts.
const MAX_DEPTH: usize = 64;
/// The greatest number of operators in one expression.
const MAX_OPERATORS: usize = 256;

/// Parses the text of a query.
///
/// # Errors
///
/// Returns all errors that were found, in the order of the text.
pub fn parse(text: &str) -> Result<Query, Diagnostics> {
    let mut parser = Parser::new(text);
    let query = parser.query();
    match parser.into_diagnostics() {
        Some(diagnostics) => Err(diagnostics),
        None => Ok(query),
    }
}

/// An error that has been recorded.
struct Reported;

type Parsed<T> = Result<T, Reported>;

/// The state of the parser.
pub(super) struct Parser<'a> {
    text: &'a str,
    tokens: Vec<Token>,
    /// The index of the current token.
    at: usize,
    depth: usize,
    operators: usize,
    diagnostics: Vec<Diagnostic>,
    lexical: Vec<Diagnostic>,
    unclosed: Option<usize>,
    /// The index of the token of the last error.
    last_error: Option<usize>,
    /// A misspelt word that has been reported, and the keyword that it is taken for.
    repaired: Option<(usize, Keyword)>,
    /// Whether the rest of the text is not parsed.
    is_stopped: bool,
    /// The tokens that were looked for at the current place.
    expected: Vec<Expected>,
    /// The tokens that were looked for at the end of the text, when it ended too early.
    expected_at_end: Option<Vec<Expected>>,
    /// The objects whose properties a condition can mention; `None` after `WHERE`.
    owner: Option<Owner>,
    /// The aliases so far.
    aliases: Vec<(String, Owner)>,
}

impl<'a> Parser<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let Lexed { tokens, diagnostics: lexical, unclosed } = lex(text);
        Self {
            text,
            tokens,
            at: 0,
            depth: 0,
            operators: 0,
            diagnostics: Vec::new(),
            lexical,
            unclosed,
            last_error: None,
            repaired: None,
            is_stopped: false,
            expected: Vec::new(),
            expected_at_end: None,
            owner: None,
            aliases: Vec::new(),
        }
    }

    /// Parses a text; returns the tokens that can follow at its end.
    ///
    /// Nothing can follow in a text in quotes, a comment, or another token without end.
    pub(super) fn expected_after(text: &str) -> Vec<Expected> {
        let mut parser = Parser::new(text);
        if parser.unclosed.is_some() {
            return Vec::new();
        }
        parser.query();
        parser.expected_at_end.unwrap_or(parser.expected)
    }

    /// Parses a text; returns the names of its entities, relationships, and columns.
    pub(super) fn aliases_of(text: &str) -> Vec<(String, Owner)> {
        let mut parser = Parser::new(text);
        parser.query();
        parser.aliases
    }

    fn into_diagnostics(self) -> Option<Diagnostics> {
        let limit = self.unclosed.unwrap_or(usize::MAX);
        let lexical = self.lexical.into_iter().filter(|error| error.span.start <= limit);
        let mut all: Vec<Diagnostic> = lexical.collect();
        let covered: Vec<Span> = all.iter().map(|error| error.span).collect();
        let is_new = |error: &Diagnostic| {
            !covered.iter().any(|span| span.start <= error.span.start && error.span.start < span.end)
        };
        all.extend(self.diagnostics.into_iter().filter(|error| error.span.start < limit && is_new(error)));
        all.sort_by_key(|error| error.span.start);
        all.truncate(MAX_ERRORS);
        Diagnostics::new(all)
    }

    // Tokens

    fn token(&self) -> &Token {
        self.token_at(self.at)
    }

    fn token_at(&self, index: usize) -> &Token {
        &self.tokens[index.min(self.tokens.len() - 1)]
    }

    fn kind(&self) -> &TokenKind {
        &self.token().kind
    }

    fn kind_at(&self, index: usize) -> &TokenKind {
        &self.token_at(index).kind
    }

    fn span(&self) -> Span {
        self.token().span
    }

    /// The place of the last token that was taken.
    fn previous_span(&self) -> Span {
        self.token_at(self.at.saturating_sub(1)).span
    }

    fn text_at(&self, index: usize) -> &'a str {
        let span = self.token_at(index).span;
        &self.text[span.start..span.end]
    }

    /// Returns the word at an index; `None` if the token is not a word.
    fn word_at(&self, index: usize) -> Option<&'a str> {
        (*self.kind_at(index) == TokenKind::Word).then(|| self.text_at(index))
    }

    fn symbol_at(&self, index: usize) -> Option<Symbol> {
        match self.kind_at(index) {
            TokenKind::Symbol(symbol) => Some(*symbol),
            _ => None,
        }
    }

    fn is_end(&self) -> bool {
        self.at + 1 >= self.tokens.len()
    }

    /// Takes the current token.
    fn advance(&mut self) -> Span {
        let span = self.span();
        if !self.is_end() {
            self.at += 1;
            self.expected.clear();
        }
        span
    }

    // Expectations

    fn expect(&mut self, expected: Expected) {
        if !self.expected.contains(&expected) {
            self.expected.push(expected);
        }
    }

    fn is_keyword(&self, index: usize, keyword: Keyword) -> bool {
        self.word_at(index).is_some_and(|word| keyword.is(word)) || self.repaired == Some((index, keyword))
    }

    /// Reports the current word if it is probably a misspelt keyword, and returns the keyword.
    fn repair(&mut self) -> Option<Keyword> {
        let keyword = help::misspelt(self)?;
        self.unexpected();
        self.repaired = Some((self.at, keyword));
        Some(keyword)
    }

    /// Returns whether the current token is a keyword.
    fn at_keyword(&mut self, keyword: Keyword) -> bool {
        self.expect(Expected::Keyword(keyword));
        self.is_keyword(self.at, keyword)
    }

    /// Takes the current token if it is a keyword.
    fn take_keyword(&mut self, keyword: Keyword) -> Option<Span> {
        self.at_keyword(keyword).then(|| self.advance())
    }

    /// Returns whether the current token is a symbol.
    fn at_symbol(&mut self, symbol: Symbol) -> bool {
        self.expect(Expected::Symbol(symbol.text()));
        self.symbol_at(self.at) == Some(symbol)
    }

    /// Takes the current token if it is a symbol.
    fn take_symbol(&mut self, symbol: Symbol) -> Option<Span> {
        self.at_symbol(symbol).then(|| self.advance())
    }

    /// Takes a word as a name.
    fn name(&mut self) -> Name {
        let value = self.text_at(self.at).to_owned();
        Spanned { value, span: self.advance() }
    }

    /// Takes the closing parenthesis that belongs to `open`.
    fn close(&mut self, open: Span) -> Parsed<Span> {
        if let Some(span) = self.take_symbol(Symbol::Close) {
            return Ok(span);
        }
        let habit = if self.is_clause(self.at) { None } else { help::of(self) };
        let help = habit.unwrap_or_else(|| {
            let location = crate::diagnostic::Location::of(self.text, open.start);
            format!("The parenthesis at line {} column {} is not closed.", location.line, location.column)
        });
        Err(self.unexpected_with(Some(help)))
    }

    /// Takes the alias after `AS`. A name of a result column can be a reserved word, or a text in quotes.
    fn alias(&mut self, is_column: bool) -> Parsed<Name> {
        self.expect(Expected::NewAlias);
        let span = self.span();
        match self.kind().clone() {
            TokenKind::Text(value) if is_column => {
                self.advance();
                Ok(Spanned { value, span })
            }
            TokenKind::Word if !is_column && is_reserved(self.text_at(self.at)) => {
                let problem = format!("The reserved word \"{}\" cannot be an alias", self.text_at(self.at));
                let help = "Choose another name. Only columns of RETURN can have a reserved word as their name.";
                Err(self.fail(&problem, span, None, Some(help.to_owned())))
            }
            TokenKind::Word => Ok(self.name()),
            _ => Err(self.unexpected()),
        }
    }

    // Errors

    /// Reports that the current token does not fit.
    fn unexpected(&mut self) -> Reported {
        let help = help::of(self);
        self.unexpected_with(help)
    }

    fn unexpected_with(&mut self, help: Option<String>) -> Reported {
        let label = label(&self.expected);
        let problem = match self.kind() {
            TokenKind::End => "Unexpected end of the query".to_owned(),
            _ => format!("Unexpected token \"{}\"", crate::diagnostic::excerpt(self.text_at(self.at))),
        };
        self.fail(&problem, self.span(), label, help)
    }

    /// Reports an error at the current token, unless it follows from the error before.
    fn fail(&mut self, problem: &str, span: Span, label: Option<String>, help: Option<String>) -> Reported {
        if self.is_end() && self.expected_at_end.is_none() {
            self.expected_at_end = Some(self.expected.clone());
        }
        // The end that directly follows an error is a consequence of it.
        let next = self.at.saturating_sub(if self.is_end() { 2 } else { 0 });
        if !self.is_stopped && self.last_error.is_none_or(|last| last < next) {
            let mut diagnostic = error::at(self.text, problem, span);
            diagnostic.label = label;
            diagnostic.help = help;
            self.diagnostics.push(diagnostic);
            self.last_error = Some(self.at);
        }
        if self.diagnostics.len() >= MAX_ERRORS {
            self.is_stopped = true;
            self.at = self.tokens.len() - 1;
        }
        Reported
    }

    /// Runs a part of the grammar one level deeper.
    fn nested<T>(&mut self, part: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth == MAX_DEPTH {
            let help =
                format!("Parentheses, calls, signs, and powers can be nested {MAX_DEPTH} deep. Simplify the query.");
            return Err(self.stop("The query is nested too deeply", &help));
        }
        self.depth += 1;
        let result = part(self);
        self.depth -= 1;
        result
    }

    /// Counts an operator of the current expression.
    fn count_operator(&mut self) -> Parsed<()> {
        self.operators += 1;
        if self.operators > MAX_OPERATORS {
            let help = format!("One expression can have {MAX_OPERATORS} operators. Simplify the query.");
            return Err(self.stop("The expression is too long", &help));
        }
        Ok(())
    }

    /// Reports an error and ends the parsing.
    fn stop(&mut self, problem: &str, help: &str) -> Reported {
        let reported = self.fail(problem, self.span(), None, Some(help.to_owned()));
        self.is_stopped = true;
        self.at = self.tokens.len() - 1;
        reported
    }

    // Recovery

    /// Returns whether a clause starts at an index. A property can have the name of a keyword.
    fn is_clause(&self, index: usize) -> bool {
        use Keyword::{By, Limit, Order, Return, Skip, That, Where};
        let Some(word) = self.word_at(index) else { return false };
        let starts = [That, Where, Return, Skip, Limit].iter().any(|keyword| keyword.is(word))
            || Order.is(word) && self.is_keyword(index + 1, By);
        starts && !self.is_in_path(index)
    }

    /// Returns whether the word at an index is part of a path, or is compared.
    fn is_in_path(&self, index: usize) -> bool {
        let before = index.checked_sub(1).and_then(|index| self.symbol_at(index));
        before == Some(Symbol::Dot) || matches!(self.symbol_at(index + 1), Some(Symbol::Dot | Symbol::Compare(_)))
    }

    /// Returns whether the current word is a keyword of another language, because another word follows it.
    fn is_foreign_keyword(&self) -> bool {
        const FOREIGN: [&str; 7] = ["select", "distinct", "match", "not", "case", "find", "optional"];
        let is_followed = self.word_at(self.at + 1).is_some() && !self.is_clause(self.at + 1)
            || self.symbol_at(self.at + 1) == Some(Symbol::Star);
        let is_known =
            self.word_at(self.at).is_some_and(|word| FOREIGN.iter().any(|known| known.eq_ignore_ascii_case(word)));
        let is_continued =
            [Keyword::With, Keyword::As, Keyword::And, Keyword::Or, Keyword::Ascending, Keyword::Descending]
                .iter()
                .any(|keyword| self.is_keyword(self.at + 1, *keyword));
        is_known && is_followed && !is_continued
    }

    /// Skips to the next clause, or to the end of the optional part.
    fn skip_to_clause(&mut self) {
        self.skip_until(|parser| {
            let optional = parser.symbol_at(parser.at) == Some(Symbol::Open)
                && (parser.is_keyword(parser.at + 1, Keyword::That)
                    || parser.symbol_at(parser.at + 1) == Some(Symbol::Open));
            let ends_part = parser.symbol_at(parser.at) == Some(Symbol::Close)
                && parser.symbol_at(parser.at + 1) == Some(Symbol::Question);
            parser.is_clause(parser.at) || optional || ends_part
        });
    }

    fn skip_until(&mut self, is_reached: impl Fn(&Self) -> bool) {
        while !self.is_end() && !is_reached(self) {
            self.advance();
        }
    }
}

//! The lexer: text → tokens with their places.
//!
//! The lexer looks back one token, because `/` starts a regular expression after an operator and divides elsewhere.

use crate::diagnostic::Diagnostic;

use super::error::{self, MAX_ERRORS};
use super::token::{Symbol, Token, TokenKind, symbol};
use super::tree::Span;

/// The tokens of a text. The last one is [`TokenKind::End`].
pub(super) struct Lexed {
    pub(super) tokens: Vec<Token>,
    pub(super) diagnostics: Vec<Diagnostic>,
    /// The start of the first token that has no end. Errors after it are consequences.
    pub(super) unclosed: Option<usize>,
}

/// Divides a text into tokens.
pub(super) fn lex(text: &str) -> Lexed {
    let mut lexer = Lexer { text, at: 0, lexed: Lexed { tokens: Vec::new(), diagnostics: Vec::new(), unclosed: None } };
    loop {
        lexer.skip_blanks();
        let start = lexer.at;
        let Some(letter) = lexer.rest().chars().next() else { break };
        let kind = lexer.token(letter);
        lexer.lexed.tokens.push(Token { kind, span: Span { start, end: lexer.at } });
    }
    // The end is directly behind the last token, so that the caret is not on an empty line.
    let end = lexer.lexed.tokens.last().map_or(0, |token| token.span.end);
    lexer.lexed.tokens.push(Token { kind: TokenKind::End, span: Span { start: end, end } });
    lexer.lexed
}

/// Returns whether a character separates tokens. Copied text often contains blanks without width.
fn is_blank(letter: char) -> bool {
    letter.is_whitespace() || matches!(letter, '\u{200b}' | '\u{2060}' | '\u{feff}')
}

/// Returns whether a character can start a name.
pub(super) fn starts_name(letter: char) -> bool {
    letter.is_alphabetic() || letter == '_'
}

/// Returns whether a character can continue a name.
pub(super) fn continues_name(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    lexed: Lexed,
}

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    /// Skips blanks and comments.
    fn skip_blanks(&mut self) {
        loop {
            let rest = self.rest();
            let trimmed = rest.trim_start_matches(is_blank);
            self.at += rest.len() - trimmed.len();
            if !trimmed.starts_with("/*") {
                return;
            }
            match trimmed.find("*/").filter(|end| *end >= 2) {
                Some(end) => self.at += end + 2,
                None => {
                    self.unclosed("comment", self.text.len(), "A comment ends with */.");
                    return;
                }
            }
        }
    }

    /// Reads the token that starts with `letter`.
    fn token(&mut self, letter: char) -> TokenKind {
        match letter {
            '\'' | '"' => self.quoted(letter),
            '/' if self.expects_operand() => self.regex(),
            '$' if self.rest().starts_with("${") => self.parameter(),
            '[' => self.bracket(),
            _ if self.is_after_dot() && continues_name(letter) => self.word(),
            '0'..='9' => self.number(),
            _ if starts_name(letter) => self.word(),
            _ => match symbol(self.rest()) {
                Ok(symbol) => {
                    self.at += symbol.text().len();
                    TokenKind::Symbol(symbol)
                }
                Err(length) => {
                    self.at += length;
                    TokenKind::Foreign
                }
            },
        }
    }

    fn previous(&self) -> Option<&Token> {
        self.lexed.tokens.last()
    }

    fn is_after_dot(&self) -> bool {
        self.previous().is_some_and(|token| token.kind == TokenKind::Symbol(Symbol::Dot) && token.span.end == self.at)
    }

    /// Returns whether the previous token needs a value on its right.
    fn expects_operand(&self) -> bool {
        let Some(previous) = self.previous() else { return false };
        match &previous.kind {
            TokenKind::Symbol(Symbol::Compare(_) | Symbol::Open) => true,
            TokenKind::Foreign => matches!(&self.text[previous.span.start..previous.span.end], "==" | "=~"),
            TokenKind::Word => {
                let word = &self.text[previous.span.start..previous.span.end];
                let in_path = self.lexed.tokens.iter().nth_back(1);
                let in_path = in_path.is_some_and(|token| token.kind == TokenKind::Symbol(Symbol::Dot));
                !in_path && (word.eq_ignore_ascii_case("or") || word.eq_ignore_ascii_case("and"))
            }
            _ => false,
        }
    }

    fn word(&mut self) -> TokenKind {
        let rest = self.rest();
        let word = &rest[..rest.find(|letter| !continues_name(letter)).unwrap_or(rest.len())];
        if word.eq_ignore_ascii_case("date")
            && !self.is_after_dot()
            && let Some((date, length)) = date(&rest[word.len()..])
        {
            self.at += word.len() + length;
            return TokenKind::Date(date.to_owned());
        }
        self.at += word.len();
        TokenKind::Word
    }

    fn number(&mut self) -> TokenKind {
        self.at += digits(self.rest());
        if self.rest().starts_with('.') && digits(&self.rest()[1..]) > 0 {
            self.at += 1 + digits(&self.rest()[1..]);
        }
        let rest = self.rest();
        if rest.starts_with(['e', 'E']) {
            let sign = usize::from(rest[1..].starts_with(['+', '-']));
            let exponent = digits(&rest[1 + sign..]);
            if exponent > 0 {
                self.at += 1 + sign + exponent;
            }
        }
        TokenKind::Number
    }

    /// Reads a text in quotes.
    fn quoted(&mut self, quote: char) -> TokenKind {
        let Some((value, length)) = quoted(self.rest(), quote) else {
            let start = self.at + 1;
            let end = self.end_of_line();
            let help = format!("Close the text with {quote}, in the same line. Write \\n for a line break in it.");
            self.unclosed("text", end, &help);
            self.at = end;
            return TokenKind::Text(self.text[start..end].to_owned());
        };
        self.at += length;
        TokenKind::Text(value)
    }

    fn regex(&mut self) -> TokenKind {
        let start = self.at;
        let rest = self.rest();
        let mut pattern = String::new();
        let mut letters = rest.char_indices().skip(1);
        let length = loop {
            match letters.next().filter(|(_, letter)| !is_line_end(*letter)) {
                Some((end, '/')) => break end + 1,
                Some((at, '\\')) => match rest[at + 1..].chars().next().filter(|letter| !is_line_end(*letter)) {
                    Some(escaped) => {
                        letters.next();
                        let is_slash = escaped == '/';
                        pattern.extend((!is_slash).then_some('\\').into_iter().chain([escaped]));
                    }
                    None => pattern.push('\\'),
                },
                Some((_, letter)) => pattern.push(letter),
                None => {
                    let end = self.end_of_line();
                    self.unclosed("regular expression", end, "A regular expression ends with / or /i.");
                    self.at = end;
                    return TokenKind::Regex { pattern, ignore_case: false };
                }
            }
        };
        let flags = &rest[length..];
        let flags = &flags[..flags.find(|letter| !continues_name(letter)).unwrap_or(flags.len())];
        self.at = start + length + flags.len();
        let span = Span { start: start + length, end: self.at };
        if pattern.is_empty() {
            let help = "Comments are written /* … */. A text may be empty: ''.";
            self.error("Empty regular expression", Span { start, end: self.at }, help);
        } else if !matches!(flags, "" | "i") {
            self.error(
                &format!("Unknown flag \"{flags}\""),
                span,
                "The only flag is i, which ignores upper and lower case.",
            );
        }
        TokenKind::Regex { pattern, ignore_case: flags == "i" }
    }

    fn parameter(&mut self) -> TokenKind {
        let start = self.at;
        let rest = self.rest();
        let Some(end) = find_in_line(rest, '}') else {
            let end = self.end_of_line();
            self.unclosed("parameter", end, "Write ${param.name}.");
            self.at = end;
            return TokenKind::Parameter(String::new());
        };
        self.at += end + 1;
        let name = rest[2..end].trim();
        match name.strip_prefix("param.").map(str::trim).filter(|name| !name.is_empty()) {
            Some(name) => TokenKind::Parameter(name.to_owned()),
            None => {
                self.error("Invalid parameter", Span { start, end: self.at }, "Write ${param.name}.");
                TokenKind::Parameter(name.to_owned())
            }
        }
    }

    /// Reads `[odd-name]`, or `["odd]name"`.
    fn bracket(&mut self) -> TokenKind {
        let start = self.at;
        let rest = self.rest();
        let inner = rest[1..].trim_start_matches([' ', '\t']);
        let blanks = rest.len() - inner.len();
        if let Some(quote) = inner.chars().next().filter(|letter| matches!(letter, '\'' | '"'))
            && let Some((name, length)) = quoted(inner, quote)
            && inner[length..].trim_start().starts_with(']')
        {
            self.at += blanks + length + inner[length..].find(']').unwrap_or_default() + 1;
            return self.bracketed(name, start);
        }
        let Some(end) = find_in_line(rest, ']') else {
            let end = self.end_of_line();
            self.unclosed("bracket", end, "Write a property with an unusual name as [name].");
            self.at = end;
            return TokenKind::Bracket(self.text[start + 1..end].trim().to_owned());
        };
        self.at += end + 1;
        let name = rest[1..end].trim();
        if name.starts_with(['\'', '"']) || name.contains(',') {
            let help = "Brackets contain the name of a property. Several values are written ('a' OR 'b').";
            self.error("Invalid property name", Span { start, end: self.at }, help);
        }
        self.bracketed(name.to_owned(), start)
    }

    fn bracketed(&mut self, name: String, start: usize) -> TokenKind {
        if name.is_empty() {
            let span = Span { start, end: self.at };
            self.error("Missing property name", span, "Write a property with an unusual name as [name].");
        }
        TokenKind::Bracket(name)
    }

    /// Returns the end of the current line, without blanks.
    fn end_of_line(&self) -> usize {
        let rest = self.rest();
        self.at + rest[..rest.find(is_line_end).unwrap_or(rest.len())].trim_end().len()
    }

    fn error(&mut self, problem: &str, span: Span, help: &str) {
        if self.lexed.diagnostics.len() == MAX_ERRORS {
            return;
        }
        self.lexed.diagnostics.push(error::at(self.text, problem, span).with_help(help));
    }

    /// Reports a token without end, from the current place.
    fn unclosed(&mut self, what: &str, end: usize, help: &str) {
        let span = Span { start: self.at, end };
        self.lexed.unclosed.get_or_insert(self.at);
        self.error(&format!("Unclosed {what}"), span, help);
        if what == "comment" {
            self.at = end;
        }
    }
}

fn is_line_end(letter: char) -> bool {
    matches!(letter, '\n' | '\r')
}

/// Returns the place of a character in the first line of a text.
fn find_in_line(text: &str, letter: char) -> Option<usize> {
    let found = text.find(|other| other == letter || is_line_end(other))?;
    text[found..].starts_with(letter).then_some(found)
}

/// Returns the number of digits at the start of a text.
fn digits(text: &str) -> usize {
    text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len())
}

/// Returns the text in quotes at the start of `text`, without its escapes, and its length with quotes.
fn quoted(text: &str, quote: char) -> Option<(String, usize)> {
    let mut value = String::new();
    let mut letters = text.char_indices().skip(1);
    let mut next = move || letters.next().filter(|(_, letter)| !is_line_end(*letter));
    loop {
        match next()? {
            (end, letter) if letter == quote => return Some((value, end + 1)),
            (_, '\\') => match next()?.1 {
                'n' => value.push('\n'),
                'r' => value.push('\r'),
                't' => value.push('\t'),
                letter @ ('\'' | '"' | '\\') => value.push(letter),
                letter => value.extend(['\\', letter]),
            },
            (_, letter) => value.push(letter),
        }
    }
}

/// Returns the date in `(…)` after the word `date`, and the length up to the closing parenthesis.
fn date(text: &str) -> Option<(&str, usize)> {
    let inner = text.trim_start().strip_prefix('(')?;
    let open = text.len() - inner.len();
    let close = inner.find([')', '(', '\n'])?;
    let date = inner[..close].trim();
    let date = date.strip_prefix(['\'', '"']).map_or(date, |date| date.trim_end_matches(['\'', '"']));
    let is_date = date.starts_with(|letter: char| letter.is_ascii_digit())
        && date.chars().all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, ':' | '.' | '+' | '-' | ' '));
    (inner[close..].starts_with(')') && is_date).then_some((date, open + close + 1))
}

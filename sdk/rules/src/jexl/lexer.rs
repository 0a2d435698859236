//! Tokens of an expression.

use std::ops::Range;

use super::error::Error;
use super::syntax::Binary;

/// A token.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    Number(f64),
    Text(String),
    Name(String),
    Operator(Binary),
    Minus,
    Not,
    Dot,
    Pipe,
    Question,
    Colon,
    Comma,
    Open(char),
    Close(char),
    /// The end of the text, or the `}}` that ends the expression of a template.
    End,
}

/// A token with its place.
#[derive(Debug, Clone)]
pub(super) struct Lexeme {
    pub token: Token,
    pub span: Range<usize>,
}

/// A reader of tokens.
pub(super) struct Lexer<'s> {
    source: &'s str,
    at: usize,
    braces: usize,
    in_template: bool,
    after_operand: bool,
}

impl<'s> Lexer<'s> {
    /// Starts at a position. In a template, the expression ends at `}}` outside of braces and texts.
    pub(super) fn new(source: &'s str, at: usize, in_template: bool) -> Self {
        Self { source, at, braces: 0, in_template, after_operand: false }
    }

    /// Reads the next token.
    pub(super) fn next(&mut self) -> Result<Lexeme, Error> {
        self.skip_blanks();
        let start = self.at;
        let token = self.token()?;
        self.after_operand = matches!(token, Token::Number(_) | Token::Text(_) | Token::Name(_) | Token::Close(_));
        Ok(Lexeme { token, span: start..self.at })
    }

    fn rest(&self) -> &'s str {
        &self.source[self.at..]
    }

    fn skip_blanks(&mut self) {
        loop {
            let rest = self.rest();
            let trimmed = rest.trim_start();
            self.at += rest.len() - trimmed.len();
            if !trimmed.starts_with('#') {
                return;
            }
            self.at += trimmed.find('\n').unwrap_or(trimmed.len());
        }
    }

    fn token(&mut self) -> Result<Token, Error> {
        let rest = self.rest();
        let Some(first) = rest.chars().next() else {
            if self.in_template {
                return Err(Error::new("Unexpected end of text, expected `}}`", self.at..self.at, self.source));
            }
            return Ok(Token::End);
        };
        if self.in_template && self.braces == 0 && rest.starts_with("}}") {
            self.at += 2;
            return Ok(Token::End);
        }
        let is_fraction = first == '.' && !self.after_operand && rest[1..].starts_with(|c: char| c.is_ascii_digit());
        if first.is_ascii_digit() || is_fraction {
            return self.number();
        }
        if is_name_start(first) {
            let length = rest.find(|letter| !is_name_part(letter)).unwrap_or(rest.len());
            self.at += length;
            let name = &rest[..length];
            return Ok(if name == "in" { Token::Operator(Binary::In) } else { Token::Name(name.to_owned()) });
        }
        if first == '"' || first == '\'' {
            return self.text(first);
        }
        self.symbol(first)
    }

    fn number(&mut self) -> Result<Token, Error> {
        let rest = self.rest();
        let digits = |text: &str| text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let mut length = digits(rest);
        if let Some(fraction) = rest[length..].strip_prefix('.')
            && fraction.starts_with(|c: char| c.is_ascii_digit())
        {
            length += 1 + digits(fraction);
        }
        let span = self.at..self.at + length;
        self.at += length;
        match rest[..length].parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(Token::Number(number)),
            _ => Err(Error::new("The number is too large", span, self.source)),
        }
    }

    /// Reads a text. A backslash escapes a quote or a backslash, and is a letter elsewhere.
    fn text(&mut self, quote: char) -> Result<Token, Error> {
        let start = self.at;
        let mut text = String::new();
        let mut letters = self.rest().char_indices().skip(1).peekable();
        while let Some((at, letter)) = letters.next() {
            match letter {
                '\\' => match letters.next_if(|(_, next)| matches!(next, '\\' | '"' | '\'')) {
                    Some((_, escaped)) => text.push(escaped),
                    None => text.push('\\'),
                },
                letter if letter == quote => {
                    self.at = start + at + quote.len_utf8();
                    return Ok(Token::Text(text));
                }
                letter => text.push(letter),
            }
        }
        Err(Error::new("The text has no closing quote", start..start + 1, self.source))
    }

    fn symbol(&mut self, first: char) -> Result<Token, Error> {
        const LONG: [(&str, Binary); 7] = [
            ("==", Binary::Equal),
            ("!=", Binary::NotEqual),
            (">=", Binary::AtLeast),
            ("<=", Binary::AtMost),
            ("&&", Binary::And),
            ("||", Binary::Or),
            ("//", Binary::FloorDivide),
        ];
        if let Some((text, operator)) = LONG.iter().find(|(text, _)| self.rest().starts_with(text)) {
            self.at += text.len();
            return Ok(Token::Operator(*operator));
        }
        let token = match first {
            '+' => Token::Operator(Binary::Add),
            '-' => Token::Minus,
            '*' => Token::Operator(Binary::Multiply),
            '/' => Token::Operator(Binary::Divide),
            '%' => Token::Operator(Binary::Remainder),
            '^' => Token::Operator(Binary::Power),
            '>' => Token::Operator(Binary::Greater),
            '<' => Token::Operator(Binary::Less),
            '!' => Token::Not,
            '.' => Token::Dot,
            '|' => Token::Pipe,
            '?' => Token::Question,
            ':' => Token::Colon,
            ',' => Token::Comma,
            '(' | '[' | '{' => Token::Open(first),
            ')' | ']' | '}' => Token::Close(first),
            _ => {
                let span = self.at..self.at + first.len_utf8();
                let shown = first.escape_debug();
                return Err(Error::new(format!("Unexpected character \"{shown}\""), span, self.source));
            }
        };
        match first {
            '{' => self.braces += 1,
            '}' => self.braces = self.braces.saturating_sub(1),
            _ => {}
        }
        self.at += 1;
        Ok(token)
    }
}

fn is_name_start(letter: char) -> bool {
    letter.is_alphabetic() || letter == '_' || letter == '$'
}

fn is_name_part(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_' || letter == '$'
}

//! Constants, and the right sides of comparisons.

use super::{Expected, Keyword, Parsed, Parser, Symbol};
use crate::syntax::keyword::is_reserved;
use crate::syntax::token::TokenKind;
use crate::syntax::tree::{Literal, Operand, Span, Spanned};

const HOUR_MS: i64 = 60 * 60 * 1000;
const DAY_MS: i64 = 24 * HOUR_MS;

impl Parser<'_> {
    /// Parses the right side of a comparison.
    pub(super) fn operand(&mut self) -> Parsed<Operand> {
        self.expect(Expected::Value);
        if self.symbol_at(self.at) == Some(Symbol::Open) {
            return self.nested(|parser| {
                let open = parser.advance();
                let operand = match parser.joined_operands(open, Keyword::Or) {
                    Ok(operand) => operand,
                    Err(reported) => {
                        parser.skip_to_close();
                        return Err(reported);
                    }
                };
                let close = parser.close(open)?;
                Ok(match operand {
                    Operand::Any(operands, span) if span == open => Operand::Any(operands, open.to(close)),
                    Operand::All(operands, span) if span == open => Operand::All(operands, open.to(close)),
                    operand => operand,
                })
            });
        }
        if let Some(literal) = self.literal(true)? {
            return Ok(Operand::Literal(literal));
        }
        if self.owner.is_none() {
            self.expect(Expected::Alias);
        } else if let Some(owner) = self.owner.clone() {
            self.expect(Expected::Property(owner));
        }
        if self.symbol_at(self.at + 1) == Some(Symbol::Open) && self.is_keyword_date() {
            let help = "A date is written date(2024-01-31) or date(2024-01-31T12:00:00Z).";
            return Err(self.fail("Invalid date", self.span(), None, Some(help.to_owned())));
        }
        match self.kind() {
            TokenKind::Word if self.is_operand_name() => Ok(Operand::Path(self.path()?)),
            TokenKind::Bracket(_) => Ok(Operand::Path(self.path()?)),
            _ => Err(self.unexpected()),
        }
    }

    /// Skips the rest of several values that have an error.
    fn skip_to_close(&mut self) {
        let mut depth = 0_usize;
        while !self.is_end() && !self.is_clause(self.at) {
            match self.symbol_at(self.at) {
                Some(Symbol::Open) => depth += 1,
                Some(Symbol::Close) if depth == 0 => {
                    self.advance();
                    return;
                }
                Some(Symbol::Close) => depth -= 1,
                _ => {}
            }
            self.advance();
        }
    }

    /// Returns whether the current word can be the name of a property or an alias on the right side.
    fn is_operand_name(&self) -> bool {
        match self.symbol_at(self.at + 1) {
            Some(Symbol::Dot) => true,
            _ => {
                let is_query = self.is_foreign_keyword() && self.symbol_at(self.at - 1) == Some(Symbol::Open);
                !is_reserved(self.text_at(self.at)) && !is_query
            }
        }
    }

    fn is_keyword_date(&self) -> bool {
        self.word_at(self.at).is_some_and(|word| word.eq_ignore_ascii_case("date"))
    }

    /// Parses operands that are joined by `OR`, or by `AND`. The result has the span of `open`, if it is new.
    fn joined_operands(&mut self, open: Span, keyword: Keyword) -> Parsed<Operand> {
        let mut operands = Vec::new();
        loop {
            operands.push(match keyword {
                Keyword::Or => self.joined_operands(open, Keyword::And)?,
                _ => self.operand()?,
            });
            if self.take_keyword(keyword).is_none() {
                break;
            }
        }
        // An AND within an OR has no parentheses of its own; its span is that of its operands.
        let narrowed = |operand| match operand {
            Operand::All(operands, span) if span == open => {
                let span = operands.iter().map(operand_span).reduce(Span::to).unwrap_or(open);
                Operand::All(operands, span)
            }
            operand => operand,
        };
        Ok(match (operands.pop(), keyword) {
            (Some(only), _) if operands.is_empty() => only,
            (last, Keyword::Or) => Operand::Any(operands.into_iter().chain(last).map(narrowed).collect(), open),
            (last, _) => Operand::All(operands.into_iter().chain(last).collect(), open),
        })
    }

    /// Parses a constant; returns `None` if the current token is none.
    pub(super) fn literal(&mut self, is_compared: bool) -> Parsed<Option<Spanned<Literal>>> {
        let start = self.span();
        let value = match self.kind().clone() {
            TokenKind::Text(text) => Literal::Text(text),
            TokenKind::Number => Literal::Number(self.text_at(self.at).to_owned()),
            TokenKind::Date(date) => Literal::Date(date),
            TokenKind::Parameter(name) => Literal::Parameter(name),
            TokenKind::Regex { pattern, ignore_case } if is_compared => Literal::Regex { pattern, ignore_case },
            TokenKind::Symbol(Symbol::Minus) if is_compared && *self.kind_at(self.at + 1) == TokenKind::Number => {
                self.advance();
                Literal::Number(format!("-{}", self.text_at(self.at)))
            }
            TokenKind::Word => return self.word_literal(is_compared),
            _ => return Ok(None),
        };
        self.advance();
        Ok(Some(Spanned { value, span: start.to(self.previous_span()) }))
    }

    /// Parses `true`, `false`, `undefined`, `null`, or `date.now` with its offset.
    fn word_literal(&mut self, is_compared: bool) -> Parsed<Option<Spanned<Literal>>> {
        let start = self.span();
        let word = self.text_at(self.at).to_ascii_lowercase();
        let has_dot = self.symbol_at(self.at + 1) == Some(Symbol::Dot);
        let value = match word.as_str() {
            "date" if has_dot && self.word_at(self.at + 2).is_some_and(|word| word.eq_ignore_ascii_case("now")) => {
                for _ in 0..3 {
                    self.advance();
                }
                let offset_ms = self.offset(is_compared)?;
                return Ok(Some(Spanned { value: Literal::Now { offset_ms }, span: start.to(self.previous_span()) }));
            }
            _ if has_dot => return Ok(None),
            "true" => Literal::Boolean(true),
            "false" => Literal::Boolean(false),
            "undefined" => Literal::Undefined,
            "null" => Literal::Null,
            _ => return Ok(None),
        };
        self.advance();
        Ok(Some(Spanned { value, span: start }))
    }

    /// Parses the offset after `date.now`, such as `- 1 day`, in milliseconds.
    fn offset(&mut self, is_compared: bool) -> Parsed<i64> {
        self.expect(Expected::Symbol("-"));
        self.expect(Expected::Symbol("+"));
        let sign = match self.symbol_at(self.at) {
            Some(Symbol::Plus) => 1,
            Some(Symbol::Minus) => -1,
            _ => return Ok(0),
        };
        // Without a unit it is arithmetic, which only RETURN has.
        if !is_compared && self.word_at(self.at + 2).and_then(unit).is_none() {
            return Ok(0);
        }
        self.advance();
        let count = self.whole_number()?;
        self.expect(Expected::Unit);
        let Some(milliseconds) = self.word_at(self.at).and_then(unit) else {
            return Err(self.unexpected());
        };
        let offset = i64::try_from(count.value).ok().and_then(|count| count.checked_mul(milliseconds * sign));
        // An offset that leaves the range of dates would overflow later.
        let Some(offset) = offset.filter(|offset| offset.abs() < i64::MAX / 4) else {
            return Err(self.fail("The offset is too large", count.span, None, None));
        };
        self.advance();
        Ok(offset)
    }
}

/// Returns the milliseconds of a unit of time.
fn unit(word: &str) -> Option<i64> {
    match word.to_ascii_lowercase().as_str() {
        "hour" | "hours" | "hr" | "hrs" => Some(HOUR_MS),
        "day" | "days" => Some(DAY_MS),
        "month" | "months" | "mo" | "mos" => Some(30 * DAY_MS),
        "year" | "years" | "yr" | "yrs" => Some(365 * DAY_MS),
        _ => None,
    }
}

fn operand_span(operand: &Operand) -> Span {
    match operand {
        Operand::Literal(literal) => literal.span,
        Operand::Path(path) => path.span,
        Operand::Any(_, span) | Operand::All(_, span) => *span,
    }
}

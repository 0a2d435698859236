//! Conditions after `WITH` and `WHERE`.

use super::{Expected, Keyword, Owner, Parsed, Parser, Reported, Symbol};
use crate::syntax::token::TokenKind;
use crate::syntax::tree::{Comparison, Condition, Literal, Operand, Operator, Path, Segment, Spanned};

impl Parser<'_> {
    /// Parses conditions that are joined by `OR`.
    pub(super) fn condition(&mut self) -> Parsed<Condition> {
        self.joined(Keyword::Or, Self::conjunction, Condition::Or)
    }

    fn conjunction(&mut self) -> Parsed<Condition> {
        self.joined(Keyword::And, Self::single_condition, Condition::And)
    }

    /// Parses parts that are joined by a keyword. After an error, it continues with the next part.
    fn joined(
        &mut self,
        keyword: Keyword,
        part: fn(&mut Self) -> Parsed<Condition>,
        join: fn(Vec<Condition>) -> Condition,
    ) -> Parsed<Condition> {
        let mut parts = Vec::new();
        let mut failed = None;
        loop {
            match part(self) {
                Ok(part) => parts.push(part),
                Err(reported) => {
                    self.skip_to_next_condition();
                    failed = Some(reported);
                }
            }
            if self.take_keyword(keyword).is_none() && !self.take_foreign(keyword) {
                break;
            }
        }
        match failed {
            Some(reported) => Err(reported),
            None if parts.len() > 1 => Ok(join(parts)),
            None => parts.pop().ok_or(Reported),
        }
    }

    /// Takes `&&` or `||`, after it has been reported.
    fn take_foreign(&mut self, keyword: Keyword) -> bool {
        let foreign = if keyword == Keyword::And { "&&" } else { "||" };
        if *self.kind() != TokenKind::Foreign || self.text_at(self.at) != foreign {
            return false;
        }
        self.unexpected();
        self.advance();
        true
    }

    /// Skips to `AND`, `OR`, a closing parenthesis, or the next clause.
    fn skip_to_next_condition(&mut self) {
        let mut depth = 0_usize;
        while !self.is_end() && !self.is_clause(self.at) {
            let is_joint = self.is_keyword(self.at, Keyword::And) || self.is_keyword(self.at, Keyword::Or);
            match self.symbol_at(self.at) {
                Some(Symbol::Open) if self.is_keyword(self.at + 1, Keyword::That) => break,
                Some(Symbol::Open) => depth += 1,
                Some(Symbol::Close) if depth == 0 => break,
                Some(Symbol::Close) => depth -= 1,
                _ if is_joint && depth == 0 && !self.is_in_path(self.at) => break,
                _ => {}
            }
            self.advance();
        }
    }

    fn single_condition(&mut self) -> Parsed<Condition> {
        if self.symbol_at(self.at) == Some(Symbol::Open) {
            return self.nested(|parser| {
                let open = parser.advance();
                let condition = parser.condition();
                if condition.is_ok() {
                    parser.close(open)?;
                } else {
                    parser.take_symbol(Symbol::Close);
                }
                condition
            });
        }
        Ok(Condition::Compare(self.comparison()?))
    }

    fn comparison(&mut self) -> Parsed<Comparison> {
        let start = self.at;
        if let Some(left) = self.compared_value()? {
            if let Some(reversed) = self.reversed_operator() {
                let right = self.compared_path()?;
                let span = left.span.to(right.span);
                return Ok(Comparison { left: right, operator: reversed, right: Operand::Literal(left), span });
            }
            // The value itself is out of place, and so are those after it: name = 'a' OR 'b' OR 'c'.
            let end = self.at;
            self.at = start;
            self.expect_left();
            let reported = self.unexpected();
            self.at = end.max(self.at);
            self.skip_values();
            return Err(reported);
        }
        let left = self.compared_path()?;
        let operator = self.operator()?;
        let right = self.operand()?;
        let span = left.span.to(self.previous_span());
        Ok(Comparison { left, operator, right, span })
    }

    /// Parses a constant on the left side of a comparison, such as `date.now - 7 days > createdOn`.
    fn compared_value(&mut self) -> Parsed<Option<Spanned<Literal>>> {
        let is_value = match self.kind() {
            TokenKind::Text(_) | TokenKind::Number | TokenKind::Date(_) | TokenKind::Parameter(_) => true,
            TokenKind::Word => {
                let is_now = self.word_at(self.at + 2).is_some_and(|word| word.eq_ignore_ascii_case("now"))
                    && self.symbol_at(self.at + 1) == Some(Symbol::Dot)
                    && self.text_at(self.at).eq_ignore_ascii_case("date");
                is_now && self.symbol_at(self.at + 3) != Some(Symbol::Dot)
            }
            _ => false,
        };
        if is_value { self.literal(true) } else { Ok(None) }
    }

    /// Takes an operator between a value and a property; returns it for the property on the left side.
    fn reversed_operator(&mut self) -> Option<Spanned<Operator>> {
        let Some(Symbol::Compare(operator)) = self.symbol_at(self.at) else { return None };
        let value = match operator {
            Operator::Equal | Operator::NotEqual => operator,
            Operator::Less => Operator::Greater,
            Operator::LessOrEqual => Operator::GreaterOrEqual,
            Operator::Greater => Operator::Less,
            Operator::GreaterOrEqual => Operator::LessOrEqual,
            _ => return None,
        };
        Some(Spanned { value, span: self.advance() })
    }

    fn expect_left(&mut self) {
        match self.owner.clone() {
            Some(owner) => self.expect(Expected::Property(owner)),
            None => self.expect(Expected::Alias),
        }
    }

    /// Skips `OR value` and `AND value`, unless the value is compared with a property.
    fn skip_values(&mut self) {
        let is_value = |kind: &TokenKind| {
            matches!(kind, TokenKind::Text(_) | TokenKind::Number | TokenKind::Regex { .. } | TokenKind::Date(_))
        };
        while (self.is_keyword(self.at, Keyword::Or) || self.is_keyword(self.at, Keyword::And))
            && is_value(self.kind_at(self.at + 1))
            && !matches!(self.symbol_at(self.at + 2), Some(Symbol::Compare(_)))
        {
            self.advance();
            self.advance();
        }
    }

    /// Parses the left side of a comparison.
    fn compared_path(&mut self) -> Parsed<Path> {
        self.expect_left();
        // A keyword is the name of a property if an operator follows it.
        let is_path = match self.kind() {
            TokenKind::Word => {
                !crate::syntax::keyword::is_reserved(self.text_at(self.at)) && !self.is_foreign_condition()
                    || self.is_in_path(self.at)
            }
            TokenKind::Bracket(_) => true,
            _ => false,
        };
        if is_path { self.path() } else { Err(self.unexpected()) }
    }

    /// Returns whether a call, such as `exists(name)`, is at the place of a property.
    fn is_foreign_condition(&self) -> bool {
        self.symbol_at(self.at + 1) == Some(Symbol::Open)
    }

    fn operator(&mut self) -> Parsed<Spanned<Operator>> {
        self.expect(Expected::Operator);
        match self.symbol_at(self.at) {
            Some(Symbol::Compare(value)) => Ok(Spanned { value, span: self.advance() }),
            _ => {
                let is_range = self.word_at(self.at).is_some_and(|word| word.eq_ignore_ascii_case("between"));
                let reported = self.unexpected();
                if is_range {
                    // The AND of BETWEEN does not join conditions.
                    self.skip_until(|parser| parser.is_keyword(parser.at, Keyword::And) || parser.is_clause(parser.at));
                    if self.is_keyword(self.at, Keyword::And) {
                        self.advance();
                    }
                }
                Err(reported)
            }
        }
    }

    /// Parses names between dots. The current token is a word or a bracket.
    pub(super) fn path(&mut self) -> Parsed<Path> {
        let mut segments = vec![self.segment()?];
        while self.symbol_at(self.at) == Some(Symbol::Dot) && self.symbol_at(self.at + 1) != Some(Symbol::Star) {
            self.advance();
            let alias = segments[0].name.value.clone();
            self.expect(Expected::Property(Owner::Alias(alias)));
            segments.push(self.segment()?);
        }
        let span = segments[0].name.span.to(self.previous_span());
        Ok(Path { segments, span })
    }

    fn segment(&mut self) -> Parsed<Segment> {
        match self.kind().clone() {
            TokenKind::Word => Ok(Segment { name: self.name(), bracketed: false }),
            TokenKind::Bracket(name) => {
                let span = self.advance();
                Ok(Segment { name: Spanned { value: name, span }, bracketed: true })
            }
            _ => Err(self.unexpected()),
        }
    }
}

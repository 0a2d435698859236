//! Expressions in `RETURN` and `ORDER BY`.

use super::{Expected, Owner, Parsed, Parser, Symbol};
use crate::syntax::keyword::is_reserved;
use crate::syntax::token::TokenKind;
use crate::syntax::tree::{Arithmetic, Expression, Spanned};

impl Parser<'_> {
    /// Parses a value of a result.
    pub(super) fn expression(&mut self) -> Parsed<Expression> {
        if self.depth == 0 {
            self.operators = 0;
        }
        self.sum()
    }

    /// Parses terms that are joined by `+` and `-`.
    fn sum(&mut self) -> Parsed<Expression> {
        self.joined_left(Self::product, |symbol| match symbol {
            Symbol::Plus => Some(Arithmetic::Add),
            Symbol::Minus => Some(Arithmetic::Subtract),
            _ => None,
        })
    }

    /// Parses factors that are joined by `*` and `/`.
    fn product(&mut self) -> Parsed<Expression> {
        self.joined_left(Self::negation, |symbol| match symbol {
            Symbol::Star => Some(Arithmetic::Multiply),
            Symbol::Slash => Some(Arithmetic::Divide),
            _ => None,
        })
    }

    fn joined_left(
        &mut self,
        part: fn(&mut Self) -> Parsed<Expression>,
        operator: fn(Symbol) -> Option<Arithmetic>,
    ) -> Parsed<Expression> {
        let mut left = part(self)?;
        while let Some(value) = self.symbol_at(self.at).and_then(operator) {
            self.count_operator()?;
            let operator = Spanned { value, span: self.advance() };
            let right = part(self)?;
            left = Expression::Binary { operator, left: Box::new(left), right: Box::new(right) };
        }
        Ok(left)
    }

    /// Parses `-value`.
    fn negation(&mut self) -> Parsed<Expression> {
        if self.symbol_at(self.at) != Some(Symbol::Minus) {
            return self.power();
        }
        self.nested(|parser| {
            let minus = parser.advance();
            let value = parser.negation()?;
            let span = minus.to(parser.previous_span());
            Ok(Expression::Negate(Box::new(value), span))
        })
    }

    /// Parses `base ^ exponent`. Powers are joined from the right.
    fn power(&mut self) -> Parsed<Expression> {
        let left = self.primary()?;
        if self.symbol_at(self.at) != Some(Symbol::Caret) {
            return Ok(left);
        }
        self.nested(|parser| {
            let operator = Spanned { value: Arithmetic::Power, span: parser.advance() };
            let right = parser.negation()?;
            Ok(Expression::Binary { operator, left: Box::new(left), right: Box::new(right) })
        })
    }

    fn primary(&mut self) -> Parsed<Expression> {
        self.expect(Expected::Alias);
        self.expect(Expected::Function);
        self.expect(Expected::Value);
        if self.symbol_at(self.at) == Some(Symbol::Open) {
            return self.nested(|parser| {
                let open = parser.advance();
                let expression = parser.sum()?;
                parser.close(open)?;
                Ok(expression)
            });
        }
        if self.symbol_at(self.at + 1) == Some(Symbol::Open) && self.word_at(self.at).is_some() {
            return self.nested(Self::call);
        }
        if let Some(literal) = self.literal(false)? {
            return Ok(Expression::Literal(literal));
        }
        match self.kind() {
            TokenKind::Word if self.is_all_properties() => {
                let alias = self.name();
                self.advance();
                self.advance();
                Ok(Expression::AllProperties(alias))
            }
            TokenKind::Word
                if !is_reserved(self.text_at(self.at)) && !self.is_foreign_keyword()
                    || self.symbol_at(self.at + 1) == Some(Symbol::Dot)
                    || self.is_column() =>
            {
                Ok(Expression::Path(self.path()?))
            }
            TokenKind::Bracket(_) => Ok(Expression::Path(self.path()?)),
            _ => Err(self.unexpected()),
        }
    }

    /// Returns whether the current tokens are `alias.*`.
    fn is_all_properties(&self) -> bool {
        self.symbol_at(self.at + 1) == Some(Symbol::Dot) && self.symbol_at(self.at + 2) == Some(Symbol::Star)
    }

    /// Returns whether the current word is the name of a column, which `ORDER BY` can mention.
    fn is_column(&self) -> bool {
        let word = self.text_at(self.at);
        self.aliases.iter().any(|(name, owner)| *owner == Owner::Column && name == word)
    }

    fn call(&mut self) -> Parsed<Expression> {
        let function = self.name();
        let open = self.advance();
        let mut arguments = Vec::new();
        if !self.at_symbol(Symbol::Close) {
            loop {
                arguments.push(self.sum()?);
                if self.take_symbol(Symbol::Comma).is_none() {
                    break;
                }
            }
        }
        let close = self.close(open)?;
        let span = function.span.to(close);
        Ok(Expression::Call { function, arguments, span })
    }
}

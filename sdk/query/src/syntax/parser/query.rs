//! The query and its clauses.

use super::{Expected, Keyword, Owner, Parsed, Parser, Reported, Symbol};
use crate::syntax::token::TokenKind;
use crate::syntax::tree::{
    Expression, Literal, Node, OrderBy, OrderKey, Path, Query, Return, ReturnItem, Segment, Selector, Span, Spanned,
};

/// The clauses in their order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Clause {
    Steps,
    Where,
    Return,
    Order,
    /// `SKIP` and `LIMIT` in any order.
    Page,
}

impl Parser<'_> {
    /// Parses the whole text. The tree is complete only if there are no errors.
    pub(in crate::syntax) fn query(&mut self) -> Query {
        let (unique, head) = self.start().unwrap_or_else(|Reported| {
            self.skip_to_clause();
            let any = Spanned { value: Selector::Any, span: Span::default() };
            (None, Node { selector: any, filter: None, alias: None })
        });
        let mut query = Query {
            unique,
            head,
            steps: Vec::new(),
            condition: None,
            returns: None,
            order_by: None,
            skip: None,
            limit: None,
        };
        let mut last = Clause::Steps;
        loop {
            let before = self.at;
            match self.clause(&mut query, &mut last) {
                Ok(true) => {}
                Ok(false) => break,
                Err(Reported) => {
                    self.skip_to_clause();
                    self.skip_end_of_part();
                    if self.at == before {
                        self.advance();
                    }
                }
            }
        }
        if let Some(unique) = query.unique
            && query.returns.is_none()
            && self.diagnostics.is_empty()
        {
            let help = "Name the columns, such as RETURN User.email, or omit UNIQUE: a list has each entity once.";
            self.fail("UNIQUE without RETURN", unique, None, Some(help.to_owned()));
        }
        query
    }

    /// Parses `[FIND [UNIQUE]]` and the head.
    fn start(&mut self) -> Parsed<(Option<Span>, Node)> {
        let mut unique = None;
        if self.take_keyword(Keyword::Find).is_some() {
            unique = self.take_keyword(Keyword::Unique);
        } else if self.is_wrong_start() {
            if self.repair().is_none() {
                return Err(self.unexpected());
            }
            self.advance();
            unique = self.take_keyword(Keyword::Unique);
        }
        Ok((unique, self.head()?))
    }

    /// Returns whether the text starts with a word that is neither `FIND` nor a selector.
    ///
    /// Such a word would otherwise be a selector, and the error would be at the next word.
    fn is_wrong_start(&self) -> bool {
        let next = self.at + 1;
        self.word_at(self.at).is_some()
            && match self.kind_at(next) {
                TokenKind::Word => !is_clause_word(self.text_at(next)),
                TokenKind::Text(_) | TokenKind::Symbol(Symbol::Star | Symbol::Hash) => true,
                TokenKind::Symbol(Symbol::Open) => {
                    !self.is_keyword(next + 1, Keyword::That) && self.symbol_at(next + 1) != Some(Symbol::Open)
                }
                _ => false,
            }
    }

    /// Parses one step or clause, and checks the order of the clauses. Returns false at the end of the text.
    fn clause(&mut self, query: &mut Query, last: &mut Clause) -> Parsed<bool> {
        let Some(clause) = self.next_clause(*last, query) else {
            self.expect(Expected::End);
            if self.is_end() {
                return Ok(false);
            }
            if self.skip_consequences() {
                return Ok(true);
            }
            return match self.repair() {
                // The next round takes the word for the keyword.
                Some(
                    Keyword::That | Keyword::Where | Keyword::Return | Keyword::Order | Keyword::Skip | Keyword::Limit,
                ) => Ok(true),
                Some(Keyword::With) => {
                    self.advance();
                    self.condition().map(|_| true)
                }
                Some(_) => Err(Reported),
                None => Err(self.unexpected()),
            };
        };
        let is_again = match clause {
            Clause::Steps => false,
            Clause::Where => query.condition.is_some(),
            Clause::Return => query.returns.is_some(),
            Clause::Order => query.order_by.is_some(),
            Clause::Page if self.is_keyword(self.at, Keyword::Skip) => query.skip.is_some(),
            Clause::Page => query.limit.is_some(),
        };
        if is_again {
            self.expect(Expected::End);
            let help = format!("The query already has {}.", self.text_at(self.at).to_uppercase());
            self.unexpected_with(Some(help));
        } else if clause < *last {
            self.expect(Expected::End);
            self.unexpected();
        }
        *last = clause.max(*last);
        match clause {
            Clause::Steps => {
                let step = self.step()?;
                query.steps.push(step);
            }
            Clause::Where => {
                self.advance();
                self.owner = None;
                query.condition = Some(self.condition()?);
            }
            Clause::Return => {
                self.advance();
                query.returns = Some(self.returns()?);
            }
            Clause::Order => {
                self.advance();
                query.order_by = Some(self.order_by()?);
            }
            Clause::Page => {
                let is_skip = self.is_keyword(self.at, Keyword::Skip);
                self.advance();
                let number = self.whole_number()?;
                *(if is_skip { &mut query.skip } else { &mut query.limit }) = Some(number);
            }
        }
        Ok(true)
    }

    /// Skips parentheses that close those which an earlier error has left open. Returns whether there are any.
    fn skip_consequences(&mut self) -> bool {
        if self.last_error.is_none() || self.symbol_at(self.at) != Some(Symbol::Close) {
            return false;
        }
        let count = |symbol| (0..self.at).filter(|index| self.symbol_at(*index) == Some(symbol)).count();
        let open = count(Symbol::Open).saturating_sub(count(Symbol::Close));
        let end = self.at + open;
        while self.at < end && self.symbol_at(self.at) == Some(Symbol::Close) {
            self.advance();
        }
        open > 0
    }

    /// Skips `)? [AS alias]` of an optional part that has an error.
    fn skip_end_of_part(&mut self) {
        if self.symbol_at(self.at) == Some(Symbol::Close) && self.symbol_at(self.at + 1) == Some(Symbol::Question) {
            self.advance();
            self.advance();
            if self.is_keyword(self.at, Keyword::As) && self.word_at(self.at + 1).is_some() {
                self.advance();
                self.advance();
            }
        }
    }

    /// Returns the clause that starts at the current token.
    fn next_clause(&mut self, last: Clause, query: &Query) -> Option<Clause> {
        let keywords = [
            (Keyword::That, Clause::Steps),
            (Keyword::Where, Clause::Where),
            (Keyword::Return, Clause::Return),
            (Keyword::Order, Clause::Order),
            (Keyword::Skip, Clause::Page),
            (Keyword::Limit, Clause::Page),
        ];
        let mut found = None;
        for (keyword, clause) in keywords {
            let is_open = match keyword {
                Keyword::That => last == Clause::Steps,
                Keyword::Skip => query.skip.is_none(),
                Keyword::Limit => query.limit.is_none(),
                _ => clause > last,
            };
            if is_open {
                self.expect(Expected::Keyword(keyword));
            }
            if self.is_keyword(self.at, keyword) {
                found = Some(clause);
            }
        }
        if last == Clause::Steps && self.at_symbol(Symbol::Open) {
            found = Some(Clause::Steps);
        }
        found
    }

    /// Parses the columns after `RETURN`.
    fn returns(&mut self) -> Parsed<Return> {
        self.expect(Expected::Keyword(Keyword::Tree));
        let is_value = matches!(self.symbol_at(self.at + 1), Some(Symbol::Dot | Symbol::Open));
        if self.is_keyword(self.at, Keyword::Tree) && !is_value {
            let span = self.advance();
            if self.symbol_at(self.at) == Some(Symbol::Comma) || self.is_keyword(self.at, Keyword::As) {
                let help = "RETURN TREE returns all entities and relationships. It has no other columns.";
                return Err(self.unexpected_with(Some(help.to_owned())));
            }
            return Ok(Return::Tree(span));
        }
        let mut items = Vec::new();
        let mut failed = None;
        loop {
            match self.return_item() {
                Ok(item) => items.push(item),
                Err(reported) => {
                    failed = Some(reported);
                    self.skip_to_comma();
                }
            }
            if self.take_symbol(Symbol::Comma).is_none() {
                break;
            }
        }
        failed.map_or(Ok(Return::Items(items)), Err)
    }

    fn return_item(&mut self) -> Parsed<ReturnItem> {
        let start = self.span();
        let expression = self.expression()?;
        let span = start.to(self.previous_span());
        let alias = match self.take_keyword(Keyword::As) {
            Some(_) => Some(self.alias(true)?),
            None => None,
        };
        if let Some(alias) = &alias {
            self.aliases.push((alias.value.clone(), Owner::Column));
        }
        Ok(ReturnItem { text: expression.to_string(), expression, alias, span })
    }

    /// Skips to the next comma outside parentheses, or to the next clause.
    fn skip_to_comma(&mut self) {
        let mut depth = 0_usize;
        while !self.is_end() && !self.is_clause(self.at) {
            match self.symbol_at(self.at) {
                Some(Symbol::Comma) if depth == 0 => break,
                Some(Symbol::Open) => depth += 1,
                Some(Symbol::Close) => depth = depth.saturating_sub(1),
                _ => {}
            }
            self.advance();
        }
    }

    fn order_by(&mut self) -> Parsed<OrderBy> {
        if self.take_keyword(Keyword::By).is_none() {
            return Err(self.unexpected());
        }
        let mut keys = Vec::new();
        loop {
            let start = self.span();
            let expression = sort_value(self.expression()?);
            let span = start.to(self.previous_span());
            let descending =
                self.take_keyword(Keyword::Ascending).is_none() && self.take_keyword(Keyword::Descending).is_some();
            keys.push(OrderKey { expression, descending, span });
            if self.take_symbol(Symbol::Comma).is_none() {
                return Ok(OrderBy { keys });
            }
        }
    }

    /// Parses the number after `SKIP` or `LIMIT`.
    pub(super) fn whole_number(&mut self) -> Parsed<Spanned<u64>> {
        self.expect(Expected::Number);
        let expected = || Some("expected a whole number, 0 or more".to_owned());
        let span = self.span();
        if self.symbol_at(self.at) == Some(Symbol::Minus) && *self.kind_at(self.at + 1) == TokenKind::Number {
            let problem = format!("\"-{}\" is negative", self.text_at(self.at + 1));
            return Err(self.fail(&problem, span, expected(), None));
        }
        if *self.kind() != TokenKind::Number {
            return Err(self.unexpected());
        }
        match self.text_at(self.at).parse() {
            Ok(value) => {
                self.advance();
                Ok(Spanned { value, span })
            }
            Err(_) => {
                let problem = format!("\"{}\" is not a whole number", self.text_at(self.at));
                Err(self.fail(&problem, span, expected(), None))
            }
        }
    }
}

/// Returns the value of a sort key. A text in quotes is the name of a column, because a constant sorts nothing.
fn sort_value(expression: Expression) -> Expression {
    match expression {
        Expression::Literal(Spanned { value: Literal::Text(value), span }) => {
            let segment = Segment { name: Spanned { value, span }, bracketed: true };
            Expression::Path(Path { segments: vec![segment], span })
        }
        expression => expression,
    }
}

/// Returns whether a word can follow a selector.
fn is_clause_word(word: &str) -> bool {
    use Keyword::{As, Limit, Order, Return, Skip, That, Where, With};
    [With, As, That, Where, Return, Order, Skip, Limit].iter().any(|keyword| keyword.is(word))
}

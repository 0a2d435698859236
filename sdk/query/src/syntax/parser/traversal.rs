//! Selectors, steps, and optional parts.

use super::{Expected, Keyword, Owner, Parsed, Parser, Reported, Symbol};
use crate::syntax::keyword::is_structural;
use crate::syntax::token::TokenKind;
use crate::syntax::tree::{Condition, Direction, Hop, Name, Node, Optional, Selector, Span, Spanned, Step, Verbs};

impl Parser<'_> {
    /// Parses the first selector of a query, which can be a text to search for.
    pub(super) fn head(&mut self) -> Parsed<Node> {
        self.expect(Expected::Text);
        if let TokenKind::Text(text) = self.kind().clone() {
            let span = self.advance();
            return self.rest_of_node(Spanned { value: Selector::Text(text), span });
        }
        let selector = self.selector()?;
        self.rest_of_node(selector)
    }

    /// Parses the selector at the right end of a hop, with its filter and alias.
    fn target(&mut self) -> Parsed<Node> {
        let selector = self.selector()?;
        if selector.value == Selector::Any && (self.is_name() || *self.kind() == TokenKind::Number) {
            // THAT HAS*2 User: the star is not the selector.
            return Err(self.quantifier(selector.span));
        }
        self.rest_of_node(selector)
    }

    /// Parses the filter and the alias of a node, in any order.
    fn rest_of_node(&mut self, selector: Spanned<Selector>) -> Parsed<Node> {
        let owner = Owner::Entities(selector.value.clone());
        let mut node = Node { selector, filter: None, alias: None };
        loop {
            if node.filter.is_none() && self.at_keyword(Keyword::With) {
                node.filter = Some(self.filter(owner.clone())?);
            } else if node.alias.is_none() && self.take_keyword(Keyword::As).is_some() {
                node.alias = Some(self.alias(false)?);
            } else {
                break;
            }
        }
        match &node.alias {
            Some(alias) => self.aliases.push((alias.value.clone(), owner)),
            None => self.name_by_selector(&node.selector.value),
        }
        Ok(node)
    }

    /// Records that the class or type of a selector serves as its alias.
    fn name_by_selector(&mut self, selector: &Selector) {
        let names: &[Name] = match selector {
            Selector::Names(names) => names,
            Selector::Tagged { name, .. } => name.as_slice(),
            Selector::Any | Selector::Text(_) => &[],
        };
        if let [name] = names {
            self.aliases.push((name.value.clone(), Owner::Entities(selector.clone())));
        }
    }

    /// Parses `WITH condition`.
    fn filter(&mut self, owner: Owner) -> Parsed<Condition> {
        self.advance();
        self.owner = Some(owner);
        self.condition()
    }

    fn selector(&mut self) -> Parsed<Spanned<Selector>> {
        self.expect(Expected::Selector);
        let start = self.span();
        let value = match self.kind() {
            TokenKind::Symbol(Symbol::Star) => {
                self.advance();
                Selector::Any
            }
            TokenKind::Symbol(Symbol::Hash) => {
                self.advance();
                self.expect(Expected::Tag);
                if !self.is_name() {
                    return Err(self.unexpected());
                }
                let tag = self.name();
                let name = self.is_name().then(|| self.name());
                Selector::Tagged { tag, name }
            }
            TokenKind::Symbol(Symbol::Open) => {
                let open = self.advance();
                let names = self.alternatives(Expected::Selector)?;
                self.close(open)?;
                Selector::Names(names)
            }
            _ if self.is_name() && !self.is_foreign_keyword() => Selector::Names(vec![self.name()]),
            _ => return Err(self.unexpected()),
        };
        Ok(Spanned { value, span: start.to(self.previous_span()) })
    }

    /// Reports a quantifier.
    fn quantifier(&mut self, span: Span) -> Reported {
        let help = "J1QL has no steps of variable length. Write each step: THAT HAS … THAT HAS …, or ( THAT HAS … )? for \
                    one that may be missing.";
        self.fail("Unexpected quantifier", span, None, Some(help.to_owned()))
    }

    /// Returns whether the current token is a name that does not start a clause.
    fn is_name(&self) -> bool {
        self.word_at(self.at).is_some_and(|word| !is_structural(word)) && !self.is_clause(self.at)
    }

    /// Parses `A|B`, within parentheses.
    fn alternatives(&mut self, expected: Expected) -> Parsed<Vec<Name>> {
        let mut names = Vec::new();
        loop {
            self.expect(expected.clone());
            if self.word_at(self.at).is_none() || self.is_foreign_keyword() {
                return Err(self.unexpected());
            }
            names.push(self.name());
            if self.take_symbol(Symbol::Pipe).is_none() {
                return Ok(names);
            }
        }
    }

    /// Parses `THAT …` or `( THAT … )?`.
    pub(super) fn step(&mut self) -> Parsed<Step> {
        if self.symbol_at(self.at) == Some(Symbol::Open) {
            return self.nested(|parser| Ok(Step::Optional(parser.optional()?)));
        }
        Ok(Step::Hop(Box::new(self.hop()?)))
    }

    /// Parses `( THAT … )? [AS alias]`.
    fn optional(&mut self) -> Parsed<Optional> {
        let open = self.advance();
        let mut steps = Vec::new();
        let mut has_hop = false;
        let mut failed = None;
        loop {
            let is_part = self.at_symbol(Symbol::Open);
            if self.at_keyword(Keyword::That) || is_part {
                has_hop |= !is_part;
                match self.step() {
                    Ok(step) => steps.push(step),
                    Err(reported) => {
                        self.skip_to_clause();
                        failed = Some(reported);
                    }
                }
            } else if has_hop {
                break;
            } else {
                return Err(self.unexpected());
            }
        }
        self.close(open)?;
        if self.take_symbol(Symbol::Question).is_none() {
            if matches!(self.symbol_at(self.at), Some(Symbol::Star | Symbol::Plus)) {
                return Err(self.quantifier(self.span()));
            }
            return Err(self.unexpected());
        }
        let alias = match self.take_keyword(Keyword::As) {
            Some(_) => Some(self.alias(false)?),
            None => None,
        };
        if let Some(alias) = &alias {
            self.aliases.push((alias.value.clone(), Owner::Part));
        }
        if let Some(reported) = failed {
            return Err(reported);
        }
        Ok(Optional { steps, alias, span: open.to(self.previous_span()) })
    }

    /// Parses `THAT [!] verb [direction] [TO] [AS alias] [WITH condition] node`.
    fn hop(&mut self) -> Parsed<Hop> {
        let start = self.advance();
        let negated = self.take_symbol(Symbol::Bang);
        let verbs = self.verbs()?;
        let mut direction = self.direction();
        let is_any = verbs.value == Verbs::Any;
        if !is_any && self.is_keyword(self.at, Keyword::To) {
            self.advance();
        }
        if direction == Direction::Either {
            direction = self.direction();
        }
        let owner = Owner::Relationships(verbs.value.clone());
        let relationship = match self.take_keyword(Keyword::As) {
            Some(_) => Some(self.alias(false)?),
            None => None,
        };
        let relationship_filter = if self.at_keyword(Keyword::With) { Some(self.filter(owner.clone())?) } else { None };
        if let Some(alias) = &relationship {
            self.aliases.push((alias.value.clone(), owner));
        }
        let node = self.target()?;
        let span = start.to(self.previous_span());
        Ok(Hop { negated, verbs, direction, relationship, relationship_filter, node, span })
    }

    fn direction(&mut self) -> Direction {
        if self.take_symbol(Symbol::Forward).is_some() {
            Direction::Forward
        } else if self.take_symbol(Symbol::Backward).is_some() {
            Direction::Backward
        } else {
            Direction::Either
        }
    }

    fn verbs(&mut self) -> Parsed<Spanned<Verbs>> {
        self.expect(Expected::Verb);
        let start = self.span();
        if self.at_keyword(Keyword::Relates) {
            return self.relates(start);
        }
        let verbs = if self.symbol_at(self.at) == Some(Symbol::Open) {
            let open = self.advance();
            let names = self.alternatives(Expected::Verb)?;
            self.close(open)?;
            names
        } else if self.is_name() && !self.text_at(self.at).eq_ignore_ascii_case("not") {
            vec![self.name()]
        } else {
            return Err(self.unexpected());
        };
        Ok(Spanned { value: Verbs::Of(verbs), span: start.to(self.previous_span()) })
    }

    /// Parses `RELATES TO`.
    fn relates(&mut self, start: Span) -> Parsed<Spanned<Verbs>> {
        self.advance();
        if self.take_keyword(Keyword::To).is_none() {
            return Err(self.unexpected());
        }
        Ok(Spanned { value: Verbs::Any, span: start.to(self.previous_span()) })
    }
}

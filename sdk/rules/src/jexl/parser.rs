//! The parser of expressions.

use std::ops::Range;

use serde_json::Value;

use super::error::Error;
use super::lexer::{Lexeme, Lexer, Token};
use super::syntax::{Binary, Expr, Node};
use super::transform::Transform;
use super::values::number;

/// The maximum height of an expression. The evaluation is recursive.
const MAX_HEIGHT: usize = 120;

/// The maximum number of brackets inside brackets, which cost the parser more stack than the evaluation.
const MAX_NESTING: usize = 50;

/// Parses the expression at a position. Returns it, and the position after it and after the `}}` of a template.
pub(super) fn parse(source: &str, at: usize, in_template: bool) -> Result<(Expr, usize), Error> {
    let mut lexer = Lexer::new(source, at, in_template);
    let current = lexer.next()?;
    let mut parser = Parser { source, lexer, current, depth: 0, filters: 0 };
    let expression = parser.conditional()?;
    match parser.current.token {
        Token::End => Ok((expression, parser.current.span.end)),
        _ => Err(parser.unexpected("an operator or the end of the expression")),
    }
}

struct Parser<'s> {
    source: &'s str,
    lexer: Lexer<'s>,
    current: Lexeme,
    /// The number of enclosing calls of [`Parser::conditional`] and of unary operators.
    depth: usize,
    /// The number of enclosing brackets after a value, in which `.name` is a member of an element.
    filters: usize,
}

impl Parser<'_> {
    fn advance(&mut self) -> Result<Lexeme, Error> {
        let next = self.lexer.next()?;
        Ok(std::mem::replace(&mut self.current, next))
    }

    fn unexpected(&self, expected: &str) -> Error {
        let Lexeme { token, span } = &self.current;
        let found = match token {
            Token::End => "Unexpected end of the expression".to_owned(),
            _ => format!("Unexpected token \"{}\"", shown(self.source, span)),
        };
        Error::new(format!("{found}, expected {expected}"), span.clone(), self.source)
    }

    fn expect(&mut self, token: &Token, expected: &str) -> Result<Lexeme, Error> {
        if self.current.token == *token { self.advance() } else { Err(self.unexpected(expected)) }
    }

    fn accept(&mut self, token: &Token) -> Result<bool, Error> {
        let is_next = self.current.token == *token;
        if is_next {
            self.advance()?;
        }
        Ok(is_next)
    }

    fn name(&mut self, expected: &str) -> Result<(String, Range<usize>), Error> {
        let name = match &self.current.token {
            Token::Name(name) => name.clone(),
            // `in` is a name where no operator can be.
            Token::Operator(Binary::In) => "in".to_owned(),
            _ => return Err(self.unexpected(expected)),
        };
        Ok((name, self.advance()?.span))
    }

    fn node(&self, node: Node, span: Range<usize>, below: usize) -> Result<Expr, Error> {
        if below >= MAX_HEIGHT {
            return Err(self.too_deep(MAX_HEIGHT, span));
        }
        Ok(Expr { node, span, height: below + 1 })
    }

    fn too_deep(&self, most: usize, span: Range<usize>) -> Error {
        Error::new(format!("The expression is nested more than {most} levels deep"), span, self.source)
    }

    fn nested<T>(&mut self, parse: impl FnOnce(&mut Self) -> Result<T, Error>) -> Result<T, Error> {
        if self.depth >= MAX_NESTING {
            return Err(self.too_deep(MAX_NESTING, self.current.span.clone()));
        }
        self.depth += 1;
        let result = parse(self);
        self.depth -= 1;
        result
    }

    /// Parses `a ? b : c`, `a ?: b`, and everything that binds stronger.
    fn conditional(&mut self) -> Result<Expr, Error> {
        self.nested(|parser| {
            let condition = parser.binary(0)?;
            if !parser.accept(&Token::Question)? {
                return Ok(condition);
            }
            let then = if parser.current.token == Token::Colon { None } else { Some(Box::new(parser.conditional()?)) };
            parser.expect(&Token::Colon, "`:`")?;
            let otherwise = parser.conditional()?;
            let span = condition.span.start..otherwise.span.end;
            let below = then.as_ref().map_or(0, |then| then.height).max(condition.height).max(otherwise.height);
            parser.node(Node::Conditional(Box::new(condition), then, Box::new(otherwise)), span, below)
        })
    }

    fn binary(&mut self, least: u8) -> Result<Expr, Error> {
        let mut left = self.unary()?;
        loop {
            let operator = match self.current.token {
                Token::Operator(operator) => operator,
                Token::Minus => Binary::Subtract,
                _ => return Ok(left),
            };
            if operator.rank() <= least {
                return Ok(left);
            }
            self.advance()?;
            let right = self.binary(operator.rank())?;
            let (span, below) = (left.span.start..right.span.end, left.height.max(right.height));
            left = self.node(Node::Binary(operator, Box::new(left), Box::new(right)), span, below)?;
        }
    }

    fn unary(&mut self) -> Result<Expr, Error> {
        let make = match self.current.token {
            Token::Not => Node::Not,
            Token::Minus => Node::Negate,
            _ => return self.postfix(),
        };
        let start = self.advance()?.span.start;
        let operand = self.nested(Self::unary)?;
        let (span, below) = (start..operand.span.end, operand.height);
        self.node(make(Box::new(operand)), span, below)
    }

    fn postfix(&mut self) -> Result<Expr, Error> {
        let mut subject = self.primary()?;
        loop {
            let (start, below) = (subject.span.start, subject.height);
            subject = match self.current.token {
                Token::Dot => {
                    self.advance()?;
                    let (name, span) = self.name("the name of a member")?;
                    self.node(Node::Member(Box::new(subject), name), start..span.end, below)?
                }
                Token::Open('[') => {
                    self.advance()?;
                    self.filters += 1;
                    let inner = self.conditional();
                    self.filters -= 1;
                    let inner = inner?;
                    let end = self.expect(&Token::Close(']'), "`]`")?.span.end;
                    let below = below.max(inner.height);
                    let make = if is_relative(&inner) { Node::Filter } else { Node::Index };
                    self.node(make(Box::new(subject), Box::new(inner)), start..end, below)?
                }
                Token::Pipe => self.transform(subject)?,
                _ => return Ok(subject),
            };
        }
    }

    fn transform(&mut self, subject: Expr) -> Result<Expr, Error> {
        self.advance()?;
        let (name, mut span) = self.name("the name of a transform")?;
        let Some(transform) = Transform::named(&name) else {
            let known = Transform::ALL.map(Transform::name).join(", ");
            let message = format!("There is no transform \"{name}\", expected one of: {known}");
            return Err(Error::new(message, span, self.source));
        };
        let mut arguments = Vec::new();
        if self.accept(&Token::Open('('))? {
            let (list, end) = self.list(')')?;
            (arguments, span.end) = (list, end);
        }
        if !transform.takes(arguments.len()) {
            let message = format!("`{name}` takes {}, found {}", transform.arguments(), arguments.len());
            return Err(Error::new(message, span, self.source));
        }
        let below = arguments.iter().map(|argument| argument.height).fold(subject.height, usize::max);
        let span = subject.span.start..span.end;
        self.node(Node::Transform(transform, Box::new(subject), arguments), span, below)
    }

    /// Parses expressions up to a closing bracket.
    fn list(&mut self, close: char) -> Result<(Vec<Expr>, usize), Error> {
        let mut list = Vec::new();
        let close = Token::Close(close);
        while self.current.token != close {
            list.push(self.conditional()?);
            if !self.accept(&Token::Comma)? {
                break;
            }
        }
        let end = self.expect(&close, "`,` or the closing bracket")?.span.end;
        Ok((list, end))
    }

    fn primary(&mut self) -> Result<Expr, Error> {
        let Lexeme { token, span } = self.current.clone();
        let literal = |value| Ok(Expr { node: Node::Literal(value), span: span.clone(), height: 1 });
        match token {
            Token::Number(value) => {
                self.advance()?;
                literal(number(value))
            }
            Token::Text(text) => {
                self.advance()?;
                literal(Value::String(text))
            }
            Token::Name(name) => {
                self.advance()?;
                match name.as_str() {
                    "true" => literal(Value::Bool(true)),
                    "false" => literal(Value::Bool(false)),
                    "null" | "undefined" => literal(Value::Null),
                    _ => self.node(Node::Name(name), span, 0),
                }
            }
            Token::Dot if self.filters > 0 => {
                self.advance()?;
                let (name, end) = self.name("the name of a member")?;
                self.node(Node::Relative(name), span.start..end.end, 0)
            }
            Token::Open('(') => {
                self.advance()?;
                let inner = self.conditional()?;
                self.expect(&Token::Close(')'), "`)`")?;
                Ok(inner)
            }
            Token::Open('[') => {
                self.advance()?;
                let (list, end) = self.list(']')?;
                let below = list.iter().map(|element| element.height).max().unwrap_or(0);
                self.node(Node::List(list), span.start..end, below)
            }
            Token::Open('{') => self.object(span.start),
            _ => Err(self.unexpected("a value")),
        }
    }

    fn object(&mut self, start: usize) -> Result<Expr, Error> {
        self.advance()?;
        let mut members = Vec::new();
        while self.current.token != Token::Close('}') {
            let name = if let Token::Text(name) = &self.current.token {
                let name = name.clone();
                self.advance()?;
                name
            } else {
                self.name("the name of a member")?.0
            };
            self.expect(&Token::Colon, "`:`")?;
            members.push((name, self.conditional()?));
            if !self.accept(&Token::Comma)? {
                break;
            }
        }
        let end = self.expect(&Token::Close('}'), "`,` or `}`")?.span.end;
        let below = members.iter().map(|(_, member)| member.height).max().unwrap_or(0);
        self.node(Node::Object(members), start..end, below)
    }
}

fn shown(source: &str, span: &Range<usize>) -> String {
    let text: String = source[span.clone()].chars().take(40).collect();
    text.escape_debug().to_string().replace("\\'", "'")
}

/// Returns whether an expression refers to the element that a filter inspects.
fn is_relative(expression: &Expr) -> bool {
    match &expression.node {
        Node::Relative(_) => true,
        Node::Literal(_) | Node::Name(_) => false,
        Node::List(list) => list.iter().any(is_relative),
        Node::Object(members) => members.iter().any(|(_, member)| is_relative(member)),
        Node::Member(subject, _) | Node::Not(subject) | Node::Negate(subject) => is_relative(subject),
        // The brackets of an inner filter refer to its own elements.
        Node::Filter(subject, _) => is_relative(subject),
        Node::Index(left, right) | Node::Binary(_, left, right) => is_relative(left) || is_relative(right),
        Node::Conditional(condition, then, otherwise) => {
            is_relative(condition) || then.as_deref().is_some_and(is_relative) || is_relative(otherwise)
        }
        Node::Transform(_, subject, arguments) => is_relative(subject) || arguments.iter().any(is_relative),
    }
}

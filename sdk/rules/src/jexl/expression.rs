//! A parsed expression.

use std::sync::Arc;

use serde_json::Value;

use super::error::Error;
use super::eval::{Frame, Machine};
use super::parser::parse;
use super::scope::Environment;
use super::syntax::Expr;

/// A parsed expression.
#[derive(Debug, Clone, PartialEq)]
pub struct Expression {
    source: Arc<str>,
    root: Expr,
}

impl Expression {
    /// Parses a text that is an expression without `{{` and `}}`.
    ///
    /// # Errors
    /// [`Error`] with the place of the first wrong token.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let (root, _) = parse(text, 0, false)?;
        Ok(Self { source: text.into(), root })
    }

    /// Creates an expression from a part of a template.
    pub(crate) fn from_part(source: &str, root: Expr) -> Self {
        Self { source: source.into(), root }
    }

    /// Creates an error about the whole expression.
    pub(crate) fn error(&self, message: &str) -> Error {
        Error::new(message, self.root.span.clone(), &self.source)
    }

    pub(super) fn root(&self) -> &Expr {
        &self.root
    }

    /// Evaluates the expression.
    ///
    /// # Errors
    /// [`Error`] if a transform gets an unsuitable value, or if the evaluation exceeds its limits.
    pub fn evaluate(&self, environment: &Environment<'_>) -> Result<Value, Error> {
        let frame = Frame::new(environment.scope, &self.source);
        Ok(Machine::new(environment).evaluate(&self.root, &frame)?.into_owned())
    }
}

//! Texts with expressions between `{{` and `}}`.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::error::Error;
use super::parser::parse;
use super::syntax::Expr;

/// The named templates of a rule.
pub type Templates = BTreeMap<String, Template>;

/// A parsed text with expressions.
#[derive(Debug, Clone, PartialEq)]
pub struct Template {
    source: Arc<str>,
    /// Literal texts, each followed by an expression; only the last one may lack it.
    parts: Vec<(String, Option<Expr>)>,
}

impl Template {
    /// Parses a text.
    ///
    /// # Errors
    /// [`Error`] with the place of the first wrong token.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let mut parts = Vec::new();
        let mut at = 0;
        while let Some(open) = text[at..].find("{{") {
            let (expression, end) = parse(text, at + open + 2, true)?;
            parts.push((text[at..at + open].to_owned(), Some(expression)));
            at = end;
        }
        if at < text.len() || parts.is_empty() {
            parts.push((text[at..].to_owned(), None));
        }
        Ok(Self { source: text.into(), parts })
    }

    /// Returns whether the text contains no expression.
    pub fn is_literal(&self) -> bool {
        self.parts.iter().all(|(_, expression)| expression.is_none())
    }

    /// Returns the text that the template was parsed from.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Returns the expression if the template is exactly one.
    pub(crate) fn only(&self) -> Option<&Expr> {
        let is_blank = |text: &str| text.trim().is_empty();
        match self.parts.as_slice() {
            [(before, Some(expression))] if is_blank(before) => Some(expression),
            [(before, Some(expression)), (after, None)] if is_blank(before) && is_blank(after) => Some(expression),
            _ => None,
        }
    }

    pub(crate) fn parts(&self) -> impl Iterator<Item = (&str, Option<&Expr>)> {
        self.parts.iter().map(|(text, expression)| (text.as_str(), expression.as_ref()))
    }
}

/// A JSON value whose texts are templates, at any depth. Names of members are not.
#[derive(Debug, Clone, PartialEq)]
pub enum JsonTemplate {
    /// A value without expressions.
    Fixed(Value),
    /// A text with expressions.
    Text(Template),
    /// A list with expressions.
    List(Vec<JsonTemplate>),
    /// An object with expressions.
    Object(Vec<(String, JsonTemplate)>),
}

impl JsonTemplate {
    /// Parses the texts of a value.
    ///
    /// # Errors
    /// [`Error`] of the first text that is no template.
    pub fn parse(value: &Value) -> Result<Self, Error> {
        let is_fixed = |part: &Self| matches!(part, Self::Fixed(_));
        Ok(match value {
            Value::String(text) => {
                let template = Template::parse(text)?;
                if template.is_literal() { Self::Fixed(value.clone()) } else { Self::Text(template) }
            }
            Value::Array(elements) => {
                let parts = elements.iter().map(Self::parse).collect::<Result<Vec<_>, _>>()?;
                if parts.iter().all(is_fixed) { Self::Fixed(value.clone()) } else { Self::List(parts) }
            }
            Value::Object(members) => {
                let parse = |(name, member): (&String, &Value)| Ok((name.clone(), Self::parse(member)?));
                let parts = members.iter().map(parse).collect::<Result<Vec<_>, _>>()?;
                if parts.iter().all(|(_, part)| is_fixed(part)) {
                    Self::Fixed(value.clone())
                } else {
                    Self::Object(parts)
                }
            }
            other => Self::Fixed(other.clone()),
        })
    }
}

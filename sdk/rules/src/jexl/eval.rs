//! The evaluation of an expression.

use std::borrow::Cow;
use std::collections::HashSet;

use serde_json::{Map, Value};

use super::arithmetic::{apply, negate};
use super::error::Error;
use super::rows::row_property;
use super::scope::{Environment, Limits, Scope};
use super::syntax::{Binary, Expr, Node};
use super::template::{Template, Templates};
use super::transform::Transform;
use super::values::{is_true, push_text, text_weight, to_number, weight};

/// The maximum number of templates that call each other.
const MAX_CALLS: usize = 8;

/// The work of the copy of one unit, so that the bound of work is also one of memory.
const COPY: u64 = 8;

/// The maximum number of expressions inside expressions, over all called templates.
const MAX_DEPTH: usize = 150;

/// The names that an expression sees.
#[derive(Clone, Copy)]
pub(super) struct Frame<'v> {
    pub scope: Scope<'v>,
    /// The element that a filter inspects.
    element: Option<&'v Value>,
    /// The row that a called template describes.
    item: Option<&'v Value>,
    /// The source of the expression, for errors.
    pub source: &'v str,
}

impl<'v> Frame<'v> {
    pub(super) fn new(scope: Scope<'v>, source: &'v str) -> Self {
        Self { scope, element: None, item: None, source }
    }
}

/// One evaluation, with the work that it may still do.
pub(super) struct Machine<'t> {
    templates: &'t Templates,
    limits: Limits,
    work: u64,
    calls: usize,
    depth: usize,
}

type Evaluated<'v> = Result<Cow<'v, Value>, Error>;

impl<'t> Machine<'t> {
    pub(super) fn new(environment: &Environment<'t>) -> Self {
        let Environment { templates, limits, .. } = *environment;
        Self { templates, limits, work: limits.work, calls: 0, depth: 0 }
    }

    /// Accounts for work.
    fn spend(&mut self, units: u64, expression: &Expr, frame: &Frame<'_>) -> Result<(), Error> {
        match self.work.checked_sub(units) {
            Some(left) => {
                self.work = left;
                Ok(())
            }
            None => {
                let message = format!("The expression needs more than {} steps", self.limits.work);
                Err(Error::new(message, expression.span.clone(), frame.source))
            }
        }
    }

    fn own(&mut self, value: Cow<'_, Value>, expression: &Expr, frame: &Frame<'_>) -> Result<Value, Error> {
        if let Cow::Borrowed(value) = value {
            self.spend(weight(value).saturating_mul(COPY), expression, frame)?;
        }
        Ok(value.into_owned())
    }

    pub(super) fn evaluate<'v>(&mut self, expression: &'v Expr, frame: &Frame<'v>) -> Evaluated<'v> {
        self.spend(1, expression, frame)?;
        if self.depth >= MAX_DEPTH {
            let message = format!("The called templates are nested more than {MAX_DEPTH} levels deep");
            return Err(Error::new(message, expression.span.clone(), frame.source));
        }
        self.depth += 1;
        let value = self.node(expression, frame);
        self.depth -= 1;
        value
    }

    fn node<'v>(&mut self, expression: &'v Expr, frame: &Frame<'v>) -> Evaluated<'v> {
        match &expression.node {
            Node::Literal(value) => Ok(Cow::Borrowed(value)),
            Node::Name(name) => Ok(self.name(name, frame)),
            Node::Relative(name) => Ok(frame.element.map_or(Cow::Owned(Value::Null), |element| {
                row_property(element, name).map_or(Cow::Owned(Value::Null), Cow::Borrowed)
            })),
            Node::Member(subject, name) => self.member(subject, name, frame),
            Node::Index(subject, index) => self.index(subject, index, frame),
            Node::Filter(subject, condition) => self.filter(subject, condition, frame),
            Node::Not(operand) => Ok(Cow::Owned(Value::Bool(!is_true(&*self.evaluate(operand, frame)?)))),
            Node::Negate(operand) => Ok(Cow::Owned(negate(&*self.evaluate(operand, frame)?))),
            Node::Binary(operator, left, right) => self.binary(expression, *operator, (left, right), frame),
            Node::Conditional(condition, then, otherwise) => {
                let value = self.evaluate(condition, frame)?;
                match (is_true(&value), then) {
                    (true, None) => Ok(value),
                    (true, Some(then)) => self.evaluate(then, frame),
                    (false, _) => self.evaluate(otherwise, frame),
                }
            }
            Node::List(elements) => {
                let elements = elements.iter().map(|element| self.owned(element, frame));
                Ok(Cow::Owned(Value::Array(elements.collect::<Result<_, _>>()?)))
            }
            Node::Object(members) => {
                let mut object = Map::new();
                for (name, member) in members {
                    object.insert(name.clone(), self.owned(member, frame)?);
                }
                Ok(Cow::Owned(Value::Object(object)))
            }
            Node::Transform(transform, subject, arguments) => {
                self.transform(expression, *transform, (subject, arguments), frame)
            }
        }
    }

    fn owned<'v>(&mut self, expression: &'v Expr, frame: &Frame<'v>) -> Result<Value, Error> {
        let value = self.evaluate(expression, frame)?;
        self.own(value, expression, frame)
    }

    fn name<'v>(&self, name: &str, frame: &Frame<'v>) -> Cow<'v, Value> {
        let item = if name == "item" { frame.item } else { None };
        item.or_else(|| frame.scope.get(name)).map_or(Cow::Owned(Value::Null), Cow::Borrowed)
    }

    fn member<'v>(&mut self, subject: &'v Expr, name: &str, frame: &Frame<'v>) -> Evaluated<'v> {
        if let (Node::Name(subject), Some(item)) = (&subject.node, frame.item)
            && subject == "item"
        {
            return Ok(row_property(item, name).map_or(Cow::Owned(Value::Null), Cow::Borrowed));
        }
        Ok(member_of(self.evaluate(subject, frame)?, name))
    }

    fn index<'v>(&mut self, subject: &'v Expr, index: &'v Expr, frame: &Frame<'v>) -> Evaluated<'v> {
        let value = self.evaluate(subject, frame)?;
        let index = self.evaluate(index, frame)?;
        Ok(match &*index {
            Value::Bool(true) => value,
            Value::String(name) => match (&subject.node, frame.item) {
                (Node::Name(subject), Some(item)) if subject == "item" => {
                    row_property(item, name).map_or(Cow::Owned(Value::Null), Cow::Borrowed)
                }
                _ => member_of(value, name),
            },
            index => match to_number(index) {
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "the sign and the fraction are checked"
                )]
                Some(at) if at >= 0.0 && at.fract() == 0.0 => element_of(value, at as usize),
                _ => Cow::Owned(Value::Null),
            },
        })
    }

    fn filter<'v>(&mut self, subject: &'v Expr, condition: &'v Expr, frame: &Frame<'v>) -> Evaluated<'v> {
        let value = self.evaluate(subject, frame)?;
        let elements = match value {
            Cow::Borrowed(Value::Array(elements)) => elements.iter().map(Cow::Borrowed).collect(),
            Cow::Owned(Value::Array(elements)) => elements.into_iter().map(Cow::Owned).collect(),
            Cow::Borrowed(Value::Null) | Cow::Owned(Value::Null) => Vec::new(),
            single => vec![single],
        };
        let mut kept = Vec::new();
        for element in elements {
            let inner = Frame { element: Some(&*element), ..*frame };
            if is_true(&*self.evaluate(condition, &inner)?) {
                kept.push(self.own(element, subject, frame)?);
            }
        }
        Ok(Cow::Owned(Value::Array(kept)))
    }

    fn binary<'v>(
        &mut self,
        whole: &Expr,
        operator: Binary,
        (left, right): (&'v Expr, &'v Expr),
        frame: &Frame<'v>,
    ) -> Evaluated<'v> {
        let first = self.evaluate(left, frame)?;
        match operator {
            Binary::And if !is_true(&first) => return Ok(first),
            Binary::Or if is_true(&first) => return Ok(first),
            Binary::And | Binary::Or => return self.evaluate(right, frame),
            _ => {}
        }
        let second = self.evaluate(right, frame)?;
        Ok(Cow::Owned(self.apply(whole, operator, &first, &second, frame)?))
    }

    /// Applies an operator to two values, and accounts for it.
    pub(super) fn apply(
        &mut self,
        whole: &Expr,
        operator: Binary,
        first: &Value,
        second: &Value,
        frame: &Frame<'_>,
    ) -> Result<Value, Error> {
        if matches!(operator, Binary::Add | Binary::In | Binary::Equal | Binary::NotEqual) {
            // These inspect or copy whole texts and lists.
            let is_large = |value: &Value| matches!(value, Value::String(_) | Value::Array(_) | Value::Object(_));
            let cost = |value: &Value| if is_large(value) { weight(value) } else { 1 };
            self.spend(cost(first).saturating_add(cost(second)), whole, frame)?;
        }
        Ok(apply(operator, first, second))
    }

    fn transform<'v>(
        &mut self,
        whole: &Expr,
        transform: Transform,
        (subject, arguments): (&'v Expr, &'v [Expr]),
        frame: &Frame<'v>,
    ) -> Evaluated<'v> {
        if transform == Transform::MapTemplate {
            let mut texts = Vec::new();
            self.each_row(whole, subject, &arguments[0], frame, &mut |machine, template, inner| {
                texts.push(machine.render(template, inner)?);
                Ok(())
            })?;
            return Ok(Cow::Owned(Value::Array(texts)));
        }
        let value = self.evaluate(subject, frame)?;
        let result = match transform {
            Transform::MapTemplate => Value::Null,
            Transform::Length => Value::from(length(&value)),
            Transform::Join => {
                let separator = match arguments.first() {
                    Some(argument) => self.text(argument, frame)?,
                    None => ",".to_owned(),
                };
                self.join(whole, list(&value, subject, transform, frame)?, &separator, frame)?
            }
            Transform::Merge => {
                let mut merged = Vec::new();
                self.extend(&mut merged, list(&value, subject, transform, frame)?, whole, frame)?;
                for argument in arguments {
                    let further = self.evaluate(argument, frame)?;
                    self.extend(&mut merged, list(&further, argument, transform, frame)?, whole, frame)?;
                }
                Value::Array(merged)
            }
            Transform::MapProperty => {
                let names =
                    arguments.iter().map(|argument| self.text(argument, frame)).collect::<Result<Vec<_>, _>>()?;
                self.map_property(whole, list(&value, subject, transform, frame)?, &names, frame)?
            }
            Transform::UniquePropertyValues => {
                let name = self.text(&arguments[0], frame)?;
                let mut seen = HashSet::new();
                let mut unique = Vec::new();
                for row in list(&value, subject, transform, frame)? {
                    let Some(property) = row_property(row, &name).filter(|property| !property.is_null()) else {
                        continue;
                    };
                    self.spend(1 + weight(property), whole, frame)?;
                    if seen.insert(property.to_string()) {
                        unique.push(property.clone());
                    }
                }
                Value::Array(unique)
            }
        };
        Ok(Cow::Owned(result))
    }

    fn text<'v>(&mut self, expression: &'v Expr, frame: &Frame<'v>) -> Result<String, Error> {
        match self.owned(expression, frame)? {
            Value::String(text) => Ok(text),
            other => {
                let message = format!("Expected a text, found {}", kind(&other));
                Err(Error::new(message, expression.span.clone(), frame.source))
            }
        }
    }

    fn join(&mut self, whole: &Expr, list: &[Value], separator: &str, frame: &Frame<'_>) -> Result<Value, Error> {
        let mut text = String::new();
        for (at, element) in list.iter().enumerate() {
            self.spend(weight(element).saturating_add(text_weight(separator.len())), whole, frame)?;
            if at > 0 {
                text.push_str(separator);
            }
            push_text(&mut text, element);
            self.bound(&text, whole, frame)?;
        }
        Ok(Value::String(text))
    }

    pub(super) fn bound(&self, text: &str, whole: &Expr, frame: &Frame<'_>) -> Result<(), Error> {
        if text.len() <= self.limits.output {
            return Ok(());
        }
        let message = format!("The text is longer than {} bytes", self.limits.output);
        Err(Error::new(message, whole.span.clone(), frame.source))
    }

    fn extend(&mut self, into: &mut Vec<Value>, list: &[Value], whole: &Expr, frame: &Frame<'_>) -> Result<(), Error> {
        for element in list {
            self.spend(weight(element).saturating_mul(COPY), whole, frame)?;
            into.push(element.clone());
        }
        Ok(())
    }

    fn map_property(
        &mut self,
        whole: &Expr,
        rows: &[Value],
        names: &[String],
        frame: &Frame<'_>,
    ) -> Result<Value, Error> {
        let mut mapped = Vec::new();
        for row in rows {
            let mut property = |name: &String| {
                let value = row_property(row, name).unwrap_or(&Value::Null);
                self.spend(weight(value).saturating_mul(COPY), whole, frame)?;
                Ok(value.clone())
            };
            mapped.push(if let [name] = names {
                property(name)?
            } else {
                let members = names.iter().map(|name| Ok((name.clone(), property(name)?)));
                Value::Object(members.collect::<Result<_, Error>>()?)
            });
        }
        Ok(Value::Array(mapped))
    }

    /// Calls a function for each row of `mapTemplate`, with the template and the names that it sees.
    pub(super) fn each_row<'v>(
        &mut self,
        whole: &Expr,
        subject: &'v Expr,
        name: &'v Expr,
        frame: &Frame<'v>,
        act: &mut dyn FnMut(&mut Self, &Template, &Frame<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let value = self.evaluate(subject, frame)?;
        let named = self.text(name, frame)?;
        let templates = self.templates;
        let Some(template) = templates.get(&named) else {
            let message = format!("The rule has no template \"{}\"", named.escape_debug());
            return Err(Error::new(message, name.span.clone(), frame.source));
        };
        let rows = list(&value, subject, Transform::MapTemplate, frame)?;
        if self.calls >= MAX_CALLS {
            let message = format!("More than {MAX_CALLS} templates call each other");
            return Err(Error::new(message, whole.span.clone(), frame.source));
        }
        self.calls += 1;
        let count = Value::from(rows.len());
        for (at, row) in rows.iter().enumerate() {
            self.spend(1, whole, frame)?;
            let locals = [("itemIndex".to_owned(), Value::from(at)), ("itemCount".to_owned(), count.clone())];
            let scope = frame.scope.with(&locals);
            act(self, template, &Frame { scope, element: None, item: Some(row), source: template.source() })?;
        }
        self.calls -= 1;
        Ok(())
    }

    /// Accounts for a value that is written as a text.
    pub(super) fn spend_text(&mut self, value: &Value, expression: &Expr, frame: &Frame<'_>) -> Result<(), Error> {
        self.spend(weight(value), expression, frame)
    }

    /// Returns the elements of a list. A missing list is empty.
    pub(super) fn elements<'v>(
        &self,
        value: &'v Value,
        expression: &Expr,
        transform: Transform,
        frame: &Frame<'_>,
    ) -> Result<&'v [Value], Error> {
        list(value, expression, transform, frame)
    }

    /// Evaluates a template. A template of exactly one expression keeps the kind of its value.
    pub(super) fn render(&mut self, template: &Template, frame: &Frame<'_>) -> Result<Value, Error> {
        if let Some(expression) = template.only() {
            let value = self.owned(expression, frame)?;
            if let Value::String(text) = &value {
                self.bound(text, expression, frame)?;
            }
            return Ok(value);
        }
        let mut text = String::new();
        for (literal, expression) in template.parts() {
            text.push_str(literal);
            let Some(expression) = expression else { continue };
            let value = self.evaluate(expression, frame)?;
            self.spend(weight(&value).saturating_add(text_weight(literal.len())), expression, frame)?;
            push_text(&mut text, &value);
            self.bound(&text, expression, frame)?;
        }
        Ok(Value::String(text))
    }
}

/// Returns a member, without a copy of anything else.
fn member_of<'v>(value: Cow<'v, Value>, name: &str) -> Cow<'v, Value> {
    let found = match value {
        Cow::Borrowed(Value::Array(elements)) => elements.first().and_then(|first| first.get(name)).map(Cow::Borrowed),
        Cow::Borrowed(value) => value.get(name).map(Cow::Borrowed),
        Cow::Owned(Value::Array(elements)) => {
            elements.into_iter().next().and_then(|mut first| first.get_mut(name).map(Value::take)).map(Cow::Owned)
        }
        Cow::Owned(mut value) => value.get_mut(name).map(Value::take).map(Cow::Owned),
    };
    found.unwrap_or(Cow::Owned(Value::Null))
}

fn element_of(value: Cow<'_, Value>, at: usize) -> Cow<'_, Value> {
    let found = match value {
        Cow::Borrowed(value) => value.get(at).map(Cow::Borrowed),
        Cow::Owned(mut value) => value.get_mut(at).map(Value::take).map(Cow::Owned),
    };
    found.unwrap_or(Cow::Owned(Value::Null))
}

fn length(value: &Value) -> usize {
    match value {
        Value::Array(elements) => elements.len(),
        Value::Object(members) => members.len(),
        Value::String(text) => text.chars().count(),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    }
}

/// Returns the elements of a list. A missing list is empty.
fn list<'v>(
    value: &'v Value,
    expression: &Expr,
    transform: Transform,
    frame: &Frame<'_>,
) -> Result<&'v [Value], Error> {
    match value {
        Value::Array(elements) => Ok(elements),
        Value::Null => Ok(&[]),
        other => {
            let message = format!("`{}` needs a list, found {}", transform.name(), kind(other));
            Err(Error::new(message, expression.span.clone(), frame.source))
        }
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

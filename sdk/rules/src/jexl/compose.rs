//! Texts in another language, such as a query or HTML, with inserted values.
//!
//! The literal texts of a rule are parts of that language: its author writes the quotes of a query, the links of a
//! message, and the tags of an email. Values are data of the provider, so they are escaped where they are inserted. The
//! texts are written from the start to the end, because the place of a value in a query decides about its form.

use std::borrow::Cow;

use serde_json::Value;

use super::error::Error;
use super::eval::{Frame, Machine};
use super::query_place::Place;
use super::scope::Environment;
use super::syntax::{Binary, Expr, Node};
use super::template::{JsonTemplate, Template};
use super::transform::Transform;
use super::values::{is_true, to_text};

/// The language of a text into which values are inserted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    /// Text without markup.
    Plain,
    /// The markup of messages in Slack.
    Slack,
    /// HTML.
    Html,
    /// J1QL.
    Query,
}

/// A text that is being written.
pub(super) struct Composer {
    language: Language,
    text: String,
    place: Place,
}

impl Composer {
    fn literal(&mut self, text: &str) {
        if self.language == Language::Query {
            self.place = self.place.after(text);
        }
        self.text.push_str(text);
    }

    /// Inserts a value. The error is a message for users.
    fn value(&mut self, value: &Value) -> Result<(), String> {
        let text = to_text(value);
        match self.language {
            Language::Plain => self.text.push_str(&text),
            Language::Slack => escape(&mut self.text, &text, &[('&', "&amp;"), ('<', "&lt;"), ('>', "&gt;")]),
            Language::Html => {
                let entities = [('&', "&amp;"), ('<', "&lt;"), ('>', "&gt;"), ('"', "&quot;"), ('\'', "&#39;")];
                escape(&mut self.text, &text, &entities);
            }
            Language::Query => match self.place.insert(&text) {
                Some(inserted) => self.text.push_str(&inserted),
                None => {
                    let shown: String = text.chars().take(60).collect();
                    return Err(format!(
                        "The value \"{}\" is neither a name nor a number, so it is inserted in quotes only: write '{{{{…}}}}', \
                         before any regular expression",
                        shown.escape_debug()
                    ));
                }
            },
        }
        Ok(())
    }
}

fn escape(into: &mut String, text: &str, entities: &[(char, &str)]) {
    for letter in text.chars() {
        match entities.iter().find(|(special, _)| *special == letter) {
            Some((_, entity)) => into.push_str(entity),
            None => into.push(letter),
        }
    }
}

impl Machine<'_> {
    fn write(&mut self, template: &Template, frame: &Frame<'_>, composer: &mut Composer) -> Result<(), Error> {
        if let Some(only) = template.only() {
            return self.write_expression(only, frame, composer);
        }
        for (literal, expression) in template.parts() {
            composer.literal(literal);
            if let Some(expression) = expression {
                self.write_expression(expression, frame, composer)?;
            }
        }
        Ok(())
    }

    /// Writes the value of an expression. Its literal texts are those of the author.
    fn write_expression(&mut self, expression: &Expr, frame: &Frame<'_>, composer: &mut Composer) -> Result<(), Error> {
        match &expression.node {
            Node::Literal(value) => composer.literal(&to_text(value)),
            Node::Binary(Binary::Add, ..) => self.write_sum(expression, frame, composer)?,
            Node::Binary(Binary::And, left, right) => {
                let decides = !is_true(&*self.evaluate(left, frame)?);
                self.write_expression(if decides { left } else { right }, frame, composer)?;
            }
            Node::Binary(Binary::Or, left, right) => {
                let decides = is_true(&*self.evaluate(left, frame)?);
                self.write_expression(if decides { left } else { right }, frame, composer)?;
            }
            Node::Conditional(condition, then, otherwise) => {
                let chosen = match is_true(&*self.evaluate(condition, frame)?) {
                    true => then.as_ref().unwrap_or(condition),
                    false => otherwise,
                };
                self.write_expression(chosen, frame, composer)?;
            }
            Node::Transform(Transform::Join, subject, arguments) => {
                let separator = match arguments.first() {
                    Some(Expr { node: Node::Literal(Value::String(text)), .. }) => text.clone(),
                    // A computed separator is a value.
                    Some(_) => return self.write_value(expression, frame, composer),
                    None => ",".to_owned(),
                };
                self.write_elements(subject, &separator, &mut true, frame, composer)?;
            }
            Node::Transform(Transform::MapTemplate | Transform::Merge, ..) | Node::List(_) => {
                self.write_elements(expression, ",", &mut true, frame, composer)?;
            }
            _ => self.write_value(expression, frame, composer)?,
        }
        self.bound(&composer.text, expression, frame)
    }

    /// Writes a sum `a + b + c`. Operands before the first text are added, and from there on they are joined.
    ///
    /// The chain is walked instead of called, because each call would evaluate all operands before its own again.
    fn write_sum(&mut self, expression: &Expr, frame: &Frame<'_>, composer: &mut Composer) -> Result<(), Error> {
        let (mut first, mut additions) = (expression, Vec::new());
        while let Node::Binary(Binary::Add, left, right) = &first.node {
            additions.push((first, &**right));
            first = left;
        }
        let mut sum = self.evaluate(first, frame)?;
        let mut added = first;
        let mut rest = additions.into_iter().rev().peekable();
        while let Some((whole, operand)) = rest.peek().copied().filter(|_| !sum.is_string()) {
            let value = self.evaluate(operand, frame)?;
            if value.is_string() {
                break;
            }
            sum = Cow::Owned(self.apply(whole, Binary::Add, &sum, &value, frame)?);
            added = whole;
            rest.next();
        }
        // A single operand may contain texts of the author.
        match std::ptr::eq(added, first) {
            true => self.write_expression(first, frame, composer)?,
            false => self.write_one(&sum, added, frame, composer)?,
        }
        rest.try_for_each(|(_, operand)| self.write_expression(operand, frame, composer))
    }

    fn write_value(&mut self, expression: &Expr, frame: &Frame<'_>, composer: &mut Composer) -> Result<(), Error> {
        let value = self.evaluate(expression, frame)?;
        self.write_one(&value, expression, frame, composer)
    }

    fn write_one(
        &mut self,
        value: &Value,
        expression: &Expr,
        frame: &Frame<'_>,
        composer: &mut Composer,
    ) -> Result<(), Error> {
        self.spend_text(value, expression, frame)?;
        composer.value(value).map_err(|message| Error::new(message, expression.span.clone(), frame.source))
    }

    /// Writes the elements of a list with a separator of the author between them.
    fn write_elements(
        &mut self,
        list: &Expr,
        separator: &str,
        is_first: &mut bool,
        frame: &Frame<'_>,
        composer: &mut Composer,
    ) -> Result<(), Error> {
        let mut separate = |composer: &mut Composer| {
            if !std::mem::take(is_first) {
                composer.literal(separator);
            }
        };
        match &list.node {
            Node::List(elements) => {
                for element in elements {
                    separate(composer);
                    self.write_expression(element, frame, composer)?;
                }
                Ok(())
            }
            Node::Transform(Transform::Merge, subject, further) => {
                self.write_elements(subject, separator, is_first, frame, composer)?;
                further.iter().try_for_each(|list| self.write_elements(list, separator, is_first, frame, composer))
            }
            Node::Transform(Transform::MapTemplate, subject, arguments) => {
                self.each_row(list, subject, &arguments[0], frame, &mut |machine, template, inner| {
                    separate(composer);
                    machine.write(template, inner, composer)?;
                    machine.bound(&composer.text, list, frame)
                })
            }
            _ => {
                let value = self.evaluate(list, frame)?;
                for element in self.elements(&value, list, Transform::Join, frame)? {
                    separate(composer);
                    self.write_one(element, list, frame, composer)?;
                    self.bound(&composer.text, list, frame)?;
                }
                Ok(())
            }
        }
    }
}

impl JsonTemplate {
    /// Returns the text, with values escaped for the language. A value that is no text is rendered as it is.
    ///
    /// # Errors
    /// [`Error`] if a value cannot be inserted at its place, and those of [`render`](Self::render).
    pub(crate) fn compose(&self, language: Language, environment: &Environment<'_>) -> Result<Value, Error> {
        let Self::Text(template) = self else { return self.render(environment) };
        let mut composer = Composer { language, text: String::new(), place: Place::default() };
        let frame = Frame::new(environment.scope, template.source());
        Machine::new(environment).write(template, &frame, &mut composer)?;
        Ok(Value::String(composer.text))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::scope::{Limits, Scope};
    use super::super::template::Templates;
    use super::*;

    fn composed(text: &str, work: u64) -> Result<Value, Error> {
        let base = json!({"a": "<", "n": 2, "list": ["<", 1]});
        let limits = Limits { work, ..Limits::default() };
        let templates = Templates::default();
        let environment = Environment { scope: Scope::new(&base), templates: &templates, limits };
        JsonTemplate::parse(&json!(text)).expect("a template").compose(Language::Html, &environment)
    }

    #[test]
    fn operands_before_the_first_text_are_added_and_literals_are_those_of_the_author() {
        for (text, expected) in [
            ("{{1 + n + '<br>' + n + 1}}", "3<br>21"),
            ("{{n + 1}}", "3"),
            ("{{a + n + 1}}", "&lt;21"),
            ("{{n + a + '<'}}", "2&lt;<"),
            ("{{n + 1 + (n + 1) + ('<i>' + (a + '</i>'))}}", "6<i>&lt;</i>"),
            ("{{list|join('<br>') + '|' + list|join(a)}}", "&lt;<br>1|&lt;&lt;1"),
        ] {
            assert_eq!(composed(text, 1_000).expect(text), json!(expected), "{text}");
        }
    }

    #[test]
    fn the_work_of_a_chain_grows_with_its_length() {
        for operand in [" + '<br>'", " + a", " + n"] {
            let chain = |start: &str| format!("{{{{{start}{}}}}}", operand.repeat(100));
            assert!(composed(&chain("a"), 1_000).is_ok(), "{operand}");
            assert!(composed(&chain("n"), 1_000).is_ok(), "{operand}");
        }
    }
}

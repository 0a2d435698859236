//! The evaluation of templates.

use serde_json::{Map, Value};

use super::error::Error;
use super::eval::{Frame, Machine};
use super::scope::Environment;
use super::template::{JsonTemplate, Template};

impl Template {
    /// Returns the result: a text, or the value of the expression if the template is exactly one expression.
    ///
    /// Blanks around the expression do not count, because block texts in YAML end with a line feed.
    ///
    /// # Errors
    /// [`Error`] if a transform gets an unsuitable value, or if the evaluation exceeds its limits.
    pub fn render(&self, environment: &Environment<'_>) -> Result<Value, Error> {
        Machine::new(environment).render(self, &Frame::new(environment.scope, self.source()))
    }
}

impl JsonTemplate {
    /// Returns the value with all expressions evaluated. The limits apply to all of them together.
    ///
    /// # Errors
    /// [`Error`] if a transform gets an unsuitable value, or if the evaluation exceeds its limits.
    pub fn render(&self, environment: &Environment<'_>) -> Result<Value, Error> {
        self.render_in(&mut Machine::new(environment), environment)
    }

    fn render_in(&self, machine: &mut Machine<'_>, environment: &Environment<'_>) -> Result<Value, Error> {
        Ok(match self {
            Self::Fixed(value) => value.clone(),
            Self::Text(template) => machine.render(template, &Frame::new(environment.scope, template.source()))?,
            Self::List(parts) => {
                let values = parts.iter().map(|part| part.render_in(machine, environment));
                Value::Array(values.collect::<Result<_, _>>()?)
            }
            Self::Object(parts) => {
                let mut members = Map::new();
                for (name, part) in parts {
                    members.insert(name.clone(), part.render_in(machine, environment)?);
                }
                Value::Object(members)
            }
        })
    }
}

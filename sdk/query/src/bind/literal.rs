//! Constants: texts, numbers, dates, parameters, and regular expressions.

use regex::RegexBuilder;

use super::Binder;
use super::suggestion::{did_you_mean, listed};
use crate::syntax::{Literal, Spanned};
use crate::value::{Constant, Number, Relation, Value, parse_instant};

/// The maximum size of a compiled regular expression in bytes.
const PATTERN_BYTES: usize = 1 << 20;

impl Binder<'_> {
    /// Returns the constants of a literal in a comparison, or records an error. A parameter can be a list.
    pub(super) fn constants(&mut self, literal: &Spanned<Literal>, relation: Relation) -> Option<Vec<Constant>> {
        let constants = match &literal.value {
            Literal::Text(text) => vec![Constant::Text(text.clone())],
            Literal::Number(_) | Literal::Boolean(_) | Literal::Undefined | Literal::Null => {
                constants_of(&self.literal(literal)?)?
            }
            Literal::Date(_) | Literal::Now { .. } => vec![Constant::Instant(self.instant(literal)?)],
            Literal::Parameter(_) => {
                let value = self.literal(literal)?;
                let constants = constants_of(&value);
                if constants.is_none() {
                    let message = "the parameter is an object or a list of lists, which no property equals";
                    self.problems.error(
                        message,
                        literal.span,
                        Some("pass a text, a number, or a list of them".to_owned()),
                    );
                }
                constants?
            }
            Literal::Regex { pattern, ignore_case } => vec![self.pattern(pattern, *ignore_case, literal, relation)?],
        };
        let misfit = constants.iter().find_map(|constant| misfit(relation, constant));
        if let Some((kind, help)) = misfit {
            let message = format!("this operator cannot compare with {kind}");
            self.problems.error(message, literal.span, Some(help.to_owned()));
            return None;
        }
        Some(constants)
    }

    /// Returns the value of a literal in an expression, or records an error.
    pub(super) fn literal(&mut self, literal: &Spanned<Literal>) -> Option<Value> {
        match &literal.value {
            Literal::Text(text) => Some(Value::Text(text.clone())),
            Literal::Number(text) => {
                let number = Number::parse(text);
                if number.is_none() {
                    let message = format!("`{text}` is not a number that can be represented");
                    self.problems.error(message, literal.span, None);
                }
                number.map(Value::Number)
            }
            Literal::Boolean(value) => Some(Value::Boolean(*value)),
            Literal::Undefined | Literal::Null => Some(Value::Undefined),
            Literal::Date(_) | Literal::Now { .. } => {
                self.instant(literal).map(|at| Value::Number(Number::Integer(i128::from(at))))
            }
            Literal::Parameter(name) => self.parameter(name, literal),
            Literal::Regex { .. } => {
                let help = "regular expressions are compared, as in `WITH name = /web/i`".to_owned();
                self.problems.error("a regular expression is not a value", literal.span, Some(help));
                None
            }
        }
    }

    fn instant(&mut self, literal: &Spanned<Literal>) -> Option<i64> {
        match &literal.value {
            Literal::Now { offset_ms } => Some(self.options.now.millis().saturating_add(*offset_ms)),
            Literal::Date(text) => {
                let at = parse_instant(text);
                if at.is_none() {
                    let message = format!("`{text}` is not a date");
                    let help = "write it as `date(2024-01-31)` or `date(2024-01-31T12:00:00Z)`".to_owned();
                    self.problems.error(message, literal.span, Some(help));
                }
                at
            }
            _ => None,
        }
    }

    fn parameter(&mut self, name: &str, literal: &Spanned<Literal>) -> Option<Value> {
        let parameters = &self.options.parameters;
        if let Some(value) = parameters.get(name) {
            return Some(Value::from_json(value));
        }
        let known = parameters.keys().map(String::as_str);
        let help = did_you_mean(name, known.clone()).or_else(|| match parameters.is_empty() {
            true => None,
            false => Some(format!("the parameters are {}", listed(known))),
        });
        self.problems.error(format!("the parameter `{name}` has no value"), literal.span, help);
        None
    }

    fn pattern(
        &mut self,
        pattern: &str,
        ignore_case: bool,
        literal: &Spanned<Literal>,
        relation: Relation,
    ) -> Option<Constant> {
        // Other matches can end earlier, so that the end must be part of the expression.
        let ending = (relation == Relation::EndsWith).then(|| format!("(?:{pattern})\\z"));
        let compiled = RegexBuilder::new(ending.as_deref().unwrap_or(pattern))
            .case_insensitive(ignore_case)
            .size_limit(PATTERN_BYTES)
            .dfa_size_limit(PATTERN_BYTES)
            .build();
        match compiled {
            Ok(compiled) => Some(Constant::Pattern(compiled)),
            Err(error) => {
                let message = match error {
                    regex::Error::CompiledTooBig(_) => "the regular expression is too large".to_owned(),
                    // The parser draws the expression over several lines; the last one names the cause.
                    error => format!("the regular expression is invalid: {}", last_line(&error.to_string())),
                };
                self.problems.error(message, literal.span, None);
                None
            }
        }
    }
}

fn last_line(text: &str) -> String {
    let line = text.lines().last().unwrap_or_default().trim();
    line.strip_prefix("error: ").unwrap_or(line).to_owned()
}

/// Returns the constants that a value stands for: those of the elements of a list, otherwise itself.
fn constants_of(value: &Value) -> Option<Vec<Constant>> {
    match value {
        Value::List(values) => values.iter().map(constant).collect(),
        single => constant(single).map(|constant| vec![constant]),
    }
}

fn constant(value: &Value) -> Option<Constant> {
    match value {
        Value::Undefined => Some(Constant::Undefined),
        Value::Boolean(value) => Some(Constant::Boolean(*value)),
        Value::Number(number) => Some(Constant::Number(*number)),
        Value::Text(text) => Some(Constant::Text(text.clone())),
        Value::List(_) | Value::Other(_) | Value::Node(_) | Value::Edge(_) => None,
    }
}

/// Returns the kind of a constant that the relation cannot compare, and the remedy.
fn misfit(relation: Relation, constant: &Constant) -> Option<(&'static str, &'static str)> {
    match constant {
        Constant::Text(_) => None,
        Constant::Pattern(_) if relation.is_ordered() => Some(("a regular expression", "use `=`, `^=`, or `$=`")),
        Constant::Undefined if relation != Relation::Equal => Some(("`undefined`", "use `=` or `!=`")),
        Constant::Boolean(_) if relation != Relation::Equal => Some(("a boolean", "use `=` or `!=`")),
        Constant::Number(_) if relation.is_textual() => {
            Some(("a number", "put the number in quotes: it compares texts"))
        }
        Constant::Instant(_) if relation.is_textual() => Some(("a date", "use `<`, `>`, or `=`")),
        _ => None,
    }
}

//! The names that expressions refer to.

use std::collections::BTreeSet;

use serde_json::Value;

use super::expression::Expression;
use super::syntax::{Expr, Node};
use super::template::{JsonTemplate, Template};
use super::transform::Transform;

/// A name of the scope, with the member that is read first, if it is known.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Reference {
    pub name: String,
    pub member: Option<String>,
}

/// The names and templates that an expression uses.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct References {
    pub names: BTreeSet<Reference>,
    /// The called templates. `None` stands for a template whose name is computed.
    pub templates: BTreeSet<Option<String>>,
}

impl References {
    fn add(&mut self, expression: &Expr) {
        if let Some((name, member)) = path(expression) {
            self.names.insert(Reference { name, member });
            return;
        }
        match &expression.node {
            Node::Literal(_) | Node::Relative(_) | Node::Name(_) => {}
            Node::List(list) => list.iter().for_each(|element| self.add(element)),
            Node::Object(members) => members.iter().for_each(|(_, member)| self.add(member)),
            Node::Member(subject, _) | Node::Not(subject) | Node::Negate(subject) => self.add(subject),
            Node::Index(left, right) | Node::Filter(left, right) | Node::Binary(_, left, right) => {
                self.add(left);
                self.add(right);
            }
            Node::Conditional(condition, then, otherwise) => {
                self.add(condition);
                then.iter().for_each(|then| self.add(then));
                self.add(otherwise);
            }
            Node::Transform(transform, subject, arguments) => {
                self.add(subject);
                arguments.iter().for_each(|argument| self.add(argument));
                if *transform == Transform::MapTemplate {
                    let name = arguments.first().and_then(literal_text);
                    self.templates.insert(name.map(str::to_owned));
                }
            }
        }
    }
}

/// Returns the name of an expression `name` or `name.member`.
fn path(expression: &Expr) -> Option<(String, Option<String>)> {
    let name_of = |subject: &Expr| match &subject.node {
        Node::Name(name) => Some(name.clone()),
        _ => None,
    };
    match &expression.node {
        Node::Name(name) => Some((name.clone(), None)),
        Node::Member(subject, member) => Some((name_of(subject)?, Some(member.clone()))),
        Node::Index(subject, index) => Some((name_of(subject)?, Some(literal_text(index)?.to_owned()))),
        _ => None,
    }
}

fn literal_text(expression: &Expr) -> Option<&str> {
    match &expression.node {
        Node::Literal(Value::String(text)) => Some(text),
        _ => None,
    }
}

/// Returns the dotted path of an expression of names and members only.
pub(crate) fn dotted(expression: &Expr) -> Option<String> {
    let joined = |subject: &Expr, name: &str| Some(format!("{}.{name}", dotted(subject)?));
    match &expression.node {
        Node::Name(name) => Some(name.clone()),
        Node::Member(subject, name) => joined(subject, name),
        Node::Index(subject, index) => joined(subject, literal_text(index).filter(|name| !name.contains('.'))?),
        _ => None,
    }
}

impl Expr {
    /// Returns the names that the expression uses.
    pub(crate) fn references(&self) -> References {
        let mut references = References::default();
        references.add(self);
        references
    }
}

impl Expression {
    /// Returns the names that the expression uses.
    pub(crate) fn references(&self) -> References {
        self.root().references()
    }
}

impl Template {
    /// Returns the names that the template uses.
    pub(crate) fn references(&self) -> References {
        let mut references = References::default();
        self.parts().filter_map(|(_, expression)| expression).for_each(|expression| references.add(expression));
        references
    }
}

impl JsonTemplate {
    /// Calls a function with each template of the value.
    pub(crate) fn visit(&self, visit: &mut dyn FnMut(&Template)) {
        match self {
            Self::Fixed(_) => {}
            Self::Text(template) => visit(template),
            Self::List(parts) => parts.iter().for_each(|part| part.visit(visit)),
            Self::Object(parts) => parts.iter().for_each(|(_, part)| part.visit(visit)),
        }
    }
}

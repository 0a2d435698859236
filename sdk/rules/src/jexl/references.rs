//! The names that expressions refer to.

use std::collections::BTreeSet;

use serde_json::Value;

use super::expression::Expression;
use super::syntax::{Expr, Node};
use super::template::{JsonTemplate, Template, Templates};
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
    /// The members that are read from results: the name of a query, and the member.
    pub results: BTreeSet<(String, String)>,
}

impl References {
    fn add(&mut self, expression: &Expr) {
        if let Some((name, member)) = path(expression) {
            self.names.insert(Reference { name, member });
            return;
        }
        if let Some(result) = result(expression) {
            self.results.insert(result);
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

/// Returns the query and the member of an expression `queries.NAME.member`.
fn result(expression: &Expr) -> Option<(String, String)> {
    let (subject, member) = match &expression.node {
        Node::Member(subject, member) => (subject, member.as_str()),
        Node::Index(subject, index) => (subject, literal_text(index)?),
        _ => return None,
    };
    let (name, query) = path(subject)?;
    (name == "queries").then_some((query?, member.to_owned()))
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

impl Expr {
    /// Returns whether a literal text of the expression fulfils a condition.
    fn has_text(&self, is_such: &dyn Fn(&str) -> bool) -> bool {
        let any = |parts: &[Expr]| parts.iter().any(|part| part.has_text(is_such));
        match &self.node {
            Node::Literal(value) => value.as_str().is_some_and(is_such),
            Node::Relative(_) | Node::Name(_) => false,
            Node::List(list) => any(list),
            Node::Object(members) => members.iter().any(|(_, member)| member.has_text(is_such)),
            Node::Member(subject, _) | Node::Not(subject) | Node::Negate(subject) => subject.has_text(is_such),
            Node::Index(left, right) | Node::Filter(left, right) | Node::Binary(_, left, right) => {
                left.has_text(is_such) || right.has_text(is_such)
            }
            Node::Conditional(condition, then, otherwise) => {
                condition.has_text(is_such)
                    || then.as_ref().is_some_and(|then| then.has_text(is_such))
                    || otherwise.has_text(is_such)
            }
            Node::Transform(_, subject, arguments) => subject.has_text(is_such) || any(arguments),
        }
    }
}

impl Template {
    /// Returns whether the author of the template wrote HTML: a tag in its texts, its expressions, or a called template.
    pub(crate) fn is_html(&self, templates: &Templates) -> bool {
        let own = |template: &Self| {
            template.parts().any(|(text, expression)| {
                has_tag(text) || expression.is_some_and(|expression| expression.has_text(&has_tag))
            })
        };
        let mut seen = BTreeSet::new();
        let mut pending = vec![self];
        while let Some(template) = pending.pop() {
            if own(template) {
                return true;
            }
            for name in template.references().templates {
                let is_called = |other: &&String| name.as_ref().is_none_or(|name| name == *other);
                for name in templates.keys().filter(is_called).filter(|name| seen.insert((*name).clone())) {
                    pending.push(&templates[name]);
                }
            }
        }
        false
    }
}

/// Returns whether a text contains the start of a tag.
fn has_tag(text: &str) -> bool {
    let is_start = |letter: char| letter.is_ascii_alphabetic() || matches!(letter, '/' | '!');
    text.split('<').skip(1).any(|rest| rest.starts_with(is_start))
}

impl JsonTemplate {
    /// Returns whether the author of the text wrote HTML.
    pub(crate) fn is_html(&self, templates: &Templates) -> bool {
        match self {
            Self::Fixed(value) => value.as_str().is_some_and(has_tag),
            Self::Text(template) => template.is_html(templates),
            Self::List(_) | Self::Object(_) => false,
        }
    }

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

//! Problems of rules that can be read.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The severity of a problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Severity {
    /// The rule works, but a part of it has no effect here.
    Note,
    /// The rule works, but probably not as intended.
    Warning,
    /// The rule cannot be evaluated.
    Error,
}

/// A problem of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The name of the rule.
    pub rule: String,
    /// The place in the rule, such as `operations[0].actions[1].body`.
    pub at: String,
    /// The kind.
    pub kind: ProblemKind,
}

/// The kind of a problem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProblemKind {
    /// The name has this number of characters instead of 1 to 255.
    NameLength(usize),
    /// This number of rules have the name.
    RepeatedName(usize),
    /// The version of the file form is not 1.
    SpecVersion(u64),
    /// The rule has no query or no selection of changes.
    NoInput,
    /// A query has no text.
    EmptyQuery(String),
    /// Several queries have the name.
    RepeatedQuery(String),
    /// The rule is never evaluated by itself.
    Disabled,
    /// The rule has no action.
    NoAction,
    /// Actions for new rows need a condition.
    NewOnlyWithoutCondition,
    /// The type of a condition is not `FILTER`.
    ConditionType(String),
    /// The condition cannot be parsed.
    Condition(String),
    /// A template cannot be parsed.
    Template(String),
    /// A condition or template uses a query that the rule does not have.
    UnknownQuery(String),
    /// A condition or template uses a name that has no value.
    UnknownName(String),
    /// An expression uses a template that the rule does not have.
    UnknownTemplate(String),
    /// The program does not know the action.
    UnknownAction(String),
    /// The program knows the action and does not carry it out.
    NotCarriedOut(String),
    /// A field of an action is missing.
    MissingField(&'static str),
    /// An action has a field that its kind does not have.
    UnknownField(String),
    /// A field of an action has another shape.
    FieldShape(&'static str),
    /// A secret is in the rule. The texts name it and the remedy.
    Secret(String, &'static str),
    /// A reference or a template in place of a secret, which is not sent from a rule. The texts name it and the remedy.
    Unsent(String, &'static str),
    /// The address of a webhook that no delivery accepts, as text for users.
    Target(String),
    /// The address of a webhook that only `privateTargets` of `delivery.yaml` can allow.
    PrivateTarget {
        /// The address.
        url: String,
        /// The reason, as text for users.
        reason: String,
    },
    /// An expression uses a member that results of queries do not have.
    UnknownMember(String),
    /// A value is none of the accepted ones.
    Value {
        /// The value.
        found: String,
        /// The accepted values.
        expected: &'static str,
    },
}

impl Problem {
    pub(super) fn new(rule: &str, at: &str, kind: ProblemKind) -> Self {
        Self { rule: rule.to_owned(), at: at.to_owned(), kind }
    }

    /// Returns the severity.
    pub fn severity(&self) -> Severity {
        match self.kind {
            ProblemKind::UnknownAction(_) | ProblemKind::NotCarriedOut(_) | ProblemKind::Disabled => Severity::Note,
            ProblemKind::NoAction
            | ProblemKind::UnknownField(_)
            | ProblemKind::UnknownName(_)
            | ProblemKind::UnknownQuery(_)
            | ProblemKind::UnknownMember(_)
            | ProblemKind::Unsent(..)
            | ProblemKind::PrivateTarget { .. } => Severity::Warning,
            _ => Severity::Error,
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.rule, self.at, self.kind)
    }
}

impl fmt::Display for ProblemKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NameLength(length) => write!(f, "the name has {length} characters, expected 1 to 255"),
            Self::RepeatedName(times) => write!(f, "{times} rules have this name"),
            Self::SpecVersion(version) => write!(f, "the specVersion is {version}, expected 1"),
            Self::NoInput => f.write_str("the rule has neither a query nor a selection of changes"),
            Self::EmptyQuery(name) => write!(f, "the query `{name}` is empty"),
            Self::RepeatedQuery(name) => write!(f, "several queries have the name `{name}`"),
            Self::Disabled => f.write_str("the rule is evaluated only on request"),
            Self::NoAction => f.write_str("the rule has no action"),
            Self::NewOnlyWithoutCondition => {
                f.write_str("triggerActionsOnNewEntitiesOnly needs a condition in each operation")
            }
            Self::ConditionType(kind) => write!(f, "the condition has the type `{kind}`, expected `FILTER`"),
            Self::Condition(message) | Self::Template(message) => f.write_str(message),
            Self::UnknownQuery(name) => write!(f, "the rule has no query `{name}`, so its result is always empty"),
            Self::UnknownName(name) => write!(f, "nothing sets `{name}`, so it is always empty"),
            Self::UnknownTemplate(name) => write!(f, "the rule has no template `{name}`"),
            Self::UnknownAction(name) => write!(f, "the action {name} is unknown and not carried out here"),
            Self::NotCarriedOut(name) => write!(f, "the action {name} is not carried out here"),
            Self::MissingField(name) => write!(f, "the action has no `{name}`"),
            Self::UnknownField(name) => write!(f, "the action has an unknown field `{name}`"),
            Self::FieldShape(expected) => write!(f, "expected {expected}"),
            Self::Secret(what, remedy) => write!(f, "{what} is a secret, and a rule is no place for it: {remedy}"),
            Self::Unsent(what, remedy) => write!(f, "{what} is not sent from a rule: {remedy}"),
            Self::Target(reason) => f.write_str(reason),
            Self::PrivateTarget { reason, .. } => {
                write!(f, "{reason}, unless `privateTargets` of delivery.yaml contains the host")
            }
            Self::UnknownMember(path) => {
                write!(f, "`{path}` is always empty: the result of a query has `total` and `data`")
            }
            Self::Value { found, expected } => write!(f, "found `{found}`, expected {expected}"),
        }
    }
}

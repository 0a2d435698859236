//! The kinds of tokens that can follow at a place of a query.
//!
//! The parser records every token that it looks for. At an error, the record is the label of the message; at the cursor
//! of a prompt, it is the list of completions.

use std::fmt;

use super::keyword::Keyword;
use super::tree::{Selector, Verbs};

/// The kind of a token that can follow.
#[derive(Debug, Clone, PartialEq)]
pub enum Expected {
    /// A keyword.
    Keyword(Keyword),
    /// A symbol, such as `)`.
    Symbol(&'static str),
    /// A class, a type, `*`, or `#` with a tag.
    Selector,
    /// A text in quotes at the start of a query, to search for.
    Text,
    /// The tag after `#`.
    Tag,
    /// The class of a relationship.
    Verb,
    /// The new name after `AS`.
    NewAlias,
    /// A name that `AS` introduced, or the class or type of a selector without alias.
    Alias,
    /// A property.
    Property(Owner),
    /// A comparison operator.
    Operator,
    /// A constant or another property.
    Value,
    /// An aggregate or another function.
    Function,
    /// A whole number.
    Number,
    /// A unit of time after the number of an offset from `date.now`.
    Unit,
    /// The end of the query.
    End,
}

/// The objects whose properties can follow.
#[derive(Debug, Clone, PartialEq)]
pub enum Owner {
    /// The entities of a selector.
    Entities(Selector),
    /// The relationships of a hop.
    Relationships(Verbs),
    /// The entities that an optional part ends with.
    Part,
    /// A column of the result, which has no properties.
    Column,
    /// The entities or relationships of an alias that is not known.
    Alias(String),
}

impl fmt::Display for Expected {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Keyword(keyword) => keyword.phrase(),
            Self::Symbol(symbol) => return write!(formatter, "\"{symbol}\""),
            Self::Selector => "an entity (class, type, or *)",
            Self::Text => "a text in quotes",
            Self::Tag => "a tag",
            Self::Verb => "a verb",
            Self::NewAlias => "a new name",
            Self::Alias => "an alias",
            Self::Property(_) => "a property",
            Self::Operator => "an operator",
            Self::Value => "a value",
            Self::Function => "a function",
            Self::Number => "a number",
            Self::Unit => "hours, days, months, or years",
            Self::End => "the end of the query",
        })
    }
}

/// Returns the label `expected A, B, or C`; `None` if nothing was expected.
pub(super) fn label(expected: &[Expected]) -> Option<String> {
    let is_late = |expected: &Expected| LATE.contains(expected);
    let has_many_clauses = expected.iter().filter(|expected| is_late(expected)).count() >= 4;
    let mut names: Vec<String> = Vec::new();
    for expected in expected.iter().filter(|expected| !(has_many_clauses && is_late(expected))) {
        let name = expected.to_string();
        if !names.contains(&name) {
            names.push(name);
        }
    }
    if has_many_clauses {
        names.push("a later clause".to_owned());
    }
    let last = names.pop()?;
    Some(match names.as_slice() {
        [] => format!("expected {last}"),
        [first] => format!("expected {first} or {last}"),
        names => format!("expected {}, or {last}", names.join(", ")),
    })
}

/// The clauses after the traversal, and the end. A label summarises them.
const LATE: [Expected; 6] = [
    Expected::Keyword(Keyword::Where),
    Expected::Keyword(Keyword::Return),
    Expected::Keyword(Keyword::Order),
    Expected::Keyword(Keyword::Skip),
    Expected::Keyword(Keyword::Limit),
    Expected::End,
];

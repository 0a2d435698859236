//! Values: the results of expressions, their order, and their identity.
//!
//! | rule | |
//! | --- | --- |
//! | `null` | equals `undefined` |
//! | order of kinds | booleans, numbers, texts, lists, other JSON, objects of the graph; undefined is always last |
//! | numbers | by value; integers exactly |
//! | texts | by code points |

mod date;
mod number;
mod test;

use std::borrow::Cow;
use std::cmp::Ordering;

pub(crate) use date::parse_instant;
pub use number::Number;
pub use test::{Constant, Relation, Test, holds_between};

use crate::graph::ValueRef;

/// A value of an expression.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// No value: the property is absent, or an operation has no result.
    Undefined,
    /// `true` or `false`.
    Boolean(bool),
    /// A number.
    Number(Number),
    /// A text.
    Text(String),
    /// A list.
    List(Vec<Value>),
    /// Any other JSON, as text.
    Other(String),
    /// A node of the graph, by its number.
    Node(u32),
    /// An edge of the graph, by its number.
    Edge(u32),
}

impl Value {
    /// Returns the value as JSON; undefined is `null`. Objects of the graph are their numbers.
    pub fn into_json(self) -> serde_json::Value {
        match self {
            Self::Undefined => serde_json::Value::Null,
            Self::Boolean(value) => value.into(),
            Self::Number(number) => number.to_json(),
            Self::Text(text) => text.into(),
            Self::List(values) => values.into_iter().map(Self::into_json).collect(),
            Self::Other(json) => serde_json::from_str(&json).unwrap_or(serde_json::Value::Null),
            Self::Node(number) | Self::Edge(number) => number.into(),
        }
    }

    /// Returns the value of a JSON document.
    pub fn from_json(json: &serde_json::Value) -> Self {
        match json {
            serde_json::Value::Null => Self::Undefined,
            serde_json::Value::Bool(value) => Self::Boolean(*value),
            serde_json::Value::Number(number) => {
                Number::parse(&number.to_string()).map_or(Self::Undefined, Self::Number)
            }
            serde_json::Value::String(text) => Self::Text(text.clone()),
            serde_json::Value::Array(values) => Self::List(values.iter().map(Self::from_json).collect()),
            serde_json::Value::Object(_) => Self::Other(json.to_string()),
        }
    }

    /// Whether the value is undefined.
    pub fn is_undefined(&self) -> bool {
        matches!(self, Self::Undefined)
    }

    /// Returns the text that joins and functions of texts use; undefined has none.
    pub fn as_text(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Undefined => None,
            Self::Text(text) => Some(Cow::Borrowed(text)),
            Self::Number(number) => Some(Cow::Owned(number.to_string())),
            Self::List(values) => {
                Some(Cow::Owned(values.iter().filter_map(Self::as_text).collect::<Vec<_>>().join(",")))
            }
            Self::Boolean(_) | Self::Other(_) | Self::Node(_) | Self::Edge(_) => {
                Some(Cow::Owned(self.clone().into_json().to_string()))
            }
        }
    }

    /// Returns the order of two values: total, and the same on every machine. Undefined is the greatest.
    pub fn order(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Boolean(a), Self::Boolean(b)) => a.cmp(b),
            (Self::Number(a), Self::Number(b)) => a.cmp(b),
            (Self::Text(a), Self::Text(b)) | (Self::Other(a), Self::Other(b)) => a.cmp(b),
            (Self::List(a), Self::List(b)) => {
                let differing = a.iter().zip(b).map(|(a, b)| a.order(b)).find(|order| order.is_ne());
                differing.unwrap_or_else(|| a.len().cmp(&b.len()))
            }
            (Self::Node(a), Self::Node(b)) | (Self::Edge(a), Self::Edge(b)) => a.cmp(b),
            _ => self.rank().cmp(&other.rank()),
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Boolean(_) => 0,
            Self::Number(_) => 1,
            Self::Text(_) => 2,
            Self::List(_) => 3,
            Self::Other(_) => 4,
            Self::Node(_) => 5,
            Self::Edge(_) => 6,
            Self::Undefined => 7,
        }
    }

    /// Appends bytes that are equal for equal values, and only for those.
    pub(crate) fn identify(&self, bytes: &mut Vec<u8>) {
        bytes.push(self.rank());
        match self {
            Self::Undefined => {}
            Self::Boolean(value) => bytes.push(u8::from(*value)),
            Self::Number(Number::Integer(integer)) => {
                bytes.push(0);
                bytes.extend(integer.to_le_bytes());
            }
            Self::Number(Number::Float(float)) => {
                bytes.push(1);
                bytes.extend(float.to_bits().to_le_bytes());
            }
            Self::Text(text) | Self::Other(text) => {
                bytes.extend((text.len() as u64).to_le_bytes());
                bytes.extend(text.as_bytes());
            }
            Self::List(values) => {
                bytes.extend((values.len() as u64).to_le_bytes());
                for value in values {
                    value.identify(bytes);
                }
            }
            Self::Node(number) | Self::Edge(number) => bytes.extend(number.to_le_bytes()),
        }
    }

    /// Returns the number of bytes that the value occupies in memory, approximately.
    pub(crate) fn size(&self) -> usize {
        let owned = match self {
            Self::Text(text) | Self::Other(text) => text.len(),
            Self::List(values) => values.iter().map(Self::size).sum(),
            _ => 0,
        };
        size_of::<Self>() + owned
    }
}

impl From<&ValueRef<'_>> for Value {
    fn from(value: &ValueRef<'_>) -> Self {
        match value {
            ValueRef::Null => Self::Undefined,
            ValueRef::Boolean(value) => Self::Boolean(*value),
            ValueRef::Number(_, text) => Number::parse(text).map_or(Self::Undefined, Self::Number),
            ValueRef::Text(text) => Self::Text(text.clone().into_owned()),
            ValueRef::List(values) => Self::List(values.iter().map(Self::from).collect()),
            ValueRef::Other(json) => Self::Other((*json).to_owned()),
        }
    }
}

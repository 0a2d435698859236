//! Characters that a target has no place for.

use serde_json::Value;

use crate::{Record, TypeReport};

/// The characters that a target replaces by U+FFFD.
///
/// An object with such a character is written, and the report names it.
#[derive(Debug, Clone, Copy)]
pub struct Replacement {
    /// Texts of which one is in the JSON of every object with such a character. The others need not be parsed.
    pub hints: &'static [&'static str],
    /// Returns whether a character is replaced.
    pub is_replaced: fn(char) -> bool,
    /// Whether only texts in lists are concerned.
    pub only_in_lists: bool,
    /// The reason, as the report has it.
    pub reason: &'static str,
}

impl Replacement {
    /// The character NUL.
    pub const NUL: Self = Self {
        hints: &["\\u0000"],
        is_replaced: |letter| letter == '\0',
        only_in_lists: false,
        reason: "the target has no place for the character NUL, which becomes U+FFFD",
    };

    /// Adds an object to the report if one of its texts is altered.
    pub fn note(&self, record: &Record, report: &mut TypeReport) {
        if self.concerns(&record.object.properties) {
            report.alter(self.reason, record.object.key.as_str());
        }
    }

    fn concerns(&self, properties: &str) -> bool {
        let may_concern = self.hints.iter().any(|hint| properties.contains(hint));
        may_concern && serde_json::from_str(properties).is_ok_and(|value: Value| self.is_in(&value, false))
    }

    fn is_in(&self, value: &Value, is_in_list: bool) -> bool {
        match value {
            Value::String(text) => (is_in_list || !self.only_in_lists) && text.chars().any(self.is_replaced),
            Value::Array(elements) => elements.iter().any(|element| self.is_in(element, true)),
            Value::Object(members) => members.values().any(|member| self.is_in(member, is_in_list)),
            Value::Null | Value::Bool(_) | Value::Number(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_escaped_backslash_is_no_character() {
        assert!(Replacement::NUL.concerns(r#"{"a":["x\u0000"]}"#));
        assert!(!Replacement::NUL.concerns(r#"{"a":"x\\u0000"}"#));
        let in_lists = Replacement { only_in_lists: true, ..Replacement::NUL };
        assert!(in_lists.concerns(r#"{"a":["x\u0000"]}"#) && !in_lists.concerns(r#"{"a":"x\u0000"}"#));
    }
}

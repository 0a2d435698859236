//! The form of the file, and the forms of earlier versions.

use std::collections::BTreeMap;

use integration_rules::{Alert, Memory};
use serde::{Deserialize, Serialize};

use super::Book;
use crate::position::Position;
use crate::state::RuleState;

/// The version of the form.
const VERSION: u32 = 2;

#[derive(Deserialize)]
struct Head {
    version: u32,
}

#[derive(Serialize)]
struct Form<'a> {
    version: u32,
    #[serde(flatten)]
    book: &'a Book,
}

/// The form of version 1: one position for all rules.
#[derive(Deserialize)]
struct First {
    /// The job whose graph was evaluated last, by instance.
    evaluated: BTreeMap<String, String>,
    memories: BTreeMap<String, Memory>,
    alerts: Vec<Alert>,
}

impl From<First> for Book {
    /// All rules that were evaluated get the position that they shared.
    fn from(first: First) -> Self {
        let position =
            |(instance, job): (&String, &String)| (instance.clone(), Position { job: job.clone(), snapshot: None });
        let positions: BTreeMap<String, Position> = first.evaluated.iter().map(position).collect();
        let state = |memory| RuleState { memory, positions: positions.clone(), ..RuleState::new() };
        let rules = first.memories.into_iter().map(|(rule, memory)| (rule, state(memory))).collect();
        Self { rules, alerts: first.alerts, ..Self::default() }
    }
}

/// Reads a book of any version. The error is a text for users.
pub(super) fn parse(text: &str) -> Result<Book, String> {
    let wrong = |error: serde_json::Error| error.to_string();
    match serde_json::from_str::<Head>(text).map_err(wrong)?.version {
        1 => serde_json::from_str::<First>(text).map(Book::from).map_err(wrong),
        VERSION => serde_json::from_str(text).map_err(wrong),
        newer if newer > VERSION => Err("a newer version of this program wrote it".to_owned()),
        other => Err(format!("the version {other} of the file is unknown")),
    }
}

/// Writes a book.
pub(super) fn write(book: &Book) -> String {
    serde_json::to_string(&Form { version: VERSION, book }).expect("all names in a book are texts")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_book_of_version_1_gives_each_rule_the_shared_position() {
        let text =
            r#"{"version": 1, "evaluated": {"acme/default": "job-1"}, "memories": {"A": {}, "B": {}}, "alerts": []}"#;
        let book = parse(text).expect("a book");
        assert_eq!(book.rules.keys().collect::<Vec<_>>(), ["A", "B"]);
        let expected = Position { job: "job-1".to_owned(), snapshot: None };
        assert!(book.rules.values().all(|state| state.positions["acme/default"] == expected));
        assert_ne!(book.rules["A"].id, book.rules["B"].id);
        assert_eq!(parse(&write(&book)).expect("the current form"), book);
    }

    #[test]
    fn books_of_other_versions_are_refused() {
        let refused = |version: u32| {
            parse(&format!(r#"{{"version": {version}, "rules": {{}}, "alerts": []}}"#)).expect_err("refused")
        };
        assert!(refused(3).contains("newer version"));
        assert!(refused(0).contains("unknown"));
        assert!(parse("{").is_err());
    }
}

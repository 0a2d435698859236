//! The report as one JSON document, with one change on each line.

use std::mem;

use integration_sdk::diff::{ChangeCounts, ChangesByType, ObjectChange, ObjectKind};
use serde::Serialize;

use super::Compared;
use crate::visible::visible_json;

/// A JSON document while it is written.
pub(super) struct Stream {
    text: String,
    is_empty: bool,
}

/// The numbers of changes of a type.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OfType<'a> {
    object_kind: ObjectKind,
    #[serde(rename = "type")]
    object_type: &'a str,
    #[serde(flatten)]
    counts: ChangeCounts,
}

fn json(value: &impl Serialize) -> String {
    // Only maps whose keys are no texts fail, and these values contain none.
    serde_json::to_string(value).unwrap_or_default()
}

impl Stream {
    pub(super) fn new(sides: &[Compared; 2]) -> Self {
        let text = format!("{{\n  \"from\": {},\n  \"to\": {},\n  \"changes\": [", json(&sides[0]), json(&sides[1]));
        Self { text, is_empty: true }
    }

    pub(super) fn add(&mut self, change: &ObjectChange) {
        self.text.push_str(if mem::take(&mut self.is_empty) { "\n    " } else { ",\n    " });
        self.text.push_str(&json(change));
    }

    /// Takes the text, if it has at least this size.
    pub(super) fn chunk(&mut self, size: usize) -> Option<String> {
        (self.text.len() >= size).then(|| visible_json(&mem::take(&mut self.text)))
    }

    /// Completes the document.
    pub(super) fn end(self, counts: &ChangesByType, omitted: u64) -> String {
        let of_type = |(object_kind, object_type, counts)| json(&OfType { object_kind, object_type, counts });
        let types: Vec<String> = counts.by_type().map(of_type).collect();
        let list = |lines: &[String]| {
            if lines.is_empty() { String::new() } else { format!("\n    {}\n  ", lines.join(",\n    ")) }
        };
        let end = if self.is_empty { "]" } else { "\n  ]" };
        let text = format!(
            "{}{end},\n  \"omitted\": {omitted},\n  \"counts\": {},\n  \"types\": [{}]\n}}\n",
            self.text,
            json(&counts.total()),
            list(&types)
        );
        visible_json(&text)
    }
}

//! Findings about objects, alike ones grouped with a count and the first as an example.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use indicatif::HumanCount;
use integration_sdk::schema::Finding;
use serde::Serialize;

use crate::ink::{FAINT, YELLOW, paint, printable};

use super::words::{counted, paragraph};

/// Findings that are alike: of one type, at one place, for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Group {
    /// How many objects.
    pub(crate) count: u64,
    /// The first one.
    #[serde(flatten)]
    pub(crate) first: Finding,
    /// The file in which it stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) file: Option<PathBuf>,
}

/// Findings so far. Memory is bounded by the kinds of them, not by the objects.
#[derive(Debug, Default)]
pub(crate) struct Findings(BTreeMap<(String, String, String), Group>);

impl Findings {
    /// Adds `count` findings that are alike.
    pub(crate) fn add(&mut self, count: u64, finding: Finding, file: Option<&Path>) {
        let alike = (finding.object_type.clone(), finding.pointer.clone(), finding.reason.clone());
        match self.0.get_mut(&alike) {
            Some(group) => group.count += count,
            None => drop(self.0.insert(alike, Group { count, first: finding, file: file.map(Path::to_owned) })),
        }
    }

    /// How many there are.
    pub(crate) fn total(&self) -> u64 {
        self.0.values().map(|group| group.count).sum()
    }

    /// The groups, the largest first, at most `limit`.
    pub(crate) fn groups(&self, limit: usize) -> Vec<&Group> {
        let mut groups: Vec<&Group> = self.0.values().collect();
        groups.sort_by_key(|group| std::cmp::Reverse(group.count));
        groups.truncate(limit);
        groups
    }

    /// How many groups there are.
    pub(crate) fn kinds(&self) -> usize {
        self.0.len()
    }

    /// The groups as text.
    pub(crate) fn text(&self, limit: usize, width: usize) -> String {
        let mut text = String::new();
        for group in self.groups(limit) {
            let Finding { object_type, key, pointer, reason, schema } = &group.first;
            let object_type = if object_type.is_empty() { "(no type)" } else { object_type };
            let mut line = format!("{} {}", HumanCount(group.count), paint(YELLOW, printable(object_type)));
            if !pointer.is_empty() {
                let _ = write!(line, " {}", printable(pointer));
            }
            let _ = write!(line, ": {}", printable(reason));
            if !schema.is_empty() {
                let _ = write!(line, " (schema {schema})");
            }
            text += &paragraph(&line, width, 2, 2);
            let file = group.file.as_ref().map(|path| format!(" in {}", path.display()));
            let first = if key.is_empty() { "an object without a key" } else { key };
            let place = format!("first: {}{}", printable(first), file.unwrap_or_default());
            text += &paragraph(&paint(FAINT, place), width, 6, 0);
        }
        let more = self.kinds().saturating_sub(limit) as u64;
        if more > 0 {
            let _ = writeln!(text, "  and {}", counted(more, "other kind", "other kinds"));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thousand_alike_findings_are_one_group_with_the_first_as_example() {
        let mut findings = Findings::default();
        for at in 0..1_000 {
            let finding = Finding {
                object_type: "space_planet".into(),
                key: format!("planet-{at}"),
                pointer: "/webLink".into(),
                reason: "value is not a \"uri\"".into(),
                schema: "Entity".into(),
            };
            findings.add(1, finding, None);
        }
        assert_eq!((findings.total(), findings.kinds()), (1_000, 1));
        let text = anstream::adapter::strip_str(&findings.text(10, 80)).to_string();
        assert_eq!(
            text,
            "  1,000 space_planet /webLink: value is not a \"uri\" (schema Entity)\n      first: planet-0\n"
        );
    }
}

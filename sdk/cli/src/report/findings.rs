//! Findings about objects, grouped by kind, with a count and an example.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use indicatif::HumanCount;
use integration_sdk::schema::Finding;
use serde::Serialize;

use crate::style::{BOLD, FAINT, YELLOW, paint, printable, printable_path};
use crate::visible::lossy_option;

use super::rule::{Level, Rule};
use super::text::{counted, paragraph};

/// The maximum number of groups in memory; findings of further kinds are only counted.
const GROUPS: usize = 2_000;

/// Findings of the same rule, type, place, and reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Group {
    /// The violated rule.
    pub(crate) rule: Rule,
    level: Level,
    advice: &'static str,
    /// The number of objects.
    pub(crate) count: u64,
    /// The first finding.
    #[serde(flatten)]
    pub(crate) first: Finding,
    /// The file that contains the first object.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "lossy_option")]
    pub(crate) file: Option<PathBuf>,
}

/// A collection of findings. Its memory depends on the kinds of findings, not on the objects.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    groups: BTreeMap<(Rule, String, String, String), Group>,
    /// The numbers of findings of kinds beyond the limit, by rule.
    further: BTreeMap<Rule, u64>,
}

impl Findings {
    /// Adds `count` findings of the same kind.
    pub(crate) fn add(&mut self, rule: Rule, count: u64, finding: Finding, file: Option<&Path>) {
        let alike = (rule, finding.object_type.clone(), any_item(&finding.pointer), finding.reason.clone());
        if let Some(group) = self.groups.get_mut(&alike) {
            group.count += count;
        } else if self.groups.len() < GROUPS {
            let file = file.map(Path::to_owned);
            let group = Group { rule, level: rule.level(), advice: rule.advice(), count, first: finding, file };
            self.groups.insert(alike, group);
        } else {
            *self.further.entry(rule).or_default() += count;
        }
    }

    /// The number of findings.
    pub(crate) fn total(&self) -> u64 {
        self.groups.values().map(|group| group.count).chain(self.further.values().copied()).sum()
    }

    /// The number of findings of a rule.
    pub(crate) fn of_rule(&self, rule: Rule) -> u64 {
        let grouped: u64 = self.groups.values().filter(|group| group.rule == rule).map(|group| group.count).sum();
        grouped + self.further.get(&rule).copied().unwrap_or(0)
    }

    /// The largest groups, at most `limit`.
    pub(crate) fn groups(&self, limit: usize) -> Vec<&Group> {
        let mut groups: Vec<&Group> = self.groups.values().collect();
        groups.sort_by_key(|group| std::cmp::Reverse(group.count));
        groups.truncate(limit);
        groups
    }

    /// The number of groups.
    pub(crate) fn kinds(&self) -> usize {
        self.groups.len()
    }

    /// Renders the groups as text.
    pub(crate) fn text(&self, limit: usize, width: usize) -> String {
        let groups: String = self.groups(limit).into_iter().map(|group| group.text(2, width)).collect();
        groups + &self.more(limit)
    }

    /// Renders the groups by rule, with the advice for each rule.
    pub(crate) fn advice(&self, limit: usize, width: usize) -> String {
        let shown = self.groups(limit);
        let mut rules: Vec<Rule> = Vec::new();
        for group in &shown {
            if !rules.contains(&group.rule) {
                rules.push(group.rule);
            }
        }
        let mut text = String::new();
        for rule in rules {
            let count = counted(self.of_rule(rule), "finding", "findings");
            text += &paragraph(&format!("{}: {count}", paint(BOLD, rule.id())), width, 2, 2);
            text.extend(shown.iter().filter(|group| group.rule == rule).map(|group| group.text(4, width)));
            text += &paragraph(&format!("to do: {}", rule.advice()), width, 4, 2);
        }
        text + &self.more(limit)
    }

    fn more(&self, limit: usize) -> String {
        match self.kinds().saturating_sub(limit) as u64 {
            0 => String::new(),
            more => format!("  and {}\n", counted(more, "other kind", "other kinds")),
        }
    }
}

impl Group {
    fn text(&self, indent: usize, width: usize) -> String {
        let Finding { object_type, key, pointer, reason, schema } = &self.first;
        let object_type = if object_type.is_empty() { "(no type)" } else { object_type };
        let mut line = format!("{} {}", HumanCount(self.count), paint(YELLOW, printable(object_type)));
        if !pointer.is_empty() {
            let _ = write!(line, " {}", printable(pointer));
        }
        let _ = write!(line, ": {}", printable(reason));
        if !schema.is_empty() {
            let _ = write!(line, " (schema {})", printable(schema));
        }
        let file = self.file.as_ref().map(|path| format!(" in {}", printable_path(path)));
        let first = if key.is_empty() { "an object without a key" } else { key };
        let place = format!("first: {}{}", printable(first), file.unwrap_or_default());
        paragraph(&line, width, indent, 2) + &paragraph(&paint(FAINT, place), width, indent + 4, 0)
    }
}

/// Replaces the list indices in a pointer with `*`.
fn any_item(pointer: &str) -> String {
    let any = |word| match word {
        "" => "",
        number if number.bytes().all(|digit: u8| digit.is_ascii_digit()) => "*",
        name => name,
    };
    pointer.split('/').map(any).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(key: usize, pointer: impl Into<String>) -> Finding {
        Finding {
            object_type: "space_planet".into(),
            key: format!("planet-{key}"),
            pointer: pointer.into(),
            reason: "value is not a \"uri\"".into(),
            schema: "Entity".into(),
        }
    }

    #[test]
    fn a_thousand_similar_findings_are_one_group_with_the_first_as_example() {
        let mut findings = Findings::default();
        for at in 0..1_000 {
            findings.add(Rule::Schema, 1, finding(at, format!("/links/{at}")), None);
        }
        assert_eq!((findings.total(), findings.kinds()), (1_000, 1));
        let text = anstream::adapter::strip_str(&findings.text(10, 80)).to_string();
        assert_eq!(
            text,
            "  1,000 space_planet /links/0: value is not a \"uri\" (schema Entity)\n      first: planet-0\n"
        );
    }

    #[test]
    fn findings_beyond_the_maximum_number_of_kinds_are_only_counted() {
        let mut findings = Findings::default();
        for at in 0..GROUPS + 5 {
            findings.add(Rule::Secret, 1, finding(at, format!("/property-{at}")), None);
        }
        assert_eq!((findings.total(), findings.kinds()), (GROUPS as u64 + 5, GROUPS));
        assert_eq!(findings.of_rule(Rule::Secret), GROUPS as u64 + 5);
    }
}

//! The missing data and their causes. Similar gaps are one line with a count.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use indicatif::HumanCount;
use integration_sdk::Summary;
use integration_sdk::graph::run::{ErrorCode, Gap, StepReport, StepStatus};
use integration_sdk::graph::{ObjectKey, ObjectType, StepId};

use crate::style::{RED, YELLOW, paint, printable};

use super::examples;
use super::text::{list, paragraph};

/// The common properties of similar gaps of a step.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Alike<'a> {
    types: &'a BTreeSet<ObjectType>,
    parent_type: Option<&'a ObjectType>,
    code: &'a ErrorCode,
    shape: String,
}

/// The maximum number of causes shown for objects that could not be read or stored.
const MOST_CAUSES: usize = 5;

/// Similar gaps; never empty.
struct Seen<'a>(Vec<&'a Gap>);

impl<'a> Seen<'a> {
    fn parents(&self) -> BTreeSet<&'a ObjectKey> {
        self.0.iter().filter_map(|gap| Some(&gap.parent.as_ref()?.key)).collect()
    }

    /// The gaps whose causes are shown: one for failed requests, several for objects, whose causes differ.
    fn shown(&self) -> &[&'a Gap] {
        let most = if self.0.iter().any(|gap| gap.resumable) { 1 } else { MOST_CAUSES };
        &self.0[..most.min(self.0.len())]
    }
}

/// Renders the gaps of each step, then the steps that are incomplete because of them.
pub(super) fn missing(summary: &Summary, width: usize) -> String {
    let mut text = String::new();
    if let Some(error) = &summary.error {
        text += &paragraph(&format!("The job ended early: {}", reason(&error.code, &error.message)), width, 2, 4);
    }
    let mut dependents: BTreeMap<&StepId, BTreeMap<&StepId, BTreeSet<&ObjectType>>> = BTreeMap::new();
    for step in &summary.integration_step_results {
        text += &own(step, width);
        for gap in &step.gaps {
            if let Some(root) = &gap.inherited_from {
                dependents.entry(root).or_default().entry(&step.id).or_default().extend(&gap.types);
            }
        }
    }
    for (root, steps) in dependents {
        let steps = steps.into_iter().map(|(step, types)| match types.is_empty() {
            true => step.to_string(),
            false => format!("{step} ({})", list(types)),
        });
        text += &paragraph(&format!("Incomplete because of {root}: {}", list(steps)), width, 2, 4);
    }
    for step in &summary.integration_step_results {
        for (object_type, reasons) in &step.missed {
            for (reason, named) in reasons {
                let names = examples(named.count, named.names.iter().map(String::as_str));
                let line = format!("{} {object_type}: {}{names}", HumanCount(named.count), printable(reason));
                text += &paragraph(&line, width, 2, 2);
            }
        }
    }
    text
}

fn own(step: &StepReport, width: usize) -> String {
    let mut groups: BTreeMap<Alike<'_>, Seen<'_>> = BTreeMap::new();
    // The error of a step without types is listed separately below.
    let is_error = |gap: &Gap| {
        let bare = gap.types.is_empty() && gap.parent.is_none();
        bare && step.error.as_ref().is_some_and(|error| error.message == gap.cause)
    };
    let own = |gap: &&Gap| gap.is_own();
    for gap in step.gaps.iter().filter(own).filter(|gap| !is_error(gap)) {
        let alike = Alike {
            types: &gap.types,
            parent_type: gap.parent.as_ref().map(|parent| &parent.object_type),
            code: &gap.code,
            shape: shape(gap),
        };
        groups.entry(alike).or_insert(Seen(Vec::new())).0.push(gap);
    }
    let mut text = String::new();
    let colour = if step.status == StepStatus::Failure { RED } else { YELLOW };
    for (alike, seen) in &groups {
        let heading = format!("{}: {}", paint(colour, &step.id), what(alike, seen));
        text += &paragraph(&heading, width, 2, 2);
        for gap in seen.shown() {
            text += &paragraph(&reason(&gap.code, &gap.cause), width, 6, 0);
        }
        let more = seen.0.len() - seen.shown().len();
        if more > 0 && seen.shown().len() == MOST_CAUSES {
            text += &paragraph(&format!("and {} more", HumanCount(more as u64)), width, 6, 0);
        }
    }
    let unlisted = groups.is_empty() || step.gaps.iter().filter(own).any(is_error);
    if let (true, Some(error)) = (unlisted, &step.error) {
        text += &paragraph(&format!("{}: failed", paint(colour, &step.id)), width, 2, 2);
        text += &paragraph(&reason(&error.code, &error.message), width, 6, 0);
    }
    text
}

fn what(alike: &Alike<'_>, seen: &Seen<'_>) -> String {
    let mut text = if alike.types.is_empty() { "its results".to_owned() } else { list(alike.types) };
    let (parents, count) = (seen.parents(), seen.0.len());
    if let Some(parent) = &seen.0[0].parent {
        let key = printable(parent.key.as_str());
        let _ = match parents.len() {
            1 => write!(text, " of {} {key}", parent.object_type),
            parents => write!(text, " of {} {} (first: {key})", HumanCount(parents as u64), parent.object_type),
        };
    }
    if count > parents.len().max(1) {
        let _ = write!(text, ", {} times", HumanCount(count as u64));
    }
    text
}

fn reason(code: &ErrorCode, message: &str) -> String {
    match code {
        ErrorCode::Unexpected | ErrorCode::NotCollected => printable(message),
        code => format!("{code}: {}", printable(message)),
    }
}

/// The cause without the parts that differ between parents: keys, ids, and request numbers.
fn shape(gap: &Gap) -> String {
    let key = gap.parent.as_ref().map(|parent| parent.key.as_str());
    let text = match key {
        Some(key) => gap.cause.replace(key, "#"),
        None => gap.cause.clone(),
    };
    let is_id = |word: &str| word.len() > 3 && word.contains(|letter: char| letter.is_ascii_digit());
    let words = text.split_inclusive(|letter: char| !letter.is_alphanumeric() && !matches!(letter, '-' | '_'));
    let words = words.map(|word| {
        let bare = word.trim_end_matches(|letter: char| !letter.is_alphanumeric());
        if is_id(bare) { format!("#{}", &word[bare.len()..]) } else { word.to_owned() }
    });
    words.collect()
}

#[cfg(test)]
mod tests {
    use integration_sdk::graph::ObjectKey;
    use integration_sdk::graph::run::{Failure, Parent, Usage};

    use super::*;

    fn gap(team: &str, cause: &str) -> Gap {
        Gap {
            types: [ObjectType::literal("space_member")].into(),
            parent: Some(Parent {
                object_type: ObjectType::literal("space_team"),
                key: ObjectKey::new(team).expect("a key"),
            }),
            code: ErrorCode::ProviderApi,
            cause: cause.into(),
            inherited_from: None,
            resumable: true,
        }
    }

    fn step(id: &str, status: &str, incomplete: Vec<Gap>) -> StepReport {
        let report = serde_json::json!({
            "id": id, "name": id, "dependsOn": [], "declaredTypes": [], "partialTypes": [], "encounteredTypes": [],
            "encounteredTypeCounts": {}, "status": status, "duration": 0, "incomplete": incomplete,
            "usage": Usage::default(),
        });
        serde_json::from_value(report).expect("a report")
    }

    fn shown(steps: Vec<StepReport>) -> String {
        let summary = serde_json::json!({
            "job": "1", "integration": "space", "instance": "default", "state": "partial", "startTime": 0, "endTime": 0,
            "duration": 0, "entities": 0, "relationships": 0, "metadata": {"partialDatasets": {"types": []}},
            "integrationStepResults": steps, "usage": Usage::default(),
        });
        let summary = serde_json::from_value(summary).expect("a summary");
        anstream::adapter::strip_str(&missing(&summary, 80)).to_string()
    }

    fn bare(cause: &str, inherited_from: Option<&'static str>) -> Gap {
        let inherited_from = inherited_from.map(StepId::literal);
        let code = ErrorCode::ProviderAuthorization;
        Gap { types: BTreeSet::new(), parent: None, code, cause: cause.into(), inherited_from, resumable: true }
    }

    #[test]
    fn a_gap_without_types_is_listed_with_its_dependents() {
        let forbidden = "the credentials do not allow it";
        let amender = step("add-nicknames", "disabled", vec![bare(forbidden, None)]);
        let resting = step("count-nicknames", "success", vec![bare(forbidden, Some("add-nicknames"))]);
        insta::assert_snapshot!(shown(vec![amender, resting]), @"
        add-nicknames: its results
            PROVIDER_AUTHORIZATION_ERROR: the credentials do not allow it
        Incomplete because of add-nicknames: count-nicknames
        ");
    }

    #[test]
    fn the_error_of_a_step_without_types_is_listed_once_with_its_gaps() {
        let mut failed = step("add-nicknames", "failure", vec![gap("team-a", "403"), bare("it broke", None)]);
        let error = Failure { code: ErrorCode::Unexpected, message: "it broke".into() };
        failed.error = Some(error);
        let text = shown(vec![failed]);
        assert_eq!(text.matches("it broke").count(), 1, "{text}");
        assert!(text.contains("add-nicknames: failed") && text.contains("space_member of space_team team-a"), "{text}");
    }

    #[test]
    fn every_unreadable_object_is_named_with_its_parent() {
        let odd = |id: &str| Gap { resumable: false, ..gap("team-a", &format!("the element of id {id} does not fit")) };
        let few = shown(vec![step("fetch-members", "success", vec![odd("member-1a"), odd("member-2b")])]);
        insta::assert_snapshot!(few, @"
        fetch-members: space_member of space_team team-a, 2 times
            PROVIDER_API_ERROR: the element of id member-1a does not fit
            PROVIDER_API_ERROR: the element of id member-2b does not fit
        ");
        let many = (0..9).map(|at| odd(&format!("member-{at}c"))).collect();
        let many = shown(vec![step("fetch-members", "success", many)]);
        assert!(many.contains("member-4c") && !many.contains("member-5c") && many.contains("and 4 more"), "{many}");
    }

    #[test]
    fn a_parent_with_several_gaps_counts_once() {
        let gaps = ["team-a", "team-a", "team-b"].map(|team| gap(team, "it broke")).into();
        let text = shown(vec![step("fetch-members", "success", gaps)]);
        assert!(text.contains("space_member of 2 space_team (first: team-a), 3 times"), "{text}");
    }

    #[test]
    fn causes_that_differ_only_in_ids_are_similar() {
        let one = gap("team-a", "GET /teams/team-a/members: 403 (request 0f1e2d3c)");
        let two = gap("team-b", "GET /teams/team-b/members: 403 (request 99ab12cd)");
        let other = gap("team-c", "GET /teams/team-c/members: 500 (request 99ab12cd)");
        assert_eq!(shape(&one), shape(&two));
        assert_ne!(shape(&one), shape(&other));
    }
}

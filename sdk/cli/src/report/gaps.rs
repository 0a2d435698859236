//! What is missing and why. A thousand parents that failed alike are one line with a count.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use indicatif::HumanCount;
use integration_sdk::Summary;
use integration_sdk::graph::{ObjectType, StepId};
use integration_sdk::runtime::{StepReport, StepStatus};
use integration_sdk::step::Incomplete;

use crate::ink::{RED, YELLOW, paint, printable};

use super::words::{list, paragraph};

/// Gaps that are alike: of one step, of the same types, under parents of one type, for the same cause.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Alike<'a> {
    types: &'a BTreeSet<ObjectType>,
    parent_type: Option<&'a ObjectType>,
    code: &'a str,
    shape: String,
}

/// The first of them, and how many there are.
struct Seen<'a> {
    first: &'a Incomplete,
    count: u64,
}

/// What each step itself could not collect, then what rests on it.
pub(super) fn missing(summary: &Summary, width: usize) -> String {
    let mut text = String::new();
    if let Some(error) = &summary.error {
        text += &paragraph(&format!("The job ended early: {}", reason(&error.code, &error.message)), width, 2, 4);
    }
    let mut dependents: BTreeMap<&StepId, BTreeMap<&StepId, BTreeSet<&ObjectType>>> = BTreeMap::new();
    for step in &summary.integration_step_results {
        text += &own(step, width);
        for gap in &step.incomplete {
            if let (Some(root), false) = (&gap.inherited_from, gap.types.is_empty()) {
                dependents.entry(root).or_default().entry(&step.id).or_default().extend(&gap.types);
            }
        }
    }
    for (root, steps) in dependents {
        let steps = steps.into_iter().map(|(step, types)| format!("{step} ({})", list(types)));
        text += &paragraph(&format!("Incomplete because of {root}: {}", list(steps)), width, 2, 4);
    }
    text
}

fn own(step: &StepReport, width: usize) -> String {
    let mut groups: BTreeMap<Alike<'_>, Seen<'_>> = BTreeMap::new();
    // A step that adds nothing has no types to miss: what ended it is told below.
    let tells = |gap: &&Incomplete| gap.inherited_from.is_none() && !(gap.types.is_empty() && gap.under.is_none());
    for gap in step.incomplete.iter().filter(tells) {
        let alike = Alike {
            types: &gap.types,
            parent_type: gap.under.as_ref().map(|under| &under.object_type),
            code: &gap.code,
            shape: shape(gap),
        };
        groups.entry(alike).or_insert(Seen { first: gap, count: 0 }).count += 1;
    }
    let mut text = String::new();
    let colour = if step.status == StepStatus::Failure { RED } else { YELLOW };
    for (alike, seen) in &groups {
        let heading = format!("{}: {}", paint(colour, &step.id), what(alike, seen));
        text += &paragraph(&heading, width, 2, 2);
        text += &paragraph(&reason(&seen.first.code, &seen.first.cause), width, 6, 0);
    }
    if let (true, Some(error)) = (groups.is_empty(), &step.error) {
        text += &paragraph(&format!("{}: failed", paint(colour, &step.id)), width, 2, 2);
        text += &paragraph(&reason(&error.code, &error.message), width, 6, 0);
    }
    text
}

fn what(alike: &Alike<'_>, seen: &Seen<'_>) -> String {
    let mut text = if alike.types.is_empty() { "its work".to_owned() } else { list(alike.types) };
    if let Some(under) = &seen.first.under {
        let key = printable(under.key.as_str());
        let _ = match seen.count {
            1 => write!(text, " of the {} {key}", under.object_type),
            count => write!(text, " of {} {}, the first {key}", HumanCount(count), under.object_type),
        };
    } else if seen.count > 1 {
        let _ = write!(text, ", {} times", HumanCount(seen.count));
    }
    text
}

fn reason(code: &str, message: &str) -> String {
    match code {
        "UNEXPECTED_ERROR" => printable(message),
        code => format!("{code}: {}", printable(message)),
    }
}

/// The cause without what differs from parent to parent: ids, numbers of requests.
fn shape(gap: &Incomplete) -> String {
    let key = gap.under.as_ref().map(|under| under.key.as_str());
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
    use integration_sdk::step::Scope;

    use super::*;

    fn gap(team: &str, cause: &str) -> Incomplete {
        Incomplete {
            types: [ObjectType::literal("space_member")].into(),
            under: Some(Scope {
                object_type: ObjectType::literal("space_team"),
                key: ObjectKey::new(team).expect("a key"),
            }),
            code: "PROVIDER_API_ERROR".into(),
            cause: cause.into(),
            inherited_from: None,
        }
    }

    #[test]
    fn causes_that_differ_in_ids_only_are_alike() {
        let one = gap("team-a", "GET /teams/team-a/members: 403 (request 0f1e2d3c)");
        let two = gap("team-b", "GET /teams/team-b/members: 403 (request 99ab12cd)");
        let other = gap("team-c", "GET /teams/team-c/members: 500 (request 99ab12cd)");
        assert_eq!(shape(&one), shape(&two));
        assert_ne!(shape(&one), shape(&other));
    }
}

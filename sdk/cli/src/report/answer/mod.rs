//! The result of a query for people, spreadsheets, and programs.

mod cell;
pub(crate) mod csv;
pub(crate) mod grid;

use std::collections::{BTreeSet, HashMap};

use indicatif::HumanCount;
use integration_query::{Answer, Incomplete, QueryResult, Reason};
use integration_sdk::graph::Properties;
use serde_json::Value;

pub(crate) use cell::{name_of, shown};

use super::text::{counted, list};
use crate::style::printable;

/// The properties that text shows of an entity.
const SHOWN: [&str; 3] = ["displayName", "_type", "_key"];

/// The maximum number of reasons for an incomplete result in text. A refused list is one reason for each team.
const REASONS: usize = 5;

/// Returns a result as text for people.
pub(crate) fn text(result: &QueryResult, width: usize) -> String {
    match result {
        QueryResult::Tree { vertices, edges } => tree(vertices, edges, width),
        QueryResult::List { .. } | QueryResult::Table(_) => {
            let (columns, rows) = brief(result);
            grid::text(&columns, &rows, width)
        }
    }
}

/// Returns a result as columns and rows. Entities get a column for each of their properties.
pub(crate) fn columns(result: &QueryResult) -> (Vec<String>, Vec<Vec<Value>>) {
    match result {
        QueryResult::List { entities } => properties(entities),
        QueryResult::Table(table) => (table.columns.clone(), table.rows.clone()),
        QueryResult::Tree { vertices, edges } => {
            let objects: Vec<Properties> = vertices.iter().chain(edges).cloned().collect();
            properties(&objects)
        }
    }
}

fn properties(objects: &[Properties]) -> (Vec<String>, Vec<Vec<Value>>) {
    let names: BTreeSet<&String> = objects.iter().flat_map(Properties::keys).collect();
    let names: Vec<&str> = names.into_iter().map(String::as_str).collect();
    let rows = objects.iter().map(|object| picked(object, &names)).collect();
    (names.into_iter().map(str::to_owned).collect(), rows)
}

fn picked(object: &Properties, names: &[&str]) -> Vec<Value> {
    names.iter().map(|name| object.get(*name).cloned().unwrap_or_default()).collect()
}

/// Lists the relationships between their entities, then the entities without any.
fn tree(vertices: &[Properties], edges: &[Properties], width: usize) -> String {
    let key = |object: &Properties, name: &str| object.get(name).and_then(Value::as_str).map(str::to_owned);
    let names: HashMap<String, &str> =
        vertices.iter().filter_map(|vertex| Some((key(vertex, "_key")?, name_of(vertex)?))).collect();
    let end = |edge: &Properties, name: &str| {
        let key = key(edge, name).unwrap_or_default();
        Value::from(names.get(&key).map_or(key.as_str(), |name| *name))
    };
    let mut rows: Vec<Vec<Value>> = edges
        .iter()
        .map(|edge| {
            let class = edge.get("_class").cloned().unwrap_or_default();
            vec![end(edge, "_fromEntityKey"), class, end(edge, "_toEntityKey")]
        })
        .collect();
    let linked: BTreeSet<String> = edges
        .iter()
        .flat_map(|edge| ["_fromEntityKey", "_toEntityKey"].into_iter().filter_map(move |name| key(edge, name)))
        .collect();
    let alone = vertices.iter().filter(|vertex| key(vertex, "_key").is_none_or(|key| !linked.contains(&key)));
    rows.extend(alone.map(|vertex| vec![name_of(vertex).into(), Value::Null, Value::Null]));
    grid::text(&["from", "relationship", "to"].map(str::to_owned), &rows, width)
}

/// Returns the number of results, with a hint if a limit cut them.
pub(crate) fn number(answer: &Answer) -> String {
    match answer.is_truncated {
        true => format!(
            "{} of {} shown. Write LIMIT with a larger number for more.",
            HumanCount(answer.result.rows() as u64),
            counted(answer.total, "result", "results")
        ),
        false => format!("{}.", counted(answer.result.rows() as u64, "result", "results")),
    }
}

/// Returns the remarks without which a reader may misunderstand the result: probable mistakes and missing data.
///
/// `text` is the query, of which the remarks show the place.
pub(crate) fn remarks(text: &str, answer: &Answer) -> Vec<String> {
    let mut remarks: Vec<String> =
        answer.warnings.iter().map(|warning| format!("Warning: {}", warning.render(text).trim_end())).collect();
    remarks.extend(limited(&reasons(answer)));
    remarks
}

/// Returns the first reasons why a result may be incomplete as sentences, and the number of the others.
pub(crate) fn limited(reasons: &[String]) -> Vec<String> {
    let shown = reasons.iter().take(REASONS);
    let mut sentences: Vec<String> = shown.map(|reason| format!("The result may be incomplete: {reason}.")).collect();
    if let Some(hidden) = reasons.len().checked_sub(REASONS).filter(|hidden| *hidden > 0) {
        let more = counted(hidden as u64, "more reason", "more reasons");
        sentences.push(format!("The result may be incomplete for {more}; `--format json` lists all of them."));
    }
    sentences
}

/// Returns the probable mistakes in a query.
pub(crate) fn warnings(answer: &Answer) -> impl Iterator<Item = String> {
    answer.warnings.iter().map(|warning| match &warning.help {
        Some(help) => format!("{}; {help}", warning.message),
        None => warning.message.clone(),
    })
}

/// Returns the reasons why an answer may be incomplete.
pub(crate) fn reasons(answer: &Answer) -> Vec<String> {
    answer.incomplete.iter().map(reason).collect()
}

fn reason(incomplete: &Incomplete) -> String {
    let of = format!("instance {} of {}", printable(incomplete.instance.as_str()), printable(&incomplete.integration));
    match &incomplete.reason {
        Reason::Stale { object_type, objects } => {
            let number = counted(u64::from(*objects), "object", "objects");
            format!("{number} of {object_type} in {of} are from an earlier job")
        }
        Reason::Gap(gap) => {
            let under = gap.parent.as_ref().map(|parent| format!(" under {}", printable(parent.key.as_str())));
            let (types, cause) = (list(&gap.types), printable(&gap.cause));
            format!("{} in {of} lacks {types}{}: {cause}", gap.step, under.unwrap_or_default())
        }
    }
}

/// Returns the columns and rows of a result for a report. Entities are shown by name, type, and key.
pub(crate) fn brief(result: &QueryResult) -> (Vec<String>, Vec<Vec<Value>>) {
    match result {
        QueryResult::List { entities } | QueryResult::Tree { vertices: entities, .. } => {
            (SHOWN.map(str::to_owned).to_vec(), entities.iter().map(|entity| picked(entity, &SHOWN)).collect())
        }
        QueryResult::Table(table) => (table.columns.clone(), table.rows.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_that_every_team_refuses_does_not_flood_the_terminal() {
        let reasons: Vec<String> = (0..100).map(|team| format!("team {team}")).collect();
        let sentences = limited(&reasons);
        assert_eq!(sentences.len(), REASONS + 1);
        assert!(sentences[REASONS].contains("95 more reasons"), "{sentences:?}");
        assert_eq!(limited(&reasons[..REASONS]).len(), REASONS);
    }
}

//! The result of a query for people, spreadsheets, and programs.

mod cell;
pub(crate) mod csv;
pub(crate) mod grid;

use std::collections::{BTreeSet, HashMap};
use std::io::{self, Write};

use indicatif::HumanCount;
use integration_query::{Answer, Incomplete, QueryResult, Reason, TableResult};
use integration_sdk::graph::{InstanceId, Properties};
use serde_json::Value;

pub(crate) use cell::{name_of, shown};

use super::diagnostic::in_one_line;
use super::text::{counted, list};
use crate::account::Account;
use crate::console::WARNING;
use crate::context::Context;
use crate::style::printable;

/// The properties that text shows of an entity.
const SHOWN: [&str; 3] = ["displayName", "_type", "_key"];

/// The maximum number of reasons for an incomplete result in text. A refused list is one reason for each team.
const REASONS: usize = 5;

/// The rows of a result, which are computed one by one: a large result need not be in memory twice.
pub(crate) type Rows<'r> = Box<dyn Iterator<Item = Vec<&'r Value>> + 'r>;

/// Writes a result as text for people.
pub(crate) fn write_text(result: &QueryResult, width: usize, out: &mut dyn Write) -> io::Result<()> {
    match result {
        QueryResult::Tree { vertices, edges } => {
            let (columns, rows) = tree(vertices, edges);
            grid::write(&columns, &|| Box::new(rows.iter().map(|row| row.iter().collect())), width, out)
        }
        QueryResult::List { .. } | QueryResult::Table(_) => {
            let (columns, _) = shown_rows(result);
            grid::write(&columns, &|| shown_rows(result).1, width, out)
        }
    }
}

/// Returns a result as columns and rows. Entities get a column for each of their properties.
pub(crate) fn columns(result: &QueryResult) -> (Vec<String>, Rows<'_>) {
    match result {
        QueryResult::List { entities } => properties(|| entities.iter()),
        QueryResult::Table(table) => of_table(table),
        QueryResult::Tree { vertices, edges } => properties(|| vertices.iter().chain(edges)),
    }
}

fn properties<'r, I: Iterator<Item = &'r Properties> + 'r>(objects: impl Fn() -> I) -> (Vec<String>, Rows<'r>) {
    let names: BTreeSet<&String> = objects().flat_map(Properties::keys).collect();
    let names: Vec<String> = names.into_iter().cloned().collect();
    let picked_names = names.clone();
    let rows = objects().map(move |object| picked(object, picked_names.iter().map(String::as_str)));
    (names, Box::new(rows))
}

fn of_table(table: &TableResult) -> (Vec<String>, Rows<'_>) {
    (table.columns.clone(), Box::new(table.rows.iter().map(|row| row.iter().collect())))
}

/// Returns the columns and rows of a result for people. Entities are shown by name, type, and key.
fn shown_rows(result: &QueryResult) -> (Vec<String>, Rows<'_>) {
    match result {
        QueryResult::List { entities } | QueryResult::Tree { vertices: entities, .. } => (
            SHOWN.map(str::to_owned).to_vec(),
            Box::new(entities.iter().map(|entity| picked(entity, SHOWN.into_iter()))),
        ),
        QueryResult::Table(table) => of_table(table),
    }
}

fn picked(object: &Properties, names: impl Iterator<Item = impl AsRef<str>>) -> Vec<&Value> {
    names.map(|name| object.get(name.as_ref()).unwrap_or(&Value::Null)).collect()
}

/// Lists the relationships between their entities, then the entities without any.
fn tree(vertices: &[Properties], edges: &[Properties]) -> (Vec<String>, Vec<Vec<Value>>) {
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
    (["from", "relationship", "to"].map(str::to_owned).to_vec(), rows)
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
pub(crate) fn remarks(context: &Context<'_>, text: &str, answer: &Answer) -> Vec<String> {
    let mut remarks: Vec<String> =
        answer.warnings.iter().map(|warning| format!("{WARNING}{}", warning.render(text).trim_end())).collect();
    remarks.extend(limited(&reasons(context, answer)));
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
    answer.warnings.iter().map(in_one_line)
}

/// Returns the reasons why an answer may be incomplete.
pub(crate) fn reasons(context: &Context<'_>, answer: &Answer) -> Vec<String> {
    answer.incomplete.iter().map(|incomplete| reason(context, incomplete)).collect()
}

fn reason(context: &Context<'_>, Incomplete { integration, instance, reason, .. }: &Incomplete) -> String {
    let of = match instance {
        Some(instance) => format!("instance {} of {}", printable(instance.as_str()), printable(integration)),
        None => printable(integration),
    };
    match reason {
        Reason::Stale { object_type, objects } => {
            let number = counted(u64::from(*objects), "object", "objects");
            format!("{number} of {object_type} in {of} are from an earlier job")
        }
        Reason::Gap(gap) => {
            let under = gap.parent.as_ref().map(|parent| format!(" under {}", printable(parent.key.as_str())));
            let (types, cause) = (list(&gap.types), printable(&gap.cause));
            format!("{} in {of} lacks {types}{}: {cause}", gap.step, under.unwrap_or_default())
        }
        Reason::Unpublished { cause } => {
            let cause = printable(cause);
            format!(
                "{of} has no graph: {}{}",
                cause.trim_end_matches('.'),
                remedy(context, integration, instance.as_ref())
            )
        }
        Reason::NotCollected => {
            format!("no selected graph is of {of}{}", remedy(context, integration, None))
        }
    }
}

/// The command that collects a missing graph, if this program can.
fn remedy(context: &Context<'_>, integration: &str, instance: Option<&InstanceId>) -> String {
    if !context.offers.iter().any(|offer| offer.id() == integration) {
        return String::new();
    }
    let options = instance.map(|instance| Account::of(instance).options()).unwrap_or_default();
    format!("; `{} collect{options}` collects it", context.called_for(integration))
}

/// Returns the columns and rows of a result for a report. Entities are shown by name, type, and key.
pub(crate) fn brief(result: QueryResult) -> (Vec<String>, Vec<Vec<Value>>) {
    match result {
        QueryResult::Table(table) => (table.columns, table.rows),
        entities => {
            let (columns, rows) = shown_rows(&entities);
            (columns, rows.map(|row| row.into_iter().cloned().collect()).collect())
        }
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

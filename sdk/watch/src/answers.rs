//! Query results as input of rules.

use integration_query::syntax::{self, Expression, Query, Return};
use integration_query::{Answer, QueryResult, Reason};
use integration_rules::{Completeness, QueryAnswer};
use serde_json::Value;

/// Returns the rows in JupiterOne's form, with their completeness. Rows beyond `most` are cut.
///
/// The rows are cut before they are converted: a row in this form takes about ten times the memory of its cells.
pub(crate) fn rows(query: &str, mut answer: Answer, most: usize) -> QueryAnswer {
    let is_cut = answer.result.rows() > most;
    match &mut answer.result {
        QueryResult::List { entities } => entities.truncate(most),
        QueryResult::Table(table) => table.rows.truncate(most),
        QueryResult::Tree { vertices, edges } => {
            vertices.truncate(most);
            // The rows of a tree are its entities.
            edges.clear();
        }
    }
    let mut document = answer.result.to_api_json(answer.total, true);
    let rows = match document.get_mut("data").map(Value::take) {
        Some(Value::Array(rows)) => rows,
        Some(mut tree) => match tree["vertices"].take() {
            Value::Array(vertices) => vertices,
            _ => Vec::new(),
        },
        None => Vec::new(),
    };
    let mut completeness = completeness(query, &answer);
    if is_cut {
        // The rows that were cut are missing to the rule, as those behind a gap are.
        if completeness == Completeness::Complete {
            completeness = Completeness::MayLackRows;
        }
    }
    QueryAnswer { rows, total: answer.total, completeness }
}

/// Missing data can hide rows. It can also produce wrong ones: of a query for absent relationships, of numbers, and of
/// objects that may be gone.
fn completeness(query: &str, answer: &Answer) -> Completeness {
    let is_stale = |reason: &Reason| matches!(reason, Reason::Stale { .. });
    if answer.incomplete.is_empty() {
        return Completeness::Complete;
    }
    let may_differ = answer.incomplete.iter().any(|missing| missing.may_add_rows || is_stale(&missing.reason))
        || syntax::parse(query).map_or(true, |query| computes(&query));
    if may_differ { Completeness::MayDiffer } else { Completeness::MayLackRows }
}

fn computes(query: &Query) -> bool {
    let Some(Return::Items(items)) = &query.returns else { return false };
    items.iter().any(|item| !matches!(item.expression, Expression::Path(_) | Expression::AllProperties(_)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Query {
        syntax::parse(text).expect("a query")
    }

    #[test]
    fn numbers_depend_on_missing_data() {
        assert!(computes(&parsed("FIND User AS u RETURN count(u)")));
        assert!(!computes(&parsed("FIND User AS u RETURN u.name")));
    }
}

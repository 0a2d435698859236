//! Asks the queries of one question.

use integration_query::graph::AccountGraph;
use integration_questions::{Answered, Verdict};
use serde_json::Value;

use super::packs::ChosenQuestion;
use crate::asking::Asking;
use crate::failure::Failure;
use crate::report::answer;
use crate::report::questions::{Asked, AskedQuery, Outcome};

/// Asks all queries of a question. A query that fails does not stop the others.
pub(super) async fn question(
    graph: &AccountGraph,
    asking: &Asking,
    ChosenQuestion { question, file }: ChosenQuestion,
) -> Result<Asked, Failure> {
    let mut asking = asking.clone();
    for variable in &question.variables {
        if let Some(default) = &variable.default {
            asking.parameters.entry(variable.name.clone()).or_insert_with(|| Value::from(default.as_str()));
        }
    }
    let mut queries = Vec::new();
    for query in &question.queries {
        let outcome = match asking.ask(graph, &query.query).await {
            Ok(answered) => {
                let (columns, rows) = answer::brief(&answered.result);
                Outcome::Answered {
                    columns,
                    rows,
                    results: answered.total,
                    warnings: answer::warnings(&answered).collect(),
                    incomplete: answer::reasons(&answered),
                }
            }
            // An interrupted command ends instead of asking the other questions.
            Err(failure) if failure.is_cancelled() => return Err(failure),
            Err(failure) => Outcome::Failed { error: failure.to_string() },
        };
        queries.push(AskedQuery { query: query.clone(), outcome });
    }
    let answered: Vec<Answered> = queries
        .iter()
        .filter_map(|query| match &query.outcome {
            Outcome::Answered { results, incomplete, .. } => Some(Answered {
                results_are: query.query.results_are,
                results: *results,
                is_incomplete: !incomplete.is_empty(),
            }),
            Outcome::Failed { .. } => None,
        })
        .collect();
    let all_answered = answered.len() == queries.len();
    let verdict = match Verdict::of(&answered) {
        Verdict::Good | Verdict::Informative if !all_answered => Verdict::Unknown,
        verdict => verdict,
    };
    Ok(Asked { question, file, queries, verdict })
}

//! Asks the queries of one question.

use integration_query::graph::AccountGraph;
use integration_query::{Incomplete, Reason};
use integration_questions::{Answered, Verdict};
use serde_json::Value;

use super::packs::ChosenQuestion;
use crate::asking::Asking;
use crate::context::Context;
use crate::failure::Failure;
use crate::report::answer;
use crate::report::questions::{Asked, AskedQuery, Outcome};

/// Asks all queries of a question. A query that fails does not stop the others.
pub(super) async fn question(
    context: &Context<'_>,
    graph: &AccountGraph,
    asking: &Asking,
    ChosenQuestion { question, file, is_own }: ChosenQuestion,
) -> Result<Asked, Failure> {
    let mut asking = asking.clone();
    for variable in &question.variables {
        if let Some(default) = &variable.default {
            asking.parameters.entry(variable.name.clone()).or_insert_with(|| Value::from(default.as_str()));
        }
    }
    // A question of the integration means its own objects, even with `FIND *`.
    let own = context.integration.id();
    let is_collected = !is_own || graph.snapshots().iter().any(|snapshot| snapshot.integration == own);
    let mut queries = Vec::new();
    for query in &question.queries {
        let outcome = match asking.ask(graph, &query.query).await {
            Ok(mut answered) => {
                if !is_collected && answered.incomplete.is_empty() {
                    answered.incomplete.push(Incomplete {
                        integration: own.to_owned(),
                        instance: None,
                        reason: Reason::NotCollected,
                        may_add_rows: false,
                    });
                }
                let may_have_wrong_rows = answered.incomplete.iter().any(|incomplete| incomplete.may_add_rows);
                let (warnings, incomplete) =
                    (answer::warnings(&answered).collect(), answer::reasons(context, &answered));
                let results = answered.total;
                let (columns, rows) = answer::brief(answered.result);
                Outcome::Answered { columns, rows, results, warnings, incomplete, may_have_wrong_rows }
            }
            // An interrupted command ends instead of asking the other questions.
            Err(failure) if failure.is_cancelled() => return Err(failure),
            Err(failure) => Outcome::Failed { error: failure.summary(), shown: failure.shown() },
        };
        queries.push(AskedQuery { query: query.clone(), outcome });
    }
    let answered: Vec<Answered> = queries
        .iter()
        .filter_map(|query| match &query.outcome {
            Outcome::Answered { results, incomplete, warnings, may_have_wrong_rows, .. } => Some(Answered {
                results_are: query.query.results_are,
                results: *results,
                is_incomplete: !incomplete.is_empty(),
                may_have_wrong_results: *may_have_wrong_rows,
                is_doubtful: !warnings.is_empty(),
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

//! Evaluates one rule and applies the result to its alert.

use integration_query::graph::AccountGraph;
use integration_query::syntax::{self, Expression, Query, Return, Step};
use integration_query::{Answer, Reason};
use integration_rules::{
    Completeness, Evaluation, GraphChange, Input, Next, Observation, Program, QueryAnswer, RuleInput, observe,
};
use integration_sdk::graph::JobId;
use jiff::Timestamp;
use serde_json::Value;

use super::identifier;
use crate::alert_book::AlertBook;
use crate::asking::Asking;
use crate::failure::Failure;
use crate::report::rules::Evaluated;

/// Evaluates a rule. Its alert and its memory are changed in the book, which the caller saves.
pub(super) async fn rule(
    program: &Program,
    graph: &AccountGraph,
    asking: &Asking,
    changes: &[GraphChange],
    book: &mut AlertBook,
) -> Result<Evaluated, Failure> {
    let id = identifier(program);
    let begin = Timestamp::now();
    let input = Input {
        parameters: asking.parameters.clone().into_iter().collect(),
        previous: book.content.memories.get(id).cloned().unwrap_or_default(),
        changes: if is_about_changes(program) { changes.to_vec() } else { Vec::new() },
        ..Input::at(begin)
    };
    let mut evaluation = Evaluation::start(program, input);
    let outcome = loop {
        match evaluation.step() {
            Next::Done(outcome) => break *outcome,
            Next::Query(request) => evaluation.answer(match asking.ask(graph, &request.query).await {
                Ok(answer) => Ok(rows(&request.query, &answer)),
                // An interrupted command ends instead of evaluating the other rules.
                Err(failure) if failure.is_cancelled() => return Err(failure),
                Err(failure) => Err(failure.to_string()),
            }),
        }
    };
    book.content.memories.insert(id.to_owned(), outcome.memory.clone());
    let version = program.rule().version.unwrap_or(1);
    let observation = Observation::of(&outcome, id, version, begin, Timestamp::now());
    let former = book.take_newest(id);
    let (alert, change) = observe(former.clone(), &observation, JobId::generate().as_str());
    // An opened alert does not replace a former one of the rule, which has ended.
    let keeps_former = former.as_ref().zip(alert.as_ref()).is_some_and(|(former, alert)| former.id != alert.id);
    book.content.alerts.extend(former.filter(|_| keeps_former));
    book.content.alerts.extend(alert.clone());
    Ok(Evaluated { rule: id.to_owned(), outcome, alert, change })
}

/// Returns whether a rule reads changes. Whole objects belong to them, so other rules get no copy.
pub(super) fn is_about_changes(program: &Program) -> bool {
    matches!(program.rule().input, RuleInput::Changes { .. })
}

/// Returns the rows in JupiterOne's form, with their completeness.
fn rows(query: &str, answer: &Answer) -> QueryAnswer {
    let document = answer.result.to_api_json(answer.total, true);
    let rows = match document.get("data") {
        Some(Value::Array(rows)) => rows.clone(),
        Some(tree) => tree["vertices"].as_array().cloned().unwrap_or_default(),
        None => Vec::new(),
    };
    QueryAnswer { rows, total: answer.total, completeness: completeness(query, answer) }
}

/// Missing data can hide rows. It can also produce wrong ones: of a query for absent relationships, of numbers, and of
/// objects that may be gone.
fn completeness(query: &str, answer: &Answer) -> Completeness {
    let is_stale = |reason: &Reason| matches!(reason, Reason::Stale { .. });
    if answer.incomplete.is_empty() {
        return Completeness::Complete;
    }
    let may_differ = answer.incomplete.iter().any(|incomplete| is_stale(&incomplete.reason))
        || syntax::parse(query).map_or(true, |query| negates(&query.steps) || computes(&query));
    if may_differ { Completeness::MayDiffer } else { Completeness::MayLackRows }
}

fn negates(steps: &[Step]) -> bool {
    steps.iter().any(|step| match step {
        Step::Hop(hop) => hop.negated.is_some(),
        Step::Optional(_) => true,
    })
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
    fn absent_relationships_and_numbers_depend_on_missing_data() {
        assert!(negates(&parsed("FIND User THAT !HAS Team").steps));
        assert!(negates(&parsed("FIND User (THAT HAS Team)?").steps));
        assert!(!negates(&parsed("FIND User THAT HAS Team").steps));
        assert!(computes(&parsed("FIND User AS u RETURN count(u)")));
        assert!(!computes(&parsed("FIND User AS u RETURN u.name")));
    }
}

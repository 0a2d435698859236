//! The properties: the engine returns the rows of the naive evaluator.

use std::sync::Arc;

use futures::executor::block_on;
use integration_query::{Catalogue, DeclaredType, Options, QueryError, QueryResult, run};
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use serde_json::{Value, json};

use super::evaluate::{Expected, Rows, evaluate};
use super::generate::{self, CLASSES, Choices, TYPES, VERBS};
use crate::support::options;

/// The number of cases. `PROPTEST_CASES` replaces it.
fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(1_000)
}

fn catalogue() -> Catalogue {
    let declared = |class: &str| DeclaredType { classes: [class.to_owned()].into(), ..DeclaredType::default() };
    let entities = TYPES.iter().zip(CLASSES).map(|(name, class)| ((*name).to_owned(), declared(class))).collect();
    let relationships = VERBS.iter().map(|verb| (format!("acme_{}", verb.to_lowercase()), declared(verb))).collect();
    Catalogue { entities, relationships }
}

/// Replaces an object in a cell by its id.
fn plain(cell: Value) -> Value {
    match cell.get("id") {
        Some(id) => json!({ "$object": id }),
        None => match cell {
            // The naive evaluator has one form of each number.
            Value::Number(number) => number.as_f64().map_or(Value::Null, plain_number),
            Value::Array(elements) => elements.into_iter().map(plain).collect(),
            other => other,
        },
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the value is whole and small")]
fn plain_number(value: f64) -> Value {
    if value.fract() == 0.0 && value.abs() < 1e15 { (value as i64).into() } else { value.into() }
}

fn found(result: QueryResult, total: u64) -> Expected {
    let key = |object: &integration_graph::Properties| object["_key"].as_str().expect("a key").to_owned();
    let sorted = |objects: &[integration_graph::Properties]| {
        let mut keys: Vec<String> = objects.iter().map(key).collect();
        keys.sort();
        keys
    };
    let rows = match result {
        QueryResult::List { entities } => Rows::List(entities.iter().map(key).collect()),
        QueryResult::Table(table) => Rows::Table {
            columns: table.columns,
            rows: table.rows.into_iter().map(|row| row.into_iter().map(plain).collect()).collect(),
        },
        QueryResult::Tree { vertices, edges } => Rows::Tree(sorted(&vertices), sorted(&edges)),
    };
    Expected { total, rows }
}

fn check(bytes: &[u8]) -> Result<(), TestCaseError> {
    let mut choices = Choices::new(bytes);
    let model = generate::graph(&mut choices);
    let query = generate::query(&mut choices);
    let text = query.to_string();
    let mut expected = evaluate(&model, &query);
    if let Rows::Table { rows, .. } = &mut expected.rows {
        rows.iter_mut()
            .flatten()
            .for_each(|cell| *cell = if cell.get("$object").is_some() { cell.take() } else { plain(cell.take()) });
    }
    let options = Options { catalogue: Arc::new(catalogue()), ..options() };
    match block_on(run(&text, &model.open(), &options)) {
        Ok(answer) => prop_assert_eq!(found(answer.result, answer.total), expected, "{}", text),
        Err(QueryError::Invalid(errors)) => return Err(TestCaseError::fail(errors.render(&text))),
        Err(error) => return Err(TestCaseError::fail(format!("{text}: {error}"))),
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), ..ProptestConfig::default() })]

    #[test]
    fn the_engine_agrees_with_the_naive_evaluator(bytes in prop::collection::vec(any::<u8>(), 0..500)) {
        check(&bytes)?;
    }
}

/// Moves, repeats, and removes words of a text.
fn damaged(text: &str, edits: &[(u8, u8)]) -> String {
    let mut words: Vec<&str> = text.split(' ').collect();
    for (number, (from, to)) in edits.iter().enumerate() {
        let (from, to) = (usize::from(*from) % words.len(), usize::from(*to) % words.len());
        match number % 3 {
            0 => words.swap(from, to),
            1 => words.insert(to, words[from]),
            _ if words.len() > 1 => {
                words.remove(from);
            }
            _ => {}
        }
    }
    words.join(" ")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases() / 2, ..ProptestConfig::default() })]

    /// Whatever the text is, the result is an answer, or errors with places in the text.
    #[test]
    fn a_damaged_query_is_answered_or_refused(
        bytes in prop::collection::vec(any::<u8>(), 0..300),
        edits in prop::collection::vec(any::<(u8, u8)>(), 1..6),
    ) {
        let mut choices = Choices::new(&bytes);
        let model = generate::graph(&mut choices);
        let text = damaged(&generate::query(&mut choices).to_string(), &edits);
        match block_on(run(&text, &model.open(), &Options { memory: 16 << 20, ..options() })) {
            Ok(answer) => prop_assert!(answer.result.rows() == 0 || answer.total > 0, "{}", text),
            Err(QueryError::Invalid(errors)) => {
                for error in &errors {
                    prop_assert!(text.get(error.span.start..error.span.end).is_some(), "{}: {:?}", text, error);
                }
            }
            Err(QueryError::TooLarge { .. }) => {}
            Err(error) => return Err(TestCaseError::fail(format!("{text}: {error}"))),
        }
    }
}

/// Returns pseudo-random bytes, always the same.
fn bytes(seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    (0..400).map(|_| next()).collect()
}

/// A property over results that are nearly always empty would show nothing.
#[test]
fn random_queries_have_results_in_all_forms() {
    let mut forms = std::collections::BTreeMap::new();
    for seed in 1..=600 {
        let bytes = bytes(seed);
        let mut choices = Choices::new(&bytes);
        let model = generate::graph(&mut choices);
        let query = generate::query(&mut choices);
        let text = query.to_string();
        let expected = evaluate(&model, &query);
        if expected.total == 0 {
            continue;
        }
        let aggregates = ["count(", "COUNT(", "min(", "max(", "avg(", "sum("].iter().any(|name| text.contains(name));
        let found = [
            ("list", matches!(expected.rows, Rows::List(_))),
            ("table", matches!(expected.rows, Rows::Table { .. })),
            ("tree", matches!(expected.rows, Rows::Tree(..))),
            ("several", expected.total > 3),
            ("hop", text.contains("THAT")),
            ("negated", text.contains("THAT !")),
            ("optional", text.contains(")?")),
            ("where", text.contains("WHERE")),
            ("aggregate", aggregates),
            ("unique", text.contains("UNIQUE")),
            ("order", text.contains("ORDER BY")),
            ("optional and where", text.contains(")?") && text.contains("WHERE")),
            ("optional and aggregate", text.contains(")?") && aggregates),
        ];
        found.into_iter().filter(|(_, is_found)| *is_found).for_each(|(form, _)| *forms.entry(form).or_insert(0) += 1);
    }
    assert_eq!(forms.len(), 13, "{forms:?}");
    assert!(forms.values().all(|count| *count >= 10), "{forms:?}");
}

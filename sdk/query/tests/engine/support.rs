//! Small graphs, and queries over them.

use std::sync::Arc;

use futures::executor::block_on;
use integration_graph::Timestamp;
use integration_query::graph::AccountGraph;
use integration_query::{Answer, Options, QueryError, QueryResult, run};
use integration_store::{GraphReader, MemoryGraph};
use serde_json::{Value, json};

/// The time of all tests: 2024-01-01T00:00:00Z.
pub const NOW: i64 = 1_704_067_200_000;

pub fn open(graphs: Vec<MemoryGraph>) -> AccountGraph {
    let readers = graphs.into_iter().map(|graph| Arc::new(graph) as Arc<dyn GraphReader>);
    block_on(AccountGraph::open(readers.collect())).expect("a graph in memory opens")
}

pub fn graph(objects: Vec<Value>) -> AccountGraph {
    open(vec![MemoryGraph::of(objects).expect("the objects are valid")])
}

/// Returns an entity with a name equal to its key.
pub fn entity(object_type: &str, class: Value, key: &str, more: Value) -> Value {
    let mut object = json!({"_key": key, "_type": object_type, "_class": class, "name": key});
    let more = more.as_object().expect("properties are an object").clone();
    object.as_object_mut().expect("an entity is an object").extend(more);
    object
}

/// Returns a relationship with a key of its ends and its class.
pub fn edge(from: &str, class: &str, to: &str, more: Value) -> Value {
    let verb = class.to_lowercase();
    let mut object = json!({"_key": format!("{from}|{verb}|{to}"), "_type": format!("acme_{verb}"), "_class": class,
                            "_fromEntityKey": from, "_toEntityKey": to});
    let more = more.as_object().expect("properties are an object").clone();
    object.as_object_mut().expect("a relationship is an object").extend(more);
    object
}

pub fn options() -> Options {
    Options { now: Timestamp::from_millis(NOW), ..Options::default() }
}

pub fn ask(graph: &AccountGraph, text: &str) -> Result<Answer, QueryError> {
    block_on(run(text, graph, &options()))
}

pub fn answer(graph: &AccountGraph, text: &str) -> Answer {
    match ask(graph, text) {
        Ok(answer) => answer,
        Err(QueryError::Invalid(errors)) => panic!("{}", errors.render(text)),
        Err(error) => panic!("{text}: {error}"),
    }
}

/// Returns the names of the entities of a list, in order.
pub fn names(graph: &AccountGraph, text: &str) -> Vec<String> {
    match answer(graph, text).result {
        QueryResult::List { entities } => {
            entities.iter().map(|entity| entity["name"].as_str().unwrap_or_default().to_owned()).collect()
        }
        other => panic!("{text}: not a list: {other:?}"),
    }
}

/// Returns the rows of a table.
pub fn rows(graph: &AccountGraph, text: &str) -> Vec<Vec<Value>> {
    match answer(graph, text).result {
        QueryResult::Table(table) => table.rows,
        other => panic!("{text}: not a table: {other:?}"),
    }
}

/// Returns the columns and the rows of a table as JSON.
pub fn table(graph: &AccountGraph, text: &str) -> Value {
    match answer(graph, text).result {
        QueryResult::Table(table) => json!({"columns": table.columns, "rows": table.rows}),
        other => panic!("{text}: not a table: {other:?}"),
    }
}
/// Returns the rendered errors of a query.
pub fn errors(graph: &AccountGraph, text: &str) -> String {
    match ask(graph, text) {
        Err(QueryError::Invalid(errors)) => errors.render(text),
        other => panic!("{text}: no error in the text: {other:?}"),
    }
}

/// Returns the rendered warnings of a query.
pub fn warnings(graph: &AccountGraph, text: &str) -> String {
    let warnings = answer(graph, text).warnings;
    warnings.iter().map(|warning| warning.render(text)).collect::<Vec<_>>().join("\n")
}

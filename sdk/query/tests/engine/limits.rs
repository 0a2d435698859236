//! The limits of a query: time, memory, and cancellation.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use futures::executor::block_on;
use integration_query::graph::AccountGraph;
use integration_query::{Answer, Options, QueryError, run};
use serde_json::json;

use crate::support::{edge, entity, graph, options};

/// A complete graph: the number of paths multiplies with each hop.
fn dense(count: usize) -> AccountGraph {
    let name = |number: usize| format!("n{number}");
    let entities = (0..count).map(|number| entity("acme_node", json!("Record"), &name(number), json!({"p": number})));
    let pairs = (0..count).flat_map(|from| (0..count).map(move |to| (from, to)));
    let edges = pairs.map(|(from, to)| edge(&name(from), "HAS", &name(to), json!({})));
    graph(entities.chain(edges).collect())
}

fn ask(graph: &AccountGraph, text: &str, options: &Options) -> Result<Answer, QueryError> {
    block_on(run(text, graph, options))
}

#[test]
fn the_deadline_ends_a_long_query() {
    let graph = dense(40);
    let options = Options { deadline: Some(Instant::now() + Duration::from_millis(50)), ..options() };
    let text = "find Record as a that has Record as b that has Record as c that has Record as d that has Record as e
                where a.p != e.p or b.p = c.p return a.name, b.name, c.name, d.name, e.name";
    let started = Instant::now();
    let error = ask(&graph, text, &options).expect_err("the time is too short");
    assert!(matches!(error, QueryError::TimedOut { .. }), "{error}");
    // The check is regular; a loaded machine needs some more time.
    assert!(started.elapsed() < Duration::from_secs(20));
}

#[test]
fn a_cancelled_query_ends() {
    let graph = dense(3);
    let options = options();
    options.cancelled.store(true, Ordering::Relaxed);
    assert!(matches!(ask(&graph, "find Record", &options), Err(QueryError::Cancelled)));
}

#[test]
fn the_memory_limits_rows_but_not_counts() {
    let graph = dense(20);
    let options = Options { memory: 1 << 20, ..options() };
    let hops = "find Record as a that has >> Record as b that has >> Record as c that has >> Record as d";
    let error = ask(&graph, &format!("{hops} return a.name, d.name"), &options).expect_err("too many rows");
    assert_eq!(
        error.to_string(),
        "the query needs more than 1 MiB of memory for its rows: add a filter or `LIMIT`, or count instead"
    );
    let answer = ask(&graph, &format!("{hops} return count(d)"), &options).expect("one row");
    assert_eq!(answer.total, 1);
    let answer = ask(&graph, &format!("{hops} return a.name, d.name limit 2"), &options).expect("two rows");
    assert_eq!((answer.total, answer.result.rows()), (160_000, 2));
}

#[test]
fn the_total_of_a_limited_result_needs_no_enumeration() {
    let graph = dense(40);
    let hops = "find Record as a that has >> Record as b that has >> Record as c that has >> Record as d
                that has >> Record as e that has >> Record as f that has >> Record as g";
    let answer = ask(&graph, &format!("{hops} return a.name limit 3"), &options()).expect("three rows");
    assert_eq!((answer.total, answer.result.rows(), answer.is_truncated), (40_u64.pow(7), 3, true));
}

#[test]
fn a_default_limit_applies_without_a_limit() {
    let graph = dense(5);
    let options = Options { default_limit: Some(2), ..options() };
    let answer = ask(&graph, "find Record", &options).expect("two rows");
    assert_eq!((answer.total, answer.result.rows(), answer.is_truncated), (5, 2, true));
    let answer = ask(&graph, "find Record limit 4", &options).expect("four rows");
    assert_eq!((answer.total, answer.result.rows(), answer.is_truncated), (5, 4, true));
}

#[test]
fn an_answer_can_be_awaited_on_any_thread() {
    fn is_send<T: Send>(_: &T) {}
    let (graph, options) = (dense(1), options());
    is_send(&run("find Record", &graph, &options));
}

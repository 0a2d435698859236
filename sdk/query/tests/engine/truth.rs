//! The truth tables of comparisons: single values, lists, and absent properties.

use integration_query::graph::AccountGraph;
use serde_json::{Value, json};

use crate::support::{entity, graph, names};

/// Entities by the value of `p`. The name says which: `AB` is the list of a and b.
fn values() -> AccountGraph {
    let values = [
        ("A", json!("a")),
        ("A1", json!(["a"])),
        ("AB", json!(["a", "b"])),
        ("B", json!("b")),
        ("C", json!("c")),
        ("CD", json!(["c", "d"])),
        ("empty", json!([])),
        ("null", Value::Null),
    ];
    let entities = values.map(|(name, value)| entity("acme_record", json!("Record"), name, json!({"p": value})));
    graph(entities.into_iter().chain([entity("acme_record", json!("Record"), "absent", json!({}))]).collect())
}

#[track_caller]
fn check(graph: &AccountGraph, condition: &str, expected: &str) {
    let found = names(graph, &format!("find acme_record with {condition}")).join(" ");
    assert_eq!(found, expected, "with {condition}");
    // A condition after the traversal has the same meaning.
    let found = names(graph, &format!("find acme_record as r where r.{condition}")).join(" ");
    assert_eq!(found, expected, "where r.{condition}");
}

#[test]
fn equality_holds_for_any_element() {
    let graph = values();
    check(&graph, "p = 'a'", "A A1 AB");
    check(&graph, "p = ('a' and 'b')", "AB");
    check(&graph, "p = ('a' or 'b')", "A A1 AB B");
    check(&graph, "p != 'a'", "B C CD absent empty null");
    check(&graph, "p != ('a' and 'b')", "A A1 B C CD absent empty null");
    check(&graph, "p != ('a' or 'b')", "C CD absent empty null");
}

#[test]
fn values_nest() {
    let graph = values();
    check(&graph, "p = ('a' and ('b' or 'c'))", "AB");
    check(&graph, "p = (('a' and 'b') or 'c')", "AB C CD");
    check(&graph, "p != (('a' and 'b') or 'c')", "A A1 B absent empty null");
    check(&graph, "p != ('a' and ('b' or 'c'))", "A A1 B C CD absent empty null");
}

#[test]
fn undefined_is_absence() {
    let graph = values();
    check(&graph, "p = undefined", "absent null");
    check(&graph, "p = null", "absent null");
    check(&graph, "p != undefined", "A A1 AB B C CD empty");
    check(&graph, "p = ('a' or undefined)", "A A1 AB absent null");
    check(&graph, "p != ('a' or undefined)", "B C CD empty");
    check(&graph, "p = ('a' and undefined)", "");
}

#[test]
fn parts_of_texts_are_negated_as_a_whole() {
    let graph = values();
    check(&graph, "p ~= 'a'", "A A1 AB");
    check(&graph, "p ^= 'c'", "C CD");
    check(&graph, "p $= ('d' or 'b')", "AB B CD");
    check(&graph, "p !~= 'a'", "B C CD absent empty null");
    check(&graph, "p !^= ('c' or 'a')", "B absent empty null");
    check(&graph, "p !$= ('a' and 'b')", "A A1 B C CD absent empty null");
    check(&graph, "p = /^[ab]$/", "A A1 AB B");
    check(&graph, "p != /[ab]/", "C CD absent empty null");
    check(&graph, "p = (/A/i and /B/i)", "AB");
}

#[test]
fn orders_hold_for_any_element() {
    let graph = values();
    check(&graph, "p > 'a'", "AB B C CD");
    check(&graph, "p >= 'c'", "C CD");
    check(&graph, "p < 'b'", "A A1 AB");
    check(&graph, "p <= ('a' and 'b')", "A A1 AB");
}

#[test]
fn kinds_are_not_converted_except_dates() {
    let values = [
        ("number", json!(1_704_067_200_000_i64)),
        ("digits", json!("1704067200000")),
        ("iso", json!("2024-01-01T00:00:00Z")),
        ("day", json!("2024-01-01")),
        ("later", json!(1_704_067_200_001_i64)),
        ("true", json!(true)),
        ("text", json!("true")),
    ];
    let graph =
        graph(values.map(|(name, value)| entity("acme_record", json!("Record"), name, json!({"p": value}))).into());
    check(&graph, "p = date(2024-01-01)", "day iso number");
    check(&graph, "p >= date.now", "day iso later number");
    check(&graph, "p > date.now", "later");
    check(&graph, "p < date.now + 1 day", "day iso later number");
    check(&graph, "p = 1704067200000", "number");
    check(&graph, "p = '1704067200000'", "digits");
    check(&graph, "p = true", "true");
    check(&graph, "p = 'true'", "text");
    check(&graph, "p != true", "day digits iso later number text");
}

#[test]
fn large_integers_are_exact() {
    let values = [("odd", json!(9_007_199_254_740_993_i64)), ("even", json!(9_007_199_254_740_992_i64))];
    let graph =
        graph(values.map(|(name, value)| entity("acme_record", json!("Record"), name, json!({"p": value}))).into());
    check(&graph, "p = 9007199254740993", "odd");
    check(&graph, "p > 9007199254740992", "odd");
    check(&graph, "p = 9007199254740992.0", "even");
}

#[test]
fn properties_are_compared_by_their_elements() {
    let pairs = [
        ("same", json!({"p": "a", "q": "a"})),
        ("shared", json!({"p": ["a", "b"], "q": ["b", "c"]})),
        ("other", json!({"p": "a", "q": "b"})),
        ("kinds", json!({"p": 1, "q": "1"})),
        ("half", json!({"p": "a"})),
        ("none", json!({})),
    ];
    let graph = graph(pairs.map(|(name, more)| entity("acme_record", json!("Record"), name, more)).into());
    let with = |condition: &str| names(&graph, &format!("find acme_record with {condition}")).join(" ");
    let filtered = |condition: &str| names(&graph, &format!("find acme_record as r where {condition}")).join(" ");
    assert_eq!(with("p = q"), "same shared");
    assert_eq!(with("p != q"), "half kinds none other");
    assert_eq!(with("p < q"), "other shared");
    assert_eq!(with("p = (q or 'a')"), "half other same shared");
    assert_eq!(with("p != (q and 'a')"), "half kinds none other");
    assert_eq!(filtered("r.p = r.q"), "same shared");
    assert_eq!(filtered("r.p != r.q"), "half kinds none other");
}

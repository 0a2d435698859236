//! Properties of the account graph: it has the same objects and edges as the JSON that it was built from.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::executor::block_on;
use integration_graph::{InstanceId, Timestamp};
use integration_store::{GraphReader, MemoryGraph, SnapshotId, StoredObject};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

/// Opens graphs whose indexes are already in a cache.
fn open(graphs: Vec<MemoryGraph>) -> AccountGraph {
    let readers = graphs.into_iter().map(|graph| Arc::new(graph) as Arc<dyn GraphReader>);
    let (readers, cache): (Vec<_>, _) = (readers.collect(), Arc::new(MemoryCache::default()));
    block_on(AccountGraph::open_cached(readers.clone(), cache.clone())).unwrap();
    block_on(AccountGraph::open_cached(readers, cache)).unwrap()
}

fn graph(objects: Vec<Value>) -> AccountGraph {
    open(vec![MemoryGraph::of(objects).unwrap()])
}

fn entity(object_type: &str, key: &str, more: Value) -> Value {
    let mut object = json!({"_key": key, "_type": object_type, "_class": "Record"});
    object.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    object
}

fn edge(object_type: &str, from: &str, to: &str, number: usize) -> Value {
    let key = format!("{from}|has|{to}|{number}");
    json!({"_key": key, "_type": object_type, "_class": "HAS", "_fromEntityKey": from, "_toEntityKey": to})
}

fn mapped(source: &str, direction: &str, filters: Value, target: Value, skip: bool) -> Value {
    let key = format!("{source}|is|{direction}:{target}");
    let mut mapping = json!({"relationshipDirection": direction, "sourceEntityKey": source,
                             "targetFilterKeys": filters, "targetEntity": target});
    if skip {
        mapping["skipTargetCreation"] = true.into();
    }
    json!({"_key": key, "_type": "acme_user_is_person", "_class": "IS", "_mapping": mapping})
}

/// Returns the value of a property of each node or edge.
fn values(segments: &[Segment], column: impl Fn(usize) -> Option<Arc<Column>>) -> Vec<Value> {
    let value = |(at, segment): (usize, &Segment)| {
        let column = column(at);
        let json = move |position| match &column {
            Some(column) if column.code(position) > 0 => {
                serde_json::from_str(column.json(column.code(position))).unwrap()
            }
            _ => Value::Null,
        };
        (0..segment.length()).map(json).collect::<Vec<_>>()
    };
    segments.iter().enumerate().flat_map(value).collect()
}

fn node_values(graph: &AccountGraph, property: &str) -> Vec<Value> {
    values(graph.node_segments(), |segment| graph.node_column(segment, property).unwrap())
}

fn edge_values(graph: &AccountGraph, property: &str) -> Vec<Value> {
    values(graph.edge_segments(), |segment| graph.edge_column(segment, property).unwrap())
}

fn keys_of_edges(graph: &AccountGraph) -> BTreeSet<(String, String)> {
    let adjacency = graph.adjacency().unwrap();
    let key = |node| graph.key_of(node).unwrap().1.to_string();
    let ends = (0..graph.edge_count()).map(|edge| adjacency.ends(EdgeId(edge)));
    ends.map(|(from, to)| (key(from), key(to))).collect()
}

#[test]
fn an_empty_graph_has_neither_nodes_nor_edges() {
    let graph = graph(vec![]);
    assert_eq!((graph.node_count(), graph.edge_count()), (0, 0));
    assert!(graph.node_segments().is_empty());
    assert_eq!(graph.adjacency().unwrap().neighbours(NodeId(0), Direction::Either).count(), 0);
}

#[test]
fn nodes_are_numbered_by_type_and_key_and_have_derived_properties() {
    let graph = graph(vec![
        entity("acme_user", "b", json!({})),
        entity("acme_user", "a", json!({"name": "é", "_createdOn": "wrong"})),
        entity("acme_team", "c", json!({"size": 1.50})),
    ]);
    assert_eq!(node_values(&graph, "_key"), ["c", "a", "b"]);
    assert_eq!(node_values(&graph, "_id"), ["acme/default/c", "acme/default/a", "acme/default/b"]);
    assert_eq!(node_values(&graph, "name"), [Value::Null, "é".into(), Value::Null]);
    assert_eq!(node_values(&graph, "_integrationType"), ["acme", "acme", "acme"]);
    assert_eq!(node_values(&graph, "_createdOn"), [0, 0, 0]);
    assert_eq!(graph.node_column(0, "name").unwrap(), None);
    let expected = ["_beginOn", "_class", "_createdOn", "_id", "_integrationInstanceId", "_integrationName"];
    assert_eq!(graph.node_properties(1)[..6], expected);
    let objects = block_on(graph.nodes(&[NodeId(1), NodeId(0)])).unwrap();
    assert_eq!(objects[0]["name"], "é");
    assert_eq!(objects[0]["_createdOn"], 0);
    assert_eq!(objects[1]["_type"], "acme_team");
}

#[test]
fn stale_objects_are_marked_and_counted() {
    let object = |key: &str, is_stale| {
        let step = integration_graph::StepId::literal("add");
        let object = StoredObject::from_json(step, entity("acme_user", key, json!({}))).unwrap();
        StoredObject { is_stale, created: Timestamp::from_millis(7), began: Timestamp::from_millis(8), ..object }
    };
    let id: SnapshotId = MemoryGraph::of([]).unwrap().id();
    let graph = open(vec![MemoryGraph::new(id, [object("a", false), object("b", true)])]);
    assert_eq!(node_values(&graph, "_stale"), [Value::Null, true.into()]);
    assert_eq!(node_values(&graph, "_createdOn"), [7, 7]);
    assert_eq!(node_values(&graph, "_beginOn"), [8, 8]);
    assert_eq!(graph.node_segments()[0].stale, 1);
    assert_eq!(block_on(graph.nodes(&[NodeId(1)])).unwrap()[0]["_stale"], true);
}

#[test]
fn a_relationship_without_an_end_is_no_edge() {
    let graph = graph(vec![entity("acme_user", "a", json!({})), edge("acme_user_has_user", "a", "b", 0)]);
    assert_eq!(graph.edge_count(), 0);
    assert!(graph.edge_segments().is_empty());
}

#[test]
fn edges_have_the_keys_of_their_ends_and_loops_are_met_once() {
    let graph = graph(vec![
        entity("acme_user", "a", json!({})),
        entity("acme_user", "b", json!({})),
        edge("acme_user_has_user", "a", "a", 0),
        edge("acme_user_has_user", "a", "b", 1),
        edge("acme_user_has_user", "a", "b", 2),
    ]);
    assert_eq!(edge_values(&graph, "_toEntityKey"), ["a", "b", "b"]);
    assert_eq!(edge_values(&graph, "_fromEntityId"), ["acme/default/a", "acme/default/a", "acme/default/a"]);
    assert_eq!(edge_values(&graph, "_id")[0], "acme/default/a|has|a|0");
    let adjacency = graph.adjacency().unwrap();
    let count = |node, direction| adjacency.neighbours(NodeId(node), direction).count();
    assert_eq!([count(0, Direction::Either), count(0, Direction::Forward), count(0, Direction::Backward)], [3, 3, 1]);
    assert_eq!([count(1, Direction::Either), count(1, Direction::Forward), count(1, Direction::Backward)], [2, 0, 2]);
    let object = block_on(graph.edges(&[EdgeId(1)])).unwrap().remove(0);
    let shown = [&object["_fromEntityId"], &object["_toEntityKey"], &object["_class"]];
    assert_eq!(shown, ["acme/default/a", "b", "HAS"]);
}

#[test]
fn ids_are_unique_although_instances_have_equal_keys() {
    let person = json!({"_class": "Person", "_type": "acme_person", "_key": "user"});
    let objects = || {
        vec![
            entity("acme_user", "user", json!({})),
            edge("acme_user_has_user", "user", "user", 0),
            mapped("user", "FORWARD", json!([["_key", "_class"]]), person.clone(), false),
        ]
    };
    let of = |name: &'static str| MemoryGraph::of_instance(InstanceId::literal(name), objects()).unwrap();
    let graph = open(vec![of("east"), of("west")]);
    let ids = ["acme/east/user", "acme/west/user", "system-mapper/acme_person/user"];
    assert_eq!(node_values(&graph, "_id"), ids);
    let all: Vec<NodeId> = (0..3).map(NodeId).collect();
    let objects = block_on(graph.nodes(&all)).unwrap();
    assert_eq!(objects.iter().map(|object| &object["_id"]).collect::<Vec<_>>(), ids);
    assert_eq!(all.iter().map(|node| graph.id_of(*node).unwrap()).collect::<Vec<_>>(), ids);
    for (end, expected) in [("_fromEntityId", [0, 1, 0, 1]), ("_toEntityId", [0, 1, 2, 2])] {
        let expected = expected.map(|at| ids[at]);
        assert_eq!(edge_values(&graph, end), expected);
        let objects = block_on(graph.edges(&[0, 1, 2, 3].map(EdgeId))).unwrap();
        assert_eq!(objects.iter().map(|object| &object[end]).collect::<Vec<_>>(), expected);
    }
}

#[test]
fn mapped_relationships_find_their_targets_in_all_instances() {
    let person = json!({"_class": "Person", "_type": "acme_person", "email": "a@example.com"});
    let source = |mapping| vec![entity("acme_user", "user", json!({})), mapping];
    let east = || source(mapped("user", "FORWARD", json!([["_class", "email"]]), person.clone(), false));
    let directory = vec![
        entity("hr_person", "p1", json!({"_class": ["Record", "Person"], "email": "a@example.com"})),
        entity("hr_person", "p2", json!({"_class": "Person", "email": "b@example.com"})),
        entity("hr_robot", "p3", json!({"email": "a@example.com"})),
    ];
    let of = |name: &'static str, objects| MemoryGraph::of_instance(InstanceId::literal(name), objects).unwrap();
    let graph = open(vec![of("east", east()), of("hr", directory)]);
    assert_eq!(keys_of_edges(&graph), BTreeSet::from([("user".into(), "p1".into())]));
    assert_eq!(graph.node_count(), 4);
    assert_eq!(graph.edge_segments()[0].object_type.as_str(), "acme_user_is_person");
    assert_eq!(edge_values(&graph, "_class"), ["IS"]);
    assert_eq!(edge_values(&graph, "_toEntityKey"), ["p1"]);
    let object = block_on(graph.edges(&[EdgeId(0)])).unwrap().remove(0);
    assert_eq!([&object["_fromEntityKey"], &object["_toEntityKey"]], ["user", "p1"]);
    let adjacency = graph.adjacency().unwrap();
    assert_eq!(adjacency.neighbours(NodeId(0), Direction::Forward).collect::<Vec<_>>(), [(EdgeId(0), NodeId(1))]);
    assert_eq!(adjacency.neighbours(NodeId(1), Direction::Either).collect::<Vec<_>>(), [(EdgeId(0), NodeId(0))]);
}

#[test]
fn mapped_relationships_without_a_target_share_a_placeholder_unless_they_skip_it() {
    let person = json!({"_class": "Person", "_type": "acme_person", "email": "a@example.com"});
    let filters = || json!([["_type", "email"]]);
    let graph = graph(vec![
        entity("acme_user", "a", json!({})),
        entity("acme_user", "b", json!({})),
        mapped("a", "FORWARD", filters(), person.clone(), false),
        mapped("b", "REVERSE", filters(), person.clone(), false),
        mapped("b", "FORWARD", filters(), json!({"_type": "acme_person", "email": "other"}), true),
        mapped("gone", "FORWARD", filters(), person, false),
    ]);
    let placeholder = "acme_person:a@example.com".to_owned();
    let expected = [("a".to_owned(), placeholder.clone()), (placeholder, "b".to_owned())];
    assert_eq!(keys_of_edges(&graph), BTreeSet::from(expected));
    assert_eq!(node_values(&graph, "email"), [Value::Null, Value::Null, "a@example.com".into()]);
    assert_eq!(graph.node_segments()[1].object_type.as_str(), "acme_person");
    let object = block_on(graph.nodes(&[NodeId(2)])).unwrap().remove(0);
    assert_eq!([&object["_source"], &object["email"]], ["system-mapper", "a@example.com"]);
}

#[test]
fn a_type_with_many_objects_has_several_segments() {
    let name = |number: u32| format!("k{number:06}");
    let users = (0..70_000).map(|number| entity("acme_user", &name(number), json!({"n": number % 7})));
    let edges = (0..70_000).map(|number| edge("acme_user_has_user", &name(number), &name(69_999 - number), 0));
    let files = (0..40).map(|number| entity("acme_file", &name(number), json!({"text": "x".repeat(1_000_000)})));
    let graph = graph(users.chain(edges).chain(files).collect());
    let lengths = |segments: &[Segment]| segments.iter().map(Segment::length).collect::<Vec<_>>();
    assert_eq!(lengths(graph.node_segments()), [34, 6, 65_535, 4_465]);
    assert_eq!(lengths(graph.edge_segments()), [65_535, 4_465]);
    let numbers = node_values(&graph, "n");
    assert!((0..70_000).all(|number| numbers[40 + number] == number % 7));
    let adjacency = graph.adjacency().unwrap();
    for edge in [0, 65_534, 65_535, 69_999] {
        assert_eq!(adjacency.ends(EdgeId(edge)), (NodeId(40 + edge), NodeId(40 + 69_999 - edge)));
    }
    assert_eq!(graph.key_of(NodeId(40 + 65_535)).unwrap().1.as_str(), "k065535");
    assert_eq!((graph.node_segment(NodeId(39)), graph.node_segment(NodeId(40 + 65_535))), (1, 3));
}

fn property() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<i16>().prop_map(|number| Value::from(f64::from(number) / 8.0)),
        "\\PC{0,6}".prop_map(Value::from),
        prop::collection::vec("[a-c\"\\\\é]{0,3}", 0..3).prop_map(Value::from),
    ]
}

/// Entities with few keys and names, and edges between any of their keys.
fn objects() -> impl Strategy<Value = Vec<Value>> {
    let form = (0..12_usize, prop::collection::btree_map("[ab.\" é]{1,2}", property(), 0..4));
    let entities = prop::collection::btree_map(0..12_usize, form, 0..12).prop_map(|all| {
        let object = |(key, (kind, more)): (usize, (usize, BTreeMap<String, Value>))| {
            entity(["acme_team", "acme_user"][kind % 2], &format!("k{key}"), json!(more))
        };
        all.into_iter().map(object).collect::<Vec<_>>()
    });
    let edges = prop::collection::vec((0..12_usize, 0..12_usize, 0..2_usize), 0..40).prop_map(|all| {
        let object = |(number, (from, to, kind)): (usize, (usize, usize, usize))| {
            edge(["acme_a_has_b", "acme_user_has_b"][kind], &format!("k{from}"), &format!("k{to}"), number)
        };
        all.into_iter().enumerate().map(object).collect::<Vec<_>>()
    });
    (entities, edges).prop_map(|(entities, edges)| entities.into_iter().chain(edges).collect())
}

/// Returns the properties of the object with a type and a key that come from its own JSON.
fn without_derived(mut object: integration_graph::Properties) -> Value {
    object.retain(|name, _| !objects::is_derived(&format!("\"{name}\"")) || name.ends_with("EntityKey"));
    Value::Object(object)
}

proptest! {
    #[test]
    fn the_graph_has_the_values_of_the_json(given in objects()) {
        let graph = graph(given.clone());
        let by_key: BTreeMap<&str, &Value> =
            given.iter().map(|object| (object["_key"].as_str().unwrap(), object)).collect();
        let keys = node_values(&graph, "_key");
        let names: BTreeSet<&str> =
            given.iter().flat_map(|object| object.as_object().unwrap().keys().map(String::as_str)).collect();
        for name in names {
            let expected = keys.iter().map(|key| by_key[key.as_str().unwrap()].get(name).cloned().unwrap_or_default());
            if !name.ends_with("EntityKey") {
                prop_assert_eq!(node_values(&graph, name), expected.collect::<Vec<_>>(), "{}", name);
            }
        }
        let all: Vec<NodeId> = (0..graph.node_count()).map(NodeId).collect();
        for (key, object) in keys.iter().zip(block_on(graph.nodes(&all)).unwrap()) {
            prop_assert_eq!(&without_derived(object), by_key[key.as_str().unwrap()]);
        }
        let all: Vec<EdgeId> = (0..graph.edge_count()).map(EdgeId).collect();
        for (key, object) in edge_values(&graph, "_key").iter().zip(block_on(graph.edges(&all)).unwrap()) {
            prop_assert_eq!(&without_derived(object), by_key[key.as_str().unwrap()]);
        }
    }

    #[test]
    fn the_neighbours_are_those_of_the_list_of_edges(east in objects(), west in objects()) {
        let of = |name, objects| MemoryGraph::of_instance(InstanceId::literal(name), objects).unwrap();
        let graph = open(vec![of("east", east), of("west", west)]);
        let adjacency = graph.adjacency().unwrap();
        let edges: Vec<(u32, u32, u32)> = (0..graph.edge_count()).map(|edge| {
            let (from, to) = adjacency.ends(EdgeId(edge));
            (edge, from.0, to.0)
        }).collect();
        let (from, to) = (edge_values(&graph, "_fromEntityKey"), edge_values(&graph, "_toEntityKey"));
        for (edge, start, end) in &edges {
            let key = |node: &u32| Value::from(graph.key_of(NodeId(*node)).unwrap().1.as_str());
            prop_assert_eq!((key(start), key(end)), (from[*edge as usize].clone(), to[*edge as usize].clone()));
            let instance = |node: &u32| graph.node_segments()[graph.node_segment(NodeId(*node))].instance;
            let own = graph.edge_segments()[graph.edge_segment(EdgeId(*edge))].instance;
            prop_assert_eq!((instance(start), instance(end)), (own, own));
        }
        for node in 0..graph.node_count() {
            let forward: Vec<_> = edges.iter().filter(|(_, from, _)| *from == node).map(|(edge, _, to)| (EdgeId(*edge), NodeId(*to))).collect();
            let backward: Vec<_> = edges.iter().filter(|(_, _, to)| *to == node).map(|(edge, from, _)| (EdgeId(*edge), NodeId(*from))).collect();
            let found = |direction| adjacency.neighbours(NodeId(node), direction).collect::<Vec<_>>();
            prop_assert_eq!(&found(Direction::Forward), &forward);
            prop_assert_eq!(&found(Direction::Backward), &backward);
            let either: BTreeSet<_> = forward.into_iter().chain(backward).collect();
            let met = found(Direction::Either);
            prop_assert_eq!(met.len(), either.len());
            prop_assert_eq!(met.into_iter().collect::<BTreeSet<_>>(), either);
        }
    }
}

//! Mapped relationships, compared with a search of all entities for each of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::executor::block_on;
use integration_graph::InstanceId;
use integration_store::{GraphReader, MemoryGraph};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::{AccountGraph, EdgeId};

type Object = Map<String, Value>;

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!("a")),
        Just(json!("é\"")),
        Just(json!(1)),
        Just(json!(true)),
        Just(json!(["a"])),
        Just(Value::Null),
    ]
}

fn class() -> impl Strategy<Value = Value> {
    prop_oneof![Just(json!("User")), Just(json!("Person")), Just(json!(["User", "Person"])), Just(json!([]))]
}

fn entities() -> impl Strategy<Value = Vec<Object>> {
    let properties = prop::collection::btree_map("[xy]", value(), 0..3);
    let entity = (class(), 0..2_usize, properties);
    prop::collection::vec(entity, 0..6).prop_map(|all| {
        let object = |(number, (class, kind, more)): (usize, (Value, usize, BTreeMap<String, Value>))| {
            let mut object: Object = more.into_iter().collect();
            object.insert("_key".into(), format!("k{number}").into());
            object.insert("_type".into(), ["acme_user", "acme_person"][kind].into());
            object.insert("_class".into(), class);
            object
        };
        all.into_iter().enumerate().map(object).collect()
    })
}

#[derive(Debug, Clone)]
struct Mapping {
    source: String,
    is_forward: bool,
    target: Object,
    filters: Vec<BTreeSet<String>>,
    skips: bool,
}

fn mappings() -> impl Strategy<Value = Vec<Mapping>> {
    let name = || prop_oneof![Just("x"), Just("y"), Just("_class"), Just("_type")].prop_map(str::to_owned);
    let filters = prop::collection::vec(prop::collection::btree_set(name(), 0..3), 0..3);
    let target = (prop::collection::btree_map("[xy]", value(), 0..3), prop::option::of(class()), any::<bool>());
    let mapping = (0..7_usize, any::<[bool; 2]>(), target, filters);
    let mapping = mapping.prop_map(|(source, [is_forward, skips], (more, class, typed), filters)| {
        let mut target: Object = more.into_iter().collect();
        target.extend(class.map(|class| ("_class".to_owned(), class)));
        if typed {
            target.insert("_type".into(), "acme_person".into());
        }
        Mapping { source: format!("k{source}"), is_forward, target, filters, skips }
    });
    prop::collection::vec(mapping, 0..5)
}

fn relationship((number, mapping): (usize, &Mapping)) -> Value {
    let direction = if mapping.is_forward { "FORWARD" } else { "REVERSE" };
    json!({"_key": format!("m{number}"), "_type": "acme_user_is_person", "_class": "IS", "_mapping": {
        "relationshipDirection": direction, "sourceEntityKey": mapping.source, "targetFilterKeys": mapping.filters,
        "targetEntity": mapping.target, "skipTargetCreation": mapping.skips}})
}

fn classes(value: &Value) -> Vec<&Value> {
    value.as_array().map_or_else(|| vec![value], |list| list.iter().collect())
}

fn matches(mapping: &Mapping, entity: &Object) -> bool {
    let equal = |name: &String| match (mapping.target.get(name), entity.get(name)) {
        (Some(wanted), Some(found)) if name == "_class" => {
            let found = classes(found);
            wanted == &entity[name] || classes(wanted).iter().all(|class| found.contains(class))
        }
        (Some(wanted), Some(found)) => wanted == found,
        _ => false,
    };
    mapping.filters.iter().any(|filter| is_usable(mapping, filter) && filter.iter().all(equal))
}

/// Null is no value, and a list without classes names no target.
fn is_usable(mapping: &Mapping, filter: &BTreeSet<String>) -> bool {
    let has_value = |name: &String| {
        let value = mapping.target.get(name);
        value.is_some_and(|value| !value.is_null() && (name != "_class" || !classes(value).is_empty()))
    };
    !filter.is_empty() && filter.iter().all(has_value)
}

proptest! {
    #[test]
    fn the_targets_are_those_that_a_search_finds(east in entities(), west in entities(), mappings in mappings()) {
        let objects = |entities: &[Object]| entities.iter().cloned().map(Value::Object).collect::<Vec<_>>();
        let related = objects(&east).into_iter().chain(mappings.iter().enumerate().map(relationship));
        let of = |name, objects: Vec<Value>| MemoryGraph::of_instance(InstanceId::literal(name), objects).unwrap();
        let readers: Vec<Arc<dyn GraphReader>> =
            vec![Arc::new(of("east", related.collect())), Arc::new(of("west", objects(&west)))];
        let graph = block_on(AccountGraph::open(readers)).unwrap();
        let adjacency = graph.adjacency().unwrap();
        let instance = |node| match graph.node_segments()[graph.node_segment(node)].instance {
            _ if node.0 >= u32::try_from(east.len() + west.len()).unwrap() => "placeholder",
            0 => "east",
            _ => "west",
        };
        let name = |node| (instance(node), graph.key_of(node).unwrap().1.to_string());
        let mut found: Vec<_> = Vec::new();
        for edge in (0..graph.edge_count()).map(EdgeId) {
            let (from, to) = adjacency.ends(edge);
            let object = block_on(graph.edges(&[edge])).unwrap().remove(0);
            found.push((object["_key"].as_str().unwrap().to_owned(), name(from), name(to)));
        }
        let mut expected = Vec::new();
        for (number, mapping) in mappings.iter().enumerate() {
            let has_source = east.iter().any(|entity| entity["_key"] == mapping.source.as_str());
            let all = || [("east", &east), ("west", &west)];
            let targets = all().into_iter().flat_map(|(instance, entities)| {
                let found = entities.iter().filter(|entity| matches(mapping, entity));
                found.map(move |entity| (instance, entity["_key"].as_str().unwrap().to_owned()))
            });
            for target in targets.filter(|_| has_source) {
                let source = ("east", mapping.source.clone());
                let (from, to) = if mapping.is_forward { (source, target) } else { (target, source) };
                expected.push((format!("m{number}"), from, to));
            }
            let has_target = all().iter().any(|(_, entities)| entities.iter().any(|entity| matches(mapping, entity)));
            let placeholders = found.iter().filter(|(key, from, to)| {
                *key == format!("m{number}") && [from.0, to.0].contains(&"placeholder")
            });
            let has_filter = mapping.filters.iter().any(|filter| is_usable(mapping, filter));
            let creates = has_source && !has_target && !mapping.skips && has_filter;
            prop_assert_eq!(placeholders.count(), usize::from(creates), "{:?}", mapping);
        }
        found.retain(|(_, from, to)| ![from.0, to.0].contains(&"placeholder"));
        found.sort();
        expected.sort();
        prop_assert_eq!(found, expected);
    }
}

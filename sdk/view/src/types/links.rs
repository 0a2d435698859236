//! The relationships between types, and statements about the graph as a whole.

use std::collections::HashMap;

use super::model::TypeGraph;
use crate::number::{counted, grouped};

/// The ends of the relationships. Entity types are identified by index; larger indices refer to `missing`.
pub(super) struct Links {
    /// The source and the target of each relationship, in the order of the relationships.
    pub(super) ends: Vec<(usize, usize)>,
    /// The types that relationships refer to although no entity has them.
    pub(super) missing: Vec<String>,
}

impl Links {
    pub(super) fn of(graph: &TypeGraph) -> Links {
        let mut index: HashMap<&str, usize> = HashMap::new();
        for (at, entity) in graph.entities.iter().enumerate() {
            index.entry(&entity.object_type).or_insert(at);
        }
        let mut missing = Vec::new();
        let mut find = |object_type| {
            *index.entry(object_type).or_insert_with(|| {
                missing.push(object_type.to_owned());
                graph.entities.len() + missing.len() - 1
            })
        };
        let mut ends = Vec::with_capacity(graph.relationships.len());
        for relationship in &graph.relationships {
            let from = find(relationship.from.as_str());
            ends.push((from, find(relationship.to.as_str())));
        }
        Links { ends, missing }
    }
}

/// Returns a summary in a few short lines: types and numbers of objects.
pub(super) fn facts(graph: &TypeGraph) -> Vec<String> {
    let entities = counted(graph.entities.len() as u64, "entity type", "entity types");
    let relationships = counted(graph.relationships.len() as u64, "relationship type", "relationship types");
    let types = format!("{entities} · {relationships}");
    let entity_counts: Vec<u64> = graph.entities.iter().filter_map(|entity| entity.count).collect();
    let edge_counts: Vec<u64> = graph.relationships.iter().filter_map(|edge| edge.count).collect();
    if entity_counts.is_empty() && edge_counts.is_empty() {
        return [types].into_iter().chain(graph.missing.iter().cloned()).collect();
    }
    let sum = |counts: &[u64]| counts.iter().fold(0_u64, |sum, &count| sum.saturating_add(count));
    let entities = counted(sum(&entity_counts), "entity", "entities");
    let relationships = counted(sum(&edge_counts), "relationship", "relationships");
    [types, format!("{entities} · {relationships}")].into_iter().chain(graph.missing.iter().cloned()).collect()
}

/// Returns a class with its number of relationships: `HAS · 1,200`.
pub(super) fn with_count(what: &str, count: Option<u64>) -> String {
    match count {
        Some(count) => format!("{what} · {}", grouped(count)),
        None => what.to_owned(),
    }
}

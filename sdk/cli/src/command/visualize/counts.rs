//! Counts the objects and changes of a collected graph by type.

use std::collections::BTreeMap;

use integration_sdk::diff::Change;
use integration_sdk::graph::ObjectType;
use integration_sdk::store::{Count, Kind};
use integration_view::graph::{Changes, GraphCounts, TypeCount};

use super::collected::Collected;
use crate::failure::Failure;

/// Counts the objects and changes of all types in either graph.
pub(super) async fn read(collected: &Collected) -> Result<GraphCounts, Failure> {
    let earlier = collected.older.iter().flat_map(|older| &older.counts_by_step_and_type);
    let shown = |count: &&Count| collected.wants(&count.object_type, count.kind);
    let mut types: BTreeMap<(&ObjectType, Kind), u64> = earlier.filter(shown).map(|count| (named(count), 0)).collect();
    for count in collected.newer.counts_by_step_and_type.iter().filter(shown) {
        *types.entry(named(count)).or_default() += count.objects;
    }
    let mut changes: BTreeMap<ObjectType, Changes> = BTreeMap::new();
    let visit = |object_type: &ObjectType, change: &Change| {
        let counts = changes.entry(object_type.clone()).or_default();
        match change {
            Change::Same => {}
            Change::Added => counts.added += 1,
            Change::Removed => counts.removed += 1,
            Change::Changed { .. } => counts.changed += 1,
            Change::Unknown => counts.unknown += 1,
        }
    };
    collected.count_changes(visit).await?;
    let mut counts = GraphCounts {
        title: collected.title.clone(),
        subtitle: collected.subtitle.clone(),
        missing: collected.missing.clone(),
        ..GraphCounts::default()
    };
    for ((object_type, kind), count) in types {
        let (mapped, changes) = (kind == Kind::MappedRelationship, changes.get(object_type).copied());
        let (object_type, changes) = (object_type.to_string(), changes.unwrap_or_default());
        let count = TypeCount { object_type, count, mapped, changes };
        match kind {
            Kind::Entity => counts.entities.push(count),
            Kind::Relationship | Kind::MappedRelationship => counts.relationships.push(count),
        }
    }
    Ok(counts)
}

fn named(count: &Count) -> (&ObjectType, Kind) {
    (&count.object_type, count.kind)
}

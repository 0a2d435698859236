//! Reads one collected graph, or the differences of two, from the store for drawing.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use integration_sdk::diff::{self, Change as Verdict, Coverage, Difference, Side};
use integration_sdk::graph::{Direction, ObjectType};
use integration_sdk::store::{Count, JobRow, Kind, PageSelection, Snapshot, Stored};
use integration_view::graph::{Change, GraphEdge, GraphNode, GraphPicture, Limit};
use serde::Deserialize;
use serde_json::Value;

use super::gaps;
use crate::failure::Failure;

/// The number of objects read from the store at once.
const PAGE: usize = 1_000;
/// The maximum number of entities with raw data in the page; more would be hundreds of megabytes.
const WITH_RAW_DATA: u64 = 60_000;

/// A stored graph, and optionally an older one to compare it with.
pub(super) struct Collected {
    pub(super) title: String,
    pub(super) subtitle: String,
    /// The descriptions of missing data in either graph.
    pub(super) missing: Vec<String>,
    /// The types to show; all of them if empty.
    pub(super) types: BTreeSet<ObjectType>,
    pub(super) newer: Half,
    pub(super) older: Option<Half>,
}

/// The graph of one job.
pub(super) struct Half {
    pub(super) snapshot: Snapshot,
    pub(super) counts_by_step_and_type: Vec<Count>,
    pub(super) types: Vec<(ObjectType, Kind)>,
    pub(super) coverage: Coverage,
}

impl Half {
    pub(super) async fn of(snapshot: Snapshot, row: &JobRow) -> Result<Half, Failure> {
        let coverage = gaps::coverage(row)?;
        let counts_by_step_and_type = snapshot.counts().await?;
        let types = counts_by_step_and_type.iter().map(|count| (count.object_type.clone(), count.kind)).collect();
        Ok(Half { snapshot, counts_by_step_and_type, types, coverage })
    }

    fn side(&self) -> Side<'_> {
        Side { graph: &self.snapshot, types: &self.types, coverage: &self.coverage }
    }
}

impl Collected {
    /// Returns whether objects of a type are read; relationships are, unless specific ones are selected.
    pub(super) fn wants(&self, object_type: &ObjectType, kind: Kind) -> bool {
        let named = self.types.is_empty() || self.types.contains(object_type);
        named || kind != Kind::Entity && !self.names_relationships()
    }

    fn names_relationships(&self) -> bool {
        let counts = [&self.newer].into_iter().chain(&self.older).flat_map(|half| &half.counts_by_step_and_type);
        counts.into_iter().any(|count| count.kind != Kind::Entity && self.types.contains(&count.object_type))
    }

    /// The minimum numbers of entities and relationships that are drawn of a graph.
    pub(super) fn size_of(&self, half: &Half) -> (u64, u64) {
        let certain = |count: &&Count| self.types.is_empty() || self.types.contains(&count.object_type);
        let (mut entities, mut relationships) = (0, 0);
        for count in half.counts_by_step_and_type.iter().filter(certain) {
            *if count.kind == Kind::Entity { &mut entities } else { &mut relationships } += count.objects;
        }
        (entities, relationships)
    }

    /// Visits the type and the change of each object, if there are two graphs.
    pub(super) async fn count_changes(&self, mut visit: impl FnMut(&ObjectType, &Verdict)) -> Result<(), Failure> {
        self.differences(|difference| {
            if let Some(stored) = difference.now.as_ref().or(difference.before.as_ref()) {
                visit(&stored.row.object_type, &difference.change);
            }
        })
        .await
    }

    async fn differences(&self, visit: impl FnMut(Difference)) -> Result<(), Failure> {
        let Some(older) = &self.older else { return Ok(()) };
        let halves = || [older, &self.newer].into_iter();
        let kinds: BTreeMap<&ObjectType, Kind> = halves()
            .flat_map(|half| &half.counts_by_step_and_type)
            .map(|count| (&count.object_type, count.kind))
            .collect();
        let wanted = |name: &ObjectType| kinds.get(name).is_some_and(|kind| self.wants(name, *kind));
        Ok(diff::compare(older.side(), self.newer.side(), wanted, visit).await?)
    }
}

/// Reads the picture with its numbers of entities and relationships.
///
/// If the numbers exceed the limit, the picture is incomplete, because memory holds at most `limit` objects.
pub(super) async fn read(collected: &Collected, limit: Limit) -> Result<(GraphPicture, u64, u64), Failure> {
    let halves = [&collected.newer].into_iter().chain(&collected.older);
    let entities = halves.map(|half| collected.size_of(half).0).max().unwrap_or(0);
    let mut drawing = Drawing {
        limit,
        raw_data: entities <= WITH_RAW_DATA,
        shown: (!collected.types.is_empty()).then(HashSet::new),
        picture: GraphPicture {
            title: collected.title.clone(),
            subtitle: collected.subtitle.clone(),
            missing: collected.missing.clone(),
            ..GraphPicture::default()
        },
        targets: BTreeMap::new(),
        entities: 0,
        relationships: 0,
    };
    if collected.older.is_some() {
        collected.differences(|difference| drawing.add(difference)).await?;
    } else {
        // Entities come first, because they determine the relationships to show.
        let counts = collected.newer.counts_by_step_and_type.iter().map(|count| (count.kind, &count.object_type));
        for (_, object_type) in counts.filter(|(kind, name)| collected.wants(name, *kind)).collect::<BTreeSet<_>>() {
            drawing.add_all(&collected.newer.snapshot, object_type).await?;
        }
    }
    Ok(drawing.finish())
}

/// A picture while it is built.
struct Drawing {
    limit: Limit,
    raw_data: bool,
    /// The keys of the entities, if only relationships between them are drawn.
    shown: Option<HashSet<String>>,
    picture: GraphPicture,
    targets: BTreeMap<String, Target>,
    entities: u64,
    relationships: u64,
}

/// An entity of another integration, with the changes of the relationships to it.
struct Target {
    node: GraphNode,
    changes: Vec<Change>,
}

impl Drawing {
    /// Adds all objects of a type.
    async fn add_all(&mut self, snapshot: &Snapshot, object_type: &ObjectType) -> Result<(), Failure> {
        let mut after = None;
        loop {
            let selection =
                PageSelection { after, with_raw: self.raw_data, ..PageSelection::of(object_type.clone(), PAGE) };
            let page = snapshot.page(selection).await?;
            page.objects.into_iter().for_each(|stored| self.add_object(stored, Change::Same));
            after = page.next;
            if after.is_none() {
                return Ok(());
            }
        }
    }

    fn add(&mut self, difference: Difference) {
        let Difference { before, now, change, .. } = difference;
        let before_json = before.as_ref().filter(|_| now.is_some()).map(|stored| self.shown(stored));
        let change = match change {
            Verdict::Same => Change::Same,
            Verdict::Added => Change::Added,
            Verdict::Removed => Change::Removed,
            Verdict::Changed { unknown, .. } => {
                Change::Changed { before: before_json.unwrap_or_default(), unknown: unknown.into_iter().collect() }
            }
            Verdict::Unknown => Change::Unknown { before: before_json },
        };
        if let Some(stored) = now.or(before) {
            self.add_object(stored, change);
        }
    }

    fn add_object(&mut self, stored: Stored, change: Change) {
        match stored.row.kind {
            Kind::Entity => {
                self.entities += 1;
                if self.limit.allows(self.entities, 0) {
                    if let Some(shown) = &mut self.shown {
                        shown.insert(stored.row.key.to_string());
                    }
                    let json = self.shown(&stored);
                    self.picture.nodes.push(node(&stored, json, change));
                }
            }
            Kind::Relationship => {
                if let Some(edge) = edge(stored, change).filter(|edge| self.shows(&edge.from) && self.shows(&edge.to)) {
                    self.add_edge(edge);
                }
            }
            Kind::MappedRelationship => self.add_mapped(stored, change),
        }
    }

    fn shows(&self, key: &str) -> bool {
        self.shown.as_ref().is_none_or(|shown| shown.contains(key))
    }

    fn add_edge(&mut self, edge: GraphEdge) {
        self.relationships += 1;
        if self.limit.allows(0, self.relationships) {
            self.picture.edges.push(edge);
        }
    }

    /// The JSON to show on the page.
    fn shown(&self, stored: &Stored) -> String {
        if self.raw_data { stored.json().joined().into_owned() } else { stored.properties.clone() }
    }

    /// Adds a mapped relationship and its target, an entity of another integration.
    ///
    /// The values of the filter properties identify the target.
    fn add_mapped(&mut self, stored: Stored, change: Change) {
        let Ok(Mapped { mapping }) = serde_json::from_str(&stored.properties) else { return };
        let Some(key) = mapping.target_key().filter(|_| self.shows(&mapping.source_entity_key)) else { return };
        if self.limit.allows(0, self.relationships + 1) {
            let target = self.targets.entry(key.clone());
            let target = target.or_insert_with(|| Target { node: mapping.target(&key), changes: Vec::new() });
            target.changes.push(change.clone());
        }
        let (from, to) = match mapping.relationship_direction {
            Direction::Forward => (mapping.source_entity_key, key),
            Direction::Reverse => (key, mapping.source_entity_key),
        };
        self.add_edge(GraphEdge {
            key: stored.row.key.to_string(),
            object_type: stored.row.object_type.to_string(),
            class: stored.row.class.to_string(),
            from,
            to,
            json: stored.properties,
            change,
        });
    }

    fn finish(self) -> (GraphPicture, u64, u64) {
        let Drawing { mut picture, targets, entities, relationships, .. } = self;
        let entities = entities + targets.len() as u64;
        picture.nodes.extend(targets.into_values().map(Target::changed));
        (picture, entities, relationships)
    }
}

impl Target {
    /// The entity with the common change of all relationships to it.
    fn changed(self) -> GraphNode {
        let mut changes = self.changes.into_iter().map(|change| match change {
            Change::Unknown { .. } => Change::Unknown { before: None },
            Change::Changed { .. } => Change::Same,
            other => other,
        });
        let first = changes.next().unwrap_or_default();
        let change = if changes.all(|change| change == first) { first } else { Change::Same };
        GraphNode { change, ..self.node }
    }
}

#[derive(Deserialize)]
struct Named {
    #[serde(rename = "displayName")]
    display_name: Option<String>,
}

fn node(stored: &Stored, json: String, change: Change) -> GraphNode {
    let name = serde_json::from_str::<Named>(&stored.properties).ok().and_then(|named| named.display_name);
    GraphNode {
        key: stored.row.key.to_string(),
        object_type: stored.row.object_type.to_string(),
        classes: stored.row.class.split(',').map(str::to_owned).collect(),
        name: name.unwrap_or_default(),
        json,
        change,
    }
}

fn edge(stored: Stored, change: Change) -> Option<GraphEdge> {
    let (from, to) = stored.row.ends?;
    Some(GraphEdge {
        key: stored.row.key.to_string(),
        object_type: stored.row.object_type.to_string(),
        class: stored.row.class.to_string(),
        from: from.to_string(),
        to: to.to_string(),
        json: stored.properties,
        change,
    })
}

#[derive(Deserialize)]
struct Mapped {
    #[serde(rename = "_mapping")]
    mapping: Mapping,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Mapping {
    relationship_direction: Direction,
    source_entity_key: String,
    target_filter_keys: Vec<Vec<String>>,
    target_entity: serde_json::Map<String, Value>,
}

impl Mapping {
    fn text(&self, name: &str) -> Option<String> {
        self.target_entity.get(name).map(|value| match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        })
    }

    fn target_key(&self) -> Option<String> {
        let names = self.target_filter_keys.first()?;
        let found_by: Vec<String> = names.iter().filter_map(|name| self.text(name)).collect();
        Some(format!("mapped:{}", found_by.join(":")))
    }

    fn target(&self, key: &str) -> GraphNode {
        GraphNode {
            key: key.to_owned(),
            object_type: self.text("_type").unwrap_or_else(|| "unknown".to_owned()),
            classes: self.classes(),
            name: ["displayName", "name", "email"].iter().find_map(|name| self.text(name)).unwrap_or_default(),
            json: Value::Object(self.target_entity.clone()).to_string(),
            change: Change::Same,
        }
    }

    /// The classes of the target, which are a string or a list.
    fn classes(&self) -> Vec<String> {
        match self.target_entity.get("_class") {
            Some(Value::String(class)) => vec![class.clone()],
            Some(Value::Array(classes)) => classes.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            _ => Vec::new(),
        }
    }
}

//! Resolution of mapped relationships over all instances.
//!
//! A mapped relationship names its target by the values of properties. Its targets are the entities of any instance with
//! all values of one of its filters; each of them gives an edge. Without a target, the mapping creates a placeholder
//! entity, unless it says otherwise.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;
use std::sync::Arc;

use integration_graph::{Direction, ObjectKey, ObjectType, Properties, StepId, Timestamp, Values, json_string};
use integration_store::{Kind, StoredObject};

use super::GraphError;
use super::column::Column;
use super::index::{self, LIMIT, SegmentColumns, Segments, SnapshotIndex, member};
use super::objects::{self, Ids};

/// The type of placeholders whose mapping names none.
const UNKNOWN_TYPE: &str = "mapped_entity";

/// The edges of mapped relationships, and the placeholders at their ends.
#[derive(Debug, Default)]
pub(super) struct Resolved {
    /// The ends of each edge.
    pub(super) ends: Vec<[u32; 2]>,
    /// The edges of each segment of mapped relationships.
    pub(super) edges: Vec<MappedSegment>,
    /// The placeholders, with the instance of the first mapping that names them.
    pub(super) placeholders: Vec<(usize, SegmentColumns)>,
    /// The JSON of each placeholder, in the order of their numbers.
    pub(super) objects: Vec<Properties>,
}

/// The edges of one segment of mapped relationships.
#[derive(Debug)]
pub(super) struct MappedSegment {
    pub(super) instance: usize,
    /// The position of the segment among the mapped relationships of its snapshot.
    pub(super) segment: usize,
    /// The position of each edge's relationship in its segment.
    pub(super) rows: Vec<u32>,
    pub(super) edges: Range<u32>,
}

/// A mapped relationship.
struct Mapping {
    instance: usize,
    segment: usize,
    row: u32,
    source: u32,
    direction: Direction,
    /// The properties of the target, each as its JSON.
    target: BTreeMap<String, String>,
    filters: Vec<BTreeSet<String>>,
    creates_target: bool,
    matches: BTreeSet<u32>,
}

impl Mapping {
    fn parse(json: &str, place: (usize, usize, u32), source: u32) -> Option<Self> {
        let target_entity = member(json, "\"targetEntity\"")?;
        let mut tokens = Values::within(target_entity);
        let mut target = BTreeMap::new();
        while let (Some(name), Some(value)) = (tokens.next(), tokens.next()) {
            target.insert(json_string(name)?.into_owned(), value.to_owned());
        }
        let filters: Vec<BTreeSet<String>> = serde_json::from_str(member(json, "\"targetFilterKeys\"")?).ok()?;
        // A filter with a property that the target lacks, or without any, matches nothing. Null is no value.
        let is_value = |name: &str, json: &str| json != "null" && elements(name, json).next().is_some();
        let has_value = |name: &String| target.get(name).is_some_and(|json| is_value(name, json));
        let is_usable = |filter: &BTreeSet<String>| !filter.is_empty() && filter.iter().all(has_value);
        Some(Self {
            instance: place.0,
            segment: place.1,
            row: place.2,
            source,
            direction: serde_json::from_str(member(json, "\"relationshipDirection\"")?).ok()?,
            filters: filters.into_iter().filter(is_usable).collect(),
            target,
            creates_target: member(json, "\"skipTargetCreation\"") != Some("true"),
            matches: BTreeSet::new(),
        })
    }

    fn text(&self, name: &str) -> Option<String> {
        json_string(self.target.get(name)?).map(|text| text.into_owned())
    }

    /// Returns the type and the key of the placeholder: its own key, or the values of its first filter.
    fn placeholder(&self) -> Option<(ObjectType, ObjectKey)> {
        let object_type = self.text("_type").and_then(|name| ObjectType::new(name).ok());
        let object_type = object_type.unwrap_or_else(|| ObjectType::literal(UNKNOWN_TYPE));
        let key = self.text("_key").or_else(|| {
            let names = self.filters.first()?.iter().filter(|name| !["_class", "_type"].contains(&name.as_str()));
            let values: Vec<String> = names
                .map(|name| self.text(name).unwrap_or_else(|| self.target.get(name).cloned().unwrap_or_default()))
                .collect();
            Some(format!("{object_type}:{}", values.join(":")))
        })?;
        let printable: String = key.chars().filter(|c| !c.is_control()).collect();
        Some((object_type, ObjectKey::stored(&printable).ok()?))
    }
}

/// A snapshot, and the number of its first node.
pub(super) type Part<'a> = (&'a SnapshotIndex, u32);

/// Finds the targets of all mapped relationships. `nodes` is the number of nodes of all snapshots.
pub(super) fn resolve(parts: &[Part<'_>], nodes: u32, first_edge: u32) -> Result<Resolved, GraphError> {
    let mut mappings = mappings(parts)?;
    if mappings.is_empty() {
        return Ok(Resolved::default());
    }
    let mut filters: BTreeMap<BTreeSet<String>, Vec<usize>> = BTreeMap::new();
    for (number, mapping) in mappings.iter().enumerate() {
        for filter in &mapping.filters {
            filters.entry(filter.clone()).or_default().push(number);
        }
    }
    for (filter, wanting) in filters {
        let mut found = Vec::new();
        for (index, first) in parts {
            let mut first = *first;
            for segment in 0..index.segments(index::Part::Nodes) {
                let (_, length, _) = index.segment(index::Part::Nodes, segment);
                if let Some(columns) = columns(index, segment, &filter)? {
                    find(&columns, first..first + length, &mappings, &wanting, &mut found);
                }
                first += length;
            }
        }
        for (mapping, node) in found {
            mappings[mapping].matches.insert(node);
        }
    }
    let mut resolved = Resolved::default();
    create_placeholders(&mut mappings, nodes, &mut resolved)?;
    for mapping in &mappings {
        add_edges(mapping, first_edge, &mut resolved);
    }
    Ok(resolved)
}

/// Reads the mapped relationships of all snapshots.
fn mappings(parts: &[Part<'_>]) -> Result<Vec<Mapping>, GraphError> {
    let mut mappings = Vec::new();
    for (instance, (index, first)) in parts.iter().enumerate() {
        let sources = index.sources()?;
        let mut sources = sources.iter();
        for segment in 0..index.segments(index::Part::Mapped) {
            let (_, length, _) = index.segment(index::Part::Mapped, segment);
            let Some(column) = index.column(index::Part::Mapped, segment, "_mapping")? else { continue };
            for (row, source) in (0..length).zip(&mut sources) {
                let json = column.json(column.code(row));
                mappings.extend(Mapping::parse(json, (instance, segment, row), first + source));
            }
        }
    }
    Ok(mappings)
}

type Columns<'a> = Vec<(&'a String, Arc<Column>)>;

/// Returns the columns of a filter; `None` if no object of the segment has all properties.
fn columns<'a>(
    index: &SnapshotIndex,
    segment: usize,
    filter: &'a BTreeSet<String>,
) -> Result<Option<Columns<'a>>, GraphError> {
    let mut columns = Vec::new();
    for name in filter {
        match index.column(index::Part::Nodes, segment, name)? {
            Some(column) => columns.push((name, column)),
            None => return Ok(None),
        }
    }
    // The column with the most distinct values leaves the fewest candidates.
    columns.sort_by_key(|(_, column)| std::cmp::Reverse(column.distinct()));
    Ok(Some(columns))
}

/// Finds the objects of a segment with the values of a filter. The result is pairs of mapping and node.
fn find(
    columns: &Columns<'_>,
    nodes: Range<u32>,
    mappings: &[Mapping],
    wanting: &[usize],
    found: &mut Vec<(usize, u32)>,
) {
    let Some(((name, selective), others)) = columns.split_first() else { return };
    let mut wanted: HashMap<&str, Vec<usize>> = HashMap::new();
    for mapping in wanting {
        for value in elements(name, &mappings[*mapping].target[*name]).take(1) {
            wanted.entry(value).or_default().push(*mapping);
        }
    }
    let of_code = |code| {
        let values = elements(name, selective.json(code));
        values.filter_map(|value| wanted.get(value)).flatten().copied().collect::<BTreeSet<usize>>()
    };
    let candidates: Vec<BTreeSet<usize>> = (1..=selective.distinct()).map(of_code).collect();
    if candidates.iter().all(BTreeSet::is_empty) {
        return;
    }
    for (position, node) in nodes.enumerate() {
        let position = u32::try_from(position).unwrap_or(u32::MAX);
        let Some(candidates) = (selective.code(position) as usize).checked_sub(1).map(|at| &candidates[at]) else {
            continue;
        };
        let matches = |mapping: &&usize| {
            let target = &mappings[**mapping].target;
            let equal =
                |name: &str, column: &Column| are_equal(name, &target[name], column.json(column.code(position)));
            equal(name, selective) && others.iter().all(|(name, column)| equal(name, column))
        };
        found.extend(candidates.iter().filter(matches).map(|mapping| (*mapping, node)));
    }
}

/// Returns the values by which a property is compared: the classes of `_class`, and any other value as a whole.
fn elements<'a>(name: &str, json: &'a str) -> impl Iterator<Item = &'a str> {
    let is_list = name == "_class" && json.starts_with('[');
    let list = is_list.then(|| Values::within(json)).into_iter().flatten();
    list.chain((!is_list).then_some(json))
}

/// Whether an entity has the value of a target. It has a class of the target if it has that class among others.
fn are_equal(name: &str, target: &str, entity: &str) -> bool {
    target == entity || elements(name, target).all(|class| elements(name, entity).any(|own| own == class))
}

/// Creates the placeholders of all mappings without a target.
fn create_placeholders(mappings: &mut [Mapping], nodes: u32, resolved: &mut Resolved) -> Result<(), GraphError> {
    let mut first: BTreeMap<(ObjectType, ObjectKey), usize> = BTreeMap::new();
    let mut wanting = Vec::new();
    for (number, mapping) in mappings.iter().enumerate() {
        if mapping.creates_target
            && mapping.matches.is_empty()
            && let Some(name) = mapping.placeholder()
        {
            first.entry(name.clone()).or_insert(number);
            wanting.push((number, name));
        }
    }
    let mut of_instance: BTreeMap<usize, Vec<(ObjectType, ObjectKey, usize)>> = BTreeMap::new();
    for ((object_type, key), number) in first {
        of_instance.entry(mappings[number].instance).or_default().push((object_type, key, number));
    }
    let mut numbers = HashMap::new();
    for (instance, placeholders) in of_instance {
        let mut segments = Segments::default();
        for (object_type, key, number) in placeholders {
            let next = u32::try_from(resolved.objects.len()).ok().and_then(|count| nodes.checked_add(count));
            let node = next.filter(|node| *node < LIMIT).ok_or(GraphError::TooLarge { limit: LIMIT })?;
            let properties = properties(&mappings[number], &object_type, &key);
            let complete = segments.add(&stored(object_type.clone(), key.clone(), &properties))?;
            resolved.placeholders.extend(complete.map(|segment| (instance, segment)));
            resolved.objects.push(properties);
            numbers.insert((object_type, key), node);
        }
        resolved.placeholders.extend(segments.finish().map(|segment| (instance, segment)));
    }
    for (number, name) in wanting {
        mappings[number].matches.extend(numbers.get(&name));
    }
    Ok(())
}

fn properties(mapping: &Mapping, object_type: &ObjectType, key: &ObjectKey) -> Properties {
    let value = |(name, json): (&String, &String)| Some((name.clone(), serde_json::from_str(json).ok()?));
    let mut properties: Properties = mapping.target.iter().filter_map(value).collect();
    properties.insert("_key".into(), key.as_str().into());
    properties.insert("_type".into(), object_type.as_str().into());
    properties.insert("_source".into(), objects::MAPPER.into());
    properties.insert("_id".into(), Ids::of_placeholders(object_type).id(key.as_str()).into());
    properties
}

fn stored(object_type: ObjectType, key: ObjectKey, properties: &Properties) -> StoredObject {
    let epoch = Timestamp::from_millis(0);
    StoredObject {
        kind: Kind::Entity,
        object_type,
        key,
        step: StepId::literal("map"),
        parent: None,
        ends: None,
        properties: integration_graph::ObjectText::from(properties).as_str().to_owned(),
        raw: None,
        is_stale: false,
        created: epoch,
        began: epoch,
    }
}

/// Adds one edge for each target of a mapping.
fn add_edges(mapping: &Mapping, first_edge: u32, resolved: &mut Resolved) {
    for target in &mapping.matches {
        let edge = first_edge + u32::try_from(resolved.ends.len()).unwrap_or(u32::MAX);
        let last = resolved.edges.last().map(|last| (last.instance, last.segment));
        if last != Some((mapping.instance, mapping.segment)) {
            let (instance, segment) = (mapping.instance, mapping.segment);
            resolved.edges.push(MappedSegment { instance, segment, rows: Vec::new(), edges: edge..edge });
        }
        if let Some(segment) = resolved.edges.last_mut() {
            segment.rows.push(mapping.row);
            segment.edges.end = edge + 1;
        }
        resolved.ends.push(match mapping.direction {
            Direction::Forward => [mapping.source, *target],
            Direction::Reverse => [*target, mapping.source],
        });
    }
}

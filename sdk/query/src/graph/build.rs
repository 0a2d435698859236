//! The index of one snapshot, and its construction from scans.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;
use std::hash::RandomState;
use std::sync::Arc;

use futures::TryStreamExt;
use integration_graph::{ObjectType, Timestamp, Values};
use integration_store::{GraphReader, Kind, Selection, StoredObject};
use siphasher::sip128::SipHasher13;

use super::adjacency::EdgeIndex;
use super::column::{Column, ColumnBuilder};
use super::value::text;
use super::{GraphError, objects};

/// The limits of a segment. They bound the memory of the construction and the size of a column.
const OBJECTS: u32 = u16::MAX as u32;
const BYTES: usize = 32 << 20;
/// The limit of the numbers of nodes, and of edges.
pub(super) const LIMIT: u32 = u32::MAX - 1;

/// The index of one snapshot. Its nodes and edges are numbered from 0.
#[derive(Debug, Default)]
pub(super) struct SnapshotIndex {
    pub(super) nodes: Vec<SegmentIndex>,
    pub(super) edges: Vec<SegmentIndex>,
    /// Mapped relationships, which are not edges yet.
    pub(super) mapped: Vec<SegmentIndex>,
    /// The entity of this snapshot at one end of each mapped relationship.
    pub(super) sources: Vec<u32>,
    pub(super) adjacency: EdgeIndex,
}

/// The columns of a segment.
#[derive(Debug, Clone)]
pub(super) struct SegmentIndex {
    pub(super) object_type: ObjectType,
    pub(super) length: u32,
    pub(super) stale: u32,
    pub(super) columns: BTreeMap<String, Arc<Column>>,
}

/// Reads a snapshot and builds its index.
pub(super) async fn build(reader: &dyn GraphReader) -> Result<SnapshotIndex, GraphError> {
    let mut keys = Keys::default();
    let mut nodes = Segments::default();
    let mut batches = reader.scan(Selection::of_kind(Kind::Entity));
    while let Some(batch) = batches.try_next().await? {
        for object in batch {
            keys.add(&object, nodes.total);
            nodes.add(&object)?;
        }
    }
    let (mut edges, mut ends) = (Segments::default(), Vec::new());
    let mut batches = reader.scan(Selection::of_kind(Kind::Relationship));
    while let Some(batch) = batches.try_next().await? {
        for object in batch {
            // A relationship without one of its ends cannot be traversed.
            let Some((from, to)) = &object.ends else { continue };
            if let (Some(from), Some(to)) = (keys.find(from.as_str()), keys.find(to.as_str())) {
                ends.push([from, to]);
                edges.add(&object)?;
            }
        }
    }
    let (mut mapped, mut sources) = (Segments::default(), Vec::new());
    let mut batches = reader.scan(Selection::of_kind(Kind::MappedRelationship));
    while let Some(batch) = batches.try_next().await? {
        for object in batch {
            let mapping = member(&object.properties, "\"_mapping\"");
            let source = mapping.and_then(|mapping| text(member(mapping, "\"sourceEntityKey\"")?));
            if let Some(source) = source.and_then(|key| keys.find(&key)) {
                sources.push(source);
                mapped.add(&object)?;
            }
        }
    }
    let adjacency = EdgeIndex::new(nodes.total, ends);
    Ok(SnapshotIndex { nodes: nodes.finish(), edges: edges.finish(), mapped: mapped.finish(), sources, adjacency })
}

/// Returns the value of a member of canonical JSON. `name` is JSON, too.
pub(super) fn member<'a>(json: &'a str, name: &str) -> Option<&'a str> {
    let mut tokens = Values::within(json);
    while let (Some(found), Some(value)) = (tokens.next(), tokens.next()) {
        if found == name {
            return Some(value);
        }
    }
    None
}

/// The numbers of nodes by key.
///
/// A keyed hash of 128 bits stands for the key, so that millions of keys fit into memory. The hash key is random, so
/// equal hashes of different keys do not occur in practice, and cannot be constructed.
struct Keys {
    hasher: SipHasher13,
    nodes: HashMap<u128, u32>,
}

impl Default for Keys {
    fn default() -> Self {
        use std::hash::BuildHasher;
        let random = || RandomState::new().hash_one(0);
        Self { hasher: SipHasher13::new_with_keys(random(), random()), nodes: HashMap::new() }
    }
}

impl Keys {
    fn hash(&self, key: &str) -> u128 {
        self.hasher.hash(key.as_bytes()).as_u128()
    }

    fn add(&mut self, object: &StoredObject, number: u32) {
        self.nodes.insert(self.hash(object.key.as_str()), number);
    }

    fn find(&self, key: &str) -> Option<u32> {
        self.nodes.get(&self.hash(key)).copied()
    }
}

/// Collects segments of objects that arrive in the order of types.
#[derive(Default)]
pub(super) struct Segments {
    done: Vec<SegmentIndex>,
    current: Option<SegmentBuilder>,
    hashes: Arc<RandomState>,
    total: u32,
}

impl Segments {
    pub(super) fn add(&mut self, object: &StoredObject) -> Result<(), GraphError> {
        if self.total == LIMIT {
            return Err(GraphError::TooLarge { limit: LIMIT });
        }
        self.total += 1;
        let is_open = |builder: &&mut SegmentBuilder| {
            builder.object_type == object.object_type && builder.length < OBJECTS && builder.bytes < BYTES
        };
        if let Some(builder) = self.current.as_mut().filter(is_open) {
            builder.add(object);
            return Ok(());
        }
        let mut builder = SegmentBuilder::new(object.object_type.clone(), &self.hashes);
        builder.add(object);
        self.done.extend(self.current.replace(builder).map(SegmentBuilder::finish));
        Ok(())
    }

    pub(super) fn finish(mut self) -> Vec<SegmentIndex> {
        self.done.extend(self.current.map(SegmentBuilder::finish));
        self.done
    }
}

/// Collects the columns of one segment.
struct SegmentBuilder {
    object_type: ObjectType,
    length: u32,
    stale: u32,
    bytes: usize,
    /// Names as JSON.
    columns: Vec<(String, ColumnBuilder)>,
    positions: HashMap<String, usize>,
    /// The column after the one that was used last. Objects of a type usually have the same properties.
    expected: usize,
    hashes: Arc<RandomState>,
    number: String,
}

impl SegmentBuilder {
    fn new(object_type: ObjectType, hashes: &Arc<RandomState>) -> Self {
        Self {
            object_type,
            length: 0,
            stale: 0,
            bytes: 0,
            columns: Vec::new(),
            positions: HashMap::new(),
            expected: 0,
            hashes: Arc::clone(hashes),
            number: String::new(),
        }
    }

    fn add(&mut self, object: &StoredObject) {
        let position = self.length;
        self.length += 1;
        self.bytes += object.properties.len();
        self.expected = 0;
        let mut tokens = Values::within(&object.properties);
        while let (Some(name), Some(value)) = (tokens.next(), tokens.next()) {
            if !objects::is_derived(name) {
                self.column(name).set(position, value);
            }
        }
        self.set_time(position, objects::CREATED, object.created);
        self.set_time(position, objects::BEGAN, object.began);
        if object.is_stale {
            self.stale += 1;
            self.column(objects::STALE).set(position, "true");
        }
    }

    fn set_time(&mut self, position: u32, name: &str, time: Timestamp) {
        let mut number = std::mem::take(&mut self.number);
        number.clear();
        // Writing to a string does not fail.
        let _ = write!(number, "{}", time.millis());
        self.column(name).set(position, &number);
        self.number = number;
    }

    fn column(&mut self, name: &str) -> &mut ColumnBuilder {
        let is_expected = self.columns.get(self.expected).is_some_and(|(known, _)| known == name);
        let at = if is_expected { self.expected } else { self.position(name) };
        self.expected = at + 1;
        &mut self.columns[at].1
    }

    fn position(&mut self, name: &str) -> usize {
        if let Some(known) = self.positions.get(name) {
            return *known;
        }
        self.columns.push((name.to_owned(), ColumnBuilder::new(&self.hashes)));
        self.positions.insert(name.to_owned(), self.columns.len() - 1);
        self.columns.len() - 1
    }

    fn finish(self) -> SegmentIndex {
        let Self { object_type, length, stale, .. } = self;
        let column = |(name, builder): (String, ColumnBuilder)| {
            Some((text(&name)?.into_owned(), Arc::new(builder.finish(length))))
        };
        SegmentIndex { object_type, length, stale, columns: self.columns.into_iter().filter_map(column).collect() }
    }
}

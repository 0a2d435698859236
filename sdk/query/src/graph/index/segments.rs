//! Columns of consecutive objects of one type.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;
use std::hash::RandomState;
use std::sync::Arc;

use integration_graph::{ObjectType, Timestamp, Values, json_string};
use integration_store::StoredObject;

use super::super::GraphError;
use super::super::column::{Column, ColumnBuilder};
use super::super::objects;

/// The limits of a segment. They bound the memory of the construction and the size of a column.
const OBJECTS: u32 = u16::MAX as u32;
const BYTES: usize = 32 << 20;
/// The limit of the numbers of nodes, and of edges.
pub(in super::super) const LIMIT: u32 = u32::MAX - 1;

/// The columns of a segment in memory.
#[derive(Debug, Clone)]
pub(in super::super) struct SegmentColumns {
    pub(in super::super) object_type: ObjectType,
    pub(in super::super) length: u32,
    pub(in super::super) stale: u32,
    pub(in super::super) columns: BTreeMap<String, Arc<Column>>,
}

/// Collects segments of objects that arrive in the order of types.
#[derive(Default)]
pub(in super::super) struct Segments {
    current: Option<SegmentBuilder>,
    hashes: Arc<RandomState>,
    total: u32,
}

impl Segments {
    /// The number of objects so far.
    pub(super) fn total(&self) -> u32 {
        self.total
    }

    /// Adds an object, and returns the segment before it if that is complete.
    pub(in super::super) fn add(&mut self, object: &StoredObject) -> Result<Option<SegmentColumns>, GraphError> {
        if self.total == LIMIT {
            return Err(GraphError::TooLarge { limit: LIMIT });
        }
        self.total += 1;
        let is_open = |builder: &&mut SegmentBuilder| {
            builder.object_type == object.object_type && builder.length < OBJECTS && builder.bytes < BYTES
        };
        if let Some(builder) = self.current.as_mut().filter(is_open) {
            builder.add(object);
            return Ok(None);
        }
        let mut builder = SegmentBuilder::new(object.object_type.clone(), &self.hashes);
        builder.add(object);
        Ok(self.current.replace(builder).map(SegmentBuilder::finish))
    }

    /// Returns the last segment.
    pub(in super::super) fn finish(self) -> Option<SegmentColumns> {
        self.current.map(SegmentBuilder::finish)
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

    fn finish(self) -> SegmentColumns {
        let Self { object_type, length, stale, .. } = self;
        let column = |(name, builder): (String, ColumnBuilder)| {
            Some((json_string(&name)?.into_owned(), Arc::new(builder.finish(length))))
        };
        SegmentColumns { object_type, length, stale, columns: self.columns.into_iter().filter_map(column).collect() }
    }
}

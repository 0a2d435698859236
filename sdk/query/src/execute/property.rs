//! Values of properties of nodes and edges, by column.

use std::cell::{Cell, OnceCell};
use std::sync::Arc;

use crate::graph::{AccountGraph, Column, GraphError, Segment, ValueRef};

/// Whether a number is that of a node or of an edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    Node,
    Edge,
}

impl Kind {
    /// Returns the segments of the kind.
    pub(crate) fn segments(self, graph: &AccountGraph) -> &[Segment] {
        match self {
            Self::Node => graph.node_segments(),
            Self::Edge => graph.edge_segments(),
        }
    }
}

/// Finds the segment of a number. Consecutive numbers usually have the same one.
pub(crate) struct Locator<'g> {
    segments: &'g [Segment],
    last: Cell<usize>,
}

impl<'g> Locator<'g> {
    pub(crate) fn new(segments: &'g [Segment]) -> Self {
        Self { segments, last: Cell::new(0) }
    }

    /// Returns the segment of a number, and its position within.
    pub(crate) fn locate(&self, number: u32) -> (usize, u32) {
        let last = self.last.get();
        let is_last = self.segments.get(last).is_some_and(|segment| segment.range.contains(&number));
        let found = if is_last { last } else { self.segments.partition_point(|segment| segment.range.end <= number) };
        self.last.set(found);
        (found, number - self.segments[found].range.start)
    }
}

/// Reads one property of nodes or of edges. Columns are loaded when they are first read.
pub(crate) struct PropertyReader<'g> {
    graph: &'g AccountGraph,
    kind: Kind,
    name: String,
    locator: Locator<'g>,
    columns: Vec<OnceCell<Option<Arc<Column>>>>,
}

/// The value of a property of one object.
#[derive(Clone, Copy)]
pub(crate) struct PropertyValue<'r> {
    /// The segment of the object.
    pub(crate) segment: usize,
    /// The code of the value in the column; 0 if it is absent.
    pub(crate) code: u32,
    column: Option<&'r Column>,
}

impl<'r> PropertyValue<'r> {
    /// Returns the value, or `None` if the property is absent.
    pub(crate) fn value(&self) -> Option<ValueRef<'r>> {
        self.column.filter(|_| self.code > 0).map(|column| column.value(self.code))
    }
}

impl<'g> PropertyReader<'g> {
    pub(crate) fn new(graph: &'g AccountGraph, kind: Kind, name: &str) -> Self {
        let segments = kind.segments(graph);
        let columns = std::iter::repeat_with(OnceCell::new).take(segments.len()).collect();
        Self { graph, kind, name: name.to_owned(), locator: Locator::new(segments), columns }
    }

    /// The segments of all objects of the kind.
    pub(crate) fn segments(&self) -> &'g [Segment] {
        self.locator.segments
    }

    /// Returns the column of a segment; `None` if no object of the segment has the property.
    pub(crate) fn column(&self, segment: usize) -> Result<Option<&Column>, GraphError> {
        if let Some(known) = self.columns[segment].get() {
            return Ok(known.as_deref());
        }
        let column = match self.kind {
            Kind::Node => self.graph.node_column(segment, &self.name)?,
            Kind::Edge => self.graph.edge_column(segment, &self.name)?,
        };
        Ok(self.columns[segment].get_or_init(|| column).as_deref())
    }

    /// Returns the value of an object.
    pub(crate) fn read(&self, number: u32) -> Result<PropertyValue<'_>, GraphError> {
        let (segment, position) = self.locator.locate(number);
        self.read_at(segment, position)
    }

    /// Returns the value of an object whose segment is known.
    pub(crate) fn read_at(&self, segment: usize, position: u32) -> Result<PropertyValue<'_>, GraphError> {
        let column = self.column(segment)?;
        Ok(PropertyValue { segment, code: column.map_or(0, |column| column.code(position)), column })
    }
}

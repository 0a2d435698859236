//! The account graph: the snapshots of several instances under common numbers.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use integration_graph::history::SnapshotGap;
use integration_graph::{InstanceId, ObjectKey, ObjectType, Properties, json_string};
use integration_store::{GraphReader, SnapshotId};

use super::adjacency::{self, Adjacency, MappedEdges};
use super::cache::IndexCache;
use super::column::{Column, ColumnBuilder};
use super::index::{self, LIMIT, SegmentColumns, SnapshotIndex};
use super::mapped::{self, MappedSegment, Resolved};
use super::objects::{self, Derived, End, Ids, NamedEnd};
use super::segment::containing;
use super::value::ValueRef;
use super::{EdgeId, GraphError, NodeId, Segment};

/// The current graph of several instances.
///
/// Nodes are numbered by instance, type, and key; placeholders of mapped relationships follow. Edges are numbered in the
/// same way; the edges of mapped relationships follow.
pub struct AccountGraph {
    snapshots: Vec<SnapshotId>,
    parts: Vec<Part>,
    gaps: Vec<(usize, SnapshotGap)>,
    unpublished: Vec<UnpublishedInstance>,
    nodes: Vec<Segment>,
    edges: Vec<Segment>,
    /// The columns of each node segment.
    node_origins: Vec<NodeOrigin>,
    edge_origins: Vec<EdgeOrigin>,
    placeholders: Vec<SegmentColumns>,
    placeholder_objects: Vec<Properties>,
    first_placeholder: u32,
    first_mapped: u32,
    mapped: MappedEdges,
    cache: Option<Arc<dyn IndexCache>>,
    /// Columns that were derived from others, by segment and property.
    derived: Mutex<HashMap<DerivedName, Arc<Column>>>,
}

/// An instance whose jobs have published no graph, such as one with refused credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnpublishedInstance {
    /// The integration.
    pub integration: String,
    /// The instance.
    pub instance: InstanceId,
    /// The cause, as a phrase.
    pub cause: String,
}

/// The segment and the property of a derived column.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum DerivedName {
    Node(usize, String),
    Edge(usize, String),
}

/// One snapshot of the graph.
struct Part {
    reader: Arc<dyn GraphReader>,
    index: SnapshotIndex,
    first_node: u32,
    first_edge: u32,
}

/// The source of a segment of nodes.
enum NodeOrigin {
    Snapshot { part: usize, segment: usize },
    Placeholders(usize),
}

/// The source of a segment of edges.
enum EdgeOrigin {
    Snapshot { part: usize, segment: usize },
    Mapped(MappedSegment),
}

impl AccountGraph {
    /// Reads the snapshots of one or more instances, and builds their indexes in memory.
    ///
    /// # Errors
    /// [`GraphError`] if a store cannot be read, or if the graph is too large.
    pub async fn open(readers: Vec<Arc<dyn GraphReader>>) -> Result<Self, GraphError> {
        Self::open_with(readers, None).await
    }

    /// Opens the snapshots of one or more instances. Their indexes are those of the cache, which receives missing ones.
    ///
    /// # Errors
    /// [`GraphError`] if a store cannot be read, or if the graph is too large.
    pub async fn open_cached(
        readers: Vec<Arc<dyn GraphReader>>,
        cache: Arc<dyn IndexCache>,
    ) -> Result<Self, GraphError> {
        Self::open_with(readers, Some(cache)).await
    }

    async fn open_with(
        readers: Vec<Arc<dyn GraphReader>>,
        cache: Option<Arc<dyn IndexCache>>,
    ) -> Result<Self, GraphError> {
        let (mut parts, mut gaps) = (Vec::new(), Vec::new());
        let (mut first_node, mut first_edge) = (0_u32, 0_u32);
        for (instance, reader) in readers.into_iter().enumerate() {
            let index = SnapshotIndex::open(reader.as_ref(), cache.as_deref()).await?;
            gaps.extend(reader.gaps().await?.into_iter().map(|gap| (instance, gap)));
            let (nodes, edges) = (index.nodes(), index.edges());
            parts.push(Part { reader, index, first_node, first_edge });
            first_node = sum(first_node, nodes)?;
            first_edge = sum(first_edge, edges)?;
        }
        let indexes: Vec<mapped::Part<'_>> = parts.iter().map(|part| (&part.index, part.first_node)).collect();
        let resolved = match mapped::resolve(&indexes, first_node, first_edge) {
            Err(GraphError::Damaged { .. }) => {
                repair(&parts, cache.as_deref()).await?;
                mapped::resolve(&indexes, first_node, first_edge)?
            }
            resolved => resolved?,
        };
        Self::of(parts, gaps, resolved, cache)
    }

    /// Sets the instances whose graphs are missing, so that answers mention them.
    #[must_use]
    pub fn with_unpublished(mut self, unpublished: Vec<UnpublishedInstance>) -> Self {
        self.unpublished = unpublished;
        self
    }

    /// The instances whose graphs are missing.
    pub fn unpublished(&self) -> &[UnpublishedInstance] {
        &self.unpublished
    }

    /// Builds damaged indexes again, after a method returned [`GraphError::Damaged`]. All numbers stay the same.
    ///
    /// # Errors
    /// [`GraphError`] if a store cannot be read.
    pub async fn repair(&self) -> Result<(), GraphError> {
        repair(&self.parts, self.cache.as_deref()).await
    }

    fn of(
        parts: Vec<Part>,
        gaps: Vec<(usize, SnapshotGap)>,
        resolved: Resolved,
        cache: Option<Arc<dyn IndexCache>>,
    ) -> Result<Self, GraphError> {
        let (mut nodes, mut node_origins) = (Vec::new(), Vec::new());
        let (mut edges, mut edge_origins) = (Vec::new(), Vec::new());
        for (part, Part { index, .. }) in parts.iter().enumerate() {
            for segment in 0..index.segments(index::Part::Nodes) {
                push(&mut nodes, part, index.segment(index::Part::Nodes, segment));
                node_origins.push(NodeOrigin::Snapshot { part, segment });
            }
            for segment in 0..index.segments(index::Part::Edges) {
                push(&mut edges, part, index.segment(index::Part::Edges, segment));
                edge_origins.push(EdgeOrigin::Snapshot { part, segment });
            }
        }
        let first_placeholder = nodes.last().map_or(0, |last| last.range.end);
        let first_mapped = edges.last().map_or(0, |last| last.range.end);
        let mut placeholders = Vec::new();
        for (instance, columns) in resolved.placeholders {
            push(&mut nodes, instance, (&columns.object_type, columns.length, columns.stale));
            node_origins.push(NodeOrigin::Placeholders(placeholders.len()));
            placeholders.push(columns);
        }
        for mapped in resolved.edges {
            let index = &parts[mapped.instance].index;
            let (object_type, _, stale) = index.segment(index::Part::Mapped, mapped.segment);
            // An edge is stale with its relationship. Few are, so the column is read only for them.
            let stale = match stale {
                0 => 0,
                _ => index.column(index::Part::Mapped, mapped.segment, "_stale")?.map_or(0, |stale| {
                    let is_stale = |row: &&u32| stale.code(**row) > 0;
                    u32::try_from(mapped.rows.iter().filter(is_stale).count()).unwrap_or(u32::MAX)
                }),
            };
            let (object_type, instance, range) = (object_type.clone(), mapped.instance, mapped.edges.clone());
            edges.push(Segment { object_type, instance, range, stale });
            edge_origins.push(EdgeOrigin::Mapped(mapped));
        }
        Ok(Self {
            snapshots: parts.iter().map(|part| part.reader.id()).collect(),
            parts,
            gaps,
            unpublished: Vec::new(),
            nodes,
            edges,
            node_origins,
            edge_origins,
            placeholders,
            placeholder_objects: resolved.objects,
            first_placeholder,
            first_mapped,
            mapped: MappedEdges::new(first_mapped, resolved.ends),
            cache,
            derived: Mutex::default(),
        })
    }

    /// The snapshots of the instances, in the order of their readers.
    pub fn snapshots(&self) -> &[SnapshotId] {
        &self.snapshots
    }

    /// The data that the snapshots lack, each with the position of its instance.
    pub fn gaps(&self) -> &[(usize, SnapshotGap)] {
        &self.gaps
    }

    /// The segments of entities, in the order of numbers. None of them is empty.
    pub fn node_segments(&self) -> &[Segment] {
        &self.nodes
    }

    /// The segments of relationships, in the order of numbers. None of them is empty.
    pub fn edge_segments(&self) -> &[Segment] {
        &self.edges
    }

    /// The number of entities.
    pub fn node_count(&self) -> u32 {
        self.nodes.last().map_or(0, |last| last.range.end)
    }

    /// The number of relationships with both ends.
    pub fn edge_count(&self) -> u32 {
        self.edges.last().map_or(0, |last| last.range.end)
    }

    /// Returns the position of the segment of a node.
    ///
    /// # Panics
    /// If the graph has no such node.
    pub fn node_segment(&self, node: NodeId) -> usize {
        containing(&self.nodes, node.0).expect("a node of this graph")
    }

    /// Returns the position of the segment of an edge.
    ///
    /// # Panics
    /// If the graph has no such edge.
    pub fn edge_segment(&self, edge: EdgeId) -> usize {
        containing(&self.edges, edge.0).expect("an edge of this graph")
    }

    /// Returns the names of the properties that entities of a segment have, sorted.
    ///
    /// # Panics
    /// If the graph has no such segment.
    pub fn node_properties(&self, segment: usize) -> Vec<&str> {
        match &self.node_origins[segment] {
            NodeOrigin::Snapshot { part, segment } => {
                let stored = self.parts[*part].index.names(index::Part::Nodes, *segment);
                sorted(stored.chain(objects::derived(false)))
            }
            NodeOrigin::Placeholders(at) => sorted(self.placeholders[*at].columns.keys().map(String::as_str)),
        }
    }

    /// Returns the names of the properties that relationships of a segment have, sorted.
    ///
    /// # Panics
    /// If the graph has no such segment.
    pub fn edge_properties(&self, segment: usize) -> Vec<&str> {
        let (index, part, segment) = self.edge_columns(segment);
        sorted(index.names(part, segment).chain(objects::derived(true)))
    }

    /// Returns the values of a property of a segment's entities; `None` if no entity has it.
    ///
    /// # Errors
    /// [`GraphError`] if the index cannot be read.
    ///
    /// # Panics
    /// If the graph has no such segment.
    pub fn node_column(&self, segment: usize, property: &str) -> Result<Option<Arc<Column>>, GraphError> {
        let (part, at) = match &self.node_origins[segment] {
            NodeOrigin::Snapshot { part, segment } => (*part, *segment),
            NodeOrigin::Placeholders(_) if property == "_id" => return self.ids_of_nodes(segment).map(Some),
            NodeOrigin::Placeholders(at) => return Ok(self.placeholders[*at].columns.get(property).cloned()),
        };
        match Derived::of(property, &self.snapshots[part], false) {
            Some(Derived::Constant(json)) => Ok(Some(Arc::new(Column::constant(&json, self.nodes[segment].length())))),
            Some(Derived::Id) => self.ids_of_nodes(segment).map(Some),
            Some(Derived::KeyOf(_) | Derived::IdOf(_)) | None => {
                self.parts[part].index.column(index::Part::Nodes, at, property)
            }
        }
    }

    /// Returns the values of a property of a segment's relationships; `None` if no relationship has it.
    ///
    /// # Errors
    /// [`GraphError`] if the index cannot be read.
    ///
    /// # Panics
    /// If the graph has no such segment.
    pub fn edge_column(&self, segment: usize, property: &str) -> Result<Option<Arc<Column>>, GraphError> {
        let Segment { instance, range, .. } = &self.edges[segment];
        let name = || DerivedName::Edge(segment, property.to_owned());
        match Derived::of(property, &self.snapshots[*instance], true) {
            Some(Derived::Constant(json)) => {
                return Ok(Some(Arc::new(Column::constant(&json, range.end - range.start))));
            }
            Some(Derived::KeyOf(end)) => return self.derive(name(), || self.of_ends(segment, end, "_key")).map(Some),
            Some(Derived::IdOf(end)) => return self.derive(name(), || self.of_ends(segment, end, "_id")).map(Some),
            Some(Derived::Id) => {
                let ids = Ids::of(&self.snapshots[*instance]);
                return self
                    .derive(name(), || self.edge_column(segment, "_key").map(|keys| of_keys(&ids, keys)))
                    .map(Some);
            }
            None => {}
        }
        let (index, part, at) = self.edge_columns(segment);
        let Some(column) = index.column(part, at, property)? else { return Ok(None) };
        match &self.edge_origins[segment] {
            EdgeOrigin::Snapshot { .. } => Ok(Some(column)),
            EdgeOrigin::Mapped(mapped) => {
                let gathered = self.derive(name(), || {
                    let value =
                        |row: &u32| Some(column.code(*row)).filter(|code| *code > 0).map(|code| column.json(code));
                    Ok(Column::of(mapped.rows.iter().map(value)))
                })?;
                Ok(Some(gathered).filter(|column| column.distinct() > 0))
            }
        }
    }

    /// The edges of each node.
    ///
    /// # Errors
    /// [`GraphError`] if the index cannot be read.
    pub fn adjacency(&self) -> Result<Adjacency<'_>, GraphError> {
        let parts = self.parts.iter().map(|part| {
            let Part { first_node, first_edge, index, .. } = part;
            Ok(adjacency::Part { first_node: *first_node, first_edge: *first_edge, index: index.adjacency()? })
        });
        let parts = parts.collect::<Result<_, GraphError>>()?;
        Ok(Adjacency { parts, first_mapped: self.first_mapped, mapped: &self.mapped })
    }

    /// Returns the type and the key of an entity.
    ///
    /// # Errors
    /// [`GraphError`] if the index cannot be read.
    ///
    /// # Panics
    /// If the graph has no such node.
    pub fn key_of(&self, node: NodeId) -> Result<(ObjectType, ObjectKey), GraphError> {
        let segment = self.node_segment(node);
        let Segment { object_type, range, .. } = &self.nodes[segment];
        let column = self.node_column(segment, "_key")?;
        Ok((object_type.clone(), key_at(column.as_deref(), node.0 - range.start)?))
    }

    /// Returns the id of an entity, which is unique in the graph.
    ///
    /// # Errors
    /// [`GraphError`] if the index cannot be read.
    ///
    /// # Panics
    /// If the graph has no such node.
    pub fn id_of(&self, node: NodeId) -> Result<String, GraphError> {
        self.named_end(node).map(|end| end.id)
    }

    fn named_end(&self, node: NodeId) -> Result<NamedEnd, GraphError> {
        let key = self.key_of(node)?.1;
        Ok(NamedEnd { id: self.ids(self.node_segment(node)).id(key.as_str()), key })
    }

    /// Returns the ids of a segment's entities.
    fn ids(&self, segment: usize) -> Ids {
        match self.node_origins[segment] {
            NodeOrigin::Snapshot { part, .. } => Ids::of(&self.snapshots[part]),
            NodeOrigin::Placeholders(_) => Ids::of_placeholders(&self.nodes[segment].object_type),
        }
    }

    fn ids_of_nodes(&self, segment: usize) -> Result<Arc<Column>, GraphError> {
        let compute = || self.node_column(segment, "_key").map(|keys| of_keys(&self.ids(segment), keys));
        self.derive(DerivedName::Node(segment, "_id".to_owned()), compute)
    }

    /// Returns all properties of entities, in the order of the argument.
    ///
    /// # Errors
    /// [`GraphError`] if a store or an index cannot be read.
    ///
    /// # Panics
    /// If the graph has no such node.
    pub async fn nodes(&self, wanted: &[NodeId]) -> Result<Vec<Properties>, GraphError> {
        let mut found = vec![Properties::new(); wanted.len()];
        let mut by_part: Vec<Vec<(usize, (ObjectType, ObjectKey))>> = vec![Vec::new(); self.parts.len()];
        for (at, node) in wanted.iter().enumerate() {
            match self.node_origins[self.node_segment(*node)] {
                NodeOrigin::Snapshot { part, .. } => by_part[part].push((at, self.key_of(*node)?)),
                NodeOrigin::Placeholders(_) => {
                    found[at] = self.placeholder_objects[(node.0 - self.first_placeholder) as usize].clone();
                }
            }
        }
        for (part, names) in by_part.into_iter().enumerate() {
            self.read(part, names, |at, object, id| found[at] = objects::complete(&object, id, None)).await?;
        }
        Ok(found)
    }

    /// Returns all properties of relationships, in the order of the argument.
    ///
    /// # Errors
    /// [`GraphError`] if a store or an index cannot be read.
    ///
    /// # Panics
    /// If the graph has no such edge.
    pub async fn edges(&self, wanted: &[EdgeId]) -> Result<Vec<Properties>, GraphError> {
        let adjacency = self.adjacency()?;
        let mut found = vec![Properties::new(); wanted.len()];
        let mut ends = Vec::with_capacity(wanted.len());
        let mut by_part: Vec<Vec<(usize, (ObjectType, ObjectKey))>> = vec![Vec::new(); self.parts.len()];
        for (at, edge) in wanted.iter().enumerate() {
            let segment = self.edge_segment(*edge);
            let Segment { object_type, instance, range, .. } = &self.edges[segment];
            let position = edge.0 - range.start;
            let row = match &self.edge_origins[segment] {
                EdgeOrigin::Snapshot { .. } => position,
                EdgeOrigin::Mapped(mapped) => mapped.rows[position as usize],
            };
            let (index, part, at_segment) = self.edge_columns(segment);
            let key = key_at(index.column(part, at_segment, "_key")?.as_deref(), row)?;
            by_part[*instance].push((at, (object_type.clone(), key)));
            let (from, to) = adjacency.ends(*edge);
            ends.push([self.named_end(from)?, self.named_end(to)?]);
        }
        for (part, names) in by_part.into_iter().enumerate() {
            let complete = |at: usize, object, id: &_| found[at] = objects::complete(&object, id, Some(&ends[at]));
            self.read(part, names, complete).await?;
        }
        Ok(found)
    }

    /// Reads objects of one snapshot.
    async fn read(
        &self,
        part: usize,
        names: Vec<(usize, (ObjectType, ObjectKey))>,
        mut add: impl FnMut(usize, integration_store::StoredObject, &SnapshotId),
    ) -> Result<(), GraphError> {
        if names.is_empty() {
            return Ok(());
        }
        let id = &self.snapshots[part];
        let (places, names): (Vec<usize>, Vec<_>) = names.into_iter().unzip();
        for (at, object) in places.into_iter().zip(self.parts[part].reader.objects(names).await?) {
            let removed = || GraphError::Removed { instance: id.instance.to_string() };
            add(at, object.ok_or_else(removed)?, id);
        }
        Ok(())
    }

    /// Returns the place of a segment's columns. Those of mapped relationships are in the order of relationships.
    fn edge_columns(&self, segment: usize) -> (&SnapshotIndex, index::Part, usize) {
        match &self.edge_origins[segment] {
            EdgeOrigin::Snapshot { part, segment } => (&self.parts[*part].index, index::Part::Edges, *segment),
            EdgeOrigin::Mapped(mapped) => (&self.parts[mapped.instance].index, index::Part::Mapped, mapped.segment),
        }
    }

    /// Returns a column that is computed at its first use.
    fn derive(
        &self,
        name: DerivedName,
        compute: impl FnOnce() -> Result<Column, GraphError>,
    ) -> Result<Arc<Column>, GraphError> {
        if let Some(known) = self.derived.lock().unwrap_or_else(PoisonError::into_inner).get(&name) {
            return Ok(Arc::clone(known));
        }
        let column = Arc::new(compute()?);
        self.derived.lock().unwrap_or_else(PoisonError::into_inner).insert(name, Arc::clone(&column));
        Ok(column)
    }

    /// Returns a property of the entities at one end of a segment's relationships.
    fn of_ends(&self, segment: usize, end: End, property: &str) -> Result<Column, GraphError> {
        let adjacency = self.adjacency()?;
        let Segment { range, .. } = &self.edges[segment];
        let mut columns: Vec<Option<Arc<Column>>> = vec![None; self.nodes.len()];
        let mut builder = ColumnBuilder::default();
        for (position, edge) in range.clone().enumerate() {
            let (from, to) = adjacency.ends(EdgeId(edge));
            let node = if end == End::From { from } else { to };
            let of = self.node_segment(node);
            if columns[of].is_none() {
                columns[of] = self.node_column(of, property)?;
            }
            if let (Some(column), Ok(position)) = (&columns[of], u32::try_from(position)) {
                builder.set(position, column.json(column.code(node.0 - self.nodes[of].range.start)));
            }
        }
        Ok(builder.finish(range.end - range.start))
    }
}

impl std::fmt::Debug for AccountGraph {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let snapshots = &self.snapshots;
        f.debug_struct("AccountGraph").field("snapshots", snapshots).field("nodes", &self.nodes).finish_non_exhaustive()
    }
}

/// Returns the ids of the objects with the keys of a column.
fn of_keys(ids: &Ids, keys: Option<Arc<Column>>) -> Column {
    let length = keys.as_ref().map_or(0, |keys| keys.length());
    let mut column = ColumnBuilder::default();
    for position in 0..length {
        if let Some(ValueRef::Text(key)) = keys.as_ref().and_then(|keys| keys.value_at(position)) {
            column.set(position, &serde_json::Value::from(ids.id(&key)).to_string());
        }
    }
    column.finish(length)
}

/// Builds the indexes in which damage was found.
async fn repair(parts: &[Part], cache: Option<&dyn IndexCache>) -> Result<(), GraphError> {
    for Part { reader, index, .. } in parts.iter().filter(|part| part.index.is_damaged()) {
        index.repair(reader.as_ref(), cache).await?;
    }
    Ok(())
}

/// Appends a segment after the last one.
fn push(segments: &mut Vec<Segment>, instance: usize, (object_type, length, stale): (&ObjectType, u32, u32)) {
    let start = segments.last().map_or(0, |last| last.range.end);
    segments.push(Segment { object_type: object_type.clone(), instance, range: start..start + length, stale });
}

/// Returns sorted names.
fn sorted<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut names: Vec<&str> = names.collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// Returns the key at a position of a column of keys.
fn key_at(keys: Option<&Column>, position: u32) -> Result<ObjectKey, GraphError> {
    let key = keys.and_then(|keys| ObjectKey::stored(&json_string(keys.json(keys.code(position)))?).ok());
    key.ok_or(GraphError::WithoutKey)
}

fn sum(first: u32, more: u32) -> Result<u32, GraphError> {
    let sum = first.checked_add(more).filter(|sum| *sum < LIMIT);
    sum.ok_or(GraphError::TooLarge { limit: LIMIT })
}

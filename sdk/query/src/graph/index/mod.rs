//! The index of one snapshot.
//!
//! An index is built once, kept in a cache, and read section by section when a query needs it. Its nodes and edges are
//! numbered from 0.

mod build;
mod format;
mod segments;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};

use integration_graph::ObjectType;
use integration_store::{GraphReader, SnapshotId};

use super::adjacency::{EdgeIndex, EdgeLists};
use super::cache::{IndexCache, IndexSource, Unshared};
use super::{Column, GraphError};
use build::BuildError;
use format::{Contents, Identity, Lists, Section, SegmentContents, TRAILER};

pub(super) use build::member;
pub(super) use segments::{LIMIT, SegmentColumns, Segments};

/// The maximum size in bytes of the columns that an index keeps in memory.
const MEMORY: usize = 256 << 20;

/// The kind of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Part {
    Nodes,
    Edges,
    Mapped,
}

/// The index of one snapshot.
pub(super) struct SnapshotIndex {
    snapshot: SnapshotId,
    contents: Contents,
    source: RwLock<Arc<dyn IndexSource>>,
    edges: OnceLock<EdgeIndex>,
    columns: Mutex<Columns>,
    is_damaged: AtomicBool,
}

/// The columns that were read, by the position of their section.
#[derive(Default)]
struct Columns {
    read: HashMap<u64, Arc<Column>>,
    bytes: usize,
}

impl SnapshotIndex {
    /// Opens the index of a snapshot, or builds it.
    ///
    /// # Errors
    /// [`GraphError`] if the snapshot cannot be read, or is too large.
    pub(super) async fn open(reader: &dyn GraphReader, cache: Option<&dyn IndexCache>) -> Result<Self, GraphError> {
        let snapshot = reader.id();
        if let Some(source) = cache.and_then(|cache| cache.open(&snapshot)) {
            if let Some(index) = Self::read(&snapshot, source) {
                return Ok(index);
            }
            cache.inspect(|cache| cache.remove(&snapshot));
        }
        let source = built(reader, cache).await?;
        // Only a store or a cache with an error returns other bytes than were written.
        Self::read(&snapshot, source).ok_or_else(|| GraphError::Damaged { instance: snapshot.instance.to_string() })
    }

    /// Builds the index again after damage was found. The numbers stay the same, because a snapshot never changes.
    ///
    /// # Errors
    /// [`GraphError`] if the snapshot cannot be read, or has changed.
    pub(super) async fn repair(
        &self,
        reader: &dyn GraphReader,
        cache: Option<&dyn IndexCache>,
    ) -> Result<(), GraphError> {
        cache.inspect(|cache| cache.remove(&self.snapshot));
        let source = built(reader, cache).await?;
        if Self::read(&self.snapshot, Arc::clone(&source)).is_none_or(|index| index.contents != self.contents) {
            return Err(self.damaged());
        }
        *self.source.write().unwrap_or_else(PoisonError::into_inner) = source;
        self.is_damaged.store(false, Ordering::Release);
        Ok(())
    }

    fn read(snapshot: &SnapshotId, source: Arc<dyn IndexSource>) -> Option<Self> {
        let length = source.length();
        let mut trailer = [0; TRAILER];
        source.read_at(length.checked_sub(TRAILER as u64)?, &mut trailer).ok()?;
        let section = format::contents_at(&trailer, length)?;
        let contents: Contents = serde_json::from_slice(&read_section(source.as_ref(), section)?).ok()?;
        let is_usable = contents.snapshot == Identity::from(snapshot) && contents.is_valid(section.begin);
        is_usable.then(|| Self {
            snapshot: snapshot.clone(),
            contents,
            source: RwLock::new(source),
            edges: OnceLock::new(),
            columns: Mutex::default(),
            is_damaged: AtomicBool::new(false),
        })
    }

    /// The number of segments of a kind.
    pub(super) fn segments(&self, part: Part) -> usize {
        self.contents.part(part).len()
    }

    /// Returns the type, the length, and the number of stale objects of a segment.
    pub(super) fn segment(&self, part: Part, segment: usize) -> (&ObjectType, u32, u32) {
        let SegmentContents { object_type, length, stale, .. } = &self.contents.part(part)[segment];
        (object_type, *length, *stale)
    }

    /// Returns the names of the columns of a segment, sorted.
    pub(super) fn names(&self, part: Part, segment: usize) -> impl Iterator<Item = &str> {
        self.contents.part(part)[segment].columns.keys().map(String::as_str)
    }

    /// The number of nodes.
    pub(super) fn nodes(&self) -> u32 {
        count(&self.contents.nodes)
    }

    /// The number of edges, without those of mapped relationships.
    pub(super) fn edges(&self) -> u32 {
        count(&self.contents.edges)
    }

    /// Returns a column; `None` if no object of the segment has the property.
    pub(super) fn column(&self, part: Part, segment: usize, name: &str) -> Result<Option<Arc<Column>>, GraphError> {
        let SegmentContents { columns, length, .. } = &self.contents.part(part)[segment];
        let Some(section) = columns.get(name) else { return Ok(None) };
        if let Some(known) = self.columns.lock().unwrap_or_else(PoisonError::into_inner).read.get(&section.begin) {
            return Ok(Some(Arc::clone(known)));
        }
        let column = format::column(&self.bytes(*section)?, *length).ok_or_else(|| self.damaged())?;
        let column = Arc::new(column);
        self.columns.lock().unwrap_or_else(PoisonError::into_inner).keep(section.begin, &column);
        Ok(Some(column))
    }

    /// Returns the entity at one end of each mapped relationship.
    pub(super) fn sources(&self) -> Result<Vec<u32>, GraphError> {
        let sources = format::numbers(&self.bytes(self.contents.sources)?);
        let (nodes, mapped) = (self.nodes(), count(&self.contents.mapped));
        let is_valid =
            |sources: &Vec<u32>| sources.len() == mapped as usize && sources.iter().all(|node| *node < nodes);
        sources.filter(is_valid).ok_or_else(|| self.damaged())
    }

    /// Returns the adjacency lists.
    pub(super) fn adjacency(&self) -> Result<&EdgeIndex, GraphError> {
        if let Some(known) = self.edges.get() {
            return Ok(known);
        }
        let index = EdgeIndex {
            ends: format::pairs(&self.bytes(self.contents.ends)?).ok_or_else(|| self.damaged())?,
            forward: self.lists(self.contents.forward)?,
            backward: self.lists(self.contents.backward)?,
        };
        if !index.is_valid(self.nodes(), self.edges()) {
            return Err(self.damaged());
        }
        Ok(self.edges.get_or_init(|| index))
    }

    fn lists(&self, lists: Lists) -> Result<EdgeLists, GraphError> {
        let offsets = format::numbers(&self.bytes(lists.offsets)?);
        let entries = format::pairs(&self.bytes(lists.entries)?);
        let (offsets, entries) = offsets.zip(entries).ok_or_else(|| self.damaged())?;
        Ok(EdgeLists { offsets, entries })
    }

    fn bytes(&self, section: Section) -> Result<Vec<u8>, GraphError> {
        let source = Arc::clone(&self.source.read().unwrap_or_else(PoisonError::into_inner));
        read_section(source.as_ref(), section).ok_or_else(|| self.damaged())
    }

    /// Whether damage was found that is not repaired yet.
    pub(super) fn is_damaged(&self) -> bool {
        self.is_damaged.load(Ordering::Acquire)
    }

    fn damaged(&self) -> GraphError {
        self.is_damaged.store(true, Ordering::Release);
        GraphError::Damaged { instance: self.snapshot.instance.to_string() }
    }
}

impl Columns {
    fn keep(&mut self, begin: u64, column: &Arc<Column>) {
        self.bytes += column.bytes();
        if self.bytes > MEMORY {
            self.read.clear();
            self.bytes = column.bytes();
        }
        self.read.insert(begin, Arc::clone(column));
    }
}

impl Contents {
    fn part(&self, part: Part) -> &[SegmentContents] {
        match part {
            Part::Nodes => &self.nodes,
            Part::Edges => &self.edges,
            Part::Mapped => &self.mapped,
        }
    }

    /// Whether the numbers of objects can be added, no segment is empty, and every section lies before `end`.
    fn is_valid(&self, end: u64) -> bool {
        let segments = || self.nodes.iter().chain(&self.edges).chain(&self.mapped);
        let lists = [self.forward, self.backward].into_iter().flat_map(|lists| [lists.offsets, lists.entries]);
        let mut sections = segments().flat_map(|segment| segment.columns.values().copied());
        let total: u64 = segments().map(|segment| u64::from(segment.length)).sum();
        total < u64::from(LIMIT)
            && segments().all(|segment| segment.length > 0)
            && sections
                .by_ref()
                .chain([self.sources, self.ends])
                .chain(lists)
                .all(|section| section.begin.checked_add(section.length).is_some_and(|last| last <= end))
    }
}

/// Builds an index in the cache, or in memory if the cache cannot keep it.
async fn built(reader: &dyn GraphReader, cache: Option<&dyn IndexCache>) -> Result<Arc<dyn IndexSource>, GraphError> {
    let snapshot = reader.id();
    if let Some((cache, sink)) = cache.and_then(|cache| Some((cache, cache.create(&snapshot).ok()?))) {
        match build::build(reader, sink).await {
            Ok(source) => {
                // A snapshot that was pruned in the meantime must not stay in the cache.
                let kept = reader.objects(Vec::new()).await;
                return kept.map(|_| source).map_err(|error| {
                    cache.remove(&snapshot);
                    error.into()
                });
            }
            Err(BuildError::Graph(error)) => return Err(error),
            Err(BuildError::Sink) => {}
        }
    }
    build::build(reader, Box::new(Unshared::default())).await.map_err(|error| match error {
        BuildError::Graph(error) => error,
        BuildError::Sink => GraphError::TooLarge { limit: LIMIT },
    })
}

/// Reads a section with its checksum.
fn read_section(source: &dyn IndexSource, section: Section) -> Option<Vec<u8>> {
    // The size of the source bounds the buffer.
    let end = section.begin.checked_add(section.length)?;
    let length = usize::try_from(section.length).ok().filter(|_| end <= source.length())?;
    let mut bytes = vec![0; length];
    source.read_at(section.begin, &mut bytes).ok()?;
    (crc32fast::hash(&bytes) == section.checksum).then_some(bytes)
}

fn count(segments: &[SegmentContents]) -> u32 {
    segments.iter().map(|segment| segment.length).sum()
}

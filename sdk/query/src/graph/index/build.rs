//! The construction of an index from scans.
//!
//! Entities come first, so that relationships find the numbers of their ends. Each segment is written as soon as it is
//! complete. Memory therefore holds one segment, a hash for each entity, and the ends of the edges.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::sync::{Arc, mpsc};
use std::thread;

use futures::TryStreamExt;
use integration_graph::{Values, json_string};
use integration_store::{GraphReader, Kind, Selection, StoredObject};
use siphasher::sip128::SipHasher13;

use super::super::GraphError;
use super::super::adjacency::{EdgeIndex, EdgeLists};
use super::super::cache::{IndexSink, IndexSource};
use super::format::{self, Contents, Identity, Lists, Section, SegmentContents};
use super::segments::{SegmentColumns, Segments};

/// An index could not be built.
pub(super) enum BuildError {
    /// The graph cannot be read or is too large.
    Graph(GraphError),
    /// The index cannot be written.
    Sink,
}

impl<E: Into<GraphError>> From<E> for BuildError {
    fn from(error: E) -> Self {
        Self::Graph(error.into())
    }
}

/// Reads a snapshot and writes its index.
///
/// A thread of its own writes one batch while the store reads the next one.
pub(super) async fn build(
    reader: &dyn GraphReader,
    sink: Box<dyn IndexSink>,
) -> Result<Arc<dyn IndexSource>, BuildError> {
    let (sender, batches) = mpsc::sync_channel(1);
    let snapshot = Identity::from(&reader.id());
    let work = move || Builder::new(sink).run(batches, snapshot);
    let thread = thread::Builder::new().name("index".to_owned()).spawn(work).map_err(|_| BuildError::Sink)?;
    let sent = send_all(reader, &sender).await;
    drop(sender);
    let built = thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    sent?;
    built
}

/// A batch of objects of one kind, or the end of all of them.
enum Message {
    Objects(Kind, Vec<StoredObject>),
    End,
}

async fn send_all(reader: &dyn GraphReader, sender: &mpsc::SyncSender<Message>) -> Result<(), GraphError> {
    for kind in [Kind::Entity, Kind::Relationship, Kind::MappedRelationship] {
        let mut batches = reader.scan(Selection::of_kind(kind));
        while let Some(batch) = batches.try_next().await? {
            // The thread has ended because of an error, which it returns.
            if sender.send(Message::Objects(kind, batch)).is_err() {
                return Ok(());
            }
        }
    }
    // Without the end, the thread would not know whether the scan is complete.
    let _ = sender.send(Message::End);
    Ok(())
}

/// An index that is being built.
struct Builder {
    writer: Writer,
    keys: Keys,
    nodes: SegmentWriter,
    edges: SegmentWriter,
    ends: Vec<[u32; 2]>,
    mapped: SegmentWriter,
    sources: Vec<u32>,
}

impl Builder {
    fn new(sink: Box<dyn IndexSink>) -> Self {
        Self {
            writer: Writer { sink, position: 0, buffer: Vec::new() },
            keys: Keys::default(),
            nodes: SegmentWriter::default(),
            edges: SegmentWriter::default(),
            ends: Vec::new(),
            mapped: SegmentWriter::default(),
            sources: Vec::new(),
        }
    }

    /// Builds the index of all batches. Without their end, the result is discarded.
    fn run(mut self, batches: mpsc::Receiver<Message>, id: Identity) -> Result<Arc<dyn IndexSource>, BuildError> {
        for message in batches {
            let Message::Objects(kind, objects) = message else { return self.finish(id) };
            for object in objects {
                match kind {
                    Kind::Entity => self.add_entity(&object)?,
                    Kind::Relationship => self.add_relationship(&object)?,
                    Kind::MappedRelationship => self.add_mapped(&object)?,
                }
            }
        }
        Err(BuildError::Sink)
    }

    fn add_entity(&mut self, object: &StoredObject) -> Result<(), BuildError> {
        self.keys.add(object, self.nodes.segments.total());
        self.nodes.add(object, &mut self.writer)
    }

    fn add_relationship(&mut self, object: &StoredObject) -> Result<(), BuildError> {
        // A relationship without one of its ends cannot be traversed.
        let Some((from, to)) = &object.ends else { return Ok(()) };
        let Some(ends) = self.keys.find(from.as_str()).zip(self.keys.find(to.as_str())) else { return Ok(()) };
        self.ends.push(ends.into());
        self.edges.add(object, &mut self.writer)
    }

    fn add_mapped(&mut self, object: &StoredObject) -> Result<(), BuildError> {
        let mapping = member(&object.properties, "\"_mapping\"");
        let source = mapping.and_then(|mapping| json_string(member(mapping, "\"sourceEntityKey\"")?));
        let Some(source) = source.and_then(|key| self.keys.find(&key)) else { return Ok(()) };
        self.sources.push(source);
        self.mapped.add(object, &mut self.writer)
    }

    fn finish(self, snapshot: Identity) -> Result<Arc<dyn IndexSource>, BuildError> {
        let Self { mut writer, nodes, edges, ends, mapped, sources, .. } = self;
        let EdgeIndex { ends, forward, backward } = EdgeIndex::new(nodes.segments.total(), ends);
        let contents = Contents {
            snapshot,
            nodes: nodes.finish(&mut writer)?,
            edges: edges.finish(&mut writer)?,
            mapped: mapped.finish(&mut writer)?,
            sources: writer.numbers(sources)?,
            ends: writer.numbers(ends.into_iter().flatten())?,
            forward: writer.lists(&forward)?,
            backward: writer.lists(&backward)?,
        };
        writer.finish(&contents)
    }
}

/// Returns the value of a member of canonical JSON. `name` is JSON, too.
pub(in super::super) fn member<'a>(json: &'a str, name: &str) -> Option<&'a str> {
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

/// Collects and writes the segments of one kind of objects.
#[derive(Default)]
struct SegmentWriter {
    segments: Segments,
    written: Vec<SegmentContents>,
}

impl SegmentWriter {
    fn add(&mut self, object: &StoredObject, writer: &mut Writer) -> Result<(), BuildError> {
        if let Some(complete) = self.segments.add(object)? {
            self.written.push(writer.segment(&complete)?);
        }
        Ok(())
    }

    fn finish(mut self, writer: &mut Writer) -> Result<Vec<SegmentContents>, BuildError> {
        if let Some(last) = self.segments.finish() {
            self.written.push(writer.segment(&last)?);
        }
        Ok(self.written)
    }
}

/// Writes sections one after the other.
struct Writer {
    sink: Box<dyn IndexSink>,
    position: u64,
    buffer: Vec<u8>,
}

impl Writer {
    fn segment(&mut self, segment: &SegmentColumns) -> Result<SegmentContents, BuildError> {
        let SegmentColumns { object_type, length, stale, columns } = segment;
        let section = |(name, column): (&String, &Arc<_>)| {
            Ok((name.clone(), self.section(|bytes| format::write_column(column, bytes))?))
        };
        let columns = columns.iter().map(section).collect::<Result<_, BuildError>>()?;
        Ok(SegmentContents { object_type: object_type.clone(), length: *length, stale: *stale, columns })
    }

    fn lists(&mut self, lists: &EdgeLists) -> Result<Lists, BuildError> {
        let offsets = self.numbers(lists.offsets.iter().copied())?;
        Ok(Lists { offsets, entries: self.numbers(lists.entries.iter().flatten().copied())? })
    }

    fn numbers(&mut self, numbers: impl IntoIterator<Item = u32>) -> Result<Section, BuildError> {
        self.section(|bytes| format::write_numbers(numbers, bytes))
    }

    fn section(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> Result<Section, BuildError> {
        self.buffer.clear();
        write(&mut self.buffer);
        let (begin, length) = (self.position, self.buffer.len() as u64);
        self.position += length;
        written(self.sink.write_all(&self.buffer))?;
        Ok(Section { begin, length, checksum: crc32fast::hash(&self.buffer) })
    }

    fn finish(mut self, contents: &Contents) -> Result<Arc<dyn IndexSource>, BuildError> {
        let end = format::end(contents, self.position).map_err(|_| BuildError::Sink)?;
        written(self.sink.write_all(&end))?;
        written(self.sink.finish())
    }
}

fn written<T>(result: io::Result<T>) -> Result<T, BuildError> {
    result.map_err(|_| BuildError::Sink)
}

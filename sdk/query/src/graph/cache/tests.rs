//! Indexes in files: damage, identity, protection, and removal.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures::executor::block_on;
use futures::future::BoxFuture;
use futures::stream::{self, BoxStream};
use futures::{FutureExt, StreamExt};
use integration_graph::history::SnapshotGap;
use integration_graph::{ObjectKey, ObjectType, Properties};
use integration_store::{GraphReader, Kind, MemoryGraph, ReadError, Selection, SnapshotId, StoredObject, TypeCount};
use proptest::prelude::*;
use serde_json::json;

use super::super::{AccountGraph, Direction, EdgeId, GraphError, NodeId};
use super::*;

fn graph() -> MemoryGraph {
    let user = |number: usize| json!({"_key": format!("user:{number}"), "_type": "acme_user", "_class": "User", "n": number / 2});
    let link = |number: usize| {
        let (from, to) = (format!("user:{number}"), format!("user:{}", (number * 3) % 40));
        json!({"_key": format!("{from}|has|{to}"), "_type": "acme_user_has_user", "_class": "HAS",
               "_fromEntityKey": from, "_toEntityKey": to})
    };
    let mapping = json!({"relationshipDirection": "FORWARD", "sourceEntityKey": "user:1",
                         "targetFilterKeys": [["n"]], "targetEntity": {"n": 7, "_type": "acme_user"}});
    let mapped = json!({"_key": "user:1|is", "_type": "acme_user_is_user", "_class": "IS", "_mapping": mapping});
    MemoryGraph::of((0..40).map(user).chain((0..40).map(link)).chain([mapped])).unwrap()
}

fn open(graph: &MemoryGraph, cache: &FileCache) -> Result<AccountGraph, GraphError> {
    block_on(AccountGraph::open_cached(vec![Arc::new(graph.clone())], Arc::new(cache.clone())))
}

/// Everything that a query can read: the nodes, the edges, and the values of columns and adjacency lists.
type Everything = (Vec<Properties>, Vec<Properties>, Vec<String>);

fn read(graph: &AccountGraph) -> Result<Everything, GraphError> {
    let adjacency = graph.adjacency()?;
    let mut texts = Vec::new();
    for node in 0..graph.node_count() {
        texts.push(format!("{:?}", adjacency.neighbours(NodeId(node), Direction::Either).collect::<Vec<_>>()));
    }
    for (segment, of) in graph.node_segments().iter().enumerate() {
        for name in graph.node_properties(segment) {
            let column = graph.node_column(segment, name)?.expect("a column of a known property");
            texts.extend((0..of.length()).map(|position| format!("{name} {}", column.json(column.code(position)))));
        }
    }
    for (segment, of) in graph.edge_segments().iter().enumerate() {
        for name in graph.edge_properties(segment) {
            let column = graph.edge_column(segment, name)?.expect("a column of a known property");
            texts.extend((0..of.length()).map(|position| format!("{name} {}", column.json(column.code(position)))));
        }
    }
    let nodes: Vec<NodeId> = (0..graph.node_count()).map(NodeId).collect();
    let edges: Vec<EdgeId> = (0..graph.edge_count()).map(EdgeId).collect();
    Ok((block_on(graph.nodes(&nodes))?, block_on(graph.edges(&edges))?, texts))
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// Damages the only index of a cache, and checks that its graph is read nevertheless.
fn survives(damage: impl FnOnce(&mut Vec<u8>)) {
    let folder = tempfile::tempdir().unwrap();
    let (graph, cache) = (graph(), FileCache::new(folder.path()));
    let expected = read(&open(&graph, &cache).unwrap()).unwrap();
    let path = files(folder.path()).remove(0);
    let mut bytes = fs::read(&path).unwrap();
    let whole = bytes.clone();
    damage(&mut bytes);
    fs::write(&path, &bytes).unwrap();
    let opened = open(&graph, &cache).unwrap();
    let found = match read(&opened) {
        Err(GraphError::Damaged { .. }) => {
            block_on(opened.repair()).unwrap();
            read(&opened).unwrap()
        }
        found => found.unwrap(),
    };
    assert!(found == expected, "the graph differs");
    assert_eq!(files(folder.path()).len(), 1);
    // Only damage outside of all sections could remain, and there is no such place.
    assert!(fs::read(&path).unwrap() == whole, "the index is not repaired");
}

#[test]
fn a_file_that_is_no_index_is_built_again() {
    survives(Vec::clear);
    survives(|bytes| *bytes = b"SQLite format 3\0".repeat(100));
    survives(|bytes| bytes.truncate(bytes.len() / 2));
    survives(|bytes| bytes.truncate(bytes.len() - 1));
    survives(|bytes| bytes.push(0));
    survives(|bytes| drop(bytes.splice(..0, [0; 8])));
    survives(|bytes| bytes.fill(0));
}

#[test]
fn an_index_of_another_version_is_built_again() {
    survives(|bytes| {
        let version = bytes.len() - 12;
        bytes[version] += 1;
    });
}

#[test]
fn an_index_of_another_snapshot_is_built_again() {
    let folder = tempfile::tempdir().unwrap();
    let cache = FileCache::new(folder.path());
    let (one, more) = (graph(), json!({"_key": "more", "_type": "acme_user", "_class": "User"}));
    open(&one, &cache).unwrap();
    let path = files(folder.path()).remove(0);
    // The job was resumed and published again.
    let id = SnapshotId { number: 2, ..one.id() };
    let objects: Vec<Vec<StoredObject>> =
        block_on(futures::TryStreamExt::try_collect(one.scan(Selection::of_kind(Kind::Entity)))).unwrap();
    let step = objects[0][0].step.clone();
    let objects = objects.concat().into_iter().chain([StoredObject::from_json(step, more).unwrap()]);
    let other = MemoryGraph::new(id, objects);
    assert_eq!(open(&other, &cache).unwrap().node_count(), 41);
    let found = files(folder.path());
    assert_eq!(found.len(), 2);
    // A file under the wrong name is not used either.
    let others = found.into_iter().find(|found| *found != path).unwrap();
    fs::copy(&path, &others).unwrap();
    assert_eq!(open(&other, &cache).unwrap().node_count(), 41);
    assert_ne!(fs::read(&path).unwrap(), fs::read(&others).unwrap());
}

#[cfg(unix)]
#[test]
fn files_are_readable_by_their_owner_only_and_complete() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let cache = FileCache::new(folder.path().join("index"));
    open(&graph(), &cache).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let [file] = &files(&folder.path().join("index"))[..] else { panic!("one file") };
    assert_eq!((mode(file), mode(&folder.path().join("index"))), (0o600, 0o700));
    // An index that is not finished leaves nothing behind.
    let mut sink = cache.create(&graph().id()).unwrap();
    sink.write_all(b"begun").unwrap();
    drop(sink);
    assert_eq!(files(&folder.path().join("index")).len(), 1);
}

#[test]
fn the_files_stay_within_their_limit_and_the_last_used_ones_remain() {
    let folder = tempfile::tempdir().unwrap();
    let graph = |number| MemoryGraph::new(SnapshotId { number, ..graph().id() }, []);
    open(&graph(0), &FileCache::new(folder.path())).unwrap();
    let length = fs::metadata(&files(folder.path())[0]).unwrap().len();
    let cache = FileCache::new(folder.path()).limit(3 * length + length / 2);
    for number in 1..=2 {
        open(&graph(number), &cache).unwrap();
    }
    // Ages instead of pauses.
    for (age, path) in (1..).zip(files(folder.path()).iter().rev()) {
        let time = std::time::SystemTime::now() - std::time::Duration::from_secs(age * 60);
        fs::File::open(path).unwrap().set_modified(time).unwrap();
    }
    open(&graph(0), &cache).unwrap();
    open(&graph(3), &cache).unwrap();
    let numbers: Vec<String> = files(folder.path())
        .iter()
        .map(|path| path.file_stem().unwrap().to_str().unwrap().rsplit('-').next().unwrap().to_owned())
        .collect();
    assert_eq!(numbers, ["0", "2", "3"]);
}

#[test]
fn a_query_repairs_a_damaged_index() {
    let folder = tempfile::tempdir().unwrap();
    let (graph, cache) = (graph(), FileCache::new(folder.path()));
    let query = "FIND acme_user WITH n < 9 AS u THAT HAS acme_user AS v RETURN u._key, v.n";
    let run = |graph: &AccountGraph| block_on(crate::run(query, graph, &crate::Options::default())).unwrap();
    let expected = run(&open(&graph, &cache).unwrap()).result;
    let path = files(folder.path()).remove(0);
    let whole = fs::read(&path).unwrap();
    let opened = open(&graph, &cache).unwrap();
    // Every section, but not the contents at the end, which the graph has read already.
    let sections = whole.windows(13).position(|window| window == b"{\"snapshot\":{").expect("the contents");
    fs::write(&path, [vec![0; sections], whole[sections..].to_vec()].concat()).unwrap();
    assert_eq!(run(&opened).result, expected);
    assert!(fs::read(&path).unwrap() == whole);
}

/// A graph whose store fails after the objects of a kind; without a kind, after it was read.
struct Failing {
    graph: MemoryGraph,
    fails_after: Option<Kind>,
}

fn failure() -> ReadError {
    ReadError::new(io::Error::from(io::ErrorKind::NotFound))
}

impl GraphReader for Failing {
    fn id(&self) -> SnapshotId {
        self.graph.id()
    }

    fn types(&self) -> BoxFuture<'static, Result<Vec<TypeCount>, ReadError>> {
        self.graph.types()
    }

    fn scan(&self, selection: Selection) -> BoxStream<'static, Result<Vec<StoredObject>, ReadError>> {
        let error = (selection.kind == self.fails_after).then(|| Err(failure()));
        self.graph.scan(selection).chain(stream::iter(error)).boxed()
    }

    fn objects(
        &self,
        wanted: Vec<(ObjectType, ObjectKey)>,
    ) -> BoxFuture<'static, Result<Vec<Option<StoredObject>>, ReadError>> {
        if self.fails_after.is_some() { self.graph.objects(wanted) } else { async { Err(failure()) }.boxed() }
    }

    fn gaps(&self) -> BoxFuture<'static, Result<Vec<SnapshotGap>, ReadError>> {
        self.graph.gaps()
    }
}

#[test]
fn a_snapshot_that_is_pruned_while_it_is_read_leaves_no_index() {
    let folder = tempfile::tempdir().unwrap();
    for fails_after in [Some(Kind::Entity), Some(Kind::Relationship), Some(Kind::MappedRelationship), None] {
        let reader = Arc::new(Failing { graph: graph(), fails_after }) as Arc<dyn GraphReader>;
        let cache = Arc::new(FileCache::new(folder.path()));
        let opened = block_on(AccountGraph::open_cached(vec![reader], cache));
        assert!(matches!(opened, Err(GraphError::Read(_))), "{fails_after:?}");
        assert_eq!(files(folder.path()), Vec::<PathBuf>::new(), "{fails_after:?}");
    }
}

/// A cache whose disk is full, at once or after some bytes.
struct Full(usize);

struct FullSink(usize);

impl IndexCache for Full {
    fn open(&self, _: &SnapshotId) -> Option<Arc<dyn IndexSource>> {
        None
    }

    fn create(&self, _: &SnapshotId) -> io::Result<Box<dyn IndexSink>> {
        if self.0 == 0 { Err(io::ErrorKind::StorageFull.into()) } else { Ok(Box::new(FullSink(self.0))) }
    }

    fn remove(&self, _: &SnapshotId) {}
}

impl Write for FullSink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self.0.checked_sub(bytes.len()).ok_or(io::ErrorKind::StorageFull)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl IndexSink for FullSink {
    fn finish(self: Box<Self>) -> io::Result<Arc<dyn IndexSource>> {
        Err(io::ErrorKind::StorageFull.into())
    }
}

#[test]
fn without_space_the_index_is_built_in_memory() {
    let expected = read(&open(&graph(), &FileCache::new(tempfile::tempdir().unwrap().path())).unwrap()).unwrap();
    for space in [0, 1, 500, usize::MAX] {
        let readers = vec![Arc::new(graph()) as Arc<dyn GraphReader>];
        let opened = block_on(AccountGraph::open_cached(readers, Arc::new(Full(space)))).unwrap();
        assert!(read(&opened).unwrap() == expected, "{space}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_damaged_file_is_built_again(places in prop::collection::vec((any::<prop::sample::Index>(), 1..=u8::MAX), 1..4)) {
        survives(|bytes| {
            for (place, flipped) in places {
                let at = place.index(bytes.len());
                bytes[at] ^= flipped;
            }
        });
    }

    #[test]
    fn a_damaged_end_is_built_again(place in 1..400_usize, flipped in 1..=u8::MAX) {
        survives(|bytes| {
            let at = bytes.len() - place;
            bytes[at] ^= flipped;
        });
    }
}

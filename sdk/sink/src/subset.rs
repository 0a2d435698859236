//! A part of a snapshot as a reader.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::future::BoxFuture;
use futures::stream::{self, BoxStream};
use futures::{FutureExt, StreamExt, TryStreamExt};
use integration_graph::history::SnapshotGap;
use integration_graph::{ObjectKey, ObjectType};
use integration_store::{GraphReader, Kind, ReadError, Selection, SnapshotId, StoredObject, TypeCount};

/// The number of objects that are read at once.
const AT_ONCE: usize = 100;

/// Some objects of a snapshot, such as those of a query result, as a reader.
///
/// It has the identity of the snapshot, so nothing may be derived from it and kept under this identity.
pub struct Subset {
    inner: Arc<dyn GraphReader>,
    names: Arc<BTreeSet<(ObjectType, ObjectKey)>>,
}

impl Subset {
    /// Limits a reader to the objects with these types and keys.
    pub fn new(inner: Arc<dyn GraphReader>, names: BTreeSet<(ObjectType, ObjectKey)>) -> Self {
        Self { inner, names: Arc::new(names) }
    }
}

impl GraphReader for Subset {
    fn id(&self) -> SnapshotId {
        self.inner.id()
    }

    fn types(&self) -> BoxFuture<'static, Result<Vec<TypeCount>, ReadError>> {
        let objects = self.scan(Selection::default());
        let count = |mut counts: BTreeMap<(Kind, ObjectType), (u64, u64)>, batch: Vec<StoredObject>| async move {
            for object in batch {
                let (objects, stale) = counts.entry((object.kind, object.object_type)).or_default();
                *objects += 1;
                *stale += u64::from(object.is_stale);
            }
            Ok(counts)
        };
        async move {
            let counts = objects.try_fold(BTreeMap::new(), count).await?;
            let count = |((kind, object_type), (objects, stale))| TypeCount { kind, object_type, objects, stale };
            Ok(counts.into_iter().map(count).collect())
        }
        .boxed()
    }

    fn scan(&self, selection: Selection) -> BoxStream<'static, Result<Vec<StoredObject>, ReadError>> {
        let wanted = selection.types.clone();
        let is_wanted = |name: &&(ObjectType, ObjectKey)| wanted.as_ref().is_none_or(|types| types.contains(&name.0));
        let names: Vec<_> = self.names.iter().filter(is_wanted).cloned().collect();
        let chunks: Vec<_> = names.chunks(AT_ONCE).map(<[_]>::to_vec).collect();
        let inner = Arc::clone(&self.inner);
        let read = move |names| {
            let (found, selection) = (inner.objects(names), selection.clone());
            async move {
                let mut objects: Vec<StoredObject> = found.await?.into_iter().flatten().collect();
                objects.retain(|object| selection.contains(object));
                if !selection.with_raw {
                    objects.iter_mut().for_each(|object| object.raw = None);
                }
                Ok(objects)
            }
        };
        let has_objects = |batch: &Result<Vec<StoredObject>, ReadError>| {
            let has_objects = batch.as_ref().map_or(true, |batch| !batch.is_empty());
            async move { has_objects }
        };
        stream::iter(chunks).then(read).filter(has_objects).boxed()
    }

    fn objects(
        &self,
        wanted: Vec<(ObjectType, ObjectKey)>,
    ) -> BoxFuture<'static, Result<Vec<Option<StoredObject>>, ReadError>> {
        let names = Arc::clone(&self.names);
        let found = self.inner.objects(wanted);
        async move {
            let mut objects = found.await?;
            for object in &mut objects {
                let name = object.as_ref().map(|object| (object.object_type.clone(), object.key.clone()));
                if name.is_some_and(|name| !names.contains(&name)) {
                    *object = None;
                }
            }
            Ok(objects)
        }
        .boxed()
    }

    fn gaps(&self) -> BoxFuture<'static, Result<Vec<SnapshotGap>, ReadError>> {
        self.inner.gaps()
    }
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;
    use integration_store::MemoryGraph;
    use serde_json::json;

    use super::*;

    #[test]
    fn only_the_named_objects_are_there() {
        let user = |key: &str| json!({"_key": key, "_type": "acme_user", "_class": "User"});
        let graph = Arc::new(MemoryGraph::of([user("a"), user("b"), user("c")]).expect("a graph"));
        let name = |key: &str| (ObjectType::literal("acme_user"), ObjectKey::stored(key).expect("a key"));
        let subset = Subset::new(graph, [name("c"), name("a")].into());
        block_on(async {
            let found: Vec<StoredObject> = subset.scan(Selection::default()).try_concat().await.expect("objects");
            assert_eq!(found.iter().map(|object| object.key.as_str()).collect::<Vec<_>>(), ["a", "c"]);
            assert_eq!(subset.types().await.expect("types")[0].objects, 2);
            let found = subset.objects(vec![name("b"), name("a")]).await.expect("objects");
            assert_eq!(found.iter().map(Option::is_some).collect::<Vec<_>>(), [false, true]);
        });
    }
}

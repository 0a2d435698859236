//! A target in memory, for tests. It behaves as a database does: transfers change its contents.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::FutureExt;
use futures::future::{self, BoxFuture};
use integration_graph::{ObjectKey, ObjectType};
use integration_store::StoredObject;

use crate::{Action, Batch, Capabilities, Events, Manifest, Opened, Position, Report, Sink, SinkError};

/// The integration and instance of an object, its type, and its key.
type Name = (String, String, ObjectType, ObjectKey);

/// A target in memory. Clones share their contents.
#[derive(Debug, Clone, Default)]
pub struct MemorySink {
    contents: Arc<Mutex<Contents>>,
    transfer: Option<Transfer>,
}

#[derive(Debug, Default)]
struct Contents {
    objects: BTreeMap<Name, StoredObject>,
    /// The interrupted transfer: its identity, its last object, and its objects up to now.
    interrupted: Option<(String, Position, Vec<Name>)>,
}

#[derive(Debug, Clone)]
struct Transfer {
    manifest: Manifest,
    written: Vec<Name>,
    report: Report,
}

impl MemorySink {
    /// The number of objects.
    pub fn len(&self) -> usize {
        self.contents().objects.len()
    }

    /// Whether there are no objects.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns all objects, in the order of integrations, instances, types, and keys.
    pub fn objects(&self) -> Vec<StoredObject> {
        self.contents().objects.values().cloned().collect()
    }

    fn contents(&self) -> MutexGuard<'_, Contents> {
        self.contents.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sink for MemorySink {
    fn capabilities(&self) -> Capabilities {
        Capabilities { columns: false, changes: true, raw: true }
    }

    fn open<'a>(&'a mut self, manifest: &'a Manifest, _: Events) -> BoxFuture<'a, Result<Opened, SinkError>> {
        let interrupted = self.contents().interrupted.take().filter(|(of, ..)| *of == manifest.identity());
        let (resume_after, written) = interrupted.map(|(_, after, written)| (after, written)).unzip();
        let written = written.unwrap_or_default();
        let opened = Opened { resume_after, resumed: written.len() as u64 };
        self.transfer = Some(Transfer { manifest: manifest.clone(), written, report: Report::default() });
        future::ok(opened).boxed()
    }

    fn write(&mut self, batch: Batch) -> BoxFuture<'_, Result<(), SinkError>> {
        let mut contents = self.contents.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(transfer) = &mut self.transfer else { return future::err(SinkError::Stopped).boxed() };
        let id = &transfer.manifest.snapshots[batch.snapshot].id;
        let end = batch.end();
        let counts = transfer.report.of(batch.kind, &batch.object_type);
        for record in batch.records {
            let key = record.object.key.clone();
            let name = (id.integration.clone(), id.instance.to_string(), batch.object_type.clone(), key);
            match record.action {
                Action::Unknown => counts.skip("a gap covers it", record.object.key.as_str()),
                Action::Removed => counts.deleted += u64::from(contents.objects.remove(&name).is_some()),
                Action::Present | Action::Added | Action::Changed | Action::Confirmed => {
                    counts.written += 1;
                    contents.objects.insert(name.clone(), record.object);
                }
            }
            transfer.written.push(name);
        }
        contents.interrupted = end.map(|end| (transfer.manifest.identity(), end, transfer.written.clone()));
        future::ok(()).boxed()
    }

    fn close(&mut self) -> BoxFuture<'_, Result<Report, SinkError>> {
        let mut contents = self.contents.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(Transfer { manifest, mut written, mut report }) = self.transfer.take() else {
            return future::err(SinkError::Stopped).boxed();
        };
        contents.interrupted = None;
        written.sort();
        let may_delete = |name: &Name| {
            let is_of =
                |id: &integration_store::SnapshotId| (&id.integration, id.instance.as_str()) == (&name.0, &name.1);
            let snapshot = manifest.snapshots.iter().position(|snapshot| is_of(&snapshot.id));
            snapshot.is_some_and(|at| manifest.may_delete_absent(at, &name.2)) && written.binary_search(name).is_err()
        };
        contents.objects.retain(|name, object| {
            let is_deleted = may_delete(name);
            report.of(object.kind, &name.2).deleted += u64::from(is_deleted);
            !is_deleted
        });
        future::ok(report).boxed()
    }

    fn abort<'a>(&'a mut self, _: &'a str) -> BoxFuture<'a, Result<(), SinkError>> {
        self.transfer = None;
        future::ok(()).boxed()
    }
}

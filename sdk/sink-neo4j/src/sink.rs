//! The sink: batches of parameterised statements.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::time::SystemTime;

use futures::FutureExt;
use futures::future::BoxFuture;
use integration_graph::ObjectType;
use integration_sink::{
    Action, Batch, Capabilities, Events, Manifest, Opened, Record, RecordedSnapshot, Report, Sink, SinkError,
};
use integration_store::{Kind, SnapshotId};
use neo4rs::BoltType;

use crate::cypher::{constraint, node, nodes_of_instance, quoted};
use crate::labels::{self, ByLabels};
use crate::marker::{Markers, place};
use crate::row::{entity_labels, relationship_type};
use crate::server::{Server, ServerError, list, map};
use crate::sweep::{self, Former};
use crate::target::Neo4jTarget;

/// The maximum number of objects in a statement.
const OBJECTS: usize = 1_000;
/// The size of the objects of a statement above which it takes no more. One larger object is a statement of its own.
const BYTES: usize = 1 << 20;

/// A graph in Neo4j.
pub struct Neo4jSink {
    target: Neo4jTarget,
    transfer: Option<Transfer>,
}

/// A transfer in progress.
struct Transfer {
    target: Neo4jTarget,
    /// The name of this transfer.
    name: String,
    server: Server,
    manifest: Manifest,
    markers: Markers,
    /// The snapshots of whose instances the database had nothing.
    fresh: BTreeSet<usize>,
    /// The keys of removed entities, by snapshot and type.
    ///
    /// They are deleted last, because a key may have another type now.
    removed: BTreeMap<(usize, ObjectType), Vec<String>>,
    report: Report,
}

type Failed = Box<dyn Error + Send + Sync>;

impl Neo4jSink {
    /// Creates a sink. The connection is opened when a transfer begins.
    pub fn new(target: Neo4jTarget) -> Self {
        Self { target, transfer: None }
    }

    /// Returns the snapshots that the database contains.
    ///
    /// # Errors
    /// [`SinkError::Target`] if the database cannot be read.
    pub async fn recorded(&self) -> Result<Vec<RecordedSnapshot>, SinkError> {
        let read = async {
            let server = self.target.connect().await?;
            Ok::<_, Failed>(Markers::read(&server).await?.recorded().to_vec())
        };
        read.await.map_err(SinkError::target("read from", &self.target))
    }
}

impl Transfer {
    async fn begin(target: &Neo4jTarget, manifest: &Manifest) -> Result<(Self, Result<(), SinkError>), Failed> {
        let server = target.connect().await?;
        let markers = Markers::read(&server).await?;
        let mut fresh = BTreeSet::new();
        let fits = markers.check(manifest, target.layout.stamps);
        let name = transfer_name();
        if fits.is_ok() {
            server.run(constraint(), []).await?;
            for (at, snapshot) in manifest.snapshots.iter().enumerate() {
                let statement = format!("{} RETURN n._key AS key LIMIT 1", nodes_of_instance());
                if server.rows(statement, place(&snapshot.id)).await?.is_empty() {
                    fresh.insert(at);
                }
            }
            markers.begin(&server, manifest, &name).await?;
        }
        let (manifest, target) = (manifest.clone(), target.clone());
        let (removed, report) = (BTreeMap::new(), Report::default());
        Ok((Self { target, name, server, manifest, markers, fresh, removed, report }, fits))
    }

    async fn write(&mut self, batch: &Batch) -> Result<(), Failed> {
        let mut rest = batch.records.as_slice();
        while !rest.is_empty() {
            Markers::check_writer(&self.server, &self.id(batch), &self.name).await?;
            let (mut bytes, mut number) = (0, 0);
            for record in rest.iter().take(OBJECTS) {
                bytes += record.object.bytes();
                if number > 0 && bytes > BYTES {
                    break;
                }
                number += 1;
            }
            let (records, others) = rest.split_at(number);
            rest = others;
            match batch.kind {
                Kind::Entity => self.entities(batch, records).await?,
                Kind::Relationship => self.relationships(batch, records).await?,
                _ => {
                    let report = self.report.of(batch.kind, &batch.object_type);
                    for record in records {
                        let reason = "it is a mapped relationship, whose target is in another graph";
                        report.skip(reason, record.object.key.as_str());
                    }
                }
            }
        }
        Ok(())
    }

    fn id(&self, batch: &Batch) -> SnapshotId {
        self.manifest.snapshots[batch.snapshot].id.clone()
    }

    async fn entities(&mut self, batch: &Batch, records: &[Record]) -> Result<(), Failed> {
        let id = self.id(batch);
        let (mut rows, mut by_labels) = (Vec::new(), ByLabels::new());
        for record in records {
            let key = record.object.key.to_string();
            if record.action == Action::Removed {
                let of_type = (batch.snapshot, batch.object_type.clone());
                self.removed.entry(of_type).or_default().push(key);
                continue;
            }
            rows.push(map([("key", key.as_str().into()), ("properties", self.properties(record, &id))]));
            by_labels.entry(entity_labels(record)).or_default().push(key);
        }
        if rows.is_empty() {
            return Ok(());
        }
        if !self.fresh.contains(&batch.snapshot) {
            labels::remove_old(&self.server, &id, &by_labels).await?;
        }
        // Labels need a separate statement: some servers lose properties if one statement sets both.
        let statement = format!("UNWIND $rows AS row MERGE {} SET n = row.properties", node("n", "row.key"));
        self.server.run(statement, place(&id).into_iter().chain([("rows", list(rows))])).await?;
        labels::add(&self.server, &id, &by_labels).await?;
        // An object that a gap covers is written as well, because it has become stale.
        let written = records.iter().filter(|record| record.action != Action::Removed).count();
        self.report.of(batch.kind, &batch.object_type).written += written as u64;
        Ok(())
    }

    async fn relationships(&mut self, batch: &Batch, records: &[Record]) -> Result<(), Failed> {
        let id = self.id(batch);
        let mut by_type: BTreeMap<(String, bool), Vec<&Record>> = BTreeMap::new();
        for record in records {
            let is_removed = record.action == Action::Removed;
            by_type.entry((relationship_type(record), is_removed)).or_default().push(record);
        }
        for ((name, is_removed), records) in by_type {
            let ends = |record: &Record| record.object.ends.clone();
            let row = |record: &&Record| {
                let (from, to) = ends(record)?;
                let named = [("key", record.object.key.as_str()), ("from", from.as_str()), ("to", to.as_str())];
                let named = named.map(|(name, text)| (name, BoltType::from(text)));
                let properties = (!is_removed).then(|| ("properties", self.properties(record, &id)));
                Some(map(named.into_iter().chain(properties)))
            };
            let rows = list(records.iter().filter_map(row).collect::<Vec<_>>());
            let pattern = format!("[r:{} {{_key: row.key}}]", quoted(&name));
            let parameters = place(&id).into_iter().chain([("rows", rows)]);
            let report = self.report.of(batch.kind, &batch.object_type);
            if is_removed {
                let statement = format!(
                    "UNWIND $rows AS row MATCH {}-{pattern}->() DELETE r RETURN count(*) AS count",
                    node("a", "row.from")
                );
                report.deleted += self.server.count(statement, parameters).await?;
                continue;
            }
            let changed: Vec<Former<'_>> = records.iter().filter_map(|record| Former::of(record, &name)).collect();
            if !changed.is_empty() {
                sweep::former(&self.server, &id, changed).await?;
            }
            let statement = format!(
                "UNWIND $rows AS row MATCH {} MATCH {} MERGE (a)-{pattern}->(b) \
                 SET r = row.properties RETURN row.key AS key",
                node("a", "row.from"),
                node("b", "row.to")
            );
            let written = self.server.rows(statement, parameters).await?;
            let written: Result<BTreeSet<String>, ServerError> =
                written.iter().map(|row| Ok(row.get("key")?)).collect();
            let written = written?;
            for record in records {
                match written.contains(record.object.key.as_str()) {
                    true => report.written += 1,
                    false => report.skip("an end is not in the database", record.object.key.as_str()),
                }
            }
        }
        Ok(())
    }

    fn properties(&self, record: &Record, id: &SnapshotId) -> BoltType {
        let properties = self.target.layout.properties(record, id, &self.name);
        map(properties.iter().map(|(name, value)| (name.as_str(), BoltType::from(value.clone()))))
    }

    /// Deletes what is gone, and records the snapshots.
    async fn end(&mut self) -> Result<(), Failed> {
        for ((snapshot, object_type), keys) in std::mem::take(&mut self.removed) {
            let id = &self.manifest.snapshots[snapshot].id;
            Markers::check_writer(&self.server, id, &self.name).await?;
            let deleted = sweep::entities(&self.server, id, &object_type, &keys).await?;
            self.report.of(Kind::Entity, &object_type).deleted += deleted;
        }
        for snapshot in (0..self.manifest.snapshots.len()).filter(|at| !self.fresh.contains(at)) {
            sweep::absent(&self.server, &self.manifest, snapshot, &self.name, &mut self.report).await?;
        }
        let stamps = self.target.layout.stamps;
        self.markers.end(&self.server, &self.manifest, &self.name, stamps).await?;
        Ok(())
    }
}

/// Returns a name that no earlier transfer has: the time in nanoseconds.
fn transfer_name() -> String {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    format!("{:032x}", since.as_nanos())
}

impl Sink for Neo4jSink {
    fn capabilities(&self) -> Capabilities {
        Capabilities { columns: false, changes: true, raw: true }
    }

    fn open<'a>(&'a mut self, manifest: &'a Manifest, _: Events) -> BoxFuture<'a, Result<Opened, SinkError>> {
        async move {
            let begun = Transfer::begin(&self.target, manifest).await;
            let (transfer, fits) = begun.map_err(SinkError::target("begin a transfer to", &self.target))?;
            fits?;
            self.transfer = Some(transfer);
            Ok(Opened::default())
        }
        .boxed()
    }

    fn write(&mut self, batch: Batch) -> BoxFuture<'_, Result<(), SinkError>> {
        async move {
            let transfer = self.transfer.as_mut().ok_or(SinkError::Stopped)?;
            transfer.write(&batch).await.map_err(SinkError::target("write to", &self.target))
        }
        .boxed()
    }

    fn close(&mut self) -> BoxFuture<'_, Result<Report, SinkError>> {
        async move {
            let transfer = self.transfer.as_mut().ok_or(SinkError::Stopped)?;
            transfer.end().await.map_err(SinkError::target("complete the transfer to", &self.target))?;
            Ok(self.transfer.take().map(|transfer| transfer.report).unwrap_or_default())
        }
        .boxed()
    }

    fn abort<'a>(&'a mut self, _: &'a str) -> BoxFuture<'a, Result<(), SinkError>> {
        // The marker still names the pending snapshot, so that the next transfer is a whole one.
        self.transfer = None;
        async { Ok(()) }.boxed()
    }
}

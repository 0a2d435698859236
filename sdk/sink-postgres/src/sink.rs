//! The sink: one transfer is one transaction.

use std::collections::BTreeSet;
use std::error::Error;

use futures::FutureExt;
use futures::future::BoxFuture;
use integration_graph::ObjectType;
use integration_sink::{
    Action, Batch, Capabilities, Events, Manifest, Opened, RecordedSnapshot, Replacement, Report, Sink, SinkError,
    check_changes,
};
use integration_store::{Kind, SnapshotId};

use crate::catalogue::{self, Catalogue};
use crate::layout::Layout;
use crate::stage::{Loading, clear};
use crate::target::{Connection, PostgresTarget, reason};

/// Tables in a PostgreSQL database.
pub struct PostgresSink {
    target: PostgresTarget,
    transfer: Option<Transfer>,
}

/// An open transaction. Dropping it ends the connection, so that the server rolls it back.
struct Transfer {
    connection: Connection,
    manifest: Manifest,
    catalogue: Catalogue,
    current: Option<((Kind, ObjectType), Loading)>,
    seen: BTreeSet<(Kind, ObjectType)>,
    report: Report,
}

/// An error of the server, as text without data.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct ServerError(String);

impl From<tokio_postgres::Error> for ServerError {
    fn from(error: tokio_postgres::Error) -> Self {
        Self(reason(&error))
    }
}

type Failed = Box<dyn Error + Send + Sync>;

impl PostgresSink {
    /// Creates a sink. The connection is opened when a transfer begins.
    pub fn new(target: PostgresTarget) -> Self {
        Self { target, transfer: None }
    }

    /// Returns the snapshots that the database contains.
    ///
    /// # Errors
    /// [`SinkError::Target`] if the database cannot be read.
    pub async fn recorded(&self) -> Result<Vec<RecordedSnapshot>, SinkError> {
        let failed = |error: Failed| SinkError::target("read from", &self.target)(error);
        let connection = self.target.connect().await.map_err(|error| failed(error.into()))?;
        let recorded = catalogue::recorded(&connection.client, self.target.schema_name()).await;
        recorded.map_err(|error| failed(ServerError::from(error).into()))
    }

    fn running(&mut self) -> Result<&mut Transfer, SinkError> {
        self.transfer.as_mut().ok_or(SinkError::Stopped)
    }
}

impl Transfer {
    /// Writes a batch into the table of its type.
    async fn write(&mut self, batch: Batch) -> Result<(), Failed> {
        let key = (batch.kind, batch.object_type.clone());
        if self.current.as_ref().is_none_or(|(current, _)| *current != key) {
            self.end_type().await?;
            let of_type = self.manifest.of_type(batch.kind, &batch.object_type);
            let of_type = of_type.ok_or("the transfer contains a type that its manifest lacks")?;
            let layout = Layout::plan(of_type, self.manifest.with_raw, &self.catalogue);
            let loading = Loading::begin(&self.connection.client, layout).await.map_err(ServerError::from)?;
            self.current = Some((key.clone(), loading));
        }
        let Some((_, loading)) = &mut self.current else { return Ok(()) };
        let id = &self.manifest.snapshots[batch.snapshot].id;
        for record in &batch.records {
            match record.action {
                Action::Removed => loading.remove(batch.snapshot, record.object.key.as_str()),
                // An object that a gap covers is written as well, because it has become stale.
                _ => {
                    loading.put(record, id)?;
                    Replacement::NUL.note(record, self.report.of(key.0, &key.1));
                }
            }
            loading.send().await.map_err(ServerError::from)?;
        }
        Ok(())
    }

    /// Completes the table of the current type.
    async fn end_type(&mut self) -> Result<(), Failed> {
        let Some(((kind, object_type), loading)) = self.current.take() else { return Ok(()) };
        let client = &self.connection.client;
        let known = loading.layout().known.clone();
        let ids: Vec<&SnapshotId> = self.manifest.snapshots.iter().map(|snapshot| &snapshot.id).collect();
        let absent = ids.iter().enumerate().filter(|(at, _)| self.manifest.may_delete_absent(*at, &object_type));
        let absent: Vec<&SnapshotId> = absent.map(|(_, id)| *id).collect();
        let loaded = loading.finish(client, &ids, &absent).await.map_err(ServerError::from)?;
        self.catalogue.record(client, kind, &object_type, &known).await.map_err(ServerError::from)?;
        let report = self.report.of(kind, &object_type);
        report.written += loaded.written;
        report.unchanged += loaded.unchanged;
        report.deleted += loaded.deleted;
        self.catalogue.tables.insert((kind, object_type.clone()), known);
        self.seen.insert((kind, object_type));
        Ok(())
    }

    /// Deletes the rows of types without objects, records the snapshots, and commits.
    async fn commit(&mut self) -> Result<(), Failed> {
        self.end_type().await?;
        let client = &self.connection.client;
        for ((kind, object_type), table) in &self.catalogue.tables {
            if self.seen.contains(&(*kind, object_type.clone())) {
                continue;
            }
            for (at, snapshot) in self.manifest.snapshots.iter().enumerate() {
                if self.manifest.may_delete_absent(at, object_type) {
                    let table = self.catalogue.qualified(&table.name);
                    let deleted = clear(client, &table, &snapshot.id).await.map_err(ServerError::from)?;
                    if deleted > 0 {
                        self.report.of(*kind, object_type).deleted += deleted;
                    }
                }
            }
        }
        self.catalogue.record_snapshots(client, &self.manifest).await.map_err(ServerError::from)?;
        client.batch_execute("COMMIT").await.map_err(ServerError::from)?;
        Ok(())
    }
}

impl Sink for PostgresSink {
    fn capabilities(&self) -> Capabilities {
        Capabilities { columns: true, changes: true, raw: true }
    }

    fn open<'a>(&'a mut self, manifest: &'a Manifest, _: Events) -> BoxFuture<'a, Result<Opened, SinkError>> {
        async move {
            let target = self.target.to_string();
            let failed = |error: Failed| SinkError::target("begin a transfer to", &target)(error);
            let connection = self.target.connect().await.map_err(|error| failed(error.into()))?;
            let begin = async {
                connection.client.batch_execute("BEGIN").await?;
                Catalogue::open(&connection.client, self.target.schema_name()).await
            };
            let catalogue = begin.await.map_err(|error| failed(ServerError::from(error).into()))?;
            check_changes(manifest, &catalogue.snapshots)?;
            let (manifest, seen, report) = (manifest.clone(), BTreeSet::new(), Report::default());
            self.transfer = Some(Transfer { connection, manifest, catalogue, current: None, seen, report });
            Ok(Opened::default())
        }
        .boxed()
    }

    fn write(&mut self, batch: Batch) -> BoxFuture<'_, Result<(), SinkError>> {
        async move {
            let target = self.target.to_string();
            self.running()?.write(batch).await.map_err(SinkError::target("write to", target))
        }
        .boxed()
    }

    fn close(&mut self) -> BoxFuture<'_, Result<Report, SinkError>> {
        async move {
            let target = self.target.to_string();
            self.running()?.commit().await.map_err(SinkError::target("complete the transfer to", target))?;
            Ok(self.transfer.take().map(|transfer| transfer.report).unwrap_or_default())
        }
        .boxed()
    }

    fn abort<'a>(&'a mut self, _: &'a str) -> BoxFuture<'a, Result<(), SinkError>> {
        // The server rolls the transaction back when its connection ends.
        self.transfer = None;
        async { Ok(()) }.boxed()
    }
}

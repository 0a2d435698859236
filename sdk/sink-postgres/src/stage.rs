//! The rows of one type on their way into its table.

use std::pin::Pin;

use bytes::Bytes;
use futures::SinkExt;
use integration_sink::{Misfit, Record};
use integration_store::SnapshotId;
use tokio_postgres::{Client, CopyInSink, Error};

use crate::layout::{KEY, Layout};
use crate::names::quoted;

/// The table of rows that are compared with the existing ones.
const STAGE: &str = "pg_temp._stage";
/// The size of the pieces that are sent.
const PIECE: usize = 64 << 10;
/// The number of keys in one statement.
const KEYS: usize = 10_000;

/// A COPY in progress.
pub(crate) struct Loading {
    layout: Layout,
    copy: Pin<Box<CopyInSink<Bytes>>>,
    text: String,
    /// Whether the rows go into the table itself, which was empty.
    is_direct: bool,
    /// The snapshots and keys of removed objects.
    removed: Vec<(usize, String)>,
    rows: u64,
}

/// The effect of a load on its table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Loaded {
    /// The rows that were added or differed.
    pub(crate) written: u64,
    /// The rows that the table contained already.
    pub(crate) unchanged: u64,
    pub(crate) deleted: u64,
}

impl Loading {
    /// Brings the table into its form and begins a COPY.
    pub(crate) async fn begin(client: &Client, layout: Layout) -> Result<Self, Error> {
        for change in &layout.changes {
            client.batch_execute(change).await?;
        }
        let table = &layout.qualified;
        let is_direct = client.query_opt(&format!("SELECT 1 FROM {table} LIMIT 1"), &[]).await?.is_none();
        if !is_direct {
            client.batch_execute(&format!("CREATE TEMP TABLE _stage (LIKE {table}) ON COMMIT DROP")).await?;
        }
        let into = if is_direct { table.as_str() } else { STAGE };
        let copy = client.copy_in(&format!("COPY {into} ({}) FROM STDIN", layout.columns())).await?;
        Ok(Self { layout, copy: Box::pin(copy), text: String::new(), is_direct, removed: Vec::new(), rows: 0 })
    }

    pub(crate) fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Adds a row to the text that is sent next.
    pub(crate) fn put(&mut self, record: &Record, snapshot: &SnapshotId) -> Result<(), Misfit> {
        self.rows += 1;
        self.layout.write(record, snapshot, &mut self.text)
    }

    /// Notes an object that is gone.
    pub(crate) fn remove(&mut self, snapshot: usize, key: &str) {
        self.removed.push((snapshot, key.to_owned()));
    }

    /// Sends the text if there is enough of it.
    pub(crate) async fn send(&mut self) -> Result<(), Error> {
        if self.text.len() < PIECE {
            return Ok(());
        }
        self.copy.send(Bytes::from(std::mem::take(&mut self.text))).await
    }

    /// Writes all rows and deletes others.
    pub(crate) async fn finish(
        mut self,
        client: &Client,
        snapshots: &[&SnapshotId],
        absent: &[&SnapshotId],
    ) -> Result<Loaded, Error> {
        if !self.text.is_empty() {
            self.copy.send(Bytes::from(std::mem::take(&mut self.text))).await?;
        }
        self.copy.as_mut().finish().await?;
        let table = &self.layout.qualified;
        let (mut written, mut deleted) = (self.rows, 0);
        if !self.is_direct {
            client.batch_execute(&format!("ANALYZE {STAGE}")).await?;
            written = client.execute(&self.layout.upsert(STAGE), &[]).await?;
            for id in absent {
                let same = KEY.map(|name| format!("stage.{0} = target.{0}", quoted(name))).join(" AND ");
                let delete = format!(
                    "DELETE FROM {table} AS target WHERE _integration = $1 AND _instance = $2 AND NOT EXISTS \
                     (SELECT 1 FROM {STAGE} AS stage WHERE {same})"
                );
                deleted += client.execute(&delete, &[&id.integration, &id.instance.as_str()]).await?;
            }
            client.batch_execute(&format!("DROP TABLE {STAGE}")).await?;
        }
        let delete = format!("DELETE FROM {table} WHERE _integration = $1 AND _instance = $2 AND _key = ANY($3)");
        for of_snapshot in self.removed.chunk_by(|one, other| one.0 == other.0) {
            let id = snapshots[of_snapshot[0].0];
            for keys in of_snapshot.chunks(KEYS) {
                let keys: Vec<&str> = keys.iter().map(|(_, key)| key.as_str()).collect();
                deleted += client.execute(&delete, &[&id.integration, &id.instance.as_str(), &keys]).await?;
            }
        }
        Ok(Loaded { written, unchanged: self.rows.saturating_sub(written), deleted })
    }
}

/// Deletes all rows of an instance.
pub(crate) async fn clear(client: &Client, table: &str, id: &SnapshotId) -> Result<u64, Error> {
    let delete = format!("DELETE FROM {table} WHERE _integration = $1 AND _instance = $2");
    client.execute(&delete, &[&id.integration, &id.instance.as_str()]).await
}

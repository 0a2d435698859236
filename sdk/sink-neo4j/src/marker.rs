//! The contents of a database, as nodes.
//!
//! Each instance has one node with the label `_Snapshot`. `_job`, `_number`, and `_raw` name the last snapshot that was
//! transferred as a whole. `_pending` names snapshots of which the database may contain a part: a transfer has started
//! and not ended, or it was limited to some types. `_writer` names the transfer that writes.
//!
//! # Two transfers at once
//!
//! The server has no lock that ends with a connection. Each transfer writes its name into the node at its beginning,
//! and compares it before each batch, before each deletion, and at its end. So the later transfer continues, and the
//! earlier one ends with an error after at most one batch.

use integration_sink::{Manifest, RecordedPublication, RecordedSnapshot, SinkError, TransferKind, check_changes};
use integration_store::SnapshotId;
use neo4rs::{BoltNull, BoltType, Row};

use crate::server::{Parameter, Server, ServerError};

const LABEL: &str = "_Snapshot";

/// The contents of a database, by instance.
#[derive(Debug, Default)]
pub(crate) struct Markers {
    recorded: Vec<RecordedSnapshot>,
    /// Whether the objects of the last transfer of each record have stamps.
    stamps: Vec<Option<bool>>,
}

fn of(row: &Row) -> Result<RecordedSnapshot, ServerError> {
    let job: Option<String> = row.get("job")?;
    let number: Option<i64> = row.get("number")?;
    let with_raw: Option<bool> = row.get("raw")?;
    let whole = job.zip(number);
    Ok(RecordedSnapshot {
        integration: row.get("integration")?,
        instance: row.get("instance")?,
        whole: whole.map(|(job, number)| RecordedPublication { job, number: number.unsigned_abs(), with_raw }),
        part: row.get("pending")?,
    })
}

impl Markers {
    pub(crate) async fn read(server: &Server) -> Result<Self, ServerError> {
        let statement = format!(
            "MATCH (n:{LABEL}) RETURN n._integrationType AS integration, n._integrationInstanceID AS instance, \
             n._job AS job, n._number AS number, n._raw AS raw, n._pending AS pending, n._stamps AS stamps"
        );
        let rows = server.rows(statement, []).await?;
        let stamps = rows.iter().map(|row| row.get("stamps").ok());
        Ok(Self { stamps: stamps.collect(), recorded: rows.iter().map(of).collect::<Result<_, _>>()? })
    }

    /// Checks that changes fit the contents of the database.
    pub(crate) fn check(&self, manifest: &Manifest, stamps: bool) -> Result<(), SinkError> {
        check_changes(manifest, &self.recorded)?;
        let is_transferred = |of: &RecordedSnapshot| manifest.snapshots.iter().any(|snapshot| of.is_of(&snapshot.id));
        let differs = |(of, has): (&RecordedSnapshot, &Option<bool>)| *has == Some(!stamps) && is_transferred(of);
        if manifest.transfer == TransferKind::Changes && self.recorded.iter().zip(&self.stamps).any(differs) {
            let (has, would) = if stamps { ("no stamps", "some") } else { ("stamps", "none") };
            return Err(SinkError::Unsuitable(format!(
                "the objects in the target have {has}, and changed objects would have {would}; export the whole graph once"
            )));
        }
        Ok(())
    }

    /// Returns the contents of the database.
    pub(crate) fn recorded(&self) -> &[RecordedSnapshot] {
        &self.recorded
    }

    fn of(&self, id: &SnapshotId) -> RecordedSnapshot {
        let found = self.recorded.iter().find(|recorded| recorded.is_of(id));
        found.cloned().unwrap_or_else(|| RecordedSnapshot::nothing(id))
    }

    /// Records that the database may contain a part of each snapshot from now on, and the name of the transfer.
    pub(crate) async fn begin(&self, server: &Server, manifest: &Manifest, name: &str) -> Result<(), ServerError> {
        for snapshot in &manifest.snapshots {
            let id = &snapshot.id;
            let statement = format!("{} SET n._pending = $pending, n._writer = $writer", merged());
            let part = self.of(id).begun(manifest, id).part;
            let named: [Parameter; 2] = [("pending", optional(part)), ("writer", name.into())];
            server.run(statement, place(id).into_iter().chain(named)).await?;
        }
        Ok(())
    }

    /// Checks that no other transfer has begun to write the same instance.
    pub(crate) async fn check_writer(server: &Server, id: &SnapshotId, name: &str) -> Result<(), ServerError> {
        let statement = format!("{} AND n._writer = $writer RETURN count(*) AS count", matched());
        let parameters = place(id).into_iter().chain([("writer", name.into())]);
        if server.count(statement, parameters).await? > 0 { Ok(()) } else { Err(ServerError::overtaken(id)) }
    }

    /// Records the end of a transfer.
    pub(crate) async fn end(
        &self,
        server: &Server,
        manifest: &Manifest,
        name: &str,
        stamps: bool,
    ) -> Result<(), ServerError> {
        for snapshot in &manifest.snapshots {
            let id = &snapshot.id;
            let RecordedSnapshot { whole, part, .. } = self.of(id).ended(manifest, id);
            let statement = format!(
                "{} AND n._writer = $writer SET n._job = $job, n._number = $number, n._raw = $raw, \
                 n._pending = $pending, n._stamps = $stamps REMOVE n._writer RETURN count(*) AS count",
                matched()
            );
            let number = whole.as_ref().map(|whole| i64::try_from(whole.number).unwrap_or(i64::MAX));
            let raw = whole.as_ref().and_then(|whole| whole.with_raw);
            let named: [Parameter; 6] = [
                ("writer", name.into()),
                ("job", optional(whole.map(|whole| whole.job))),
                ("number", optional(number)),
                ("raw", optional(raw)),
                ("pending", optional(part)),
                ("stamps", stamps.into()),
            ];
            if server.count(statement, place(id).into_iter().chain(named)).await? == 0 {
                return Err(ServerError::overtaken(id));
            }
        }
        Ok(())
    }
}

fn merged() -> String {
    format!("MERGE (n:{LABEL} {{_integrationType: $integration, _integrationInstanceID: $instance}})")
}

fn matched() -> String {
    format!("MATCH (n:{LABEL}) WHERE n._integrationType = $integration AND n._integrationInstanceID = $instance")
}

/// Returns a value as a parameter. A property that is set to null is removed.
fn optional(value: Option<impl Into<BoltType>>) -> BoltType {
    value.map_or(BoltType::Null(BoltNull), Into::into)
}

/// Returns the parameters that name an instance.
pub(crate) fn place(id: &SnapshotId) -> [Parameter; 2] {
    [("integration", id.integration.as_str().into()), ("instance", id.instance.as_str().into())]
}

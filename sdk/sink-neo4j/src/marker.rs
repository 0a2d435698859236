//! The snapshots that a database contains, as nodes.
//!
//! Each instance has one node with the label `_Snapshot`. `_job` and `_number` name the last snapshot that was
//! transferred as a whole. `_pending` names a snapshot of which the database may contain a part: a transfer has started
//! and not ended, or it was limited to some types.

use integration_sink::{Manifest, RecordedSnapshot, Scope, SinkError, TransferKind};
use integration_store::SnapshotId;
use neo4rs::{BoltType, Row};

use crate::row::mark;
use crate::server::{Parameter, Server, ServerError};

const LABEL: &str = "_Snapshot";

/// The state of all instances in a database.
#[derive(Debug, Default)]
pub(crate) struct Markers(Vec<Marker>);

#[derive(Debug)]
struct Marker {
    integration: String,
    instance: String,
    whole: Option<RecordedSnapshot>,
    pending: Option<String>,
}

impl Marker {
    fn of(row: &Row) -> Result<Self, ServerError> {
        let job: Option<String> = row.get("job")?;
        let number: Option<i64> = row.get("number")?;
        let (integration, instance): (String, String) = (row.get("integration")?, row.get("instance")?);
        let whole = job.zip(number).map(|(job, number)| RecordedSnapshot {
            integration: integration.clone(),
            instance: instance.clone(),
            job,
            number: number.unsigned_abs(),
        });
        Ok(Self { integration, instance, whole, pending: row.get("pending")? })
    }
}

impl Markers {
    pub(crate) async fn read(server: &Server) -> Result<Self, ServerError> {
        let statement = format!(
            "MATCH (n:{LABEL}) RETURN n._integrationType AS integration, n._integrationInstanceID AS instance, \
             n._job AS job, n._number AS number, n._pending AS pending"
        );
        let rows = server.rows(statement, []).await?;
        rows.iter().map(Marker::of).collect::<Result<_, _>>().map(Self)
    }

    /// Returns the snapshots that the database contains as a whole.
    pub(crate) fn recorded(self) -> Vec<RecordedSnapshot> {
        self.0.into_iter().filter_map(|marker| marker.whole).collect()
    }

    fn of(&self, id: &SnapshotId) -> Option<&Marker> {
        let is_of = |marker: &&Marker| marker.integration == id.integration && marker.instance == id.instance.as_str();
        self.0.iter().find(is_of)
    }

    /// Checks that changes continue the recorded state.
    pub(crate) fn check(&self, manifest: &Manifest) -> Result<(), SinkError> {
        if manifest.transfer == TransferKind::Whole {
            return Ok(());
        }
        for snapshot in &manifest.snapshots {
            let marker = self.of(&snapshot.id);
            let whole = marker.and_then(|marker| marker.whole.as_ref());
            let pending = marker.and_then(|marker| marker.pending.as_ref());
            if snapshot.continues(whole) && pending.is_none_or(|pending| *pending == mark(&snapshot.id)) {
                continue;
            }
            let has = match (pending, whole) {
                (Some(pending), _) => format!("a part of the snapshot {pending}"),
                (None, Some(whole)) => format!("the snapshot of job {}", whole.job),
                (None, None) => "no snapshot".to_owned(),
            };
            return Err(SinkError::Unsuitable(format!(
                "the database contains {has} of the instance {}, so these changes do not fit: transfer the whole graph",
                snapshot.id.instance
            )));
        }
        Ok(())
    }

    /// Records that the database may contain a part of each snapshot from now on.
    pub(crate) async fn begin(server: &Server, manifest: &Manifest) -> Result<(), ServerError> {
        for snapshot in &manifest.snapshots {
            let statement = format!("{} SET n._pending = $pending", merged());
            let pending: BoltType = mark(&snapshot.id).into();
            server.run(statement, place(&snapshot.id).into_iter().chain([("pending", pending)])).await?;
        }
        Ok(())
    }

    /// Records the end of a transfer.
    pub(crate) async fn end(&self, server: &Server, manifest: &Manifest) -> Result<(), ServerError> {
        for snapshot in &manifest.snapshots {
            let id = &snapshot.id;
            let is_recorded = self.of(id).and_then(|marker| marker.whole.as_ref()).is_some_and(|whole| whole.is(id));
            if manifest.scope != Scope::All && !is_recorded {
                continue;
            }
            let number = i64::try_from(id.number).unwrap_or(i64::MAX);
            let statement = format!("{} SET n._job = $job, n._number = $number REMOVE n._pending", merged());
            let named: [Parameter; 2] = [("job", id.job.as_str().into()), ("number", number.into())];
            server.run(statement, place(id).into_iter().chain(named)).await?;
        }
        Ok(())
    }
}

fn merged() -> String {
    format!("MERGE (n:{LABEL} {{_integrationType: $integration, _integrationInstanceID: $instance}})")
}

/// Returns the parameters that name an instance.
pub(crate) fn place(id: &SnapshotId) -> [Parameter; 2] {
    [("integration", id.integration.as_str().into()), ("instance", id.instance.as_str().into())]
}

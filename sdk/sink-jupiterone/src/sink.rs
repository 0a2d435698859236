//! The sink: a transfer of a snapshot is one session.

use std::collections::BTreeSet;

use futures::FutureExt;
use futures::future::BoxFuture;
use integration_graph::history::SnapshotGap;
use integration_sink::{Batch, Capabilities, Events, Manifest, Opened, Report, Scope, Sink, SinkError};
use integration_store::Kind as ObjectKind;

use crate::{Announcement, JobSource, SyncError, SyncOptions, SyncOutcome, SyncSession, Target, UploadKind};

/// The reason for an object that is not uploaded, because its key was.
const DUPLICATE: &str = "another object with this key was uploaded before";
/// The number of keys in a remark.
const NAMED: usize = 5;

/// A target in JupiterOne: the graph of one integration instance, or of one scope of the API.
pub struct JupiterOneSink {
    session: SyncSession,
    report: Report,
    outcome: Option<SyncOutcome>,
}

impl JupiterOneSink {
    /// Creates a sink. Nothing is sent before the transfer begins.
    ///
    /// # Errors
    /// [`SyncError::Endpoint`] if the address is unusable.
    pub fn new(target: &Target, options: SyncOptions) -> Result<Self, SyncError> {
        Ok(Self { session: SyncSession::new(target, options)?, report: Report::default(), outcome: None })
    }

    /// The result of a complete transfer.
    pub fn outcome(&self) -> Option<&SyncOutcome> {
        self.outcome.as_ref()
    }

    fn failed(&self, action: &'static str) -> impl FnOnce(SyncError) -> SinkError + use<> {
        SinkError::target(action, format!("JupiterOne account {}", self.session.target().account()))
    }
}

/// Checks that the service can represent a transfer.
fn check(manifest: &Manifest, source: &JobSource) -> Result<(), SinkError> {
    if manifest.scope != Scope::All {
        let message =
            "JupiterOne replaces the whole graph of an instance, so a part of the graph cannot be uploaded alone";
        return Err(SinkError::Unsuitable(message.to_owned()));
    }
    let is_instance = !matches!(source, JobSource::Api { .. });
    if is_instance && manifest.snapshots.len() > 1 {
        return Err(SinkError::Unsuitable(format!(
            "{} snapshots cannot be uploaded as one integration instance; select one of them",
            manifest.snapshots.len()
        )));
    }
    Ok(())
}

impl Announcement {
    /// Describes the graph of a transfer.
    pub fn of(manifest: &Manifest) -> Self {
        let jobs: Vec<&str> = manifest.snapshots.iter().map(|snapshot| snapshot.id.job.as_str()).collect();
        let gaps: Vec<&SnapshotGap> = manifest.snapshots.iter().flat_map(|snapshot| &snapshot.gaps).collect();
        Self::new(&format!("job {}", jobs.join(", ")), manifest.objects(), gaps)
    }

    /// Describes a graph by its gaps.
    pub fn new<'a>(origin: &str, objects: u64, gaps: impl IntoIterator<Item = &'a SnapshotGap>) -> Self {
        let (mut partial_types, mut lines) = (BTreeSet::new(), Vec::new());
        for gap in gaps {
            let types: Vec<&str> = gap.types.iter().map(|object_type| object_type.as_str()).collect();
            let under = gap.parent.as_ref().map(|parent| format!(" under {}", parent.key)).unwrap_or_default();
            lines.push(format!("{}{under}: {} ({})", types.join(", "), gap.cause, gap.step));
            partial_types.extend(types.into_iter().map(str::to_owned));
        }
        Self { origin: origin.to_owned(), objects, partial_types, gaps: lines }
    }
}

impl Sink for JupiterOneSink {
    fn capabilities(&self) -> Capabilities {
        // A job replaces the graph of its owner, so changes alone would delete everything else.
        Capabilities { columns: false, changes: false, raw: true }
    }

    fn open<'a>(&'a mut self, manifest: &'a Manifest, events: Events) -> BoxFuture<'a, Result<Opened, SinkError>> {
        async move {
            check(manifest, &self.session.options().source)?;
            let failed = self.failed("begin the upload to");
            self.session.begin(&Announcement::of(manifest), events).await.map_err(failed)?;
            Ok(Opened::default())
        }
        .boxed()
    }

    fn write(&mut self, batch: Batch) -> BoxFuture<'_, Result<(), SinkError>> {
        async move {
            let failed = self.failed("upload to");
            let kind = match batch.kind {
                ObjectKind::Entity => UploadKind::Entities,
                ObjectKind::Relationship | ObjectKind::MappedRelationship => UploadKind::Relationships,
            };
            let report = self.report.of(batch.kind, &batch.object_type);
            for record in batch.records.iter().filter(|record| record.action.is_put()) {
                let (key, object) = (record.object.key.as_str(), record.object.json().joined());
                match self.session.add(kind, key, &object).await {
                    Ok(true) => report.written += 1,
                    Ok(false) => report.refuse(DUPLICATE, key),
                    Err(error) => return Err(failed(error)),
                }
            }
            Ok(())
        }
        .boxed()
    }

    fn close(&mut self) -> BoxFuture<'_, Result<Report, SinkError>> {
        async move {
            let failed = self.failed("complete the upload to");
            let outcome = self.session.finish().await.map_err(failed)?;
            let mut report = std::mem::take(&mut self.report);
            report.bytes = Some(outcome.uploaded.sent_bytes);
            report.remarks = outcome.remarks();
            self.outcome = Some(outcome);
            Ok(report)
        }
        .boxed()
    }

    fn abort<'a>(&'a mut self, reason: &'a str) -> BoxFuture<'a, Result<(), SinkError>> {
        async move {
            let failed = self.failed("abort the upload to");
            self.session.abort(reason).await.map_err(failed)
        }
        .boxed()
    }
}

impl SyncOutcome {
    /// The facts about the upload that a person must know.
    pub fn remarks(&self) -> Vec<String> {
        let Self { job, uploaded, .. } = self;
        let mut remarks = vec![format!("synchronization job {}: {}", job.id, job.status)];
        if uploaded.shrunk > 0 {
            let keys: Vec<&str> = uploaded.shrunk_keys.iter().take(NAMED).map(String::as_str).collect();
            let more = if uploaded.shrunk > NAMED as u64 { ", ..." } else { "" };
            remarks.push(format!(
                "objects that lost raw data, because they were too large: {} ({}{more})",
                uploaded.shrunk,
                keys.join(", ")
            ));
        }
        if job.errors() > 0 {
            remarks.push(format!("objects that JupiterOne reports as errors: {}", job.errors()));
        }
        remarks
    }
}

//! The sink: one transfer is one synchronization job.
//!
//! ```text
//!   open ─▶ job of a killed process: abort ─▶ create
//!   write ─▶ batches ─▶ uploads
//!   close ─▶ last uploads ─▶ events ─▶ finalize with partial datasets ─▶ wait for the final state
//!   abort ─▶ abort with the reason
//! ```

use std::collections::{BTreeSet, HashSet};
use std::path::PathBuf;

use futures::FutureExt;
use futures::future::BoxFuture;
use integration_graph::ObjectType;
use integration_sink::{Batch, Capabilities, Event, Events, Manifest, Opened, Report, Scope, Sink, SinkError, Summary};
use integration_store::Kind as ObjectKind;
use serde::Serialize;
use siphasher::sip128::{Hasher128, SipHasher};

use crate::batch::Kind;
use crate::events::{ended, incomplete, started};
use crate::journal::{Journal, OpenJob};
use crate::upload::Uploader;
use crate::waiting;
use crate::{BatchLimits, JobEvent, JobSource, SyncApi, SyncError, SyncJob, SyncStatus, Target, Uploaded, Waiting};

/// The reason for an object that is not uploaded, because its key was.
const DUPLICATE: &str = "another object with this key was uploaded before";

/// The options of a [`JupiterOneSink`].
#[derive(Debug, Clone)]
pub struct SyncOptions {
    /// The owner of the objects.
    pub source: JobSource,
    /// The maximum size of a batch.
    pub limits: BatchLimits,
    /// Whether the job is closed after the uploads. Otherwise it stays open for uploads of other programs.
    pub finalizes: bool,
    /// The pauses and the limit of the wait for the final state.
    pub waiting: Waiting,
    /// A file that records the open job, so that the next transfer ends the job of a killed process.
    pub journal: Option<PathBuf>,
}

impl SyncOptions {
    /// Creates options with the defaults of the service.
    pub fn new(source: JobSource) -> Self {
        let (limits, waiting) = (BatchLimits::default(), Waiting::default());
        Self { source, limits, finalizes: true, waiting, journal: None }
    }
}

/// The result of a transfer for the service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SyncOutcome {
    /// The job in its last known state.
    pub job: SyncJob,
    /// The accepted objects and bodies.
    pub uploaded: Uploaded,
    /// The types of which the service deletes nothing.
    pub partial_types: BTreeSet<ObjectType>,
}

/// A target in JupiterOne: the graph of one integration instance, or of one scope of the API.
pub struct JupiterOneSink {
    api: SyncApi,
    target: Target,
    options: SyncOptions,
    journal: Option<Journal>,
    running: Option<Running>,
    outcome: Option<SyncOutcome>,
}

/// A transfer between `open` and its end.
struct Running {
    job: SyncJob,
    uploader: Uploader,
    events: Events,
    partial_types: BTreeSet<ObjectType>,
    report: Report,
    /// Hashes of the uploaded keys.
    keys: HashSet<u128>,
}

impl JupiterOneSink {
    /// Creates a sink. Nothing is sent before the transfer begins.
    ///
    /// # Errors
    /// [`SyncError::Endpoint`] if the address is unusable.
    pub fn new(target: &Target, options: SyncOptions) -> Result<Self, SyncError> {
        let (api, target) = (SyncApi::connect(target)?, target.clone());
        Ok(Self { api, target, options, journal: None, running: None, outcome: None })
    }

    /// The result of a complete transfer.
    pub fn outcome(&self) -> Option<&SyncOutcome> {
        self.outcome.as_ref()
    }

    /// The client of the service.
    pub fn api(&self) -> &SyncApi {
        &self.api
    }

    async fn begin(&mut self, manifest: &Manifest, events: Events) -> Result<(), SyncError> {
        if let Some(path) = &self.options.journal {
            let (mut journal, left) = Journal::open(path)?;
            if let Some(left) = left.filter(|left| left.base == self.base() && left.account == self.target.account()) {
                self.settle(&left, &events).await?;
            }
            journal.end()?;
            self.journal = Some(journal);
        }
        let job = self.api.create(&self.options.source).await?;
        events.send(Event::Remark(format!("JupiterOne accepts uploads to the synchronization job {}", job.id)));
        let open = OpenJob { job: job.id.clone(), base: self.base(), account: self.target.account().to_owned() };
        // From here on the job is known, so that an abort ends it.
        let running = self.running.insert(Running {
            uploader: Uploader::new(self.api.clone(), &job.id, self.options.limits),
            job,
            events,
            partial_types: manifest.partial_types().into_iter().cloned().collect(),
            report: Report::default(),
            keys: HashSet::new(),
        });
        if let Some(journal) = &mut self.journal {
            journal.begin(&open)?;
        }
        let mut first = vec![started(manifest)];
        first.extend(incomplete(manifest));
        running.publish(&self.api, &first).await;
        Ok(())
    }

    /// Ends the job of a process that was killed, so that it does not stay open.
    ///
    /// A job that was closed continues in the service, and a new job must not overtake it.
    async fn settle(&self, left: &OpenJob, events: &Events) -> Result<(), SyncError> {
        let job = match self.api.status(&left.job).await {
            Err(error) if error.is_unknown() => return Ok(()),
            job => job?,
        };
        if job.status == SyncStatus::AwaitingUploads {
            events.send(Event::Remark(format!("the synchronization job {} of a killed process is aborted", job.id)));
            let aborted = self.api.abort(&job.id, "the process that uploaded was killed").await;
            // If the service has ended the job in the meantime, nothing is left to do.
            return aborted.or_else(|error| if error.is_refused() { Err(error) } else { Ok(()) });
        }
        waiting::ended(&self.api, job, self.options.waiting, |status| {
            events.send(Event::Remark(format!("waiting for an earlier synchronization job, which is {status}")));
        })
        .await
        .map(drop)
    }

    /// Removes the record of the job, which has ended.
    fn forget(&mut self) {
        if let Some(Err(error)) = self.journal.as_mut().map(Journal::end) {
            // The next transfer finds a job that has ended.
            tracing::info!("{error}");
        }
    }

    fn base(&self) -> String {
        self.target.base_url().to_string()
    }

    fn failed(&self, action: &'static str) -> impl FnOnce(SyncError) -> SinkError + use<> {
        SinkError::target(action, format!("JupiterOne account {}", self.target.account()))
    }
}

impl Running {
    /// Completes the uploads, closes the job, and waits for its end.
    async fn finish(&mut self, api: &SyncApi, options: &SyncOptions) -> Result<SyncOutcome, SyncError> {
        let uploaded = self.uploader.finish().await?;
        self.publish(api, &[ended(&uploaded)]).await;
        let mut job = self.job.clone();
        if options.finalizes {
            job = api.finalize(&job.id, &self.partial_types).await?;
            let events = &self.events;
            job = waiting::ended(api, job, options.waiting, |status| {
                events.send(Event::Remark(format!("JupiterOne: {status}")));
            })
            .await?;
            if job.status != SyncStatus::Finished {
                return Err(SyncError::Failed { job: job.id, status: job.status });
            }
        }
        Ok(SyncOutcome { job, uploaded, partial_types: self.partial_types.clone() })
    }

    /// Adds events to the log of the job. A failure is not worth a failed transfer.
    async fn publish(&self, api: &SyncApi, events: &[JobEvent]) {
        if self.job.integration_job_id.is_none() {
            return;
        }
        if let Err(error) = api.add_events(&self.job.id, events).await {
            tracing::warn!("{error}");
        }
    }
}

/// Checks that the service can represent a transfer.
fn check(manifest: &Manifest, source: &JobSource) -> Result<(), SinkError> {
    if manifest.scope != Scope::All {
        return Err(SinkError::Unsuitable(
            "JupiterOne replaces the whole graph of an instance, so a part of the graph cannot be uploaded alone"
                .to_owned(),
        ));
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

impl Sink for JupiterOneSink {
    fn capabilities(&self) -> Capabilities {
        // A job replaces the graph of its owner, so changes alone would delete everything else.
        Capabilities { columns: false, changes: false, raw: true }
    }

    fn open<'a>(&'a mut self, manifest: &'a Manifest, events: Events) -> BoxFuture<'a, Result<Opened, SinkError>> {
        async move {
            check(manifest, &self.options.source)?;
            let failed = self.failed("begin the upload to");
            self.begin(manifest, events).await.map_err(failed)?;
            Ok(Opened::default())
        }
        .boxed()
    }

    fn write(&mut self, batch: Batch) -> BoxFuture<'_, Result<(), SinkError>> {
        async move {
            let failed = self.failed("upload to");
            let running = self.running.as_mut().expect("the transfer is open");
            let kind = match batch.kind {
                ObjectKind::Entity => Kind::Entities,
                ObjectKind::Relationship | ObjectKind::MappedRelationship => Kind::Relationships,
            };
            let report = running.report.of(batch.kind, &batch.object_type);
            for record in batch.records.iter().filter(|record| record.action.is_put()) {
                let key = record.object.key.as_str();
                if !running.keys.insert(hash(key)) {
                    report.refuse(DUPLICATE, key);
                    continue;
                }
                if let Err(error) = running.uploader.add(kind, &record.object.json().joined()).await {
                    return Err(failed(error));
                }
                report.written += 1;
            }
            Ok(())
        }
        .boxed()
    }

    fn close(&mut self, _: Summary) -> BoxFuture<'_, Result<Report, SinkError>> {
        async move {
            let failed = self.failed("complete the upload to");
            // The transfer stays open until it is complete, so that it can be aborted at any time.
            let running = self.running.as_mut().expect("the transfer is open");
            let outcome = running.finish(&self.api, &self.options).await.map_err(failed)?;
            let mut report = std::mem::take(&mut running.report);
            report.bytes = Some(outcome.uploaded.sent_bytes);
            report.remarks = remarks(&outcome);
            self.running = None;
            self.forget();
            self.outcome = Some(outcome);
            Ok(report)
        }
        .boxed()
    }

    fn abort<'a>(&'a mut self, reason: &'a str) -> BoxFuture<'a, Result<(), SinkError>> {
        async move {
            // Dropping the uploader ends its tasks, so that no upload follows.
            let Some(Running { job, .. }) = self.running.take() else { return Ok(()) };
            let now = self.api.status(&job.id).await.map_err(self.failed("abort the upload to"))?;
            if now.status == SyncStatus::AwaitingUploads {
                self.api.abort(&job.id, reason).await.map_err(self.failed("abort the upload to"))?;
            }
            // A job that is being processed stays in the record, so that the next transfer waits for it.
            if now.status == SyncStatus::AwaitingUploads || now.status.is_final() {
                self.forget();
            }
            Ok(())
        }
        .boxed()
    }
}

fn hash(key: &str) -> u128 {
    let mut hasher = SipHasher::new();
    std::hash::Hasher::write(&mut hasher, key.as_bytes());
    hasher.finish128().as_u128()
}

fn remarks(SyncOutcome { job, uploaded, .. }: &SyncOutcome) -> Vec<String> {
    let mut remarks = vec![format!("synchronization job {}: {}", job.id, job.status)];
    if uploaded.shrunk > 0 {
        let keys: Vec<&str> = uploaded.shrunk_keys.iter().take(5).map(String::as_str).collect();
        remarks.push(format!(
            "{} objects lost raw data, because they were too large: {}{}",
            uploaded.shrunk,
            keys.join(", "),
            if uploaded.shrunk > 5 { ", ..." } else { "" }
        ));
    }
    if job.errors() > 0 {
        remarks.push(format!("JupiterOne reports {} objects as errors", job.errors()));
    }
    remarks
}

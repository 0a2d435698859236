//! A session: one synchronization job from its creation to its end.
//!
//! ```text
//!   begin ─▶ job of a killed process: abort, or wait ─▶ create
//!   add ───▶ batches ─▶ uploads
//!   finish ▶ last uploads ─▶ events ─▶ finalize with partial datasets ─▶ wait for the final state
//!   abort ─▶ abort with the reason
//! ```

use std::collections::{BTreeSet, HashSet};
use std::hash::Hasher;
use std::path::PathBuf;

use integration_sink::{Event, Events};
use serde::Serialize;
use siphasher::sip128::{Hasher128, SipHasher};

use crate::batch::Kind;
use crate::events;
use crate::journal::{Journal, OpenJob};
use crate::upload::Uploader;
use crate::waiting;
use crate::{
    Announcement, BatchLimits, JobEvent, JobSource, SyncApi, SyncError, SyncJob, SyncStatus, Target, Uploaded, Waiting,
};

/// The options of a session.
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
    /// A file that records the open job, so that the next session ends the job of a killed process.
    pub journal: Option<PathBuf>,
}

impl SyncOptions {
    /// Creates options with the defaults of the service.
    pub fn new(source: JobSource) -> Self {
        let (limits, waiting) = (BatchLimits::default(), Waiting::default());
        Self { source, limits, finalizes: true, waiting, journal: None }
    }
}

/// The result of a complete session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SyncOutcome {
    /// The job in its last known state.
    pub job: SyncJob,
    /// The accepted objects and bodies.
    pub uploaded: Uploaded,
    /// The types of which the service deletes nothing.
    pub partial_types: BTreeSet<String>,
}

/// One upload of a graph.
///
/// Any future of its methods may be dropped. Call [`abort`](Self::abort) afterwards, unless the session is finished.
pub struct SyncSession {
    api: SyncApi,
    target: Target,
    options: SyncOptions,
    journal: Option<Journal>,
    running: Option<Running>,
}

/// The open job.
struct Running {
    job: SyncJob,
    uploader: Uploader,
    events: Events,
    partial_types: BTreeSet<String>,
    /// Hashes of the uploaded keys.
    keys: HashSet<u128>,
}

impl SyncSession {
    /// Creates a session. Nothing is sent before it begins.
    ///
    /// # Errors
    /// [`SyncError::Endpoint`] if the address is unusable.
    pub fn new(target: &Target, options: SyncOptions) -> Result<Self, SyncError> {
        let (api, target) = (SyncApi::connect(target)?, target.clone());
        Ok(Self { api, target, options, journal: None, running: None })
    }

    /// The receiver of the uploads.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// The options of the session.
    pub fn options(&self) -> &SyncOptions {
        &self.options
    }

    /// Ends the job that a killed process left, and creates a job.
    ///
    /// # Errors
    /// [`SyncError`] if the record is in use, or if a request fails.
    pub async fn begin(&mut self, announcement: &Announcement, events: Events) -> Result<(), SyncError> {
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
            partial_types: announcement.partial_types.clone(),
            keys: HashSet::new(),
        });
        if let Some(journal) = &mut self.journal {
            journal.begin(&open)?;
        }
        let mut first = vec![events::started(announcement)];
        first.extend(events::incomplete(announcement));
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

    /// Adds an object in the form of the exchange layout. Returns `false` if its key was added before.
    ///
    /// # Errors
    /// [`SyncError`] if an upload failed, of this object or of an earlier one.
    ///
    /// # Panics
    /// If the session has not begun.
    pub async fn add(&mut self, kind: Kind, key: &str, object: &str) -> Result<bool, SyncError> {
        let running = self.running.as_mut().expect("the session has begun");
        if !running.keys.insert(hash(key)) {
            return Ok(false);
        }
        running.uploader.add(kind, object).await.map(|()| true)
    }

    /// Completes the uploads, closes the job, and waits for its end.
    ///
    /// # Errors
    /// [`SyncError`] if an upload failed, or if the job did not end successfully.
    ///
    /// # Panics
    /// If the session has not begun.
    pub async fn finish(&mut self) -> Result<SyncOutcome, SyncError> {
        // The job stays known until it has ended, so that it can be aborted at any time.
        let running = self.running.as_mut().expect("the session has begun");
        let outcome = running.finish(&self.api, &self.options).await?;
        self.running = None;
        self.forget();
        Ok(outcome)
    }

    /// Ends the job without effect on the graph of the service. A job that is already processed continues.
    ///
    /// # Errors
    /// [`SyncError::Request`] if the service does not end the job.
    pub async fn abort(&mut self, reason: &str) -> Result<(), SyncError> {
        // Dropping the uploader ends its tasks, so that no upload follows.
        let Some(Running { job, .. }) = self.running.take() else { return Ok(()) };
        let now = self.api.status(&job.id).await?;
        if now.status == SyncStatus::AwaitingUploads {
            self.api.abort(&job.id, reason).await?;
        }
        // A job that is being processed stays in the record, so that the next session waits for it.
        if now.status == SyncStatus::AwaitingUploads || now.status.is_final() {
            self.forget();
        }
        Ok(())
    }

    /// Removes the record of the job, which has ended.
    fn forget(&mut self) {
        if let Some(Err(error)) = self.journal.as_mut().map(Journal::end) {
            // The next session finds a job that has ended.
            tracing::info!("{error}");
        }
        self.journal = None;
    }

    fn base(&self) -> String {
        self.target.base_url().to_string()
    }
}

impl Running {
    async fn finish(&mut self, api: &SyncApi, options: &SyncOptions) -> Result<SyncOutcome, SyncError> {
        let uploaded = self.uploader.finish().await?;
        self.publish(api, &[events::ended(&uploaded)]).await;
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

    /// Adds events to the log of the job. A failure is not worth a failed upload.
    async fn publish(&self, api: &SyncApi, events: &[JobEvent]) {
        // The source `api` has no integration job, and thus no log.
        if self.job.integration_job_id.is_none() {
            return;
        }
        if let Err(error) = api.add_events(&self.job.id, events).await {
            tracing::warn!("{error}");
        }
    }
}

fn hash(key: &str) -> u128 {
    let mut hasher = SipHasher::new();
    hasher.write(key.as_bytes());
    hasher.finish128().as_u128()
}

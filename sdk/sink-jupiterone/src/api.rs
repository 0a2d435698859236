//! The requests of the synchronization API.

use std::collections::BTreeSet;

use integration_http::{Http, ProviderError};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use crate::batch::{Kind, Packed};
use crate::{JobEvent, JobSource, SyncError, SyncJob, SyncStatus, Target};

const JOBS: &str = "/persister/synchronization/jobs";
const JOB: &str = "/persister/synchronization/jobs/{id}";
const CORRELATION: &str = "JupiterOne-Correlation-Id";
/// The code of an upload to a job that was finalized or aborted.
const ENDED: &str = "JOB_NOT_AWAITING_UPLOADS";
const TOO_LARGE: &str = "RequestEntityTooLargeException";

/// A client of the synchronization API. Clones share their connections.
#[derive(Debug, Clone)]
pub struct SyncApi {
    http: Http,
}

/// A job in a response.
#[derive(Deserialize)]
struct Answer {
    job: SyncJob,
}

/// An upload that was not accepted.
#[derive(Debug)]
pub(crate) enum Refused {
    /// The body is too large for the service.
    TooLarge,
    Failed(SyncError),
}

impl SyncApi {
    /// Prepares a client; the first request opens the first connection.
    ///
    /// # Errors
    /// [`SyncError::Endpoint`] if the address is unusable.
    pub fn connect(target: &Target) -> Result<Self, SyncError> {
        Ok(Self { http: target.connect()? })
    }

    /// Creates a job that accepts uploads.
    ///
    /// # Errors
    /// [`SyncError::Request`].
    pub async fn create(&self, source: &JobSource) -> Result<SyncJob, SyncError> {
        let action = "create a synchronization job";
        let correlation = correlation_id();
        let request = self.http.post(JOBS, &[], source).header(CORRELATION, &correlation);
        let answer: Answer = request.json().await.map_err(failed(action, None, Some(&correlation)))?;
        Ok(answer.job)
    }

    /// Reads the state of a job.
    ///
    /// # Errors
    /// [`SyncError::Request`].
    pub async fn status(&self, job: &str) -> Result<SyncJob, SyncError> {
        let answer: Result<Answer, _> = self.http.get(JOB, &[&job]).json().await;
        Ok(answer.map_err(failed("read the state of the synchronization job", Some(job), None))?.job)
    }

    /// Uploads a batch.
    ///
    /// All attempts carry one correlation id, by which the service recognizes a batch that arrives twice.
    pub(crate) async fn upload(&self, job: &str, batch: &Packed) -> Result<(), Refused> {
        let (template, action) = match batch.kind {
            Kind::Entities => ("/persister/synchronization/jobs/{id}/entities", "upload entities"),
            Kind::Relationships => ("/persister/synchronization/jobs/{id}/relationships", "upload relationships"),
        };
        let correlation = correlation_id();
        tracing::debug!(%correlation, objects = batch.objects, bytes = batch.bytes, "uploading");
        let request = self.http.post_bytes(template, &[&job], "application/json", batch.gzip.clone());
        let request = request.header("Content-Encoding", "gzip").header(CORRELATION, &correlation);
        request.done().await.map_err(|error| match error.provider_code() {
            _ if error.status() == Some(413) => Refused::TooLarge,
            Some(TOO_LARGE) => Refused::TooLarge,
            Some(ENDED) => Refused::Failed(SyncError::Ended { job: job.to_owned(), correlation }),
            _ => Refused::Failed(failed(action, Some(job), Some(&correlation))(error)),
        })
    }

    /// Closes a job, so that the service processes its uploads.
    ///
    /// The service keeps absent objects of the partial types and deletes all others. If the response to an earlier
    /// attempt was lost, the job is already closed, which is a success.
    ///
    /// # Errors
    /// [`SyncError::Request`], or [`SyncError::Failed`] if the job was aborted in the meantime.
    pub async fn finalize(&self, job: &str, partial_types: &BTreeSet<String>) -> Result<SyncJob, SyncError> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Body<'a> {
            partial_datasets: PartialDatasets<'a>,
        }
        #[derive(Serialize)]
        struct PartialDatasets<'a> {
            types: &'a BTreeSet<String>,
        }
        let correlation = correlation_id();
        let body = Body { partial_datasets: PartialDatasets { types: partial_types } };
        let path = "/persister/synchronization/jobs/{id}/finalize";
        let request = self.http.post(path, &[&job], &body).header(CORRELATION, &correlation);
        match request.json::<Answer>().await {
            Ok(answer) => Ok(answer.job),
            Err(error) if error.provider_code() == Some(ENDED) => {
                let now = self.status(job).await?;
                match now.status {
                    SyncStatus::Aborted => Err(SyncError::Failed { job: job.to_owned(), status: now.status }),
                    _ => Ok(now),
                }
            }
            Err(error) => Err(failed("finalize the synchronization job", Some(job), Some(&correlation))(error)),
        }
    }

    /// Ends a job without effect on the graph of the service.
    ///
    /// # Errors
    /// [`SyncError::Request`], for example if the job does not await uploads any more.
    pub async fn abort(&self, job: &str, reason: &str) -> Result<(), SyncError> {
        let request = self.http.post("/persister/synchronization/jobs/{id}/abort", &[&job], &json!({"reason": reason}));
        request.done().await.map_err(failed("abort the synchronization job", Some(job), None))
    }

    /// Adds events to the log of a job.
    ///
    /// # Errors
    /// [`SyncError::Request`]. The events of a job are of no consequence for its data.
    pub async fn add_events(&self, job: &str, events: &[JobEvent]) -> Result<(), SyncError> {
        let request =
            self.http.post("/persister/synchronization/jobs/{id}/events", &[&job], &json!({"events": events}));
        request.done().await.map_err(failed("add events to the synchronization job", Some(job), None))
    }
}

fn correlation_id() -> String {
    Uuid::now_v7().to_string()
}

fn failed(
    action: &'static str,
    job: Option<&str>,
    correlation: Option<&str>,
) -> impl FnOnce(ProviderError) -> SyncError {
    let (job, correlation) = (job.map(str::to_owned), correlation.map(str::to_owned));
    move |source| SyncError::Request { action, job, correlation, source }
}

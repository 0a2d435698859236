//! The end of a job: the service processes the uploads after the job was closed.

use std::time::Duration;

use tokio::time::Instant;

use crate::{SyncApi, SyncError, SyncJob, SyncStatus};

/// The pauses between two requests for the state of a job, and the maximum time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiting {
    /// The first pause, 500 ms by default. Each pause is half as long again as the one before.
    pub first_pause: Duration,
    /// The longest pause, 10 s by default.
    pub longest_pause: Duration,
    /// The maximum time, 30 min by default.
    pub limit: Duration,
}

impl Default for Waiting {
    fn default() -> Self {
        let (first_pause, longest_pause) = (Duration::from_millis(500), Duration::from_secs(10));
        Self { first_pause, longest_pause, limit: Duration::from_secs(30 * 60) }
    }
}

/// Waits until a job ends. `changed` receives each new state.
///
/// # Errors
/// [`SyncError::Unfinished`] after the maximum time, and [`SyncError::Request`] if the state cannot be read.
pub(crate) async fn ended(
    api: &SyncApi,
    mut job: SyncJob,
    waiting: Waiting,
    mut changed: impl FnMut(&SyncStatus),
) -> Result<SyncJob, SyncError> {
    let (begin, mut pause) = (Instant::now(), waiting.first_pause);
    changed(&job.status);
    while !job.status.is_final() {
        let waited = begin.elapsed();
        if waited >= waiting.limit {
            return Err(SyncError::Unfinished { job: job.id, status: job.status, waited });
        }
        tokio::time::sleep(pause.min(waiting.limit.saturating_sub(waited))).await;
        pause = pause.mul_f32(1.5).min(waiting.longest_pause);
        let now = api.status(&job.id).await?;
        if now.status != job.status {
            changed(&now.status);
        }
        job = now;
    }
    Ok(job)
}

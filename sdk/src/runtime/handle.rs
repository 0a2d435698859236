//! The handle of a running job.

use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use crate::graph::JobId;
use crate::graph::run::Summary;
use crate::store::StoreError;

use super::JobError;
use super::event::{EventLog, EventStream};

/// A job that runs in the background: observe it, cancel it, and wait for its end.
///
/// ```
/// # use integration_sdk::{Integration, Job, config::Values, store::Store};
/// use integration_sdk::Event;
/// use integration_sdk::runtime::Delivery;
///
/// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let space = Integration::without_provider::<()>("space", "Space");
/// # let directory = tempfile::tempdir()?;
/// # let store = Store::open(directory.path())?;
/// let handle = Job::new(&space, &store).start(&Values::default()).await?;
/// let mut events = handle.events();
/// let watching = tokio::spawn(async move {
///     while let Some(delivery) = events.next().await {
///         if let Delivery::Event(envelope) = delivery && let Event::StepFinished { report } = envelope.event {
///             println!("{} {}: {}", envelope.at, report.id, report.status);
///         }
///     }
/// });
/// let summary = handle.join().await?;
/// watching.await?;
/// # assert_eq!(summary.entities, 0);
/// # Ok(()) }
/// ```
///
/// Dropping the handle stops the job at once, as if its process had been killed; it can be resumed later.
#[derive(Debug)]
pub struct JobHandle {
    pub(super) id: JobId,
    pub(super) cancel: CancellationToken,
    pub(super) events: EventLog,
    pub(super) task: AbortOnDropHandle<Result<Summary, JobError>>,
}

impl JobHandle {
    /// Returns the id of the job.
    pub fn id(&self) -> &JobId {
        &self.id
    }

    /// Subscribes to the events of the job, starting with the first one.
    pub fn events(&self) -> EventStream {
        self.events.subscribe()
    }

    /// Ends the job early. Everything collected so far is kept, and the summary is written.
    pub fn cancel(&self) {
        self.cancel.cancel();
    }

    /// Waits for the end of the job.
    ///
    /// # Errors
    /// [`JobError`] if the job could not be recorded. A job whose steps fail returns a summary.
    pub async fn join(self) -> Result<Summary, JobError> {
        match self.task.await {
            Ok(result) => result,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                // The runtime shuts down.
                Err(_) => Err(StoreError::Closed.into()),
            },
        }
    }
}

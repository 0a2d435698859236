//! The observation in progress: at most one, with a time limit.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::task::{JoinError, JoinSet};

use crate::observer::{Notice, Observed, Observer, ObserverError};

type Outcome = Result<Observed, ObserverError>;

/// The work of an observation.
#[derive(Debug, Clone)]
pub(crate) enum Work {
    Notice(Notice),
    Tick,
}

/// The observer with its current work. Dropping it aborts the work.
pub(crate) struct Observation {
    observer: Arc<dyn Observer>,
    limit: Duration,
    task: JoinSet<Outcome>,
    work: Option<Work>,
}

impl Observation {
    pub(crate) fn new(observer: Arc<dyn Observer>, limit: Duration) -> Self {
        Self { observer, limit, task: JoinSet::new(), work: None }
    }

    pub(crate) fn is_busy(&self) -> bool {
        self.work.is_some()
    }

    /// Starts the work. The caller has checked that there is none.
    pub(crate) fn start(&mut self, work: Work, now: Timestamp) {
        let (observer, limit) = (Arc::clone(&self.observer), self.limit);
        self.work = Some(work.clone());
        self.task.spawn(async move {
            let observed = async {
                match work {
                    Work::Notice(notice) => observer.observe(notice).await,
                    Work::Tick => observer.tick(now).await,
                }
            };
            let late = |_| Err(ObserverError(format!("it took longer than {} seconds", limit.as_secs())));
            tokio::time::timeout(limit, observed).await.unwrap_or_else(late)
        });
    }

    /// Waits for the end of the work, without end if there is none. The future may be dropped.
    pub(crate) async fn next(&mut self) -> (Work, Outcome) {
        loop {
            let joined = self.task.join_next().await;
            if let (Some(joined), Some(work)) = (joined, self.work.take()) {
                return (work, joined.unwrap_or_else(defect));
            }
            std::future::pending::<()>().await;
        }
    }
}

fn defect(_: JoinError) -> Outcome {
    Err(ObserverError("it ended by a defect of this program".to_owned()))
}

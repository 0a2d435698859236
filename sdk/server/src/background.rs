//! Work alongside the runs and the observations.

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// The delay before work that ended by a defect begins again.
const DELAY: Duration = Duration::from_secs(60);

/// Work that continues alongside the runs and the observations, and must not hold them up, such as deliveries.
pub trait Background: Send + Sync + 'static {
    /// Works until `stop` is cancelled, and then ends soon.
    ///
    /// The server begins again after a minute if the work ends before, for example by a panic. After `stop`, it aborts the
    /// work at the end of its bound, so every state must be one that a later process can continue.
    fn run(&self, stop: CancellationToken) -> BoxFuture<'static, ()>;
}

/// The running work. Dropping it aborts the work.
pub(crate) struct BackgroundTask {
    stop: CancellationToken,
    tasks: JoinSet<()>,
}

impl BackgroundTask {
    /// Starts the work, if there is any.
    pub(crate) fn start(background: Option<Arc<dyn Background>>) -> Self {
        let (stop, mut tasks) = (CancellationToken::new(), JoinSet::new());
        if let Some(background) = background {
            tasks.spawn(repeat(background, stop.clone()));
        }
        Self { stop, tasks }
    }

    /// Asks the work to end.
    pub(crate) fn cancel(&self) {
        self.stop.cancel();
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.tasks.is_empty()
    }

    /// Waits for the end of the work, without end if there is none. The future may be dropped.
    pub(crate) async fn ended(&mut self) {
        if self.tasks.join_next().await.is_none() {
            std::future::pending::<()>().await;
        }
    }
}

async fn repeat(background: Arc<dyn Background>, stop: CancellationToken) {
    while !stop.is_cancelled() {
        let mut work = JoinSet::new();
        work.spawn(background.run(stop.clone()));
        // The set aborts the work if this future is dropped.
        let ended = work.join_next().await;
        if stop.is_cancelled() {
            return;
        }
        let is_defect = ended.is_some_and(|ended| ended.is_err());
        tracing::error!(is_defect, "the work in the background ended; it begins again in a minute");
        tokio::select! {
            () = tokio::time::sleep(DELAY) => {}
            () = stop.cancelled() => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// Work that fails twice.
    #[derive(Default)]
    struct Unsteady(Arc<AtomicUsize>);

    impl Background for Unsteady {
        fn run(&self, stop: CancellationToken) -> BoxFuture<'static, ()> {
            let number = self.0.fetch_add(1, Ordering::SeqCst);
            Box::pin(async move {
                assert!(number > 0, "a defect");
                if number > 1 {
                    stop.cancelled().await;
                }
            })
        }
    }

    #[tokio::test(start_paused = true)]
    async fn work_that_ends_begins_again_until_the_stop() {
        let unsteady = Arc::new(Unsteady::default());
        let mut task = BackgroundTask::start(Some(Arc::<Unsteady>::clone(&unsteady)));
        let end = tokio::time::timeout(DELAY * 5, task.ended()).await;
        assert!(end.is_err() && !task.has_ended(), "it works");
        assert_eq!(unsteady.0.load(Ordering::SeqCst), 3);
        task.cancel();
        task.ended().await;
        assert!(task.has_ended());
        assert!(BackgroundTask::start(None).has_ended());
    }
}

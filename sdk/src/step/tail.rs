//! Following a type while it is being added: who waits for more, and who knows when there is no more.
//!
//! The store is the queue between the two ends: a follower reads what is committed in the order of its adding, and nothing but
//! a number and a flag is held in memory, however far the two are apart.

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::watch;

use super::StepResult;
use super::pipeline::Pipeline;

/// How long a follower that found nothing sleeps at the most: what was on its way to the writer's queue is there by then.
const PATIENCE: Duration = Duration::from_millis(50);

/// The end of a type that is being added.
#[derive(Debug)]
pub(crate) struct Tail {
    added: watch::Sender<Progress>,
    producers: Mutex<Vec<Weak<Pipeline>>>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Progress {
    objects: u64,
    ended: bool,
}

impl Tail {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { added: watch::Sender::new(Progress::default()), producers: Mutex::default() })
    }

    /// Something was added.
    pub(crate) fn tell(&self) {
        self.added.send_modify(|progress| progress.objects += 1);
    }

    /// Every step that adds the type has ended.
    pub(crate) fn end(&self) {
        self.added.send_modify(|progress| progress.ended = true);
    }

    /// A step that adds the type has begun.
    pub(super) fn produced_by(&self, producer: Weak<Pipeline>) {
        self.producers.lock().unwrap_or_else(PoisonError::into_inner).push(producer);
    }

    /// Where the tail is now; what is added later wakes the follower.
    pub(crate) fn look(&self) -> Look {
        let mut receiver = self.added.subscribe();
        let ended = receiver.borrow_and_update().ended;
        Look { receiver, ended }
    }

    /// Sends what the producers have in hand to the writer.
    pub(crate) async fn flush(&self) -> StepResult {
        let producers = self.producers.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for producer in producers.iter().filter_map(Weak::upgrade) {
            producer.flush_for_follower().await?;
        }
        Ok(())
    }
}

/// A moment of a tail.
pub(crate) struct Look {
    receiver: watch::Receiver<Progress>,
    /// There will be no more.
    pub(crate) ended: bool,
}

impl Look {
    /// Waits until something has happened since.
    pub(crate) async fn changed(mut self) {
        // Time out or sender gone: looking again does no harm.
        let _ = tokio::time::timeout(PATIENCE, self.receiver.changed()).await;
    }
}

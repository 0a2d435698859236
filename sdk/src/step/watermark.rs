//! Watermarks of followed types: notification of new objects, and of the end.
//!
//! The store is the queue between producers and followers. A follower reads committed objects in the order in which
//! they were added. Memory holds only a counter and a flag, however far the follower is behind.

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::watch;

use super::StepResult;
use super::batch_writer::BatchWriter;

/// The upper limit of a follower's wait before it polls again. By then, batches queued for the writer have arrived.
const PATIENCE: Duration = Duration::from_millis(50);

/// The watermark of a type that is being added.
#[derive(Debug)]
pub(crate) struct Watermark {
    added: watch::Sender<Progress>,
    producers: Mutex<Vec<Weak<BatchWriter>>>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Progress {
    objects: u64,
    ended: bool,
}

impl Watermark {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { added: watch::Sender::new(Progress::default()), producers: Mutex::default() })
    }

    /// Records that an object was added.
    pub(crate) fn advance(&self) {
        self.added.send_modify(|progress| progress.objects += 1);
    }

    /// Records that every step that adds the type has ended.
    pub(crate) fn end(&self) {
        self.added.send_modify(|progress| progress.ended = true);
    }

    /// Registers a step that adds the type, when it starts.
    pub(super) fn produced_by(&self, producer: Weak<BatchWriter>) {
        self.producers.lock().unwrap_or_else(PoisonError::into_inner).push(producer);
    }

    /// Returns a cursor at the current state. Later additions wake it.
    pub(crate) fn cursor(&self) -> Cursor {
        let mut receiver = self.added.subscribe();
        let ended = receiver.borrow_and_update().ended;
        Cursor { receiver, ended }
    }

    /// Passes the current batches of the producers to the writer.
    pub(crate) async fn flush(&self) -> StepResult {
        let producers = self.producers.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for producer in producers.iter().filter_map(Weak::upgrade) {
            producer.flush_for_follower().await?;
        }
        Ok(())
    }
}

/// The state of a watermark at one moment.
pub(crate) struct Cursor {
    receiver: watch::Receiver<Progress>,
    /// Whether the type is complete.
    pub(crate) ended: bool,
}

impl Cursor {
    /// Waits until the watermark has changed.
    pub(crate) async fn changed(mut self) {
        // After a timeout, or when the sender is dropped, polling again is harmless.
        let _ = tokio::time::timeout(PATIENCE, self.receiver.changed()).await;
    }
}

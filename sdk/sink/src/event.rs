//! The progress of a transfer.

use std::fmt;
use std::sync::Arc;

use integration_graph::ObjectType;

/// A change in a running transfer.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// The properties of so many objects have been surveyed.
    Surveyed {
        /// The number of objects up to now.
        objects: u64,
    },
    /// The target has accepted objects.
    Written {
        /// The number of objects up to now, including those of an interrupted transfer.
        objects: u64,
        /// The number of objects of the whole transfer.
        total: u64,
        /// The type of the last objects.
        object_type: ObjectType,
    },
    /// The target continues an interrupted transfer.
    Resumed {
        /// The number of objects that it already has.
        objects: u64,
    },
    /// A remark of the target for users, such as the state of a remote job.
    Remark(String),
}

/// A receiver of events. Clones are cheap, and a call never blocks.
#[derive(Clone)]
pub struct Events(Arc<dyn Fn(Event) + Send + Sync>);

impl Events {
    /// Creates a receiver.
    pub fn new(receive: impl Fn(Event) + Send + Sync + 'static) -> Self {
        Self(Arc::new(receive))
    }

    /// Creates a receiver that ignores all events.
    pub fn ignored() -> Self {
        Self::new(|_| {})
    }

    /// Passes an event to the receiver.
    pub fn send(&self, event: Event) {
        (self.0)(event);
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Events")
    }
}
